"""Published and exact levels beside a run."""

from __future__ import annotations

import math

from problems.agreement import Agreement
from problems.quantum.hamiltonians.force_field.known_levels import Comparison, compare, covering
from problems.quantum.tasks.spectrum.beside import known_beside
from problems.quantum.tasks.spectrum.keys import Asked, HasLevels
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Cell, Measured, bound


def agreements(problem: HasLevels, result: SpectrumResult) -> list[Agreement]:
    """This run's deviation from each list of levels, and each one's from the judge."""
    return [_agreement(comparison) for comparison in compare(result.energies, known_beside(problem, result))]


def _agreement(comparison: Comparison) -> Agreement:
    known, own = comparison.reference, {}
    if comparison.column is not None:
        own["column_max_abs_deviation"] = comparison.column.max_abs
        own["column_mean_abs_deviation"] = comparison.column.mean_abs
    return Agreement(known.name, known.label, known.source, comparison.run, more=own)


def comparison_table(problem: HasLevels, solver: Asked, result: SpectrumResult) -> Table | None:
    """Every list beside this run; None where there is nothing to compare with."""
    comparisons = compare(result.energies, known_beside(problem, result))
    if not comparisons:
        return None
    rows: list[list[Cell]] = [
        [c.reference.label, Measured(c.run.count), bound(c.run.max_abs), bound(c.run.mean_abs)] for c in comparisons
    ]
    unit = result.unit
    columns = ["list", "states", f"this run: max ({unit})", f"this run: mean ({unit})"]
    note = "Largest and mean absolute deviation of this run from the list, over the states both have."
    if any(c.column for c in comparisons):
        judge = next(c.reference.label for c in comparisons if c.reference.judge)
        columns += [f"own: max ({unit})", f"own: mean ({unit})"]
        note += f" Own: deviation of the list itself from {judge}."
        for row, c in zip(rows, comparisons, strict=True):
            row += [bound(c.column.max_abs), bound(c.column.mean_abs)] if c.column else ["", ""]
    return Table(columns, rows, text_columns=(0,), note=note)


def columns(problem: HasLevels, result: SpectrumResult) -> Columns:
    """The levels of every list, as they were published."""
    count = len(result.energies)
    found: Columns = []
    for reference in covering(known_beside(problem, result), count):
        values = [reference.at(i) for i in range(count)]
        found.append((reference.name, ["" if math.isnan(value) else repr(value) for value in values]))
    return found
