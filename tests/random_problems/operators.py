"""Random sums of products with an exact dense reference, drawn by seed.

The reference is added up in extended precision, Kronecker product by Kronecker product. ``size`` is the largest sum of
absolute values of an element: the scale that rounding of the numbers given sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST = 128  # rows of the dense matrix
X, Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
UP = np.array([[0.0, 1.0], [0.0, 0.0]])
Y = np.array([[0.0, -1.0j], [1.0j, 0.0]])


@dataclass(frozen=True)
class Case:
    """``matrices[k]`` (P, n, n), matrix 0 the unit; terms (c, {k: p})."""

    name: str
    matrices: list
    terms: list

    def dense(self) -> tuple[np.ndarray, float]:
        """The matrix in extended precision, and the largest sum of absolute values."""
        rows = int(np.prod([len(m[0]) for m in self.matrices]))
        total, size = np.zeros((rows, rows), dtype=np.clongdouble), np.zeros((rows, rows))
        for c, product in self.terms:
            one = np.ones((1, 1), dtype=np.clongdouble)
            for k, stack in enumerate(self.matrices):
                one = np.kron(one, stack[product.get(k, 0)].astype(np.clongdouble))
            total += np.clongdouble(c) * one
            size += np.abs(c) * np.abs(one).astype(float)
        return total, float(size.max())


def spin_matrices() -> np.ndarray:
    """1, X, Z, S+, S-, two projectors, and differences of them: eleven matrices of which four are independent."""
    n = UP.T @ UP
    return np.array([np.eye(2), X, Z, UP, UP.T, n, np.eye(2) - n, UP - n, UP.T - np.eye(2) + n, 0.5 * X, -3.0 * Z])


def boson_matrices(n: int) -> np.ndarray:
    """1, n, q, q^2, q^3, q^4, b, b^+, p^2 cut to ``n`` functions after multiplying."""
    b = np.diag(np.sqrt(np.arange(1.0, n + 4)), 1)
    q = (b + b.T) / np.sqrt(2.0)
    p2 = -(b - b.T) @ (b - b.T) / 2.0
    powers = [np.linalg.matrix_power(q, k) for k in range(1, 5)]
    return np.array([m[:n, :n] for m in (np.eye(n + 4), b.T @ b, *powers, b, b.T, p2)])


def _some(rng: np.random.Generator, matrices: list, count: int, longest: int = 3, near: bool = True) -> list:
    """``count`` random products of one to ``longest`` modes, neighbours where ``near``."""
    d, terms = len(matrices), []
    for _ in range(count):
        length = int(rng.integers(1, min(longest, d) + 1))
        first = int(rng.integers(d - length + 1))
        modes = range(first, first + length) if near else rng.permutation(d)[:length]
        terms.append((_number(rng), {int(k): int(rng.integers(1, len(matrices[k]))) for k in modes}))
    return terms


def _number(rng: np.random.Generator) -> float:
    """Round numbers, decimal ones that binary rounds, and any."""
    return float(rng.choice([1.0, -1.0, 0.5, 0.1, 0.3, -0.7, 1.3, float(rng.standard_normal())]))


def _spins(rng: np.random.Generator, most: int = 7) -> list:
    return [spin_matrices()] * int(rng.integers(2, most + 1))


def _redundant(rng):
    matrices = _spins(rng)
    return matrices, _some(rng, matrices, int(rng.integers(3, 25)), near=bool(rng.integers(2)))


def _chain(rng):
    matrices, terms = _spins(rng), []
    for _ in range(int(rng.integers(2, 6))):
        c, i, j = _number(rng), int(rng.integers(1, 11)), int(rng.integers(1, 11))
        terms += [(c, {k: i, k + 1: j}) for k in range(len(matrices) - 1)]
    return matrices, terms


def _cancelling(rng):
    """Products written in two ways and subtracted, so that little or nothing of them is left."""
    matrices = _spins(rng, 6)
    terms = _some(rng, matrices, int(rng.integers(2, 8)))
    for c, product in list(terms):
        if rng.random() < 0.5:
            k = int(rng.choice(list(product)))
            rest = {j: p for j, p in product.items() if j != k}
            size = c * 10.0 ** int(rng.integers(0, 6))
            terms += [(size, rest | {k: 1}), (-size, rest | {k: 3}), (-size, rest | {k: 4})]  # X - S+ - S-
            terms += [(0.1 * size, rest | {k: 5}), (0.1 * size, rest | {k: 6}), (-0.1 * size, rest)]
        else:
            terms += [(0.1 * c, product), (0.2 * c, product), (-0.3 * c, product)]
    return matrices, terms


def _bosons(rng):
    matrices = [boson_matrices(int(rng.integers(1, 6))) for _ in range(int(rng.integers(1, 4)))]
    return matrices, _some(rng, matrices, int(rng.integers(2, 20)), near=False)


def _wide(rng):
    """Coefficients of 1e-12 to 1e12."""
    matrices, terms = _redundant(rng)
    return matrices, [(c * 10.0 ** int(rng.integers(-12, 13)), product) for c, product in terms]


def _wide_matrices(rng):
    """Norms of matrices and coefficients that undo one another, or do not."""
    matrices, terms = _redundant(rng)
    scales = [10.0 ** rng.integers(-8, 9, size=len(stack)) for stack in matrices]
    for scale in scales:
        scale[0] = 1.0
    scaled = [stack * scale[:, None, None] for stack, scale in zip(matrices, scales)]
    undone = [(c / np.prod([scales[k][p] for k, p in product.items()]), product) for c, product in terms]
    return scaled, [new if rng.random() < 0.7 else old for new, old in zip(undone, terms)]


def _noise(rng):
    """Terms far below the others, as fitted fields carry them."""
    matrices, terms = _bosons(rng)
    small = _some(rng, matrices, 6, near=False)
    return matrices, terms + [(c * 10.0 ** rng.uniform(-18, -9), product) for c, product in small]


def _complex(rng):
    matrices = [np.array([np.eye(2), X, Y, Z, UP, UP + 1j * Z])] * int(rng.integers(1, 7))
    terms = _some(rng, matrices, int(rng.integers(1, 15)))
    return matrices, [(complex(c, _number(rng)) if rng.random() < 0.5 else c, p) for c, p in terms]


def _general(rng):
    """Matrices without any structure; modes of one function; a zero matrix; one that almost depends on another."""
    matrices = []
    for _ in range(int(rng.integers(1, 5))):
        n = int(rng.integers(1, 5))
        stack = rng.standard_normal((6, n, n))
        stack[0], stack[4] = np.eye(n), 0.0
        stack[5] = stack[1] + 10.0 ** rng.integers(-15, -3) * stack[2]
        matrices.append(stack)
    return matrices, [*_some(rng, matrices, int(rng.integers(1, 12)), near=False), (_number(rng), {}), (0.0, {0: 1})]


def _long(rng):
    """Products of all modes: projectors, strings of Z, and their sums."""
    matrices = _spins(rng)
    terms = []
    for _ in range(int(rng.integers(2, 9))):
        terms.append((_number(rng), {k: int(rng.integers(1, 11)) for k in range(len(matrices))}))
    return matrices, terms + _some(rng, matrices, 4)


def _pairs(rng):
    """All pairs of modes, coefficients that decay smoothly with distance: ranks without a clear end."""
    matrices = [spin_matrices()[:3]] * int(rng.integers(3, 8))
    d, power = len(matrices), float(rng.uniform(0.5, 4.0))
    return matrices, [((k - j) ** -power, {j: 2, k: 2}) for j in range(d) for k in range(j + 1, d)]


FAMILIES = {
    "redundant": _redundant,
    "chain": _chain,
    "cancelling": _cancelling,
    "bosons": _bosons,
    "wide": _wide,
    "wide_matrices": _wide_matrices,
    "noise": _noise,
    "complex": _complex,
    "general": _general,
    "long": _long,
    "pairs": _pairs,
}


def draw(seed: int) -> Case:
    """The case of a seed; families take turns."""
    name = list(FAMILIES)[seed % len(FAMILIES)]
    rng = np.random.default_rng([7, seed])
    while True:
        matrices, terms = FAMILIES[name](rng)
        if np.prod([float(len(m[0])) for m in matrices]) <= LARGEST:
            return Case(name, [np.array(m) for m in matrices], terms)


def exact_product(cores) -> np.ndarray:
    """The dense matrix of operator cores, contracted in extended precision."""
    total = np.ones((1, 1, 1), dtype=np.clongdouble)
    for core in cores:
        step = np.tensordot(total, core.astype(np.clongdouble), axes=(2, 0))  # rows, columns, i, j, right
        total = step.transpose(0, 2, 1, 3, 4).reshape(
            total.shape[0] * core.shape[1], total.shape[1] * core.shape[2], core.shape[3]
        )
    return total[:, :, 0]
