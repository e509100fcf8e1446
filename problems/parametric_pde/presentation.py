"""What a report says about a parametric PDE: headline, tables, sections."""

from __future__ import annotations

import math

from problems.effort import megabytes
from problems.parametric_pde.model import DiscMean, Flux, ParametricProblem, ParametricSolver, Point, QuantityOfInterest
from problems.parametric_pde.references import largest_deviations
from problems.parametric_pde.result import ParametricResult
from problems.report_parts import Section, Table, work
from problems.words import significant

DISTRIBUTIONS = {"uniform": "uniform on [-1, 1]", "normal": "standard normal"}


def headline(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    field = problem.coefficient
    cells = f"{problem.mesh.cells} cells" + (" an axis" if problem.domain == "square" else "")
    solves = "none: one system for all parameters"
    if solver.method == "als_cross":
        solves = f"{result.pde_solves} of at most {solver.max_solves}"
    first = result.statistics[0]
    m, mean_error, error = first.moments, first.mean_error, first.variance_error
    return [
        ("problem", f"{field.type} field, {field.d} parameters, {problem.domain}, {cells}"),
        ("PDE solves", solves),
        ("grid of parameter points", f"{math.prod(result.points):.3g}"),
        (f"mean of {first.name}", f"{significant(m.mean, mean_error)} +- {mean_error:.1e}"),
        (f"variance of {first.name}", f"{significant(m.variance, error)} +- {error:.1e}"),
        ("largest error at held-out points", f"{result.largest_error:.1e} (relative, {result.held_out} points)"),
        *((f"deviation of {label}", f"{largest:.1e}") for label, largest in largest_deviations(problem, result)),
        ("solution stored in", megabytes(result.solution_megabytes)),
    ]


def tables(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[Table]:
    """Moments, distribution and sensitivities of every quantity."""
    asked = {quantity.name: quantity for quantity in problem.wanted}
    moments = [
        [
            q.name,
            meaning(asked[q.name]),
            significant(q.moments.mean, q.mean_error),
            f"{q.mean_error:.1e}",
            significant(q.moments.variance, q.variance_error),
            f"{q.variance_error:.1e}",
            f"{math.sqrt(q.moments.variance):.6g}",
        ]
        for q in result.statistics
    ]
    spread = []
    for q in result.statistics:
        quantiles = [f"{value:.6g}" for value, _ in q.distribution.quantiles.values()]
        known = q.distribution.exceedance
        above = "" if known is None else f"P(> {known[0]:g}) = {known[1]:.5f} +- {known[2]:.5f}"
        spread.append([q.name, *quantiles, above])
    levels = [f"{100 * level:g} %" for level in result.statistics[0].distribution.quantiles]
    indices = []
    for k, points in enumerate(result.points):
        shares = [share for q in result.statistics for share in (q.moments.first[k], q.moments.total[k])]
        indices.append([str(k + 1), str(points), *(f"{share:.6f}" for share in shares)])
    titles = [f"{q.name} {what}" for q in result.statistics for what in ("first", "total")]
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


def meaning(quantity: QuantityOfInterest) -> str:
    """What a quantity is, in symbols."""
    if isinstance(quantity, DiscMean):
        return f"mean of u over disc {quantity.disc}"
    if isinstance(quantity, Flux):
        return f"a u' at {quantity.at:g}"
    if isinstance(quantity, Point):
        at = quantity.at if isinstance(quantity.at, tuple) else (quantity.at,)
        return f"u({', '.join(f'{x:g}' for x in at)})"
    return "integral of u"


def sections(problem: ParametricProblem, result: ParametricResult) -> list[Section]:
    """The surrogate's checks, the discretisation and the work, as short lists of facts."""
    held, grid = result.held_out, result.grid_checks
    checks = [
        (f"largest relative error of a quantity at {held} held-out parameter values", f"{result.largest_error:.2e}"),
        (f"the same at {grid} random points of the grid (no interpolation)", f"{result.largest_error_on_grid:.2e}"),
        ("what higher polynomial degrees would add (relative, the largest)", f"{result.tails.max():.1e}"),
    ]
    coefficient = f"{result.separation_terms} terms, exact"
    if result.separation_error:
        coefficient = f"{result.separation_terms} terms, relative error {result.separation_error:.1e}"
    discretisation = [
        ("nodes", str(len(result.nodes))),
        ("Gauss points of each parameter", ", ".join(map(str, result.points))),
        ("distribution of the standardised parameters", DISTRIBUTIONS[result.distribution]),
        ("coefficient as a sum of products", coefficient),
        ("TT-ranks of the solution, after the space and each parameter", ", ".join(map(str, result.ranks[1:-1]))),
    ]
    done = work(result.counts)
    done.facts.append(("exact solves for held-out points (not among the solves above)", str(held)))
    return [Section("Checks", checks), Section("Discretisation", discretisation), done]
