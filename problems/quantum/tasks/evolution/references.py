"""Independent values beside a wave packet, at the times that both have."""

from __future__ import annotations

import numpy as np

from problems.agreement import Agreement
from problems.quantum.tasks.evolution.independent import Compared, Moving, compare
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Cell, Measured, bound


def agreements(problem: Moving, result: EvolutionResult) -> list[Agreement]:
    """This run's deviation from each series."""
    found = compare(problem, result)
    return [Agreement(c.series.quantity, c.series.label, c.series.source, c.summary) for c in found]


def comparison_table(problem: Moving, solver: WavePacketSolver, result: EvolutionResult) -> Table | None:
    """Every independent series beside this run; None where there is nothing to compare with."""
    compared = compare(problem, result)
    if not compared:
        return None
    rows = [
        [
            c.series.label,
            c.series.source,
            Measured(c.summary.count),
            bound(c.summary.max_abs),
            bound(c.summary.mean_abs),
            _estimate(c, result),
        ]
        for c in compared
    ]
    note = "Absolute deviation of this run at the times both have; the estimate is the run's own, where it has one."
    columns = ["quantity", "source", "times", "largest", "mean", "error estimate"]
    return Table(columns, rows, text_columns=(0, 1), note=note)


def _estimate(c: Compared, result: EvolutionResult) -> Cell:
    if c.series.quantity == "autocorrelation":
        return bound(float(result.error[np.searchsorted(result.t, c.times[-1] - 1e-6)]))
    differences = {} if result.check is None else result.check.observables
    if c.series.quantity not in differences:
        return bound(None)
    return bound(float(differences[c.series.quantity][np.searchsorted(result.times, c.times[-1] - 1e-6)]))


def columns(problem: Moving, result: EvolutionResult) -> Columns:
    """Independent values of a(t) at the run's own times, in two columns; empty where none is known."""
    known = {
        round(float(t), 6): value
        for c in compare(problem, result)
        if c.series.quantity == "autocorrelation"
        for t, value in zip(c.series.times, c.series.values)
    }
    beside = [known.get(round(float(t), 6)) for t in result.t]
    return [
        ("reference_real", ["" if value is None else repr(float(value.real)) for value in beside]),
        ("reference_imag", ["" if value is None else repr(float(value.imag)) for value in beside]),
    ]
