"""Automatic bases of random force fields against levels on points: never wrong, whatever the one-mode potentials."""

from __future__ import annotations

import numpy as np
import pytest
from force_fields import cases, random_force_field, reference_levels

from problems.quantum.hamiltonians.force_field import basis
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.force_field.primitives import fitted, sinc_levels
from problems.quantum.hamiltonians.force_field.sizes import WIDER, from_levels, lowest_products, wide_states


def levels_of_the_basis(field, count: int, accuracy: float) -> np.ndarray:
    """The levels in the automatic basis of products, diagonalised outright."""
    charges = basis.mode_charges(basis.parity_generators(field), field.d)
    sized = from_levels(field, charges, count, accuracy)
    sizes = [min(n + WIDER, len(level)) for n, level in zip(sized.sizes, sized.levels)]
    bases = basis.lowest_modals(sized.mean, sizes, charges)
    return wide_states(product_terms(field, bases, range(field.d)), count).levels


@pytest.mark.parametrize(("seed", "d"), cases(range(8), (1, 2)))
def test_automatic_bases(seed: int, d: int) -> None:
    field, count = random_force_field(seed, d), 8
    exact, doubt = reference_levels(field, count, 700)
    accuracy = max(1e-4 * (exact[-1] - exact[0]) / count, 1e-3)
    assert doubt < 0.2 * accuracy
    np.testing.assert_allclose(levels_of_the_basis(field, count, accuracy), exact, rtol=0, atol=0.2 * accuracy)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "d"), cases(range(100, 180), (1, 2, 3)))
def test_many_automatic_bases(seed: int, d: int) -> None:
    field, count = random_force_field(seed, d), 10
    exact, doubt = reference_levels(field, count, 2500)
    accuracy = max(1e-4 * (exact[-1] - exact[0]) / count, 1e-3)
    if doubt > 0.2 * accuracy:
        pytest.skip("the reference itself is not settled")
    np.testing.assert_allclose(levels_of_the_basis(field, count, accuracy), exact, rtol=0, atol=0.5 * accuracy)


@pytest.mark.parametrize(
    ("w", "potential"),
    [
        (1.0, [0, 0, 0.5, 0, 10.0]),
        (0.01, [0, 0, 0.005, 0, 100.0]),  # next to no harmonic part
        (100.0, [0, 0, 50.0, -1.1 * np.sqrt(4 * 50.0 * 0.1), 0.1]),  # the lower well is far from q = 0
        (100.0, [0, 0, 50.0, 0, -2.0, 0, 0.015]),  # three wells
    ],
)
def test_harmonic_functions_go_where_the_mode_is(w: float, potential: list[float]) -> None:
    P = np.array(potential + [0.0] * (7 - len(potential)))
    _, levels, changes = fitted(w, P, 40, 1e-7, P[3] == 0, 40)
    other = sinc_levels(w, P, float(levels[-1]) + 1e-6 * w)
    assert changes.max() <= 1e-7
    np.testing.assert_allclose(levels, other[:40], rtol=0, atol=1e-6)


def test_growth_ends_at_a_barrier() -> None:
    P = np.array([0, 0, 700.0, 0, -3.2, 0, 0])
    primitive, levels, _ = fitted(1400.0, P, 60, 1e-6, True, 8)
    assert levels[0] > 0 and primitive.reach[1] <= 1.05 * np.sqrt(700.0 / 6.4)
    assert len(levels) < 60


def test_the_lowest_products_are_all_there() -> None:
    rng = np.random.default_rng(3)
    levels = [np.sort(rng.uniform(0, 5, n)) for n in (5, 4, 6)]
    everything = sum(np.meshgrid(*[level - level[0] for level in levels], indexing="ij")).ravel()
    _, sums = lowest_products(levels, 25)
    np.testing.assert_allclose(sums, np.sort(everything)[:25], atol=1e-12)
