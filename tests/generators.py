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


def random_rates(rng: np.random.Generator) -> TTOperator:
    """Three or four sites of two or three states: random rates within each, one transition between neighbours."""
    shape = [int(n) for n in rng.integers(2, 4, int(rng.integers(3, 5)))]
    stacks, terms = [[np.eye(n)] for n in shape], []

    def named(k: int, matrix: np.ndarray) -> int:
        stacks[k].append(matrix)
        return len(stacks[k]) - 1

    for k, n in enumerate(shape):
        rates = np.exp(rng.standard_normal((n, n)))
        np.fill_diagonal(rates, 0.0)
        terms.append((1.0, {k: named(k, rates - np.diag(rates.sum(axis=0)))}))
    for k in range(len(shape) - 1):
        rate = float(np.exp(rng.standard_normal() + 1.0))
        moved = [np.eye(n)[[1]].T @ np.eye(n)[[0]] for n in shape[k : k + 2]]
        stays = [np.diag(np.eye(n)[0]) for n in shape[k : k + 2]]
        terms += [(s * rate, {k: named(k, a), k + 1: named(k + 1, b)}) for s, (a, b) in ((1.0, moved), (-1.0, stays))]
    return sum_of_products([np.array(stack) for stack in stacks], terms)


def densities(p: TensorTrain) -> np.ndarray:
    """Probability of the second state of every site."""
    d = p.d
    return np.array([dot(rank_one([FULL.sum(0) if k == j else np.ones(2) for j in range(d)]), p) for k in range(d)])


RAISE = np.array([[0.0, 1.0], [0.0, 0.0]])


def driven_chain(n: int, gain: float = 0.8, loss: float = 0.5, dephasing: float = 0.1) -> TTOperator:
    """Lindblad operator of spins 1/2 that hop, H = sum (S+ S- + h.c.), fed at the first site and drained at the last,
    with jumps Z everywhere; index 2 i + j of a mode for |i><j|, up first."""
    z, one = np.diag([1.0, -1.0]), np.eye(2)

    def jump(rate: float, l: np.ndarray) -> np.ndarray:
        lost = 0.5 * l.T @ l
        return rate * (np.kron(l, l) - np.kron(lost, one) - np.kron(one, lost.T))

    stack = [np.eye(4), jump(gain, RAISE), jump(loss, RAISE.T), jump(dephasing, z)]
    stack += [np.kron(RAISE, one), np.kron(RAISE.T, one), np.kron(one, RAISE), np.kron(one, RAISE.T)]
    terms: list = [(1.0, {0: 1}), (1.0, {n - 1: 2}), *((1.0, {k: 3}) for k in range(n))]
    for k in range(n - 1):
        terms += [(-1j, {k: 4, k + 1: 5}), (-1j, {k: 5, k + 1: 4}), (1j, {k: 6, k + 1: 7}), (1j, {k: 7, k + 1: 6})]
    return sum_of_products([np.array(stack, dtype=complex)] * n, terms)


def driven_occupations(n: int, gain: float = 0.8, loss: float = 0.5, dephasing: float = 0.1) -> np.ndarray:
    """Its occupations in the stationary state: C_ij = <S+_i (string) S-_j> obeys closed linear equations.

    M. Znidaric, J. Stat. Mech. L05002 (2010)."""
    h = np.eye(n, k=1) + np.eye(n, k=-1)
    drained = np.zeros(n)
    drained[0], drained[-1] = gain, loss
    fed = np.zeros((n, n))
    fed[0, 0] = gain
    one = np.eye(n)
    d = np.diag(drained)
    a = 1j * (np.kron(h, one) - np.kron(one, h)) - 0.5 * (np.kron(d, one) + np.kron(one, d))
    a = a - 4.0 * dephasing * np.diag(1.0 - one.ravel())
    return np.real(np.diag(np.linalg.solve(a, -fed.ravel()).reshape(n, n)))


def occupations(rho: TensorTrain) -> np.ndarray:
    """Of every spin of a density matrix as a train."""
    ups, trace = np.array([1.0, 0.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 1.0])
    d = rho.d
    return np.array([np.real(dot(rank_one([ups if k == j else trace for j in range(d)]), rho)) for k in range(d)])
