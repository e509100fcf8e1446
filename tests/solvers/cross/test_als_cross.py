"""ALS-cross against dense solves at every point of the grid."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from parametric_cases import dense_solution, diffusion, weighted_error

from solvers.cross.als_cross import als_cross
from solvers.cross.reduced_basis import ReducedBasis, solve_stacked
from solvers.methods import ALSCross
from solvers.solution import NotConverged, Status


@pytest.mark.parametrize("accuracy", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("d, loads", [(1, 1), (3, 1), (3, 2)])
def test_meets_the_accuracy_on_the_whole_grid(d, loads, accuracy):
    system = diffusion(d, loads=loads)
    solution = als_cross(system, accuracy=accuracy, rng=np.random.default_rng(1))
    assert solution.status is Status.CONVERGED
    # the coefficient stays above 0.2 of its mean: so much may the error exceed the residual
    assert weighted_error(system, solution.value, dense_solution(system)) <= 5 * accuracy
    assert solution.residual[0] <= accuracy


def test_few_solves_of_the_full_system():
    solution = als_cross(diffusion(4, cells=40, points=5), accuracy=1e-6)
    assert solution.counts["solves"] <= 25  # of 625 points
    assert solution.counts["basis"] == solution.counts["solves"]


def test_the_same_seed_gives_the_same_train_with_and_without_workers():
    system = diffusion()
    runs = [als_cross(system, accuracy=1e-7, rng=np.random.default_rng(5)) for _ in range(2)]
    with ThreadPoolExecutor(2) as executor:
        runs.append(als_cross(system, accuracy=1e-7, rng=np.random.default_rng(5), executor=executor))
    for other in runs[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(runs[0].value.cores, other.value.cores))


def test_solves_are_not_repeated():
    system = diffusion()
    first = als_cross(system, accuracy=1e-4)
    second = als_cross(system, accuracy=1e-4, start=first.extra["basis"], rng=np.random.default_rng(3))
    assert second.counts["solves"] <= first.counts["solves"] + 1
    finer = diffusion(points=6)
    moved = als_cross(finer, accuracy=1e-4, start=first.extra["basis"].on(finer))
    assert moved.counts["solves"] <= first.counts["solves"] + 2
    assert weighted_error(finer, moved.value, dense_solution(finer)) <= 5e-4


def test_a_basis_of_another_system_is_refused():
    basis = als_cross(diffusion(), accuracy=1e-2).extra["basis"]
    with pytest.raises(ValueError, match="same full system"):
        basis.on(diffusion(cells=14))


@pytest.mark.parametrize(
    "limit, status", [({"max_solves": 4}, Status.BASIS_LIMIT), ({"max_rank": 3}, Status.RANK_LIMIT)]
)
def test_limits_are_said(limit, status):
    with pytest.raises(NotConverged) as caught:
        als_cross(diffusion(cells=30), method=ALSCross(**limit), accuracy=1e-8)
    solution = caught.value.solution
    assert solution.status is status and solution.residual[0] > 1e-8
    assert solution.counts["solves"] <= limit.get("max_solves", 400)
    assert max(solution.value.ranks) <= limit.get("max_rank", 400)


def test_reported_residual_is_the_true_one():
    system = diffusion(cells=30)
    solution = als_cross(system, method=ALSCross(max_solves=6), accuracy=1e-8, throw=False)
    error = weighted_error(system, solution.value, dense_solution(system))
    assert 0.1 * error <= solution.residual[0] <= 10 * error


def test_singular_system():
    system = diffusion()
    factors = tuple(np.where(np.arange(4)[:, None] == 0, 0.0, g) for g in system.factors)
    with pytest.raises(ValueError, match="singular"):
        als_cross(replace(system, factors=factors), accuracy=1e-4)


def test_callback_reports_every_step():
    seen = []
    solution = als_cross(diffusion(), accuracy=1e-5, callback=seen.append)
    assert [s.step for s in seen] == list(range(1, len(seen) + 1)) and tuple(seen) == solution.history
    assert seen[-1].label == "check" and seen[0].extra["solves"] == 1


def test_reduced_basis_reproduces_its_snapshots():
    system = diffusion()
    basis = ReducedBasis(system)
    points = np.array([[0, 1, 2], [3, 3, 0], [1, 0, 0]])
    assert basis.add(points) == 3 and basis.add(points) == 0
    gram = basis.basis.T @ (basis.energy @ basis.basis)
    assert np.allclose(gram, np.eye(3), atol=1e-12)
    errors, _ = basis.judge(points)
    assert errors.max() < 1e-12


def test_stacked_solves():
    rng = np.random.default_rng(0)
    for r in (3, 50):
        matrices = rng.standard_normal((2, r, r))
        matrices = matrices @ matrices.transpose(0, 2, 1) + r * np.eye(r)
        c, f = rng.uniform(0.5, 2.0, (7, 2)), rng.standard_normal((7, r))
        x = solve_stacked(matrices, c, f)
        assert all(np.allclose(np.tensordot(c[k], matrices, axes=1) @ x[k], f[k]) for k in range(7))
        c[3] = (1.0, -1.0)  # indefinite: still solved
        x = solve_stacked(matrices, c, f)
        assert np.allclose((matrices[0] - matrices[1]) @ x[3], f[3], atol=1e-8)
