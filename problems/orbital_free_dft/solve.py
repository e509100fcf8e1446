"""From a problem to its report: ground states on all grids, their extrapolation, errors, and the density as a train.

The error of the energy has four parts, added: the grid (extrapolation), the descent (twice the decrease still
expected), the rounding of the format (its tolerance times the sizes of the parts), and the box (analysis.box_error,
far_field.missed_energy).
A quantity that is not stationary, a part of the energy or the chemical potential, errs to first order in the orbital:
by 2 sqrt(|part| decrease), and sqrt(2 decrease / N), by Cauchy and Schwarz in the metric of the kinetic energy; the
faces change it by many times what they cost (analysis.box_shift). Every run takes second looks (second_look): with one
that fails nothing is converged.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from dataclasses import fields as fields_of
from pathlib import Path

import numpy as np

from problems.orbital_free_dft.analysis import (
    HARDNESS,
    Identities,
    boundary_charge,
    box_error,
    box_shift,
    identities,
    sampled_density,
)
from problems.orbital_free_dft.extrapolation import extrapolate
from problems.orbital_free_dft.far_field import missed_energy
from problems.orbital_free_dft.functionals import Functional
from problems.orbital_free_dft.grid import Grid
from problems.orbital_free_dft.ground_state import GroundState, Progress, Task, begin, ground_states
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.nuclei import check_nuclei
from problems.orbital_free_dft.profiles import plane, profiles, radial
from problems.orbital_free_dft.result import COMPONENTS, LevelResult, OrbitalFreeResult
from problems.orbital_free_dft.second_look import compared, coulomb_energy, quadrature
from problems.orbital_free_dft.verdict import judge
from problems.result import Results
from solvers.checkpoint import Checkpoint, Content, Question, earlier_content
from solvers.formats.tucker.convert import to_quantics
from solvers.formats.tucker.tensor import TuckerTensor
from solvers.solution import Callback, IterationState, Status

DENSITY, DENSITY_BEST = 1e-2, 1e-8  # relative error of the trains: of the accuracy, and the best worth its ranks
# times what the box changes the chemical potential by, for a part of the energy: at most 3 seen, but 10 for attraction
# and repulsion of a charge of 10. A part follows its derivative by the number of electrons: OF_DERIVATIVE of the part
# an electron, over the hardness; 0.2 seen
OF_SHIFT, OF_DERIVATIVE = 4.0, 0.4
ORBITALS = "orbitals.npz"  # the file in a checkpoint folder
DESCENTS = 2.0  # times the decrease expected: conjugate gradients converge as a geometric series


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: OrbitalFreeProblem
    solver: OrbitalFreeSolver
    warnings: list[str]
    setup_s: float


def prepare(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver) -> Prepared:
    """Nothing to compute beforehand: the nuclei depend on the seed, the operators on the grid."""
    return Prepared(problem, solver, [], 0.0)


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> OrbitalFreeResult:
    """The ground state; see the module's text. One process: ``executor`` is not used. ProblemError for bad places.

    ``checkpoint``: the folder it is continued from, written after every descent; ``earlier``: that of a run on the same
    grids, whose orbitals this one starts from.
    """
    problem, solver = prepared.problem, prepared.solver
    nuclei = problem.nuclei(seed)
    check_nuclei(nuclei, problem.box)
    return _Run(Task(problem, solver, nuclei, seed), prepared, callback, checkpoint, earlier).result()


class _Run:
    """What one calculation knows while it runs."""

    def __init__(
        self, task: Task, prepared: Prepared, callback: Callback | None, checkpoint: Path | None, earlier: Path | None
    ):
        self.task, self.prepared, self.callback = task, prepared, callback
        self.history: list[IterationState] = []
        self.levels: list[LevelResult] = []
        self.counts = {"steps": 0, "evaluations": 0, "pointwise_evaluations": 0, "solves": 0}
        self.orbitals: dict[int, TuckerTensor] = {}  # of the grids done
        self.density: TuckerTensor | None = None  # of the last of them
        texts = [keys_of(task.problem), str(task.seed)]
        subject, asked = Question([], texts), Question([], [*texts, keys_of(task.solver)])
        self.checkpoint = Checkpoint(None if checkpoint is None else checkpoint / ORBITALS, asked, subject)
        self.known = _orbitals(earlier_content(None if earlier is None else earlier / ORBITALS, subject))
        self.begin = time.perf_counter()
        self.tol = max(DENSITY * task.solver.accuracy, DENSITY_BEST)

    def listen(self, state: IterationState) -> None:
        """Keep an entry of the history, counted over all grids."""
        seconds = time.perf_counter() - self.begin
        state = replace(state, step=len(self.history) + 1, seconds=seconds)
        self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def result(self) -> OrbitalFreeResult:
        at = self.started()
        for state in ground_states(self.task, self.listen, at, self.keep, self.known):
            self.levels.append(self.level(state))
            fields = state.energy.fields
            self.counts["steps"] += state.steps
            self.counts["evaluations"] += state.evaluations
            self.counts["pointwise_evaluations"] += fields.counts["evaluations"]
            self.counts["solves"] += fields.counts["solves"]
            self.density, self.orbitals[at.level] = fields.tucker(state.parts.density), fields.tucker(state.orbital)
        assert self.density is not None
        return self.finish(self.levels, self.density, self.orbitals[self.levels[-1].level], self.counts)

    def started(self) -> Progress:
        """Where the checkpoint has come to; without one the orbital of an earlier run, else the dense start."""
        loaded, first = self.checkpoint.load(), self.task.levels()[0]
        if loaded is None and first in self.known:
            return Progress(self.known[first], first, first)
        if loaded is None:
            return begin(self.task, self.listen)
        arrays, data = loaded
        self.levels, self.counts, self.history = [_level(e) for e in data["levels"]], data["counts"], data["history"]
        self.orbitals = _orbitals(loaded)
        if self.levels:
            self.density = _tucker(arrays, "density")
        return Progress(_tucker(arrays, "orbital"), **data["progress"])

    def keep(self, at: Progress) -> None:
        """Write the checkpoint: the orbital under way, what the grids done gave."""

        def content() -> Content:
            named = {"orbital": at.orbital, **{f"level.{k}": x for k, x in self.orbitals.items()}}
            if self.density is not None:
                named["density"] = self.density
            arrays = {f"{name}.core": x.core for name, x in named.items()}
            arrays |= {f"{name}.factor.{m}": u for name, x in named.items() for m, u in enumerate(x.factors)}
            progress = {f.name: getattr(at, f.name) for f in fields_of(at) if f.name != "orbital"}
            data = {"levels": [asdict(level) for level in self.levels], "counts": self.counts}
            return arrays, data | {"history": self.history, "progress": progress}

        self.checkpoint.save(content)

    def level(self, state: GroundState) -> LevelResult:
        """All numbers of one grid."""
        task, fields = self.task, state.energy.fields
        found: Identities = identities(state.energy, state.orbital, state.value, state.parts, task.nuclei, task.omega)
        density, orbital = fields.tucker(state.parts.density), fields.tucker(state.orbital)
        smallest, largest, _ = sampled_density(state.grid, density, task.nuclei)
        mu = state.parts.chemical_potential
        charges = state.energy.charges
        charge = fields.tucker(charges.total_charge(state.parts.density))
        errors = {
            "descent": DESCENTS * state.expected,
            "truncation": state.rounding,
            "box": box_error(state.grid, orbital, task.problem.weizsacker, mu, self.wall())
            + missed_energy(state.grid, charge),
        }
        return LevelResult(
            level=state.grid.level,
            spacing=state.grid.spacing,
            energy=state.value,
            components=found.components,
            chemical_potential=mu,
            virial=found.virial,
            sum_rule=found.sum_rule,
            min_density=smallest,
            max_density=largest,
            errors=errors,
            ranks=to_quantics(density, self.tol).ranks,
            tucker_ranks=density.ranks,
            steps=state.steps,
            evaluations=state.evaluations,
            boundary_charge=boundary_charge(state.grid, density),
            seconds=state.seconds,
            converged=state.status is Status.CONVERGED or DESCENTS * state.expected <= 0.1 * task.solver.accuracy,
            electrostatic=(state.parts.electrostatic - charges.offset, coulomb_energy(state.grid, charge)),
        )

    def wall(self) -> float:
        """The potential at the faces (hartree): of the trap and of what is not neutral."""
        half, omega = 0.5 * self.task.problem.box, self.task.omega
        trapped = 0.0 if omega is None else 0.5 * (omega * half) ** 2
        pull = (self.task.nuclei.charge - self.task.problem.count) / half
        # a negative ion's wall of charge ends somewhere behind the faces
        return trapped - (pull if omega is not None else max(pull, 0.0))

    def finish(
        self, levels: list[LevelResult], density: TuckerTensor, orbital: TuckerTensor, counts: dict[str, int]
    ) -> OrbitalFreeResult:
        task, solver = self.task, self.task.solver
        last, order = levels[-1], self.order()
        grid = Grid(task.problem.box, last.level, solver.laplacian)
        spacings = [level.spacing for level in levels]
        coarse = task.sharpest * last.spacing
        energy = extrapolate([level.energy for level in levels], spacings, order, coarse)
        parts = {
            name: extrapolate([level.components[name] for level in levels], spacings, order, coarse)
            for name in COMPONENTS
        }
        decrease = last.errors["descent"]
        shift = box_shift(last.errors["box"], grid, task.problem.weizsacker, last.chemical_potential, self.wall())
        component_errors = dict.fromkeys(COMPONENTS, 0.0)
        for name, part in parts.items():
            if name != "nuclear" and last.components[name] != 0.0:
                first_order = 2.0 * np.sqrt(abs(last.components[name]) * decrease)
                share = OF_DERIVATIVE * abs(last.components[name]) / task.problem.count / HARDNESS
                component_errors[name] = part.finest_error + first_order + max(OF_SHIFT, share) * shift
                component_errors[name] += last.errors["truncation"]
        # what the potential of the whole lacks at the faces, where nuclei and electrons alone have large moments
        split = abs(last.sum_rule)
        component_errors["external"] += split
        component_errors["hartree"] += split
        mu = extrapolate([level.chemical_potential for level in levels], spacings, order, coarse)
        mu_error = mu.finest_error + last.errors["truncation"] + shift + split / task.problem.count
        mu_error += float(np.sqrt(2.0 * decrease / task.problem.count))
        weights = {"weizsacker": 2.0, "thomas_fermi": 2.0, "correlation": 3.0}
        virial_error = sum(weights.get(name, 1.0) * part for name, part in component_errors.items())
        parts_of_error = {"grid": energy.finest_error, **last.errors}
        error = sum(parts_of_error.values())
        extrapolated_error = error - energy.finest_error + energy.error
        local = self.local(grid, orbital)
        looks = tuple(compared(last, task.problem.count, component_errors, local, virial_error, solver.accuracy, order))
        status, short = judge(task, levels, order, energy, extrapolated_error, looks)
        train = to_quantics(density, self.tol)
        _, _, top = sampled_density(grid, density, task.nuclei)
        return OrbitalFreeResult(
            electrons=task.problem.count,
            format=solver.format,
            laplacian=solver.laplacian,
            levels=levels,
            extrapolated_energy=energy.value,
            extrapolated_error=extrapolated_error,
            energy_error=error,
            error_parts=parts_of_error,
            component_errors=component_errors,
            chemical_potential_error=mu_error,
            virial_error=virial_error,
            order=order,
            profiles=profiles(grid, density, top),
            plane=plane(grid, density, top),
            radial=radial(grid, density, task.nuclei, task.omega),
            density=train,
            orbital=to_quantics(orbital, self.tol),
            density_error=self.tol,
            status=status,
            history=self.history,
            counts=counts,
            timing={
                "compile_s": 0.0,
                "setup_s": self.prepared.setup_s,
                "solve_s": time.perf_counter() - self.begin,
            },
            warnings=[*self.prepared.warnings, *short],
            checked=looks,
        )

    def local(self, grid: Grid, orbital: TuckerTensor) -> dict[str, tuple[float, float]]:
        """Electrons and local energies of the orbital by quadrature, each with its error."""
        functional = Functional.named(self.task.problem.functional)
        return quadrature(grid, orbital, functional, self.task.nuclei, self.task.sharpest)

    def order(self) -> int | None:
        """The power of the spacing that the error follows."""
        if self.task.solver.laplacian == "differences":
            return 2
        return 3 if self.task.nuclei.points.any() else None


def keys_of(model: OrbitalFreeProblem | OrbitalFreeSolver) -> str:
    """The keys that decide on results, as a text."""
    return json.dumps(model.model_dump(exclude={"workers"}, warnings=False), default=str)


def _tucker(arrays: Mapping[str, np.ndarray], name: str) -> TuckerTensor:
    return TuckerTensor(arrays[f"{name}.core"], tuple(arrays[f"{name}.factor.{m}"] for m in range(3)))


def _orbitals(content: Content | None) -> dict[int, TuckerTensor]:
    """The orbitals of the grids a checkpoint has done."""
    names = (
        [] if content is None else [n.split(".") for n in content[0] if n.startswith("level.") and n.endswith("core")]
    )
    return {int(level): _tucker(content[0], f"level.{level}") for _, level, _ in names} if content else {}


def _level(entry: Results) -> LevelResult:
    """A LevelResult from JSON data."""
    tuples = {name: tuple(entry[name]) for name in ("ranks", "tucker_ranks", "electrostatic") if name in entry}
    return LevelResult(**{**entry, **tuples})
