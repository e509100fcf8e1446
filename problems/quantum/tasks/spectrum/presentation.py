"""What a report says about a spectrum: headline, tables, sections."""

from __future__ import annotations

import numpy as np

from problems.contract import Facts
from problems.effort import megabytes
from problems.quantum.hamiltonians.force_field.known_levels import compare, covering
from problems.quantum.tasks.spectrum.keys import Asked, HasLevels
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Section, Table, work
from problems.words import decimals, number


def digits_of(accuracy: float) -> int:
    """Digits after the point that show two more than ``accuracy`` resolves."""
    return decimals(accuracy, spare=2, least=2)


def headline(problem: HasLevels, solver: Asked, result: SpectrumResult) -> Facts:
    """The few numbers a reader wants first, as (what, value)."""
    accuracy = solver.accuracy
    n, unit, digits = len(result.energies), result.unit, digits_of(accuracy)
    facts = [
        *problem.description,
        ("states", f"{n}, {_reached(result, accuracy)} ({accuracy:g} {unit})"),
        ("lowest energy", f"{number(result.energies[0], digits)} {unit}"),
        ("highest energy", f"{number(result.excitations[-1], digits)} {unit} above it"),
        ("largest error estimate", f"{np.max(result.error_estimates):.2g} {unit}"),
    ]
    for c in compare(result.energies, problem.references):
        if c.reference.judge:
            text = f"at most {c.run.max_abs:.2g}, mean {c.run.mean_abs:.2g} {unit} over {c.run.count} states"
            facts.append((f"deviation from {c.reference.label}", text))
    facts.append(("states stored in", megabytes(result.states_megabytes)))
    return facts


def _reached(result: SpectrumResult, accuracy: float) -> str:
    """How many states reached the accuracy, in words that no other number of the report contradicts."""
    done = int(np.count_nonzero(result.state_converged))
    if not result.agreed:
        return "contradicted by what was checked, whatever accuracy was asked"
    beyond = int(np.count_nonzero(result.state_converged & (np.asarray(result.error_estimates) > accuracy)))
    if beyond:  # a basis that the user chose is part of the question
        return f"of which {done} reached the accuracy asked within the basis chosen, {beyond} of them not beyond it"
    return f"of which {done} reached the accuracy asked"


def tables(problem: HasLevels, solver: Asked, result: SpectrumResult) -> list[Table]:
    """State, energy, error estimate, symmetry, assignment, and what is known of it."""
    digits = digits_of(solver.accuracy)
    known = covering(problem.references, len(result.energies))
    columns = ["state", f"energy ({result.unit})", "above the lowest", "error estimate"]
    columns += ["symmetry", "assignment", "converged", *(reference.label for reference in known)]
    rows = []
    for i, energy in enumerate(result.energies):
        row = [str(i), number(energy, digits), number(result.excitations[i], digits)]
        row += [f"{result.error_estimates[i]:.1e}", result.symmetry[i], result.assignments[i]]
        row += ["yes" if result.state_converged[i] else "no"]
        rows.append(row + [number(reference.at(i), digits) for reference in known])
    return [Table(columns, rows, text_columns=(4, 5, 6), note=problem.note, title="Levels")]


def sections(problem: HasLevels, result: SpectrumResult) -> list[Section]:
    """Completeness, discretisation and work, as short lists of facts."""
    discretisation = [
        ("order of the modes along the train", ", ".join(map(str, result.mode_order))),
        ("functions of each mode, in that order", ", ".join(map(str, result.basis_functions))),
        ("TT-ranks of the operator", ", ".join(map(str, result.operator_ranks))),
        ("largest TT-rank of a state", str(max(result.largest_ranks_of_states))),
    ]
    return [
        Section("Completeness: no state missing, none twice", _completeness(result)),
        Section("Discretisation", discretisation),
        work(result.counts),
    ]


def _completeness(result: SpectrumResult) -> Facts:
    found = result.completeness
    lowest = float(result.energies[0])
    buffer = ", ".join(f"{float(energy) - lowest:.4f}" for energy in found.get("buffer_states") or []) or "none"
    facts = [(f"buffer states past the last one asked ({result.unit} above the lowest)", buffer)]
    gap = found.get("gap_above")
    if gap is not None:
        facts.append(("gap above the states asked", f"{float(gap):.6g} {result.unit}"))
    for key, value in (found.get("probe") or {}).items():
        shown = f"{value:.8g}" if isinstance(value, float) else str(value)
        facts.append((f"probe of the orthogonal complement: {str(key).replace('_', ' ')}", shown))
    for block in sorted(set(result.symmetry)):
        facts.append((f"states in symmetry block {block}", str(result.symmetry.count(block))))
    return facts
