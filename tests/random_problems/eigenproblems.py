"""Random eigenproblems with an exact answer, and a judge of what ``eigsolve`` says about them.

Each problem is drawn by its seed. The matrix is put together apart from the operator: by sparse Kronecker products of
the terms, or it is there first and the operator is its decomposition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from solvers.formats.trains.construct import identity_operator, operator_tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.sectors.train import SectorTrain
from solvers.solution import Solution

X, Z, W = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [-1.0, 0.0]])
Y = 1j * np.array([[0.0, -1.0], [1.0, 0.0]])


@dataclass(frozen=True)
class Eigenproblem:
    """``matrix``: dense, of the operator; ``unit``: the size of the energies that matter."""

    kind: str
    operator: TTOperator
    matrix: np.ndarray
    unit: float
    n_states: int
    accuracy: float


Drawn = tuple[TTOperator, np.ndarray, float]
KINDS: dict[str, Callable[[np.random.Generator, int], Drawn]] = {}


def kind(draw: Callable[[np.random.Generator, int], Drawn]) -> Callable[[np.random.Generator, int], Drawn]:
    KINDS[draw.__name__] = draw
    return draw


def summed(stacks: list[np.ndarray], terms: list[tuple[float, dict[int, int]]]) -> tuple[TTOperator, np.ndarray]:
    """The operator of a sum of products, and its matrix by Kronecker products."""
    matrix = sum(c * _kronecker([stack[product.get(k, 0)] for k, stack in enumerate(stacks)]) for c, product in terms)
    return sum_of_products(stacks, terms), np.asarray(matrix.todense())


def _kronecker(matrices: list[np.ndarray]) -> sp.csr_matrix:
    total = sp.identity(1, format="csr")
    for m in matrices:
        total = sp.kron(total, sp.csr_matrix(m), format="csr")
    return total


def split(size: int, rng: np.random.Generator) -> list[int]:
    """Mode sizes from two to six whose product is at most ``size``."""
    found: list[int] = []
    while True:
        n = int(rng.integers(2, 7))
        if math.prod(found) * n > size and found:
            return found
        found.append(n)


@kind
def spins_on_a_graph(rng: np.random.Generator, size: int) -> Drawn:
    """Random couplings on a random graph; no field across, a weak one, or a strong one; integers or not."""
    n = int(rng.integers(3, int(np.log2(size)) + 1))
    across = float(rng.choice([0.0, 1e-3, 0.05, 0.7]))
    draw = (lambda: float(rng.integers(-2, 3))) if rng.random() < 0.4 else (lambda: float(rng.standard_normal()))
    share = rng.choice([0.3, 1.0])
    terms = [(draw(), {i: 1, j: 1}) for i in range(n) for j in range(i) if rng.random() < share]
    terms += [(-across, {i: 2}) for i in range(n) if across]
    terms += [(0.3 * draw(), {i: 1}) for i in range(n) if rng.random() < 0.3]
    terms = [(c, p) for c, p in terms if c] or [(1.0, {0: 1})]
    return *summed([np.array([np.eye(2), Z, X])] * n, terms), 1.0


@kind
def exchange_chain(rng: np.random.Generator, size: int) -> Drawn:
    """Neighbours exchange, alternating or random, with and without a field: multiplets and near multiplets."""
    n = int(rng.integers(3, int(np.log2(size)) + 1))
    weak = float(rng.choice([1.0, 0.1, 1e-3]))
    terms = []
    for i in range(n - 1):
        c = float(rng.choice([1.0, weak])) * float(rng.choice([1.0, -1.0]))
        terms += [(c, {i: 1, i + 1: 1}), (-c, {i: 3, i + 1: 3}), (c * float(rng.choice([1.0, 0.3])), {i: 2, i + 1: 2})]
    terms += [(1e-3 * float(rng.standard_normal()), {i: 2}) for i in range(n) if rng.random() < 0.5]
    return *summed([np.array([np.eye(2), X, Z, W])] * n, terms), 1.0


@kind
def localised(rng: np.random.Generator, size: int) -> Drawn:
    """A particle on a line in a rough potential, with two wells or one deep site: states that share no product."""
    levels = int(rng.integers(4, int(np.log2(size)) + 1))
    points = np.arange(2**levels) / 2**levels
    how = rng.choice(["rough", "wells", "site"])
    v = {
        "rough": lambda: rng.uniform(0.5, 10.0) * rng.random(2**levels),
        "wells": lambda: 5.0 * np.cos(4 * np.pi * points) + 0.02 * points,
        "site": lambda: -3.0 * (np.arange(2**levels) == rng.integers(2**levels)),
    }[how]()
    matrix = np.diag(v + 2.0) - np.eye(2**levels, k=1) - np.eye(2**levels, k=-1)
    return operator_tt_svd(matrix.reshape((2,) * 2 * levels), 1e-14), matrix, 1.0


@kind
def oscillators(rng: np.random.Generator, size: int) -> Drawn:
    """Two to four oscillators, frequencies over decades, random polynomials."""
    d = int(rng.integers(2, 5))
    n = [int(rng.integers(3, {2: 20, 3: 9, 4: 6}[d])) for _ in range(d)]
    while math.prod(n) > size:
        n[int(np.argmax(n))] -= 1
    w = 10.0 ** rng.uniform(-1.0, rng.choice([0.0, 2.5]), d)
    stacks, terms = [], []
    for k, m in enumerate(n):
        q = np.diag(np.sqrt(np.arange(1, m + 6) / 2.0), 1)
        q = q + q.T
        stacks.append(
            np.array([np.eye(m), np.diag(np.arange(m) + 0.5), q[:m, :m], (q @ q)[:m, :m], (q @ q @ q)[:m, :m]])
        )
        terms.append((float(w[k]), {k: 1}))
    for _ in range(int(rng.integers(1, 6))):
        product = {
            int(k): int(rng.integers(2, 5)) for k in rng.choice(d, int(rng.integers(1, 4)) % d + 1, replace=False)
        }
        terms.append((float(rng.standard_normal() * 10.0 ** rng.uniform(-6.0, 0.0) * w.min()), product))
    return *summed(stacks, terms), float(w.min())


@kind
def repeated(rng: np.random.Generator, size: int) -> Drawn:
    """Equal subsystems without a coupling, or with one that splits their multiplets by next to nothing."""
    m, d = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    while m**d > size:
        d -= 1
    a = rng.standard_normal((m, m))
    stack = np.array([np.eye(m), a + a.T, np.diag(np.arange(m) * 1.0)])
    terms = [(1.0, {k: 1}) for k in range(d)]
    splitting = float(rng.choice([0.0, 1e-9, 1e-4]))
    terms += [(splitting, {k: 2, k + 1: 2}) for k in range(d - 1) if splitting]
    return *summed([stack] * d, terms), 1.0


@kind
def given_levels(rng: np.random.Generator, size: int) -> Drawn:
    """A full matrix of levels that come in twins, clusters, equal ones, or over decades; some apart from all others."""
    modes = split(min(size, 600), rng)
    n = math.prod(modes)
    how = rng.choice(["twins", "equal", "decades", "gap"])
    values = np.sort(rng.standard_normal(n))
    if how == "twins":
        values[1::2] = values[: 2 * (n // 2) : 2] + 10.0 ** rng.uniform(-9.0, -2.0)
    if how == "equal":
        values = np.round(values)
    if how == "decades":
        values = 10.0 ** rng.uniform(-5.0, 2.0, n)
    if how == "gap":
        values[0] -= 30.0
    q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    matrix = (q * values) @ q.T
    matrix = 0.5 * (matrix + matrix.T)
    return operator_tt_svd(matrix.reshape(modes + modes), 1e-15), matrix, 1.0


@kind
def complex_hermitian(rng: np.random.Generator, size: int) -> Drawn:
    """Spins with all two-spin products, or a full Hermitian matrix."""
    if rng.random() < 0.5:
        modes = split(min(size, 250), rng)
        n = math.prod(modes)
        a = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
        matrix = (a + a.conj().T) / np.sqrt(8.0 * n)
        return operator_tt_svd(matrix.reshape(modes + modes), 1e-14), matrix, 1.0
    n = int(rng.integers(2, int(np.log2(min(size, 512))) + 1))
    terms = [
        (float(rng.standard_normal()), {k: a, k + 1: b}) for k in range(n - 1) for a in (1, 2, 3) for b in (1, 2, 3)
    ]
    terms += [(0.5, {k: 2}) for k in range(n)]
    return *summed([np.array([np.eye(2), X, Y, Z])] * n, terms), 1.0


@kind
def trivial(rng: np.random.Generator, size: int) -> Drawn:
    """One to some tens of functions: zero, one, a flip, integers; modes of one function; up to all states."""
    modes = [int(rng.integers(1, 4)) for _ in range(int(rng.integers(1, 4)))]
    n = math.prod(modes)
    a = rng.standard_normal((n, n))
    matrix = [np.zeros((n, n)), np.eye(n), np.eye(n)[::-1], np.diag(rng.integers(0, 2, n) * 1.0), a + a.T]
    chosen = np.array(matrix[int(rng.integers(len(matrix)))], dtype=float)
    return operator_tt_svd(chosen.reshape(modes + modes), 1e-14), chosen, 1.0


def problem(seed: int, size: int = 1024, most: int = 8) -> Eigenproblem:
    """Problem number ``seed``: its kind in turn, of at most ``size`` functions, one in five scaled or shifted."""
    name = list(KINDS)[seed % len(KINDS)]
    rng = np.random.default_rng([seed, 2024])
    operator, matrix, unit = KINDS[name](rng, size)
    n_states = int(min(rng.integers(1, most + 1), len(matrix)))
    relative = float(rng.choice([1e-3, 1e-6]))
    chance = rng.random()
    if chance < 0.1:
        factor = 10.0 ** rng.uniform(-20.0, 20.0)
        operator, matrix, unit = operator * factor, matrix * factor, unit * factor
    elif chance < 0.2:
        shift = float(rng.choice([-1.0, 1.0])) * 10.0 ** rng.uniform(0.0, 6.0)
        operator, matrix = (
            operator + identity_operator(operator.row_shape) * shift,
            matrix + shift * np.eye(len(matrix)),
        )
    norm = float(np.linalg.norm(matrix, 2)) if len(matrix) <= 300 else float(np.abs(matrix).sum(axis=1).max())
    return Eigenproblem(name, operator, matrix, unit, n_states, max(relative * unit, 1e-11 * norm))


def verdict(given: Eigenproblem, solution: Solution) -> tuple[str, str]:
    """("right", ""), ("honest", status) or ("silent", what is wrong) for a solution of the problem."""
    if not solution.converged:
        return "honest", solution.status.name
    h, value = given.matrix, solution.value
    exact = np.linalg.eigvalsh(h)
    norm = max(abs(exact[0]), abs(exact[-1]))
    if len(value.energies) != given.n_states or not np.all(np.isfinite(value.energies)):
        return "silent", f"{len(value.energies)} of {given.n_states} levels"
    off = np.abs(value.energies - exact[: given.n_states])
    allowed = np.maximum(given.accuracy, value.errors) + 1e-12 * norm
    if np.any(off > allowed):
        return "silent", f"off by {off.max():.1e}, errors {np.max(value.errors):.1e}, accuracy {given.accuracy:.1e}"
    trains = [x.to_train() if isinstance(x, SectorTrain) else x for x in value.trains]
    vectors = np.array([x.full().ravel() for x in trains]).T
    gram = np.abs(vectors.conj().T @ vectors - np.eye(given.n_states)).max()
    if gram > 1e-2:
        return "silent", f"overlaps of {gram:.1e}"
    images = h @ vectors
    carried = np.abs(np.real(np.einsum("ij,ij->j", vectors.conj(), images)) - value.energies)
    if np.any(carried > allowed):
        return "silent", f"a state's energy is {carried.max():.1e} off its level"
    residual = np.linalg.norm(images - vectors * value.energies, axis=0)
    if np.any(residual > 3.0 * solution.residual + 1e-10 * norm):
        return "silent", f"residual {residual.max():.1e}, said to be {solution.residual.max():.1e}"
    return "right", ""
