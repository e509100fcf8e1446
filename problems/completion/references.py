"""What a completion is compared with: entries that no fit has seen, and the fits of every rank."""

from __future__ import annotations

from problems.agreement import Agreement, Deviation
from problems.completion.model import CompletionProblem, CompletionSolver
from problems.completion.result import CompletionResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Measured, bound


def agreements(problem: CompletionProblem, result: CompletionResult) -> list[Agreement]:
    """The entries held out."""
    deviation = Deviation.of((result.predicted - result.true)[result.judging])
    assert deviation is not None
    held = "the function at fresh entries" if problem.file is None else "samples held out"
    return [Agreement("test_entries", held, held, deviation, relative=result.test_error)]


def comparison_table(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> Table | None:
    """The errors of every rank that was fitted."""
    rows, ridge = [], any(fit.ridge for fit in result.by_rank)
    for fit in result.by_rank:
        chosen = " (chosen)" if fit is result.best else ""
        rows.append(
            [
                f"{fit.rank}{chosen}",
                ", ".join(map(str, fit.ranks[1:-1])),
                bound(fit.train_error),
                bound(fit.validation_error),
                Measured(fit.test_error, fit.uncertainty),
                Measured(fit.evaluations),
                *([Measured(fit.ridge)] if ridge else []),
            ]
        )
    columns = ["rank", "TT-ranks", "fitted", "set aside", "test", "evaluations so far", *(["ridge"] if ridge else [])]
    note = (
        "Relative errors in the 2-norm: over the samples fitted, over those set aside, which choose the rank, and "
        "over the test entries, which only measure: in parentheses one standard deviation over the choice of them."
    )
    return Table(columns, rows, text_columns=(0, 1), note=note)


def columns(problem: CompletionProblem, result: CompletionResult) -> Columns:
    """None: the true values stand in the table."""
    return []
