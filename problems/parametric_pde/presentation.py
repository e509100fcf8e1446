"""What a report says about a parametric PDE: results, comparison, tables, headline numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from problems.effort import megabytes
from problems.parametric_pde.references import DATA, Compared, compare, summaries
from problems.report_parts import Quantity, Section, Table

if TYPE_CHECKING:
    from problems.parametric_pde.model import ParametricProblem, ParametricSolver
    from problems.parametric_pde.result import ParametricResult

_LABELS = {
    "mean": "means (relative)",
    "variance": "variances (relative)",
    "sobol_first": "first-order Sobol indices",
    "sobol_total": "total Sobol indices",
    "exceedance": "exceedance probabilities",
}


def results(result: ParametricResult) -> dict[str, Any]:
    """The ``results`` of report.json; errors absolute, Sobol indices one a parameter."""
    quantities = {}
    for q in result.quantities:
        quantities[q.name] = {
            "mean": q.moments.mean,
            "variance": q.moments.variance,
            "mean_error": q.mean_error,
            "variance_error": q.variance_error,
            "sobol_first": q.moments.first,
            "sobol_total": q.moments.total,
            "exceedance": _named(q.distribution.exceedance, ("threshold", "probability", "standard_error")),
            "quantiles": [
                {"level": level, "value": value, "standard_error": error}
                for level, (value, error) in q.distribution.quantiles.items()
            ],
            "density": {"edges": q.distribution.edges, "heights": q.distribution.heights},
        }
    return {
        "quantities": quantities,
        "pde_solves": result.pde_solves,
        "held_out": {
            "points": len(result.held_out_errors),
            "max_relative_error": float(result.held_out_errors.max()),
            "grid_points": len(result.check_errors),
            "max_relative_error_on_grid": float(result.check_errors.max()),
            "unseen_share": result.unseen_share,
        },
        "ranks": result.ranks,
        "parameters": {
            "distribution": result.distribution,
            "points": result.points,
            "tails": result.tails,
            "coefficient_terms": result.separation_terms,
            "coefficient_error": result.separation_error,
        },
        "solution_megabytes": result.solution_megabytes,
        "counts": result.counts,
    }


def _named(values: tuple | None, names: tuple[str, ...]) -> dict[str, float] | None:
    return None if values is None else dict(zip(names, map(float, values)))


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: moments, indices, the sampled distribution.

    Errors of sampled values are three standard errors; Sobol indices have none.
    """
    of = results["quantities"]
    names = list(of)

    def numbers(key: str) -> np.ndarray:
        return np.array([q[key] for q in of.values()], dtype=float)

    found = [
        Quantity(key, "", "quantity", names, numbers(key), numbers(f"{key}_error")) for key in ("mean", "variance")
    ]
    found.append(Quantity("first Sobol index", "", "quantity", names, numbers("sobol_first")))
    found.append(Quantity("total Sobol index", "", "quantity", names, numbers("sobol_total")))
    quantiles, above = [], []
    for name, q in of.items():
        quantiles += [(f"{name} at {e['level']:g}", e["value"], e["standard_error"]) for e in q["quantiles"]]
        if (e := q["exceedance"]) is not None:
            above.append((f"{name} > {e['threshold']:g}", e["probability"], e["standard_error"]))
    for what, entries in (("quantile", quantiles), ("probability", above)):
        if entries:
            keys, values, errors = ([entry[i] for entry in entries] for i in range(3))
            estimates = 3.0 * np.array(errors, dtype=float)
            found.append(Quantity(what, "", "quantity", keys, np.array(values, dtype=float), estimates))
    return found


def references(problem: ParametricProblem, result: ParametricResult) -> list[dict[str, Any]]:
    """The ``references`` of report.json: deviations from independent values, one entry a statistic."""
    return [
        {
            "name": name,
            "label": _LABELS[name],
            "source": DATA.name,
            "count": summary.count,
            "max_abs_deviation": summary.max_abs,
            "mean_abs_deviation": summary.mean_abs,
        }
        for name, summary in summaries(compare(problem, result))
    ]


def comparison_table(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> Table | None:
    """Means, variances and probabilities beside independent values, Sobol indices summed up; None without any."""
    compared = compare(problem, result)
    if not compared:
        return None
    rows = [_beside(c) for c in compared if not c.reference.statistic.startswith("sobol")]
    for name, summary in summaries(compared):
        if name.startswith("sobol"):
            rows.append(["all", _LABELS[name], f"{summary.count} values", "", "", f"{summary.max_abs:.1e}", ""])
    columns = ["quantity", "statistic", "this run", "error estimate", "reference", "deviation", "its own error"]
    note = (
        "Values computed by other means (quadrature over exact discrete solves; sampling for probabilities). "
        "Deviation: relative for means and variances, the largest for Sobol indices."
    )
    return Table(columns, rows, text_columns=(0, 1), note=note)


def _beside(c: Compared) -> list[str]:
    reference, digits = c.reference, 12
    what = reference.statistic
    if what == "exceedance":
        what, digits = f"P > {reference.threshold:g}", 5
    return [
        reference.quantity,
        what,
        f"{c.value:.{digits}g}",
        f"{c.error:.1e}" if c.error is not None else "",
        f"{reference.value:.{digits}g}",
        f"{abs(c.deviation):.1e}",
        f"{reference.error:.1e}",
    ]


def _digits(value: float, error: float) -> str:
    """A value with the digits its error leaves, and one more."""
    if value == 0.0 or not error > 0.0:
        return f"{value:.12g}"
    count = math.floor(math.log10(abs(value))) - math.floor(math.log10(error)) + 2
    return f"{value:.{min(max(count, 2), 15)}g}"


def tables(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[Table]:
    """Moments, distribution and sensitivities of every quantity."""
    moments, spread = [], []
    for q in result.quantities:
        m = q.moments
        moments.append(
            [
                q.name,
                _meaning(problem, q.name),
                _digits(m.mean, q.mean_error),
                f"{q.mean_error:.1e}",
                _digits(m.variance, q.variance_error),
                f"{q.variance_error:.1e}",
                f"{math.sqrt(m.variance):.6g}",
            ]
        )
        quantiles = [f"{value:.6g}" for value, _ in q.distribution.quantiles.values()]
        known = q.distribution.exceedance
        above = "" if known is None else f"P(> {known[0]:g}) = {known[1]:.5f} +- {known[2]:.5f}"
        spread.append([q.name, *quantiles, above])
    levels = [f"{100 * level:g} %" for level in result.quantities[0].distribution.quantiles]
    indices = []
    for k in range(len(result.points)):
        row = [str(k + 1), str(result.points[k])]
        for q in result.quantities:
            row += [f"{q.moments.first[k]:.6f}", f"{q.moments.total[k]:.6f}"]
        indices.append(row)
    titles = [f"{q.name} {what}" for q in result.quantities for what in ("first", "total")]
    return [
        Table(
            ["quantity", "what", "mean", "error", "variance", "error", "standard deviation"],
            moments,
            (0, 1),
            "Error estimates are absolute: measured against exact solves, and what the Gauss rules miss.",
            "Quantities",
        ),
        Table(
            ["quantity", *levels, "exceedance"],
            spread,
            (0, len(levels) + 1),
            "Quantiles and probabilities from samples of the surrogate; +- is a standard error.",
            "Distributions",
        ),
        Table(
            ["parameter", "Gauss points", *titles],
            indices,
            (),
            "Shares of the variance: by the parameter alone (first), and with all its interactions (total).",
            "Sobol indices",
        ),
    ]


def _meaning(problem: ParametricProblem, name: str) -> str:
    quantity = next(q for q in problem.quantities if q.name == name)
    if quantity.type == "integral":
        return "integral of u"
    if quantity.type == "disc_mean":
        return f"mean of u over disc {quantity.disc}"
    if quantity.type == "flux":
        return f"a u' at {quantity.at:g}"
    at = quantity.at if isinstance(quantity.at, tuple) else (quantity.at,)
    return f"u({', '.join(f'{x:g}' for x in at)})"


def csv_table(problem: ParametricProblem, result: ParametricResult) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of quantities.csv, at full precision: one row a statistic."""
    known = {(c.reference.quantity, c.reference.statistic, c.reference.parameter): c for c in compare(problem, result)}
    rows: list[list[Any]] = []
    for q in result.quantities:
        entries: list[tuple[str, int | None, float, float | None]] = [
            ("mean", None, q.moments.mean, q.mean_error),
            ("variance", None, q.moments.variance, q.variance_error),
        ]
        if q.distribution.exceedance is not None:
            entries.append(("exceedance", None, *q.distribution.exceedance[1:]))
        for k in range(len(result.points)):
            entries.append(("sobol_first", k, float(q.moments.first[k]), None))
            entries.append(("sobol_total", k, float(q.moments.total[k]), None))
        for statistic, parameter, value, error in entries:
            beside = known.get((q.name, statistic, parameter))
            rows.append(
                [
                    q.name,
                    statistic,
                    "" if parameter is None else parameter + 1,
                    repr(float(value)),
                    "" if error is None else f"{error:.3e}",
                    "" if beside is None else repr(beside.reference.value),
                    "" if beside is None else f"{beside.deviation:.3e}",
                ]
            )
    header = ["quantity", "statistic", "parameter", "value", "error_estimate", "reference", "deviation"]
    return "quantities.csv", header, rows


def headline(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    field = problem.coefficient
    cells = f"{problem.mesh.cells} cells" + (" an axis" if problem.domain == "square" else "")
    solves = "none: one system for all parameters"
    if solver.method == "als_cross":
        solves = f"{result.pde_solves} of at most {solver.max_solves}"
    facts = [
        ("problem", f"{field.type} field, {field.d} parameters, {problem.domain}, {cells}"),
        ("PDE solves", solves),
        ("grid of parameter points", f"{math.prod(result.points):.3g}"),
    ]
    first = result.quantities[0]
    m, mean_error, error = first.moments, first.mean_error, first.variance_error
    facts.append((f"mean of {first.name}", f"{_digits(m.mean, mean_error)} +- {mean_error:.1e}"))
    facts.append((f"variance of {first.name}", f"{_digits(m.variance, error)} +- {error:.1e}"))
    held = f"{result.held_out_errors.max():.1e} (relative, {len(result.held_out_errors)} points)"
    facts.append(("largest error at held-out points", held))
    facts += [
        (f"deviation of {_LABELS[name]}", f"{s.max_abs:.1e}")
        for name, s in summaries(compare(problem, result))
        if name in ("mean", "variance")
    ]
    facts.append(("solution stored in", megabytes(result.solution_megabytes)))
    return facts


def sections(problem: ParametricProblem, result: ParametricResult) -> list[Section]:
    """The surrogate's checks, the discretisation and the work, as short lists of facts."""
    held, grid = result.held_out_errors, result.check_errors
    checks = [
        (f"largest relative error of a quantity at {len(held)} held-out parameter values", f"{held.max():.2e}"),
        (f"the same at {len(grid)} random points of the grid (no interpolation)", f"{grid.max():.2e}"),
        ("what higher polynomial degrees would add (relative, the largest)", f"{result.tails.max():.1e}"),
    ]
    coefficient = f"{result.separation_terms} terms, exact"
    if result.separation_error:
        coefficient = f"{result.separation_terms} terms, relative error {result.separation_error:.1e}"
    discretisation = [
        ("nodes", str(len(result.nodes))),
        ("Gauss points of each parameter", ", ".join(map(str, result.points))),
        ("distribution of the standardised parameters", _distribution(result.distribution)),
        ("coefficient as a sum of products", coefficient),
        ("TT-ranks of the solution, after the space and each parameter", ", ".join(map(str, result.ranks[1:-1]))),
    ]
    work = [(name.replace("_", " "), str(count)) for name, count in result.counts.items()]
    work.append(("exact solves for held-out points (not among the solves above)", str(len(held))))
    return [Section("Checks", checks), Section("Discretisation", discretisation), Section("Work", work)]


def _distribution(name: str) -> str:
    return "uniform on [-1, 1]" if name == "uniform" else "standard normal"


def trains(result: ParametricResult) -> dict[str, Any]:
    """Name -> train, as stored in states.npz: nodal values (N, n_1, ..., n_d) at the Gauss points."""
    return {"solution": result.solution}


def loading(folder: str) -> tuple[str, str]:
    """How to load and evaluate the solution: a heading and three lines of Python."""
    code = f'import ttsuite\nsolution = ttsuite.surrogate("{folder}")\n'
    code += "u = solution([0.0] * solution.parameters)  # nodal values at any parameters"
    return "Evaluating the solution", code
