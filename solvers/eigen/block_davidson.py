"""The lowest eigenpairs of a local operator by block Davidson steps with a strong preconditioner.

    t_j = -(I - Z X^T) M_j^-1 r_j,  Z = M_j^-1 X (X^T M_j^-1 X)^-1,   r_j = H x_j - e_j x_j

M_j is the diagonal minus e_j, with the exact block of the local operator on the indices of lowest diagonal (in the
mean-field gauge of solvers.sectors.environments these carry nearly all of the wanted vectors). The projector (Olsen's
correction for a block) removes the nearly singular directions of M_j, which are the wanted vectors themselves.
The subspace grows by the corrections of the unconverged vectors and is never restarted: a sweep needs few steps.

Davidson, J. Comput. Phys. 17, 87 (1975); Olsen, Jorgensen, Simons, Chem. Phys. Lett. 169, 463 (1990).
Vectors are rows. Cost a step: m products and O(N (m steps)^2) for m vectors of length N.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.kernels import local as kernels
from solvers.sectors.environments import LocalOperator


class TooNarrow(ValueError):
    """``count`` states, buffer and both copies of a complex one among them, do not fit into a space of ``size``."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__(f"{count} states do not fit into a local space of {size}: raise max_rank")
        self.count, self.size = count, size


@dataclass(frozen=True)
class LocalPairs:
    """Ritz values (m,) ascending, orthonormal Ritz vectors (m, N), residual norms (m,), products taken."""

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    products: int


class _Preconditioner:
    def __init__(self, local: LocalOperator, model: int) -> None:
        self.diagonal = local.diagonal()
        size = min(model, local.size)
        self.selected = np.sort(np.argpartition(self.diagonal, size - 1)[:size])
        block = kernels.model_matrix(self.selected, *local.arguments[:6])
        self.values, self.vectors = np.linalg.eigh(0.5 * (block + block.T))
        self.scale = max(float(np.median(self.diagonal) - self.diagonal.min()), 1e-300)

    def inverse(self, rows: np.ndarray, energy: float) -> np.ndarray:
        """M^-1 of every row; denominators are kept away from zero with their sign."""
        floor = 1e-3 * self.scale
        outside, inside = self.diagonal - energy, self.values - energy
        outside = np.maximum(outside, 10.0 * floor)  # the lowest diagonals are inside
        inside = np.where(np.abs(inside) < floor, np.copysign(floor, inside), inside)
        out = rows / outside
        part = rows[:, self.selected] @ self.vectors
        out[:, self.selected] = (part / inside) @ self.vectors.T
        return out


def orthonormal(rows: np.ndarray, against: np.ndarray | None = None, drop: float = 1e-9) -> np.ndarray:
    """Orthonormal rows spanning ``rows`` outside ``against`` (orthonormal); dependent ones are dropped."""
    for _ in range(2):
        norms = np.linalg.norm(rows, axis=1)
        rows = rows[norms > 1e-200] / norms[norms > 1e-200, None]
        if against is not None:
            rows = rows - (rows @ against.T) @ against
        weights, mix = np.linalg.eigh(rows @ rows.T)
        good = weights > drop * drop if against is None else weights > max(drop * drop, 1e-14)
        rows = (mix[:, good] / np.sqrt(weights[good])).T @ rows
    return rows


def _products(local: LocalOperator, rows: np.ndarray) -> np.ndarray:
    out = np.zeros_like(rows)
    for x, y in zip(rows, out):
        kernels.apply(x, y, *local.arguments)
    return out


def davidson(
    local: LocalOperator, start: np.ndarray, count: int, tol: float, steps: int, model: int, rng: np.random.Generator
) -> LocalPairs:
    """The ``count`` lowest eigenpairs from the rows of ``start`` (independent or not, fewer or more than ``count``).

    Stops when every residual norm is at most ``tol`` or after ``steps``. Small problems are solved densely. Raises
    TooNarrow where the space is smaller than ``count`` and FloatingPointError for NaN or infinity.
    """
    if local.size < count:
        raise TooNarrow(count, local.size)
    if local.size <= max(model, 2 * count):
        return _dense(local, count)
    preconditioner = _Preconditioner(local, max(model, count))
    v = orthonormal(start) if len(start) else start
    if len(v) < count:
        guess = np.zeros((count - len(v), local.size))
        guess[:, preconditioner.selected] = preconditioner.vectors[:, : count - len(v)].T
        guess += 1e-3 / np.sqrt(local.size) * rng.standard_normal(guess.shape)
        v = np.concatenate([v, orthonormal(guess, v if len(v) else None)])
    av = _products(local, v)
    products = len(v)
    for step in range(steps + 1):
        small = v @ av.T
        if not np.all(np.isfinite(small)):
            raise FloatingPointError("the local eigenproblem produced NaN or infinity")
        values, c = np.linalg.eigh(0.5 * (small + small.T))
        values, c = values[:count], c[:, :count].T
        x, ax = c @ v, c @ av
        r = ax - values[:, None] * x
        norms = np.linalg.norm(r, axis=1)
        active = np.flatnonzero(norms > tol)
        if len(active) == 0 or step == steps:
            break
        corrections = np.empty((len(active), local.size))
        for i, j in enumerate(active):
            m = preconditioner.inverse(np.concatenate([r[j : j + 1], x]), values[j])
            corrections[i] = np.linalg.lstsq(m[1:] @ x.T, x @ m[0], rcond=1e-12)[0] @ m[1:] - m[0]
        t = orthonormal(corrections, v)
        if len(t) == 0:
            break
        at = _products(local, t)
        products += len(t)
        v, av = np.concatenate([v, t]), np.concatenate([av, at])
    return LocalPairs(values, orthonormal_in_place(x), norms, products)


def orthonormal_in_place(x: np.ndarray) -> np.ndarray:
    """Rows that are orthonormal up to round-off made so again, changed as little as possible."""
    return x + 0.5 * (x - (x @ x.T) @ x)


def _dense(local: LocalOperator, count: int) -> LocalPairs:
    matrix = kernels.model_matrix(np.arange(local.size), *local.arguments[:6])
    if not np.all(np.isfinite(matrix)):
        raise FloatingPointError("the local eigenproblem produced NaN or infinity")
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return LocalPairs(values[:count], np.ascontiguousarray(vectors[:, :count].T), np.zeros(count), 0)
