"""The states of a window without those below it, against dense diagonalisation; what is missing is found."""

from dataclasses import replace

import numpy as np
import option_cases as cases
import pytest

from solvers import checkpoint
from solvers.eigen import window_start as starts
from solvers.eigen.configuration_interaction import ProductTerms, products_below
from solvers.eigen.many_states import Sector
from solvers.eigen.window import states_between
from solvers.eigen.window_start import TooHigh, window_start
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import InverseIteration
from solvers.solution import Status


def oscillators(n: int, frequencies: list[float], coupling: float) -> ProductTerms:
    """Quartic oscillators with bilinear and cubic couplings, their functions all of one charge."""
    q = np.diag(np.sqrt(np.arange(1, n) / 2.0), 1)
    q = q + q.T
    harmonic = np.diag(np.arange(n) + 0.5)
    matrices = tuple(np.array([np.eye(n), q, q @ q, w * harmonic]) for w in frequencies)
    terms = [(1.0, {k: 3}) for k in range(len(frequencies))]
    terms += [(coupling, {k: 1, k + 1: 1}) for k in range(len(frequencies) - 1)]
    terms += [(0.5 * coupling, {k: 2, k + 1: 1}) for k in range(len(frequencies) - 1)]
    levels = tuple(w * np.diag(harmonic) for w in frequencies)
    return ProductTerms(matrices, tuple(terms), levels, (np.zeros(n, dtype=np.int64),) * len(frequencies))


@pytest.fixture(scope="module")
def three():
    terms = oscillators(7, [1.0, 1.0, 1.45], 0.06)
    operator = sum_of_products(terms.matrices, terms.terms)
    return operator, terms, np.linalg.eigvalsh(operator.full())


def window(case, lower, upper, **options):
    operator, terms, levels = case
    return states_between(operator, terms, lower, upper, (float(levels[0]), 0.0), accuracy=1e-5, **options)


def inside(levels, lower, upper):
    return levels[(levels - levels[0] >= lower) & (levels - levels[0] <= upper)]


@pytest.mark.parametrize(("lower", "upper"), [(2.3, 3.3), (0.0, 1.2)])
def test_the_levels_of_a_window_are_those_of_the_dense_matrix(three, lower, upper):
    found = window(three, lower, upper)
    exact = inside(three[2], lower, upper)
    assert found.status is Status.CONVERGED and len(found.value.energies) == len(exact)
    off = np.abs(found.value.energies - exact)
    assert np.all(off <= found.value.errors + 1e-9) and found.value.errors.max() <= 1e-5
    assert found.value.first is None and found.checked[-1].what == "number of levels in the window"


@pytest.mark.parametrize("off", [-5e-6, 5e-6])
def test_a_level_within_the_accuracy_of_an_end_is_listed(three, off):
    levels = three[2] - three[2][0]
    found = window(three, float(levels[4]) + off, float(levels[5]) + off)
    np.testing.assert_allclose(found.value.energies - three[2][0], levels[4:6], atol=1e-5)


def test_a_state_that_the_start_lacks_is_found(three):
    """Without the search the list has a hole; the second count sees it too."""
    lower, upper = 2.3, 3.3
    start = window_start(three[1], lower, upper, 400, 0)
    (sector,) = start.sectors
    place = int(np.argmin(np.abs(sector.energies - 2.8)))
    lacking = [state for i, state in enumerate(sector.states) if i != place]

    def begun():
        return replace(start, sectors=[Sector.of(0, [s.train for s in lacking], [s.energy for s in lacking])])

    energies = [(state.train, state.energy) for state in lacking]
    exact = inside(three[2], lower, upper)
    found = window(three, lower, upper, start=begun())
    np.testing.assert_allclose(found.value.energies, exact, atol=1e-5)
    for state, (train, energy) in zip(lacking, energies):
        state.train, state.energy = train, energy
    blind = window(three, lower, upper, start=begun(), method=InverseIteration(probes=0))
    assert len(blind.value.energies) < len(exact) and blind.status is not Status.CONVERGED


def test_a_window_without_levels_says_so(three):
    found = window(three, 0.3, 0.5)
    assert len(found.value.energies) == 0


def test_a_window_that_was_stopped_goes_on(three, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)

    def leave(state):
        if state.finished and state.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        window(three, 1.9, 2.3, callback=leave, checkpoint=tmp_path / "window.npz")
    again = window(three, 1.9, 2.3, checkpoint=tmp_path / "window.npz")
    alone = window(three, 1.9, 2.3)
    assert cases.digest(again) == cases.digest(alone)


def test_windows_above_too_many_products_are_refused(three, monkeypatch):
    monkeypatch.setattr(starts, "MOST_PRODUCTS", 20)
    with pytest.raises(TooHigh, match="more than 20 products"):
        window(three, 3.0, 4.0)


def test_products_are_counted_one_by_one(three):
    sums = np.add.outer(np.add.outer(*three[1].energies[:2]), three[1].energies[2]).ravel()
    assert products_below(three[1], 3.1, 1000) == int(np.sum(sums - sums.min() <= 3.1))
    assert products_below(three[1], 3.1, 5) is None
