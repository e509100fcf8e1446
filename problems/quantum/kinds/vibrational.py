"""The YAML keys of kind ``vibrational``: the lowest states of a polynomial force field.

    H = sum_i (w_i / 2) (p_i^2 + q_i^2) + V(q),     and Watson's rotation and Coriolis terms where they are asked for

The keys stand in module vibrational_keys; their descriptions are what ``ttsuite describe vibrational`` prints.
"""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import model_validator

from problems.contract import Family
from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.levels import Reference
from problems.quantum.hamiltonians.force_field import field as fields
from problems.quantum.hamiltonians.force_field.keys import (
    Bounded,
    FieldFile,
    companions_of,
    molecule_of,
)
from problems.quantum.hamiltonians.force_field.known_levels import references_of
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.hamiltonians.force_field.normal_form import NormalForm, normal_form
from problems.quantum.hamiltonians.force_field.property_keys import Observed, Spectrum, property_of
from problems.quantum.hamiltonians.force_field.rotation import Rotation, expanded
from problems.quantum.kinds.assignment_keys import lines_of, names_of
from problems.quantum.kinds.vibrational_keys import ROTATION, VibrationalKeys
from problems.quantum.readers.property_table import DIPOLE, POLARISABILITY
from problems.quantum.readers.rotation_table import read_rotation
from problems.quantum.readers.shipped import shipped
from problems.quantum.tasks.spectrum.keys import CSV_ACCURACY, ZERO_POINT, SpectrumSolver

if TYPE_CHECKING:
    from problems.quantum.hamiltonians.force_field.space import FieldSpace
    from problems.quantum.hamiltonians.space import Space
    from problems.quantum.tasks.spectrum.labels import Labels
    from problems.result import Results
    from problems.route import Route
    from solvers.eigen.states import EigenStates

KINETIC, DIPOLE_KEY = "problem.kinetic", "problem.dipole"
ORDERS = {"watson": 0, "watson1": 1, "watson2": 2}  # of the inverse inertia in q
INERTIA = {
    "watson": "inverse inertia at equilibrium",
    "watson1": "inverse inertia to first order",
    "watson2": "inverse inertia to second order",
}
LINE = (
    "the molecule is linear: states of bends with angular momentum l about the axis have J >= |l|, not J = 0; "
    "their levels are the origins of B (J (J + 1) - l^2)"
)
BENT = (
    "a linear molecule has no coordinates tanh(g q)/g: of each bend alone they are not those about an axis, and levels "
    "of one l would split: leave warn"
)
SPLIT = "coordinates tanh(g q)/g of degenerate modes are not those about an axis: E levels split, within their errors"
MODEL_ACCURACY = 1e-6
SHARE_OF_QUANTUM = 1e-3  # of the smallest frequency: no default accuracy is larger


class VibrationalProblem(VibrationalKeys):
    """The lowest vibrational states of a polynomial force field."""

    @model_validator(mode="after")
    def _properties_are_known(self) -> VibrationalProblem:
        asked = self.observed
        if self.spectrum is not None and (asked is None or asked.dipole is None):
            raise ProblemError("needs a dipole: give dipole", "problem.spectrum")
        if asked is not None and self.vibrations.unit != "cm-1":
            raise ProblemError(f"intensities are of fields in cm-1, not in {self.vibrations.unit}", DIPOLE_KEY)
        return self

    @model_validator(mode="after")
    def _kinetic_is_known(self) -> VibrationalProblem:
        if self.kinetic != "none":
            if self.vibrations.rotation:
                raise ProblemError("the file has products with momenta of its own: leave kinetic out", KINETIC)
            if self.coriolis is None:
                raise ProblemError(f"{self.kinetic} needs the inertia and zeta of the molecule: give rotation", KINETIC)
            try:
                expanded(self.coriolis, self.vibrations.frequencies, ORDERS[self.kinetic])
            except ValueError as error:
                raise ProblemError(str(error), KINETIC) from None
            if self.vibrations.unit != "cm-1":
                raise ProblemError(f"rotation terms are in cm-1, the field is in {self.vibrations.unit}", KINETIC)
        return self

    @model_validator(mode="after")
    def _bends_stay_about_the_axis(self) -> VibrationalProblem:
        if isinstance(self.holes, Bounded) and self.coriolis is not None and self.coriolis.linear:
            raise ProblemError(BENT, "problem.holes")
        return self

    @cached_property
    def molecule(self) -> Molecule:
        """What the file says; read once."""
        return molecule_of(self.force_field)

    @property
    def vibrations(self) -> fields.ForceField:
        """The force field without rotation terms."""
        return self.molecule.field

    @cached_property
    def coriolis(self) -> Rotation | None:
        """Inertia and zeta; None where they are not known."""
        if self.rotation is None:
            return self.molecule.rotation
        return read_rotation(Path(self.rotation), self.vibrations.d, ROTATION)

    @cached_property
    def normal_form(self) -> NormalForm | None:
        """The coordinates that a field of a file is computed in, where they are not those given."""
        return None if self.vibrations.source is None else normal_form(self.vibrations)

    @cached_property
    def computed(self) -> tuple[fields.ForceField, Rotation | None]:
        """Field, without rotation terms, and rotation data in the coordinates that are computed in."""
        if self.normal_form is None:
            return self.vibrations, self.coriolis
        rotation = None if self.coriolis is None else self.normal_form.rotation(self.coriolis)
        return self.normal_form.field(self.vibrations), rotation

    @cached_property
    def field(self) -> fields.ForceField:
        """The force field, with the rotation terms that ``kinetic`` asks for."""
        return self._with_bend(self.holes.tanh if isinstance(self.holes, Bounded) else 0.0)

    def _with_bend(self, g: float) -> fields.ForceField:
        """The field in coordinates tanh(g q)/g, or in q for g = 0, with its rotation terms."""
        field, rotation = self.computed
        field = fields.bounded(field, g) if g else field
        if self.kinetic == "none" or rotation is None:
            return field
        return fields.with_rotation(field, rotation, ORDERS[self.kinetic])

    @cached_property
    def observed(self) -> Observed | None:
        """Dipole, polarisability and spectrum; None where neither property is known."""
        d, found = self.vibrations.d, self.molecule
        dipole = property_of(self.dipole, found.dipole, DIPOLE, d, DIPOLE_KEY)
        raman = property_of(self.polarisability, found.polarisability, POLARISABILITY, d, "problem.polarisability")
        if dipole is None and raman is None:
            return None
        if self.normal_form is not None:
            dipole = None if dipole is None else self.normal_form.surface(dipole)
            raman = None if raman is None else self.normal_form.surface(raman)
        field = self.computed[0]
        frequencies = field.frequencies if all(len(modes) > 2 for modes in field.terms) else None
        return Observed(dipole, raman, self.spectrum or Spectrum(), frequencies, self.vibrations.name)

    @property
    def description(self) -> list[tuple[str, str]]:
        """Facts for a report."""
        told = [("force field", f"{self.vibrations.name}, {self.vibrations.d} modes, order {self.vibrations.order}")]
        if isinstance(self.holes, Bounded):
            told.append(("potential", f"in coordinates tanh({self.holes.tanh:g} q)/{self.holes.tanh:g}, bounded below"))
        if self.kinetic != "none":
            told.append(("rotation terms", f"{len(self.field.rotation)} products, {INERTIA[self.kinetic]}"))
        return told

    @property
    def grows(self) -> bool:
        """Whether its basis holds as many states as are asked for."""
        return self.basis.functions == AUTOMATIC

    def few(self, n_states: int) -> bool:
        """Whether so many states are best found on one shared basis: never, a train a state is quicker."""
        return False

    def space(self, n_states: int, accuracy: float) -> FieldSpace:
        """The field in its product basis; numerics are loaded here."""
        from problems.quantum.hamiltonians.force_field.basis import parity_generators
        from problems.quantum.hamiltonians.force_field.beside_holes import field_space
        from problems.quantum.hamiltonians.force_field.bounded import USUAL, bounded_space
        from problems.quantum.hamiltonians.force_field.pairs import axis_of
        from problems.quantum.hamiltonians.force_field.product_basis import left_out

        space: FieldSpace
        if isinstance(self.holes, Bounded):
            others = [self._with_bend(g) for g in USUAL if g != self.holes.tanh]
            space = bounded_space(self.field, others, self.basis, self.mode_order, n_states, accuracy)
            if axis_of(self.computed[0], parity_generators(self.computed[0])) is not None:
                space = space.saying([SPLIT])
        else:
            space = field_space(self.field, self.basis, self.mode_order, n_states, accuracy, self.holes)
        rotation = self.computed[1]
        if self.kinetic == "none" and rotation is not None:
            space = space.saying([left_out(space.basis, rotation)])
        if rotation is not None and rotation.linear:
            space = space.saying([LINE])
        if self.normal_form is not None:
            space = space.saying([self.normal_form.note(self.vibrations.unit)])
        return space.saying(self.molecule.notes)

    def labelled(self, space: Space, states: EigenStates) -> Labels | None:
        """Names, symmetries and simpler treatments of the states, and measured lines beside them."""
        from problems.quantum.hamiltonians.force_field.space import FieldSpace
        from problems.quantum.tasks.spectrum.assign import labelled

        assert isinstance(space, FieldSpace)
        (field, rotation), molecule = self.computed, self.molecule
        # representations are of the modes given, which other coordinates mix
        irreps, group = (molecule.irreps, molecule.point_group) if self.normal_form is None else ((), "")
        names = names_of(self.names, irreps, field.frequencies.tolist())
        lines = None
        if self.compare is not None:
            lines = (Path(self.compare.measured), lines_of(self.compare, field, names, irreps, Path()))
        rotation = None if self.kinetic == "none" else rotation
        return labelled(space, states, field, rotation, names, irreps, group, lines)

    def level_routes(self, solver: SpectrumSolver, results: Results) -> list[Route]:
        """A larger basis, and for few modes a grid of points."""
        from problems.quantum.hamiltonians.force_field.on_grid import routes

        assert solver.n_states is not None
        sizes = dict(zip(results["mode_order"], results["basis_functions"]))
        return routes(self.field, [int(sizes[k + 1]) for k in range(self.field.d)], solver.n_states, solver.accuracy)

    @property
    def note(self) -> str:
        """How to read the names of states: as spectroscopists do."""
        return "Modes are numbered from 1, as in the force field: ν₉ + 2ν₁₂ has a quantum of mode 9 and two of mode 12."

    @property
    def letter(self) -> str:
        """What a quantum of a mode is called in the names of states."""
        return "ν"

    @property
    def lowest(self) -> str:
        """What the lowest level is called."""
        return ZERO_POINT

    @property
    def references(self) -> list[Reference]:
        """Published or exact energies to compare with; empty where there are none."""
        if self.kinetic != "none" or isinstance(self.holes, Bounded):
            return []  # what is known of the shipped fields is without rotation terms
        given = self.force_field
        name = given.file if isinstance(given, FieldFile) else given
        return references_of(self.field, name if isinstance(name, str) else None)

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file a run must keep beside its configuration so that it can be repeated."""
        given, source = self.force_field, self.vibrations.source
        kept = {} if self.rotation is None else {"rotation": Path(self.rotation)}
        for name, of_file in (("dipole", self.dipole), ("polarisability", self.polarisability)):
            if of_file is not None and of_file.file is not None:
                kept[f"{name}.file"] = Path(of_file.file)
        if self.compare is not None:
            kept["compare.measured"] = Path(self.compare.measured)
        if source is None or (isinstance(given, str) and given in shipped()):
            return kept
        return {"force_field.file" if isinstance(given, FieldFile) else "force_field": source} | kept

    @property
    def companions(self) -> list[Path]:
        """The other files of the run that the force field is of."""
        return companions_of(self.force_field)


def complete(problem: VibrationalProblem, solver: SpectrumSolver) -> SpectrumSolver:
    """Solver settings with the accuracy that is the default for ``problem`` filled in.

    Raises ProblemError where an explicit basis is too small for the number of states.
    """
    functions = problem.basis.functions
    if functions != AUTOMATIC and solver.n_states is not None:
        sizes = [functions] * problem.field.d if isinstance(functions, int) else list(functions)
        if math.prod(sizes) < solver.n_states:
            raise ProblemError(
                f"{solver.n_states} states asked, but the basis has only {math.prod(sizes)} functions",
                "solver.n_states",
            )
    if "accuracy" not in solver.model_fields_set:
        usual = MODEL_ACCURACY if problem.field.source is None else CSV_ACCURACY
        # of a field in other units than its file is meant to have, or of very soft modes, not the size of the answer
        softest = float(problem.field.frequencies.min())
        return solver.model_copy(update={"accuracy": min(usual, SHARE_OF_QUANTUM * softest)})
    return solver


FAMILY = Family(
    kind="vibrational",
    summary="vibrational states of a polynomial force field",
    formula="H = Σᵢ (ωᵢ/2)(pᵢ² + qᵢ²) + V(q) [+ ½ Σ πₐμₐᵦπᵦ - ⅛ Σ μₐₐ], V a polynomial; the lowest states",
    references=(
        "Rakhuba, Oseledets, J. Chem. Phys. 145, 124101 (2016), "
        "doi:10.1063/1.4962420: vibrational states by inverse iteration on trains",
        "Larsson, arXiv:2504.05382 (2025): the states as a basis",
        "Dolgov, Khoromskij, Oseledets, Savostyanov, Comput. Phys. Commun. 185, 1207 (2014), "
        "doi:10.1016/j.cpc.2013.12.017: block DMRG",
    ),
    typical="84 states of 12 modes to 0.01 cm-1: 2 minutes on 2 cores, 1.2 GB; 30 states of 64 modes: 80 s, 1.1 GB",
    problem=VibrationalProblem,
    solver=SpectrumSolver,
    complete=complete,
    package="problems.quantum.tasks.spectrum",
)
