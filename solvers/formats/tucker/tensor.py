"""The Tucker format: x[i, j, k] = sum_abc G[a, b, c] U[i, a] V[j, b] W[k, c], and its arithmetic.

For few axes of many points each (three of 2^8 to 2^15): an axis stays a dense matrix of n rows, so that transforms
along it are plain FFTs of r columns. Letters: d axes of n points, Tucker ranks r. Sums are rounded by QR of the joined
factors and the higher-order SVD of the core (De Lathauwer, De Moor, Vandewalle, SIAM J. Matrix Anal. Appl. 21, 1253
(2000)): the error is at most that asked for, quasi-optimal within sqrt(d). Cost of a sum of joined ranks R:
d n R^2 + d R^(d+1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.contraction import modes
from solvers.formats.trains.cores import MAX_FULL_SIZE, as_scalar, check_full_size
from solvers.formats.trains.factorisations import as_double, check_finite, frobenius, frozen
from solvers.formats.trains.indexing import Key
from solvers.formats.trains.permutation import goals_of
from solvers.formats.tucker.arithmetic import added, indexed, multiplied

Rows = np.ndarray | slice
EXACT = 1e-14  # singular values below this share of the largest are noise
WIDE = 3  # a matrix so many times wider than tall is reduced by QR before its SVD


@dataclass(frozen=True, eq=False)
class TuckerTensor(Card):
    """An immutable Tucker tensor, real or complex.

    ``core`` (r_1, ..., r_d) and ``factors``, d matrices (n_m, r_m), of any columns. Arithmetic as of trains.
    Raises ValueError where the shapes do not fit, and for NaN or infinity.
    """

    core: np.ndarray
    factors: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        core, factors = as_double(self.core, "the core"), [as_double(u, "a factor") for u in self.factors]
        if core.ndim != len(factors) or any(u.ndim != 2 for u in factors):
            raise ValueError(f"a core of {core.ndim} axes needs as many factor matrices, not {len(factors)}")
        if any(u.shape[1] != r for u, r in zip(factors, core.shape, strict=True)):
            raise ValueError(f"the factors have {[u.shape[1] for u in factors]} columns, the core has {core.shape}")
        for array in (core, *factors):
            check_finite(array, "a Tucker tensor")
        object.__setattr__(self, "core", frozen(core, core.dtype))
        object.__setattr__(self, "factors", tuple(frozen(u, u.dtype) for u in factors))

    def worded(self) -> list[Fact]:
        """Shape, ranks and how much is stored."""
        stored = self.core.size + sum(factor.size for factor in self.factors)
        return [("shape", dimensions(self.shape)), ("Tucker ranks", ranks(self.ranks)), ("entries", str(stored))]

    @property
    def shape(self) -> tuple[int, ...]:
        """Points an axis."""
        return tuple(len(u) for u in self.factors)

    @property
    def ranks(self) -> tuple[int, ...]:
        """Tucker ranks."""
        return self.core.shape

    @property
    def max_rank(self) -> int:
        """The largest Tucker rank."""
        return max(self.ranks)

    @property
    def size(self) -> int:
        """Stored numbers."""
        return self.core.size + sum(u.size for u in self.factors)

    @property
    def d(self) -> int:
        """Number of modes."""
        return len(self.factors)

    @property
    def dtype(self) -> np.dtype:
        return np.result_type(self.core, *self.factors)

    __array_ufunc__ = None  # numpy scalars leave ``scalar * x`` to the tensor

    def __neg__(self) -> TuckerTensor:
        return self * -1.0

    def __add__(self, other: TuckerTensor | complex) -> TuckerTensor:
        """Sum with a tensor, ranks added, or with a scalar; shapes are broadcast as numpy's. ``combine`` rounds too.

        Cost: the core of the sum, (r + s)^d. Raises ValueError for other shapes, NaN or infinity.
        """
        number = as_scalar(other)
        if number is None and not isinstance(other, TuckerTensor):
            return NotImplemented
        if number == 0.0:
            return self
        y = other if isinstance(other, TuckerTensor) else constant(self.shape, number or 0.0)
        return TuckerTensor(*added((self.core, self.factors), (y.core, y.factors)))

    __radd__ = __add__

    def __sub__(self, other: TuckerTensor | complex) -> TuckerTensor:
        number = as_scalar(other)
        if number is None and not isinstance(other, TuckerTensor):
            return NotImplemented
        return self + (-other if number is None else -number)

    def __rsub__(self, other: complex) -> TuckerTensor:
        return -self + other

    def __mul__(self, other: TuckerTensor | complex) -> TuckerTensor:
        """Times a scalar, or the Hadamard product with a tensor (ranks multiply), shapes broadcast as numpy's."""
        if isinstance(other, TuckerTensor):
            return TuckerTensor(*multiplied((self.core, self.factors), (other.core, other.factors)))
        number = as_scalar(other)
        return NotImplemented if number is None else TuckerTensor(self.core * number, self.factors)

    __rmul__ = __mul__

    def __truediv__(self, other: complex) -> TuckerTensor:
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        if number == 0:
            raise ZeroDivisionError("division of a Tucker tensor by zero")
        return self * (1.0 / number)

    def __getitem__(self, key: Key) -> TuckerTensor | complex:
        """x[1, :, 2]: as an array of numpy, exact; a number where no mode is left.  Errors as of a train."""
        core, factors = indexed(self.core, self.factors, key)
        return TuckerTensor(core, tuple(factors)) if factors else core.item()

    def sum(self, axes: int | Sequence[int] | None = None) -> TuckerTensor | complex:
        """The sum over some modes, a tensor of the others, or over all, a number.  IndexError for other modes."""
        summed = range(self.d) if axes is None else modes(axes, self.d)
        key = tuple(0 if m in summed else slice(None) for m in range(self.d))
        rows = tuple(u.sum(axis=0, keepdims=True) if m in summed else u for m, u in enumerate(self.factors))
        return TuckerTensor(self.core, rows)[key]

    def transpose(self, *axes: int | Sequence[int]) -> TuckerTensor:
        """Modes in another order, as ``numpy.transpose``, exact; reversed without ``axes``."""
        order = [int(k) for k in np.argsort(goals_of(axes, self.d))]
        return TuckerTensor(self.core.transpose(order), tuple(self.factors[k] for k in order))

    def conj(self) -> TuckerTensor:
        """Complex conjugate."""
        return TuckerTensor(self.core.conj(), tuple(u.conj() for u in self.factors))

    def norm(self) -> float:
        """The 2-norm of all entries."""
        return frobenius(multiply(self.core, [np.asarray(np.linalg.qr(u, mode="r")) for u in self.factors]))

    def block(self, rows: Sequence[Rows]) -> np.ndarray:
        """Entries at all combinations of the given indices, one array (or slice) an axis."""
        return multiply(self.core, [u[i] for u, i in zip(self.factors, rows, strict=True)])

    def fibres(self, axis: int, others: np.ndarray) -> np.ndarray:
        """Whole fibres along ``axis``: (n, q) for ``others`` (q, d - 1), the indices on the other axes, in order."""
        weights = np.moveaxis(self.core, axis, 0)
        rest = [u for m, u in enumerate(self.factors) if m != axis]
        columns = np.tensordot(weights, rest[-1][others[:, -1]], axes=(-1, 1))
        for m in range(len(rest) - 2, -1, -1):
            columns = np.einsum("...bq,qb->...q", columns, rest[m][others[:, m]])
        return self.factors[axis] @ columns

    def entries(self, points: np.ndarray) -> np.ndarray:
        """Entries (q,) at multi-indices (q, d). Cost q r^d."""
        columns = np.tensordot(self.core, self.factors[-1][points[:, -1]], axes=(-1, 1))
        for m in range(len(self.factors) - 2, -1, -1):
            columns = np.einsum("...bq,qb->...q", columns, self.factors[m][points[:, m]])
        return columns

    def mapped(self, maps: Sequence[Callable[[np.ndarray], np.ndarray] | None]) -> TuckerTensor:
        """The tensor after a linear map of the columns (n, r) -> (n', r) on each axis, None for none."""
        return TuckerTensor(self.core, tuple(u if f is None else f(u) for u, f in zip(self.factors, maps, strict=True)))

    def round(self, tol: float = 1e-12, max_rank: int | None = None) -> TuckerTensor:
        """The tensor of smaller ranks within ``tol`` times the norm."""
        return combine([(1.0, self)], tol=tol, max_rank=max_rank)

    def full(self, max_size: int = MAX_FULL_SIZE) -> np.ndarray:
        """All entries; ValueError above ``max_size`` of them."""
        check_full_size(self.shape, max_size)
        return multiply(self.core, self.factors)


def multiply(core: np.ndarray, matrices: Sequence[np.ndarray | None]) -> np.ndarray:
    """The core times one matrix (new, old) an axis, None for the identity."""
    # the axis goes to the end each time: after all of them the order is the old one
    for matrix in matrices:
        core = np.moveaxis(core, 0, -1) if matrix is None else np.tensordot(core, matrix, axes=(0, 1))
    return core


def dot(x: TuckerTensor, y: TuckerTensor) -> float | complex:
    """Inner product: the sum of conj(x) times y over all entries.  Raises ValueError for different shapes."""
    if x.shape != y.shape:
        raise ValueError(f"Tucker tensors of shapes {x.shape} and {y.shape} do not fit together")
    grams = [u.conj().T @ v for u, v in zip(x.factors, y.factors, strict=True)]
    return np.vdot(x.core, multiply(y.core, grams)).item()


def constant(shape: Sequence[int], value: complex) -> TuckerTensor:
    """The tensor that is ``value`` everywhere, ranks 1."""
    return TuckerTensor(np.full((1,) * len(shape), value), tuple(np.ones((n, 1)) for n in shape))


def combine(
    terms: Sequence[tuple[complex, TuckerTensor]],
    *,
    tol: float = 1e-12,
    scale: float | None = None,
    max_rank: int | None = None,
) -> TuckerTensor:
    """The sum of coefficients times tensors of one shape, rounded within ``tol`` times ``scale`` (the norm of the sum).

    Raises ValueError for no terms or different shapes.
    """
    if not terms or len({x.shape for _, x in terms}) != 1:
        raise ValueError(f"needs at least one tensor, all of one shape, not {[x.shape for _, x in terms]}")
    d = len(terms[0][1].factors)
    pairs = [np.linalg.qr(np.hstack([x.factors[m] for _, x in terms])) for m in range(d)]
    at = np.zeros(d, dtype=int)
    cores = []
    for coefficient, x in terms:
        columns = [pairs[m][1][:, at[m] : at[m] + x.ranks[m]] for m in range(d)]
        cores.append(multiply(coefficient * x.core, columns))
        at += x.ranks
    return truncated(reduce(np.add, cores), [q for q, _ in pairs], tol=tol, scale=scale, max_rank=max_rank)


def truncated(
    core: np.ndarray,
    factors: Sequence[np.ndarray],
    *,
    tol: float,
    scale: float | None = None,
    max_rank: int | None = None,
) -> TuckerTensor:
    """The tensor of orthonormal ``factors`` with smaller ranks, within ``tol`` times ``scale`` (its norm)."""
    d, norm = core.ndim, frobenius(core)
    allowed = tol * (norm if scale is None else scale) / np.sqrt(d)
    kept = []
    for m, u in enumerate(factors):
        vectors, values = left_singular(np.moveaxis(core, m, 0).reshape(core.shape[m], -1))
        top = float(values[0]) if values[0] > 0.0 else 1.0  # squares stay in the range of numbers
        tails = top * np.sqrt(np.cumsum((values[::-1] / top) ** 2))[::-1]
        rank = max(1, int(np.sum(tails > max(allowed, EXACT * norm))))
        rank = rank if max_rank is None else min(rank, max_rank)
        core = multiply(core, [vectors[:, :rank].conj().T if k == m else None for k in range(d)])
        kept.append(u @ vectors[:, :rank])
    return TuckerTensor(core, tuple(kept))


def left_singular(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors and singular values, descending, of a matrix that may be very wide."""
    if matrix.shape[1] > WIDE * matrix.shape[0]:
        matrix = np.asarray(np.linalg.qr(matrix.T, mode="r")).T
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    return u, s


def rank_one(vectors: Sequence[np.ndarray]) -> TuckerTensor:
    """The product of one vector an axis."""
    return TuckerTensor(np.ones((1,) * len(vectors)), tuple(as_double(v, "a vector")[:, None] for v in vectors))


def separable(factors: Sequence[np.ndarray], weights: np.ndarray, tol: float = EXACT) -> TuckerTensor:
    """sum_k weights[k] times the product of the columns k of ``factors``, d matrices (n, K): a sum of K products.

    The columns of each axis are compressed first, so that many terms on few distinct places cost little:
    d n K min(n, K) + K r^d.
    """
    bases, coefficients = [], []
    for f in factors:
        u, s, vt = np.linalg.svd(as_double(f, "a factor"), full_matrices=False)
        rank = max(1, int(np.sum(s > EXACT * s[0])))
        bases.append(u[:, :rank])
        coefficients.append(s[:rank, None] * vt[:rank])
    *first, last = coefficients
    core = reduce(lambda a, b: np.einsum("...k,bk->...bk", a, b), first, as_double(weights, "the weights"))
    return truncated(np.tensordot(core, last, axes=(-1, 1)), bases, tol=tol)
