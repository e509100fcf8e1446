"""What a report says about a motion: headline, tables, sections."""

from __future__ import annotations

import numpy as np

from problems.contract import Facts
from problems.quantum.tasks.evolution.independent import Moving, compare
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.report_parts import Section, Table, error_contents, work
from problems.words import ranks_within, span
from solvers.measured import Cell, Measured, bound

MOST_ROWS = 80


def headline(problem: Moving, solver: WavePacketSolver, result: EvolutionResult) -> Facts:
    """The few numbers a reader wants first, as (what, value)."""
    facts = [
        *problem.description,
        ("time", f"0 to {result.t[-1]:g} {result.time_in_words}, in steps of {result.output_step:g}"),
        ("largest error estimate of a(t)", f"{bound(result.error.max())} (asked: {solver.accuracy:g})"),
    ]
    for c in compare(problem, result):
        if c.series.quantity == "autocorrelation":
            text = f"at most {bound(c.summary.max_abs)} at {c.summary.count} times"
            facts.append(("deviation from the reference", text))
    if result.peaks:
        trusted = sum(peak.trusted for peak in result.peaks)
        resolution = Measured(result.spectrum.resolution, unit=result.unit, digits=3)
        facts.append(("lines", f"{len(result.peaks)} resolved to {resolution}, {trusted} trusted"))
    facts.append(("largest TT-rank", str(result.max_rank)))
    if not result.dissipative:
        facts.append(("drift of the norm", f"{bound(result.norm_drift)} (relative)"))
        facts.append(("drift of the energy", f"{bound(result.energy_drift)} {result.unit}"))
    return facts


def tables(problem: Moving, solver: WavePacketSolver, result: EvolutionResult) -> list[Table]:
    """The lines of the spectrum, and the eigenvalues beneath it."""
    return [*_lines(result), *_levels(result)]


def _lines(result: EvolutionResult) -> list[Table]:
    spectrum, known, unit = result.spectrum, result.sticks is not None, result.unit
    columns = [f"energy ({unit})", f"above the lowest line ({unit})", "intensity", "share of the start", "trusted"]
    columns += [f"eigenvalue ({unit})", f"line minus eigenvalue ({unit})"] if known else []
    rows = []
    shown = sorted(sorted(spectrum.peaks, key=lambda peak: -peak.intensity)[:MOST_ROWS], key=lambda peak: peak.energy)
    for peak in shown:
        width = spectrum.resolution if peak.trusted else None
        above = peak.energy - shown[0].energy
        row: list[Cell] = [
            Measured(peak.energy, width),
            Measured(above, width) if peak is not shown[0] else Measured(0),
        ]
        row += [_line(peak.intensity, spectrum.noise), Measured(peak.weight, digits=3), "yes" if peak.trusted else "no"]
        if known:
            near, error = peak.eigenvalue, _error_of(result, peak.eigenvalue)
            row += [Measured(near, error), "" if near is None else Measured(peak.energy - near, width)]
        rows.append(row)
    resolution = Measured(spectrum.resolution, unit=result.unit, digits=3)
    note = (
        f"Resolution π/T = {resolution}: lines closer than that are one line, and the error"
        " of a position that is trusted: the error bound, or a second run at a lower rank, confirms it to the"
        " resolution. The others have no error. Intensities: with what the error of a(t) can make of them."
        " Share of the start: the squared overlap that the line holds; no error is estimated."
    )
    if len(spectrum.peaks) > len(shown):
        note += f" The {MOST_ROWS} highest of {len(spectrum.peaks)}; all are in report.json."
    return [Table(columns, rows, text_columns=(4,), note=note, title="Lines of the spectrum")] if rows else []


def _line(intensity: float, noise: float) -> Measured:
    """The height of a line; runs of earlier versions do not know its noise."""
    return Measured(intensity, noise or None, digits=3)


def _error_of(result: EvolutionResult, eigenvalue: float | None) -> float | None:
    if result.sticks is None or eigenvalue is None:
        return None
    return float(result.sticks.errors[int(np.argmin(np.abs(result.sticks.energies - eigenvalue)))])


def _levels(result: EvolutionResult) -> list[Table]:
    if result.sticks is None:
        return []
    rows = [
        [Measured(i), Measured(level["energy"], level["error_estimate"]), Measured(level["weight"], digits=3)]
        for i, level in enumerate(result.eigenvalues[:MOST_ROWS])
    ]
    columns = ["state", f"energy ({result.unit})", "share of the start"]
    note = "States are numbered from 0; share of the start: |⟨start|state⟩|²."
    return [Table(columns, rows, note=note, title="Eigenvalues from the block eigensolver")]


def sections(problem: Moving, result: EvolutionResult) -> list[Section]:
    """Errors, discretisation and work, as short lists of facts."""
    source = "overlap with the start"
    if result.doubled:
        source = "sum of psi(t/2)^2: the Hamiltonian is its own transpose and the start real"
    discretisation = [
        *result.facts,
        ("autocorrelation from", source),
        ("TT-ranks of the operator", ranks_within(result.operator_ranks)),
        ("largest TT-ranks of the state", ranks_within([int(r) for r in result.ranks.max(axis=0)])),
    ]
    if len(result.step_sizes):
        steps = span(result.step_sizes.min(), result.step_sizes.max())
        discretisation.append((f"time steps ({result.time_in_words})", steps))
    return [Section("Errors", _errors(result)), Section("Discretisation", discretisation), work(result.counts)]


def _errors(result: EvolutionResult) -> Facts:
    errors = [
        ("largest error estimate of a(t)", str(bound(result.error.max()))),
        ("its rigorous bound", str(bound(result.autocorrelation_bound.max()))),
        ("what the ranks leave out of the state (accumulated)", str(bound(result.projection_errors[-1]))),
        ("what truncations discarded", str(bound(result.truncation_errors[-1]))),
        ("finite time steps", str(bound(result.step_errors[-1]))),
        ("local exponentials or solves", str(bound(result.krylov_errors[-1]))),
    ]
    if result.check is not None:
        text = str(bound(result.check.difference[-1]))
        errors.append((f"difference of a(t) to a second run with ranks up to {result.check.rank}", text))
        for name, difference in result.check.observables.items():
            errors.append((f"the same of {name}, any site", str(bound(difference[-1]))))
    if result.basis_edge is not None:
        errors.append(("largest population of a mode's last two functions", str(bound(result.basis_edge))))
    errors += [(f"{found.name}", error_contents(found)) for found in result.quantities(result.results())]
    if result.dissipative:
        return [*errors, ("squared norm left at the end", str(Measured(result.squared_norms[-1], digits=4)))]
    return [
        *errors,
        ("drift of the norm (relative)", str(bound(result.norm_drift))),
        (f"drift of the energy ({result.unit})", str(bound(result.energy_drift))),
    ]
