"""Shifted solves against dense solves of the whole and of the projected equation."""

import numpy as np
import pytest
from eigen_cases import frames, system
from sector_cases import dense

from solvers.eigen.shifted_solve import FLOOR, TOLERANCE, ShiftedSolve, StepOptions, step_options
from solvers.methods import InverseIteration
from solvers.sectors.train import SectorTrain, right_orthogonal

EXACT = {"steps": 400, "tol": 1e-13, "model": 40, "floor": 1e-3}


def right_side(case, sources, weights):
    return sum(w * dense(s) for w, s in zip(weights, sources))


@pytest.mark.parametrize("charge", [0, 1])
def test_at_full_rank_it_is_the_solution_of_the_whole_equation(charge: int) -> None:
    case = system(11)
    values, _ = case.levels(charge)
    shift = float(values[0]) - 0.3
    sources = [case.random_state(charge), case.random_state(charge, 2)]
    weights = [1.0, -0.4]
    options = StepOptions(max_rank=60, expansion=30, **EXACT)
    y, products = ShiftedSolve(case.operator, sources[0], sources, weights, shift, options, case.rng).solve()
    exact = np.linalg.solve(case.h - shift * np.eye(len(case.h)), right_side(case, sources, weights))
    np.testing.assert_allclose(dense(y), exact, atol=1e-8 * np.linalg.norm(exact))
    assert products > 0 and y.charge == charge


@pytest.mark.parametrize("charge", [0, 1])
def test_one_core_solves_the_projected_equation(charge: int) -> None:
    """F^T (H - sigma) F y = F^T b, F the frame of core 0: the mode times the right basis of the rest."""
    case = system(12)
    shift = float(case.levels(charge)[0][0]) - 0.5
    start = right_orthogonal(case.random_state(charge, 2))
    sources, weights = [case.random_state(charge), start], [0.7, 0.2]
    options = StepOptions(max_rank=4, expansion=2, **EXACT)
    step = ShiftedSolve(case.operator, start, sources, weights, shift, options, case.rng)
    step._solve_site(0)
    y = dense(SectorTrain(case.modes, tuple(step.bonds), tuple(step.cores)))
    n = sum(size for _, size in case.modes[0])
    # products of another charge are in no train of this one
    keep = np.zeros(len(case.h))
    keep[case.members(charge)] = 1.0
    frame = keep[:, None] * np.kron(np.eye(n), frames(start)[1][1]) * keep[None, :]
    np.testing.assert_allclose(frame @ y, y, atol=1e-10 * np.linalg.norm(y))
    residual = frame @ (case.h @ y - shift * y - right_side(case, sources, weights))
    assert np.linalg.norm(residual) < 1e-9


def test_the_rank_asked_for_is_kept_and_the_wanted_state_amplified() -> None:
    case = system(13)
    values, vectors = case.levels(0)
    start = case.random_state(0, 1)
    options = StepOptions(max_rank=6, expansion=2, **EXACT)
    step = ShiftedSolve(case.operator, start, [start], [1.0], float(values[0]) - 0.01, options, case.rng)
    y = step.solve()[0]
    assert y.max_rank <= 6
    before, after = abs(vectors[:, 0] @ dense(start)), abs(vectors[:, 0] @ dense(y)) / np.linalg.norm(dense(y))
    assert after > 0.99 > before


def test_options_of_a_step() -> None:
    found = step_options(InverseIteration(expansion=0.25, local_steps=7, local_block=9), 20, 2.0)
    assert found == StepOptions(20, 5, 7, TOLERANCE, 9, FLOOR * 2.0)
    assert step_options(InverseIteration(local_tolerance=1e-5), 3, 1.0).expansion == 2
    assert step_options(InverseIteration(local_tolerance=1e-5), 3, 1.0).tol == 1e-5
