"""Several axes: bits and indices, Kronecker products and sums, exact compression, exchanges of bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.quantics.axes import deparallelised, kron, kronecker_sum, on_axis, permuted, reordered, split_axes
from solvers.formats.quantics.bits import from_bits, layout, to_bits
from solvers.formats.quantics.functions import polynomial, sampled, sine
from solvers.formats.quantics.operators import laplacian, shift
from solvers.formats.trains.construct import ones, operator_tt_svd, random_train, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

few = settings(max_examples=30, deadline=None, derandomize=True)
ORDERS = st.sampled_from(["sequential", "interleaved"])


def grid_array(train, levels, order):
    """The dense array over the grid (2^L_1, 2^L_2, ...)."""
    places = layout(levels, order)
    array = train.full()
    return array.transpose([places.index(place) for place in layout(levels)]).reshape([2**n for n in levels])


def grid_matrix(operator, levels, order):
    """The dense matrix over grid points in C order."""
    places = layout(levels, order)
    d = len(places)
    axes = [places.index(place) for place in layout(levels)]
    array = operator.full().reshape((2,) * (2 * d)).transpose([*axes, *(d + k for k in axes)])
    return array.reshape(2**d, -1)


@few
@given(st.lists(st.integers(1, 20), min_size=1, max_size=3), ORDERS, st.integers(0, 10**6))
def test_indices_and_bits(levels, order, seed):
    if order == "interleaved":
        levels = [levels[0]] * len(levels)
    index = np.random.default_rng(seed).integers(0, 2 ** np.array(levels), (7, len(levels)))
    bits = to_bits(index, levels, order)
    assert np.array_equal(from_bits(bits, levels, order), index)
    for row, digits in zip(index, bits):
        words = {axis: "" for axis in range(len(levels))}
        for digit, (axis, _) in zip(digits, layout(levels, order)):
            words[axis] += str(digit)
        assert [words[axis] for axis in words] == [format(i, f"0{n}b") for i, n in zip(row, levels)]


def test_bits_address_the_entries_of_the_grid():
    array = np.random.default_rng(0).standard_normal((8, 4))
    train = tt_svd(array.reshape((2,) * 5), 0.0)
    index = np.array([[0, 0], [7, 3], [5, 2], [2, 1]])
    np.testing.assert_allclose(train.entries(to_bits(index, [3, 2])), array[tuple(index.T)], atol=1e-14)


@few
@given(st.integers(1, 3), st.integers(1, 3), ORDERS, st.integers(0, 10**6))
def test_kron_of_vectors_and_operators(axes, levels, order, seed):
    rng = np.random.default_rng(seed)
    vectors = [random_train((2,) * levels, 3, rng) for _ in range(axes)]
    exact = vectors[0].full().reshape(-1)
    for vector in vectors[1:]:
        exact = np.multiply.outer(exact, vector.full().reshape(-1))
    np.testing.assert_allclose(grid_array(kron(vectors, order), [levels] * axes, order), exact, atol=1e-13)
    operators = [operator_tt_svd(rng.standard_normal((2,) * (2 * levels))) for _ in range(axes)]
    matrix = np.ones((1, 1))
    for operator in operators:
        matrix = np.kron(matrix, operator.full())
    product = grid_matrix(kron(operators, order), [levels] * axes, order)
    np.testing.assert_allclose(product, matrix, atol=1e-12 * np.abs(matrix).max())


@pytest.mark.parametrize("order", ["sequential", "interleaved"])
def test_on_axis(order):
    levels = [3, 3, 3]
    part = shift(3, 3)
    for axis in range(3):
        operator = on_axis(part, axis, levels, order)
        factors = [part.full() if k == axis else np.eye(8) for k in range(3)]
        assert np.array_equal(grid_matrix(operator, levels, order), np.kron(np.kron(*factors[:2]), factors[2]))
        assert operator.max_rank == part.max_rank
        vector = on_axis(polynomial(3, [0.0, 1.0]), axis, levels, order)
        np.testing.assert_allclose(grid_array(vector, levels, order), np.indices((8, 8, 8))[axis], atol=1e-13)
    unequal = on_axis(sine(3), 1, [2, 3, 1])
    np.testing.assert_allclose(unequal.full().reshape(4, 8, 2)[3, :, 1], np.sin(np.arange(8)), atol=1e-13)


@pytest.mark.parametrize("order", ["sequential", "interleaved"])
@pytest.mark.parametrize("ends", [("dirichlet", "dirichlet"), ("face", "face"), ("neumann", "face")])
def test_laplacian_in_three_dimensions(order, ends):
    levels = [2, 2, 2]
    one = laplacian(2, 0.5, *ends)
    total = kronecker_sum([one] * 3, order)
    a, unit = one.full(), np.eye(4)
    exact = np.kron(np.kron(a, unit), unit) + np.kron(np.kron(unit, a), unit) + np.kron(np.kron(unit, unit), a)
    assert np.array_equal(grid_matrix(total, levels, order), exact)


def test_ranks_of_the_laplacian_in_three_dimensions():
    """3 within the first axis, 4 within the others, 2 between: Kazeev and Khoromskij."""
    assert kronecker_sum([laplacian(8)] * 3).ranks == (1, *(3,) * 7, 2, *(4,) * 7, 2, *(4,) * 7, 1)
    assert kronecker_sum([laplacian(8, 1.0, "face", "face")] * 3).max_rank == 6
    assert kronecker_sum([laplacian(8)] * 3, "interleaved").max_rank == 7
    assert kronecker_sum([laplacian(5), laplacian(3, 2.0)]).ranks == (1, 3, 3, 3, 3, 2, 4, 4, 1)


def test_kronecker_sum_of_vectors():
    parts = [polynomial(4, [0.0, 0.0, 1.0], -1.0, 0.1 + 0.05 * k) for k in range(3)]
    x = [(-1.0 + (0.1 + 0.05 * k) * np.arange(16)) ** 2 for k in range(3)]
    total = kronecker_sum(parts)
    exact = x[0][:, None, None] + x[1][:, None] + x[2]
    np.testing.assert_allclose(total.full().reshape(16, 16, 16), exact, atol=1e-12)


@few
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 10**6), st.booleans())
def test_compression_without_parallel_slices_is_exact(shape, rank, seed, turned):
    rng = np.random.default_rng(seed)
    x = random_train(shape, rank, rng, np.complex128 if turned else np.float64)
    y = deparallelised(x + x * -0.5 + x * 0.0)
    assert y.max_rank <= x.max_rank
    np.testing.assert_allclose(y.full(), 0.5 * x.full(), atol=1e-13)


def test_compression_keeps_zeros_and_operators():
    a = laplacian(4, 0.3)
    b = deparallelised(a + a)
    assert b.ranks == a.ranks
    assert np.array_equal(b.full() == 0.0, a.full() == 0.0)
    zero = deparallelised(a - a)
    assert zero.norm() == 0.0 and zero.shape == a.shape


@few
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(0, 10**6), st.booleans())
def test_reordering_there_and_back(axes, levels, rank, seed, turned):
    rng = np.random.default_rng(seed)
    grid = [levels] * axes
    x = random_train((2,) * (axes * levels), rank, rng, np.complex128 if turned else np.float64)
    y = reordered(x, grid, "interleaved")
    np.testing.assert_allclose(grid_array(y, grid, "interleaved"), grid_array(x, grid, "sequential"), atol=1e-12)
    assert (reordered(y, grid, "sequential") - x).norm() <= 1e-12 * x.norm()


@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_reordering_within_tol(tol):
    index = np.indices((32, 32, 32)) + 1.0
    array = 1.0 / np.sqrt((index**2).sum(axis=0))
    x = tt_svd(array.reshape((2,) * 15), 1e-13)
    y = reordered(x, [5, 5, 5], "interleaved", tol)
    error = np.linalg.norm(grid_array(y, [5, 5, 5], "interleaved") - array) / np.linalg.norm(array)
    assert error <= tol
    exact = array.reshape((2,) * 15).transpose([axis * 5 + bit for axis, bit in layout([5] * 3, "interleaved")])
    assert y.max_rank <= 1.3 * tt_svd(exact, tol).max_rank


def test_reordering_an_operator():
    one = laplacian(3, 0.5, "face", "neumann")
    total = reordered(kronecker_sum([one] * 2), [3, 3], "interleaved")
    other = kronecker_sum([one] * 2, "interleaved")
    assert (total - other).norm() <= 1e-12 * other.norm()


@few
@given(st.permutations(range(5)), st.integers(0, 10**6))
def test_permutations(targets, seed):
    x = random_train((2, 3, 1, 2, 4), 3, np.random.default_rng(seed))
    y = permuted(x, targets)
    np.testing.assert_allclose(y.full(), x.full().transpose(np.argsort(targets)), atol=1e-12)


@few
@given(
    st.lists(st.sampled_from([2, 4, 8]), min_size=1, max_size=3),
    st.integers(1, 5),
    st.integers(0, 10**6),
    st.booleans(),
    st.sampled_from([0.0, 1e-12, 1e-2, 0.4]),
)
def test_long_modes_are_split_within_tol(shape, rank, seed, turned, tol):
    x = random_train(shape, rank, np.random.default_rng(seed), np.complex128 if turned else np.float64)
    y = split_axes(x, tol)
    assert y.shape == (2,) * sum(n.bit_length() - 1 for n in shape)
    error = np.linalg.norm(y.full().reshape(shape) - x.full())
    assert error <= (tol + 1e-13) * x.norm()
    assert centre_is_first(y)


def centre_is_first(train):
    """All cores after the first right-orthogonal, as the train says."""
    flat = [core.reshape(core.shape[0], -1) for core in train.cores[1:]]
    return train.centre == 0 and all(np.allclose(c @ c.conj().T, np.eye(len(c)), atol=1e-12) for c in flat)


def test_splitting_finds_the_ranks_of_tt_svd():
    array = 1.0 / (1.0 + np.add.outer(np.arange(64.0), np.arange(32.0)))
    y = split_axes(tt_svd(array, 1e-14), 1e-6)
    best = tt_svd(array.reshape((2,) * 11), 1e-6)
    assert max(abs(p - q) for p, q in zip(y.ranks, best.ranks)) <= 1


X = sampled(np.arange(8.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layout([]), "axis"),
        (lambda: layout([3, 0]), "levels"),
        (lambda: layout([3, 2], "interleaved"), "equal levels"),
        (lambda: layout([3], "mixed"), "order"),
        (lambda: to_bits(np.array([0]), [3]), "indices"),
        (lambda: to_bits(np.array([[0.5]]), [3]), "indices"),
        (lambda: from_bits(np.array([[0, 2, 0]]), [3]), "bits"),
        (lambda: kron([]), "kron"),
        (lambda: kron([X, shift(3)]), "kron"),
        (lambda: on_axis(X, 1, [3]), "axis"),
        (lambda: on_axis(X, 0, [2, 3]), "axis"),
        (lambda: kronecker_sum([]), "at least one"),
        (lambda: kronecker_sum([shift(2), shift(3)], "interleaved"), "equal levels"),
        (lambda: reordered(X, [2, 1], "interleaved"), "equal levels"),
        (lambda: reordered(X, [2, 2], "interleaved"), "modes"),
        (lambda: reordered(X, [1, 1, 1], "reversed"), "order"),
        (lambda: split_axes(ones((4, 6))), "points"),
        (lambda: split_axes(ones((4, 1))), "points"),
        (lambda: split_axes(X, 1.0), "tol"),
        (lambda: permuted(X, [0, 0, 1]), "permutation"),
        (lambda: permuted(X, [0, 2, 1], -1.0), "tol"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_an_index_outside_is_refused():
    for bad in (8, -1):
        with pytest.raises(IndexError, match="outside"):
            to_bits(np.array([[bad]]), [3])


def test_kinds_are_kept():
    assert isinstance(kron([X, X]), TensorTrain) and isinstance(kron([shift(2)] * 2), TTOperator)
    assert isinstance(permuted(shift(3), [2, 1, 0]), TTOperator)
