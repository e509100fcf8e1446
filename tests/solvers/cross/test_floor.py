"""Values with errors of their own, jumps and kinks: an end with a status, soon, and what the values allow."""

import numpy as np
import pytest

from solvers.cross import floor as module
from solvers.cross.cross import cross
from solvers.formats.trains.construct import random_train
from solvers.methods import Cross
from solvers.solution import Status

GRID = np.linspace(0.0, 1.0, 64)
SHAPE = (64,) * 5


def smooth(p):
    return 1.0 / (1.0 + (GRID[p] ** 2).sum(axis=1))


def noise(p):
    """Uniform in [-1, 1], the same wherever it is asked for."""
    mixed = p.astype(np.uint64) @ (np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    for shift, factor in ((31, 0xBF58476D1CE4E5B9), (29, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return 2.0 * (mixed >> np.uint64(11)).astype(float) / 2.0**53 - 1.0


def noisy(p):
    return smooth(p) + 1e-4 * noise(p)


CASES = {
    "noise": (noisy, 1e-4 / np.sqrt(3.0)),
    "five digits": (lambda p: np.round(smooth(p), 5), 1e-5 / np.sqrt(12.0)),
    "single precision": (lambda p: smooth(p).astype(np.float32), 2.0**-24 / np.sqrt(12.0)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_floor_of_the_values_is_found_and_told(name):
    f, size = CASES[name]
    calls = []
    solution = cross(lambda p: calls.append(len(p)) or f(p), SHAPE, accuracy=1e-9, throw=False)
    points = np.random.default_rng(7).integers(0, 64, (20_000, 5))
    errors = np.abs(solution.value.entries(points) - smooth(points))
    assert solution.status is Status.FLOOR and "noise" in solution.status.value
    assert sum(calls) == solution.counts["evaluations"] + solution.counts["check_evaluations"] <= 1_000_000
    assert size <= solution.extra["floor"] <= 16 * size  # an interpolation enlarges it
    assert errors.max() <= 100 * size and errors.max() <= 2.0 * solution.residual[0]
    assert solution.value.max_rank <= 12


def test_without_a_second_growth_the_ranks_repeat_the_noise(monkeypatch):
    ends = [cross(noisy, SHAPE, accuracy=1e-9, throw=False)]
    monkeypatch.setattr(module, "TOLERANCES", ())
    ends.append(cross(noisy, SHAPE, accuracy=1e-9, throw=False))
    assert ends[0].value.max_rank < ends[1].value.max_rank and ends[0].extra["floor"] < ends[1].extra["floor"]


def test_noise_below_the_accuracy_is_none_of_its_business():
    solution = cross(noisy, SHAPE, accuracy=3e-3)
    assert solution.status is Status.CONVERGED and "floor" not in solution.extra


@pytest.mark.parametrize(
    "f", [lambda p: np.abs(GRID[p] @ [1, -0.7, -0.3, 0.2, 0.4]), lambda p: 1.0 * (GRID[p].sum(axis=1) > 2.2)]
)
def test_kinks_and_jumps_end_with_an_error_that_holds(f):
    solution = cross(f, SHAPE, accuracy=1e-8, method=Cross(patience=30_000), throw=False)
    points = np.random.default_rng(7).integers(0, 64, (20_000, 5))
    errors = np.abs(solution.value.entries(points) - f(points)) / solution.extra["scale"]
    assert solution.status is Status.FLOOR and "floor" not in solution.extra
    assert errors.max() <= 3.0 * solution.residual[0] and solution.residual[0] <= 1.0
    assert solution.counts["evaluations"] <= 150_000


def test_a_large_exact_rank_is_no_floor():
    x = random_train((24,) * 5, 24, np.random.default_rng(1))
    assert cross(x.entries, x.shape, accuracy=1e-8).value.ranks[2] == 24


@pytest.mark.slow
def test_a_kink_in_long_modes_ends_soon_at_a_loose_accuracy():
    """Its ranks are few hundred: the values could be had, not their factorisations."""
    grid = np.linspace(-1.0, 1.0, 2000)
    f = lambda p: np.abs(grid[p] @ [1.0, -0.7, -0.3])  # noqa: E731
    solution = cross(f, (2000,) * 3, accuracy=1e-3, throw=False)
    points = np.random.default_rng(7).integers(0, 2000, (20_000, 3))
    errors = np.abs(solution.value.entries(points) - f(points)) / solution.extra["scale"]
    assert solution.status is Status.FLOOR and solution.counts["evaluations"] <= 1_500_000
    assert errors.max() <= 2.0 * solution.residual[0] and solution.residual[0] <= 0.2
