"""Independent values of the shipped problems, found by what a problem is, not by what it is called.

``data/references.csv`` holds means, variances, Sobol indices and exceedance probabilities of six cases, computed by
quadrature over exact discrete solves and by sampling. Any configuration that states one of these problems is compared,
quantity by quantity; all others have no references.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from problems.agreement import Agreement, Deviation
from problems.parametric_pde.fields import Affine, Coefficient, Discs, Lognormal
from problems.parametric_pde.model import DiscMean, Flux, ParametricProblem, ParametricSolver, Point, QuantityOfInterest
from problems.parametric_pde.result import ParametricResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Cell, Measured, bound

DATA = Path(__file__).parent / "data" / "references.csv"
SAME = 1e-12  # relative: numbers of a configuration that mean the same
_SQUARE = ("integral", "point [0.5, 0.5]", "disc_mean 0")
_INTERVAL = ("integral", "point [0.5]", "point [0.25]", "flux 0")
_SCALE = 0.9 * 6.0 / math.pi**2
_HALVES, _SIXTHS = (0.25, 0.75), (1 / 6, 0.5, 5 / 6)


_LABELS = {
    "mean": "means (relative)",
    "variance": "variances (relative)",
    "sobol_first": "first-order Sobol indices",
    "sobol_total": "total Sobol indices",
    "exceedance": "exceedance probabilities",
}


def _cookie(
    places: tuple[float, ...],
    radius: float,
    ends: tuple[float, float],
    scale: Literal["linear", "log10"] = "linear",
) -> Discs:
    centres = tuple((x, y) for x in places for y in places)
    return Discs(type="discs", centres=centres, radii=radius, range=ends, scale=scale)


# case -> domain, cells, field; zero boundary values and load 1
CASES: dict[str, tuple[str, int, Coefficient]] = {
    "affine-1d-10": ("interval", 256, Affine(type="affine", scale=_SCALE, parameters=10)),
    "affine-1d-20": ("interval", 256, Affine(type="affine", scale=_SCALE, parameters=20)),
    "lognormal-1d-10": ("interval", 256, Lognormal(type="lognormal", scale=1.0, parameters=10)),
    "cookie4": ("square", 64, _cookie(_HALVES, 0.15, (0.5, 1.5))),
    "cookie4-hi": ("square", 64, _cookie(_HALVES, 0.15, (-1.0, 1.0), "log10")),
    "cookie9": ("square", 60, _cookie(_SIXTHS, 0.1, (0.5, 1.5))),
}


@dataclass(frozen=True)
class Value:
    """One independent value: of which quantity of the problem, what, with its own error."""

    case: str
    quantity: str
    statistic: str
    parameter: int | None
    threshold: float | None
    value: float
    error: float
    method: str


def references_of(problem: ParametricProblem) -> list[Value]:
    """Independent values for the quantities of a problem, under its own names; empty for an unknown problem."""
    case = _case(problem)
    if case is None:
        return []
    meaning = _SQUARE if problem.domain == "square" else _INTERVAL
    names: dict[str, str] = {}
    for quantity in problem.wanted:
        told = _told(quantity)
        if told in meaning:
            names.setdefault(f"Q{meaning.index(told) + 1}", quantity.name)
    return [value for value in _values(case, names)]


def _case(problem: ParametricProblem) -> str | None:
    sides = (problem.boundary.left, problem.boundary.right, problem.boundary.bottom, problem.boundary.top)
    if problem.load != 1.0 or any(side != 0.0 for side in sides):
        return None
    for case, (domain, cells, field) in CASES.items():
        if (problem.domain, problem.mesh.cells) == (domain, cells) and _same(problem.coefficient, field):
            return case
    return None


def _same(one: Coefficient, other: Coefficient) -> bool:
    if type(one) is not type(other):
        return False
    return _close(list(one.model_dump().values()), list(other.model_dump().values()))


def _close(one: object, other: object) -> bool:
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_close(a, b) for a, b in zip(one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=SAME)
    return one == other


def _told(quantity: QuantityOfInterest) -> str:
    """What a quantity is, however its numbers were written."""
    if isinstance(quantity, Point):
        at = quantity.at if isinstance(quantity.at, tuple) else (quantity.at,)
        return f"point {[float(x) for x in at]}"
    if isinstance(quantity, DiscMean):
        return f"disc_mean {quantity.disc}"
    return f"flux {quantity.at:g}" if isinstance(quantity, Flux) else quantity.type


def _values(case: str, names: dict[str, str]) -> Iterator[Value]:
    with DATA.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            if row["case"] == case and row["quantity"] in names:
                yield Value(
                    case,
                    names[row["quantity"]],
                    row["statistic"],
                    int(row["parameter"]) if row["parameter"] else None,
                    float(row["threshold"]) if row["threshold"] else None,
                    float(row["value"]),
                    float(row["abs_error"]),
                    row["method"],
                )


@dataclass(frozen=True)
class Compared:
    """A value of a run beside an independent one; ``deviation`` is relative for means and variances."""

    reference: Value
    value: float
    error: float | None
    deviation: float


def compare(problem: ParametricProblem, result: ParametricResult) -> list[Compared]:
    """Everything of a run that has an independent value."""
    own = {entry[:3]: entry for entry in result.entries()}
    thresholds = {q.name: q.distribution.exceedance[0] for q in result.statistics if q.distribution.exceedance}
    out = []
    for reference in references_of(problem):
        entry = own.get((reference.quantity, reference.statistic, reference.parameter))
        if entry is None or not _same_threshold(reference, thresholds):
            continue
        relative = reference.statistic in ("mean", "variance")
        deviation = (entry.value - reference.value) / (abs(reference.value) if relative else 1.0)
        out.append(Compared(reference, entry.value, entry.error, deviation))
    return out


def _same_threshold(reference: Value, thresholds: dict[str, float]) -> bool:
    """Whether a run asks for the probability that is known; true of everything that is none."""
    if reference.statistic != "exceedance":
        return True
    return math.isclose(thresholds[reference.quantity], reference.threshold or math.nan, rel_tol=SAME)


def summaries(compared: list[Compared]) -> list[tuple[str, Deviation]]:
    """Statistic -> summary of the deviations, of those that occur."""
    out = []
    for name in ("mean", "variance", "sobol_first", "sobol_total", "exceedance"):
        values = [abs(c.deviation) for c in compared if c.reference.statistic == name]
        if values:
            out.append((name, Deviation(len(values), max(values), sum(values) / len(values))))
    return out


def agreements(problem: ParametricProblem, result: ParametricResult) -> list[Agreement]:
    """Deviations from the independent values, one entry a statistic."""
    found = summaries(compare(problem, result))
    return [Agreement(name, _LABELS[name], DATA.name, deviation) for name, deviation in found]


def largest_deviations(problem: ParametricProblem, result: ParametricResult) -> list[tuple[str, float]]:
    """The largest relative deviation of a mean and of a variance, with their labels, where they are known."""
    found = summaries(compare(problem, result))
    return [(_LABELS[name], deviation.max_abs) for name, deviation in found if name in ("mean", "variance")]


def comparison_table(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> Table | None:
    """Means, variances and probabilities beside independent values, Sobol indices summed up; None without any."""
    compared = compare(problem, result)
    if not compared:
        return None
    rows: list[list[Cell]] = [_beside(c) for c in compared if not c.reference.statistic.startswith("sobol")]
    for name, summary in summaries(compared):
        if name.startswith("sobol"):
            rows.append(["all", _LABELS[name], f"{summary.count} values", "", bound(summary.max_abs)])
    columns = ["quantity", "statistic", "this run", "reference", "deviation"]
    note = (
        "Values computed by other means (quadrature over exact discrete solves; sampling for probabilities), each with "
        "its own error. Deviation: absolute, the largest of the Sobol indices."
    )
    return Table(columns, rows, text_columns=(0, 1), note=note)


def _beside(c: Compared) -> list[Cell]:
    reference = c.reference
    return [
        reference.quantity,
        f"P > {reference.threshold:g}" if reference.statistic == "exceedance" else reference.statistic,
        Measured(c.value, c.error),
        Measured(reference.value, reference.error),
        bound(abs(c.value - reference.value)),
    ]


def columns(problem: ParametricProblem, result: ParametricResult) -> Columns:
    """The independent value of every number of the CSV file, and how far the run is from it."""
    known = {(c.reference.quantity, c.reference.statistic, c.reference.parameter): c for c in compare(problem, result)}
    beside = [known.get(entry[:3]) for entry in result.entries()]
    return [
        ("reference", ["" if c is None else repr(c.reference.value) for c in beside]),
        ("deviation", ["" if c is None else f"{c.deviation:.3e}" for c in beside]),
    ]
