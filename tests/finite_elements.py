"""Finite elements on grids of products as TT operators, with their exact discrete eigenvalues.

Linear elements, n cells on (0, 1), u = 0 at both ends: K = tridiag(-1, 2, -1) n, M = tridiag(1, 4, 1) / (6 n), whose
eigenvalues are 6 n^2 (1 - cos(j pi / n)) / (2 + cos(j pi / n)) (Strang, Fix, An Analysis of the Finite Element Method).
"""

import numpy as np

from solvers.formats.trains.construct import rank_one_operator
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products


def stiffness_and_mass(cells: int) -> tuple[np.ndarray, np.ndarray]:
    one, beside = np.eye(cells - 1), np.eye(cells - 1, k=1) + np.eye(cells - 1, k=-1)
    return (2.0 * one - beside) * cells, (4.0 * one + beside) / (6.0 * cells)


def weighted(cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Both weighted by x, by Gauss's rule of two points a cell."""
    h, k, m = 1.0 / cells, np.zeros((cells + 1,) * 2), np.zeros((cells + 1,) * 2)
    for c in range(cells):
        for t in (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0)):
            values, slopes, x = np.array([1.0 - t, t]), np.array([-1.0, 1.0]) / h, (c + t) * h
            k[c : c + 2, c : c + 2] += 0.5 * h * x * np.outer(slopes, slopes)
            m[c : c + 2, c : c + 2] += 0.5 * h * x * np.outer(values, values)
    return k[1:-1, 1:-1], m[1:-1, 1:-1]


def laplacian(d: int, cells: int) -> tuple[TTOperator, TTOperator]:
    """A = sum_k K_k x (M elsewhere), B = M x ... x M."""
    k, m = stiffness_and_mass(cells)
    return sum_of_products([np.array([m, k])] * d, [(1.0, {i: 1}) for i in range(d)]), rank_one_operator([m] * d)


def laplacian_levels(d: int, cells: int, count: int) -> np.ndarray:
    c = np.cos(np.arange(1, cells) * np.pi / cells)
    own = 6.0 * cells**2 * (1.0 - c) / (2.0 + c)
    sums = np.zeros(1)
    for _ in range(d):
        sums = np.sort(np.add.outer(sums, own).ravel())[:count]
    return sums


def coupled(cells: int) -> tuple[TTOperator, TTOperator]:
    """A = K x M + M x K + 0.8 (K' x M' + M' x K'), B = M x M + 0.5 M' x M': no product."""
    (k, m), (kx, mx) = stiffness_and_mass(cells), weighted(cells)
    stack = [np.array([np.eye(cells - 1), k, m, kx, mx])] * 2
    a = sum_of_products(stack, [(1.0, {0: 1, 1: 2}), (1.0, {0: 2, 1: 1}), (0.8, {0: 3, 1: 4}), (0.8, {0: 4, 1: 3})])
    return a, sum_of_products(stack, [(1.0, {0: 2, 1: 2}), (0.5, {0: 4, 1: 4})])
