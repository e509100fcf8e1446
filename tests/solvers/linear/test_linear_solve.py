"""Every linear solver on every kind of system; residuals are formed outside the solver."""

import numpy as np
import pytest
from linear_cases import (
    convection_diffusion,
    helmholtz,
    laplacian,
    quantics_poisson,
    quantics_second_difference,
    random_definite,
    variable_convection,
)

from solvers.formats.trains.construct import identity_operator, kronecker_sum, ones, random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.scaling import is_hermitian
from solvers.linear.solve import solve
from solvers.method_base import LocalSolver
from solvers.methods import ALS, DMRG, AMEn
from solvers.solution import NotConverged, Status

METHODS = {"amen": AMEn(), "dmrg": DMRG(), "als": ALS(rank=14)}


def outside(a, x, b):
    return (b - a @ x).norm() / b.norm()


def systems():
    rng = np.random.default_rng(5)
    yield "laplacian", laplacian(3, 8)
    yield "quantics", quantics_poisson(4, 2)
    yield "convection", convection_diffusion(3, 8)
    yield "helmholtz", helmholtz(3, 8, 5.0, 6.0)
    yield "definite", random_definite((4, 3, 5), 2, rng)
    yield "complex definite", random_definite((4, 3, 5), 2, rng, np.complex128)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name, a", list(systems()), ids=[name for name, _ in systems()])
def test_against_dense(method, name, a):
    b = ones(a.row_shape) + random_train(a.row_shape, 2, np.random.default_rng(1)) * 0.5
    solution = solve(a, b, method=METHODS[method], accuracy=1e-8)
    exact = np.linalg.solve(a.full(), b.full().ravel())
    size = np.linalg.norm(b.full())
    dense = np.linalg.norm(a.full() @ solution.value.full().ravel() - b.full().ravel()) / size
    assert dense <= 1e-8
    assert dense == pytest.approx(solution.residual[0], rel=1e-3, abs=1e-12)
    condition = np.linalg.cond(a.full())
    error = np.linalg.norm(solution.value.full().ravel() - exact) / np.linalg.norm(exact)
    assert error <= condition * 1e-8
    assert solution.counts["sweeps"] == len(solution.history) <= 30


@pytest.mark.parametrize("side", ["left", "right", "centre"])
def test_every_preconditioner(side):
    local = LocalSolver(dense_size=0, side=side)
    for a in (quantics_poisson(4, 2), convection_diffusion(3, 6)):
        b = ones(a.row_shape)
        x = solve(a, b, method=AMEn(local=local), accuracy=1e-9).value
        assert outside(a, x, b) <= 1e-9


def test_preconditioner_is_exact_for_a_kronecker_sum():
    a = laplacian(6, 16)
    b = ones(a.row_shape)
    counts = solve(a, b, accuracy=1e-8, method=AMEn(local=LocalSolver(dense_size=0))).counts
    # a solve is one step and the residuals around it, whatever the condition number; the rest tests ranks
    assert counts["matvecs"] <= 6 * counts["local_solves"]


def test_convection_diffusion_in_ten_dimensions():
    a = convection_diffusion(10, 32)
    b = ones(a.row_shape)
    x = solve(a, b, accuracy=1e-10).value
    assert not is_hermitian(a)
    assert outside(a, x, b) <= 1e-10


def test_convection_that_couples_the_directions():
    a = variable_convection(5, 16)
    b = ones(a.row_shape)
    assert outside(a, solve(a, b, accuracy=1e-7).value, b) <= 1e-7


def test_slow_but_steady_convergence_is_no_stagnation():
    a = quantics_poisson(8, 3)
    b = ones(a.row_shape)
    assert outside(a, solve(a, b, method=DMRG(), accuracy=1e-7).value, b) <= 1e-7


def test_dmrg_with_large_modes():
    a = convection_diffusion(4, 20)
    b = ones(a.row_shape)
    solution = solve(a, b, method=DMRG(), accuracy=1e-8)
    assert outside(a, solution.value, b) <= 1e-8
    assert solution.counts["matvecs"] <= 14 * solution.counts["local_solves"]


def test_complex_helmholtz():
    a = helmholtz(6, 24, 12.0, 40.0)
    b = ones(a.row_shape)
    x = solve(a, b, accuracy=1e-10).value
    assert x.dtype == np.complex128
    assert outside(a, x, b) <= 1e-10


def test_ill_conditioned_to_ten_digits():
    a = quantics_second_difference(8)  # condition number 2.7e4
    b = ones(a.row_shape)
    solution = solve(a, b, method=AMEn(), accuracy=1e-10)
    assert outside(a, solution.value, b) <= 1e-10
    exact = np.linalg.solve(a.full(), np.ones(2**8))
    assert np.linalg.norm(solution.value.full().ravel() - exact) <= 3e4 * 1e-10 * np.linalg.norm(exact)


def test_ill_conditioned_in_three_dimensions():
    a = quantics_poisson(8, 3)  # condition number 2.7e4
    b = ones(a.row_shape)
    assert outside(a, solve(a, b, method=AMEn(), accuracy=1e-10).value, b) <= 1e-10


def test_the_work_grows_linearly_with_the_dimension():
    counts = {d: solve(laplacian(d, 16), ones([16] * d), method=AMEn(), accuracy=1e-6).counts for d in (6, 12, 24)}
    assert counts[24]["matvecs"] <= 2.6 * counts[12]["matvecs"]
    assert counts[24]["sweeps"] <= counts[6]["sweeps"] + 3


def test_a_good_start_is_used():
    a, b = laplacian(4, 10), ones([10] * 4)
    x = solve(a, b, accuracy=1e-9).value
    again = solve(a, b, start=x, accuracy=1e-8)
    assert again.counts["sweeps"] == 0 and again.value is x
    rough = solve(a, b, accuracy=1e-3).value
    from_b = solve(a, b, start=b, accuracy=1e-8)
    assert solve(a, b, start=rough, accuracy=1e-8).counts["sweeps"] < from_b.counts["sweeps"]


def test_rank_limit_is_said():
    a, b = laplacian(6, 16), ones([16] * 6)
    for method in (AMEn(max_rank=2), DMRG(max_rank=2), ALS(rank=2)):
        solution = solve(a, b, method=method, accuracy=1e-8, throw=False)
        assert solution.status is Status.RANK_LIMIT
        assert solution.n_converged == 0
        assert max(solution.value.ranks) <= 2
        assert solution.residual[0] == pytest.approx(outside(a, solution.value, b), rel=1e-6)
    with pytest.raises(NotConverged, match="raise max_rank") as caught:
        solve(a, b, method=AMEn(max_rank=2), accuracy=1e-8)
    assert caught.value.solution.value.shape == b.shape


def test_sweep_limit_is_said():
    solution = solve(laplacian(5, 16), ones([16] * 5), method=AMEn(sweeps=1), accuracy=1e-9, throw=False)
    assert solution.status is Status.ITERATION_LIMIT


def test_singular_operator():
    n = 6
    neumann = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    neumann[0, 0] = neumann[-1, -1] = 1.0
    a = kronecker_sum([neumann] * 3)
    b = ones(a.row_shape)  # not in the range
    with pytest.raises((ValueError, NotConverged), match="singular"):
        solve(a, b, accuracy=1e-6)
    with pytest.raises((ValueError, NotConverged), match="singular"):
        solve(a * 0.0, b)


def test_zero_right_hand_side():
    b = ones((4, 4)) * 0.0
    solution = solve(identity_operator((4, 4)), b)
    assert solution.converged and solution.value.norm() == 0.0


def test_one_core_and_scales():
    a = kronecker_sum([np.diag([1.0, 2.0, 4.0])])
    b = TensorTrain((np.array([1.0, 1.0, 1.0]).reshape(1, 3, 1),))
    np.testing.assert_allclose(solve(a, b, accuracy=1e-12).value.full(), [1.0, 0.5, 0.25], rtol=1e-11)
    a, b = laplacian(4, 8) * 1e-30, ones([8] * 4) * 1e40
    assert outside(a, solve(a, b, accuracy=1e-8).value, b) <= 1e-8


def test_reproducible():
    a, b = laplacian(5, 12), ones([12] * 5)
    first, second = (solve(a, b, method=AMEn(), rng=np.random.default_rng(3)).value for _ in range(2))
    assert all(np.array_equal(p, q) for p, q in zip(first.cores, second.cores))


def test_callback_and_history():
    seen = []
    solution = solve(laplacian(4, 8), ones([8] * 4), method=AMEn(), callback=seen.append)
    assert tuple(seen) == solution.history
    assert [state.step for state in seen] == list(range(1, len(seen) + 1))


@pytest.mark.parametrize("accuracy", [0.0, 1.0, -1e-3, float("nan")])
def test_bad_accuracy(accuracy):
    with pytest.raises(ValueError, match="accuracy"):
        solve(laplacian(2, 4), ones((4, 4)), accuracy=accuracy)


def test_bad_shapes():
    a = laplacian(2, 4)
    with pytest.raises(ValueError, match="right-hand side"):
        solve(a, ones((4, 5)))
    with pytest.raises(ValueError, match="start"):
        solve(a, ones((4, 4)), start=ones((4, 5)))


@pytest.mark.parametrize(
    "make", [lambda: AMEn(enrichment=0), lambda: ALS(rank=0), lambda: DMRG(sweeps=0), lambda: LocalSolver(side="top")]
)
def test_impossible_methods(make):
    with pytest.raises(ValueError, match="give"):
        make()
