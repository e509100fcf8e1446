"""What a learner is compared with: plain methods on the same splits, and for noise of labels a line in closed form."""

from __future__ import annotations

import numpy as np

from problems.agreement import Agreement, Deviation
from problems.learning.learners import OWN
from problems.report_parts import Table
from problems.result import Columns
from problems.supervised.model import SupervisedProblem, SupervisedSolver
from problems.supervised.result import SupervisedResult
from problems.words import capital
from solvers.measured import Cell, Measured


def agreements(problem: SupervisedProblem, result: SupervisedResult) -> list[Agreement]:
    """The nearest neighbour beside its line."""
    if not np.isfinite(result.line).all() or len(result.levels) < 2:
        return []
    deviation = Deviation.of(result.means[result.names.index("nearest")] - result.line)
    assert deviation is not None
    label = "the nearest neighbour, (1 - p) acc0 + p / classes"
    return [Agreement("nearest_line", label, "closed form, on average over labels", deviation)]


def comparison_table(problem: SupervisedProblem, solver: SupervisedSolver, result: SupervisedResult) -> Table | None:
    """Every learner: score, difference split by split, scores of training rows, seconds."""
    difference, error = result.differences
    several = len(result.levels) > 1
    rows: list[list[Cell]] = []
    for j, level in enumerate(result.levels):
        for i in sorted(range(len(result.names)), key=lambda i: -result.means[i, j]):
            name = f"{solver.model} ({OWN})" if i == 0 else result.names[i]
            paired = Measured(difference[i - 1, j], error[i - 1, j]) if i else Measured(None)
            spread = Measured(float(result.scores[i, j].std(ddof=1)), bound=True)
            score = Measured(result.means[i, j], result.errors[i, j])
            trained = Measured(float(result.trained[i, j].mean()), digits=4)
            row: list[Cell] = [
                name,
                score,
                spread,
                paired,
                trained,
                Measured(float(result.seconds[i, j].mean()), digits=2),
            ]
            rows.append([f"{level:g}", *row] if several else row)
    columns = ["learner", result.metric, "spread", "this model less it", "on rows fitted", "seconds"]
    note = (
        f"{capital(result.metric)} on the rows that judge, mean over {result.splits} splits with its standard error "
        "(Nadeau and Bengio's, as training rows overlap) and standard deviation. Differences are split by split. All "
        "learners see the same rows."
    )
    heads = ["label noise", *columns] if several else columns
    return Table(heads, rows, text_columns=(0, 1) if several else (0,), note=note)


def columns(problem: SupervisedProblem, result: SupervisedResult) -> Columns:
    """None: all learners stand in the table."""
    return []
