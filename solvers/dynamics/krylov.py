"""The exponential of a local operator, and of the operator on a bond, between environments.

Layouts as in solvers.sweeping.local_operator: left (a', alpha, a), right (beta, b, b'), core x (a, n, b). The operator
on a bond matrix (a, b) is that of a core of mode size one whose operator core passes every alpha on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.kernels.exponential import exponential
from solvers.sweeping.local_operator import OperatorCore


@dataclass(frozen=True)
class Local:
    """exp(scale K) x as found: ``value``, operator products, estimated error (2-norm, absolute)."""

    value: np.ndarray
    products: int
    error: float


def local_exponential(
    left: np.ndarray,
    core: OperatorCore,
    right: np.ndarray,
    x: np.ndarray,
    scale: complex,
    tol: float,
    *,
    hermitian: bool,
    dimension: int,
    shift: complex = 0.0,
) -> Local:
    """exp(scale (K - shift)) x to an error of about ``tol`` (2-norm, absolute).

    All arrays are of one dtype; a complex ``scale`` needs complex arrays. ``dimension``: largest Krylov space. Cost: a
    product and O(m) vector operations for each of the m vectors of the space.
    """
    a2, p, a = left.shape
    q, b, b2 = right.shape
    dims = (a2, p, a, core.dims[1], core.dims[2], q, b, b2)
    number = x.dtype.type(scale)
    y, products, error = exponential(
        left.reshape(a2 * p, a),
        core.entries,
        core.values,
        right.reshape(q * b, b2),
        np.ascontiguousarray(x).reshape(-1),
        number,
        x.dtype.type(shift),
        float(tol),
        hermitian,
        dimension,
        dims,
    )
    return Local(y.reshape(a2, core.dims[1], b2), products, error)


def bond_core(rank: int, dtype: np.dtype) -> OperatorCore:
    """The operator core (R, 1, 1, R) of a bond of an operator of rank R: the identity."""
    index = np.arange(rank, dtype=np.int64)
    entries = np.zeros((rank, 4), dtype=np.int64)
    entries[:, 0] = entries[:, 3] = index
    return OperatorCore(entries, np.ones(rank, dtype=dtype), (rank, 1, 1, rank))
