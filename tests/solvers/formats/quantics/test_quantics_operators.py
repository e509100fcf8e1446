"""Operators on one axis: exact against dense matrices, the closed-form ranks on 2^8 points, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import sampled, sine
from solvers.formats.quantics.operators import (
    cumulative_sum,
    cyclic_shift,
    diagonal,
    first_difference,
    identity,
    inverse_laplacian,
    laplacian,
    shift,
    tridiagonal,
)
from solvers.formats.trains.construct import ones, operator_tt_svd, random_train

few = settings(max_examples=40, deadline=None, derandomize=True)
SIZE, L = 256, 8
ENDS = ["dirichlet", "face", "neumann"]
FIRST = {"dirichlet": 2.0, "face": 3.0, "neumann": 1.0}  # the diagonal entry of an end


def dense_laplacian(n, step, left, right):
    matrix = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    if left == "periodic":
        matrix[0, -1] -= 1.0
        matrix[-1, 0] -= 1.0
    else:
        matrix[0, 0] += FIRST[left] - 2.0
        matrix[-1, -1] += FIRST[right] - 2.0
    return matrix / step**2


@few
@given(st.integers(1, 6), st.integers(-80, 80))
def test_shifts(levels, distance):
    n = 2**levels
    plain, cyclic = shift(levels, distance), cyclic_shift(levels, distance)
    assert np.array_equal(plain.full(), np.eye(n, k=-distance))
    assert np.array_equal(cyclic.full(), np.roll(np.eye(n), distance, axis=0))
    assert plain.max_rank <= 2 and cyclic.max_rank <= 2


def test_shifts_move_the_entries_of_a_vector():
    x = np.arange(1.0, 17.0)
    assert np.allclose((shift(4, 3) @ sampled(x)).full().reshape(-1), np.concatenate([np.zeros(3), x[:-3]]))
    assert np.allclose((cyclic_shift(4, -3) @ sampled(x)).full().reshape(-1), np.roll(x, -3))


def test_sums_and_differences():
    total, difference = cumulative_sum(6), first_difference(6)
    assert np.array_equal(total.full(), np.tril(np.ones((64, 64))))
    assert np.array_equal(difference.full(), np.eye(64) - np.eye(64, k=-1))
    assert np.array_equal((total @ difference).full(), np.eye(64))
    assert (total.max_rank, difference.max_rank) == (2, 2)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("levels", [1, 2, 5])
def test_tridiagonal(levels, periodic):
    n = 2**levels
    up, down = np.eye(n, k=1), np.eye(n, k=-1)
    if periodic:
        up, down = np.roll(np.eye(n), -1, axis=0), np.roll(np.eye(n), 1, axis=0)
    operator = tridiagonal(levels, -1.5, 2.0 + 1j, 0.25, periodic)
    exact = (2.0 + 1j) * np.eye(n) - 1.5 * down + 0.25 * up
    np.testing.assert_allclose(operator.full(), exact, rtol=1e-15, atol=0.0)  # zeros stay zeros
    assert operator.max_rank <= 3


@pytest.mark.parametrize("levels", [1, 2, 3, 6])
@pytest.mark.parametrize(("left", "right"), [(p, q) for p in ENDS for q in ENDS] + [("periodic", "periodic")])
def test_laplacian_and_its_inverse(levels, left, right):
    n, step = 2**levels, 0.25
    operator = laplacian(levels, step, left, right)
    dense = dense_laplacian(n, step, left, right)
    assert np.array_equal(operator.full(), dense)  # powers of two: not one rounding error
    assert np.linalg.eigvalsh(dense)[0] >= -1e-12
    if left in ("neumann", "periodic") and right in ("neumann", "periodic"):
        with pytest.raises(ValueError, match="singular"):
            inverse_laplacian(levels, step, left, right)
        return
    inverse = inverse_laplacian(levels, step, left, right)
    assert inverse.max_rank <= (4 if "neumann" in (left, right) else 5)
    np.testing.assert_allclose(inverse.full() @ dense, np.eye(n), atol=1e-12)


@pytest.mark.parametrize(
    ("operator", "rank", "rounded"),
    [
        (identity(L), 1, 1),
        (shift(L), 2, 2),
        (shift(L, -77), 2, 2),
        (cyclic_shift(L), 2, 2),
        (cumulative_sum(L), 2, 2),
        (laplacian(L), 3, 3),
        (laplacian(L, 1.0, "dirichlet", "neumann"), 4, 4),
        (laplacian(L, 1.0, "neumann", "neumann"), 5, 5),
        (laplacian(L, 1.0, "face", "face"), 5, 5),
        (laplacian(L, 1.0, "periodic", "periodic"), 3, 3),
        (inverse_laplacian(L), 5, 5),
        (inverse_laplacian(L, 1.0, "dirichlet", "neumann"), 4, 4),
        (inverse_laplacian(L, 1.0, "neumann", "face"), 4, 4),
    ],
    ids=["1", "shift", "shift back", "cyclic", "sum", "DD", "DN", "NN", "FF", "periodic", "DD inv", "DN inv", "NF inv"],
)
def test_ranks_of_matrices_on_2_to_the_8_points(operator, rank, rounded):
    dense = operator.full().reshape((2,) * (2 * L))
    assert operator.max_rank == rank
    assert operator.round(1e-10).max_rank == operator_tt_svd(dense, 1e-10).max_rank == rounded


def test_ends_of_the_ranks():
    # one shift wraps around at the first bit whichever way it goes
    assert laplacian(L, 1.0, "periodic", "periodic").ranks == (1, 2, *(3,) * (L - 2), 1)
    assert laplacian(L, 1.0, "neumann", "neumann").round(1e-10).ranks == (1, 4, *(5,) * (L - 3), 4, 1)


def test_inverse_on_the_largest_grid():
    """Coefficients from 2^-60 to 2^60 stand beside each other: none is a rounding error of another."""
    x = inverse_laplacian(60) @ ones((2,) * 60)
    i = np.array([1, 2**30, 2**58, 3 * 2**58])
    exact = (i + 1.0) * (2.0**60 - i) / 2.0
    np.testing.assert_allclose(x.entries(to_bits(i[:, None], [60])), exact, rtol=1e-13)


def test_inverse_on_a_billion_points():
    """Entries of the closed form, and A A^-1 e = e at chosen points, where nothing dense can be formed."""
    levels, n = 30, 2**30
    inverse = inverse_laplacian(levels, 1.0, "face", "dirichlet")
    unit = np.array([[5], [n // 3], [n - 2]])
    for j in unit[:, 0]:
        i = np.array([[j - 1], [j], [j + 1], [0]])
        bits = np.column_stack([to_bits(i, [levels]), np.tile(to_bits(np.array([[j]]), [levels]), (4, 1))])
        g = entries(inverse, bits)
        exact = np.array([(min(k, j) + 0.5) * (n - max(k, j)) / (n + 0.5) for k in i[:, 0]])
        np.testing.assert_allclose(g, exact, rtol=1e-9, atol=1e-6)


def entries(operator, bits):
    """Entries at rows (m, levels) next to columns (m, levels)."""
    levels = operator.d
    rows = np.ones((len(bits), 1))
    for k, core in enumerate(operator.cores):
        rows = np.stack([row @ core[:, b[k], b[levels + k]] for row, b in zip(rows, bits)])
    return rows[:, 0]


def test_eigenvectors_of_the_laplacian():
    """sin(pi (i + 1) k / (N + 1)) with 4 sin^2 / h^2, as trains on 2^20 points."""
    levels, k = 20, 3
    theta = np.pi * k / (2**levels + 1)
    x = sine(levels, theta, theta)
    residual = laplacian(levels) @ x - x * (4.0 * np.sin(theta / 2.0) ** 2)
    assert residual.norm() < 1e-13 * x.norm()


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_diagonal(dtype):
    vector = random_train((2, 3, 4), 3, np.random.default_rng(0), dtype)
    operator = diagonal(vector)
    assert operator.ranks == vector.ranks
    np.testing.assert_allclose(operator.full(), np.diag(vector.full().reshape(-1)), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: shift(0), "levels"),
        (lambda: identity(-1), "levels"),
        (lambda: laplacian(3, 0.0), "step"),
        (lambda: laplacian(3, np.nan), "step"),
        (lambda: laplacian(3, 1.0, "periodic"), "periodic"),
        (lambda: laplacian(3, 1.0, "robin"), "robin"),
        (lambda: inverse_laplacian(3, -1.0), "step"),
        (lambda: inverse_laplacian(0), "levels"),
        (lambda: tridiagonal(3, 1.0, np.inf, 1.0), "finite"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
