"""The tensor-train operator: A[i1..id, j1..jd] = A1[i1, j1] A2[i2, j2] ... Ad[id, jd], and its algebra.

Core k has axes (left rank R, row i, column j, right rank R').  Alias: matrix product operator.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), section 4.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Number
from typing import overload

import numpy as np
from scipy.linalg import qr, solve_triangular

from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.cores import (
    MAX_FULL_SIZE,
    added_cores,
    check_full_size,
    check_scalar,
    checked_cores,
    contracted,
    gauge_shifts,
    scaled_cores,
    shifted_cores,
)
from solvers.formats.trains.factorisations import (
    as_double,
    check_finite,
    freeze,
    frozen,
    power_of_two,
    singular_vectors,
)
from solvers.formats.trains.rounding import round_cores
from solvers.formats.trains.tensor_train import TensorTrain

Factors = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class TTOperator(Card):
    """An immutable operator in tensor-train form.

    ``cores``: d arrays (R_k, n_row, n_col, R_{k+1}), outer ranks 1; types and storage as for TensorTrain.
    ``factors``: optionally, a core, the pair coefficients (P, R, R'), matrices (P, n_row, n_col) with
    core[a, :, :, b] = sum_p coefficients[p, a, b] matrices[p], which local solvers use to apply few one-mode
    matrices; they are checked against the cores.

    Raises ValueError for wrong shapes, ranks that do not fit, NaN or infinity, factors that do not give the
    cores.
    """

    cores: tuple[np.ndarray, ...]
    factors: tuple[Factors, ...] | None = None

    __array_ufunc__ = None  # numpy scalars leave ``scalar * operator`` to the operator

    def __post_init__(self) -> None:
        cores = checked_cores(self.cores, axes=4)
        factors = self.factors
        if factors is not None:
            if len(factors) != len(cores):
                raise ValueError(f"{len(factors)} factors given for {len(cores)} cores")
            factors = tuple(_checked_factors(k, core, *factors[k]) for k, core in enumerate(cores))
        shifts = gauge_shifts(cores)
        if shifts is not None and factors is not None:
            factors = tuple((freeze(power_of_two(c, s)), m) for (c, m), s in zip(factors, shifts))
        object.__setattr__(self, "cores", shifted_cores(cores, shifts))
        object.__setattr__(self, "factors", factors)

    @property
    def d(self) -> int:
        """Number of modes."""
        return len(self.cores)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return tuple(core.shape[1] for core in self.cores)

    @property
    def column_shape(self) -> tuple[int, ...]:
        return tuple(core.shape[2] for core in self.cores)

    @property
    def shape(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Mode sizes of the rows and of the columns."""
        return self.row_shape, self.column_shape

    @property
    def ranks(self) -> tuple[int, ...]:
        """The d+1 TT-ranks, the outer ones 1."""
        return (1, *(core.shape[3] for core in self.cores))

    @property
    def max_rank(self) -> int:
        return max(self.ranks)

    @property
    def dtype(self) -> np.dtype:
        return self.cores[0].dtype

    @property
    def size(self) -> int:
        """Number of stored entries of the cores."""
        return sum(core.size for core in self.cores)

    @property
    def T(self) -> TTOperator:
        """Transpose, without conjugation."""
        factors = self.factors and tuple((c, np.swapaxes(m, 1, 2)) for c, m in self.factors)
        return TTOperator(tuple(freeze(core.swapaxes(1, 2)) for core in self.cores), factors)

    def worded(self) -> list[Fact]:
        """Rows, columns, TT-ranks and what is stored."""
        return [
            ("rows", dimensions(self.row_shape)),
            ("columns", dimensions(self.column_shape)),
            ("TT-ranks", ranks(self.ranks)),
            ("stored", f"{self.size} entries, {self.dtype}"),
        ]

    def conj(self) -> TTOperator:
        """Complex conjugate; a real operator is returned as it is."""
        if self.dtype.kind != "c":
            return self
        factors = self.factors and tuple((c.conj(), m.conj()) for c, m in self.factors)
        return TTOperator(tuple(freeze(core.conj()) for core in self.cores), factors)

    def adjoint(self) -> TTOperator:
        """Conjugate transpose."""
        return self.T.conj()

    def __neg__(self) -> TTOperator:
        return self * -1.0

    def __add__(self, other: TTOperator) -> TTOperator:
        """Sum, of ranks added, without factors.  Raises ValueError for different shapes."""
        if not isinstance(other, TTOperator):
            return NotImplemented
        if self.shape != other.shape:
            raise ValueError(f"operators of shapes {self.shape} and {other.shape} do not fit together")
        return TTOperator(added_cores(self.cores, other.cores))

    def __sub__(self, other: TTOperator) -> TTOperator:
        if not isinstance(other, TTOperator):
            return NotImplemented
        return self + -other

    def __mul__(self, scalar: complex) -> TTOperator:
        """Times a scalar.  Raises ValueError for NaN or infinity."""
        if not isinstance(scalar, Number):
            return NotImplemented
        check_scalar(scalar)
        factors = self.factors
        if factors is not None:
            coefficients, matrices = factors[0]
            factors = ((coefficients * scalar, matrices), *factors[1:])
        return TTOperator(scaled_cores(self.cores, scalar, 0), factors)

    __rmul__ = __mul__

    @overload
    def __matmul__(self, other: TensorTrain) -> TensorTrain: ...

    @overload
    def __matmul__(self, other: TTOperator) -> TTOperator: ...

    def __matmul__(self, other: TensorTrain | TTOperator) -> TensorTrain | TTOperator:
        """Exact product with a train or an operator; the ranks multiply.  Cost 2 n^2 R^2 r^2 a core.

        Raises ValueError when the columns here are not the modes (rows) there.
        """
        if not isinstance(other, TensorTrain | TTOperator):
            return NotImplemented
        modes = other.shape if isinstance(other, TensorTrain) else other.row_shape
        if self.column_shape != modes:
            raise ValueError(f"columns {self.column_shape} do not fit modes {modes}")
        if isinstance(other, TensorTrain):
            return TensorTrain(
                tuple(freeze(_product(p, q[:, :, None, :])[:, :, 0]) for p, q in zip(self.cores, other.cores))
            )
        return TTOperator(tuple(freeze(_product(p, q)) for p, q in zip(self.cores, other.cores)))

    def norm(self) -> float:
        """Frobenius norm by orthogonalisation.  Cost 4 d n^2 R^3."""
        return TensorTrain(self._flat_cores()).norm()

    def round(self, tol: float = 1e-12, max_rank: int | None = None) -> TTOperator:
        """Smaller ranks with ||A - B|| <= tol ||A|| in the Frobenius norm, unless ``max_rank`` binds.

        The result has no factors.  Cost at most 16 d n^2 R^3.
        Raises ValueError unless 0 <= tol < 1 and max_rank >= 1.
        """
        cores, _, _ = round_cores(self._flat_cores(), None, tol, max_rank)
        return TTOperator(
            tuple(core.reshape(core.shape[0], *old.shape[1:3], -1) for core, old in zip(cores, self.cores))
        )

    def full(self, max_size: int = MAX_FULL_SIZE) -> np.ndarray:
        """The dense matrix (product of row modes, product of column modes), C order.

        Raises ValueError when it has more than ``max_size`` entries.
        """
        rows, columns = self.shape
        check_full_size(rows + columns, max_size)
        interleaved = contracted(self._flat_cores()).reshape([n for pair in zip(rows, columns) for n in pair])
        order = [*range(0, 2 * self.d, 2), *range(1, 2 * self.d, 2)]
        return interleaved.transpose(order).reshape(math.prod(rows), math.prod(columns))

    def factors_at(self, k: int) -> Factors:
        """Factors of core ``k``: coefficients (P, R, R') and matrices (P, n_row, n_col).

        Those given, else computed with the least P, the rank of the core as an (R R') x (n_row n_col)
        matrix: the matrices are P of the core's own blocks (an interpolative decomposition: identities and
        sparse blocks stay what they are), or singular vectors where interpolation would lose digits.
        Cost 4 P (R R') n_row n_col.  Raises IndexError for a core that is not there.
        """
        core = self.cores[k]
        return self.factors[k] if self.factors is not None else _factorise(core)

    def _flat_cores(self) -> tuple[np.ndarray, ...]:
        return tuple(core.reshape(core.shape[0], -1, core.shape[3]) for core in self.cores)


def _product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Blocks multiplied: (R, i, j, R') and (S, j, l, S') -> (R S, i, l, R' S')."""
    ranks = p.shape[0] * q.shape[0], p.shape[3] * q.shape[3]
    product = np.tensordot(p, q, axes=(2, 1))  # R i R' S l S'
    return product.transpose(0, 3, 1, 4, 2, 5).reshape(ranks[0], p.shape[1], q.shape[2], ranks[1])


def _checked_factors(k: int, core: np.ndarray, coefficients: np.ndarray, matrices: np.ndarray) -> Factors:
    coefficients = as_double(coefficients, f"factors of core {k}")
    matrices = as_double(matrices, f"factors of core {k}")
    count = len(matrices) if matrices.ndim else 0
    ranks, modes = (core.shape[0], core.shape[3]), core.shape[1:3]
    if coefficients.shape != (count, *ranks) or matrices.shape != (count, *modes) or count == 0:
        raise ValueError(
            f"factors of core {k}: shapes {coefficients.shape} and {matrices.shape} do not fit ranks {ranks} "
            f"and modes {modes}"
        )
    for array in (coefficients, matrices):
        check_finite(array, f"factors of core {k}")
    terms = np.abs(coefficients).reshape(count, -1).T @ np.abs(matrices).reshape(count, -1)
    deviation = np.abs(_from_factors(coefficients, matrices) - core).max()
    if deviation > 1e-12 * terms.max():
        raise ValueError(f"factors of core {k} do not give the core: they deviate by {deviation:.1e}")
    return frozen(coefficients, coefficients.dtype), frozen(matrices, matrices.dtype)


def _from_factors(coefficients: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    return np.tensordot(coefficients, matrices, axes=(0, 0)).transpose(0, 2, 3, 1)


def _factorise(core: np.ndarray) -> Factors:
    left, n, m, right = core.shape
    blocks = core.transpose(0, 3, 1, 2).reshape(left * right, n * m)
    present = np.flatnonzero(blocks.any(axis=1))
    if not len(present):
        return freeze(np.zeros((1, left, right), core.dtype)), freeze(np.zeros((1, n, m), core.dtype))
    # small blocks are compared as large ones (to 2^10): the next core may multiply them by what is large there
    _, exponents = np.frexp(np.abs(blocks[present]).max(axis=1))
    sizes = np.ldexp(1.0, 10 * np.rint((exponents - exponents.max()) / 10).astype(int))
    directions = power_of_two(blocks[present], -np.rint(np.log2(sizes)).astype(int)[:, None])
    # pivoted QR of the blocks as columns: the pivots are the blocks kept, R gives the others from them
    r, pivots = qr(directions.T, mode="r", pivoting=True, check_finite=False)
    diagonal = np.abs(np.diagonal(r))
    rank = int(np.count_nonzero(diagonal > 4.0 * max(r.shape) * np.finfo(float).eps * diagonal[0]))
    weights = np.empty((len(present), rank), dtype=core.dtype)
    weights[pivots[:rank]] = np.eye(rank)
    weights[pivots[rank:]] = solve_triangular(r[:rank, :rank], r[:rank, rank:], check_finite=False).T
    if np.abs(weights).max() > 100.0:
        u, s, vh = singular_vectors(directions)
        weights, matrices = sizes[:, None] * u[:, :rank] * s[:rank], vh[:rank]
    else:
        matrices = blocks[present[pivots[:rank]]]
        weights = weights * sizes[:, None] / sizes[pivots[:rank]]
        weights[pivots[:rank]] = np.eye(rank)  # exactly
    coefficients = np.zeros((rank, left * right), dtype=core.dtype)
    coefficients[:, present] = weights.T
    return freeze(coefficients.reshape(rank, left, right)), freeze(matrices.reshape(rank, n, m))
