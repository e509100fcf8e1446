"""The canonical polyadic (CP) format: x[i1, ..., id] = sum_r U1[i1, r] ... Ud[id, r], and its arithmetic.

d modes of n points, R terms. Aliases: CANDECOMP, PARAFAC, separated representation. Kolda and Bader, SIAM Review 51,
455 (2009). A sum may have terms far larger than itself, which cancel: then its best approximation of R terms need not
exist (de Silva and Lim, SIAM J. Matrix Anal. Appl. 30, 1084 (2008)); ``term_norms`` and ``congruence`` tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Number

import numpy as np

from solvers.cards import Card, Fact, dimensions, size
from solvers.formats.trains.cores import MAX_FULL_SIZE, check_full_size, check_scalar
from solvers.formats.trains.factorisations import as_double, check_finite, frobenius, frozen
from solvers.formats.trains.tensor_train import TensorTrain

SMALL = 100_000  # entries of the core of triangular factors up to which norms are free of cancellation


@dataclass(frozen=True, eq=False)
class CPTensor(Card):
    """An immutable real CP tensor: ``factors``, d matrices (n_k, R); column r of all of them is a term.

    Raises ValueError for no factors, for shapes that do not fit, and for NaN or infinity.
    """

    factors: tuple[np.ndarray, ...]

    __array_ufunc__ = None  # numpy scalars leave ``scalar * tensor`` to the tensor

    def __post_init__(self) -> None:
        factors = [as_double(u, f"factor {k}") for k, u in enumerate(self.factors)]
        if not factors or any(u.ndim != 2 or u.size == 0 for u in factors):
            raise ValueError(f"needs matrices (n, R), none empty, not shapes {[u.shape for u in factors]}")
        if len({u.shape[1] for u in factors}) != 1:
            raise ValueError(f"all factors need as many columns, not {[u.shape[1] for u in factors]}")
        if any(u.dtype.kind == "c" for u in factors):
            raise ValueError("a CP tensor is real: give real and imaginary parts one by one")
        for k, u in enumerate(factors):
            check_finite(u, f"factor {k}")
        object.__setattr__(self, "factors", tuple(frozen(u, u.dtype) for u in factors))

    @property
    def d(self) -> int:
        """Number of modes."""
        return len(self.factors)

    @property
    def shape(self) -> tuple[int, ...]:
        """Mode sizes."""
        return tuple(len(u) for u in self.factors)

    @property
    def rank(self) -> int:
        """Number of terms."""
        return int(self.factors[0].shape[1])

    @property
    def size(self) -> int:
        """Stored numbers."""
        return sum(u.size for u in self.factors)

    def worded(self) -> list[Fact]:
        """Shape, terms, what is stored, and how far the terms cancel."""
        told = [("shape", dimensions(self.shape)), ("terms", str(self.rank)), ("stored", f"{self.size} entries")]
        largest, whole = float(self.term_norms().max()), self.norm()
        if whole > 0.0:
            told.append(("largest term", f"{size(largest / whole)} times the norm"))
        if self.rank > 1:
            told.append(("congruence", f"of two terms from {self.least_congruence():.3f} on"))
        return told

    def term_norms(self) -> np.ndarray:
        """The norm of each term, (R,)."""
        with np.errstate(over="ignore"):
            return np.prod([_column_norms(u) for u in self.factors], axis=0)

    def congruence(self) -> np.ndarray:
        """The cosine of the angle between every two terms, (R, R); -1: one is minus the other but for its size.

        Rows and columns of terms that are zero are zero. Cost d n R^2.
        """
        cosines = [_normalised(u) for u in self.factors]
        return reduce(np.multiply, (u.T @ u for u in cosines))

    def least_congruence(self) -> float:
        """The smallest congruence of two different terms; 1 where there is one alone."""
        if self.rank == 1:
            return 1.0
        return float(self.congruence()[~np.eye(self.rank, dtype=bool)].min())

    def norm(self) -> float:
        """The 2-norm of all entries: from triangular factors while their core has at most 100,000 entries, which is
        exact where terms cancel, else from Gram matrices, exact to 1e-8 of the largest term. Cost d n R^2."""
        units = [np.asarray(np.linalg.qr(_normalised(u), mode="r")) for u in self.factors]
        sizes = self._log_norms()
        top = float(sizes.max())
        if top == -math.inf:
            return 0.0
        weights = np.exp(sizes - top)
        if math.prod(len(u) for u in units) <= SMALL:
            whole = frobenius(_summed([units[0] * weights, *units[1:]]))
        else:
            whole = math.sqrt(max(0.0, float(weights @ self.congruence() @ weights)))
        with np.errstate(over="ignore"):
            return whole * float(np.exp(top))

    def _log_norms(self) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.sum([np.log(_column_norms(u)) for u in self.factors], axis=0)

    def balanced(self) -> CPTensor:
        """The same tensor with the norm of each term shared alike by its columns."""
        shares = np.exp(self._log_norms() / self.d)
        return CPTensor(tuple(_normalised(u) * shares for u in self.factors))

    def __neg__(self) -> CPTensor:
        return self * -1.0

    def __add__(self, other: CPTensor) -> CPTensor:
        """Sum: the terms of both. Raises ValueError for different shapes."""
        if not isinstance(other, CPTensor):
            return NotImplemented
        _same_shape(self, other)
        return CPTensor(tuple(np.hstack(pair) for pair in zip(self.factors, other.factors, strict=True)))

    def __sub__(self, other: CPTensor) -> CPTensor:
        if not isinstance(other, CPTensor):
            return NotImplemented
        return self + -other

    def __mul__(self, other: CPTensor | float) -> CPTensor:
        """Times a number, or entry by entry with a tensor (the numbers of terms multiply)."""
        if isinstance(other, CPTensor):
            _same_shape(self, other)
            products = [
                (u[:, :, None] * v[:, None, :]).reshape(len(u), -1)
                for u, v in zip(self.factors, other.factors, strict=True)
            ]
            return CPTensor(tuple(products))
        if not isinstance(other, Number) or isinstance(other, complex):
            return NotImplemented
        check_scalar(other)
        return CPTensor((self.factors[0] * other, *self.factors[1:]))

    __rmul__ = __mul__

    def entries(self, indices: np.ndarray) -> np.ndarray:
        """Entries (m,) at multi-indices (m, d), integers from 0. Cost m d R. Raises IndexError outside the tensor."""
        indices = np.asarray(indices)
        if indices.ndim != 2 or indices.shape[1] != self.d or indices.dtype.kind not in "iu":
            raise ValueError(f"indices must be integers of shape (m, {self.d}), not {indices.dtype} {indices.shape}")
        if indices.size and not ((indices >= 0) & (indices < np.array(self.shape))).all():
            raise IndexError(f"an index lies outside the tensor of shape {self.shape}")
        return reduce(np.multiply, (u[i] for u, i in zip(self.factors, indices.T, strict=True))).sum(axis=1)

    def full(self, max_size: int = MAX_FULL_SIZE) -> np.ndarray:
        """All entries; ValueError above ``max_size`` of them. Cost N R for N entries."""
        check_full_size(self.shape, max_size)
        return _summed(self.factors)

    def to_train(self) -> TensorTrain:
        """The train of TT-ranks R, exact: diagonal cores."""
        if self.d == 1:
            return TensorTrain((self.factors[0].sum(axis=1)[None, :, None],))
        first, *middle, last = self.balanced().factors
        diagonal = np.eye(self.rank)
        cores = [np.einsum("nr,rs->rns", u, diagonal) for u in middle]
        return TensorTrain((first[None], *cores, last.T[:, :, None]))


def dot(x: CPTensor, y: CPTensor) -> float:
    """The sum of x times y over all entries. Cost d n R^2. Raises ValueError for different shapes."""
    _same_shape(x, y)
    return float(reduce(np.multiply, (u.T @ v for u, v in zip(x.factors, y.factors, strict=True))).sum())


def khatri_rao(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Products of the rows of all matrices (n_k, R), the last index fastest: (n_1 ... n_m, R)."""
    return reduce(lambda a, b: (a[:, None, :] * b[None, :, :]).reshape(-1, a.shape[1]), factors)


def _summed(factors: Sequence[np.ndarray]) -> np.ndarray:
    first, *rest = factors
    if not rest:
        return first.sum(axis=1)
    return (first @ khatri_rao(rest).T).reshape([len(u) for u in factors])


def _column_norms(matrix: np.ndarray) -> np.ndarray:
    """Norms of columns, without overflow or underflow of the squares."""
    top = np.abs(matrix).max(axis=0)
    safe = np.where(top > 0.0, top, 1.0)
    return top * np.linalg.norm(matrix / safe, axis=0)


def _normalised(matrix: np.ndarray) -> np.ndarray:
    norms = _column_norms(matrix)
    return matrix / np.where(norms > 0.0, norms, 1.0)


def _same_shape(x: CPTensor, y: CPTensor) -> None:
    if x.shape != y.shape:
        raise ValueError(f"tensors of shapes {x.shape} and {y.shape} do not fit together")
