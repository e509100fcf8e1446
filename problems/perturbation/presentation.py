"""What a report says about perturbations: headline, tables, sections."""

from __future__ import annotations

from pathlib import Path

from problems.perturbation.model import PerturbationProblem, PerturbationSolver
from problems.perturbation.references import known
from problems.perturbation.result import PerturbationResult
from problems.report_parts import Section, Table, work
from solvers.measured import Cell, Measured


def headline(
    problem: PerturbationProblem, solver: PerturbationSolver, result: PerturbationResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    best, eps = result.best, result.eps[-1]
    rate = Measured(result.means[best, -1], result.errors[best, -1])
    told = [
        ("learner", f"{result.model}, right on {Measured(result.accuracy, result.accuracy_error)} of held-out rows"),
        (f"fooling rate, {result.names[best]}", f"{rate} at eps {eps:g}, over {result.splits} splits"),
    ]
    if result.random is not None:
        i = result.random
        rate = Measured(result.means[i, -1], result.errors[i, -1])
        told.append(("fooling rate, random signs", f"{rate} at eps {eps:g}"))
    return [*told, ("verdict", result.verdict)]


def tables(problem: PerturbationProblem, solver: PerturbationSolver, result: PerturbationResult) -> list[Table]:
    """The singular values, layer by layer."""
    before = known(problem, result)
    norms = {i: entry.norm for (i, _), entry in before.items() if entry.norm is not None}
    rows: list[list[Cell]] = []
    for i, entry in enumerate(result.values_told):
        row: list[Cell] = [
            entry.layer,
            Measured(entry.q),
            Measured(entry.norm, entry.norm_error),
            Measured(entry.spread, bound=True),
            Measured(entry.bound, digits=4),
            "yes" if entry.exact == 1.0 else "no",
            Measured(None if entry.reached is None else 100.0 * entry.reached, digits=3),
        ]
        if norms:
            row.append(Measured(norms.get(i), digits=4))
        rows.append(row)
    columns = ["layer", "q", "singular value", "spread", "bound", "exact", "% of starts that reach it"]
    note = (
        "The largest q-norm of J v over v of entries up to 1, J the Jacobians of a layer at "
        f"{result.batch} fitted rows: mean over {result.splits} splits, its standard error and the standard deviation. "
        "The bound is one from above; exact: closed or counted in every split, else the best of the starts."
    )
    if norms:
        columns.append("measured before")
        note += " Measured before with a network of other widths."
    return [Table(columns, rows, (0, 5), note, "Singular values by layer")]


def sections(problem: PerturbationProblem, result: PerturbationResult) -> list[Section]:
    """The rows and the learner, as short lists of facts."""
    source = Path(problem.data).name if isinstance(problem.data, str) else f"model {problem.data.model}"  # type: ignore[attr-defined]
    entries = f"{len(result.fields)} pixels" if result.image else f"{len(result.fields)} columns of numbers"
    rows = [
        ("source", source),
        ("fitted in each split", str(result.rows - result.judged)),
        ("that judge", str(result.judged)),
        ("classes", str(result.classes)),
        ("a perturbation has", entries),
        ("unit of eps", "pixels scaled to [0, 1]" if result.image else "deviations of each column"),
    ]
    right = ", ".join(f"{100.0 * share:.1f}" for share in result.right)
    seen = ", ".join(f"{100.0 * share:.1f}" for share in result.trained)
    learner = [("model", result.model), ("% right, split by split", right), ("% right on rows fitted", seen)]
    return [Section("Rows", rows), Section("Learner", learner), work(result.counts)]
