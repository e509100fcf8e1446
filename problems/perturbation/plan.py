"""What a run would do, and what it is expected to take."""

from __future__ import annotations

from problems.effort import INTERPRETER
from problems.perturbation.attacks import methods
from problems.perturbation.model import PerturbationProblem, PerturbationSolver, layers_of
from problems.perturbation.solve import Prepared
from problems.report_parts import Effort
from solvers.extremal.universal import DENSE

# seconds, rough: from runs of digits by a network, a train and interactions
FIT = {"network": 0.9, "linear": 0.2, "linear-strong": 0.1}  # of 1,300 rows of 64 numbers
EPOCH = 0.04  # of a score function of width 8, 1,000 rows
PAIR = 0.35  # of rank and ridge of interactions, 1,000 rows of 10 fields
POWER = 1.5e-8  # of an entry of J v at one start and iteration, its power included
ITERATIONS = 15.0
JUDGED = 4e-9  # of a number of a held-out row and a unit of the learner
STEP = 8e-4  # of DeepFool, a row, size and pass


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Rows, splits and the perturbations to come."""
    problem, solver = prepared.problem, prepared.solver
    data = problem.sizes
    held = problem.held(data.rows)
    layers = layers_of(solver) if problem.layers == "automatic" else problem.layers
    names = ", ".join(method.name for method in methods(problem, solver))
    return [
        ("rows", f"{data.rows} of {data.fields} fields, {problem.free} of which may change; {data.classes} classes"),
        ("splits", f"{problem.splits}, of {data.rows - held} rows fitted and {held} that judge"),
        ("learner", str(solver.model)),
        ("layers", ", ".join(layers)),
        ("plan", f"{names}; each at {', '.join(f'{eps:g}' for eps in problem.eps)}"),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    problem, solver = prepared.problem, prepared.solver
    data = problem.sizes
    held = problem.held(data.rows)
    fitted, wide = data.rows - held, max(solver.hidden) if solver.model == "network" else 16 * solver.features
    outputs = min(solver.batch, fitted) * wide
    norms = len(methods(problem, solver)) * outputs * solver.starts * ITERATIONS * POWER
    norms += len(problem.q) * outputs * problem.free**2 * POWER  # the signs flipped one by one and in pairs
    judged = len(problem.eps) * 2.0 * (solver.random_signs + 10.0) * held * data.fields * wide * JUDGED
    fooled = len(problem.eps) * solver.deepfool_passes * min(solver.deepfool_rows, fitted) * STEP
    split = _fit(problem, solver, fitted) + norms + judged + (fooled if "deepfool" in solver.against else 0.0)
    processes = 1 + (workers if workers > 1 else 0)
    entries = min(float(outputs) * data.fields, float(DENSE)) + 3.0 * outputs * solver.starts
    size = 8e-6 * (3.0 * data.rows * data.fields + 3.0 * entries)
    return Effort(1.0 + problem.splits * split / min(max(1, workers), problem.splits), processes * (INTERPRETER + size))


def _fit(problem: PerturbationProblem, solver: PerturbationSolver, fitted: int) -> float:
    data = problem.sizes
    thousands = fitted / 1000.0
    if solver.model in FIT:
        units = sum(solver.hidden) / 112.0 if solver.model == "network" else 1.0
        return FIT[solver.model] * thousands / 1.3 * max(0.3, units * data.fields / 64.0)
    if solver.model == "interactions":
        pairs = 1
        for given, several in ((solver.rank, 3), (solver.ridge, 5)):
            pairs *= several if given == "automatic" else len(given) if isinstance(given, tuple) else 1
        return PAIR * (pairs + 2) * thousands * data.fields / 10.0 * max(1.0, data.classes / 2.0)
    width = solver.rank if isinstance(solver.rank, int) else 8
    return EPOCH * solver.epochs * thousands * max(1.0, (width / 8.0) ** 2)
