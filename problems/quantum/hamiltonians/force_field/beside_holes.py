"""The space of a force field, whatever its potential does far out: a product basis, or the well beside a hole."""

from __future__ import annotations

from functools import partial

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.holes import lowest_hole, reaches
from problems.quantum.hamiltonians.force_field.keys import REFUSE, Basis
from problems.quantum.hamiltonians.force_field.product_basis import TooFewBelow, product_basis
from problems.quantum.hamiltonians.force_field.space import Beside, FieldSpace, space_of
from problems.quantum.hamiltonians.force_field.well import well_space
from problems.quantum.readers.reader import KEY


def field_space(
    given: ForceField, keys: Basis, mode_order: str | tuple[int, ...], n_states: int, accuracy: float, holes: str
) -> FieldSpace:
    """The field in its product basis, unless that reaches a hole, or states lie above the barrier before one.

    Raises ProblemError for what cannot be computed, for a hole in the way where ``holes`` is refuse, and where not even
    the lowest state lies below the barrier. Takes a second or two.
    """
    hole = lowest_hole(given, n_states)
    if hole is None:
        return space_of(product_basis(given, keys, mode_order, n_states, accuracy))
    beside = Beside(hole, holes, partial(well_space, given, keys, mode_order, n_states, accuracy, hole))
    try:
        basis = product_basis(given, keys, mode_order, n_states, accuracy)
    except TooFewBelow:
        basis = None
    reached = basis is None or reaches(basis)
    if hole.below == 0 or (holes == REFUSE and (reached or hole.below < n_states)):
        raise ProblemError(hole.refusal, KEY)
    if basis is None or reached:
        return beside.well()
    return space_of(basis, beside=beside)
