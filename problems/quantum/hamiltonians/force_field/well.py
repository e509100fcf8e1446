"""The well of a force field beside a hole: products of few quanta, in which its levels stand still.

In place of a box of products, whose corners lie in the hole, the products of oscillator functions with at most so many
quanta, all modes together; the number of quanta grows, and every level is taken where it moved least
(solvers.eigen.plateaus). The states are trains in the product space of the same functions.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.holes import Hole, bottom_of
from problems.quantum.hamiltonians.force_field.keys import WARN, Basis
from problems.quantum.hamiltonians.force_field.operators import in_best_order, product_terms
from problems.quantum.hamiltonians.force_field.product_basis import ProductBasis
from problems.quantum.hamiltonians.force_field.space import Beside, FieldSpace, parts_of
from problems.quantum.hamiltonians.force_field.symmetry import terms_that_matter
from problems.quantum.hamiltonians.space import Judged
from problems.quantum.readers.reader import KEY
from problems.report_parts import Effort
from problems.words import cut_short
from solvers.eigen.configuration_interaction import TrainBuilder
from solvers.eigen.few_quanta import most_quanta
from solvers.eigen.plateaus import ON_PLATEAU, Plateaus, plateau_levels
from solvers.eigen.pruned import count_products
from solvers.eigen.states import EigenStates
from solvers.measured import amount
from solvers.sectors.train import SectorTrain, inner
from solvers.solution import Callback, Checked, IterationState, Solution, Status

FIRST_SIZE = 9  # functions of a mode before the number of quanta is known
STORED = 1e-2  # of the accuracy: what the rounding of a state to its train may cost
ROUNDING = (1e-8, 1e-4)  # of a state in its train, least and most
NAMED = 12  # states that a warning names
USUAL_QUANTA = 16  # at which levels of small molecules stand still
LOOKED_AT = 3  # states, the lowest


@dataclass(frozen=True, eq=False, kw_only=True)
class WellSpace(FieldSpace):
    """``quanta``: of the largest products allowed; ``plateaus``: where the levels stand still, once they are known."""

    quanta: int
    caps: tuple[int, ...]
    plateaus: Plateaus | None = None

    lacking = Status.FIELD_LIMIT

    @property
    def automatic(self) -> bool:
        """Its sizes follow from the number of quanta."""
        return False

    @property
    def way(self) -> str:
        """What is done about a hole."""
        end = "" if self.plateaus is None else f" of up to {self.plateaus.largest} quanta"
        return f"products{end}; each level where it moves least with the number of quanta"

    @property
    def own_plan(self) -> tuple[str, Effort]:
        """Ever more quanta; time and memory as measured for water and formaldehyde, with and without rotation terms."""
        count = count_products(len(self.order), min(self.quanta, USUAL_QUANTA))
        seconds, megabytes = (
            2.0 + count * (8e-5 + 1.6e-7 * self.products),
            250.0 + count * (3e-3 + 4e-6 * self.products),
        )
        return f"vectors over {self.way}", Effort(seconds, megabytes)

    def refined(self) -> WellSpace:
        """It grows while it is solved."""
        return self

    def found(
        self, n_states: int, max_rank: int | None, callback: Callback | None
    ) -> tuple[WellSpace, Solution] | None:
        """The states that stand still, in the products that they were taken from."""
        begin, basis = time.perf_counter(), self.basis
        field, accuracy = basis.field, basis.accuracy
        bases = modes_.harmonic_functions(field, self.caps, np.zeros(field.d, dtype=np.int64))
        table = product_terms(field, bases, range(field.d))
        history: list[IterationState] = []

        def told(quanta: int, levels: np.ndarray, errors: np.ndarray) -> None:
            extra = {"error_estimates": errors}
            seconds = time.perf_counter() - begin
            state = IterationState(len(history) + 1, f"{quanta} quanta", 1, seconds, levels, None, extra=extra)
            history.append(state)
            if callback:
                callback(state)

        plateaus = plateau_levels(
            table.matrices,
            table.terms,
            basis.charges.tolist(),
            field.frequencies,
            n_states,
            accuracy=accuracy,
            bottom=bottom_of(field),
            most=self.quanta,
            told=told,
        )
        if not len(plateaus.energies):
            raise ProblemError(self.refusal, KEY)
        space = replace(self, **_sized(basis, int(plateaus.quanta.max()), self.caps), plateaus=plateaus)
        states, lost = space.trains(max_rank)
        probe = {
            "method": f"levels of smaller spaces followed to {plateaus.largest} quanta",
            "completeness": "unknown",
            "missing_states": 0,
        }
        errors = plateaus.residuals**2 / float(field.frequencies.min()) + lost
        value = EigenStates(plateaus.energies, states, plateaus.charges.tolist(), errors, plateaus.above, probe)
        done = int(np.sum(plateaus.errors + errors <= accuracy))
        enough = len(plateaus.energies) == n_states
        counts = {"functions": plateaus.functions, "products": plateaus.work, "quanta": plateaus.largest}
        seconds = time.perf_counter() - begin
        solution = Solution(
            value,
            Status.CONVERGED if enough else Status.FIELD_LIMIT,
            done,
            plateaus.residuals,
            tuple(history),
            counts,
            {"solve_s": seconds},
        )
        return space, solution

    @property
    def refusal(self) -> str:
        """Why there is nothing to compute."""
        assert self.hole is not None
        return self.hole.refusal

    def trains(self, max_rank: int | None) -> tuple[list, np.ndarray]:
        """The states as trains of norm one, and what their rounding may cost."""
        plateaus, basis = self.plateaus, self.basis
        assert plateaus is not None
        index = [np.argsort(of_mode) for of_mode in self.labels]  # of each quantum number, along the train
        builders, highest = {}, float(np.max([np.abs(e).max() for e in basis.terms.energies]) * basis.field.d)
        tol = float(np.clip(np.sqrt(STORED * basis.accuracy / max(highest, 1e-300)), *ROUNDING))
        trains, lost = [], []
        longest = {
            c: max(len(x) for x, own in zip(plateaus.vectors, plateaus.charges) if own == c)
            for c in set(plateaus.charges.tolist())
        }
        for vector, charge in zip(plateaus.vectors, plateaus.charges.tolist()):
            if charge not in builders:
                products = plateaus.products[charge][: longest[charge]]
                along = np.column_stack([index[i][products[:, k]] for i, k in enumerate(basis.order)])
                builders[charge] = TrainBuilder(basis.terms, along, charge)
            whole = np.zeros(longest[charge])
            whole[: len(vector)] = vector
            x = builders[charge].train(whole, max_rank or len(whole), tol)
            norm2 = float(inner(x, x))
            trains.append(x.scaled(1.0 / np.sqrt(norm2)))
            lost.append(max(0.0, 1.0 - norm2) * highest)
        return trains, np.array(lost)

    def judge(self, states: EigenStates, executor: Executor | None) -> Judged:
        """By how much the levels still move with the number of quanta; states that stand nowhere still."""
        plateaus = self.plateaus
        assert plateaus is not None
        first = states.first or 0  # of a window: those below it were found, too
        errors = plateaus.errors[first : first + len(states.energies)]
        edge = errors > ON_PLATEAU * float(self.basis.field.frequencies.min())
        return Judged(errors, edge, frozenset(), (self._look(states),))

    def _look(self, states: EigenStates) -> Checked:
        """The levels as expectation values of the operator in the trains, which share nothing with the matrix."""
        worst, first = 0.0, states.first or 0
        assert self.plateaus is not None
        variational = states.energies - self.plateaus.rests[first : first + len(states.energies)]
        for x, energy in list(zip(states.trains, variational))[:LOOKED_AT]:
            assert isinstance(x, SectorTrain)
            dense = x.to_train()
            worst = max(worst, abs(float(np.real(self.operator.inner(dense, dense))) - float(energy)))
        how = f"expectation values of the operator in the trains of {min(LOOKED_AT, len(states.energies))} states"
        passed = worst <= max(self.basis.accuracy, float(states.errors.max()))
        return Checked("levels of the well", how, f"differ by at most {amount(worst)} {self.unit}", passed)

    def remarks(self, judged: Judged, lacking: bool) -> list[str]:
        """What was done, and which states stand nowhere still."""
        plateaus = self.plateaus
        assert plateaus is not None and self.hole is not None
        said = [
            f"the potential is unbounded below: it falls behind {self.hole.barrier}; {self.hole.levels}. Levels are "
            f"those that stand still in products of up to {plateaus.largest} quanta, errors say by how much they move"
        ]
        if plateaus.below:
            said.append(f"{plateaus.below} states below the bottom of the well are left out: they live in the hole")
        if judged.edge.any():
            names = cut_short(np.flatnonzero(judged.edge).tolist(), NAMED)
            said.append(f"states that stand nowhere still as the space grows, and are no levels of the well: {names}")
        return said


def well_space(
    given: ForceField, keys: Basis, mode_order: str | tuple[int, ...], n_states: int, accuracy: float, hole: Hole
) -> WellSpace:
    """The space beside a hole; chosen numbers of functions end its products."""
    field, broken = terms_that_matter(given, accuracy)
    charges = modes_.mode_charges(modes_.parity_generators(field), field.d)
    functions = keys.functions
    if functions == AUTOMATIC:
        caps = [most_quanta([10**6] * field.d) + 1] * field.d
    else:
        caps = [functions] * field.d if isinstance(functions, int) else list(functions)
    quanta = min(most_quanta(caps), max(caps) - 1)
    sizes = [min(cap, quanta + 1, FIRST_SIZE) for cap in caps]
    bases = modes_.harmonic_functions(field, sizes, charges)
    order, terms, tt = in_best_order(field, bases, mode_order)
    basis = ProductBasis(
        field,
        broken,
        n_states,
        accuracy,
        functions == AUTOMATIC,
        tuple(sizes),
        None,
        tuple(order),
        charges,
        terms,
        tt,
        (),
    )
    return WellSpace(
        **parts_of(basis),
        beside=Beside(hole, WARN, partial(well_space, given, keys, mode_order, n_states, accuracy, hole)),
        quanta=quanta,
        caps=tuple(min(cap, quanta + 1) for cap in caps),
    )


def _sized(basis: ProductBasis, quanta: int, caps: tuple[int, ...]) -> dict:
    """The parts of a space whose functions end with so many quanta."""
    return parts_of(basis.resized([min(cap, quanta + 1) for cap in caps]))
