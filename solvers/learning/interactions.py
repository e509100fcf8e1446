"""All interactions of the fields of a table, in one tensor train, fitted by alternating Newton steps.

    f_y(x) = sum_{i_1 ... i_d} W[i_1, ..., i_d, y] phi_1(x_1)[i_1] ... phi_d(x_d)[i_d]

Novikov, Trofimov, Oseledets, Exponential Machines, arXiv:1605.03795, eq. (1) to (4), with functions phi of mean zero
and without correlation (solvers.learning.fields), so that the coefficients are an analysis of variance.
The last mode y counts the scores.

    minimise  mean loss(f(x_s), y_s) + ridge / 2 (|W|^2 - sum_y W[0, ..., 0, y]^2)   over trains W of given ranks

The constants W[0, ..., 0, y] are free, so that nothing depends on where a target has its zero.

The paper descends along the manifold of trains with stochastic gradients. Here one core is fitted at a time, the others
being orthogonal: f and the constants are linear in it and |W| is its norm, so that the fit is convex, and

    1. from the left and right parts of every row, the design J of the core, (N, K, a n b);
    2. one Newton step: (mean J^T h J + ridge) step = - gradient, halved until the objective falls (squares: exact);
    3. the core orthogonalised and its factor handed on: sweeps to the right and to the left, until one gains little.

Cost of a step O(N K p^2 + p^3), p = a n b of a core of ranks a, b; memory of a design is bounded (CHUNK).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from solvers.learning import losses
from solvers.learning.losses import Loss

CHUNK = 1 << 22  # numbers of a design that are made at once
SUFFICIENT = 1e-4  # of the fall that the gradient promises: what a step must bring
HALVINGS = 30
PADDING = 0.3  # planted interactions of order 3 and 4 were found from every start at 0.3
FLOOR = 1e-14  # of the mean curvature, added to it: a core with more numbers than rows tell


@dataclass(frozen=True, eq=False)
class Interactions:
    """Cores (a, n, b) of the fields, then (a, K, 1) of the scores.

    ``objective``: mean loss with ridge; ``loss_value``: without; ``sweeps``: as many as were made; ``settled``: whether
    the last one gained little.
    """

    cores: tuple[np.ndarray, ...]
    loss: Loss
    objective: float = np.inf
    loss_value: float = np.inf
    sweeps: int = 0
    settled: bool = False

    @property
    def ranks(self) -> tuple[int, ...]:
        """TT-ranks after each field."""
        return tuple(core.shape[2] for core in self.cores[:-1])

    def scores(self, functions: Sequence[np.ndarray]) -> np.ndarray:
        """f (N, K) at functions phi_k (N, n_k)."""
        left = np.ones((len(functions[0]), 1))
        for core, phi in zip(self.cores, functions):
            left = _extended(left, core, phi)
        return left @ self.cores[-1][:, :, 0]


def feasible(sizes: Sequence[int], scores: int, rank: int) -> list[int]:
    """The d+2 ranks of a train of ``rank`` over fields of these sizes and a last mode of ``scores``."""
    shape = [*sizes, scores]
    ranks = [1] + [rank] * (len(shape) - 1) + [1]
    for k, n in enumerate(shape):
        ranks[k + 1] = min(ranks[k + 1], ranks[k] * n)
    for k in range(len(shape) - 1, -1, -1):
        ranks[k] = min(ranks[k], ranks[k + 1] * shape[k])
    return ranks


def linear_start(offset: np.ndarray, weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Cores of offset + sum_k phi_k[1:] . weights_k, weights (n_k - 1, K): a train of ranks 1 + K at most.

    The bond carries 'nothing yet', then the K sums so far.
    """
    count = len(offset)
    cores = []
    for k, w in enumerate(weights):
        core = np.zeros((1 + count, 1 + len(w), 1 + count))
        core[0, 0, 0] = 1.0
        core[0, 1:, 1:] = w
        core[range(1, 1 + count), 0, range(1, 1 + count)] = 1.0
        cores.append(core[:1] if k == 0 else core)
    last = np.zeros((1 + count, count, 1))
    last[0, :, 0] = offset
    last[range(1, 1 + count), range(count), 0] = 1.0
    return [*cores, last]


def padded(cores: Sequence[np.ndarray], ranks: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """The train with ranks raised to ``ranks``; new entries are normal numbers, ``PADDING`` of the core's own size, or
    of one in each column where the core is small."""
    found = []
    for k, core in enumerate(cores):
        a, n, b = core.shape
        shape = (max(a, ranks[k]), n, max(b, ranks[k + 1]))
        if shape == core.shape:
            found.append(core)
            continue
        size = max(float(np.linalg.norm(core)), 1.0) / np.sqrt(core.size)
        wider = PADDING * size * rng.standard_normal(shape)
        wider[:a, :, :b] = core
        found.append(wider)
    return found


def fit(
    functions: Sequence[np.ndarray],
    targets: np.ndarray,
    start: Interactions,
    *,
    ridge: float,
    sweeps: int = 60,
    tol: float = 1e-6,
) -> Interactions:
    """The train that ``start`` leads to, of its ranks; ``targets`` (N,) as of ``losses``.

    ``tol``: relative fall of the objective, over a sweep there and back, below which it has settled.
    """
    work = _Work(list(functions), targets, start, ridge)
    best = work.objective()
    done, settled = 0, False
    while done < sweeps and not settled:
        before = best
        best = work.sweep()
        done += 1
        settled = bool(before - best <= tol * abs(before))
    found = replace(start, cores=tuple(work.cores), objective=best, loss_value=best - work.penalty())
    return replace(found, sweeps=start.sweeps + done, settled=settled)


class _Work:
    """A train under way: cores right of the centre are right-orthogonal, those left of it left-orthogonal."""

    def __init__(self, functions: list[np.ndarray], targets: np.ndarray, start: Interactions, ridge: float) -> None:
        self.targets, self.ridge, self.loss = targets, ridge, start.loss
        # one row more, of no weight, where every function but the constant is zero: its scores are the constants
        self.functions = [np.concatenate([phi, np.eye(1, phi.shape[1])]) for phi in functions]
        self.cores = list(start.cores)
        self.rows, self.d = len(targets), len(functions)
        self.rights: list[np.ndarray] = [np.empty(0)] * (self.d + 1)  # of the fields from k on, (N + 1, b, K)
        self.left = np.ones((self.rows + 1, 1))
        for k in range(self.d, 0, -1):
            self._to_left(k)
            self.rights[k] = self._right(k)
        first = _extended(self.left, self.cores[0], self.functions[0])
        self.scores = np.einsum("sb,sbk->sk", first, self.rights[1])  # (N + 1, K)

    def penalty(self) -> float:
        """ridge / 2 times the squares of all but the constants; between sweeps the first core is the centre."""
        return self._penalty(self.cores[0], self.scores)

    def objective(self) -> float:
        return self._objective(self.cores[0], self.scores)

    def sweep(self) -> float:
        """To the right and back, each core fitted; the objective."""
        lefts = [self.left]
        for k in range(self.d):
            self._fit(k, lefts[k], self.rights[k + 1])
            self._to_right(k)
            lefts.append(_extended(lefts[k], self.cores[k], self.functions[k]))
        self._fit_last(lefts[self.d])
        for k in range(self.d, 0, -1):
            self._to_left(k)
            self.rights[k] = self._right(k)
            self._fit(k - 1, lefts[k - 1], self.rights[k])
        return self.objective()

    def _penalty(self, centre: np.ndarray, scores: np.ndarray) -> float:
        return 0.5 * self.ridge * max(float(np.sum(centre**2) - np.sum(scores[-1] ** 2)), 0.0)

    def _objective(self, centre: np.ndarray, scores: np.ndarray) -> float:
        return losses.value(self.loss, scores[:-1], self.targets) + self._penalty(centre, scores)

    def _right(self, k: int) -> np.ndarray:
        """The fields from ``k`` on with the scores, (N + 1, b, K), from those after it."""
        if k == self.d:
            return np.broadcast_to(self.cores[-1][:, :, 0], (self.rows + 1, *self.cores[-1].shape[:2]))
        core, phi, right = self.cores[k], self.functions[k], self.rights[k + 1]
        a, n, b = core.shape
        image = np.matmul(core.reshape(a * n, b), right).reshape(self.rows + 1, a, n, -1)
        return np.einsum("saik,si->sak", image, phi)

    def _fit(self, k: int, left: np.ndarray, right: np.ndarray) -> None:
        """One Newton step in core ``k``."""
        core = self.cores[k]
        front = (left[:, :, None] * self.functions[k][:, None, :]).reshape(self.rows + 1, -1)  # (N + 1, a n)
        of_scores = right.transpose(0, 2, 1)
        size, count = core.size, right.shape[2]
        each = max(1, CHUNK // (size * count))
        parts = [slice(s, min(s + each, self.rows)) for s in range(0, self.rows, each)]

        def design(part: slice) -> np.ndarray:
            """(N, K, p)"""
            return (front[part, None, :, None] * of_scores[part, :, None, :]).reshape(-1, count, size)

        whole = design(parts[0]) if len(parts) == 1 else None
        constants = design(slice(self.rows, None))[0]  # (K, p)
        gradient, weights = losses.derivatives(self.loss, self.scores[:-1], self.targets)
        slope = self.ridge * (core.ravel() - self.scores[-1] @ constants)
        curvature = -self.ridge * constants.T @ constants
        for part in parts:
            j = design(part) if whole is None else whole
            slope = slope + np.tensordot(gradient[part], j, 2) / self.rows
            curvature += _curvature(j, weights[part], self.loss) / self.rows
        step = _newton(curvature, slope, self.ridge)
        along = [(design(part) if whole is None else whole) @ step for part in parts]
        along.append((constants @ step)[None])
        self._step(k, step.reshape(core.shape), np.concatenate(along), float(slope @ step))

    def _fit_last(self, left: np.ndarray) -> None:
        """One Newton step in the core of the scores: its design is block diagonal in them."""
        core, rows, constant = self.cores[-1][:, :, 0], left[:-1], left[-1]
        size, count = core.shape
        gradient, weights = losses.derivatives(self.loss, self.scores[:-1], self.targets)
        slope = rows.T @ gradient / self.rows + self.ridge * (core - np.outer(constant, self.scores[-1]))
        curvature = np.zeros((size, count, size, count))
        for y in range(count):
            curvature[:, y, :, y] = (rows * weights[:, y, None]).T @ rows
        if self.loss == "softmax":
            spread = (rows[:, :, None] * weights[:, None, :]).reshape(self.rows, -1)
            curvature -= (spread.T @ spread).reshape(curvature.shape)
        curvature /= self.rows
        for y in range(count):
            curvature[:, y, :, y] -= self.ridge * np.outer(constant, constant)
        step = _newton(curvature.reshape(size * count, -1), slope.ravel(), self.ridge).reshape(core.shape)
        self._step(self.d, step[:, :, None], left @ step, float(np.sum(slope * step)))

    def _step(self, k: int, step: np.ndarray, along: np.ndarray, slope: float) -> None:
        """Take as much of ``step`` as lets the objective fall; ``along``: its scores, ``slope``: of the objective."""
        before = self._objective(self.cores[k], self.scores)
        length = 1.0
        for _ in range(HALVINGS):
            moved, scores = self.cores[k] + length * step, self.scores + length * along
            if self._objective(moved, scores) <= before + SUFFICIENT * length * slope:
                self.cores[k], self.scores = moved, scores
                return
            length *= 0.5

    def _to_right(self, k: int) -> None:
        a, n, b = self.cores[k].shape
        q, r = np.linalg.qr(self.cores[k].reshape(a * n, b))
        self.cores[k] = q.reshape(a, n, -1)
        self.cores[k + 1] = np.tensordot(r, self.cores[k + 1], 1)

    def _to_left(self, k: int) -> None:
        a, n, b = self.cores[k].shape
        q, r = np.linalg.qr(self.cores[k].reshape(a, n * b).T)
        self.cores[k] = q.T.reshape(-1, n, b)
        self.cores[k - 1] = np.tensordot(self.cores[k - 1], r.T, 1)


def _extended(left: np.ndarray, core: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """The fields up to one more, (N, b)."""
    a, n, b = core.shape
    return (left[:, :, None] * phi[:, None, :]).reshape(len(left), a * n) @ core.reshape(a * n, b)


def _curvature(j: np.ndarray, weights: np.ndarray, loss: Loss) -> np.ndarray:
    """sum_s J_s^T h_s J_s of a design (N, K, p)."""
    rows, count, size = j.shape
    flat = j.reshape(rows * count, size)
    if loss == "squared":
        return flat.T @ flat
    scaled = flat * np.sqrt(weights).reshape(-1, 1)
    found = scaled.T @ scaled
    if loss == "softmax":
        means = np.einsum("sk,skp->sp", weights, j)
        found -= means.T @ means
    return found


def _newton(curvature: np.ndarray, slope: np.ndarray, ridge: float) -> np.ndarray:
    """- (curvature + ridge)^-1 slope; directions that neither rows nor ridge tell of are left alone."""
    size = len(curvature)
    floor = FLOOR * float(np.trace(curvature)) / size
    matrix = curvature + (ridge + floor) * np.eye(size)
    try:
        return -cho_solve(cho_factor(matrix, check_finite=False), slope, check_finite=False)
    except np.linalg.LinAlgError:  # rounding made it indefinite
        values, vectors = np.linalg.eigh(curvature)
        kept = np.maximum(values, 0.0) + ridge + 1e-10 * max(float(values[-1]), 1e-300)
        return -vectors @ ((vectors.T @ slope) / kept)
