"""What a completion would do, and what it is expected to take."""

from __future__ import annotations

from problems.completion.model import FRESH, CompletionProblem, options
from problems.completion.solve import Prepared
from problems.effort import INTERPRETER, entries, listed, megabytes, size
from problems.report_parts import Effort
from solvers.optimisation.completion.dimension import feasible, parameters

EVALUATIONS = 20.0  # of the misfit and its gradient, for each rank on the way
FLOPS = 40.0  # of a misfit and its gradient, for each sample, mode and r^2
SPEED = 1e9
HUBER = 8.0  # growths of a robust completion, in times of one by squares
SWEEPS = 150.0  # of the ridges tried for a rank
SWEEP = 6e-8  # seconds a sample and mode, beside the slices
EVALUATION = 2e-3  # seconds beside the flops


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    problem, rank = prepared.problem, int(prepared.solver.max_rank)
    shape = problem.shape
    source = "held out" if problem.file is not None else f"fresh, up to {FRESH}"
    return [
        ("shape", listed(shape)),
        ("tensor", entries(shape)),
        (
            "samples",
            f"{problem.known}, of which {problem.fitted} are fitted; {problem.tests} more measure the error ({source})"
            if problem.file is None
            else f"{problem.known}, of which {problem.fitted} are fitted and {problem.tests} measure the error",
        ),
        (
            "train",
            f"TT-ranks up to {listed(feasible(shape, rank))}: {parameters(shape, rank)} parameters, "
            f"{megabytes(size(shape, rank))}",
        ),
        _steps(prepared, rank),
    ]


def _steps(prepared: Prepared, rank: int) -> tuple[str, str]:
    """What is done, in words."""
    problem = prepared.problem
    if options(problem, prepared.solver).penalised:
        first = "effects, then " if problem.effects else ""
        return (
            "plan",
            f"{first}ranks up to {rank} while they predict better; alternating {problem.loss}, ridge "
            f"{prepared.solver.ridge}",
        )
    more = "; what does not fit is rejected, the rest fitted by squares, until that is settled"
    more = more if problem.loss == "huber" else ""
    text = f"ranks 1 to {rank}, one after the other, while they predict better; Riemannian conjugate gradients"
    return ("plan", text + more)


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    problem, rank, seconds = prepared.problem, int(prepared.solver.max_rank), 0.3
    if options(problem, prepared.solver).penalised:
        return _alternating(problem, rank)
    samples, d = problem.fitted + problem.tests, len(problem.shape)
    times = HUBER if problem.loss == "huber" else 1.0
    for r in range(1, rank + 1):
        seconds += EVALUATIONS * (EVALUATION + FLOPS * problem.fitted * d * r * r / SPEED)
    return Effort(times * seconds, INTERPRETER + 8e-6 * samples * d * (rank + 4) + 20.0 * size(problem.shape, rank))


def _alternating(problem: CompletionProblem, rank: int) -> Effort:
    """Sweeps of some ridges for each rank; the growth mostly ends before the largest."""
    d, seconds = len(problem.shape), 1.0
    for r in range(1, rank + 1):
        slices = r * r if d == 2 else r**4
        seconds += SWEEPS * problem.fitted * d * (SWEEP + slices / SPEED)
    return Effort(seconds, INTERPRETER + 8e-6 * problem.known * d * (rank + 8) + 60.0 * size(problem.shape, rank + 2))
