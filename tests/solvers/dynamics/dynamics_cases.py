"""Small Hamiltonians and starts shared by the tests of the time integrators, and their exact evolution."""

import math

import numpy as np
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.field import henon_heiles
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot

LARGE = 200  # from so many rows products with the vector take less time than the exponential of the matrix

X, Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
RAISE = np.array([[0.0, 1.0], [0.0, 0.0]])


def oscillators(d, n):
    """Henon-Heiles in d modes, n harmonic functions each: neighbours only, TT-ranks 3."""
    field = henon_heiles(d, 0.111803)
    return operator(product_terms(field, harmonic_functions(field, [n] * d, np.zeros(d, dtype=np.int64)), range(d)))


def gaussian(d, n, centre):
    a = centre / math.sqrt(2.0)
    return rank_one([np.array([math.exp(-a * a / 2) * a**k / math.sqrt(math.factorial(k)) for k in range(n)])] * d)


def ising(d, j=1.0, h=0.5):
    """-J sum Z Z - h sum X."""
    terms = [(-j, {k: 2, k + 1: 2}) for k in range(d - 1)] + [(-h, {k: 1}) for k in range(d)]
    return sum_of_products([np.array([np.eye(2), X, Z])] * d, terms)


def xxz(d, jxy=1.0, jz=1.0):
    """sum Jxy (Sx Sx + Sy Sy) + Jz Sz Sz, real."""
    matrices = [np.array([np.eye(2), RAISE, RAISE.T, 0.5 * Z])] * d
    terms = []
    for k in range(d - 1):
        terms += [(0.5 * jxy, {k: 1, k + 1: 2}), (0.5 * jxy, {k: 2, k + 1: 1}), (jz, {k: 3, k + 1: 3})]
    return sum_of_products(matrices, terms)


def long_range(d, n, rng):
    """A Hermitian sum of products that couples distant modes."""

    def hermitian():
        matrix = rng.standard_normal((n, n))
        return matrix + matrix.T

    matrices = [np.array([np.eye(n), *(hermitian() for _ in range(3))]) for _ in range(d)]
    terms = [(1.0, {k: 1}) for k in range(d)] + [(0.5, {k: 2, k + 1: 3}) for k in range(d - 1)]
    return sum_of_products(matrices, [*terms, (0.4, {0: 2, d // 2: 1, d - 1: 3}), (0.3, {1: 1, d - 1: 2})])


def product(bits):
    """A basis state, 0 up and 1 down."""
    return rank_one([np.eye(2)[b] for b in bits])


def exact(operator, start, t, factor=-1j):
    """exp(t factor A) x without trains: of a large matrix by its products with x, Al-Mohy and Higham."""
    matrix, x = t * factor * operator.full(), start.full().ravel()
    return expm_multiply(matrix, x) if len(x) > LARGE else expm(matrix) @ x


def overlap(start):
    """An observer of <start|x(t)>."""
    return lambda t, x: {"a": dot(start, x)}
