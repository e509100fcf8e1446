"""Construction: TT-SVD bounds and closed-form ranks, random trains, rank-one and Kronecker forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import toeplitz
from train_strategies import DTYPES, centre_defect, close, shapes

from solvers.formats.trains.construct import (
    identity_operator,
    kronecker_sum,
    ones,
    operator_tt_svd,
    outer,
    random_operator,
    random_train,
    rank_one,
    rank_one_operator,
    tt_svd,
    unit,
    zeros,
)

few = settings(max_examples=60, deadline=None, derandomize=True)
N = 2**14
GRID = np.arange(N) / N


def qtt_rank(vector, tol=1e-12):
    """Largest rank of a vector on 2^L points, most significant bit first."""
    return tt_svd(np.asarray(vector).reshape((2,) * (len(vector).bit_length() - 1)), tol).max_rank


def qtt_operator(matrix, tol=1e-10):
    return operator_tt_svd(np.asarray(matrix).reshape((2,) * (2 * (len(matrix).bit_length() - 1))), tol)


@few
@given(shapes(), DTYPES, st.integers(0, 2**32 - 1), st.floats(0.0, 0.9))
def test_tt_svd_meets_the_error_bound(shape, dtype, seed, tol):
    rng = np.random.default_rng(seed)
    array = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype == np.complex128 else 0)
    x = tt_svd(array, tol)
    unfoldings = [array.reshape(int(np.prod(shape[:k])), -1) for k in range(1, len(shape))]
    spectra = [np.linalg.svd(u, compute_uv=False) for u in unfoldings]
    # error^2 <= sum over cuts of the best errors at the ranks taken, itself within tol^2
    best = sum(np.sum(s[r:] ** 2) for s, r in zip(spectra, x.ranks[1:-1]))
    made = np.linalg.norm(x.full() - array)
    size = np.linalg.norm(array)
    assert made <= np.sqrt(best) + 1e-13 * size
    assert made <= tol * size + 1e-13 * size
    assert (x.centre, x.dtype, x.shape) == (len(shape) - 1, dtype, shape)
    assert centre_defect(x) < 1e-13


@few
@given(shapes(), DTYPES, st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_tt_svd_ranks_are_those_of_the_unfoldings(shape, dtype, rank, seed):
    x = random_train(shape, rank, np.random.default_rng(seed), dtype)
    array = x.full()
    y = tt_svd(array, 1e-11)
    for k in range(1, len(shape)):
        unfolding = array.reshape(int(np.prod(shape[:k])), -1)
        assert y.ranks[k] == np.linalg.matrix_rank(unfolding, tol=1e-11 * x.norm())
    assert close(y.full(), array, 100 * x.norm())


@pytest.mark.parametrize(
    ("vector", "rank"),
    [
        (np.exp(GRID), 1),
        (np.sin(7.3 * GRID), 2),
        (np.polyval([1.0, -2.0, 0.5], GRID), 3),
        (np.polyval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], GRID), 6),
        (GRID * np.exp(-GRID) * np.sin(GRID), 4),
        (sum(np.sin((3.1 * m + 0.4) * GRID) for m in range(1, 4)), 6),
        (np.where(GRID >= 0.3, 1.0, 0.0), 2),
        (np.arange(N) == 777, 1),
        (np.random.default_rng(0).standard_normal(N), 2**7),
    ],
    ids=["exp", "sin", "quadratic", "quintic", "x exp sin", "3 sines", "Heaviside", "unit", "random"],
)
def test_qtt_ranks_of_vectors(vector, rank):
    assert qtt_rank(vector) == rank


def test_sine_of_whole_periods_has_rank_one_where_they_factor_out():
    # four periods: two bits choose the period, and the third only changes the sign
    x = tt_svd(np.sin(8 * np.pi * GRID).reshape((2,) * 14), 1e-12)
    assert x.ranks == (1, 1, 1, 1, *(2,) * 10, 1)


@pytest.mark.parametrize(
    ("vector", "ranks"),
    [
        (1.0 / (GRID + 1.0), (3, 4, 6)),
        (1.0 / (GRID + 0.1), (4, 6, 8)),
        (1.0 / (GRID + 1e-3), (4, 7, 9)),
        (np.sqrt(GRID), (4, 6, 8)),
        (np.sin(50.0 * GRID**2), (8, 11, 14)),
    ],
    ids=["1/(x+1)", "1/(x+0.1)", "1/(x+0.001)", "sqrt", "chirp"],
)
def test_qtt_ranks_by_accuracy(vector, ranks):
    assert tuple(qtt_rank(vector, tol) for tol in (1e-4, 1e-8, 1e-12)) == ranks


SIZE = 256
UP = np.eye(SIZE, k=1)
CYCLIC = np.roll(np.eye(SIZE), 1, axis=1)
DIRICHLET = 2 * np.eye(SIZE) - UP - UP.T
MIXED = DIRICHLET - np.diag(np.arange(SIZE) == SIZE - 1)
NEUMANN = MIXED - np.diag(np.arange(SIZE) == 0)


@pytest.mark.parametrize(
    ("matrix", "rank"),
    [
        (np.eye(SIZE), 1),
        (UP, 2),
        (CYCLIC, 2),
        (np.tril(np.ones((SIZE, SIZE))), 2),
        (DIRICHLET, 3),
        (MIXED, 4),
        (NEUMANN, 5),
        (2 * np.eye(SIZE) - CYCLIC - CYCLIC.T, 3),
        (np.linalg.inv(DIRICHLET), 5),
        (np.linalg.inv(MIXED), 4),
    ],
    ids=["1", "shift", "cyclic", "cumulative", "DD", "DN", "NN", "periodic", "DD inverse", "DN inverse"],
)
def test_qtt_ranks_of_matrices(matrix, rank):
    operator = qtt_operator(matrix)
    assert operator.max_rank == rank
    assert np.abs(operator.full() - matrix).max() < 1e-8 * np.linalg.norm(matrix)


@pytest.mark.parametrize(
    ("generator", "ranks"),
    [
        (lambda k: np.exp(k / SIZE), (1, 1)),
        (lambda k: np.exp(-5.0 * np.abs(k) / SIZE), (2, 3)),
        (lambda k: np.sin(0.05 * k), (2, 2)),
        (lambda k: 1.0 + k / SIZE + (k / SIZE) ** 2, (3, 3)),
        (lambda k: 1.0 / (np.abs(k) + 1.0), (10, 12)),
    ],
    ids=["exp", "exp|k|", "sin", "quadratic", "1/(|k|+1)"],
)
def test_toeplitz_matrices_have_at_most_twice_the_rank_of_their_generator(generator, ranks):
    k = np.arange(SIZE, dtype=float)
    matrix = toeplitz(generator(k), generator(-k))
    vector = generator(np.arange(-SIZE, SIZE, dtype=float))
    assert (qtt_rank(vector, 1e-10), qtt_operator(matrix).max_rank) == ranks
    assert ranks[1] <= 2 * ranks[0]


def test_odd_even_matricisation_bounds_the_canonical_rank():
    x = random_train((4,) * 6, 3, np.random.default_rng(1)).full()
    assert np.linalg.matrix_rank(x.transpose(0, 2, 4, 1, 3, 5).reshape(64, 64)) >= 3**3
    # the train of the chain of deltas attains min(n, r)^(d/2)
    n, pair = 3, np.eye(3)
    y = np.einsum("ab,cd,ef->abcdef", pair, pair, pair)
    z = tt_svd(y, 1e-12)
    assert z.ranks == (1, n, 1, n, 1, n, 1)
    assert np.linalg.matrix_rank(y.transpose(0, 2, 4, 1, 3, 5).reshape(27, 27)) == n**3


def test_operator_tt_svd_pairs_rows_with_columns():
    rng = np.random.default_rng(2)
    array = rng.standard_normal((2, 3, 4, 3, 1, 2)) + 1j * rng.standard_normal((2, 3, 4, 3, 1, 2))
    operator = operator_tt_svd(array, 1e-13)
    assert operator.shape == ((2, 3, 4), (3, 1, 2))
    assert close(operator.full(), array.reshape(24, 6), 10 * np.abs(array).max())
    with pytest.raises(ValueError, match="as many axes"):
        operator_tt_svd(np.ones((2, 2, 2)))


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_random_trains_are_seeded_scaled_and_capped(dtype):
    x = random_train((3,) * 6, 5, np.random.default_rng(3), dtype)
    again = random_train((3,) * 6, 5, np.random.default_rng(3), dtype)
    assert x.ranks == (1, 3, 5, 5, 5, 3, 1)
    assert x.dtype == dtype
    assert all(np.array_equal(p, q) for p, q in zip(x.cores, again.cores))
    rng = np.random.default_rng(4)
    squares = [random_train((4,) * 5, 6, rng, dtype).norm() ** 2 for _ in range(400)]
    assert np.mean(squares) == pytest.approx(1.0, abs=5 * np.std(squares) / 20)
    assert random_train((2, 2), [1, 7, 1], rng, dtype).ranks == (1, 7, 1)
    for bad in ([1, 2], [2, 2, 1], [1, 0, 1], 0):
        with pytest.raises(ValueError, match="ranks"):
            random_train((2, 2), bad, rng)
    with pytest.raises(ValueError, match="dtype"):
        random_train((2, 2), 1, rng, np.float32)


def test_rank_one_forms():
    a, b, c = np.arange(3.0), np.array([1.0, 2j]), np.arange(4)
    assert close(rank_one([a, b, c]).full(), np.einsum("i,j,k->ijk", a, b, c))
    assert np.array_equal(ones((2, 3)).full(), np.ones((2, 3)))
    with pytest.raises(ValueError, match="vectors"):
        rank_one([np.eye(2)])
    with pytest.raises(IndexError, match="outside"):
        unit((2, 2), (0, 2))
    with pytest.raises(ValueError, match="fit"):
        unit((2, 2), (0,))
    p, q = np.arange(6.0).reshape(2, 3), np.array([[1.0, 2.0]])
    product = rank_one_operator([p, q])
    assert close(product.full(), np.kron(p, q))
    assert product.factors is not None
    assert np.array_equal(identity_operator((2, 3)).full(), np.eye(6))
    with pytest.raises(ValueError, match="matrices"):
        rank_one_operator([np.ones(2)])


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (2, 3, 2, 2)])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_kronecker_sum_has_ranks_two(sizes, dtype):
    rng = np.random.default_rng(5)
    matrices = [rng.standard_normal((n, n)).astype(dtype) for n in sizes]
    if dtype == np.complex128:
        matrices = [m + 1j * rng.standard_normal(m.shape) for m in matrices]
    total = kronecker_sum(matrices)
    expected = np.zeros((int(np.prod(sizes)),) * 2, dtype=dtype)
    for k, matrix in enumerate(matrices):
        before, after = int(np.prod(sizes[:k])), int(np.prod(sizes[k + 1 :]))
        expected += np.kron(np.kron(np.eye(before), matrix), np.eye(after))
    assert total.ranks == (1, *(2,) * (len(sizes) - 1), 1)
    assert close(total.full(), expected)
    assert total.factors is not None
    with pytest.raises(ValueError, match="square"):
        kronecker_sum([np.ones((2, 3))])


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (np.array(1.0), ValueError),
        (np.zeros((0, 2)), ValueError),
        (np.array([[1.0, np.nan]]), ValueError),
        (np.array([[1.0, -np.inf]]), ValueError),
        (np.array([["a"]]), TypeError),
    ],
)
def test_tt_svd_refuses(array, error):
    with pytest.raises(error):
        tt_svd(array)


def test_tt_svd_of_zero_and_single_precision():
    assert tt_svd(np.zeros((2, 3, 4)), 1e-3).ranks == (1, 1, 1, 1)
    array = np.random.default_rng(6).standard_normal((3, 4, 5)).astype(np.float32)
    assert close(tt_svd(array, 0.0).full(), array.astype(float))  # worked in double precision
    with pytest.raises(ValueError, match="tol"):
        tt_svd(array, 1.0)


def test_tt_svd_with_ranks_given():
    """One number or the d+1 largest ranks; the error is within sqrt(d-1) of the least, 0 for a fitting list."""
    rng = np.random.default_rng(5)
    array = rng.standard_normal((4, 5, 6, 3))
    assert tt_svd(array, 0.0, max_rank=3).ranks == (1, 3, 3, 3, 1)
    assert tt_svd(array, 0.0, max_rank=[1, 2, 7, 3, 1]).ranks == (1, 2, 7, 3, 1)
    x = random_train((4, 5, 6, 3), [1, 2, 5, 3, 1], rng)
    found = tt_svd(x.full(), 0.0, max_rank=x.ranks)
    assert found.ranks == x.ranks and close(found.full(), x.full())
    least = np.sqrt(sum((s[2:] ** 2).sum() for s in tt_svd(array, 0.0).singular_values()))
    assert np.linalg.norm(tt_svd(array, 0.0, max_rank=2).full() - array) <= least
    a = operator_tt_svd(rng.standard_normal((2, 3, 2, 3)), 0.0, max_rank=2)
    assert a.ranks == (1, 2, 1)
    for bad in ([1, 2, 1], [1, 0, 2, 2, 1], 0, 2.5):
        with pytest.raises(ValueError, match="max_rank must be"):
            tt_svd(array, max_rank=bad)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_outer_products_random_operators_and_zeros(dtype):
    rng = np.random.default_rng(6)
    x, y = random_train((3, 1, 4), 2, rng, dtype), random_train((2, 5, 2), 3, rng, dtype)
    a = outer(x, y)
    assert a.shape == ((3, 1, 4), (2, 5, 2)) and a.ranks == (1, 4, 4, 1)
    assert close(a.full(), np.outer(x.full(), y.full()))
    projector = outer(x, x.conj()) / x.norm() ** 2
    assert close((projector @ projector).full(), projector.full()) and close((projector @ x).full(), x.full())
    with pytest.raises(ValueError, match="trains of 3 and 2 modes make no operator"):
        outer(x, random_train((2, 2), 1, rng))
    b = random_operator((3, 20, 30), (20, 3, 30), 12, rng, dtype)
    assert b.ranks == (1, 12, 12, 1) and b.dtype == dtype and b.norm() == pytest.approx(1.0, abs=0.1)
    with pytest.raises(ValueError, match="do not fit modes"):
        random_operator((3, 2), (2,), 2, rng)
    assert zeros((3, 2)).norm() == 0.0 and zeros((3, 2)).shape == (3, 2)
