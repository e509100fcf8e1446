"""From a parametric PDE to its report: the solution train, refined until the quantities reach the accuracy asked.

Each round computes the train, measures the errors of the quantities against exact solves (analysis), and refines what
is too coarse: Gauss points of a parameter whose polynomials end too early (where they are automatic), or the train.
The basis of the solves already made is kept, so that no work is lost between the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.parametric_pde.analysis import Analysis, Exact, analyse, grid_points, held_out_points
from problems.parametric_pde.assembled import check_size, solve_assembled
from problems.parametric_pde.gauss import MOST, automatic_points, rule
from problems.parametric_pde.model import ParametricProblem, ParametricSolver
from problems.parametric_pde.result import ParametricResult, QuantityResult
from problems.parametric_pde.second_looks import second_looks
from problems.parametric_pde.statistics import field_moments
from problems.parametric_pde.surrogate import parameter_samples, sample
from problems.parametric_pde.system import Discrete
from solvers.checkpoint import (
    Checkpoint,
    CheckpointError,
    Journal,
    Question,
    random_state,
    restore,
    stored_train,
    train_arrays,
)
from solvers.cross.als_cross import als_cross
from solvers.cross.maxvol import rectangular_maxvol
from solvers.cross.parametric_system import ParametricSystem
from solvers.cross.reduced_basis import ReducedBasis
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.methods import ALSCross
from solvers.solution import Callback, IterationState, Solution, Status

SEPARATION_SHARE = 0.05  # of the accuracy
VARIANCE_FACTOR = 10.0  # a variance may err this many times more than a mean
TAIL_FACTOR = 10.0  # what the next polynomial degrees would add, over the accuracy
ROUNDS = 5
SOLVES, EXACT = "solves.npz", "exact.npz"  # files in a checkpoint folder, numbered
STRICTEST = 0.02  # of the accuracy, for the train
LARGE = 20_000  # unknowns from which one solve is worth a worker process
REALISATIONS = 3


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved: the Gauss points it begins with."""

    problem: ParametricProblem
    solver: ParametricSolver
    points: tuple[int, ...]
    setup_s: float


def prepare(problem: ParametricProblem, solver: ParametricSolver) -> Prepared:
    """Gauss points; raises ProblemError for what cannot be computed. Takes well under a second."""
    begin = time.perf_counter()
    if solver.method == "amen":
        check_size(problem)
    points = problem.points
    if points == AUTOMATIC:
        points = tuple(automatic_points(problem.coefficient, problem.midpoints, solver.accuracy))
    elif isinstance(points, int):
        points = (points,) * problem.coefficient.d
    return Prepared(problem, solver, points, time.perf_counter() - begin)


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> ParametricResult:
    """The solution and its statistics; see the module's text. Deterministic in ``seed``.

    ``checkpoint``: the folder of the solves made so far, which a continued calculation takes from there; ``earlier``:
    that of a run on the same mesh, whose solutions the basis begins with.
    """
    begin = time.perf_counter()
    rectangular_maxvol(np.eye(3)[:, :2] + 1.0)
    compile_s = time.perf_counter() - begin
    return _Run(prepared, executor, np.random.default_rng(seed), callback, checkpoint, earlier).result(compile_s)


class _Run:
    """What one calculation knows while it runs."""

    def __init__(
        self,
        prepared: Prepared,
        executor: Executor | None,
        rng: np.random.Generator,
        callback: Callback | None,
        checkpoint: Path | None,
        earlier: Path | None,
    ) -> None:
        self.problem, self.solver, self.rng = prepared.problem, prepared.solver, rng
        self.begin, self.setup_s = time.perf_counter(), prepared.setup_s
        self.callback = callback
        self.checkpoint, self.earlier, self.rounds = checkpoint, earlier, 0
        journal = Journal(self.file(EXACT))
        try:
            self.discrete = Discrete.of(self.problem, SEPARATION_SHARE * self.solver.accuracy, rng, journal)
            self.held_out = held_out_points(self.discrete, rng)
        except CheckpointError:
            raise
        except ValueError as error:
            raise ProblemError(str(error), "problem.field") from None
        self.executor = executor if len(self.discrete.elements.free) >= LARGE else None
        self.points = list(prepared.points)
        self.history: list[IterationState] = []  # of the rounds before
        self.counts: dict[str, int] = {}
        self.basis: ReducedBasis | None = None
        self.inner = self.solver.accuracy
        self.solving = time.perf_counter()
        self.begun = 0.0  # seconds from there to the start of this round

    def counted(self, state: IterationState) -> IterationState:
        """A state of this round, counted through all rounds."""
        return replace(state, step=len(self.history) + state.step, seconds=self.begun + state.seconds)

    def listen(self, state: IterationState) -> None:
        """Tell of a state of this round."""
        if self.callback is not None:
            self.callback(self.counted(state))

    def keep(self, solution: Solution) -> None:
        """Add the history of this round, what was told before it was continued included."""
        self.history += [self.counted(state) for state in solution.history]

    def compute(self, system: ParametricSystem) -> Solution:
        """One train by the method asked for."""
        solver = self.solver
        self.rounds += 1
        self.begun = time.perf_counter() - self.solving
        if self.history:  # those of a run that was continued took longer than this process has
            self.begun = max(self.begun, self.history[-1].seconds)
        if solver.method == "amen":
            return self.assembled_once(
                lambda: solve_assembled(system, self.inner, solver.max_rank, self.rng, self.listen)
            )
        start = self.basis.on(system) if self.basis is not None else None
        solution = als_cross(
            system,
            method=ALSCross(max_solves=solver.max_solves, max_rank=solver.max_rank),
            accuracy=self.inner,
            start=start,
            executor=self.executor,
            rng=self.rng,
            callback=self.listen,
            throw=False,
            checkpoint=self.file(SOLVES if self.rounds == 1 else f"round-{self.rounds}.npz"),
            earlier=None if self.earlier is None else self.earlier / SOLVES,
        )
        self.basis = solution.extra["basis"]
        self.keep(solution)
        return solution

    def file(self, name: str) -> Path | None:
        """A file of the checkpoint folder."""
        return None if self.checkpoint is None else self.checkpoint / name

    def assembled_once(self, compute: Callable[[], Solution]) -> Solution:
        """The train of this round from the checkpoint, or computed and kept."""
        path = self.file(f"train-{self.rounds}.npz")
        file = Checkpoint(path, Question([np.array(self.points)], [repr(self.inner), repr(self.solver.max_rank)]))
        loaded = file.load()
        if loaded is None:
            solution = compute()
            self.keep(solution)
            arrays, entry = train_arrays("train", solution.value)
            kept: dict[str, object] = {"train": entry, "status": solution.status.name, "counts": solution.counts}
            kept |= {"residual": solution.residual, "random": random_state(self.rng), "history": self.history}
            file.save(lambda: (arrays, kept), last=True)
            return solution
        arrays, data = loaded
        restore(self.rng, data["random"])
        self.history = data["history"]
        train, status = stored_train(arrays, "train", data["train"]), Status[data["status"]]
        reached = int(status is Status.CONVERGED)
        return Solution(train, status, reached, data["residual"], tuple(self.history), data["counts"], {})

    def result(self, compile_s: float) -> ParametricResult:
        """All rounds, then everything the report shows."""
        for last in [False] * (ROUNDS - 1) + [True]:
            distribution = self.problem.coefficient.distribution
            rules = [rule(distribution, n) for n in self.points]
            system = self.discrete.system([y for y, _ in rules], [w for _, w in rules])
            solution = self.compute(system)
            for key, count in solution.counts.items():
                self.counts[key] = count if key in ("solves", "basis") else self.counts.get(key, 0) + count
            checks = grid_points(self.discrete, self.points, self.rng)
            self.counts["checks"] = self.counts.get("checks", 0) + len(checks.y)
            found = analyse(self.discrete, solution.value, self.held_out, checks)
            if last or solution.status in (Status.BASIS_LIMIT, Status.RANK_LIMIT) or not self.refine(found):
                break
        self.discrete.journal.flush()
        return self.finish(solution, found, checks, compile_s)

    def refine(self, found: Analysis) -> bool:
        """Whether something is too coarse and has been made finer."""
        accuracy = self.solver.accuracy
        more = []
        if self.problem.points == AUTOMATIC:
            limit = TAIL_FACTOR * accuracy / np.sqrt(len(self.points))
            more = [m for m, t in enumerate(found.tails.max(axis=0)) if t > limit and self.points[m] < MOST]
            for m in more:
                self.points[m] = min(self.points[m] + 2, MOST)
        ratio = max(found.mean_error() / accuracy, found.variance_error(accuracy) / (VARIANCE_FACTOR * accuracy))
        if ratio <= 1.0 or more:
            return bool(more)
        stricter = max(self.inner * max(0.5 / ratio, 0.1), STRICTEST * accuracy)
        if stricter >= 0.99 * self.inner:
            return False
        self.inner = stricter
        return True

    def finish(self, solution: Solution, found: Analysis, checks: Exact, compile_s: float) -> ParametricResult:
        """Distributions, fields and realisations."""
        discrete, problem = self.discrete, self.problem
        elements, distribution = discrete.elements, problem.coefficient.distribution
        samples = parameter_samples(distribution, discrete.d, self.rng)
        constant = found.constant(self.solver.accuracy)
        statistics = [
            QuantityResult(
                q.name,
                m.without_indices() if c else m,
                float(mean),
                float(variance),
                sample(s, samples, problem.exceedance.get(q.name)),
            )
            for q, m, c, mean, variance, s in zip(
                discrete.functionals,
                found.moments,
                constant,
                found.mean_errors,
                found.variance_errors,
                found.surrogates,
            )
        ]
        first = np.zeros((len(elements.nodes), solution.value.cores[0].shape[2]))
        first[elements.free] = solution.value.cores[0][0]
        train = TensorTrain((first[None], *solution.value.cores[1:]))
        if elements.lifted:
            train = train + _constant(elements.fixed, train.shape[1:])
        mean_field, variance_field = field_moments(train, [rule(distribution, n)[1] for n in self.points])
        drawn = self.held_out.y[:REALISATIONS]
        warnings, status = self.verdict(solution.status, found)
        checked = second_looks(discrete, solution.value, found, self.held_out, checks, self.solver.accuracy, self.rng)
        failed = [c for c in checked if not c.passed]
        warnings += [f"{c.what}: {c.how}: {c.result}" for c in failed]
        if failed and status is Status.CONVERGED:
            status = Status.CONTRADICTED
        return ParametricResult(
            statistics=statistics,
            distribution=distribution,
            points=[int(n) for n in self.points],
            pde_solves=int(self.counts.get("solves", 0)),
            held_out_errors=found.held_out,
            check_errors=found.checks,
            ranks=[int(r) for r in train.ranks],
            tails=found.tails.max(axis=0),
            separation_terms=len(discrete.separation.terms),
            separation_error=discrete.separation.error,
            nodes=elements.nodes,
            midpoints=problem.midpoints,
            mean_field=mean_field,
            deviation_field=np.sqrt(variance_field),
            realisations=(
                drawn,
                problem.coefficient.values(problem.midpoints, drawn),
                elements.all_nodes(discrete.solve(drawn)),
            ),
            solution=train,
            status=status,
            history=self.history,
            counts=self.counts,
            timing={
                "compile_s": compile_s,
                "setup_s": self.setup_s + self.solving - self.begin,
                "solve_s": time.perf_counter() - self.solving,
            },
            warnings=warnings,
            # a look of the solver that failed is its status: the quantities are judged by themselves
            checked=(*(c for c in solution.checked if c.passed), *checked),
            unseen_share=solution.extra.get("unseen_share"),
        )

    def verdict(self, status: Status, found: Analysis) -> tuple[list[str], Status]:
        """Warnings, and whether the accuracy asked for was reached: by the errors measured, not by the solver alone."""
        accuracy, warnings = self.solver.accuracy, []
        mean, variance = found.mean_error(), found.variance_error(accuracy)
        if mean <= accuracy and variance <= VARIANCE_FACTOR * accuracy:
            if status is not Status.CONVERGED:
                warnings.append(f"the quantities reached the accuracy, the whole solution did not: {status.value}")
            status = Status.CONVERGED
        else:
            warnings.append(
                f"the accuracy asked for ({accuracy:g}) was not reached: relative errors up to {amount(mean)} of the "
                f"means, {amount(variance)} of the variances"
            )
            if status is Status.CONVERGED:
                status = Status.STAGNATED if self.problem.points == AUTOMATIC else Status.BASIS_LIMIT
        tails = found.tails.max(axis=0)
        short = [m for m in range(len(tails)) if tails[m] > TAIL_FACTOR * accuracy]
        if short:
            listed = ", ".join(str(m + 1) for m in short[:12])
            cure = "raise points, or set them to automatic"
            if self.problem.points == AUTOMATIC:
                cure = f"{MOST} points a parameter are the limit"
            warnings.append(
                f"the polynomials in parameter {listed} end too early: their next degrees would add up to "
                f"{amount(tails.max())}; {cure}"
            )
        names = [q.name for q in self.discrete.functionals]
        zero = [n for n, told, m in zip(names, found.told_from_zero(), found.moments) if not told and m.variance > 0.0]
        if zero:
            warnings.append(
                f"the mean cannot be told from zero, its error is relative to the root mean square: {', '.join(zero)}"
            )
        constant = [n for n, c in zip(names, found.constant(accuracy)) if c]
        if constant:
            warnings.append(f"does not depend on the parameters to the accuracy asked for: {', '.join(constant)}")
        return warnings, status


def _constant(values: np.ndarray, shape: tuple[int, ...]) -> TensorTrain:
    return TensorTrain((values[None, :, None], *(np.ones((1, n, 1)) for n in shape)))
