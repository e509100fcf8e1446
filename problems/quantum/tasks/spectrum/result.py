"""What a vibrational calculation returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from problems.published import published
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.moments import Property, operator
from problems.quantum.hamiltonians.force_field.one_mode import OneModeFunctions
from problems.quantum.tasks.spectrum.intensities import about_mean, with_overlap
from problems.quantum.tasks.spectrum.labels import Labels
from problems.quantum.tasks.spectrum.observed import Intensities, Raman
from problems.quantum.tasks.spectrum.observed_files import level_columns, of_bands, texts
from problems.report_parts import Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain

RANK_AND_BASIS = ("rank", "basis")  # the parts of an error


@dataclass(frozen=True, eq=False, kw_only=True)
class SpectrumResult(Result):
    """Energies (n,) absolute and ascending in ``unit``, their error estimates (rank part + basis part), and the states.

    ``basis_errors``: NaN where that part was not estimated; zero is an estimate.
    ``symmetry``: signs of the field's parities, one a state; ``ranks``: TT-ranks of each state; ``mode_order``:
    1-based modes along the train; ``basis_functions``: in that order; ``completeness``: buffer energies, gap above the
    last wanted state, result of the probe; ``field_limits``: what the force field itself leaves open; ``intensities``,
    ``raman``: where dipole and polarisability are known; ``labels``: names and simpler treatments, None where there are
    none; ``states``: trains in that mode order, function v of a mode at index v; ``functions``: these functions, empty
    where modes are no coordinates.
    """

    energies: np.ndarray = published(
        unit="{unit}", axis="state", errors="error_estimates", compared="energies", column="energy"
    )
    unit: str = published()
    error_estimates: np.ndarray = published(column="error_estimate", digits=".3e")
    rank_errors: np.ndarray = published(column="rank_error", digits=".3e")
    basis_errors: np.ndarray = published(column="basis_error", digits=".3e")
    residual_norms: np.ndarray = published(column="residual_norm", digits=".3e")
    state_converged: np.ndarray = published(column="converged")
    symmetry: list[str] = published(column="symmetry")
    assignments: list[str] = published(column="assignment")
    ranks: list[list[int]] = published()
    operator_ranks: list[int] = published()
    mode_order: list[int] = published()
    basis_functions: list[int] = published()
    states_megabytes: float = published()
    completeness: Results = published()
    field_limits: Results = published(factory=dict)
    intensities: Intensities | None = published(default=None)
    raman: Raman | None = published(default=None)
    labels: Labels | None = published(default=None)
    states: Sequence[TensorTrain]
    functions: tuple[OneModeFunctions, ...] = ()

    csv_file = "levels.csv"
    index = "state"

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """The energies; their errors have no part for the basis where that was not estimated."""
        basis = np.array(results["basis_errors"] if "basis_errors" in results else [], dtype=float)
        known = bool(np.any(basis > 0.0))  # runs of earlier versions wrote zeros
        contents = (RANK_AND_BASIS, ()) if known else (RANK_AND_BASIS[:1], RANK_AND_BASIS[1:])
        levels = [replace(found, includes=contents[0], leaves_out=contents[1]) for found in super().quantities(results)]
        return levels + of_bands(results)

    @property
    def excitations(self) -> np.ndarray:
        """Energies above the ground state, (n,)."""
        return np.asarray(self.energies) - self.ground_level[0]

    @property
    def ground_level(self) -> tuple[float, float]:
        """The lowest level of all with its error: the first one, but for a window."""
        known = self.completeness.get("ground_level")
        if known is None:
            return float(self.energies[0]), float(self.error_estimates[0])
        return float(known), float(self.completeness["ground_error"])

    @property
    def largest_ranks_of_states(self) -> list[int]:
        """The largest TT-rank of each state."""
        return [max(ranks) for ranks in self.ranks]

    def transition(self, surface: Surface, initial: int = 0) -> np.ndarray:
        """<n|P_c|initial> of a property between all states and one of them, (n, components), in its unit.

        ``surface``: a polynomial of the coordinates of the force field. Raises ValueError for states without
        coordinates, or of other modes. Cost: ``moments.Property.element`` times the states.
        """
        return about_mean(self._operator(surface).elements(self.states, self.states[initial]), initial)

    def expectation(self, surface: Surface) -> np.ndarray:
        """<n|P_c|n> of a property in every state, (n, components), in its unit. Raises as ``transition``."""
        moving = self._operator(surface)
        found = np.array([moving.element(state, state) for state in self.states])
        return found[:, :-1] / found[:, -1:]

    def _operator(self, surface: Surface) -> Property:
        if not self.functions:
            raise ValueError("these states are not functions of coordinates, or of a run of an earlier version")
        return operator(with_overlap(surface), self.functions, [k - 1 for k in self.mode_order])

    def texts(self) -> Mapping[str, str]:
        """Lines and profile of the infrared spectrum, where there is one."""
        return {} if self.intensities is None else texts(self.intensities, self.assignments)

    @property
    def agreed(self) -> bool:
        """Whether all second looks agree with the result."""
        return all(look.passed for look in self.checked)

    def columns(self) -> Columns:
        """The levels; what is above the lowest stands beside the energy."""
        state, energy, *others = super().columns()
        above = [f"{value:.10g}" for value in self.excitations]
        unit = [self.unit] * len(above)
        ranks = ("max_rank", self.largest_ranks_of_states)
        named = [] if self.labels is None else self.labels.columns()
        shown = level_columns(self.intensities, self.raman)
        return [state, energy, ("above_lowest", above), ("unit", unit), *others, ranks, *named, *shown]


RESULTS = (SpectrumResult,)
