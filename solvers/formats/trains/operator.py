"""The tensor-train operator: A[i1..id, j1..jd] = A1[i1, j1] A2[i2, j2] ... Ad[id, jd], and its algebra.

Core k has axes (left rank R, row i, column j, right rank R').  Alias: matrix product operator.
Oseledets, SIAM J. Sci. Comput. 33, 2295 (2011), section 4.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from solvers.cards import Fact, dimensions, ranks
from solvers.formats.trains.chain import Chain, part_cores
from solvers.formats.trains.contraction import applied, folded, sandwiched, scalar
from solvers.formats.trains.cores import (
    MAX_FULL_SIZE,
    added_cores,
    aligned,
    as_scalar,
    check_full_size,
    checked_cores,
    constant_cores,
    contracted,
    gauge_shifts,
    kron_core,
    multiplied_cores,
    scaled_cores,
    shifted_cores,
)
from solvers.formats.trains.factorisations import (
    freeze,
    power_of_two,
)
from solvers.formats.trains.indexing import Key, operator_indexed
from solvers.formats.trains.operator_factors import Factors, checked_factors, factorised
from solvers.formats.trains.reshaping import reshaped_cores
from solvers.formats.trains.rounding import round_cores
from solvers.formats.trains.tensor_train import TensorTrain


@dataclass(frozen=True, eq=False)
class TTOperator(Chain):
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

    def __post_init__(self) -> None:
        cores = checked_cores(self.cores, axes=4)
        factors = self.factors
        if factors is not None:
            if len(factors) != len(cores):
                raise ValueError(f"{len(factors)} factors given for {len(cores)} cores")
            factors = tuple(checked_factors(k, core, *factors[k]) for k, core in enumerate(cores))
        shifts = gauge_shifts(cores)
        if shifts is not None and factors is not None:
            factors = tuple((freeze(power_of_two(c, s)), m) for (c, m), s in zip(factors, shifts))
        object.__setattr__(self, "cores", shifted_cores(cores, shifts))
        object.__setattr__(self, "factors", factors)

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
    def T(self) -> TTOperator:
        """Transpose, without conjugation."""
        factors = self.factors and tuple((c, np.swapaxes(m, 1, 2)) for c, m in self.factors)
        return TTOperator(tuple(freeze(core.swapaxes(1, 2)) for core in self.cores), factors)

    @classmethod
    def of_train(cls, x: TensorTrain, rows: Sequence[int], columns: Sequence[int]) -> TTOperator:
        """The operator whose entries are those of a train of modes (row, column); the way back is ``as_train``.

        Raises ValueError where rows times columns are not the modes of x.
        """
        if tuple(n * m for n, m in zip(rows, columns, strict=False)) != x.shape or len(rows) != len(columns):
            raise ValueError(f"rows {tuple(rows)} and columns {tuple(columns)} do not fit modes {x.shape}")
        return TTOperator(tuple(core.reshape(len(core), n, m, -1) for core, n, m in zip(x.cores, rows, columns)))

    def as_train(self) -> TensorTrain:
        """The entries as a train, row and column of each mode read as one index, the column fastest."""
        return TensorTrain(self._flat_cores())

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

    @property
    def real(self) -> TTOperator:
        """The real parts of the entries, of twice the ranks; a real operator is returned as it is."""
        return self if self.dtype.kind != "c" else TTOperator(part_cores(self.cores, imaginary=False))

    @property
    def imag(self) -> TTOperator:
        """The imaginary parts of the entries, of twice the ranks; of a real operator zero."""
        return self * 0.0 if self.dtype.kind != "c" else TTOperator(part_cores(self.cores, imaginary=True))

    def adjoint(self) -> TTOperator:
        """Conjugate transpose."""
        return self.T.conj()

    def __neg__(self) -> TTOperator:
        return self * -1.0

    def __add__(self, other: TTOperator | complex) -> TTOperator:
        """Sum, of ranks added, without factors; a scalar is added to every entry, as numpy does.

        A multiple of the identity is ``identity_operator(shape) * c``.  Shapes are broadcast along modes of size 1,
        as those of trains.  Raises ValueError for other shapes, NaN or infinity.
        """
        if isinstance(other, TTOperator):
            return TTOperator(added_cores(*aligned(self.cores, other.cores)))
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        return self if number == 0.0 else TTOperator(added_cores(self.cores, constant_cores(self.cores, number)))

    __radd__ = __add__

    def __sub__(self, other: TTOperator | complex) -> TTOperator:
        number = as_scalar(other)
        if number is None and not isinstance(other, TTOperator):
            return NotImplemented
        return self + (-other if number is None else -number)

    def __rsub__(self, other: complex) -> TTOperator:
        return -self + other

    def __mul__(self, other: TTOperator | complex) -> TTOperator:
        """Times a scalar, or the Hadamard product, entry by entry, with an operator (ranks multiply, no factors).

        The product of operators is ``@``.  Raises ValueError for shapes that do not fit, NaN or infinity.
        """
        if isinstance(other, TTOperator):
            return TTOperator(multiplied_cores(kron_core, *aligned(self.cores, other.cores)))
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        cores, kept = scaled_cores(self.cores, number, 0)
        factors = self.factors if kept else None
        if factors is not None:
            coefficients, matrices = factors[0]
            factors = ((coefficients * number, matrices), *factors[1:])
        return TTOperator(cores, factors)

    __rmul__ = __mul__

    def __truediv__(self, other: complex) -> TTOperator:
        """Over a scalar.  Raises ZeroDivisionError for zero."""
        number = as_scalar(other)
        if number is None:
            return NotImplemented
        if number == 0:
            raise ZeroDivisionError("division of an operator by zero")
        return self * (1.0 / number)

    @overload
    def __matmul__(self, other: TensorTrain) -> TensorTrain: ...

    @overload
    def __matmul__(self, other: TTOperator) -> TTOperator: ...

    @overload
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...

    def __matmul__(self, other: TensorTrain | TTOperator | np.ndarray) -> TensorTrain | TTOperator | np.ndarray:
        """Exact product with a train or an operator; the ranks multiply.  Cost 2 n^2 R^2 r^2 a core.

        With a dense array (..., m1, ..., md), leading axes counting vectors, or one flat vector (m1 ... md,): the
        dense product, never the matrix; cost 2 N n R^2 a core for N entries.  Raises ValueError when the columns here
        are not the modes (rows) there.
        """
        if isinstance(other, np.ndarray):
            return applied(self.cores, other)
        if not isinstance(other, TensorTrain | TTOperator):
            return NotImplemented
        modes = other.shape if isinstance(other, TensorTrain) else other.row_shape
        if self.column_shape != modes:
            raise ValueError(f"columns {self.column_shape} do not fit modes {modes}")
        if isinstance(other, TensorTrain):
            flat = multiplied_cores(_product, self.cores, [core[:, :, None, :] for core in other.cores])
            return TensorTrain(tuple(core[:, :, 0] for core in flat))
        return TTOperator(multiplied_cores(_product, self.cores, other.cores))

    @overload
    def __rmatmul__(self, other: TensorTrain) -> TensorTrain: ...

    @overload
    def __rmatmul__(self, other: np.ndarray) -> np.ndarray: ...

    def __rmatmul__(self, other: TensorTrain | np.ndarray) -> TensorTrain | np.ndarray:
        """x @ A, the product of the transposed operator with a train or a dense array."""
        return self.T @ other if isinstance(other, TensorTrain | np.ndarray) else NotImplemented

    def inner(self, x: TensorTrain, y: TensorTrain) -> float | complex:
        """sum conj(x) A y, without A y: an expectation value, x conjugated.  Cost 4 d n R r^2 (r + n R).

        Raises ValueError for shapes that do not fit, and for a number beyond double precision.
        """
        if (x.shape, y.shape) != self.shape:
            raise ValueError(f"trains {x.shape} and {y.shape} do not fit rows and columns {self.shape}")
        value, exponent = sandwiched(x.cores, self.cores, y.cores)
        return scalar(value, exponent, "the inner product")

    def entries(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Entries at the multi-indices ``rows`` and ``columns``, (m, d) each, integers from 0 -> (m,).

        Cost 2 m d R^2.  Raises ValueError for other shapes or non-integers, IndexError outside the operator.
        """
        i, j = np.asarray(rows), np.asarray(columns)
        if i.shape != j.shape or i.ndim != 2 or i.shape[1] != self.d or {i.dtype.kind, j.dtype.kind} - {"i", "u"}:
            raise ValueError(f"rows and columns must be integers of shape (m, {self.d}), not {i.shape} and {j.shape}")
        for index, shape in zip((i, j), self.shape):
            if index.size and not ((index >= 0) & (index < np.array(shape))).all():
                raise IndexError(f"an index lies outside the operator of shape {self.shape}")
        return self.as_train().entries(i * np.array(self.column_shape) + j)

    def __getitem__(self, key: tuple[Key, Key]) -> TTOperator | TensorTrain | complex:
        """A[rows, columns], each a key as a train takes it: A[(0, 1), :], A[..., (2, 3)], A[(slice(2), 1), (..., 0)].

        Exact.  Modes of which row and column are integers vanish; an integer beside a slice leaves a size of 1; a train
        where all rows or all columns are integers (a row or a column of A), a number where all are.  Vectors of
        integers and masks on one mode of the rows and one of the columns.  Raises IndexError and ValueError as trains.
        """
        found = operator_indexed(self.cores, key)
        if not isinstance(found, tuple):
            return found
        return TensorTrain(found) if found[0].ndim == 3 else TTOperator(found)

    def trace(self) -> float | complex:
        """The sum of the diagonal entries.  Cost d n R^2 + d R^3.  Raises ValueError for rows unlike columns."""
        diagonal = self.diagonal()
        return folded([core.sum(axis=1) for core in diagonal.cores])  # type: ignore[return-value]

    def diagonal(self) -> TensorTrain:
        """The diagonal entries as a train, of the same ranks.  Raises ValueError for rows unlike columns."""
        if self.row_shape != self.column_shape:
            raise ValueError(f"rows {self.row_shape} and columns {self.column_shape} have no diagonal in common")
        return TensorTrain(tuple(freeze(np.einsum("aiib->aib", core)) for core in self.cores))

    def reshape(self, rows: Sequence[int], columns: Sequence[int], tol: float = 1e-14) -> TTOperator:
        """The same matrix with other modes of its rows and columns, split and merged as those of a train."""
        if len(rows) != len(columns):
            raise ValueError(f"rows {tuple(rows)} and columns {tuple(columns)} must be equally many modes")
        return TTOperator(reshaped_cores(self.cores, list(zip(rows, columns)), tol))

    def norm(self) -> float:
        """Frobenius norm by orthogonalisation.  Cost 4 d n^2 R^3."""
        return self.as_train().norm()

    def log_norm(self) -> float:
        """Natural logarithm of the Frobenius norm, of any size; -inf for zero."""
        return self.as_train().log_norm()

    def round(self, tol: float = 1e-12, max_rank: int | Sequence[int] | None = None) -> TTOperator:
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
        return self.factors[k] if self.factors is not None else factorised(core)

    def _flat_cores(self) -> tuple[np.ndarray, ...]:
        return tuple(core.reshape(core.shape[0], -1, core.shape[3]) for core in self.cores)


def _product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Blocks multiplied: (R, i, j, R') and (S, j, l, S') -> (R S, i, l, R' S')."""
    ranks = p.shape[0] * q.shape[0], p.shape[3] * q.shape[3]
    product = np.tensordot(p, q, axes=(2, 1))  # R i R' S l S'
    return product.transpose(0, 3, 1, 4, 2, 5).reshape(ranks[0], p.shape[1], q.shape[2], ranks[1])
