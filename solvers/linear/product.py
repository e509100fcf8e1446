"""Compressed products A x and A B with the error measured, not assumed.

Randomise, then orthogonalise: the exact product, never formed, is contracted from the right with a Gaussian random
train of rank s; from the left each core is then the QR factor of (what is carried) x (sketch), and what is carried on
is its projection. The error of the result is measured by an independent sketch (solvers.linear.residual); while it is
above the tolerance the rank s is doubled. A last rounding trims the ranks.
Al Daas et al., SIAM J. Sci. Comput. 45, A74 (2023), algorithm 3.2. Cost O(d n R r s (r + s)) against O(d n (R r)^3) of
rounding the exact product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question, random_state, restore, stored_train, train_arrays
from solvers.formats.trains.chain import Chain, check_kind
from solvers.formats.trains.factorisations import qr_factors
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.linear.residual import SPREAD, sketched_residual
from solvers.solution import Callback, IterationState, Solution, Status
from solvers.sweeping.local_operator import OperatorCore, advance, half, mirrored
from solvers.threads import one_blas_thread

FIRST_RANK = 16
BESIDE = 8  # of the first sketch beside the rank of x, which a product of an operator near the identity keeps
EPS = float(np.finfo(float).eps)
SHARE = 0.3  # of the tolerance, for the sketch; the rest is for the last rounding


@one_blas_thread
def multiply(
    a: TTOperator | TensorTrain,
    x: TensorTrain | TTOperator,
    *,
    tol: float = 1e-8,
    max_rank: int = 1000,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = False,
) -> Solution:
    """A x (a train) or A B (an operator) with relative error ``tol`` in the Frobenius norm.

    Of two trains the product entry by entry, as ``x * y`` but never of ranks multiplied.

    ``checkpoint``: a file written after each sketch; where it exists the same call goes on from it.

    ``value``: the product; ``residual``: the relative error, measured before the last rounding and raised by what that
    cut, (1,); ``status``: CONVERGED, or RANK_LIMIT where ``max_rank`` did not allow the tolerance: a result is never
    silently worse. ``counts``: sketches;
    ``history``: one entry a sketch, residuals its relative error. Raises ValueError when shapes do not fit or ``tol``
    is not in (0, 1); NotConverged, with the solution, when ``throw``; CheckpointError, a ValueError, for a file that is
    damaged or of another product.
    """
    if not 0.0 < tol < 1.0:
        raise ValueError(f"tol must lie in (0, 1), not {tol!r}")
    check_kind("multiply", Chain, a, x)
    modes = x.shape if isinstance(x, TensorTrain) else x.row_shape
    if isinstance(a, TensorTrain) and not isinstance(x, TensorTrain):
        raise TypeError("a train is multiplied with a train: make an operator of it by quantics.diagonal")
    columns = a.shape if isinstance(a, TensorTrain) else a.column_shape
    if columns != modes:
        raise ValueError(f"columns {columns} do not fit modes {modes}")
    product = _Product(a, x, tol, max_rank, rng or np.random.default_rng(0))
    asked = None if checkpoint is None else Question([*a.cores, *x.cores], [repr((tol, max_rank))])
    return drive(product, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=tol)


class _Product:
    """Sketches of growing rank of one product, and what the last one projects it onto."""

    def __init__(
        self,
        a: TTOperator | TensorTrain,
        x: TensorTrain | TTOperator,
        tol: float,
        max_rank: int,
        rng: np.random.Generator,
    ) -> None:
        self.a, self.x, self.tol, self.max_rank, self.rng = a, x, tol, max_rank, rng
        dtype = np.result_type(a.dtype, x.dtype)
        self.columns = [1] * a.d if isinstance(x, TensorTrain) else list(x.column_shape)
        of = OperatorCore.diagonal if isinstance(a, TensorTrain) else OperatorCore.of
        self.operator = [_widened(of(core, dtype), m) for core, m in zip(a.cores, self.columns)]
        self.cores = [core.reshape(core.shape[0], -1, core.shape[-1]).astype(dtype) for core in x.cores]
        self.full = max(p * q for p, q in zip(a.ranks, x.ranks))
        self.rank = min(max(FIRST_RANK, max(x.ranks) + BESIDE), max_rank)
        self.sketches, self.over = 0, False
        self.error = self.size = 0.0  # of A x - y and of A x, in the Frobenius norm
        self.y: TensorTrain | None = None

    def steps(self) -> Iterator[IterationState]:
        """A sketch each, until its error is within its share, its rank at the cap, or nothing is cut."""
        while not self.over:
            self.sketches += 1
            cores = _project(self.operator, self.cores, min(self.rank, self.full), self.rng)
            self.y = TensorTrain(tuple(cores), self.a.d - 1)
            # where nothing is cut there are rounding errors only
            self.error = error = 0.0 if self.rank >= self.full else SPREAD * self._left(self.y)
            # y is a projection of A x: what is left is orthogonal to it
            self.size = float(np.hypot(self.y.norm(), error / SPREAD))
            self.over = error <= SHARE * self.tol * self.size or self.rank >= min(self.max_rank, self.full)
            self.rank = self.rank if self.over else min(2 * self.rank, self.max_rank)
            relative = np.array([error / (self.size or 1.0)])
            yield IterationState(self.sketches, "sketch", self.y.max_rank, 0.0, residuals=relative)

    def _left(self, y: TensorTrain) -> float:
        """||A x - y|| by a sketch of its own."""
        return sketched_residual(self.operator, self.cores, [core.copy() for core in y.cores], self.rng)

    def content(self) -> Content:
        """The rank of the next sketch, or the last one."""
        arrays: dict[str, np.ndarray] = {}
        data: dict[str, Any] = {"rank": self.rank, "sketches": self.sketches, "generator": random_state(self.rng)}
        if self.over and self.y is not None:
            arrays, data["y"] = train_arrays("y", self.y)
            data |= {"error": self.error, "size": self.size}
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on with the next sketch, or with the last one."""
        self.rank, self.sketches = data["rank"], data["sketches"]
        self.over = "y" in data
        if self.over:
            self.y = stored_train(arrays, "y", data["y"])
            self.error, self.size = data["error"], data["size"]
        restore(self.rng, data["generator"])

    def solution(self) -> Solution:
        """The last sketch rounded, with its error measured."""
        assert self.y is not None
        y, rounding = self.y.round_with_error(self.tol * (1.0 - SHARE), min(self.max_rank, self.full))
        measured = 0.0
        if self.size > 0.0:
            measured = (self.error + rounding * self.y.norm()) / self.size + EPS * self.a.d
        met = measured <= max(SPREAD * self.tol, 1e-14)
        value: TensorTrain | TTOperator = y
        if isinstance(self.a, TTOperator) and isinstance(self.x, TTOperator):
            value = TTOperator.of_train(y, self.a.row_shape, self.columns)
        status = Status.CONVERGED if met else Status.RANK_LIMIT
        return Solution(value, status, int(met), np.array([measured]), (), {"sketches": self.sketches}, {})


def _widened(core: OperatorCore, m: int) -> OperatorCore:
    """The core of A x 1, acting on a mode (n, m) taken as one."""
    if m == 1:
        return core
    entries = np.repeat(core.entries, m, axis=0)
    column = np.tile(np.arange(m), len(core.values))
    entries[:, 1] = entries[:, 1] * m + column
    entries[:, 2] = entries[:, 2] * m + column
    p, n2, n, q = core.dims
    return OperatorCore(entries, np.repeat(core.values, m), (p, n2 * m, n * m, q))


def _project(
    operator: Sequence[OperatorCore], x: Sequence[np.ndarray], rank: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Cores of the product projected from the left onto the range seen by a random train of ``rank``."""
    d, dtype = len(x), x[0].dtype
    mirror = [core.mirrored() for core in reversed(operator)]
    flipped = mirrored(x)
    sketches = [np.ones((1, 1, 1), dtype=dtype)]
    for k in range(d - 1):
        s, n = len(sketches[-1]), mirror[k].dims[1]
        bra = rng.standard_normal((s, n, rank)).astype(dtype) / np.sqrt(rank)
        sketches.append(advance(half(sketches[-1], mirror[k], flipped[k]), bra, mirror[k].dims[3]))
    cores = []
    carried = np.ones((1, 1, 1), dtype=dtype)
    for k in range(d - 1):
        h = half(carried, operator[k], x[k])  # (q n, beta b)
        sketch = sketches[d - 1 - k]  # (s, beta, b)
        q, _ = qr_factors(h @ sketch.reshape(len(sketch), -1).T)
        cores.append(q.reshape(len(carried), operator[k].dims[1], -1))
        carried = (q.conj().T @ h).reshape(q.shape[1], operator[k].dims[3], -1)
    cores.append(half(carried, operator[-1], x[-1]).reshape(len(carried), operator[-1].dims[1], 1))
    return cores
