"""Operators that are only a function: dense truth, work counted, and what a function may do wrong."""

import numpy as np
import pytest
from continued_calls import check_that_it_goes_on
from linear_cases import convection_diffusion, helmholtz, laplacian, random_definite

from solvers import checkpoint as checkpoints
from solvers.checkpoint import CheckpointError
from solvers.formats.trains.construct import identity_operator, ones, random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.gmres import gmres
from solvers.linear.solve import solve
from solvers.methods import GMRES, AMEn
from solvers.solution import NotConverged, Status

RNG = np.random.default_rng(8)
SYSTEMS = {
    "definite": (random_definite((4, 5, 6), 2, RNG), random_train((4, 5, 6), 2, RNG)),
    "complex": (random_definite((3, 4, 3), 2, RNG, complex), random_train((3, 4, 3), 2, RNG, complex)),
    "not symmetric": (convection_diffusion(3, 6), ones((6,) * 3)),
    "indefinite": (helmholtz(3, 6, 5.0, 6.0), ones((6,) * 3)),
    "one mode": (laplacian(1, 7), ones((7,))),
}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("accuracy", [1e-4, 1e-9])
def test_dense_truth(name, accuracy):
    a, b = SYSTEMS[name]
    calls = []

    def apply(x):
        calls.append(x.max_rank)
        return a @ x

    solution = solve(apply, b, accuracy=accuracy)
    left = b.full().reshape(-1) - a.full().reshape(b.full().size, -1) @ solution.value.full().reshape(-1)
    assert solution.converged and np.linalg.norm(left) <= accuracy * b.norm()
    assert np.linalg.norm(left) == pytest.approx(solution.residual[0] * b.norm(), rel=1e-3)
    assert len(calls) == solution.counts["products"] <= 4 * len(solution.history) + 30 * solution.counts["cycles"]


@pytest.mark.parametrize("scale_a, scale_b", [(1e8, 1.0), (1e-8, 1e8), (1e120, 1e-120)])
def test_any_scale(scale_a, scale_b):
    a, b = SYSTEMS["definite"]
    plain, scaled = gmres(a, b, accuracy=1e-8), gmres(lambda x: (a @ x) * scale_a, b * scale_b, accuracy=1e-8)
    assert scaled.counts == plain.counts
    assert (scaled.value * scale_a * (1.0 / scale_b) - plain.value).norm() <= 1e-9 * plain.value.norm()


def test_a_preconditioner_saves_products_and_need_not_be_linear():
    a, b = laplacian(3, 12), ones((12,) * 3)
    plain = gmres(lambda x: a @ x, b, accuracy=1e-6)

    def rough(x):
        return solve(a, x, accuracy=0.1, method=AMEn(max_rank=6), condition=False, throw=False).value

    helped = gmres(lambda x: a @ x, b, preconditioner=rough, accuracy=1e-6)
    assert plain.converged and helped.converged
    assert helped.counts["products"] < 0.5 * plain.counts["products"]
    assert (a @ helped.value - b).norm() <= 1.01e-6 * b.norm()


def test_vectors_coarsen_as_the_residual_falls():
    """The relaxation: the roundings of a cycle grow as its residual shrinks."""
    told = []
    a, b = SYSTEMS["not symmetric"]
    gmres(a, b, accuracy=1e-8, callback=told.append)
    tols = [state.extra["tol"] for state in told if state.label == "step" and state.step == 1]
    assert len(tols) > 5 and tols == sorted(tols) and tols[-1] > 20 * tols[0]


def test_limits_say_so_and_the_best_x_is_returned():
    a, b = SYSTEMS["not symmetric"]
    solution = gmres(a, b, accuracy=1e-9, method=GMRES(restart=4, cycles=2), throw=False)
    assert solution.status is Status.ITERATION_LIMIT
    assert solution.residual[0] == min(state.residuals[0] for state in solution.history) < 1.0
    with pytest.raises(NotConverged):
        gmres(a, b, accuracy=1e-9, method=GMRES(restart=4, cycles=1))
    a, b = SYSTEMS["definite"]
    capped = gmres(a, b, accuracy=1e-9, method=GMRES(max_rank=2, cycles=5), throw=False)
    assert capped.status is Status.RANK_LIMIT and capped.value.max_rank <= 2 and capped.residual[0] < 1.0
    # a projection: b outside of its range has no solution, and none is claimed
    first = TensorTrain((np.array([1.0, 0.0]).reshape(1, 2, 1),) * 3)
    stuck = gmres(lambda x: first * float(x.full()[0, 0, 0]), ones((2,) * 3), throw=False)
    assert stuck.status is Status.STAGNATED and stuck.residual[0] <= 1.0
    zero = gmres(lambda x: x * 0.0, ones((2,) * 3), throw=False)
    assert zero.status is Status.STAGNATED and zero.value.norm() == 0.0 and zero.residual[0] == 1.0


def test_zero_and_a_start_that_is_the_solution():
    a, b = SYSTEMS["definite"]
    assert gmres(a, b * 0.0).value.norm() == 0.0
    x = gmres(a, b, accuracy=1e-10).value
    again = gmres(a, b, accuracy=1e-8, start=x)
    assert again.counts["cycles"] == 0 and again.residual[0] <= 1e-8
    bad = gmres(a, b, accuracy=1e-8, start=x * 1e6)  # worse than zero: not used
    assert bad.converged


def _broken(x):
    core = x.cores[0].copy()
    core[0, 0, 0] = np.nan
    return TensorTrain((core, *x.cores[1:]))


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x * x, "not linear"),
        (lambda x: x + 1.0, "not linear"),
        (lambda x: x.full(), "must return a TensorTrain of shape"),
        (lambda x: None, "must return a TensorTrain of shape"),
        (lambda x: ones((2, 2)), "returned a train of shape"),
        (_broken, "NaN"),
        (3.0, "must be a TTOperator or a function"),
        (identity_operator((3,) * 3), "the right-hand side"),
    ],
)
def test_what_a_function_may_do_wrong_is_one_line(function, says):
    with pytest.raises(ValueError, match=says) as raised:
        gmres(function, random_train((2,) * 3, 2, np.random.default_rng(0)))
    assert "\n" not in str(raised.value)


def test_bad_calls():
    b = ones((2,) * 3)
    with pytest.raises(ValueError, match="accuracy must lie in"):
        gmres(lambda x: x, b, accuracy=0.0)
    with pytest.raises(ValueError, match="the start has shape"):
        gmres(lambda x: x, b, start=ones((2,) * 2))
    with pytest.raises(ValueError, match="AMEn needs an operator in tensor-train form"):
        solve(lambda x: x, b, method=AMEn())
    with pytest.raises(ValueError, match="restart is 0"):
        GMRES(restart=0)


def test_it_goes_on_to_the_same_solution(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "QUIET", np.inf)
    a, b = SYSTEMS["not symmetric"]
    method = GMRES(restart=12)
    check_that_it_goes_on(lambda **more: gmres(lambda x: a @ x, b, accuracy=1e-7, method=method, **more), tmp_path)
    file = tmp_path / "1.npz"
    with pytest.raises(CheckpointError, match="another computation"):
        gmres(lambda x: (a @ x) * 2.0, b, accuracy=1e-7, method=method, checkpoint=file)
