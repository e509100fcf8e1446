"""What is known from elsewhere: the rates measured by an independent script for networks on digits.

``data/digits_network.csv``: networks of three hidden layers; its widths are not told, so that singular values of single
layers may differ by more than the spread of its seeds; rates are to agree within it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from problems.agreement import Agreement, Deviation
from problems.learning.keys import DIGITS
from problems.perturbation.model import PerturbationProblem, PerturbationSolver
from problems.perturbation.result import PerturbationResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Cell, Measured

FILE = Path(__file__).parent / "data" / "digits_network.csv"
HELD = 500  # images that judged there
LAYERS = 3  # hidden ones
SIGNS = 50  # random ones drawn there
SOURCE = "independent script: networks of scikit-learn on digits, Jacobians in numpy, 5 seeds"


@dataclass(frozen=True)
class Known:
    """A rate, its standard deviation over seeds, the rate with clipped pixels and the norm, None where not computed."""

    rate: float
    spread: float
    clipped: float | None
    norm: float | None


@lru_cache(1)
def digits_network() -> dict[tuple[str, str, float, float], Known]:
    """(kind, layer, q, eps) -> what was measured."""
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found = {}
    for row in csv.DictReader(lines):
        numbers = {name: float(row[name]) if row[name] else None for name in ("clipped", "norm")}
        key = (row["kind"], row["layer"], float(row["q"] or 0.0), float(row["eps"]))
        found[key] = Known(float(row["rate"]), float(row["spread"]), **numbers)
    return found


def known(problem: PerturbationProblem, result: PerturbationResult) -> dict[tuple[int, int], Known]:
    """(method, size) of a run -> what was measured of it; nothing for other rows and learners."""
    if problem.data != DIGITS or result.model != "network" or result.judged != HELD or result.hidden != LAYERS:
        return {}
    table, found = digits_network(), {}
    for i in range(len(result.names)):
        for j, eps in enumerate(result.eps):
            entry = table.get((*_kind(result, i), eps))
            if entry is not None:
                found[i, j] = entry
    return found


def _kind(result: PerturbationResult, i: int) -> tuple[str, str, float]:
    if i < len(result.exponents):
        return "layer", result.layer_names[i], result.exponents[i]
    name = result.names[i]
    if name.startswith("random"):
        return ("best" if "best" in name else "mean") if name.endswith(f" {SIGNS}") else "other", "", 0.0
    return ("gradient" if "gradient" in name else "deepfool"), "", 0.0


def agreements(problem: PerturbationProblem, result: PerturbationResult) -> list[Agreement]:
    """Fooling rates beside those measured before, in shares of the rows and in spreads over seeds."""
    found = known(problem, result)
    if not found:
        return []
    off = np.array([result.means[place] - entry.rate for place, entry in found.items()])
    spreads = np.array([entry.spread for entry in found.values()])
    deviation = Deviation.of(off)
    assert deviation is not None
    more = {"max_spreads": float(np.max(np.abs(off) / spreads))}
    return [Agreement("digits_network", "fooling rates of a network on digits", SOURCE, deviation, more=more)]


def comparison_table(
    problem: PerturbationProblem, solver: PerturbationSolver, result: PerturbationResult
) -> Table | None:
    """Every perturbation at every size, beside random signs and what was measured before."""
    measured = known(problem, result)
    rows: list[list[Cell]] = []
    for number, entry in enumerate(result.told):
        i, j = divmod(number, len(result.eps))
        row: list[Cell] = [
            entry.method,
            Measured(entry.eps),
            Measured(entry.rate, entry.rate_error),
            Measured(entry.spread, bound=True),
            Measured(entry.clipped, entry.clipped_error),
            Measured(entry.over_random, digits=3),
        ]
        if measured:
            other = measured.get((i, j))
            off = None if other is None else (entry.rate - other.rate) / other.spread
            row += [
                Measured(None) if other is None else Measured(other.rate, other.spread),
                Measured(off, digits=2),
            ]
        rows.append(row)
    columns = ["perturbation", "eps", "fooling rate", "spread", "clipped", "over random signs"]
    note = (
        f"Share of {result.judged} held-out rows whose class changes, the better of +v and -v: mean over "
        f"{result.splits} splits, its standard error (Nadeau and Bengio's) and the standard deviation; clipped: with "
        "what is moved cut to what a row may be."
    )
    if measured:
        columns += ["measured before", "in its spreads"]
        note += (
            f" Measured before: {SOURCE} (DeepFool 3), with the standard deviation over seeds; its widths are not told."
        )
    return Table(columns, rows, text_columns=(0,), note=note)


def columns(problem: PerturbationProblem, result: PerturbationResult) -> Columns:
    """None: all stands in the table."""
    return []
