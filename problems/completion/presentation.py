"""What a report says about a completion: headline, tables, sections."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from problems.completion.metrics import metrics_table
from problems.completion.model import CompletionProblem, CompletionSolver
from problems.completion.result import CompletionResult
from problems.report_parts import Section, Table, work
from solvers.measured import Cell, Measured, bound, numeral

WORST = 10  # entries of a table
SHOWN = 8  # significant digits of one


def headline(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    size = math.prod(problem.shape)
    share = 100.0 * problem.known / size
    scores = []
    for metric in result.metrics:
        plain = Measured(metric.effects, metric.effects_uncertainty)
        scores.append((metric.name, f"{Measured(metric.value, metric.uncertainty)}, {metric.verdict} ({plain})"))
    rejected = [] if not len(result.rejected) else [("entries rejected", str(len(result.rejected)))]
    ridge = f"; ridge {Measured(result.ridge)}" if result.ridge else ""
    ranks = f"{result.best.rank} of up to {solver.max_rank}; TT-ranks {', '.join(map(str, result.ranks))}{ridge}"
    each = result.fitted / max(result.parameters, 1)
    return [
        ("tensor", f"{' x '.join(map(str, problem.shape))}, {Measured(size)} entries"),
        ("samples", f"{problem.known} entries known ({numeral(share, digits=3)} %)"),
        *scores,
        *rejected,
        ("test error, relative", f"{Measured(result.test_error, result.uncertainty)} (asked: {solver.accuracy:g})"),
        ("training error, relative", str(bound(result.best.train_error))),
        ("chosen rank", ranks),
        ("parameters of the train", f"{result.parameters} ({numeral(each, digits=3)} samples each)"),
    ]


def tables(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[Table]:
    """The test entries that are predicted worst."""
    rejected = ~result.judging
    deviation = np.where(rejected, -1.0, abs(result.predicted - result.true))
    count = int(np.count_nonzero(~rejected))
    rows = []
    for j in sorted(range(len(deviation)), key=lambda j: -deviation[j])[: min(WORST, count)]:
        index = ", ".join(map(str, result.test_indices[j].tolist()))
        values = (Measured(result.true[j], digits=SHOWN), Measured(result.predicted[j], digits=SHOWN))
        rows.append([index, *values, bound(deviation[j])])
    which = "test entries not rejected" if len(result.rejected) else "test entries"
    note = f"The {len(rows)} of {count} {which} that are predicted worst; indices from 0."
    worst = Table(["entry", "true", "predicted", "deviation"], rows, (0,), note, "Worst predictions")
    scores = [metrics_table(result.metrics)] if result.metrics else []
    return [*scores, worst, *([rejected_table(result)] if len(result.rejected) else [])]


def rejected_table(result: CompletionResult) -> Table:
    """The entries that do not fit by most."""
    out = result.rejected
    off = abs(out.predicted - out.values)
    rows: list[list[Cell]] = []
    for j in sorted(range(len(out)), key=lambda j: -off[j])[:WORST]:
        index = ", ".join(map(str, out.indices[j].tolist()))
        values = (Measured(out.values[j], digits=SHOWN), Measured(out.predicted[j], digits=SHOWN))
        rows.append([index, out.parts[j], *values])
    note = (
        f"The {len(rows)} of {len(out)} rejected entries that are furthest from the completed tensor (all are in "
        "predictions.csv); they may be errors, or a part of the tensor that no train of these ranks has."
    )
    return Table(["entry", "meant to be", "value", "predicted"], rows, (0, 1), note, "Entries rejected")


def sections(problem: CompletionProblem, result: CompletionResult) -> list[Section]:
    """The samples and the work, as short lists of facts."""
    given = problem.samples
    source = Path(given).name if isinstance(given, str) else f"function {given.function}"
    samples = [
        ("source", source),
        ("fitted", str(result.fitted)),
        ("set aside to choose the rank", str(result.validation)),
        ("test entries", str(len(result.true))),
        ("largest deviation of a test entry", str(bound(result.largest_test_deviation))),
    ]
    if result.cold:
        samples.append(("test entries with an index without samples", f"{result.cold}, predicted by the other effects"))
    if len(result.rejected):
        out = result.rejected
        samples.append(("rejected", f"{out.fitted} fitted, {out.aside} set aside, {out.tests} test entries"))
    return [Section("Samples", samples), work(result.counts)]
