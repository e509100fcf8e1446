"""Compressed products: the tolerance is met or the result says it is not."""

import numpy as np
import pytest
from linear_cases import laplacian, quantics_poisson, random_definite

from solvers import checkpoint
from solvers.formats.trains.construct import outer, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.product import multiply
from solvers.solution import NotConverged, Status


def decaying_train(shape, rank, rng, decay=0.5):
    """A train with geometrically decaying singular values."""
    x = random_train(shape, rank, rng)
    cores = [core * decay ** np.arange(core.shape[2]) for core in x.cores[:-1]]
    return TensorTrain((*cores, x.cores[-1]))


@pytest.mark.parametrize("tol", [1e-2, 1e-6, 1e-10])
def test_operator_times_train(tol):
    rng = np.random.default_rng(0)
    a, x = laplacian(6, 10), decaying_train([10] * 6, 40, rng)
    solution = multiply(a, x, tol=tol)
    exact = a @ x
    error = (solution.value - exact).norm() / exact.norm()
    assert solution.converged
    assert error <= tol
    assert error <= solution.residual[0] <= 5.0 * error + 1e-13
    assert max(solution.value.ranks) <= max(exact.round(0.3 * tol).ranks) + 1


def test_operator_times_operator():
    a = quantics_poisson(5, 2)
    solution = multiply(a, a, tol=1e-9)
    assert solution.converged and isinstance(solution.value, TTOperator)
    np.testing.assert_allclose(solution.value.full(), a.full() @ a.full(), atol=1e-8 * 64.0)
    assert max(solution.value.ranks) <= max((a @ a).round(1e-10).ranks)


def test_complex():
    rng = np.random.default_rng(3)
    a = random_definite((4, 5, 4), 2, rng, np.complex128)
    x = random_train((4, 5, 4), 3, rng, np.complex128)
    np.testing.assert_allclose(multiply(a, x, tol=1e-10).value.full().ravel(), a.full() @ x.full().ravel(), atol=1e-8)


def test_a_cap_on_the_ranks_is_said():
    rng = np.random.default_rng(1)
    a, x = laplacian(5, 8), random_train([8] * 5, 30, rng)
    solution = multiply(a, x, tol=1e-6, max_rank=20)
    exact = a @ x
    error = (solution.value - exact).norm() / exact.norm()
    assert solution.status is Status.RANK_LIMIT and not solution.converged
    assert max(solution.value.ranks) <= 20
    assert 0.5 * error <= solution.residual[0] <= 2.5 * error


def test_zero_and_refusals():
    a = laplacian(3, 4)
    zero = random_train((4, 4, 4), 2, np.random.default_rng(0)) * 0.0
    assert multiply(a, zero).value.norm() == 0.0
    with pytest.raises(ValueError, match="tol"):
        multiply(a, zero, tol=0.0)
    with pytest.raises(ValueError, match="fit"):
        multiply(a, random_train((4, 4, 5), 2, np.random.default_rng(0)))


@pytest.mark.parametrize("after", [1, 2])
def test_it_is_stopped_and_goes_on_to_the_same_product(after, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)
    rng = np.random.default_rng(3)
    a, x = laplacian(6, 10), random_train([10] * 6, 20, rng)
    whole = multiply(a, x, tol=1e-10)
    assert len(whole.history) == whole.counts["sketches"] == 2

    def leave(state):
        if state.step == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        multiply(a, x, tol=1e-10, callback=leave, checkpoint=tmp_path / "y.npz")
    again = multiply(a, x, tol=1e-10, checkpoint=tmp_path / "y.npz")
    assert again.counts == whole.counts and again.status is whole.status
    assert (again.value - whole.value).norm() <= 1e-9 * whole.value.norm()


def test_what_misses_the_tolerance_is_raised_when_asked(tmp_path):
    rng = np.random.default_rng(3)
    with pytest.raises(NotConverged) as raised:
        multiply(laplacian(6, 10), random_train([10] * 6, 20, rng), tol=1e-10, max_rank=20, throw=True)
    assert raised.value.solution.status is Status.RANK_LIMIT


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_two_trains_are_multiplied_entry_by_entry(dtype):
    """As ``x * y``, with the ranks that it rounds to, and never of ranks multiplied: 60 x 60 here."""
    rng = np.random.default_rng(2)
    x, y = random_train((3, 1, 4, 5), 4, rng, dtype), random_train((3, 1, 4, 5), 3, rng, dtype)
    found = multiply(x, y, tol=1e-11)
    assert found.converged and (found.value - x * y).norm() < 1e-11 * (x * y).norm()
    a, b = random_train((2,) * 12, 3, rng, dtype), random_train((2,) * 12, 3, rng, dtype)
    wide = sum([a] * 19, a), sum([b] * 19, b)  # ranks 60 that are 3
    found = multiply(*wide, tol=1e-8)
    assert found.converged and found.value.max_rank == (a * b).round(1e-8).max_rank == 9
    assert (found.value - a * b * 400.0).norm() < 1e-8 * (a * b).norm() * 400.0
    assert multiply(x, x * 0.0).value.norm() == 0.0
    with pytest.raises(TypeError, match="a train is multiplied with a train"):
        multiply(x, outer(x, x))
    with pytest.raises(ValueError, match="do not fit modes"):
        multiply(x, a)
