"""``eig`` of a small space: the eigenvectors over all of it (solvers.eigen.general.small), as trains with their errors.

The eigenvalues are those of vectors, whose residual and whose rounding errors times the condition are the error; each
train is rounded as coarsely as its eigenvalue's error allows.
"""

from __future__ import annotations

import numpy as np

from solvers.eigen import explicit
from solvers.eigen.general import small
from solvers.eigen.general.order import Order
from solvers.eigen.general.states import EigenPairs, conditions_of
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Status

SAFETY = 3.0  # of the first-order bound: a defective eigenvalue of order two moves twice as far
EPS = float(np.finfo(float).eps)
ROUNDING = (1e-14, 1e-6)  # of a vector in its train, least and most
SHARE = 0.1  # of the accuracy, for that rounding
REAL = 1e-12  # of the largest entry: imaginary parts below it, of a vector turned to its largest entry, are roundings


def by_vectors(
    operator: TTOperator, n: int, order: Order, accuracy: float, max_rank: int, rng: np.random.Generator
) -> tuple[EigenPairs, dict[str, int]] | None:
    """The pairs and what was counted; None where the space is too large, or no way through it ends."""
    a = explicit.matrix(operator)
    if a is None:
        return None
    found = small.eigenpairs(a, n, order, rng)
    if found is None:
        return None
    take = order.cut(found.w, n, operator.dtype.kind != "c")
    w = found.w[:take]
    norm = float(np.sqrt(abs(a).sum(axis=0).max() * abs(a).sum(axis=1).max()))
    overlaps = np.einsum("ij,ij->j", found.left[:, :take].conj(), found.right[:, :take])
    conditions = conditions_of(overlaps)
    own = np.linalg.norm(a @ found.right[:, :take] - found.right[:, :take] * w, axis=0)
    errors = SAFETY * conditions * (own + EPS * norm)
    right: list[TensorTrain] = []
    left: list[TensorTrain] = []
    residuals = np.zeros((take, 2))
    capped = [False] * take
    for i in range(take):
        tol = float(np.clip(SHARE * accuracy / (conditions[i] * (norm or 1.0)), *ROUNDING))
        for side, v in enumerate(_phased(found.right[:, i], found.left[:, i])):
            x = tt_svd(v.reshape(operator.row_shape), tol)
            if x.max_rank > max_rank:
                x, capped[i] = x.round(0.0, max_rank), True
            x = x * (1.0 / x.norm())
            dense = x.full().ravel()
            image = a @ dense if side == 0 else a.conj().T @ dense
            residuals[i, side] = np.linalg.norm(image - (w[i] if side == 0 else np.conj(w[i])) * dense)
            (right, left)[side].append(x)
    statuses = [Status.CONVERGED if e <= accuracy else Status.PRECISION for e in errors]
    for i, cut in enumerate(capped):  # the eigenvalue is right, its train is not what it is called
        if cut and residuals[i].max() > accuracy:
            statuses[i] = Status.RANK_LIMIT
    completeness = "proved" if found.starts == 0 else f"searched {found.starts} times"
    value = EigenPairs(w, right, left, errors, conditions, residuals, statuses, completeness)
    return value, {"functions": a.shape[0], "random_starts": found.starts}


def _phased(right: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both real where they can be, and of a positive inner product."""
    r = real_if_it_is(right)
    overlap = np.vdot(left, r)
    l = real_if_it_is(left * (overlap / abs(overlap) if abs(overlap) > 0.0 else 1.0))
    overlap = np.vdot(l, r)
    if l.dtype.kind != "c" and r.dtype.kind != "c":
        return r, l * (-1.0 if overlap < 0.0 else 1.0)
    return r, l * np.exp(1j * np.angle(overlap))


def real_if_it_is(v: np.ndarray) -> np.ndarray:
    """The vector with real entries, where one phase makes all of them real."""
    if v.dtype.kind != "c":
        return v
    turned = v * np.exp(-1j * np.angle(v[np.argmax(np.abs(v))]))
    return np.ascontiguousarray(turned.real) if np.abs(turned.imag).max() < REAL * np.abs(turned).max() else v
