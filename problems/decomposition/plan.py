"""What a decomposition would do, and what it is expected to take."""

from __future__ import annotations

import math

from problems.decomposition.model import DecompositionProblem, DecompositionSolver
from problems.decomposition.solve import Prepared
from problems.effort import INTERPRETER, entries, listed
from problems.report_parts import Effort
from solvers.formats.cp.decomposition import MOST_UNKNOWNS

SINGULAR = 1e9  # flops a second of singular values
CURVES = 10.0  # truncations of an array for its curve
STEP = 2e-3  # seconds of a step of a sum of terms, beside its flops
SPEED = 5e9
STEPS = 150.0  # of Levenberg-Marquardt, a start; five times as many sweeps
AUTOMATIC = (1, 2, 4, 8, 16)  # numbers of terms that are expected to be tried


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, formats and the steps to come."""
    problem, solver = prepared.problem, prepared.solver
    shapes = problem.shapes
    told = [("arrays", ", ".join(list(shapes)[:8]) + (", ..." if len(shapes) > 8 else ""))]
    told += [(f"shape of {name}", f"{listed(shape)}: {entries(shape)}") for name, shape in list(shapes.items())[:8]]
    told.append(("formats", ", ".join(problem.formats)))
    if "cp" in problem.formats:
        terms = "from few on, up to 32" if solver.terms == "automatic" else listed(_terms(solver))
        told.append(("terms", f"{terms}; {solver.starts} starts each, by {solver.method.replace('_', '-')}"))
    return [*told, ("plan", f"each format to a relative error of {solver.accuracy:g}, then each result in the others")]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory; one process, whatever the number of ``workers``."""
    del workers
    problem, solver = prepared.problem, prepared.solver
    seconds, largest = 1.0, 0.0
    for shape in problem.shapes.values():
        size = math.prod(shape)
        widest = max(min(math.prod(shape[:k]), math.prod(shape[k:])) for k in range(1, len(shape)))
        seconds += CURVES * len(problem.formats) * 4.0 * size * widest / SINGULAR
        seconds += _sums(problem, solver, shape) if "cp" in problem.formats else 0.0
        largest = max(largest, float(size))
    return Effort(seconds, INTERPRETER + 8e-6 * 12.0 * largest)


def _sums(problem: DecompositionProblem, solver: DecompositionSolver, shape: tuple[int, ...]) -> float:
    seconds = 0.0
    for terms in _terms(solver):
        unknowns, size = terms * sum(shape), math.prod(shape)
        if solver.method == "levenberg_marquardt" or (solver.method == "automatic" and unknowns <= MOST_UNKNOWNS):
            seconds += solver.starts * STEPS * (STEP + (unknowns**3 / 3.0 + 6.0 * len(shape) * size * terms) / SPEED)
        else:
            seconds += solver.starts * 5.0 * STEPS * (STEP + 4.0 * len(shape) * size * terms / SPEED)
    return seconds


def _terms(solver: DecompositionSolver) -> tuple[int, ...]:
    if solver.terms == "automatic":
        return AUTOMATIC
    return solver.terms if isinstance(solver.terms, tuple) else (int(solver.terms),)
