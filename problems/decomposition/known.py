"""Tensors that are known, and what is known of them.

Matrix multiplication <n, n, n>: T[(a, b), (b, c), (a, c)] = 1. Sums of integer terms: 7 for n = 2 (Strassen, Numer.
Math. 13, 354 (1969)), 23 for n = 3 (Laderman, Bull. Amer. Math. Soc. 82, 126 (1976)). Lower bounds of the rank: 7 for
n = 2 (Winograd, Linear Algebra Appl. 4, 381 (1971)), 19 for n = 3 (Blaeser, J. Complexity 19, 43 (2003)).
"""

from __future__ import annotations

from itertools import product

import numpy as np

# The factors of each term: which entries of the two matrices are added before they are multiplied, row and column from
# 1, a minus sign before those subtracted. The third factor, which entries of the product the term goes to, follows.
STRASSEN = """
11 22 | 11 22;  21 22 | 11;  11 | 12 -22;  22 | 21 -11;  11 12 | 22;  21 -11 | 11 12;  12 -22 | 21 22
"""
LADERMAN = """
11 12 13 -21 -22 -32 -33 | 22;  11 -21 | 22 -12;  22 | -11 12 21 -22 -23 -31 33;  -11 21 22 | 11 -12 22;
21 22 | -11 12;  11 | 11;  -11 31 32 | 11 -13 23;  -11 31 | 13 -23;  31 32 | -11 13;
11 12 13 -22 -23 -31 -32 | 23;  32 | -11 13 21 -22 -23 -31 32;  -13 32 33 | 22 31 -32;  13 -33 | 22 -32;  13 | 31;
32 33 | -31 32;  -13 22 23 | 23 31 -33;  13 -23 | 23 -33;  22 23 | -31 33;  12 | 21;  23 | 32;
21 | 13;  31 | 12;  33 | 33
"""
TERMS = {2: STRASSEN, 3: LADERMAN}
LEAST_TERMS = {2: 7, 3: 19}
SOURCES = {2: "Strassen (1969)", 3: "Laderman (1976)"}


def matrix_multiplication(n: int) -> np.ndarray:
    """The tensor (n^2, n^2, n^2) of the product of two n x n matrices."""
    tensor = np.zeros((n * n,) * 3)
    for a, b, c in product(range(n), repeat=3):
        tensor[a * n + b, b * n + c, a * n + c] = 1.0
    return tensor


def w_state(d: int) -> np.ndarray:
    """The sum over k of the unit vector e2 on axis k and e1 on the others: rank d, and rank 2 to any accuracy."""
    tensor = np.zeros((2,) * d)
    for k in range(d):
        tensor[tuple(int(m == k) for m in range(d))] = 1.0
    return tensor


def theorem_example(d: int, n: int, width: int) -> np.ndarray:
    """TT-ranks q, 1, q, ..., and an odd-even unfolding that is the identity of size q^(d/2), q = min(n, width)."""
    tensor = np.zeros((n,) * d)
    for pairs in product(range(min(n, width)), repeat=d // 2):
        tensor[tuple(np.repeat(pairs, 2))] = 1.0
    return tensor


def known_terms(n: int) -> list[np.ndarray] | None:
    """The integer factors (n^2, R) of the known sum for n = 2 and 3; None for others."""
    if n not in TERMS:
        return None
    left: list[np.ndarray] = []
    right: list[np.ndarray] = []
    for term in TERMS[n].split(";"):
        for side, into in zip(term.split("|"), (left, right), strict=True):
            factor = np.zeros(n * n, dtype=np.int64)
            for word in side.split():
                row, column = int(word[-2]) - 1, int(word[-1]) - 1
                factor[row * n + column] = -1 if word.startswith("-") else 1
            into.append(factor)
    first, second = np.array(left).T, np.array(right).T
    # the third factor is determined by the other two; rounded to whole numbers, which the check below judges
    products = (first[:, None, :] * second[None, :, :]).reshape(n**4, -1).astype(float)
    third = np.linalg.lstsq(products, matrix_multiplication(n).reshape(n**4, -1), rcond=None)[0].T
    return [first, second, np.round(third).astype(np.int64)]


def integer_deviation(factors: list[np.ndarray], tensor: np.ndarray) -> int:
    """The largest deviation of an entry of the sum of terms from the tensor, in integer arithmetic: 0 is a proof."""
    a, b, c = factors
    whole = np.einsum("ir,jr,kr->ijk", a, b, c)
    return int(np.abs(whole - tensor.astype(np.int64)).max())
