"""The state of a many-state calculation, its tasks, and the errors noted in it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from eigen_cases import many, system
from sector_cases import dense

from solvers.eigen import tasks
from solvers.eigen.errors import NARROWEST_GAP, UNSEEN, estimate, true_residuals
from solvers.eigen.many_states import SAFETY, Sector
from solvers.eigen.shifted_solve import StepOptions
from solvers.sectors.estimates import rank_error
from solvers.sectors.train import truncate

OPTIONS = StepOptions(max_rank=40, expansion=4, steps=200, tol=1e-12, model=40, floor=1e-3)


def two_sectors(case):
    return [Sector.of(c, [case.random_state(c) for _ in range(2)], [1.0 - c, 3.0 + c]) for c in (0, 1)]


def test_states_begin_as_their_own_trains() -> None:
    case = system(71)
    states = many(case, two_sectors(case), 3, first_rank=9, max_rank=7)
    assert states.numbers("name").tolist() == [0, 1, 2, 3]
    assert set(states.numbers("next_rank")) == {7}
    assert [s.ritz.sources for s in states.sectors] == [[[0], [1]]] * 2
    assert all(s.ritz.basis == s.trains for s in states.sectors)
    assert np.all(np.isinf(states.numbers("error"))) and np.all(np.isnan(states.numbers("residual")))
    np.testing.assert_array_equal(states.lowest(), [0.0, 1.0, 3.0])
    assert states.threshold() == 3.0
    assert [states.space_of(s) for s in states.sectors] == [len(case.members(c)) for c in (0, 1)]


def test_a_report_tells_of_the_wanted_states_in_order() -> None:
    case = system(71)
    told = []
    states = many(case, two_sectors(case), 3)
    states.callback = told.append
    for state, error in zip((s for sector in states.sectors for s in sector.states), (0.1, 0.2, 0.3, 0.4)):
        state.error = error
    states.report("here", 0.5)
    states.progress("there", 0.5, 0.7)(1, 2)
    np.testing.assert_array_equal(told[0].energies, [0.0, 1.0, 3.0])
    np.testing.assert_allclose(told[0].extra["error_estimates"], SAFETY[0] * np.array([0.3, 0.1, 0.2]))
    assert [s.finished for s in told] == [False, False] and told[1].fraction == pytest.approx(0.6)
    assert states.seen("here", 0.5).finished and told[0].label == states.seen("here", 0.5).label == "here"
    assert told[0].max_rank == max(x.max_rank for sector in states.sectors for x in sector.trains)


def test_estimates_are_calibrated_by_the_upper_quartile() -> None:
    case = system(71)
    states = many(case, two_sectors(case), 3)
    states.ratios = [9.0, 9.0]
    assert states.safety == SAFETY[0]
    states.ratios = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert states.safety == pytest.approx(4.0 * SAFETY[0])
    states.ratios = [0.1, 0.1, 0.1]
    assert states.safety == SAFETY[1]


def test_errors_of_states_that_changed_are_noted() -> None:
    case = system(72)
    values, vectors = case.levels(0)
    trains = [truncate(case.state(vectors[:, i], 0), 3)[0] for i in (0, 1)]
    trains = [tasks.normalised(x) for x in trains]
    states = many(case, [Sector.of(0, trains, values[:2])], 2, scale=0.5, goal=1e-9)
    kept, changed = states.sectors[0].states
    kept.error = 7.0
    error, norm2, quotient, undone = rank_error(case.operator, trains[1], 0.5)
    changed.before = (4.0 * error + 1.0, quotient + 0.25)
    estimate(states, "", 0.0, 0.0)
    if undone > UNSEEN * (norm2 + undone):
        error += undone / max(values[1] - quotient, NARROWEST_GAP * 0.5, np.sqrt(undone))
    assert kept.error == 7.0 and np.isnan(kept.quotient)
    assert changed.error == pytest.approx(error, rel=1e-12)
    assert changed.quotient == pytest.approx(dense(trains[1]) @ case.h @ dense(trains[1]), rel=1e-10)
    assert changed.residual == pytest.approx(np.sqrt(norm2 + undone))
    assert states.ratios == [pytest.approx(0.25 / (changed.before[0] - error))]


def test_what_an_iteration_left_undone_is_bounded_by_the_gap() -> None:
    """A random state of full rank: all of its residual lies within single cores, and the estimate by rank is blind."""
    case = system(73)
    own = case.members(0)
    vector = np.zeros(len(case.h))
    vector[own] = case.rng.standard_normal(len(own))
    x = case.state(vector / np.linalg.norm(vector), 0)
    states = many(case, [Sector.of(0, [x, x], [0.0, 1e4])], 2)
    estimate(states, "", 0.0, 0.0)
    state = states.sectors[0].states[0]
    norm = np.linalg.norm(case.h @ dense(x) - state.quotient * dense(x))
    seen, norm2, _, undone = rank_error(case.operator, x, 1.0)
    assert norm2 < 1e-15 and undone > UNSEEN * (norm2 + undone)
    assert undone >= norm**2 * (1.0 - 1e-9)
    assert state.error == pytest.approx(seen + undone / (1e4 - state.quotient), rel=1e-9)


def test_true_residuals_are_those_of_the_trains() -> None:
    case = system(74)
    states = many(case, two_sectors(case), 3)
    for sector in states.sectors:
        for state in sector.states:
            state.quotient = 0.3
    true_residuals(states)
    for sector in states.sectors:
        for state in sector.states:
            norm = np.linalg.norm(case.h @ dense(state.train) - 0.3 * dense(state.train))
            assert state.residual == pytest.approx(norm, rel=1e-11)


# -- tasks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [None, 2])
def test_results_come_in_the_order_of_the_tasks(workers) -> None:
    told = []
    work = [(2, i) for i in range(5)]
    if workers is None:
        found = tasks.run_tasks(None, pow, work, lambda *at: told.append(at))
    else:
        with ThreadPoolExecutor(workers) as executor:
            found = tasks.run_tasks(executor, pow, work, lambda *at: told.append(at))
    assert found == [1, 2, 4, 8, 16] and told == [(i, 5) for i in range(1, 6)]
    assert tasks.chunks(range(5), 2) == [[0, 1], [2, 3], [4]]


def test_an_error_in_a_task_ends_the_others() -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(ZeroDivisionError):
        tasks.run_tasks(executor, divmod, [(1, 0)] + [(1, 1)] * 3)


def test_sums_and_elements_of_trains() -> None:
    case = system(75)
    trains = {i: case.random_state(1) for i in (3, 5)}
    v = {i: dense(x) for i, x in trains.items()}
    ((state, x),) = tasks.recombine(trains, [tasks.Sum(8, [3, 5], [0.6, -1.5], 100)], 1e-12)
    total = 0.6 * v[3] - 1.5 * v[5]
    assert state == 8
    np.testing.assert_allclose(dense(x), total / np.linalg.norm(total), atol=1e-10)
    ((i, j, h, s),) = tasks.pair_elements(case.operator, trains, [(3, 5)])
    assert (i, j) == (3, 5) and h == pytest.approx(v[3] @ case.h @ v[5]) and s == pytest.approx(v[3] @ v[5])
    assert tasks.pair_overlaps(trains, [(5, 3)]) == [(5, 3, pytest.approx(v[3] @ v[5]))]


def test_a_solve_starts_from_its_state_and_ends_normalised() -> None:
    case = system(76)
    x = case.random_state(0)
    shift = float(case.levels(0)[0][0]) - 0.5
    (found,) = tasks.solve_states(case.operator, {4: x}, {2: x}, [tasks.SolveTask(2, [4], [1.0], shift, OPTIONS, 0)])
    y = np.linalg.solve(case.h - shift * np.eye(len(case.h)), dense(x))
    assert found.state == 2 and found.products > 0
    assert abs(dense(found.train) @ y) == pytest.approx(np.linalg.norm(y), rel=1e-10)


def test_residuals_by_the_task_are_exact_where_ranks_are_small() -> None:
    case = system(77)
    x = case.random_state(1)
    ((state, norm),) = tasks.residual_norms(case.operator, {9: x}, {9: 1.5}, 0)
    assert state == 9 and norm == pytest.approx(np.linalg.norm(case.h @ dense(x) - 1.5 * dense(x)), rel=1e-11)


def test_a_process_keeps_the_operators_it_saw_last() -> None:
    first = system(78).operator
    assert tasks.known(first) is first
    for seed in range(5):
        tasks.known(system(seed).operator)
    assert first.key not in tasks._KNOWN and len(tasks._KNOWN) <= 4


@pytest.mark.parametrize("scale", [0.0, np.nan])
def test_a_state_without_a_norm_is_refused(scale: float) -> None:
    with pytest.raises(FloatingPointError, match="norm"):
        tasks.normalised(system(79).random_state(0).scaled(scale))
