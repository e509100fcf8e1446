"""What a report says about a spectrum: headline, tables, sections."""

from __future__ import annotations

import numpy as np

from problems.contract import Facts
from problems.effort import megabytes
from problems.quantum.hamiltonians.force_field.known_levels import compare, covering
from problems.quantum.tasks.spectrum.assigned_tables import (
    assigned_tables,
    modes_note,
    symbol,
    told,
    weight_columns,
    weights,
)
from problems.quantum.tasks.spectrum.beside import known_beside
from problems.quantum.tasks.spectrum.evidence import asked_for, assigned, evidence, leading
from problems.quantum.tasks.spectrum.infrared_tables import intensity_facts, intensity_sections, intensity_tables
from problems.quantum.tasks.spectrum.keys import ZERO_POINT, Asked, HasLevels
from problems.quantum.tasks.spectrum.labels import written
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.quantum.tasks.spectrum.whole_list import completeness_facts, limits
from problems.report_parts import Section, Table, error_contents, work
from solvers.measured import Cell, Measured, bound, common_places

PUBLISHED = 12  # significant digits of a level from elsewhere: as many as it was published with
_NOTE = (
    "Levels are numbered from 0. 0.46041(82) is 0.46041 ± 0.00082; {errors}. A level above the lowest has both errors."
)
_PRODUCTS = (
    "Assignment: |coefficient| and product functions of the leading configurations, whose squares are their weights."
)


def headline(problem: HasLevels, solver: Asked, result: SpectrumResult) -> Facts:
    """The few numbers a reader wants first, as (what, value)."""
    accuracy = solver.accuracy
    n, unit = len(result.energies), result.unit
    facts = [
        *problem.description,
        ("states", f"{n}, {_reached(result, accuracy)} ({accuracy:g} {unit})"),
        *asked_for(result),
        (problem.lowest, str(Measured(*result.ground_level, unit))),
        *([("highest energy", f"{_excitation(result, n - 1)} {unit} above it")] if n > 1 else []),
        ("largest error estimate", f"{bound(np.max(result.error_estimates))} {unit} ({_contents(result)})"),
    ]
    for c in compare(result.energies, known_beside(problem, result)):
        if c.reference.judge:
            text = f"at most {bound(c.run.max_abs)}, mean {bound(c.run.mean_abs)} {unit} over {c.run.count} states"
            facts.append((f"deviation from {c.reference.label}", text))
    facts += told(result.labels, unit)
    facts += intensity_facts(result, _names(result, problem.letter))
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


def _contents(result: SpectrumResult) -> str:
    energies = result.quantities(result.results())[0]
    return error_contents(energies)


def _excitation(result: SpectrumResult, i: int) -> Measured:
    """A level above the lowest, with the errors of both."""
    energy, error = result.ground_level
    if energy == result.energies[i]:
        return Measured(0)
    return Measured(result.excitations[i], result.error_estimates[i] + error)


def tables(problem: HasLevels, solver: Asked, result: SpectrumResult) -> list[Table]:
    """State, energy, what is above the lowest, symmetry, assignment, and what is known of it."""
    letter, labels = problem.letter, result.labels
    known = covering(known_beside(problem, result), len(result.energies))
    above = "zero-point level" if problem.lowest == ZERO_POINT else "lowest"
    columns = ["state", f"energy ({result.unit})", f"above the {above} ({result.unit})"]
    columns += ["symmetry", "assignment", *(weight_columns(labels) if labels else []), "converged"]
    texts = tuple(range(3, len(columns)))
    columns += [f"{reference.label}, {result.unit}" for reference in known]
    places = [common_places((one.at(i) for i in range(len(result.energies))), PUBLISHED) for one in known]
    rows = []
    for i, energy in enumerate(result.energies):
        row: list[Cell] = [Measured(i), Measured(energy, result.error_estimates[i]), _excitation(result, i)]
        if labels is None:
            row += [result.symmetry[i], assigned(result.assignments[i], letter)]
        else:
            row += [symbol(labels.symmetry[i]) or result.symmetry[i], written(labels.names[i]), *weights(labels, i)]
        row.append("yes" if result.state_converged[i] else "no")
        rows.append(row + [Measured(one.at(i), places=n) for one, n in zip(known, places, strict=True)])
    words = f"{_PRODUCTS} {problem.note}" if labels is None else modes_note(labels)
    note = f"{_NOTE.format(errors=_contents(result))} {words}".strip()
    levels = Table(columns, rows, text_columns=texts, note=note, title="Levels")
    return [levels, *assigned_tables(result), *intensity_tables(result, _names(result, letter))]


def _names(result: SpectrumResult, letter: str) -> list[str]:
    """Every state by its label, or by its leading product where it has none."""
    if result.labels is not None:
        return [written(name) for name in result.labels.names]
    return [leading(text, letter) for text in result.assignments]


def sections(problem: HasLevels, result: SpectrumResult) -> list[Section]:
    """What decides, completeness, discretisation and work, as short lists of facts."""
    discretisation = [
        ("order of the modes along the train", ", ".join(map(str, result.mode_order))),
        ("functions of each mode, in that order", ", ".join(map(str, result.basis_functions))),
        ("TT-ranks of the operator", ", ".join(map(str, result.operator_ranks))),
        ("largest TT-rank of a state", str(max(result.largest_ranks_of_states))),
    ]
    return [
        Section("What decides that a state is converged", evidence(result)),
        *intensity_sections(result),
        Section("Completeness: no state missing, none twice", completeness_facts(result)),
        *([Section("What the force field does not know", limits(result))] if result.field_limits else []),
        Section("Discretisation", discretisation),
        work(result.counts),
    ]
