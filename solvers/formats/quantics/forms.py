"""Operators that know what they are: -div(a grad) + c on the axes of a grid, Laplacians among them, and products.

The cores of such an operator on 2^30 points hold it to rounding errors only, and 4^30 of those is all that the solution
is made of. The numbers beside the cores say it exactly, so that ``solve`` need not look at the cores. Sums, multiples,
products, Kronecker sums and roundings of such operators keep them; anything else gives a plain operator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TypeAlias, overload

import numpy as np

from solvers.formats.quantics.coefficients import Coefficient, Function
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

CLEAN = 1e-15  # of sums of potentials
FAITHFUL = 1e-9  # relative: a rounding that is meant to keep the operator


Term: TypeAlias = tuple[float, Function]  # factor times a function of points (m, d) of [0, 1]^d


@dataclass(frozen=True)
class Form:
    """sum_k D_k^T (scales[k] + varying[k]) D_k + shift + reaction + potential; D_k the differences along axis k.

    ``ends`` as in ``laplacian``, so that D_k^T D_k is (-1, 2, -1); ``varying`` and ``reaction``: terms that are added
    up, the former at the middles of the edges of direction k, the latter at the points; ``potential``: a diagonal given
    as a train, with the bits as those of the operator.
    """

    levels: tuple[int, ...]
    ends: tuple[tuple[str, str], ...]
    scales: tuple[float, ...]
    shift: float
    order: str
    varying: tuple[tuple[Term, ...], ...] = ()
    reaction: tuple[Term, ...] = ()
    potential: TensorTrain | None = None

    def times(self, factor: float) -> Form:
        """A multiple."""
        return replace(
            self,
            scales=tuple(factor * s for s in self.scales),
            shift=factor * self.shift,
            varying=tuple(tuple((factor * c, f) for c, f in terms) for terms in self.varying),
            reaction=tuple((factor * c, f) for c, f in self.reaction),
            potential=None if self.potential is None else self.potential * factor,
        )

    def plus(self, other: Form) -> Form | None:
        """The sum, where both are on one grid."""
        if (self.levels, self.ends, self.order) != (other.levels, other.ends, other.order):
            return None
        return replace(
            self,
            scales=tuple(a + b for a, b in zip(self.scales, other.scales)),
            shift=self.shift + other.shift,
            varying=tuple(_merged(self.terms(k), other.terms(k)) for k in range(len(self.levels))),
            reaction=_merged(self.reaction, other.reaction),
            potential=_summed(self.potential, other.potential),
        )

    def terms(self, axis: int) -> tuple[Term, ...]:
        """Those of the coefficient of one direction."""
        return self.varying[axis] if self.varying else ()

    @property
    def constant(self) -> bool:
        """Whether it is Laplacians and a shift."""
        return not self.reaction and not any(self.varying) and self.potential is None

    def diffusion(self, axis: int, factor: float = 1.0) -> Coefficient:
        """``factor`` times the coefficient of one direction."""
        return _added(self.scales[axis], self.terms(axis), factor)

    def absorption(self, factor: float = 1.0) -> Coefficient:
        """``factor`` times shift and reaction."""
        return _added(self.shift, self.reaction, factor)


def _merged(one: tuple[Term, ...], other: tuple[Term, ...]) -> tuple[Term, ...]:
    """The sum, functions that are in both once."""
    factors: dict[Function, float] = {}
    for factor, f in (*one, *other):
        factors[f] = factors.get(f, 0.0) + factor
    return tuple((factor, f) for f, factor in factors.items() if factor != 0.0)


def _summed(one: TensorTrain | None, other: TensorTrain | None) -> TensorTrain | None:
    if one is None or other is None:
        return other if one is None else one
    return (one + other).round(CLEAN)


def _added(constant: float, terms: tuple[Term, ...], factor: float) -> Coefficient:
    if not terms:
        return factor * constant

    def total(points: np.ndarray) -> np.ndarray:
        values = np.full(len(points), factor * constant)
        for weight, f in terms:
            values += factor * weight * f(points)
        return values

    return total


@dataclass(frozen=True, eq=False)
class FormOperator(TTOperator):
    """A TT operator that is the product of ``forms``, to what its cores can hold."""

    forms: tuple[Form, ...] = ()

    @property
    def T(self) -> TTOperator:
        return _with(super().T, tuple(reversed(self.forms)))

    def conj(self) -> TTOperator:
        return self

    def __neg__(self) -> TTOperator:
        return self * -1.0

    def __mul__(self, other: TTOperator | complex) -> TTOperator:
        made = super().__mul__(other)
        if not isinstance(other, Real) or not self.forms:  # a product entry by entry among them
            return made
        return _with(made, (self.forms[0].times(float(other)), *self.forms[1:]))

    __rmul__ = __mul__

    def __add__(self, other: TTOperator | complex) -> TTOperator:
        made = super().__add__(other)
        if not isinstance(other, TTOperator) or len(self.forms) != 1:  # a scalar goes to every entry
            return made
        form: Form | None = None
        if isinstance(other, FormOperator) and len(other.forms) == 1:
            form = self.forms[0].plus(other.forms[0])
        else:
            factor = identity_factor(other)
            own = self.forms[0]
            if factor is not None:
                form = replace(own, shift=own.shift + factor)
            elif other.row_shape == self.row_shape and is_diagonal(other):
                form = replace(own, potential=_summed(own.potential, other.diagonal()))
        return made if form is None else _with(made, (form,))

    __radd__ = __add__

    @overload
    def __matmul__(self, other: TensorTrain) -> TensorTrain: ...

    @overload
    def __matmul__(self, other: TTOperator) -> TTOperator: ...

    @overload
    def __matmul__(self, other: np.ndarray) -> np.ndarray: ...

    def __matmul__(self, other: TensorTrain | TTOperator | np.ndarray) -> TensorTrain | TTOperator | np.ndarray:
        made = super().__matmul__(other)
        if isinstance(made, TTOperator) and isinstance(other, FormOperator) and self.forms and other.forms:
            return _with(made, (*self.forms, *other.forms))
        return made

    def round(self, tol: float = 1e-12, max_rank: int | Sequence[int] | None = None) -> TTOperator:
        made = super().round(tol, max_rank)
        return _with(made, self.forms) if tol <= FAITHFUL and max_rank is None else made


def known_form(operator: TTOperator, form: Form) -> FormOperator:
    """``operator`` with what it is."""
    return FormOperator(operator.cores, operator.factors, (form,))


def identity_factor(operator: TTOperator) -> float | None:
    """c where the operator is c times the identity, said by rank-one cores that are multiples of it."""
    factor = 1.0
    for core in operator.cores:
        if core.shape[0] != 1 or core.shape[3] != 1 or core.shape[1] != core.shape[2] or core.dtype.kind == "c":
            return None
        value = float(core[0, 0, 0, 0])
        if not np.array_equal(core[0, :, :, 0], value * np.eye(core.shape[1])):
            return None
        factor *= value
    return factor if math.isfinite(factor) else None


def is_diagonal(operator: TTOperator) -> bool:
    """Whether all cores are real, and zero where row and column differ."""
    for core in operator.cores:
        rows, columns = np.nonzero(core.any(axis=(0, 3)))
        if core.dtype.kind == "c" or (rows != columns).any():
            return False
    return True


def joined(parts: list[Form], order: str) -> Form | None:
    """The form of the Kronecker sum of forms of one axis each."""
    if any(len(part.levels) != 1 or part.potential is not None for part in parts):
        return None
    levels = tuple(part.levels[0] for part in parts)
    ends = tuple(part.ends[0] for part in parts)
    scales, shift = tuple(part.scales[0] for part in parts), sum(part.shift for part in parts)
    varying = tuple(tuple((c, _along(f, k)) for c, f in part.terms(0)) for k, part in enumerate(parts))
    reaction = tuple((c, _along(f, k)) for k, part in enumerate(parts) for c, f in part.reaction)
    return Form(levels, ends, scales, shift, order, varying if any(varying) else (), reaction)


def _along(f: Function, axis: int) -> Function:
    """A function of one axis as one of all."""
    return lambda points: f(points[:, axis : axis + 1])


def _with(operator: TTOperator, forms: tuple[Form, ...]) -> FormOperator:
    return FormOperator(operator.cores, operator.factors, forms)
