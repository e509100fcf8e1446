"""What a run would do, and what it is expected to take."""

from __future__ import annotations

from problems.effort import INTERPRETER
from problems.report_parts import Effort
from problems.supervised.solve import Prepared

# seconds of one fit of 1,000 rows with 10 fields: rough, from runs of 958 boards and of 1,797 digits
PLAIN = {
    "linear": 0.1,
    "linear-strong": 0.02,
    "boosting": 0.4,
    "nearest": 0.05,
    "neighbours": 0.05,
    "svm": 0.1,
    "svm-soft": 0.1,
    "forest": 0.3,
    "network": 3.0,
}
EPOCH = 0.04  # of a score function of width 8 over 1,000 rows
PAIR = 0.35  # a pair of rank and ridge of interactions, over 1,000 rows and 10 fields


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Rows, splits and the fits to come."""
    problem, solver = prepared.problem, prepared.solver
    data = problem.sizes
    held = problem.held(data.rows)
    fits = len(problem.levels) * problem.splits * (1 + len(solver.against)) + 1
    what = f"{data.classes} classes" if data.classes else "a number"
    return [
        ("rows", f"{data.rows} of {data.fields} fields; the target: {what}"),
        ("splits", f"{problem.splits}, of {data.rows - held} rows fitted and {held} that judge"),
        ("model", f"{solver.model}, rank {solver.rank}"),
        ("plan", f"{fits} fits: beside {', '.join(solver.against) or 'nothing'}, and one of permuted targets"),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    problem, solver = prepared.problem, prepared.solver
    data = problem.sizes
    thousands = (data.rows - problem.held(data.rows)) / 1000.0
    size = thousands * data.fields / 10.0 * max(1.0, data.classes / 2.0)
    if solver.model == "interactions":
        pairs = 1
        for given, several in ((solver.rank, 3), (solver.ridge, 4)):
            pairs *= several if given == "automatic" else len(given) if isinstance(given, tuple) else 1
        own = PAIR * (pairs + 2) * size
    else:
        assert isinstance(solver.rank, int)
        own = EPOCH * solver.epochs * thousands * max(1.0, (solver.rank / 8.0) ** 2)
    plain = sum(PLAIN[name] for name in solver.against) * max(thousands, 0.2) * max(1.0, data.classes / 2.0)
    seconds = 1.0 + (len(problem.levels) * problem.splits * (own + plain) + own) / max(1, workers)
    processes = 1 + (workers if workers > 1 else 0)
    return Effort(seconds, processes * (INTERPRETER + 8e-6 * data.rows * data.fields * 20.0))
