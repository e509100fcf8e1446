"""Ranks of integer matrices: exact where primes divide minors, where numbers are large, and against fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.kernels.elimination import product_modulo
from solvers.matrices.exact_rank import LARGEST_PRIME, exact_rank, primes, rank_over


def by_fractions(matrix):
    rows = [[Fraction(int(entry)) for entry in row] for row in matrix]
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / rows[rank][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[rank])]
        rank += 1
    return rank


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 7), st.integers(1, 4), st.sampled_from([1, 3, 10**6]))
def test_it_is_the_rank_over_fractions(seed, m, n, rank, largest):
    rng = np.random.default_rng(seed)
    left, right = rng.integers(-largest, largest + 1, (m, rank)), rng.integers(-largest, largest + 1, (rank, n))
    assert exact_rank(left @ right) == by_fractions(left @ right)


def test_a_prime_that_divides_a_minor_is_seen_through():
    matrix = np.array([[1, 1], [1, LARGEST_PRIME + 1]])
    assert rank_over(matrix) == 1 and exact_rank(matrix) == 2


def test_a_rank_that_rounding_hides_is_found():
    """The Hilbert matrix of 20 rows in whole numbers: its condition is beyond double precision."""
    n, multiple = 20, math.lcm(*range(1, 40))
    exact = np.array([[multiple // (i + j + 1) for j in range(n)] for i in range(n)], dtype=object)
    assert exact_rank(exact) == n and np.linalg.matrix_rank(exact.astype(float)) < n
    exact[-1] = exact[0] + exact[1]
    assert exact_rank(exact) == n - 1


def test_floating_point_numbers_that_are_whole_are_taken():
    assert exact_rank(np.eye(3)) == 3 and exact_rank(np.zeros((2, 3))) == 0 and exact_rank(np.zeros((0, 2))) == 0
    assert exact_rank(np.full((3, 4), 2**52, dtype=float)) == 1 and exact_rank(np.array([[True, False]])) == 1


@pytest.mark.parametrize(
    ("matrix", "kind", "said"),
    [
        (np.array([[0.5]]), ValueError, "whole numbers"),
        (np.array([[1e200]]), ValueError, "below 2"),
        (np.array([[np.nan]]), ValueError, "whole numbers"),
        (np.ones(3), ValueError, "needs a matrix"),
        (np.array([["a"]]), TypeError, "type <U1"),
        (np.array([[1j]]), TypeError, "complex"),
    ],
)
def test_what_has_no_exact_rank_is_refused(matrix, kind, said):
    with pytest.raises(kind, match=said):
        exact_rank(matrix)


def test_primes_are_primes():
    found = [prime for prime, _ in zip(primes(), range(5))]
    assert found[:3] == [2147483647, 2147483629, 2147483587]


def test_products_of_residues_do_not_overflow():
    a = np.full((2, 3), LARGEST_PRIME - 1)
    assert (product_modulo(a, a.T.copy(), LARGEST_PRIME) == 3).all()
