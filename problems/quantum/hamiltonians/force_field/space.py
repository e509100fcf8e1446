"""The spectrum of a force field: a space that grows until the basis is no longer what limits the levels.

Automatic sizes: every function under the highest state wanted, plus a margin that grows with the digits asked for, and
whatever the states of a wider space want more of; where the states found lack functions all the same, more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field import outside
from problems.quantum.hamiltonians.force_field.holes import Hole, beyond, reaches
from problems.quantum.hamiltonians.force_field.keys import REFUSE
from problems.quantum.hamiltonians.force_field.one_mode import OneModeFunctions
from problems.quantum.hamiltonians.force_field.operators import second_look
from problems.quantum.hamiltonians.force_field.product_basis import ProductBasis
from problems.quantum.hamiltonians.force_field.sizes import Wide
from problems.quantum.hamiltonians.space import Judged, Space
from problems.quantum.readers.reader import KEY
from problems.words import cut_short
from solvers.eigen.start import Start
from solvers.eigen.states import EigenStates
from solvers.measured import amount
from solvers.sectors.train import SectorTrain
from solvers.solution import Checked

NAMED = 12  # states that a warning names


@dataclass(frozen=True)
class Beside:
    """A hole of the field: the ``hole``, what is done about it (``refuse`` or ``warn``), and the space beside it."""

    hole: Hole
    policy: str
    well: Callable[[], FieldSpace]


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldSpace(Space):
    """A force field in ``basis``. ``wide``: states of a wider one, None where a hole of the potential is within it;
    ``beside``: what is known of a hole, None where none is found."""

    basis: ProductBasis
    wide: Wide | None = None
    beside: Beside | None = None

    basis_share = 0.2

    @property
    def automatic(self) -> bool:
        """Whether the sizes were left to us."""
        return self.basis.automatic

    @property
    def hole(self) -> Hole | None:
        """The lowest way into a hole."""
        return None if self.beside is None else self.beside.hole

    @property
    def limits(self) -> dict[str, object]:
        """The lowest barrier before the potential falls without end, and the states below it."""
        if self.hole is None:
            return {}
        hole = self.hole
        return {
            "barrier": hole.height,
            "distance": hole.distance,
            "direction": hole.way,
            "states_below": hole.below,
            "way": self.way,
        }

    @property
    def way(self) -> str:
        """What is done about a hole."""
        return "a product basis, which does not reach it"

    @property
    def functions(self) -> tuple[OneModeFunctions, ...]:
        """Those of the basis, by ascending quantum numbers."""
        bases = self.basis.bases(self.basis.sizes)
        return tuple(OneModeFunctions.of_basis(bases[k]) for k in self.order)

    def looks(self) -> tuple[Checked, ...]:
        """The operator against the field itself."""
        basis = self.basis
        return (second_look(basis.field, basis.bases(basis.sizes), basis.order, basis.operator),)

    def saying(self, texts: Collection[str]) -> FieldSpace:
        """With warnings before its own."""
        basis = replace(self.basis, warnings=(*texts, *self.basis.warnings))
        return replace(self, basis=basis, warnings=(*texts, *self.warnings))

    def refined(self) -> FieldSpace:
        """With the functions that the states of a wider space ask for; that space's states are kept to judge by."""
        if not self.automatic:
            return space_of(self.basis, outside.from_above(self.basis), self.beside)
        found = space_of(*outside.refined(self.basis, self._share), self.beside)
        return found if self.beside is None or not reaches(found.basis) else self._aside(self.beside)

    def enlarged(self, start: Start, executor: Executor | None) -> FieldSpace:
        """With the functions that the states of ``start`` want more of."""
        if not self.automatic:
            return self
        return space_of(outside.enlarged(self.basis, start, self._share, executor), self.wide, self.beside)

    def judge(self, states: EigenStates, executor: Executor | None) -> Judged:
        """Second order in the next functions of every mode, a wider basis from above, and points in place of modals;
        states beyond a barrier of the potential."""
        trains = [x for x in states.trains if isinstance(x, SectorTrain)]
        missing = outside.left_out(self.basis, trains, executor)
        judged = outside.judge(self.basis, states, self.wide, missing)
        if self.beside is None:
            return judged
        ghosts = beyond(self.basis, states.energies, trains)
        if not ghosts.any():
            return judged
        text = f"states that live in a hole of the potential: {cut_short(np.flatnonzero(ghosts).tolist(), NAMED)}"
        return replace(judged, edge=judged.edge | ghosts, warnings=(*judged.warnings, text))

    def grown(self, short: Collection[int]) -> FieldSpace | None:
        """With more functions of these modes; None where they were chosen. Where a barrier leaves no room, the space
        beside the hole."""
        if not self.automatic:
            return None
        larger = outside.grown(self.basis, short)
        if self.beside is not None and (larger is None or reaches(larger)):
            return self._aside(self.beside)
        return None if larger is None else space_of(larger, beside=self.beside)

    def remarks(self, judged: Judged, lacking: bool) -> list[str]:
        """What the basis costs, why it cannot grow, and which states it shapes."""
        said, unit, sized = list(judged.warnings), self.unit, self.basis.sized
        if lacking and not self.automatic:
            said.append(
                f"the chosen basis costs up to {amount(judged.errors.max())} {unit} (basis part of the errors); "
                "basis.functions: automatic would meet the accuracy"
            )
        if lacking and sized is not None and np.isfinite(sized.most).any() and not self.basis.field.bend:
            modes = ", ".join(str(k + 1) for k in np.flatnonzero(np.isfinite(sized.most)))
            said.append(
                f"a barrier, behind which the potential falls without end, leaves no room for more functions of modes "
                f"{modes}: correct the field, or ask for fewer states"
            )
        if judged.edge.any():
            edge = cut_short(np.flatnonzero(judged.edge).tolist(), NAMED)
            said.append(f"states at the edge of the basis, or beyond a barrier of the potential: {edge}")
        return said

    @property
    def _share(self) -> float:
        return self.basis_share * self.basis.accuracy

    def _aside(self, beside: Beside) -> FieldSpace:
        """The space beside the hole, unless the field is to be refused."""
        if beside.policy == REFUSE:
            raise ProblemError(beside.hole.refusal, KEY)
        return beside.well().saying(self.basis.warnings)


def space_of(basis: ProductBasis, wide: Wide | None = None, beside: Beside | None = None) -> FieldSpace:
    """The space of a product basis."""
    far = [] if beside is None else [beside.hole.far]
    return FieldSpace(**parts_of(basis, far), wide=wide, beside=beside)


def parts_of(basis: ProductBasis, warnings: Collection[str] = ()) -> dict[str, Any]:
    """What every space of a product basis holds; ``warnings``: after those of the basis."""
    bases = basis.bases(basis.sizes)
    labels = tuple(bases[k].labels for k in basis.order)
    return {
        "operator": basis.operator,
        "terms": basis.terms,
        "modes": basis.terms.modes,
        "starts": True,
        "order": basis.order,
        "charges": basis.charges,
        "labels": labels,
        # ascending quantum numbers
        "turns": tuple(np.eye(len(of_mode))[np.argsort(of_mode)] for of_mode in labels),
        "unit": basis.field.unit,
        "first_mode": 1,
        "products": len(basis.field.terms) + len(basis.field.rotation),
        "operator_error": basis.operator_error,
        "warnings": (*basis.warnings, *warnings),
        "basis": basis,
    }
