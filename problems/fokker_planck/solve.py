"""From a Fokker-Planck problem to its report: the density evolved twice, loosely and strictly.

The estimated error of a moment is the larger of two: what the runs differ by at most, reduced as the bounds of the two
states' errors are (a ratio taken three times over), and half of the bound of the stricter state, or all of it for other
methods than the implicit one, for two runs that keep the same ranks agree whatever those cost. (Moments err by between
0.4 and a five-hundredth of that bound, as measured, the less the more coordinates; Cauchy and Schwarz give far more.)
While the estimate is above the accuracy asked for, a still stricter run follows. The looser run costs less than half of
the other. Steps of a fixed length are the same in both runs: the evolution's own estimate of their error is added in
full.

Lengths are measured in widths of the density: errors of means and covariances are relative to the largest standard
deviation of each coordinate (``lengths``), and inside everything is in a power of two of them, so that metres and
nanometres give the same digits. At the end the moments are looked at beside those of the closed form, which knows
nothing of grids and trains; where that contradicts, the error stated is the one found.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.fokker_planck.model import AUTOMATIC_RANK, LOOKS, FokkerPlanckProblem, FokkerPlanckSolver
from problems.fokker_planck.model import needed_half_width as needed
from problems.fokker_planck.operators import Discrete
from problems.fokker_planck.quantities import marginals, moments, samples
from problems.fokker_planck.result import FokkerPlanckResult
from problems.keys import AUTOMATIC
from solvers.dynamics.evolution import Evolution
from solvers.dynamics.evolve import evolve
from solvers.formats.trains.construct import kronecker_sum, rank_one
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount, numeral
from solvers.method_base import Integrator
from solvers.methods import BUG, TDVP, Implicit
from solvers.solution import Callback, Checked, IterationState, Solution, Status

LOOSE, STRICT = 50.0, 3.0  # times the accuracy asked of the moments, for the state in the 2-norm
STRICTER = 0.1
OF_BOUND = 0.5  # of the bound of the state's error: at least so much is a moment said to err
CAUTION = 3.0  # an estimate is so many times what the ratio of the two states' errors makes of the difference
ROUNDS = 4
LOOSEST = 0.1
MOMENTS = ("mean", "covariance")
SHARES = (0.3, 1.0)  # of the progress shown, after the first and the second run
STARTS_AGAIN = "nothing of the run before could be used: steps and ranks of an evolution are those of its own accuracy"
MASS = 1e-8  # a deviation of the mass above this is told
CLOSED_FORM = True  # whether the moments are looked at beside the exact ones
ROUNDING = 1e-10  # of either route, in widths


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: FokkerPlanckProblem
    solver: FokkerPlanckSolver
    discrete: Discrete
    warnings: list[str]
    setup_s: float
    unit: float


def prepare(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver) -> Prepared:
    """The operator, and what box and grid leave to be desired. Takes well under a second."""
    begin = time.perf_counter()
    unit = 2.0 ** round(float(np.log2(lengths(problem, solver.t_final).max())))
    discrete = Discrete.of(in_units(problem, unit), solver.t_final)
    warnings = discretisation_warnings(problem, solver)
    return Prepared(problem, solver, discrete, warnings, time.perf_counter() - begin, unit)


def lengths(problem: FokkerPlanckProblem, t_final: float) -> np.ndarray:
    """The largest standard deviation of each coordinate until ``t_final`` (d,): the scale of its errors."""
    return problem.exact(np.linspace(0.0, t_final, LOOKS)).widths().max(axis=0)


def in_units(problem: FokkerPlanckProblem, unit: float) -> FokkerPlanckProblem:
    """The same problem with lengths in ``unit``: a power of two changes no digit."""
    initial = problem.initial.model_copy(
        update={"mean": tuple(problem.mean / unit), "variance": tuple(problem.variance / unit**2)}
    )
    grid = problem.grid.model_copy(update={"half_width": tuple(problem.half_widths / unit)})
    return problem.model_copy(update={"diffusion": problem.diffusion / unit**2, "initial": initial, "grid": grid})


def discretisation_warnings(problem: FokkerPlanckProblem, solver: FokkerPlanckSolver) -> list[str]:
    """Where box or grid may cost the accuracy asked for, from the exact moments."""
    known, warnings = problem.exact(np.linspace(0.0, solver.t_final, LOOKS)), []
    for axis, width in enumerate(problem.half_widths):
        if needed(known, axis) > width * (1.0 + 1e-9):
            warnings.append(
                f"fewer than six deviations of coordinate {axis + 1} fit the box at some time: its tails are cut; "
                f"half_width {numeral(needed(known, axis))} would hold them"
            )
    spacing = 2.0 * problem.half_widths / problem.points
    narrow = known.conditional_widths().min(axis=0)
    unresolved = np.exp(-0.5 * (np.pi * narrow / spacing) ** 2)  # the spectrum at the grid's highest wave number
    for axis in map(int, np.flatnonzero(unresolved > 0.1 * solver.accuracy)):
        wanted = np.sqrt(-2.0 * np.log(0.1 * solver.accuracy)) * spacing[axis] / (np.pi * narrow[axis])
        warnings.append(
            f"the grid hardly resolves coordinate {axis + 1} (width {numeral(narrow[axis])}, spacing "
            f"{numeral(spacing[axis])}): {int(np.ceil(problem.points[axis] * wanted))} points would"
        )
    return warnings


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> FokkerPlanckResult:
    """The density in time and its moments; see the module's text. One process; ``executor`` is not used.

    ``checkpoint``: the folder it is continued from, one file a run. Of an ``earlier`` calculation nothing can be used:
    its steps and ranks are those of its own accuracy.
    """
    found = _Run(prepared, seed, callback, checkpoint).result()
    return found if earlier is None else replace(found, warnings=[STARTS_AGAIN, *found.warnings])


class _Run:
    """What one calculation knows while it runs."""

    def __init__(self, prepared: Prepared, seed: int, callback: Callback | None, checkpoint: Path | None) -> None:
        self.prepared, self.seed, self.callback, self.checkpoint = prepared, seed, callback, checkpoint
        self.problem, self.solver, self.discrete = prepared.problem, prepared.solver, prepared.discrete
        self.times = self.solver.times
        self.unit, self.scaled = prepared.unit, in_units(self.problem, prepared.unit)
        self.lengths = lengths(self.problem, self.solver.t_final) / self.unit
        self.exact = self.scaled.exact(self.times)
        self.compile_s = _compile(self.method())
        self.begin = time.perf_counter()
        self.history: list[IterationState] = []
        self.counts: dict[str, int] = {}
        self.runs = 0

    def method(self) -> Integrator:
        solver = self.solver
        step = None if solver.time_step == AUTOMATIC else float(solver.time_step)
        rank = AUTOMATIC_RANK if solver.max_rank == AUTOMATIC else int(solver.max_rank)
        if solver.method == "implicit":
            return Implicit(time_step=step, max_rank=rank)
        if solver.method == "bug":
            return BUG(time_step=step, max_rank=rank)
        return TDVP(sites=2 if solver.method == "tdvp2" else 1, time_step=step, max_rank=rank)

    def listen(self, state: IterationState) -> None:
        """Keep an entry of the history, counted through all runs."""
        low, high = (0.0, *SHARES)[min(self.runs, 1)], SHARES[min(self.runs, 1)]
        fraction = None if state.fraction is None else low + (high - low) * state.fraction
        step = len(self.history) + 1
        state = replace(state, step=step, seconds=time.perf_counter() - self.begin, fraction=fraction)
        self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def evolve(self, accuracy: float) -> Solution:
        """One run; moments at every time, marginals and samples too."""
        moments_at = np.concatenate([[0.0], self.times]) if self.times[0] > 0.0 else self.times
        file = None if self.checkpoint is None else self.checkpoint / f"run-{self.runs + 1}.npz"
        skipped = len(moments_at) - len(self.times)

        def observe(t: float, q: TensorTrain) -> dict[str, np.ndarray]:
            i = int(np.argmin(np.abs(moments_at - t))) - skipped
            known = self.exact if i >= 0 else self.scaled.exact([0.0])
            # the points sampled at a time do not depend on where an evolution was continued
            rng = np.random.default_rng([self.seed, i + skipped])
            found = moments(self.discrete, q) | marginals(self.discrete, q)
            return found | samples(self.discrete, known, max(i, 0), q, rng)

        solution = evolve(
            self.discrete.operator,
            self.discrete.start,
            moments_at,
            method=self.method(),
            factor=1.0,
            accuracy=min(accuracy, LOOSEST),
            observe=observe,
            conserve=[self.discrete.mass],
            callback=self.listen,
            checkpoint=file,
            throw=False,
        )
        if len(solution.value.times) < len(moments_at):
            reached = solution.value.times[-1]
            message = f"no step is short enough for this accuracy at t = {reached:g}: relax it, or give a time_step"
            raise ProblemError(message, "solver.accuracy")
        self.runs += 1
        for name, count in solution.counts.items():
            self.counts[name] = self.counts.get(name, 0) + int(count)
        return solution

    def result(self) -> FokkerPlanckResult:
        """Runs until two agree, then everything the report shows."""
        accuracy = STRICT * self.solver.accuracy
        before, solution = self.evolve(LOOSE * self.solver.accuracy), self.evolve(accuracy)
        errors = self.errors(before.value, solution.value)
        while self.runs < ROUNDS and errors.max() > self.solver.accuracy and self.curable(errors, solution):
            accuracy *= STRICTER
            before, solution = solution, self.evolve(accuracy)
            errors = self.errors(before.value, solution.value)
        return self.finish(solution, errors)

    def curable(self, errors: np.ndarray, solution: Solution) -> bool:
        """Whether a stricter run can help: not against a rank limit or steps of a fixed length."""
        steps = float(solution.value.step_errors[-1]) if self.solver.time_step != AUTOMATIC else 0.0
        return solution.status is not Status.RANK_LIMIT and steps < 0.5 * self.solver.accuracy

    def errors(self, loose: Evolution, strict: Evolution) -> np.ndarray:
        """Estimates (2, T) of the errors of means and covariances of the strict run, in widths of the density."""
        found = []
        for name in MOMENTS:
            difference = self.in_widths(name, strict.observed[name] - loose.observed[name])
            found.append(difference[-len(self.times) :])
        bounds = np.maximum(np.array([loose.errors, strict.errors])[:, -len(self.times) :], 1e-300)
        # the largest over all times: at a single one two runs may agree by chance
        reduced = np.array(found).max(axis=1, keepdims=True) * np.minimum(CAUTION * bounds[1] / bounds[0], 1.0)
        share = OF_BOUND if self.solver.method == "implicit" else 1.0
        estimates = np.maximum(reduced, share * bounds[1])
        if self.solver.time_step != AUTOMATIC:
            estimates = estimates + strict.step_errors[-len(self.times) :]
        return estimates

    def in_widths(self, name: str, difference: np.ndarray) -> np.ndarray:
        """The largest entry of a difference of means or covariances (T, ...) in widths of its coordinates."""
        scale = self.lengths if name == "mean" else np.outer(self.lengths, self.lengths)
        return np.abs(difference / scale).reshape(len(difference), -1).max(axis=1)

    def look(self, seen: dict[str, np.ndarray], errors: np.ndarray) -> tuple[list[Checked], np.ndarray]:
        """The mass and the moments beside what is known of them; the errors, no smaller than what is found."""
        drift = float(np.abs(seen["mass"] - 1.0).max())
        looks = [
            Checked("mass", "one at all times", f"deviates by up to {amount(drift)}", drift <= self.solver.accuracy)
        ]
        if CLOSED_FORM:
            found = np.array(
                [
                    self.in_widths("mean", seen["mean"] - self.exact.means),
                    self.in_widths("covariance", seen["covariance"] - self.exact.covariances),
                ]
            )
            passed = bool((found <= np.maximum(errors, self.solver.accuracy) + ROUNDING).all())
            looks.append(
                Checked(
                    "means and covariances",
                    "closed form, by matrix exponentials",
                    f"differ by up to {amount(found[0].max())} and {amount(found[1].max())} widths",
                    passed,
                )
            )
            errors = np.maximum(errors, np.where(found > ROUNDING, found, 0.0))
        return looks, errors

    def finish(self, solution: Solution, errors: np.ndarray) -> FokkerPlanckResult:
        """The result, its warnings and its status."""
        evolution: Evolution = solution.value
        kept = slice(-len(self.times), None)
        seen = {name: values[kept] for name, values in evolution.observed.items()}
        d, accuracy = self.problem.dimension, self.solver.accuracy
        warnings, status = list(self.prepared.warnings), Status.CONVERGED
        estimated = float(errors.max())
        looks, errors = self.look(seen, errors)
        worst = float(errors.max())
        if not estimated <= accuracy:
            status = solution.status if solution.status is not Status.CONVERGED else Status.STAGNATED
            warnings.append(
                f"the accuracy asked for ({accuracy:g} widths of the density) was missed: errors up to {amount(worst)} "
                "estimated"
            )
        elif not (worst <= accuracy and all(look.passed for look in looks)):
            status = Status.CONTRADICTED
            warnings.append(
                f"the closed form differs by {amount(worst)} widths of the density, more than estimated "
                f"({amount(estimated)}): allow a wider box or more points"
            )
        drift = float(np.abs(seen["mass"] - 1.0).max())
        if drift > MASS:
            warnings.append(f"the mass deviates from one by up to {amount(drift)}: the implicit method keeps it")
        unit, wide = self.unit, float(self.lengths.max())
        volume = unit**d
        if not 0.0 < volume < np.inf:
            raise ProblemError(
                "densities are beyond the range of double precision: choose another unit", "problem.grid"
            )
        return FokkerPlanckResult(
            times=self.times,
            mean=seen["mean"] * unit,
            covariance=seen["covariance"] * unit**2,
            mass=seen["mass"],
            density_at_origin=seen["density_at_origin"] / volume,
            mean_error=errors[0] * wide * unit,
            covariance_error=errors[1] * (wide * unit) ** 2,
            state_error=evolution.errors[kept],
            density_error=seen["density_error"],
            min_density=seen["min_density"],
            ranks=evolution.ranks[kept],
            marginals=[seen[f"marginal_{k}"] / unit for k in range(d)],
            pairs=[seen[f"pair_{k}"] / unit**2 for k in range(d - 1)],
            grids=[axis.x * unit for axis in self.discrete.axes],
            exact=self.problem.exact(self.times),
            density=self.discrete.density(evolution.state) / volume,
            operator_ranks=[int(r) for r in self.discrete.operator.ranks],
            step_sizes=evolution.step_sizes,
            lengths=self.lengths * unit,
            checked=(*self.discrete.looks, *looks),
            status=status,
            history=self.history,
            counts=self.counts,
            timing={
                "compile_s": self.compile_s,
                "setup_s": self.prepared.setup_s,
                "solve_s": time.perf_counter() - self.begin,
            },
            warnings=warnings,
        )


def _compile(method: Integrator) -> float:
    """Seconds to compile or load what the method needs, by a tiny evolution."""
    begin = time.perf_counter()
    small = replace(method, time_step=0.1, max_rank=2)
    operator = kronecker_sum([np.diag([-1.0, -2.0, -3.0]) + 0.5 * np.eye(3, k=1)] * 2)
    start = rank_one([np.ones(3)] * 2)
    evolve(operator, start, [0.0, 0.1], method=small, factor=1.0, accuracy=1e-2, throw=False)
    return time.perf_counter() - begin
