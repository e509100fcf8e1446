"""What a report says about the eigenvalues of a matrix, and its figure."""

from problems.drawing import (
    accuracy_line,
    error_panel,
    panel,
)
from problems.legends import legend_above
from problems.report_parts import Picture, Table, work


def headline(problem, solver, result):
    return [("lowest eigenvalue", f"{result.energies[0]:.10g} +- {result.error_estimates[0]:.0e}")]


def tables(problem, solver, result):
    rows = [[str(k), f"{e:.10g}", f"{d:.1e}"] for k, (e, d) in enumerate(zip(result.energies, result.error_estimates))]
    return [Table(["state", "eigenvalue", "error estimate"], rows, title="Eigenvalues")]


def sections(problem, result):
    return [work(result.counts)]


def figures(problem, solver, result):
    def errors():
        figure, axes = panel(3.0)
        error_panel(axes, range(len(result.energies)), {"error estimate": result.error_estimates})
        accuracy_line(axes, solver.accuracy)
        axes.set(xlabel="state", ylabel="error")
        legend_above(axes, 2)
        return figure

    return [Picture("errors", "Error estimates of the eigenvalues.", errors)]
