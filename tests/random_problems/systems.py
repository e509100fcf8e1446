"""Random linear systems with an exact judge: kinds drawn by seed, solved, compared with dense residuals.

``python tests/random_problems/systems.py KIND FIRST COUNT [off]`` prints what is not right; ``off`` switches full
vectors off, so that the sweeps and the residual minimisation are judged alone.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np

import solvers.linear.task as linear
from solvers.formats.trains.construct import (
    identity_operator,
    kronecker_sum,
    ones,
    random_train,
    rank_one_operator,
    unit,
)
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.solve import solve
from solvers.methods import DMRG, AMEn
from solvers.solution import Status

MOST = 900  # unknowns
ROUNDING = 1e-13  # of ||A|| ||x|| / ||b||
SINGULAR = 1e12  # conditions above may be called singular


@dataclass
class Judged:
    """``fault``: empty, or silent, worse than zero, false (a statement that is not true), residual (understated)."""

    seed: int
    kind: str
    status: Status
    condition: float
    residual: float
    accuracy: float
    seconds: float
    fault: str

    @property
    def honest(self) -> bool:
        """Not converged although it could be."""
        return self.status is not Status.CONVERGED and self.status is not Status.SINGULAR


def _shape(rng, least=2, modes=(2, 5)):
    n = list(rng.integers(least, 9, int(rng.integers(*modes, endpoint=True))))
    while np.prod(n) > MOST:
        n[int(np.argmax(n))] -= 1
    return [int(k) for k in n]


def _random(rng, shape, rank, complex_=False):
    ranks = [1, *rng.integers(1, rank + 1, len(shape) - 1), 1]
    cores = []
    for n, p, q in zip(shape, ranks, ranks[1:]):
        core = rng.standard_normal((p, n, n, q))
        cores.append(core + 1j * rng.standard_normal(core.shape) if complex_ else core)
    a = TTOperator(tuple(cores))
    return a * (np.sqrt(np.prod(shape)) / a.norm())


def gaussian(rng):
    """Random cores, alone or with a multiple of one; real or complex."""
    shape = _shape(rng)
    a = _random(rng, shape, 4, rng.random() < 0.4)
    return a + identity_operator(shape) * float(rng.choice([0.0, 0.3, 2.0]))


def definite(rng):
    """A A^H + c."""
    shape = _shape(rng)
    a = _random(rng, shape, 3, rng.random() < 0.3)
    return a @ a.adjoint() + identity_operator(shape) * 10.0 ** rng.uniform(-6, 0)


def orthogonal(rng):
    """Permutations of every mode, random orthogonal factors, two of them, plus one."""
    shape = _shape(rng)
    kinds = (lambda n: np.eye(n)[rng.permutation(n)], lambda n: np.linalg.qr(rng.standard_normal((n, n)))[0])
    make = kinds[int(rng.integers(2))]
    a = rank_one_operator([make(n) for n in shape])
    if rng.random() < 0.5:
        a = a + rank_one_operator([make(n) for n in shape]) * float(rng.uniform(0.2, 0.9))
    return a


def indefinite(rng):
    """Kronecker sums of second differences, convection and a shift inside the spectrum, complex in part."""
    parts = []
    for n in _shape(rng):
        second = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
        parts.append(second + float(rng.choice([0.0, 0.7])) * (np.eye(n, k=1) - np.eye(n, k=-1)))
    shape = [len(part) for part in parts]
    shift = rng.uniform(0.0, 4.0) * len(parts) + 1j * float(rng.choice([0.0, 0.0, 0.1]))
    return kronecker_sum(parts) - identity_operator(shape) * (shift if shift.imag else shift.real)


def singular(rng):
    """A mode with a null vector, in a product or a Kronecker sum; the right-hand side may lie in the range."""
    shape = _shape(rng)
    parts = []
    for n in shape:
        m = rng.standard_normal((n, n))
        parts.append(m + m.T)
    w, v = np.linalg.eigh(parts[0])
    w[0] = 0.0
    parts[0] = (v * w) @ v.T
    return rank_one_operator(parts)


def graded(rng):
    """Diagonals spread over decades, and a random part as small as the smallest."""
    shape = _shape(rng)
    decades = rng.uniform(0, 9)
    parts = [np.diag(10.0 ** -rng.uniform(0, decades / len(shape), n)) for n in shape]
    return rank_one_operator(parts) + _random(rng, shape, 2) * (float(rng.choice([0.0, 0.3])) * 10.0**-decades)


def scaled(rng):
    """Any of the regular kinds with entries near the ends of the number range."""
    a = KINDS[str(rng.choice(["gaussian", "definite", "orthogonal", "indefinite"]))](rng)
    return a * 10.0 ** float(rng.choice([-250, -150, 120, 200]))


def one_mode(rng):
    """A single dense matrix; modes of size one beside it."""
    n = int(rng.integers(1, 120))
    m = rng.standard_normal((n, n))
    shape = [np.eye(1), m] if rng.random() < 0.5 else [m]
    return rank_one_operator(shape)


KINDS = {f.__name__: f for f in (gaussian, definite, orthogonal, indefinite, singular, graded, scaled, one_mode)}


def _side(rng, a: TTOperator) -> TensorTrain:
    shape, how = a.row_shape, int(rng.integers(4))
    dtype = np.complex128 if a.dtype.kind == "c" else np.float64
    if how == 0:
        return a @ random_train(shape, int(rng.integers(1, 4)), rng, dtype)
    if how == 1:
        return random_train(shape, int(rng.integers(1, 4)), rng, dtype)
    return ones(shape) if how == 2 else unit(shape, [int(rng.integers(n)) for n in shape])


def judge(kind: str, seed: int) -> Judged:
    """Draw, solve and compare one system."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind), 13])
    a = KINDS[kind](rng)
    b = _side(rng, a)
    accuracy = float(rng.choice([1e-4, 1e-6, 1e-8, 1e-10]))
    method = DMRG() if rng.random() < 0.3 else AMEn()
    begun = time.process_time()
    solution = solve(a, b, method=method, accuracy=accuracy, throw=False)
    seconds = time.process_time() - begun
    matrix, f, x = a.full(), b.full().reshape(-1), solution.value.full().reshape(-1)
    size, top = np.abs(f).max(), np.abs(matrix).max()
    matrix, f, x = matrix / top, f / size, x * (top / size)
    f, x = f / np.linalg.norm(f), x / np.linalg.norm(f)
    s = np.linalg.svd(matrix, compute_uv=False)
    condition = float(s[0] / s[-1]) if s[-1] > 0.0 else np.inf
    residual = float(np.linalg.norm(f - matrix @ x))
    floor = ROUNDING * float(s[0] * np.linalg.norm(x))
    said = float(solution.residual[0])
    fault = ""
    if solution.converged and not residual <= accuracy * 1.01 + floor:
        fault = "silent"
    elif not residual <= 1.0 + 1e-12 + floor:
        fault = "worse than zero"
    elif not residual <= 2.0 * said + 10.0 * floor:
        fault = "residual"
    elif solution.status is Status.SINGULAR and condition < SINGULAR:
        fault = "false"
    elif solution.status is Status.CONTRADICTED or not all(one.passed for one in solution.checked):
        fault = "contradicted"
    return Judged(seed, kind, solution.status, condition, residual, accuracy, seconds, fault)


def possible(one: Judged) -> bool:
    """Whether double precision allows the accuracy whatever the right-hand side."""
    return one.condition * 1e-15 < one.accuracy


if __name__ == "__main__":
    if sys.argv[4:] == ["off"]:
        linear.DIRECT_FIRST = linear.DIRECT_LAST = 0
    for name in KINDS if sys.argv[1] == "all" else [sys.argv[1]]:
        rows = [judge(name, seed) for seed in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3]))]
        for row in rows:
            if row.fault or row.honest or row.seconds > 10.0:
                print(row)
        print(name, len(rows), "faults", sum(bool(r.fault) for r in rows), "honest", sum(r.honest for r in rows))
