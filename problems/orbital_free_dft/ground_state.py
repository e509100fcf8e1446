"""The ground state from coarse to fine: a dense start on few points, then each grid from the one before.

A start on at most 2^7 points an axis costs a second and takes most of the steps, all those in which charge moves over
long distances. On the grids on the way, four times finer each, and on that asked for the descent runs at a loose
tolerance of the format, where ranks are small, until its rounding is what stops it; then on the latter at the final
one. Orbitals go from grid to grid by their sine series.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from problems.orbital_free_dft.electrostatics import electrostatics, gaussians
from problems.orbital_free_dft.energy import Energy, Parts
from problems.orbital_free_dft.fields import DenseFields, Field, Fields
from problems.orbital_free_dft.functionals import Functional
from problems.orbital_free_dft.grid import Grid, refined
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.quantics_fields import QuanticsFields
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.fit_methods import ConjugateGradients
from solvers.formats.tucker.tensor import TuckerTensor, combine, rank_one
from solvers.optimisation.descent import minimise
from solvers.solution import IterationState, Solution, Status

START_LEVEL, START_FINEST = 6, 7
START_WIDTH = 1.0  # spacing of the start in widths of the narrowest smeared nucleus or trap
START_ACCURACY = 1e-3  # hartree an electron
TOLERANCE, TIGHTEST, LOOSEST = 1e-4, 1e-11, 1e-7  # of the format: a share of the accuracy, and its bounds
# hartree: an accuracy above which the loosest tolerance grows, with the power below, to this share of the accuracy over
# the energy and no more. Methane to 0.02 with ranks of 53 for 1e-7 took 228 s, with those of 9e-6 a fifth
ROUGH, GROWTH, OF_SCALE = 1e-3, 1.5, 0.02
STRIDE = 2  # levels between grids on the way
LOOSE, ALIKE = 1e-5, 0.2  # tolerance of the first pass on a grid, and the share of it from which that is the only one
DESCENT = 2e-3  # times N accuracy^2: the decrease left at the end, above what the rounding of the format hides
OF_ACCURACY = 1e-2  # and at most this share of the accuracy
SLOPE = 0.4  # of the line search
SHIFT = 0.5  # hartree, of the metric
ROUNDING = 3.0  # tolerances times the size of the energy: what a value may rise by


@dataclass(frozen=True, eq=False)
class GroundState:
    """One grid's answer: the orbital as a field of ``energy.fields``, value (hartree), parts, and the descent's end."""

    grid: Grid
    energy: Energy
    orbital: Field
    value: float
    parts: Parts
    expected: float
    rounding: float
    status: Status
    steps: int
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Task:
    """What is computed, on every grid."""

    problem: OrbitalFreeProblem
    solver: OrbitalFreeSolver
    nuclei: Nuclei
    seed: int

    @property
    def omega(self) -> float | None:
        return None if self.problem.trap is None else self.problem.trap.omega

    @property
    def sharpest(self) -> float:
        """One over the size of the sharpest feature of the orbital (1/bohr).

        A cusp exp(-Z r / lambda) at a point; the ground state in the well of a smeared nucleus, whose curvature is
        (4/3) Z a^(3/2) / sqrt(pi), or the nucleus itself; in the trap.
        """
        nuclei, weight = self.nuclei, self.problem.weizsacker
        widths = np.where(nuclei.points, 0.0, nuclei.smearings)
        wells = (4.0 / 3.0 / np.sqrt(np.pi) * nuclei.charges * widths**1.5 / weight) ** 0.25
        rates = np.where(nuclei.points, nuclei.charges / weight, np.maximum(np.sqrt(widths), wells))
        trapped = 0.0 if self.omega is None else float(np.sqrt(self.omega)) / weight**0.25
        return max(float(rates.max(initial=0.0)), trapped)

    @property
    def tolerance(self) -> float:
        accuracy = self.solver.accuracy
        rough = LOOSEST * (accuracy / ROUGH) ** GROWTH
        loosest = max(LOOSEST, min(rough, OF_SCALE * accuracy / self.scale, LOOSE))
        return min(max(TOLERANCE * accuracy, TIGHTEST), loosest)

    @property
    def scale(self) -> float:
        """About the size of the energy (hartree): of Thomas-Fermi atoms, and of a trap by its chemical potential."""
        trapped = 0.0 if self.omega is None else self.omega * (3.0 * self.problem.count) ** (4.0 / 3.0)
        return max(1.0, float(np.sum(self.nuclei.charges ** (7.0 / 3.0))) + trapped)

    @property
    def decrease(self) -> float:
        """The expected decrease of the energy at which the descent ends (hartree)."""
        accuracy = self.solver.accuracy
        return min(DESCENT * self.problem.count * accuracy**2, OF_ACCURACY * accuracy)

    def fields(self, level: int, kind: str, tol: float) -> Fields:
        """Fields of a format: dense, tucker or quantics."""
        grid = Grid(self.problem.box, level, self.solver.laplacian)
        if kind == "dense":
            return DenseFields(grid)
        make = TuckerFields if kind == "tucker" else QuanticsFields
        return make(grid, tol, self.solver.max_rank, np.random.default_rng(self.seed))

    def levels(self) -> list[int]:
        """The grids that are converged: those asked for; beside a single one a coarser, to estimate its error."""
        asked = list(self.problem.grids)
        return asked if len(asked) > 1 else [asked[0] - 1, asked[0]]

    def stages(self, level: int, target: int) -> list[tuple[int, float]]:
        """Grid and tolerance of each descent from ``level`` to ``target``: loose on the way and at first there."""
        if self.solver.format == "dense" or self.tolerance >= ALIKE * LOOSE:
            return [(target, self.tolerance)]
        way = [(between, LOOSE) for between in range(level + STRIDE, target, STRIDE)]
        return [*way, (target, LOOSE), (target, self.tolerance)]

    def start_level(self) -> int:
        """The dense grid of the start: it shows the widest features, in well under a second."""
        widths = [1.0 / np.sqrt(a) for a in self.nuclei.smearings if np.isfinite(a)]
        if self.omega is not None:
            widths.append(1.0 / np.sqrt(self.omega))
        level = START_LEVEL
        if widths and self.problem.box / (1 << START_LEVEL) > START_WIDTH * min(widths):
            level = START_FINEST
        return min(level, self.levels()[0])


@dataclass
class Progress:
    """Where the way from coarse to fine has come to.

    ``orbital``, on the grid ``level``; ``base``: the grid that the present target is reached from; ``targets``,
    ``stages``: how many of ``task.levels()``, and of the descents to the next of them, are done; the rest is counted
    since the last target, the start included.
    """

    orbital: TuckerTensor
    level: int
    base: int
    targets: int = 0
    stages: int = 0
    steps: int = 0
    evaluations: int = 0
    seconds: float = 0.0


def begin(task: Task, callback: Callable[[IterationState], None]) -> Progress:
    """The dense start."""
    level = task.start_level()
    orbital = guess(task, Grid(task.problem.box, level))
    dense = task.fields(level, "dense", 0.0)
    loosest = max(START_ACCURACY * task.problem.count, task.solver.accuracy)
    start = descend(task, dense, orbital, loosest * OF_ACCURACY, callback)
    return Progress(
        dense.tucker(start.orbital),
        level,
        level,
        steps=start.steps,
        evaluations=start.evaluations,
        seconds=start.seconds,
    )


def ground_states(
    task: Task,
    callback: Callable[[IterationState], None],
    at: Progress,
    keep: Callable[[Progress], None],
    known: Mapping[int, TuckerTensor] | None = None,
) -> Iterator[GroundState]:
    """The ground state on each of ``task.levels()`` not done yet; ``keep`` is called after every descent.

    ``known``: orbitals close to those of a grid, from which one descent is enough.
    """
    for target in task.levels()[at.targets :]:
        stages, start = task.stages(at.base, target), (known or {}).get(target)
        if start is not None:
            at.orbital, stages = start, stages[-1:]
        for level, tol in stages[at.stages :]:
            begun = time.perf_counter()
            orbital = at.orbital.mapped([partial(refined, points=1 << level)] * 3)
            fields = task.fields(level, task.solver.format, tol)
            state = descend(task, fields, orbital, task.decrease * max(1.0, tol / task.tolerance) ** 2, callback)
            at.orbital, at.level, at.stages = fields.tucker(state.orbital), level, at.stages + 1
            at.steps, at.evaluations = at.steps + state.steps, at.evaluations + state.evaluations
            at.seconds += time.perf_counter() - begun
            if at.stages < len(stages):
                keep(at)
        yield replace(state, steps=at.steps, evaluations=at.evaluations, seconds=at.seconds)
        at.base, at.targets, at.stages = target, at.targets + 1, 0
        at.steps = at.evaluations = 0
        at.seconds = 0.0
        keep(at)


def guess(task: Task, grid: Grid) -> TuckerTensor:
    """A positive orbital: Gaussians about the nuclei, or one as wide as the trap makes it."""
    nuclei, terms = task.nuclei, []
    if len(nuclei):
        # a neutral atom of these models is about as wide whatever its charge
        width = max(1.6, 1.5 * grid.spacing)
        terms.append((1.0, gaussians(grid, nuclei, np.full(len(nuclei), 0.5 / width**2))))
    if task.omega is not None:
        width = (task.problem.count / task.omega**2 + task.omega**-1.5) ** (1.0 / 3.0)
        scale = 1.0 if not len(nuclei) else 0.1 / width**3
        terms.append((scale, rank_one([np.exp(-0.5 * (grid.x / width) ** 2)] * 3)))
    return combine(terms)


def descend(
    task: Task, fields: Fields, orbital: TuckerTensor, wanted: float, callback: Callable[[IterationState], None]
) -> GroundState:
    """The descent on one grid in one format, until the expected decrease is ``wanted`` (hartree)."""
    begin = time.perf_counter()
    problem, solver = task.problem, task.solver
    rng = np.random.default_rng(task.seed)
    charges = electrostatics(fields, task.nuclei, task.omega, rng)
    functional = Functional.named(problem.functional)
    energy = Energy(fields, charges, functional, problem.count, problem.weizsacker, SHIFT)
    start = energy.normalised(fields.adopt(orbital))
    noise = min(1e-3, max(1e-13, ROUNDING * fields.tol))

    def listen(state: IterationState) -> None:
        callback(replace(state, label=f"2^{fields.grid.level}", extra={**state.extra, "level": fields.grid.level}))

    method = ConjugateGradients(steps=solver.max_steps, slope=SLOPE, noise=noise)
    solution: Solution = minimise(energy, energy, start, method=method, accuracy=wanted, callback=listen, throw=False)
    parts: Parts = solution.extra["evaluation"].extra
    return GroundState(
        fields.grid,
        energy,
        solution.value,
        float(solution.extra["value"]),
        parts,
        float(solution.residual[0]),
        fields.tol * parts.size * max(1.0, fields.missed),
        solution.status,
        solution.counts["steps"],
        solution.counts["evaluations"],
        time.perf_counter() - begin,
    )
