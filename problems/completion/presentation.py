"""What a report says about a completion: headline, tables, sections."""

from __future__ import annotations

import math
from pathlib import Path

from problems.completion.model import CompletionProblem, CompletionSolver
from problems.completion.result import CompletionResult
from problems.report_parts import Section, Table, work
from solvers.measured import Measured, bound

WORST = 10  # entries of a table
SHOWN = 8  # significant digits of one


def headline(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    size = math.prod(problem.shape)
    share = 100.0 * problem.known / size
    return [
        ("tensor", f"{' x '.join(map(str, problem.shape))}, {Measured(size)} entries"),
        ("samples", f"{problem.known} entries known ({share:.3g} %)"),
        ("test error, relative", f"{Measured(result.test_error, result.uncertainty)} (asked: {solver.accuracy:g})"),
        ("training error, relative", str(bound(result.best.train_error))),
        ("chosen rank", f"{result.best.rank} of up to {solver.max_rank}; TT-ranks {', '.join(map(str, result.ranks))}"),
        ("parameters of the train", f"{result.parameters} ({result.fitted / result.parameters:.3g} samples each)"),
    ]


def tables(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[Table]:
    """The test entries that are predicted worst."""
    deviation = abs(result.predicted - result.true)
    rows = []
    for j in sorted(range(len(deviation)), key=lambda j: -deviation[j])[:WORST]:
        index = ", ".join(map(str, result.test_indices[j].tolist()))
        values = (Measured(result.true[j], digits=SHOWN), Measured(result.predicted[j], digits=SHOWN))
        rows.append([index, *values, bound(deviation[j])])
    note = f"The {len(rows)} of {len(deviation)} test entries that are predicted worst; indices from 0."
    return [Table(["entry", "true", "predicted", "deviation"], rows, (0,), note, "Worst predictions")]


def sections(problem: CompletionProblem, result: CompletionResult) -> list[Section]:
    """The samples and the work, as short lists of facts."""
    given = problem.samples
    source = Path(given).name if isinstance(given, str) else f"function {given.function}"
    samples = [
        ("source", source),
        ("fitted", str(result.fitted)),
        ("set aside to choose the rank", str(result.validation)),
        ("test entries", str(len(result.true))),
        ("largest deviation of a test entry", str(bound(abs(result.predicted - result.true).max()))),
    ]
    return [Section("Samples", samples), work(result.counts)]
