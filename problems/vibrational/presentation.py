"""What a report says about vibrational states: results, comparison, tables, headline numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from problems.effort import megabytes
from problems.levels import Reference
from problems.report_parts import Quantity, Section, Table
from problems.vibrational.references import Comparison, compare

if TYPE_CHECKING:
    from problems.vibrational.model import VibrationalProblem, VibrationalSolver
    from problems.vibrational.result import VibrationalResult


def decimals(accuracy: float) -> int:
    """Digits after the point that show two more than ``accuracy`` resolves."""
    return min(12, max(0, math.ceil(-math.log10(accuracy))) + 2)


def results(result: VibrationalResult) -> dict[str, Any]:
    """The ``results`` of report.json; energies absolute and ascending, in ``unit``."""
    return {
        "energies": result.energies,
        "unit": result.unit,
        "error_estimates": result.error_estimates,
        "rank_errors": result.rank_errors,
        "basis_errors": result.basis_errors,
        "residual_norms": result.residual_norms,
        "symmetry": result.symmetry,
        "assignments": result.assignments,
        "ranks": result.ranks,
        "operator_ranks": result.operator_ranks,
        "mode_order": result.mode_order,
        "basis_functions": result.basis_functions,
        "states_megabytes": result.states_megabytes,
        "state_converged": result.state_converged,
        "completeness": result.completeness,
        "counts": result.counts,
    }


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: the energies, matched by order."""
    energies = np.array(results["energies"], dtype=float)
    errors = np.array(results["error_estimates"], dtype=float)
    return [Quantity("energies", results["unit"], "state", list(range(len(energies))), energies, errors)]


def references(problem: VibrationalProblem, result: VibrationalResult) -> list[dict[str, Any]]:
    """The ``references`` of report.json: this run's deviation from each, and each one's from the judge."""
    return [_entry(comparison) for comparison in compare(result.energies, problem.references)]


def _entry(comparison: Comparison) -> dict[str, Any]:
    entry = {
        "name": comparison.reference.name,
        "label": comparison.reference.label,
        "source": comparison.reference.source,
        "count": comparison.run.count,
        "max_abs_deviation": comparison.run.max_abs,
        "mean_abs_deviation": comparison.run.mean_abs,
    }
    if comparison.column is not None:
        entry["column_max_abs_deviation"] = comparison.column.max_abs
        entry["column_mean_abs_deviation"] = comparison.column.mean_abs
    return entry


def comparison_table(problem: VibrationalProblem, solver: VibrationalSolver, result: VibrationalResult) -> Table | None:
    """Every reference beside this run; None where there is nothing to compare with."""
    comparisons = compare(result.energies, problem.references)
    if not comparisons:
        return None
    digits = decimals(solver.accuracy)
    rows = []
    for c in comparisons:
        row = [c.reference.label, str(c.run.count), _number(c.run.max_abs, digits), _number(c.run.mean_abs, digits)]
        rows.append(row)
    columns = ["list", "states", "this run: max", "this run: mean"]
    note = f"Largest and mean absolute deviation ({result.unit}) of this run from the list, over the states both have."
    if any(c.column for c in comparisons):
        judge = next(c.reference.label for c in comparisons if c.reference.judge)
        columns += ["own: max", "own: mean"]
        note += f" Own: deviation of the list itself from {judge}."
        for row, c in zip(rows, comparisons, strict=True):
            row += [_number(c.column.max_abs, digits), _number(c.column.mean_abs, digits)] if c.column else ["", ""]
    return Table(columns, rows, text_columns=(0,), note=note)


def tables(problem: VibrationalProblem, solver: VibrationalSolver, result: VibrationalResult) -> list[Table]:
    """State, energy, error estimate, symmetry, assignment, and the published values beside it."""
    digits = decimals(solver.accuracy)
    known = _covering(problem.references, len(result.energies))
    columns = ["state", f"energy ({result.unit})", "above the lowest", "error estimate"]
    columns += ["symmetry", "assignment", "converged", *(reference.label for reference in known)]
    rows = []
    for i, energy in enumerate(result.energies):
        row = [str(i), _number(energy, digits), _number(energy - result.energies[0], digits)]
        row += [f"{result.error_estimates[i]:.1e}", result.symmetry[i], result.assignments[i]]
        row += ["yes" if result.state_converged[i] else "no"]
        rows.append(row + [_number(_at(reference, i), digits) for reference in known])
    return [Table(columns, rows, text_columns=(4, 5, 6), title="Levels")]


def csv_table(problem: VibrationalProblem, result: VibrationalResult) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of levels.csv, at full precision; reference columns as they were published."""
    known = _covering(problem.references, len(result.energies))
    header = ["state", "energy", "above_lowest", "unit", "error_estimate", "rank_error", "basis_error"]
    header += ["residual_norm", "converged", "symmetry", "assignment", "max_rank"]
    header += [reference.name for reference in known]
    rows: list[list[Any]] = []
    for i, energy in enumerate(result.energies):
        row: list[Any] = [i, repr(float(energy)), f"{energy - result.energies[0]:.10g}", result.unit]
        row += [f"{values[i]:.3e}" for values in (result.error_estimates, result.rank_errors)]
        row += [f"{values[i]:.3e}" for values in (result.basis_errors, result.residual_norms)]
        row += [bool(result.state_converged[i]), result.symmetry[i], result.assignments[i]]
        row += [max(result.ranks[i])]
        published = [_at(reference, i) for reference in known]
        rows.append(row + ["" if math.isnan(value) else repr(value) for value in published])
    return "levels.csv", header, rows


def loading(folder: str) -> tuple[str, str]:
    """How to load the states of a run: a heading and three lines of Python."""
    code = f'import ttsuite\nreport, states = ttsuite.load("{folder}")\n'
    return "Loading the states", code + 'print(report["results"]["energies"][0], states[0].ranks)'


def headline(
    problem: VibrationalProblem, solver: VibrationalSolver, result: VibrationalResult
) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    field = problem.field
    what = ("force field", f"{field.name}, {field.d} modes, order {field.order}")
    return [what, *headline_of_states(problem.references, solver.accuracy, result)]


def headline_of_states(
    references: list[Reference], accuracy: float, result: VibrationalResult
) -> list[tuple[str, str]]:
    """The part of the headline that says nothing of where the Hamiltonian comes from."""
    n, unit, digits = len(result.energies), result.unit, decimals(accuracy)
    facts = [
        ("states", f"{n}, {_reached(result, accuracy)} ({accuracy:g} {unit})"),
        ("lowest energy", f"{_number(result.energies[0], digits)} {unit}"),
        ("highest energy", f"{_number(result.energies[-1] - result.energies[0], digits)} {unit} above it"),
        ("largest error estimate", f"{np.max(result.error_estimates):.2g} {unit}"),
    ]
    judged = [c for c in compare(result.energies, references) if c.reference.judge]
    for c in judged:
        text = f"at most {c.run.max_abs:.2g}, mean {c.run.mean_abs:.2g} {unit} over {c.run.count} states"
        facts.append((f"deviation from {c.reference.label}", text))
    facts.append(("states stored in", megabytes(result.states_megabytes)))
    return facts


def _reached(result: VibrationalResult, accuracy: float) -> str:
    """How many states reached the accuracy, in words that no other number of the report contradicts."""
    done = int(np.count_nonzero(result.state_converged))
    if not all(look.passed for look in result.checked):
        return "contradicted by what was checked, whatever accuracy was asked"
    beyond = int(np.count_nonzero(result.state_converged & (np.asarray(result.error_estimates) > accuracy)))
    if beyond:  # a basis that the user chose is part of the question
        return f"of which {done} reached the accuracy asked within the basis chosen, {beyond} of them not beyond it"
    return f"of which {done} reached the accuracy asked"


def sections(problem: VibrationalProblem, result: VibrationalResult) -> list[Section]:
    """Completeness and the discretisation, as short lists of facts."""
    order = ", ".join(map(str, result.mode_order))
    discretisation = [
        ("order of the modes along the train", order),
        ("functions of each mode, in that order", ", ".join(map(str, result.basis_functions))),
        ("TT-ranks of the operator", ", ".join(map(str, result.operator_ranks))),
        ("largest TT-rank of a state", str(max(max(ranks) for ranks in result.ranks))),
    ]
    work = [(name.replace("_", " "), str(count)) for name, count in result.counts.items()]
    return [
        Section("Completeness: no state missing, none twice", _completeness(result)),
        Section("Discretisation", discretisation),
        Section("Work", work),
    ]


def _completeness(result: VibrationalResult) -> list[tuple[str, str]]:
    found = result.completeness
    facts = []
    buffer = [float(energy) for energy in found.get("buffer_states") or []]
    lowest = float(result.energies[0])
    shown = ", ".join(f"{energy - lowest:.4f}" for energy in buffer) or "none"
    facts.append((f"buffer states past the last one asked ({result.unit} above the lowest)", shown))
    gap = found.get("gap_above")
    if gap is not None:
        facts.append(("gap above the states asked", f"{float(gap):.6g} {result.unit}"))
    probe = found.get("probe") or {}
    for key, value in probe.items():
        shown = f"{value:.8g}" if isinstance(value, float) else str(value)
        facts.append((f"probe of the orthogonal complement: {str(key).replace('_', ' ')}", shown))
    for block in sorted(set(result.symmetry)):
        facts.append((f"states in symmetry block {block}", str(result.symmetry.count(block))))
    return facts


class _Named(Mapping[str, Any]):
    """Name -> train, each made when it is asked for."""

    def __init__(self, states: Sequence[Any]) -> None:
        self._states = states
        self._index = {f"state_{i:04d}": i for i in range(len(states))}

    def __getitem__(self, name: str) -> Any:
        return self._states[self._index[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


def trains(result: VibrationalResult) -> Mapping[str, Any]:
    """Name -> tensor train of every state, as stored in states.npz."""
    return _Named(result.states)


def _covering(known: list[Reference], count: int) -> list[Reference]:
    """References with at least one value for the first ``count`` states."""
    return [reference for reference in known if np.any(np.isfinite(reference.levels[:count]))]


def _at(reference: Reference, i: int) -> float:
    return float(reference.levels[i]) if i < len(reference.levels) else math.nan


def _number(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
