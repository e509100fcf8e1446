"""What a report says about learning from rows: headline, tables, sections."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from problems.report_parts import Section, Table, work
from problems.supervised.model import SupervisedProblem, SupervisedSolver
from problems.supervised.result import SupervisedResult, standard_error
from solvers.measured import Cell, Measured

ORDERS = 8  # rows of a table
SMALL = 1e-6  # a share that is nothing


def headline(problem: SupervisedProblem, solver: SupervisedSolver, result: SupervisedResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    score = Measured(result.means[0, 0], result.errors[0, 0])
    noise = f", label noise {result.levels[0]:g}" if problem.study is not None else ""
    target = f"{result.classes} classes" if result.classes else "a number"
    told = [
        ("rows", f"{result.rows} of {len(result.fields)} fields, the target {target}"),
        (f"{result.metric}, {solver.model}", f"{score} over {result.splits} splits, {result.judged} rows each{noise}"),
        ("verdict", result.verdict),
    ]
    if result.orders.size:
        shares = _shares(result)
        alone, error = shares[1][:2] if len(shares) > 1 else (1.0, 0.0)
        beyond = Measured(100.0 * max(1.0 - alone, 0.0), 100.0 * error)
        told.append(("variance beyond single fields", f"{beyond} % of that of the model"))
    return told


def tables(problem: SupervisedProblem, solver: SupervisedSolver, result: SupervisedResult) -> list[Table]:
    """Shares of variance by order and by pair."""
    if not result.orders.size:
        return []
    rows: list[list[Cell]] = [
        [str(order), Measured(share, error), Measured(total, digits=4)]
        for order, (share, error, total) in enumerate(_shares(result))
        if order
    ]
    note = (
        "Shares of the variance of the model's scores by how many fields act together, exactly from the train, for "
        "fields drawn independently of each other; in parentheses one standard deviation over the splits."
    )
    found = [
        Table(["fields together", "share", "up to this"], rows[:ORDERS], (0,), note, "Shares of variance by order")
    ]
    pairs: list[list[Cell]] = [
        [" and ".join(pair.fields), Measured(pair.share, pair.error)] for pair in result.largest if pair.share > SMALL
    ]
    if pairs:
        note = "What two fields do together beyond what either does alone: the largest shares of the variance."
        found.append(Table(["fields", "share"], pairs, (0,), note, "Shares of variance by pair"))
    return found


def _shares(result: SupervisedResult) -> list[tuple[float, float, float]]:
    """Of each order: share, error, and the sum up to it."""
    mean, error = result.orders.mean(axis=0), standard_error(result.orders.T, result.ratio)
    return list(zip(mean.tolist(), error.tolist(), np.cumsum(mean).tolist()))


def sections(problem: SupervisedProblem, result: SupervisedResult) -> list[Section]:
    """The rows and the fits, as short lists of facts."""
    source = Path(problem.data).name if isinstance(problem.data, str) else f"model {problem.data.model}"  # type: ignore[attr-defined]
    rows = [
        ("source", source),
        ("fitted in each split", str(result.rows - result.judged)),
        ("that judge", str(result.judged)),
        ("target", f"{result.classes} classes" if result.classes else "a number"),
    ]
    numbers = [("ranks", ", ".join(map(str, result.chosen_ranks.astype(int).tolist())))]
    if result.orders.size:
        numbers.append(("ridges", ", ".join(f"{ridge:g}" for ridge in result.ridges)))
    numbers.append(("numbers of the model", ", ".join(map(str, result.numbers.astype(int).tolist()))))
    return [Section("Rows", rows), Section("Models, split by split", numbers), work(result.counts)]
