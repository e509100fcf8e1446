"""What a completion would do, and what it is expected to take."""

from __future__ import annotations

from problems.completion.model import FRESH
from problems.completion.solve import Prepared
from problems.effort import INTERPRETER, entries, listed, megabytes, size
from problems.report_parts import Effort
from solvers.optimisation.completion.dimension import feasible, parameters

EVALUATIONS = 20.0  # of the misfit and its gradient, for each rank on the way
FLOPS = 40.0  # of a misfit and its gradient, for each sample, mode and r^2
SPEED = 1e9
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
        ("plan", f"ranks 1 to {rank}, one after the other, while they predict better; Riemannian conjugate gradients"),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    problem, rank, seconds = prepared.problem, int(prepared.solver.max_rank), 0.3
    samples, d = problem.fitted + problem.tests, len(problem.shape)
    for r in range(1, rank + 1):
        seconds += EVALUATIONS * (EVALUATION + FLOPS * problem.fitted * d * r * r / SPEED)
    return Effort(seconds, INTERPRETER + 8e-6 * samples * d * (rank + 4) + 20.0 * size(problem.shape, rank))
