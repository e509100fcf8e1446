"""The error of the grid beside the energy on a grid so fine that its own error is nothing."""

import numpy as np
import pytest

from solvers.elliptic.elliptic import elliptic
from solvers.elliptic.grid_error import grid_error

ENDS = [("dirichlet", "dirichlet")]


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_a_power_of_the_step(order) -> None:
    steps = {level: 1.0 / (2**level + 1) for level in range(3, 8)}
    told = grid_error(1.0 + steps[7] ** order, lambda k: 1.0 + steps[7 - k] ** order, [7], ENDS, order)
    assert told == pytest.approx(steps[7] ** order, rel=1e-6)


def test_a_change_that_vanishes_and_an_order_that_is_not_reached() -> None:
    crossed = {0: 1.001, 1: 1.001 + 1e-9, 2: 1.02}
    assert grid_error(crossed[0], crossed.__getitem__, [9], ENDS) > 1e-3
    slow = {k: 1.0 + 0.1 * 2.0 ** (0.5 * (k - 5)) for k in range(3)}  # as the square root of h
    assert grid_error(slow[0], slow.__getitem__, [9], ENDS) == pytest.approx(slow[0] - 1.0, rel=0.2)
    assert grid_error(1.0, lambda k: 2.0, [1], ENDS) is None


def test_coarser_grids_that_are_too_coarse_for_the_problem() -> None:
    assert grid_error(1.0, lambda k: None, [9], ENDS) is None
    assert grid_error(1.0, {1: 1.3, 2: None}.__getitem__, [9], ENDS) == pytest.approx(0.1, rel=0.02)


@pytest.mark.slow  # 11 CPU s
@pytest.mark.parametrize(("ripples", "told"), [(2**11, True), (2**12, False)])
def test_a_product_that_is_too_rough_for_coarser_grids(ripples, told) -> None:
    """On 2^18 points an axis it is resolved, on a quarter of them, or on a half, no longer: that refuses nothing."""

    def diffusion(x: np.ndarray) -> np.ndarray:
        w = 2.0 * np.pi * ripples
        return (2.0 + np.cos(w * x[:, 0])) * (2.0 + np.sin(w * x[:, 1]))

    found = elliptic([18, 18], diffusion=diffusion, accuracy=1e-5)
    assert (found.value.grid_error is not None) is told
    assert found.value.energy == pytest.approx(0.0101452713, rel=1e-6)  # as on 2^20 points, 0.010145270880


@pytest.mark.parametrize(
    ("d", "diffusion", "reaction", "ends"),
    [
        (1, lambda x: 0.3 + np.abs(x[:, 0] - 0.37), 0.0, "dirichlet"),
        (1, lambda x: 0.1 + np.exp(-(((x[:, 0] - 0.6) / 0.1) ** 2)), 3.0, ("face", "neumann")),
        (2, lambda x: 1.2 + np.sin(x @ [2.0, -3.0]), 50.0, "face"),
        (2, lambda x: 0.1 + np.exp(-((x - 0.4) ** 2).sum(1) / 0.04), 0.0, ("neumann", "dirichlet")),
    ],
)
def test_coarse_grids_of_rough_problems(d, diffusion, reaction, ends) -> None:
    """At most twice what is told, where the solution is not resolved and orders are not reached."""
    found = {}
    for levels in (3, 4, 5, 10 if d == 2 else 14):
        found[levels] = elliptic(
            [levels] * d, diffusion=diffusion, reaction=reaction, ends=[ends] * d, accuracy=1e-5
        ).value
    for levels in (3, 4, 5):
        assert abs(found[levels].energy - found[max(found)].energy) <= 2.0 * found[levels].grid_error
