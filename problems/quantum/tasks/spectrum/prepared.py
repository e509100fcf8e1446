"""A force field ready to be solved: what is automatic chosen, what cannot be computed refused."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.boundedness import lowest_barriers
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.operators import mode_orders, operator, product_terms
from problems.quantum.hamiltonians.force_field.primitives import MOST_PRIMITIVE
from problems.quantum.hamiltonians.force_field.sizes import Sized, from_levels, lowest_products, of_given_sizes
from problems.quantum.hamiltonians.force_field.symmetry import norm_bound, terms_that_matter
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.readers.reader import KEY
from problems.quantum.tasks.spectrum.keys import VibrationalSolver
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.start import space_size
from solvers.formats.trains.operator import TTOperator


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved: its bases, product table and TT operator.

    ``sized``: the mean field whose functions the contracted bases are, None for harmonic functions.
    """

    problem: VibrationalProblem
    solver: VibrationalSolver
    sizes: tuple[int, ...]
    sized: Sized | None
    order: tuple[int, ...]
    charges: np.ndarray
    terms: ProductTerms
    operator: TTOperator
    warnings: tuple[str, ...]
    setup_s: float

    @property
    def field(self) -> ForceField:
        return terms_that_matter(self.problem.field, float(self.solver.accuracy))[0]

    @property
    def left_out(self) -> float:
        """What the terms that break a parity, left out below the accuracy, move a level at most."""
        terms = terms_that_matter(self.problem.field, float(self.solver.accuracy))[1]
        return norm_bound(terms, self.bases(self.sizes)) if terms else 0.0

    @property
    def automatic(self) -> bool:
        return self.problem.basis.functions == AUTOMATIC

    def room(self, k: int) -> int:
        """Functions of mode k there are at most."""
        if self.sized is None:
            return MOST_PRIMITIVE
        below_barrier = self.sized.most[k]
        return len(self.sized.levels[k]) if not np.isfinite(below_barrier) else int(below_barrier)

    def bases(self, sizes: Sequence[int]) -> list[modes_.ModeBasis]:
        if self.sized is None:
            return modes_.harmonic_functions(self.field, sizes, self.charges)
        return modes_.lowest_modals(self.sized.mean, sizes, self.charges)

    def resized(self, sizes: Sequence[int]) -> Prepared:
        """The same problem with other numbers of functions."""
        terms = product_terms(self.field, self.bases(sizes), self.order)
        return replace(
            self, sizes=tuple(len(e) for e in _in_field_order(terms, self.order)), terms=terms, operator=operator(terms)
        )


def _in_field_order(terms: ProductTerms, order: Sequence[int]) -> list[np.ndarray]:
    energies: list[np.ndarray] = [np.zeros(0)] * len(order)
    for i, k in enumerate(order):
        energies[k] = terms.energies[i]
    return energies


def prepare(problem: VibrationalProblem, solver: VibrationalSolver) -> Prepared:
    """Bases, mode order and operator; raises ProblemError for what cannot be computed. Takes well under a second."""
    begin = time.perf_counter()
    field, broken = terms_that_matter(problem.field, float(solver.accuracy))
    if solver.method == "block_dmrg" and solver.n_states > 400:
        raise ProblemError("block_dmrg shares one basis over all states: use inverse_iteration", "solver.method")
    generators = modes_.parity_generators(field)
    charges = modes_.mode_charges(generators, field.d)
    functions = problem.basis.functions
    if functions == AUTOMATIC:
        sized = from_levels(field, charges, solver.n_states, solver.accuracy)
    else:
        given = [functions] * field.d if isinstance(functions, int) else list(functions)
        sized = of_given_sizes(field, charges, given, solver.accuracy)
    if problem.basis.type == "harmonic":
        bases = modes_.harmonic_functions(field, sized.sizes, charges)
    else:
        bases = modes_.lowest_modals(sized.mean, sized.sizes, charges)
    order, terms, tt = None, None, None
    for candidate in mode_orders(field, problem.mode_order):
        t = product_terms(field, bases, candidate)
        o = operator(t)
        if tt is None or sum(r * r for r in o.ranks) < sum(r * r for r in tt.ranks):
            order, terms, tt = candidate, t, o
    assert order is not None and terms is not None and tt is not None
    if solver.n_states > space_size(terms):
        size = space_size(terms)
        if functions == AUTOMATIC:  # only a barrier ends an automatic basis
            raise ProblemError(
                f"the potential is unbounded below, and behind its barriers lie all but {size:.0f} states of the "
                f"{solver.n_states} asked: correct the field, or ask for fewer states",
                KEY,
            )
        message = f"{solver.n_states} states asked, but the basis has only {size:.0f} functions"
        raise ProblemError(message, "solver.n_states")
    warnings = _boundedness(field, bases, terms, solver)
    if broken:
        warnings.append(
            f"{len(broken)} terms that break a symmetry are left out: together they move a level by "
            f"{norm_bound(broken, bases):.1e} {field.unit} at most, which is part of the errors"
        )
    return Prepared(
        problem,
        solver,
        sized.sizes,
        None if problem.basis.type == "harmonic" else sized,
        tuple(order),
        charges,
        terms,
        tt,
        tuple(warnings),
        time.perf_counter() - begin,
    )


def _boundedness(
    field: ForceField, bases: Sequence[modes_.ModeBasis], terms: ProductTerms, solver: VibrationalSolver
) -> list[str]:
    """Warnings about holes of the potential; ProblemError where states lie above a barrier inside the basis range."""
    ground = sum(float(e.min()) for e in terms.energies)
    top = float(lowest_products(terms.energies, solver.n_states)[1][-1])
    unit = field.unit
    inside, outside = lowest_barriers(field, bases)
    if inside is not None:
        where = f"modes {', '.join(map(str, inside.modes))} at |q| = {inside.distance:.1f}"
        share = sum(0.5 * float(field.frequencies[m - 1]) for m in inside.modes)
        if inside.height < share + top:
            raise ProblemError(
                f"the potential is unbounded below: a barrier of only {inside.height:.4g} {unit} ({where}) lies within "
                "the range of the basis, below the states asked for: correct the field, or ask for fewer states or "
                "functions",
                KEY,
            )
        return [
            f"the potential is unbounded below: barrier of {inside.height:.4g} {unit} ({where}) within the range of "
            f"the basis; the states asked for reach {ground + top:.4g} {unit}, zero-point energies included"
        ]
    if outside is None:
        return []
    return [
        f"the potential is unbounded below far out: lowest barrier {outside.height:.4g} {unit}, along modes "
        f"{', '.join(map(str, outside.modes))} at |q| = {outside.distance:.1f}, outside the range of the basis"
    ]
