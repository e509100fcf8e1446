"""Published and exact levels beside a run."""

from __future__ import annotations

import math

from problems.agreement import Agreement
from problems.quantum.hamiltonians.force_field.known_levels import Comparison, compare, covering
from problems.quantum.tasks.spectrum.keys import Asked, HasLevels
from problems.quantum.tasks.spectrum.presentation import digits_of
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Table
from problems.result import Columns
from problems.words import number


def agreements(problem: HasLevels, result: SpectrumResult) -> list[Agreement]:
    """This run's deviation from each list of levels, and each one's from the judge."""
    return [_agreement(comparison) for comparison in compare(result.energies, problem.references)]


def _agreement(comparison: Comparison) -> Agreement:
    known, own = comparison.reference, {}
    if comparison.column is not None:
        own["column_max_abs_deviation"] = comparison.column.max_abs
        own["column_mean_abs_deviation"] = comparison.column.mean_abs
    return Agreement(known.name, known.label, known.source, comparison.run, more=own)


def comparison_table(problem: HasLevels, solver: Asked, result: SpectrumResult) -> Table | None:
    """Every list beside this run; None where there is nothing to compare with."""
    comparisons = compare(result.energies, problem.references)
    if not comparisons:
        return None
    digits = digits_of(solver.accuracy)
    rows = []
    for c in comparisons:
        row = [c.reference.label, str(c.run.count), number(c.run.max_abs, digits), number(c.run.mean_abs, digits)]
        rows.append(row)
    columns = ["list", "states", "this run: max", "this run: mean"]
    note = f"Largest and mean absolute deviation ({result.unit}) of this run from the list, over the states both have."
    if any(c.column for c in comparisons):
        judge = next(c.reference.label for c in comparisons if c.reference.judge)
        columns += ["own: max", "own: mean"]
        note += f" Own: deviation of the list itself from {judge}."
        for row, c in zip(rows, comparisons, strict=True):
            row += [number(c.column.max_abs, digits), number(c.column.mean_abs, digits)] if c.column else ["", ""]
    return Table(columns, rows, text_columns=(0,), note=note)


def columns(problem: HasLevels, result: SpectrumResult) -> Columns:
    """The levels of every list, as they were published."""
    count = len(result.energies)
    found: Columns = []
    for reference in covering(problem.references, count):
        values = [reference.at(i) for i in range(count)]
        found.append((reference.name, ["" if math.isnan(value) else repr(value) for value in values]))
    return found
