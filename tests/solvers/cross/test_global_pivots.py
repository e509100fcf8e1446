"""Points found elsewhere become pivots at all bonds: features that no cross of the present index sets meets."""

import numpy as np
import pytest

from solvers.cross.cross import cross
from solvers.cross.pivots import Pivots
from solvers.cross.sources import FunctionSource
from solvers.methods import Cross
from solvers.solution import Status

BITS = 16
WEIGHTS = 2 ** np.arange(BITS)[::-1]


def peaks(centres):
    """A smooth function with small boxes, five indices to each side of ``centres``."""
    sorted_ = np.sort(centres)

    def f(b):
        i = b @ WEIGHTS
        boxes = np.searchsorted(sorted_, i + 5, "right") - np.searchsorted(sorted_, i - 5, "left")
        return np.exp(-10.0 * i / 2**BITS) + 2e-4 * boxes

    return f


@pytest.mark.parametrize("seed", range(3))
def test_an_inserted_point_is_met_at_once(seed):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (30, BITS))
    source = FunctionSource(peaks(bits @ WEIGHTS), (2,) * BITS, None)
    pivots = Pivots(source, bits[0] * 0, rng)
    while any([pivots.grow(k, 1e-6) for k in range(BITS - 1)]):
        pass
    for point in bits:
        pivots.insert(point, 1e-8, 100, forward=True)
        assert abs(pivots.train().entries(point[None])[0] - source.points(point[None])[0]) <= 1e-5


@pytest.mark.parametrize("seed", range(2))
def test_narrow_peaks_whose_places_are_given(seed):
    bits = np.random.default_rng(seed).integers(0, 2, (40, BITS))
    f = peaks(bits @ WEIGHTS)
    solution = cross(f, (2,) * BITS, starts=bits, accuracy=1e-4, method=Cross(whole=0))
    everywhere = np.indices((2,) * BITS).reshape(BITS, -1).T
    assert solution.status is Status.CONVERGED
    assert np.abs(solution.value.entries(bits) - f(bits)).max() <= 1e-4
    wrong = np.abs(solution.value.entries(everywhere) - f(everywhere)) > 1.01e-4
    assert np.mean(wrong) <= solution.extra["unseen_share"]


def test_an_error_is_told_by_the_bonds_it_comes_from():
    """The parts add up to it; pivots at those bonds alone remove it, for few evaluations."""
    x = np.linspace(0.0, 1.0, 40)
    source = FunctionSource(lambda p: 1.0 / (1.0 + (p**2).sum(axis=1)), (40,) * 8, [x] * 8)
    pivots = Pivots(source, np.full(8, 20), np.random.default_rng(0))
    for _ in range(6):
        for k in range(7):
            pivots.grow(k, 1e-4)
            pivots.widen(k, 1e-6)
    point = np.random.default_rng(1).integers(0, 40, (200, 8))
    errors = np.abs(pivots.train().entries(point) - source.points(point))
    worst = point[np.argmax(errors)]
    for _ in range(8):  # fibres through the point: what is left is of the bonds
        pivots._reach(worst, 1e-14)
    error, parts = abs(pivots.train().entries(worst[None])[0] - source.points(worst[None])[0]), pivots.blame(worst)
    assert error > 1e-5 and error <= 1.001 * parts.sum() and parts.max() >= error / 8
    before = source.evaluations
    assert pivots.insert(worst, 1e-8, 100, forward=False) >= 1
    assert source.evaluations - before <= 7 * sum(pivots.ranks)
    left = abs(pivots.train().entries(worst[None])[0] - source.points(worst[None])[0])
    assert left <= 0.5 * error
