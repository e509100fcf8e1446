"""Generators of small Markov chains (columns sum to zero, dp/dt = A p), and what is known of them exactly."""

import numpy as np

from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain, dot

ONE = np.eye(2)
UP, DOWN = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 0.0]])
FULL, EMPTY = np.diag([0.0, 1.0]), np.diag([1.0, 0.0])

# 10 rightmost eigenvalues of the exclusion process of 10 sites, alpha = 0.6, beta = 0.7: dense diagonalisation in
# scipy, abs 1e-13
EXCLUSION_10 = np.array(
    [
        0.0,
        -0.07645788347681381,
        -0.19921794357605904 + 0.06784833312088669j,
        -0.19921794357605904 - 0.06784833312088669j,
        -0.33815709138799116 + 0.19327735085379807j,
        -0.33815709138799116 - 0.19327735085379807j,
        -0.34327842079332604,
        -0.47423162820108344 + 0.36768960967760334j,
        -0.47423162820108344 - 0.36768960967760334j,
        -0.4934569838422138 + 0.126200346540121j,
    ]
)
# the first of 50 and 10 sites: Derrida, Evans, Hakim, Pasquier, J. Phys. A 26, 1493 (1993), exact rational sums
EXCLUSION_DENSITIES_10 = [0.5527835237697782, 0.5306436443218383, 0.5138420861311, 0.4990921473856147]
EXCLUSION_DENSITIES_50 = [0.5741639756206235, 0.5630978390811585, 0.555510061720994, 0.5495724302935102]


def exclusion(n: int, enter: float = 0.6, leave: float = 0.7) -> TTOperator:
    """Particles that enter at the first site, hop to the right where that is free, and leave at the last."""
    stack = np.array([ONE, UP - EMPTY, DOWN - FULL, DOWN, UP, FULL, EMPTY])
    terms = [(enter, {0: 1}), (leave, {n - 1: 2})]
    for k in range(n - 1):
        terms += [(1.0, {k: 3, k + 1: 4}), (-1.0, {k: 5, k + 1: 6})]
    return sum_of_products([stack] * n, terms)


def glauber(n: int, coupling: float = 0.8) -> TTOperator:
    """Glauber's chain of spins with open ends, heat-bath rates: R. J. Glauber, J. Math. Phys. 4, 294 (1963)."""
    flip, z = UP + DOWN - ONE, np.diag([1.0, -1.0])
    inner, end = np.tanh(2.0 * coupling), np.tanh(coupling)
    terms: list = []
    for k in range(n):
        terms.append((0.5, {k: 2}))
        near = [j for j in (k - 1, k + 1) if 0 <= j < n]
        terms += [(-(inner / 4.0 if len(near) == 2 else end / 2.0), {k: 3, j: 1}) for j in near]
    return sum_of_products([np.array([ONE, z, flip, flip @ z])] * n, terms)


def glauber_eigenvalues(n: int, count: int, coupling: float = 0.8) -> np.ndarray:
    """The first of -(sums of distinct relaxation rates of the means), dm/dt = M m, which is closed."""
    m = -np.eye(n)
    inner, end = np.tanh(2.0 * coupling), np.tanh(coupling)
    for k in range(n):
        near = [j for j in (k - 1, k + 1) if 0 <= j < n]
        m[k, near] = inner / 2.0 if len(near) == 2 else end
    sums = np.zeros(1)
    for rate in np.sort(np.real(np.linalg.eigvals(m)))[::-1]:
        sums = np.sort(np.concatenate([sums, sums + rate]))[::-1][:count]
    return sums


def epidemic(n: int, infection: float = 1.0, recovery: float = 0.3) -> TTOperator:
    """Susceptible, infected, recovered on a chain: every state without infected ones is stationary."""
    catch = np.array([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    recover = np.array([[0.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    stack = np.array([np.eye(3), catch, recover, np.diag([0.0, 1.0, 0.0])])
    terms: list = [(recovery, {k: 2}) for k in range(n)]
    for k in range(n - 1):
        terms += [(infection, {k: 1, k + 1: 3}), (infection, {k: 3, k + 1: 1})]
    return sum_of_products([stack] * n, terms)


def beside(a: TTOperator, b: TTOperator) -> TTOperator:
    """a x 1 + 1 x b."""
    ones = [TTOperator(tuple(np.eye(n)[None, :, :, None] for n in x.row_shape)) for x in (a, b)]
    return TTOperator((*a.cores, *ones[1].cores)) + TTOperator((*ones[0].cores, *b.cores))


def exchange(n: int, bias: float = 1.0) -> TTOperator:
    """Particles that change places with free sites on a closed row: their number is kept."""
    stack = np.array([ONE, UP, DOWN, FULL, EMPTY])
    terms: list = []
    for k in range(n - 1):
        terms += [
            (bias, {k: 2, k + 1: 1}),
            (-bias, {k: 3, k + 1: 4}),
            (1.0, {k: 1, k + 1: 2}),
            (-1.0, {k: 4, k + 1: 3}),
        ]
    return sum_of_products([stack] * n, terms)


def densities(p: TensorTrain) -> np.ndarray:
    """Probability of the second state of every site."""
    d = p.d
    return np.array([dot(rank_one([FULL.sum(0) if k == j else np.ones(2) for j in range(d)]), p) for k in range(d)])
