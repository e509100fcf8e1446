"""Linear systems shared by the tests: finite differences, quantics Laplacians, convection, Helmholtz."""

import numpy as np

from solvers.formats.trains.construct import identity_operator, kronecker_sum
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products


def second_difference(n):
    """-u'' on n interior points of (0, 1), Dirichlet."""
    return (2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) * (n + 1) ** 2


def laplacian(d, n):
    return kronecker_sum([second_difference(n)] * d)


def convection_diffusion(d, n, speed=20.0):
    """-Laplace u + speed du/dx_k in every direction, central differences: not symmetric."""
    gradient = (np.eye(n, k=1) - np.eye(n, k=-1)) * (n + 1) / 2.0
    return kronecker_sum([second_difference(n) + speed * gradient] * d)


def variable_convection(d, n, speed=10.0):
    """-Laplace u + speed sum_k x_(k+1) du/dx_k, x_(d+1) = x_1: no Kronecker sum, TT-ranks 4."""
    gradient = (np.eye(n, k=1) - np.eye(n, k=-1)) * (n + 1) / 2.0
    position = np.diag(np.arange(1, n + 1) / (n + 1))
    matrices = [np.array([np.eye(n), second_difference(n), gradient, position])] * d
    terms = [(1.0, {k: 1}) for k in range(d)] + [(speed, {k: 2, (k + 1) % d: 3}) for k in range(d)]
    return sum_of_products(matrices, terms)


def helmholtz(d, n, wave_number, absorption):
    """-Laplace u - (k^2 + i a) u: complex symmetric, not Hermitian, indefinite without the absorption."""
    shift = (wave_number**2 + 1j * absorption) / d
    return kronecker_sum([second_difference(n) - shift * np.eye(n)] * d)


def quantics_second_difference(levels):
    """tridiag(-1, 2, -1) on 2^levels points, TT-ranks 3."""
    unit, up, down = np.eye(2), np.eye(2, k=1), np.eye(2, k=-1)
    first, middle = np.zeros((1, 2, 2, 3)), np.zeros((3, 2, 2, 3))
    first[0, :, :, 0], first[0, :, :, 1], first[0, :, :, 2] = unit, down, up
    middle[0, :, :, 0], middle[0, :, :, 1], middle[0, :, :, 2] = unit, down, up
    middle[1, :, :, 1], middle[2, :, :, 2] = up, down
    last = np.zeros((3, 2, 2, 1))
    last[0, :, :, 0], last[1, :, :, 0], last[2, :, :, 0] = 2.0 * unit - up - down, -up, -down
    return TTOperator((first, *[middle] * (levels - 2), last))


def quantics_poisson(levels, axes=3):
    """The sum of the second differences of all axes, axes in sequence."""
    one, unit = quantics_second_difference(levels), identity_operator([2] * levels)
    terms = []
    for axis in range(axes):
        parts = [one if k == axis else unit for k in range(axes)]
        terms.append(TTOperator(tuple(core for part in parts for core in part.cores)))
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def random_definite(shape, rank, rng, dtype=np.float64):
    """A Hermitian positive definite operator without structure: 1 + M M^H, M random of small rank."""
    cores = []
    for k, n in enumerate(shape):
        left, right = (1 if k == 0 else rank), (1 if k == len(shape) - 1 else rank)
        core = rng.standard_normal((left, n, n, right))
        if np.dtype(dtype).kind == "c":
            core = core + 1j * rng.standard_normal(core.shape)
        cores.append(core / np.sqrt(n * left))
    m = TTOperator(tuple(cores))
    return identity_operator(shape) + m @ m.adjoint()
