"""What a report says about a parametric PDE: headline, tables, sections."""

from __future__ import annotations

import math

from problems.effort import megabytes
from problems.parametric_pde.model import DiscMean, Flux, ParametricProblem, ParametricSolver, Point, QuantityOfInterest
from problems.parametric_pde.references import largest_deviations
from problems.parametric_pde.result import ParametricResult
from problems.report_parts import Section, Table, error_contents, work
from solvers.measured import Cell, Measured, bound

DISTRIBUTIONS = {"uniform": "uniform on [-1, 1]", "normal": "standard normal"}


def headline(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    field = problem.coefficient
    cells = f"{problem.mesh.cells} cells" + (" an axis" if problem.domain == "square" else "")
    solves = "none: one system for all parameters"
    if solver.method == "als_cross":
        solves = f"{result.pde_solves} of at most {solver.max_solves}"
    first = result.statistics[0]
    return [
        ("problem", f"{field.type} field, {field.d} parameters, {problem.domain}, {cells}"),
        ("PDE solves", solves),
        ("grid of parameter points", str(Measured(math.prod(result.points)))),
        (f"mean of {first.name}", str(Measured(first.moments.mean, first.mean_error))),
        (f"variance of {first.name}", str(Measured(first.moments.variance, first.variance_error))),
        ("largest error at held-out points", f"{bound(result.largest_error)} (relative, {result.held_out} points)"),
        *((f"deviation of {label}", str(bound(largest))) for label, largest in largest_deviations(problem, result)),
        ("solution stored in", megabytes(result.solution_megabytes)),
    ]


def tables(problem: ParametricProblem, solver: ParametricSolver, result: ParametricResult) -> list[Table]:
    """Moments, distribution and sensitivities of every quantity."""
    asked = {quantity.name: quantity for quantity in problem.wanted}
    moments: list[list[Cell]] = [
        [
            q.name,
            meaning(asked[q.name]),
            Measured(q.moments.mean, q.mean_error),
            Measured(q.moments.variance, q.variance_error),
            Measured(*q.standard_deviation),
        ]
        for q in result.statistics
    ]
    contents = {found.name: error_contents(found) for found in result.quantities(result.results())}
    thresholds = any(q.distribution.exceedance is not None for q in result.statistics)
    spread: list[list[Cell]] = []
    for q in result.statistics:
        quantiles = [Measured(value, error) for value, error in q.distribution.quantiles.values()]
        known = q.distribution.exceedance
        above = ["", ""] if known is None else [f"> {known[0]:g}", Measured(known[1], known[2])]
        spread.append([q.name, *quantiles, *(above if thresholds else [])])
    levels = [f"{100 * level:g} %" for level in result.statistics[0].distribution.quantiles]
    indices: list[list[Cell]] = []
    for k, points in enumerate(result.points):
        shares = [
            Measured(values[k], errors[k])
            for q in result.statistics
            for values, errors in zip((q.moments.first, q.moments.total), q.index_errors)
        ]
        indices.append([Measured(k + 1), Measured(points), *shares])
    titles = [f"{q.name} {what}" for q in result.statistics for what in ("first", "total")]
    return [
        Table(
            ["quantity", "what", "mean", "variance", "standard deviation"],
            moments,
            (0, 1),
            f"0.46041(82) is 0.46041 ± 0.00082; {contents['mean']}. Measured against exact solves on the same mesh, and"
            " what the Gauss rules miss.",
            "Quantities",
        ),
        Table(
            ["quantity", *levels, *(["threshold", "probability beyond"] if thresholds else [])],
            spread,
            (0, *([len(levels) + 1] if thresholds else [])),
            "Quantiles and probabilities from samples of the surrogate, in parentheses one standard error;"
            f" {contents['quantile']}.",
            "Distributions",
        ),
        Table(
            ["parameter", "Gauss points", *titles],
            indices,
            (),
            "Shares of the variance: by the parameter alone (first), and with all its interactions (total); parameters"
            f" are numbered from 1. {contents['first Sobol index']}.".replace(". e", ". E"),
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
        (f"largest relative error of a quantity at {held} held-out parameter values", str(bound(result.largest_error))),
        (f"the same at {grid} random points of the grid (no interpolation)", str(bound(result.largest_error_on_grid))),
        ("what higher polynomial degrees would add (relative, the largest)", str(bound(result.tails.max()))),
    ]
    coefficient = f"{result.separation_terms} terms, exact"
    if result.separation_error:
        coefficient = f"{result.separation_terms} terms, relative error {bound(result.separation_error)}"
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
