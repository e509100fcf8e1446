"""A x = w B x with B a product over the modes: a standard problem of the same TT-ranks.

B = B_1 x ... x B_d with B_k = L_k L_k^H (Cholesky): y = L^H x has (L^-1 A L^-H) y = w y, core by core. The mass
matrices of finite elements on a grid of products are of this kind. Cost O(d R^2 n^3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

PRODUCT = 1e-14  # relative distance from a product that counts as none


def factors_of(mass: TTOperator) -> list[np.ndarray] | None:
    """L_k of each mode; None where B is no product.

    Raises ValueError where it is one that is not positive definite.
    """
    product = mass if mass.max_rank == 1 else mass.round(PRODUCT)
    if product.max_rank > 1:
        return None
    found = []
    negative = 0
    for core in product.cores:
        b = core[0, :, :, 0]
        if np.real(np.trace(b)) < 0.0:
            b, negative = -b, negative + 1
        try:
            found.append(cholesky(0.5 * (b + b.conj().T), lower=True))
        except LinAlgError as error:
            raise ValueError("mass is not positive definite") from error
    if negative % 2:
        raise ValueError("mass is not positive definite: it is negative")
    return found


def standard(a: TTOperator, factors: Sequence[np.ndarray]) -> TTOperator:
    """L^-1 A L^-H."""
    cores = []
    for core, l in zip(a.cores, factors):
        r, n, _, s = core.shape
        half = solve_triangular(l, core.transpose(1, 0, 2, 3).reshape(n, -1), lower=True).reshape(n, r, n, s)
        half = half.conj().transpose(2, 1, 0, 3).reshape(n, -1)
        whole = solve_triangular(l, half, lower=True).reshape(n, r, n, s)  # j r i s
        cores.append(np.ascontiguousarray(whole.conj().transpose(1, 2, 0, 3)))
    return TTOperator(tuple(cores))


def back(y: TensorTrain, factors: Sequence[np.ndarray]) -> TensorTrain:
    """x = L^-H y."""
    cores = []
    for core, l in zip(y.cores, factors):
        r, n, s = core.shape
        flat = solve_triangular(l.conj().T, core.transpose(1, 0, 2).reshape(n, -1), lower=False)
        cores.append(np.ascontiguousarray(flat.reshape(n, r, s).transpose(1, 0, 2)))
    return TensorTrain(tuple(cores))
