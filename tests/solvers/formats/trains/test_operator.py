"""The algebra of operators against dense matrices, exactly, and the factors of their cores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train_strategies import close, operators_of, shapes, trains_of

from solvers.formats.trains.construct import (
    identity_operator,
    kronecker_sum,
    ones,
    random_operator,
    random_train,
    rank_one_operator,
    unit,
)
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

few = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def chains(draw):
    """Two operators that can be multiplied, one of the shape of the first, and a train for the second."""
    inner = draw(shapes().filter(lambda shape: len(shape) <= 4))
    rows, columns = (tuple(draw(st.integers(1, 3)) for _ in inner) for _ in range(2))
    a, c = draw(operators_of(rows, inner)), draw(operators_of(rows, inner))
    return a, draw(operators_of(inner, columns)), c, draw(trains_of(columns))


def reassembled(coefficients, matrices):
    return np.einsum("pab,pij->aijb", coefficients, matrices)


@few
@given(chains(), st.sampled_from([2.5, -1, 1.5 - 2j]))
def test_algebra_matches_dense(chain, scalar):
    a, b, c, x = chain
    A, B, C, v = a.full(), b.full(), c.full(), x.full().ravel()
    size = a.norm() * b.norm()
    assert close((a @ b).full(), A @ B, size)
    assert (a @ b).ranks == tuple(r * s for r, s in zip(a.ranks, b.ranks))
    assert close((b @ x).full().ravel(), B @ v, b.norm() * x.norm())
    assert (b @ x).ranks == tuple(r * s for r, s in zip(b.ranks, x.ranks))
    assert (b @ x).shape == b.row_shape
    assert close((a + c).full(), A + C, a.norm() + c.norm())
    assert close((a - c).full(), A - C, a.norm() + c.norm())
    assert close((scalar * a).full(), scalar * A)
    assert close((-a).full(), -A)
    assert close(a.T.full(), A.T)
    assert close(a.conj().full(), A.conj())
    assert close(a.adjoint().full(), A.conj().T)
    assert a.norm() == pytest.approx(np.linalg.norm(A), rel=1e-13)


@few
@given(chains(), st.sampled_from([1e-10, 0.1, 0.3, 0.6]))
def test_rounding_is_within_tol(chain, tol):
    a, c = chain[0], chain[2]
    for sum_of_two, size in ((a + a, a.norm()), (a + c, a.norm() + c.norm())):
        b = sum_of_two.round(tol)
        assert b.shape == a.shape
        assert np.linalg.norm(b.full() - sum_of_two.full()) <= tol * sum_of_two.norm() + 1e-13 * size
    assert all(s <= r for r, s in zip(a.ranks, (a + a).round(1e-11).ranks))
    assert (a + a).round(0.0, max_rank=1).max_rank == 1


def test_rounding_finds_the_ranks_of_a_kronecker_sum():
    rng = np.random.default_rng(0)
    matrices = [rng.standard_normal((3, 3)) for _ in range(5)]
    h = kronecker_sum(matrices)
    twice = h + h - 0.5 * h
    assert twice.round(1e-12).ranks == h.ranks
    # the square of a Kronecker sum: sum A_k^2 + 2 sum_{j<k} A_j A_k has ranks 3
    assert (h @ h).round(1e-12).ranks == (1, 3, 3, 3, 3, 1)


@few
@given(chains())
def test_factors_reassemble_the_cores(chain):
    a = chain[0]
    for k in range(a.d):
        coefficients, matrices = a.factors_at(k)
        core = a.cores[k]
        assert close(reassembled(coefficients, matrices), core, 100 * np.abs(core).max())
        unfolding = core.transpose(0, 3, 1, 2).reshape(core.shape[0] * core.shape[3], -1)
        assert len(matrices) == np.linalg.matrix_rank(unfolding)


def test_factors_are_the_cores_own_blocks_and_few():
    rng = np.random.default_rng(1)
    h = kronecker_sum([rng.standard_normal((4, 4)) for _ in range(4)])
    plain = TTOperator(h.cores)
    assert plain.factors is None
    for k in range(h.d):
        coefficients, matrices = plain.factors_at(k)
        assert len(matrices) == 2
        given_ones = [h.factors_at(k)[1][p] for p in range(2)]
        for matrix in matrices:
            assert any(np.array_equal(matrix, own) for own in given_ones)
        assert close(reassembled(coefficients, matrices), h.cores[k])


def test_factors_where_interpolation_would_be_ill_conditioned():
    # Kahan's matrix and one column more: pivots in order, and weights up to (1 + c)^34 c for that column
    n, angle = 36, 1.1
    s, c = np.sin(angle), np.cos(angle)
    kahan = np.diag(s ** np.arange(n)) @ (np.eye(n) - c * np.triu(np.ones((n, n)), 1))
    kahan *= 1.0 - 1e-8 * np.arange(n)  # so that rounding does not choose the pivots
    last = 0.9 * c * s ** np.arange(n)
    assert np.abs(np.linalg.solve(kahan, last)).max() > 1e4
    core = np.column_stack([kahan, last]).T.reshape(n + 1, 6, 6, 1)
    a = TTOperator((np.ones((1, 1, 1, n + 1)), core))
    coefficients, matrices = a.factors_at(1)
    assert close(reassembled(coefficients, matrices), core, 10.0)
    assert np.abs(coefficients).max() < 10.0
    assert np.allclose(np.einsum("pij,qij->pq", matrices, matrices), np.eye(n), atol=1e-13)


def test_factors_of_a_zero_core_and_small_blocks():
    zero = 0.0 * identity_operator((2, 3))
    coefficients, matrices = TTOperator(zero.cores).factors_at(0)
    assert (coefficients.shape, matrices.shape) == ((1, 1, 1), (1, 2, 2))
    assert not reassembled(coefficients, matrices).any()
    small = TTOperator(tuple(1e-200 * core for core in identity_operator((2, 3)).cores))
    assert np.array_equal(reassembled(*small.factors_at(0)), small.cores[0])


def test_factors_are_carried_by_scaling_and_transposition():
    rng = np.random.default_rng(2)
    h = kronecker_sum([rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3)) for _ in range(3)])
    for a in (2j * h, h.T, h.adjoint(), -h, h.conj()):
        assert a.factors is not None
        for k in range(3):
            assert close(reassembled(*a.factors[k]), a.cores[k])
    assert (h + h).factors is None
    assert (h @ h).factors is None


def test_wrong_factors_are_refused():
    h = kronecker_sum([np.diag([1.0, 2.0]), np.diag([3.0, 4.0])])
    (c, m), last = h.factors
    with pytest.raises(ValueError, match="do not give the core"):
        TTOperator(h.cores, ((c, m * 1.001), last))
    with pytest.raises(ValueError, match="do not fit"):
        TTOperator(h.cores, ((c[:1], m), last))
    with pytest.raises(ValueError, match="1 factors given for 2"):
        TTOperator(h.cores, ((c, m),))
    with pytest.raises(ValueError, match="NaN"):
        TTOperator(h.cores, ((c * np.nan, m), last))


def test_properties_and_refusals():
    a = rank_one_operator([np.ones((2, 3)), np.ones((4, 5))])
    assert (a.d, a.shape, a.ranks, a.max_rank, a.size) == (2, ((2, 4), (3, 5)), (1, 1, 1), 1, 26)
    assert all(not core.flags.writeable for core in a.cores)
    x = random_train((3, 4), 2, np.random.default_rng(3))
    for act in (lambda: a @ x, lambda: a @ a, lambda: a + a.T):
        with pytest.raises(ValueError, match="fit"):
            act()
    for act in (lambda: a @ np.ones(3), lambda: x @ a):
        with pytest.raises(ValueError, match="fit"):
            act()
    for act in (lambda: a + "1", lambda: a * None, lambda: a @ [1.0]):
        with pytest.raises(TypeError):
            act()
    with pytest.raises(ValueError, match="not finite"):
        a * np.nan
    with pytest.raises(ValueError, match="max_size"):
        identity_operator((10,) * 5).full()
    with pytest.raises(ValueError, match="axes"):
        TTOperator((np.ones((1, 2, 1)),))
    with pytest.raises(ValueError, match="tol"):
        a.round(-1.0)
    with pytest.raises(IndexError):
        a.factors_at(2)
    assert isinstance(a @ ones((3, 5)), TensorTrain)
    assert close((np.float64(2.0) * a).full(), 2 * a.full())


def test_product_with_a_train_is_exact_at_high_dimension():
    # one-mode sums act exactly on a product state: sum_k A_k on ones with A_k = diag(0, 1, 2)
    d = 40
    h = kronecker_sum([np.diag([0.0, 1.0, 2.0])] * d)
    y = h @ ones((3,) * d)
    index = np.random.default_rng(4).integers(0, 3, size=(20, d))
    assert np.allclose(y.entries(index), index.sum(axis=1), rtol=1e-14)


@few
@given(chains(), st.integers(0, 2**32 - 1))
def test_inner_is_the_product_between_two_trains(chain, seed):
    a, *_ = chain
    rng = np.random.default_rng(seed)
    x, y = (random_train(shape, 3, rng, np.complex128) for shape in a.shape)
    exact = np.vdot(x.full().ravel(), a.full() @ y.full().ravel())
    assert close(a.inner(x, y), exact, x.norm() * a.norm() * y.norm())


def test_inner_of_large_ranks_never_forms_the_product():
    """Ranks 100 x 40: cores of A x would take 256 MB each."""
    rng = np.random.default_rng(1)
    x, a = random_train((2,) * 14, 40, rng), random_operator((2,) * 14, (2,) * 14, 100, rng)
    one = identity_operator((2,) * 14)
    assert one.inner(x, x) == pytest.approx(x.norm() ** 2)
    shifted = (a + one).inner(x, x) - a.inner(x, x)
    assert shifted == pytest.approx(x.norm() ** 2)
    big = (one * 1e300) * 1e300
    with pytest.raises(ValueError, match="the inner product is about 1e600, an overflow"):
        big.inner(unit((2,) * 14, [0] * 14), unit((2,) * 14, [0] * 14))
    with pytest.raises(ValueError, match="do not fit rows and columns"):
        a.inner(x, ones((2,) * 13))


@few
@given(chains())
def test_entries_of_an_operator(chain):
    a, *_ = chain
    rng = np.random.default_rng(0)
    i, j = (rng.integers(0, shape, (7, a.d)) for shape in a.shape)
    rows, columns = np.ravel_multi_index(i.T, a.row_shape), np.ravel_multi_index(j.T, a.column_shape)
    assert close(a.entries(i, j), a.full()[rows, columns], float(np.abs(a.full()).max()))


def test_entries_and_trains_that_do_not_fit():
    a = random_operator((2, 3), (3, 2), 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"must be integers of shape \(m, 2\), not \(1, 1\)"):
        a.entries(np.zeros((1, 1), int), np.zeros((1, 1), int))
    with pytest.raises(ValueError, match="must be integers"):
        a.entries(np.zeros((1, 2)), np.zeros((1, 2), int))
    with pytest.raises(IndexError, match="outside the operator"):
        a.entries(np.array([[0, 3]]), np.array([[0, 0]]))
    assert a.as_train().shape == (6, 6) and TTOperator.of_train(a.as_train(), *a.shape).shape == a.shape
    with pytest.raises(ValueError, match="do not fit modes"):
        TTOperator.of_train(a.as_train(), (2, 3), (3, 3))
