"""The product basis of a force field: what is automatic chosen, what cannot be computed refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.operators import in_best_order, operator, product_terms
from problems.quantum.hamiltonians.force_field.primitives import MOST_PRIMITIVE
from problems.quantum.hamiltonians.force_field.rotation import Factors, Rotation, first_order
from problems.quantum.hamiltonians.force_field.sizes import Sized, from_levels, lowest_products, of_given_sizes
from problems.quantum.hamiltonians.force_field.symmetry import norm_bound, terms_that_matter
from problems.quantum.readers.reader import KEY
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.start import space_size
from solvers.formats.trains.operator import TTOperator
from solvers.measured import amount, numeral


class TooFewBelow(ProblemError):
    """Barriers, behind which the potential falls without end, leave room for fewer functions than states."""


@dataclass(frozen=True)
class ProductBasis:
    """One-mode bases of a field, the table of products in them and its TT operator, for so many states and digits.

    ``field``: without the terms ``left_out``, which break a parity; ``sized``: the mean field whose functions the
    contracted bases are, None for harmonic functions; ``automatic``: whether the sizes were left to us; ``warnings``:
    what a user must know of the field.
    """

    field: ForceField
    left_out: Mapping[Factors, float]
    n_states: int
    accuracy: float
    automatic: bool
    sizes: tuple[int, ...]
    sized: Sized | None
    order: tuple[int, ...]
    charges: np.ndarray
    terms: ProductTerms
    operator: TTOperator
    warnings: tuple[str, ...]

    @property
    def operator_error(self) -> float:
        """What the terms left out move a level at most."""
        return norm_bound(self.left_out, self.bases(self.sizes)) if self.left_out else 0.0

    def room(self, k: int) -> int:
        """Functions of mode k there are at most."""
        if self.sized is None:
            return MOST_PRIMITIVE
        below_barrier = self.sized.most[k]
        return len(self.sized.levels[k]) if not np.isfinite(below_barrier) else int(below_barrier)

    def bases(self, sizes: Sequence[int]) -> list[modes_.ModeBasis]:
        """So many functions of each mode, in the field's order."""
        if self.sized is None:
            return modes_.harmonic_functions(self.field, sizes, self.charges)
        return modes_.lowest_modals(self.sized.mean, sizes, self.charges)

    def resized(self, sizes: Sequence[int]) -> ProductBasis:
        """The same with other numbers of functions."""
        terms = product_terms(self.field, self.bases(sizes), self.order)
        return replace(
            self, sizes=tuple(len(e) for e in _in_field_order(terms, self.order)), terms=terms, operator=operator(terms)
        )


def _in_field_order(terms: ProductTerms, order: Sequence[int]) -> list[np.ndarray]:
    energies: list[np.ndarray] = [np.zeros(0)] * len(order)
    for i, k in enumerate(order):
        energies[k] = terms.energies[i]
    return energies


def product_basis(
    given: ForceField, basis: Basis, mode_order: str | tuple[int, ...], n_states: int, accuracy: float
) -> ProductBasis:
    """Bases, mode order and operator; raises ProblemError for what cannot be computed. Takes well under a second.

    ``basis``, ``mode_order``: as of the keys of these names.
    """
    field, broken = terms_that_matter(given, accuracy)
    charges = modes_.mode_charges(modes_.parity_generators(field), field.d)
    functions = basis.functions
    if functions == AUTOMATIC:
        sized = from_levels(field, charges, n_states, accuracy)
    else:
        sizes = [functions] * field.d if isinstance(functions, int) else list(functions)
        sized = of_given_sizes(field, charges, sizes, accuracy)
    if basis.type == "harmonic":
        bases = modes_.harmonic_functions(field, sized.sizes, charges)
    else:
        bases = modes_.lowest_modals(sized.mean, sized.sizes, charges)
    order, terms, tt = in_best_order(field, bases, mode_order)
    if n_states > space_size(terms):
        size = space_size(terms)
        if functions == AUTOMATIC:  # only a barrier ends an automatic basis
            raise TooFewBelow(
                f"the potential is unbounded below, and behind its barriers lie all but {size:.0f} states of the "
                f"{n_states} asked: correct the field, or ask for fewer states",
                KEY,
            )
        message = f"{n_states} states asked, but the basis has only {size:.0f} functions"
        raise ProblemError(message, "solver.n_states")
    warnings = []
    if broken:
        warnings.append(
            f"{len(broken)} terms that break a symmetry are left out: together they move a level by "
            f"{amount(norm_bound(broken, bases))} {field.unit} at most, which is part of the errors"
        )
    return ProductBasis(
        field,
        broken,
        n_states,
        accuracy,
        functions == AUTOMATIC,
        sized.sizes,
        None if basis.type == "harmonic" else sized,
        tuple(order),
        charges,
        terms,
        tt,
        tuple(warnings),
    )


def left_out(basis: ProductBasis, rotation: Rotation) -> str:
    """What rotation terms that are left out would do to the states asked for, to first order."""
    quanta = lowest_products(basis.terms.energies, basis.n_states)[0]
    of_mode = np.empty_like(quanta)
    for i, k in enumerate(basis.order):
        of_mode[:, k] = np.argsort(np.argsort(basis.terms.energies[i], kind="stable"), kind="stable")[quanta[:, i]]
    moved = first_order(rotation, basis.field.frequencies, of_mode)
    above = moved - moved[0]
    return (
        f"rotation terms are left out: to first order they move the ground state by {numeral(float(moved[0]))} "
        f"{basis.field.unit} and the others by {numeral(float(above.min()))} to {numeral(float(above.max()))} "
        f"{basis.field.unit} above it; kinetic: watson takes them in"
    )
