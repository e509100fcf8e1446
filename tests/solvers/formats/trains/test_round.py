"""Rounding: the guaranteed error, exact ranks found again, quasi-optimality, and the edge cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import centre_defect, close, shapes, trains_of

from solvers.formats.trains.construct import ones, random_train, rank_one, tt_svd
from solvers.formats.trains.tensor_train import TensorTrain, dot

few = settings(max_examples=60, deadline=None, derandomize=True)


def best_errors(array):
    """For each cut, the 2-norm of the singular values of the unfolding beyond each rank."""
    errors = []
    for k in range(1, array.ndim):
        s = np.linalg.svd(array.reshape(int(np.prod(array.shape[:k])), -1), compute_uv=False)
        errors.append(np.append(np.sqrt(np.cumsum(s[::-1] ** 2))[::-1], 0.0))
    return errors


@few
@given(shapes().flatmap(trains_of), st.floats(1e-12, 0.9), st.data())
def test_error_is_within_tol_and_reported_truly(x, tol, data):
    centre = data.draw(st.sampled_from([None, *range(x.d)]))
    if centre is not None:
        x = x.orthogonalise(centre)
    y, error = x.round_with_error(tol)
    made = np.linalg.norm(x.full() - y.full()) / x.norm()
    assert made <= tol + 1e-13
    assert made == pytest.approx(error, abs=1e-13)
    assert all(s <= r for r, s in zip(x.ranks, y.ranks))
    assert centre_defect(y) < 1e-12
    assert y.centre == (x.d - 1 if centre is None or 2 * centre <= x.d - 1 else 0)


@few
@given(shapes().flatmap(trains_of), st.integers(1, 3))
def test_maximal_rank_is_quasi_optimal(x, rank):
    y, error = x.round_with_error(0.0, max_rank=rank)
    assert y.max_rank <= rank
    tails = [e[min(rank, len(e) - 1)] for e in best_errors(x.full())]
    made = np.linalg.norm(x.full() - y.full())
    assert made <= np.sqrt(np.sum(np.square(tails))) + 1e-13 * x.norm()
    assert made >= max([0.0, *tails]) - 1e-13 * x.norm()
    assert made == pytest.approx(error * x.norm(), abs=1e-13 * x.norm())


@few
@given(shapes().flatmap(trains_of))
def test_a_plus_a_rounds_back_to_the_ranks_of_a(x):
    exact = tuple(
        np.linalg.matrix_rank(x.full().reshape(int(np.prod(x.shape[:k])), -1), tol=1e-11 * x.norm())
        for k in range(1, x.d)
    )
    y = (x + x).round(1e-11)
    assert y.ranks[1:-1] == tuple(max(1, r) for r in exact)
    assert close(y.full(), 2 * x.full(), 10 * x.norm())


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_sum_of_large_trains_rounds_back(dtype):
    x = random_train((10,) * 12, 20, np.random.default_rng(3), dtype)
    y = (2.0 * x + x).round(1e-12)
    assert y.ranks == x.ranks
    assert (y - 3.0 * x).norm() < 1e-12 * y.norm()


@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-5])
def test_redundant_trains_are_truncated_as_the_plain_one(tol):
    # interfaces with rows of sizes 1 to 1e-6, doubled: compressed to half before anything is truncated
    x = random_train((8,) * 6, 25, np.random.default_rng(11))
    decayed = [x.cores[0]]
    for core in x.cores[1:]:
        decayed.append(core * 10.0 ** -np.linspace(0.0, 6.0, core.shape[0])[:, None, None])
    x = TensorTrain(tuple(decayed))
    plain, plain_error = x.round_with_error(tol)
    y, error = (x + x).round_with_error(tol)
    assert y.ranks == plain.ranks
    assert 1 < y.max_rank < 25
    assert error == pytest.approx(plain_error, rel=1e-8)
    assert (y - 2.0 * x).norm() == pytest.approx(error * 2.0 * x.norm(), rel=1e-8)
    assert error <= tol


@pytest.mark.parametrize("size", [1e-3, 1e-6])
def test_a_small_difference_keeps_its_accuracy(size):
    rng = np.random.default_rng(4)
    x, e = random_train((5,) * 8, 12, rng), random_train((5,) * 8, 3, rng)
    difference = (x + (size / e.norm()) * e - x).round(1e-7)
    assert difference.ranks == e.ranks
    assert (difference - (size / e.norm()) * e).norm() < 2e-7 * size


def test_rows_of_very_different_size_survive():
    # the last interface has rows of sizes 1 to 1e-18, but the first core weighs them alike
    rng = np.random.default_rng(5)
    a, b = rng.standard_normal((40, 30)), rng.standard_normal((30, 40))
    weights = 10.0 ** np.linspace(0.0, -18.0, 30)
    y = TensorTrain(((a / weights)[None], (b * weights[:, None])[:, :, None])).round(1e-10)
    assert y.ranks == (1, 30, 1)
    assert np.abs(y.full() - a @ b).max() < 1e-12


def test_hadamard_square_of_a_sine_rounds_to_rank_three():
    x = np.arange(2**14) / 2**14
    sine = tt_svd(np.sin(7.3 * x).reshape((2,) * 14), 1e-12)
    assert sine.ranks[1:-1] == (2,) * 13
    square = sine * sine
    assert square.max_rank == 4
    rounded = square.round(1e-10)
    assert rounded.ranks[1:-1] == (2, *(3,) * 11, 2)
    assert np.abs(rounded.full().ravel() - np.sin(7.3 * x) ** 2).max() < 1e-8


def test_unspent_budget_is_passed_on_and_the_bound_still_holds():
    rng = np.random.default_rng(6)
    decays = [np.diag(0.3 ** np.arange(6)) for _ in range(5)]
    cores = [random_train((6,) * 6, 6, rng).cores[k] for k in range(6)]
    cores = [np.tensordot(c, m, axes=(2, 0)) for c, m in zip(cores[:-1], decays)] + [cores[-1]]
    x = TensorTrain(tuple(cores))
    for tol in (1e-1, 1e-2, 1e-3):
        y = x.round(tol)
        paper = tt_svd(x.full(), tol)  # the uniform budget
        assert (x - y).norm() <= tol * x.norm()
        assert y.size <= paper.size


def test_edge_cases():
    zero = 0.0 * random_train((3, 4, 5), 3, np.random.default_rng(7))
    for x in (zero, zero.orthogonalise(1)):
        y, error = x.round_with_error(1e-3)
        assert (y.ranks, y.norm(), error) == ((1, 1, 1, 1), 0.0, 0.0)
    assert zero.round(0.0).norm() == 0.0
    vector = rank_one([np.arange(3.0)])
    assert np.array_equal(vector.round(0.5).full(), np.arange(3.0))
    product = rank_one([np.arange(1.0, 4.0), np.array([1.0, 2j]), np.ones(5)])
    assert product.round(0.0).ranks == product.ranks
    assert close(product.round(1e-3, max_rank=1).full(), product.full())
    x = random_train((3, 4, 5), 3, np.random.default_rng(8))
    assert close(x.round(0.0).full(), x.full())
    assert x.round(0.0).ranks == x.ranks
    assert (x.round(0.5, max_rank=1) - x).norm() < x.norm()


def test_modes_of_size_one_and_ranks_above_the_possible():
    x = random_train((1, 3, 1, 2, 1), [1, 5, 7, 6, 4, 1], np.random.default_rng(9), np.complex128)
    y = x.round(1e-13)
    assert y.ranks == (1, 1, 2, 2, 1, 1)  # at most 2 to either side of any cut
    assert close(y.full(), x.full())
    assert close(x.round(0.0).full(), x.full())


@pytest.mark.parametrize(("tol", "rank"), [(-1e-3, None), (1.0, None), (np.nan, None), (0.1, 0), (0.1, 2.5)])
def test_bad_tolerances_and_ranks_are_refused(tol, rank):
    with pytest.raises(ValueError, match=r"tol|max_rank"):
        ones((2, 2)).round(tol, rank)


def test_rounding_projects_orthogonally():
    x = random_train((4,) * 6, 10, np.random.default_rng(10), np.complex128)
    y = x.round(0.0, max_rank=4)
    assert abs(dot(x - y, y)) < 1e-13 * x.norm() ** 2


def test_ranks_may_be_given_bond_by_bond():
    """Either way round, from either centre: the same ranks, and an error within sqrt(d-1) of the least."""
    x = random_train((4, 5, 6, 3), 12, np.random.default_rng(8))
    caps = (1, 2, 7, 3, 1)
    least = np.sqrt(sum((s[cap:] ** 2).sum() for s, cap in zip(x.singular_values(), caps[1:])))
    assert x.round(0.0, max_rank=np.array(caps)).ranks == caps
    for centre in (0, 3):
        y, error = x.orthogonalise(centre).round_with_error(0.0, max_rank=caps)
        assert y.ranks == caps and error * x.norm() <= least * (1 + 1e-12)
        assert abs((x - y).norm() - error * x.norm()) < 1e-12
    with pytest.raises(ValueError, match="max_rank must be one number or 5 ranks, the outer ones 1"):
        x.round(0.0, max_rank=[1, 2, 1])
