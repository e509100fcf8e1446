"""A quartic field bounded from below: the same derivatives to fourth order, in coordinates that end.

    V(q) -> V(y) + sum_k (g^2 w_k / 3) y_k^4,    y_k = tanh(g q_k) / g

y^2 = q^2 - (2/3) g^2 q^4 + ..., so that w/2 y^2 lacks g^2 w/3 of the fourth order, which is put back. Far out every y
ends at 1/g, where no hole has room for a g large enough; how large is what the field does not know, and what the levels
move by with g is their error. Morse-like coordinates of force fields: Meyer, Botschwina, Burton, J. Chem. Phys. 84, 891
(1986).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.boundedness import barriers
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.holes import holds_ghosts
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.force_field.product_basis import ProductBasis, product_basis
from problems.quantum.hamiltonians.force_field.sizes import of_given_sizes, wide_states
from problems.quantum.hamiltonians.force_field.space import FieldSpace, parts_of
from problems.quantum.hamiltonians.space import Judged
from solvers.eigen.start import Start
from solvers.eigen.states import EigenStates
from solvers.measured import amount, numeral
from solvers.solution import Status

KEY = "problem.holes.tanh"
USUAL = (0.10, 0.15, 0.20, 0.25)  # g that bound quartic fields of small molecules and change their levels little


def hole_within(field: ForceField) -> str | None:
    """The barrier of a bounded field behind which it still falls below its well; None where it does not."""
    for fall in sorted(barriers(field), key=lambda one: one.height):
        edge = 1.0 / (field.bend * float(np.abs(fall.direction).max()))
        y = np.zeros(field.d)
        y[list(fall.modes)] = fall.direction * edge
        value = 0.5 * float(y**2 @ field.frequencies)
        value += sum(c * float(np.prod(y[list(modes)])) for modes, c in field.terms.items())
        if fall.distance < edge and value < 0.0:
            modes = ", ".join(str(k + 1) for k in fall.modes)
            return f"a barrier of {numeral(fall.height)} {field.unit} along modes {modes}"
    return None


@dataclass(frozen=True, eq=False, kw_only=True)
class BoundedSpace(FieldSpace):
    """A bounded field; ``others``: the same with other g."""

    others: tuple[ForceField, ...]

    lacking = Status.FIELD_LIMIT

    @property
    def limits(self) -> dict[str, object]:
        """By which coordinates it is bounded, and those that the errors are taken from."""
        bends = [field.bend for field in self.others]
        return {"way": f"coordinates tanh({self.basis.field.bend:g} q)/{self.basis.field.bend:g}", "other_bends": bends}

    def refined(self) -> FieldSpace:
        """As that of any field."""
        return self._as(super().refined())

    def enlarged(self, start: Start, executor: Executor | None) -> FieldSpace:
        """As that of any field."""
        return self._as(super().enlarged(start, executor))

    def grown(self, short: Collection[int]) -> FieldSpace | None:
        """As that of any field."""
        larger = super().grown(short)
        return None if larger is None else self._as(larger)

    def judge(self, states: EigenStates, executor: Executor | None) -> Judged:
        """With what the levels move by as g does."""
        judged = super().judge(states, executor)
        spread, bends = self.spread(len(states.energies)), sorted(field.bend for field in self.others)
        text = (
            f"the potential is bounded by coordinates tanh(g q)/g: from g = {numeral(bends[0], digits=3)} to "
            f"{numeral(bends[-1], digits=3)} the levels move by {amount(spread.min())} to {amount(spread.max())} "
            f"{self.unit}; that is what the field does not know, and in the errors"
        )
        return replace(judged, errors=judged.errors + spread, warnings=(*judged.warnings, text))

    def spread(self, count: int) -> np.ndarray:
        """By how much the lowest levels differ between this g and the others, (count,), in the same products."""
        own = _levels(self.basis, self.basis.field, count)
        moved = np.zeros(count)
        for field in self.others:
            moved = np.maximum(moved, np.abs(_levels(self.basis, field, count) - own))
        return moved

    def _as(self, space: FieldSpace) -> FieldSpace:
        return (
            BoundedSpace(**parts_of(space.basis), wide=space.wide, others=self.others)
            if not isinstance(space, BoundedSpace)
            else space
        )


def _levels(basis: ProductBasis, field: ForceField, count: int) -> np.ndarray:
    """The lowest levels of a field in products as many as those of ``basis``, by configuration interaction."""
    sized = of_given_sizes(field, basis.charges, basis.sizes, basis.accuracy)
    sizes = [min(n, len(levels)) for n, levels in zip(basis.sizes, sized.levels)]
    terms = product_terms(field, modes_.lowest_modals(sized.mean, sizes, basis.charges), basis.order)
    return wide_states(terms, count).levels[:count]


def bounded_space(
    given: ForceField,
    others: Sequence[ForceField],
    keys: Basis,
    mode_order: str | tuple[int, ...],
    n_states: int,
    accuracy: float,
) -> BoundedSpace:
    """The space of a bounded field; ProblemError where g is too small to bound it, or too large for the states."""
    basis = product_basis(given, keys, mode_order, n_states, accuracy)
    left = hole_within(given)
    if left is not None and holds_ghosts(basis):
        raise ProblemError(f"g = {given.bend:g} is too small: the potential still falls behind {left}", KEY)
    return BoundedSpace(**parts_of(basis), others=tuple(others))
