"""A remainder that stays is noise of the values, or a part of the function whose rank is not reached yet."""

import numpy as np
import pytest

from solvers.cross import judgement
from solvers.cross.cross import cross
from solvers.cross.noise import groups, is_noise
from solvers.cross.progress import Progress
from solvers.cross.sources import FunctionSource
from solvers.formats.trains.construct import ones
from solvers.solution import Status

BITS = 20
POWERS = 2.0 ** -np.arange(1, BITS + 1)


def coordinates(p):
    return np.stack([p[:, a * BITS : (a + 1) * BITS] @ POWERS for a in range(3)], axis=1)


def mixed(p):
    """Uniform in [-1, 1], the same wherever it is asked for."""
    word = p.astype(np.uint64) @ np.random.default_rng(0).integers(1, 2**63, p.shape[1], dtype=np.uint64)
    for shift, factor in ((31, 0xBF58476D1CE4E5B9), (29, 0x94D049BB133111EB)):
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return 2.0 * (word >> np.uint64(11)).astype(float) / 2.0**53 - 1.0


def sums(p, seed=1, count=60):
    """Of waves and Gaussians, whose rank no few entries tell from that of noise."""
    rng, x = np.random.default_rng(seed), coordinates(p)
    out = np.zeros(len(p))
    for _ in range(count):
        waves = np.cos(x @ rng.normal(0.0, 40.0, 3) + rng.uniform(0.0, 6.0))
        out += waves * np.exp(-rng.uniform(1.0, 20.0) * ((x - rng.random(3)) ** 2).sum(axis=1))
    return out


def said(f, shape, error=1.0):
    return is_noise(FunctionSource(f, shape, None), ones(shape) * 0.0, error)


@pytest.mark.parametrize(
    "f, noise",
    [
        (mixed, True),
        (lambda p: mixed(p) * (1.0 + 1e3 * (p[:, 7] == 1)), True),
        (lambda p: mixed(p) + 300.0 * np.cos(40.0 * coordinates(p).sum(axis=1)), True),  # enlarged by interpolation
        (lambda p: 1e4 * (np.round(coordinates(p).sum(axis=1), 4) - coordinates(p).sum(axis=1)), True),
        (sums, False),
        (lambda p: sums(p) + 1j * sums(p, 2), False),
        (lambda p: np.exp(-1e6 * ((coordinates(p) - 0.4) ** 2).sum(axis=1)), False),  # a place, not met by chance
    ],
)
def test_a_remainder_in_quantics(f, noise):
    assert said(f, (2,) * 3 * BITS) is noise


def test_a_remainder_in_long_modes():
    shape, grid = (64,) * 5, np.linspace(0.0, 1.0, 64)
    turned = grid[np.random.default_rng(1).permutation(64)]
    assert said(mixed, shape)
    assert not said(lambda p: np.sin(20.0 * turned[p].sum(axis=1)) + np.abs(grid[p[:, 0]] - grid[p[:, 1]]), shape)


def test_every_mode_is_in_a_group_that_is_wide_enough():
    for shape in ((2,) * 23, (64,) * 5, (3, 40, 2, 2), (5, 5), (2, 100)):
        found = groups(shape)
        assert {k for low, high in found for k in range(low, high)} == set(range(len(shape)))
        widths = [np.prod(shape[low:high]) for low, high in found]
        assert min(widths) >= min(32, np.prod(shape))


def test_an_error_that_stays_is_a_floor_only_of_noise(monkeypatch):
    """Whatever the errors are: a smooth function is gone on with, and converges."""
    monkeypatch.setattr(Progress, "stays", lambda self: len(self.seen) > 3)
    asked = []

    def noted(*arguments):
        asked.append(is_noise(*arguments))
        return asked[-1]

    monkeypatch.setattr(judgement, "is_noise", noted)
    solution = cross(lambda p: sums(p, count=1), (2,) * 3 * BITS, accuracy=1e-2)
    assert asked and not any(asked) and "floor" not in solution.extra
    noisy = cross(lambda p: np.cos(coordinates(p).sum(axis=1)) + 1e-3 * mixed(p), (2,) * 60, accuracy=1e-6, throw=False)
    assert noisy.status is Status.FLOOR and noisy.extra["floor"] >= 3e-4


def products(p):
    """Three Gaussians that are no products, times waves, on 2^20 points an axis."""
    rng, x = np.random.default_rng(11), coordinates(p)
    out = np.zeros(len(p))
    for _ in range(3):
        factor = 8.0 * (rng.standard_normal((3, 3)) / 2.0 + 0.3 * np.eye(3))
        waves = np.cos(x @ rng.normal(0.0, 30.0, 3))
        out += waves * np.exp(-(((x - rng.uniform(0.2, 0.8, 3)) @ factor) ** 2).sum(axis=1))
    return out


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_narrow_products_in_three_dimensions_converge(seed):
    solution = cross(products, (2,) * 3 * BITS, accuracy=1e-5, rng=np.random.default_rng(seed))
    points = np.random.default_rng(9).integers(0, 2, (20_000, 3 * BITS))
    assert np.abs(solution.value.entries(points) - products(points)).max() <= 1.5e-5 * solution.extra["scale"]
    assert solution.counts["evaluations"] <= 2_000_000
