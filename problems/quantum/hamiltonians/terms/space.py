"""The spectrum of a Hamiltonian given term by term: a space whose basis is part of the question.

The operator stands in mean-field functions, which tell products apart by their energy wherever the terms do; the states
are shown in the functions that the file names. The basis has no error; states behind a hole of the potential, which the
basis reaches into, are no states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from problems.quantum.hamiltonians.space import Judged, Space
from problems.quantum.hamiltonians.terms import operators
from problems.quantum.hamiltonians.terms.matrices import matrix
from problems.quantum.hamiltonians.terms.modes import Mode
from problems.quantum.hamiltonians.terms.potential import (
    EDGE_POPULATION,
    Falling,
    edge_weight,
    edges,
    falling,
    warning_of,
)
from problems.quantum.hamiltonians.terms.second_look import norm_bound, second_look, terms_that_matter
from problems.quantum.hamiltonians.terms.terms import Key
from problems.words import cut_short
from solvers.eigen.configuration_interaction import ProductTerms, modes_of
from solvers.eigen.start import space_size
from solvers.eigen.states import EigenStates
from solvers.measured import amount
from solvers.solution import Checked, Status

LONGEST_TERM = 15  # modes of a term that configuration interaction takes
MOST_ALIKE = 1000  # products of lowest energy sum, at most: more of them are no start
SMALL_SPACE = 3000  # product functions that configuration interaction holds all of
NAMED = 12  # states that a warning names


@dataclass(frozen=True, eq=False, kw_only=True)
class TermsSpace(Space):
    """``edges``: of each mode along the train the functions behind which its basis ends; ``falling``: where the
    potential falls without end, None where it does not; ``positions``: q of each mode along the train, zero where there
    is none; ``look``: the operator against the terms given."""

    edges: Sequence[Sequence[int]]
    falling: Falling | None
    positions: Sequence[np.ndarray]
    look: Checked

    lacking = Status.FIELD_LIMIT  # the basis is the user's: a hole is all that keeps states from the accuracy

    def looks(self) -> tuple[Checked, ...]:
        """The operator against the terms given."""
        return (self.look,)

    def judge(self, states: EigenStates, executor: Executor | None) -> Judged:
        """Weights in the last functions, and what lies beyond a barrier; the basis itself has no error."""
        shown = self.shown(states)
        weights = np.array([edge_weight(x, self.edges) for x in shown])
        beyond = np.zeros(len(weights), dtype=bool)
        if self.falling is not None:
            beyond = np.array([self.falling.hold(x, e, self.positions) for x, e in zip(shown, states.energies)])
            if self.falling.barrier is not None:  # the basis reaches into a hole
                beyond |= (weights > EDGE_POPULATION) | (states.energies > self.falling.barrier.height)
        largest = float(weights.max(initial=0.0))
        result = f"at most {amount(largest)}"
        look = Checked("last functions of every mode", "their weight in the states", result, not beyond.any())
        said = []
        if largest > EDGE_POPULATION:
            said.append(
                f"up to {amount(largest)} of a state is in the last functions of a mode: the cut of the basis shapes "
                "it; more functions would tell whether that matters"
            )
        if beyond.any():
            hidden = cut_short(np.flatnonzero(beyond).tolist(), NAMED)
            said.append(f"states beyond a barrier of the potential, which is unbounded below: {hidden}")
        return Judged(np.zeros(len(weights)), beyond, frozenset(), (look,), tuple(said))


def space_of(
    products: Mapping[Key, complex], bases: Sequence[Mode], mode_order: str | tuple[int, ...], accuracy: float
) -> TermsSpace:
    """Mode order, mean-field functions and operator. Takes well under a second for small sums."""
    kept, absent = terms_that_matter(products, bases, accuracy)
    given = operators.table_of(kept, bases)
    order, _ = operators.ordered(given, mode_order)
    table = operators.reordered(given, order)
    modes = [bases[k] for k in order]
    charges, reflections = operators.parities(table, modes)
    functions = tuple(operators.mean_field(table, charges, reflections))
    turned = operators.turned(table, functions, reflections)
    tt, error = operators.operator_with_error(turned)
    look = second_look(kept, bases, order, tt, [f.vectors for f in functions])
    fall = falling(products, bases)
    warnings = [] if fall is None or fall.barrier is None else [warning_of(fall.barrier)]
    if fall is not None:
        fall = replace(fall, ways=fall.ways[:, list(order)])
    if absent:
        moved = norm_bound(absent, bases)
        error += moved
        warnings.append(
            f"{len(absent)} terms that break a symmetry are left out: together they move a level by {amount(moved)} at "
            "most, which is part of the errors"
        )
    terms = operators.product_terms(turned, functions)
    return TermsSpace(
        operator=tt,
        terms=terms,
        modes=modes_of([f.charges for f in functions]),
        starts=tells_apart(terms),
        order=tuple(order),
        charges=charges,
        labels=tuple(f.labels for f in functions),
        turns=tuple(f.vectors for f in functions),
        unit="model units",
        first_mode=0,
        products=len(products),
        operator_error=error,
        warnings=(*warnings, *idle(products, bases)),
        edges=edges(modes),
        falling=fall,
        positions=[_position(mode) for mode in modes],
        look=look,
    )


def _position(mode: Mode) -> np.ndarray:
    return matrix(mode, (("q", 1),))[1] if "q" in mode.operators else np.zeros((mode.size, mode.size))


def tells_apart(terms: ProductTerms) -> bool:
    """Whether sums of mean-field energies say which products are low, so that configuration interaction can start."""
    if any(len(product) > LONGEST_TERM for _, product in terms.terms):
        return False
    if space_size(terms) <= SMALL_SPACE:
        return True
    spread = max(float(np.ptp(e)) for e in terms.energies)
    alike = np.prod([float(np.sum(e - e.min() <= 1e-3 * spread)) for e in terms.energies])
    return bool(alike <= MOST_ALIKE)


def idle(products: Mapping[Key, complex], bases: Sequence[Mode]) -> list[str]:
    """A warning about modes that no term acts on: every level is then as many times degenerate."""
    acted = {k for key in products for k, _ in key}
    without = [k for k, mode in enumerate(bases) if k not in acted and mode.size > 1]
    if not without:
        return []
    times = int(np.prod([bases[k].size for k in without]))
    return [f"no term acts on modes {', '.join(map(str, without))}: every level is {times}-fold"]
