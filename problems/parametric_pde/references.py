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
from typing import Any

from problems.agreement import Deviation
from problems.parametric_pde.fields import Affine, Discs, Lognormal
from problems.parametric_pde.model import ParametricProblem
from problems.parametric_pde.result import ParametricResult, QuantityResult

DATA = Path(__file__).parent / "data" / "references.csv"
SAME = 1e-12  # relative: numbers of a configuration that mean the same
_SQUARE = ("integral", "point [0.5, 0.5]", "disc_mean 0")
_INTERVAL = ("integral", "point [0.5]", "point [0.25]", "flux 0")
_SCALE = 0.9 * 6.0 / math.pi**2
_HALVES, _SIXTHS = (0.25, 0.75), (1 / 6, 0.5, 5 / 6)


def _cookie(places: tuple[float, ...], radius: float, ends: tuple[float, float], scale: Any = "linear") -> Discs:
    centres = tuple((x, y) for x in places for y in places)
    return Discs(type="discs", centres=centres, radii=radius, range=ends, scale=scale)


# case -> domain, cells, field; zero boundary values and load 1
CASES: dict[str, tuple[str, int, Any]] = {
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
    for quantity in problem.quantities:
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


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    return _close(list(one.model_dump().values()), list(other.model_dump().values()))


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)):
        same = isinstance(other, (list, tuple)) and len(one) == len(other)
        return same and all(_close(a, b) for a, b in zip(one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=SAME)
    return one == other


def _told(quantity: Any) -> str:
    if quantity.type == "point":
        at = quantity.at if isinstance(quantity.at, tuple) else (quantity.at,)
        return f"point {[float(x) for x in at]}"
    if quantity.type == "disc_mean":
        return f"disc_mean {quantity.disc}"
    return f"flux {quantity.at:g}" if quantity.type == "flux" else quantity.type


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
    found = {q.name: q for q in result.quantities}
    out = []
    for reference in references_of(problem):
        own = _own(found[reference.quantity], reference)
        if own is not None:
            value, error = own
            relative = reference.statistic in ("mean", "variance")
            deviation = (value - reference.value) / (abs(reference.value) if relative else 1.0)
            out.append(Compared(reference, value, error, deviation))
    return out


def _own(q: QuantityResult, reference: Value) -> tuple[float, float | None] | None:
    if reference.statistic == "mean":
        return q.moments.mean, q.mean_error
    if reference.statistic == "variance":
        return q.moments.variance, q.variance_error
    if reference.statistic == "exceedance":
        known = q.distribution.exceedance
        if known is None or not math.isclose(known[0], reference.threshold or math.nan, rel_tol=SAME):
            return None
        return known[1], known[2]
    indices = q.moments.first if reference.statistic == "sobol_first" else q.moments.total
    return float(indices[reference.parameter or 0]), None


def summaries(compared: list[Compared]) -> list[tuple[str, Deviation]]:
    """Statistic -> summary of the deviations, of those that occur."""
    out = []
    for name in ("mean", "variance", "sobol_first", "sobol_total", "exceedance"):
        values = [abs(c.deviation) for c in compared if c.reference.statistic == name]
        if values:
            out.append((name, Deviation(len(values), max(values), sum(values) / len(values))))
    return out
