"""Compressed products A x and A B with the error measured, not assumed.

Randomise, then orthogonalise: the exact product, never formed, is contracted from the right with a Gaussian random
train of rank s; from the left each core is then the QR factor of (what is carried) x (sketch), and what is carried on
is its projection. The error of the result is measured by an independent sketch (solvers.linear.residual); while it is
above the tolerance the rank s is doubled. A last rounding trims the ranks.
Al Daas et al., SIAM J. Sci. Comput. 45, A74 (2023), algorithm 3.2. Cost O(d n R r s (r + s)) against O(d n (R r)^3) of
rounding the exact product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from solvers.linear.residual import SPREAD, sketched_residual
from solvers.local_operator import OperatorCore, advance, half, mirrored
from solvers.solution import Solution, Status
from solvers.trains.factorisations import qr_factors
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

FIRST_RANK = 16
SHARE = 0.3  # of the tolerance, for the sketch; the rest is for the last rounding


@overload
def multiply(
    a: TTOperator, x: TensorTrain, *, tol: float = ..., max_rank: int = ..., rng: np.random.Generator | None = ...
) -> Solution: ...


@overload
def multiply(
    a: TTOperator, x: TTOperator, *, tol: float = ..., max_rank: int = ..., rng: np.random.Generator | None = ...
) -> Solution: ...


def multiply(
    a: TTOperator,
    x: TensorTrain | TTOperator,
    *,
    tol: float = 1e-8,
    max_rank: int = 1000,
    rng: np.random.Generator | None = None,
) -> Solution:
    """A x (a train) or A B (an operator) with relative error ``tol`` in the Frobenius norm.

    ``value``: the product; ``residual``: the relative error as measured, (1,); ``status``: CONVERGED, or RANK_LIMIT
    where ``max_rank`` did not allow the tolerance: a result is never silently worse. ``counts``: sketches.
    Raises ValueError when shapes do not fit or ``tol`` is not in (0, 1).
    """
    if not 0.0 < tol < 1.0:
        raise ValueError(f"tol must lie in (0, 1), not {tol!r}")
    modes = x.shape if isinstance(x, TensorTrain) else x.row_shape
    if a.column_shape != modes:
        raise ValueError(f"columns {a.column_shape} do not fit modes {modes}")
    rng = rng or np.random.default_rng(0)
    dtype = np.result_type(a.dtype, x.dtype)
    columns = [1] * a.d if isinstance(x, TensorTrain) else list(x.column_shape)
    operator = [_widened(OperatorCore.of(core, dtype), m) for core, m in zip(a.cores, columns)]
    cores = [core.reshape(core.shape[0], -1, core.shape[-1]).astype(dtype) for core in x.cores]
    zero = [np.zeros((1, core.dims[1], 1), dtype=dtype) for core in operator]
    size = sketched_residual(operator, cores, zero, rng)
    rank, sketches, error = FIRST_RANK, 0, 0.0
    full = max(p * q for p, q in zip(a.ranks, x.ranks))
    while True:
        sketches += 1
        y = TensorTrain(tuple(_project(operator, cores, min(rank, full), rng)), a.d - 1)
        if rank >= full:  # nothing is cut: exact but for rounding errors
            break
        error = SPREAD * sketched_residual(operator, cores, [core.copy() for core in y.cores], rng)
        if error <= SHARE * tol * size or rank >= max_rank:
            break
        rank = min(2 * rank, max_rank)
    y, _ = y.round_with_error(tol * (1.0 - SHARE), min(max_rank, full))
    plain = [core.copy() for core in y.cores]
    measured = SPREAD * sketched_residual(operator, cores, plain, rng) / size if size > 0.0 else 0.0
    met = measured <= max(SPREAD * tol, 1e-14)
    value = y if isinstance(x, TensorTrain) else _as_operator(y, a.row_shape, columns)
    status = Status.CONVERGED if met else Status.RANK_LIMIT
    return Solution(value, status, int(met), np.array([measured]), (), {"sketches": sketches}, {})


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


def _as_operator(y: TensorTrain, rows: Sequence[int], columns: Sequence[int]) -> TTOperator:
    return TTOperator(
        tuple(core.reshape(core.shape[0], n, m, core.shape[2]) for core, n, m in zip(y.cores, rows, columns))
    )
