"""What a report says about a motion: headline, tables, sections."""

from __future__ import annotations

from problems.contract import Facts
from problems.quantum.tasks.evolution.independent import Moving, compare
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.report_parts import Section, Table, work
from problems.words import decimals, ranks_within, span

MOST_ROWS = 80
MOST_DIGITS = 10


def headline(problem: Moving, solver: WavePacketSolver, result: EvolutionResult) -> Facts:
    """The few numbers a reader wants first, as (what, value)."""
    facts = [
        *problem.description,
        ("time", f"0 to {result.t[-1]:g} {result.time_in_words}, in steps of {result.output_step:g}"),
        ("largest error estimate of a(t)", f"{result.error.max():.1e} (asked: {solver.accuracy:g})"),
    ]
    for c in compare(problem, result):
        if c.series.quantity == "autocorrelation":
            text = f"at most {c.summary.max_abs:.1e} at {c.summary.count} times"
            facts.append(("deviation from the reference", text))
    if result.peaks:
        trusted = sum(peak.trusted for peak in result.peaks)
        resolution = f"{result.spectrum.resolution:.3g} {result.unit}"
        facts.append(("lines", f"{len(result.peaks)} resolved to {resolution}, {trusted} trusted"))
    facts.append(("largest TT-rank", str(result.max_rank)))
    if not result.dissipative:
        facts.append(("drift of norm and energy", f"{result.norm_drift:.1e}, {result.energy_drift:.1e} {result.unit}"))
    return facts


def tables(problem: Moving, solver: WavePacketSolver, result: EvolutionResult) -> list[Table]:
    """The lines of the spectrum, and the eigenvalues beneath it."""
    digits = decimals(result.spectrum.resolution, spare=2, most=MOST_DIGITS)
    return [*_lines(result, digits), *_levels(result, digits + 2)]


def _lines(result: EvolutionResult, digits: int) -> list[Table]:
    spectrum, known = result.spectrum, result.sticks is not None
    columns = [f"energy ({result.unit})", "above the lowest line", "intensity", "share of the start", "trusted"]
    columns += ["eigenvalue", "line minus eigenvalue"] if known else []
    rows = []
    shown = sorted(sorted(spectrum.peaks, key=lambda peak: -peak.intensity)[:MOST_ROWS], key=lambda peak: peak.energy)
    for peak in shown:
        row = [f"{peak.energy:.{digits}f}", f"{peak.energy - shown[0].energy:.{digits}f}"]
        row += [f"{peak.intensity:.3g}", f"{peak.weight:.3g}", "yes" if peak.trusted else "no"]
        if known:
            near = peak.eigenvalue
            row += ["", ""] if near is None else [f"{near:.{digits}f}", f"{peak.energy - near:.{digits}f}"]
        rows.append(row)
    note = (
        f"Resolution pi/T = {spectrum.resolution:.3g} {result.unit}: lines closer than that are one line."
        " Trusted: the error bound, or a second run at a lower rank, confirms the position to the resolution."
    )
    if len(spectrum.peaks) > len(shown):
        note += f" The {MOST_ROWS} highest of {len(spectrum.peaks)}; all are in report.json."
    return [Table(columns, rows, text_columns=(4,), note=note, title="Lines of the spectrum")] if rows else []


def _levels(result: EvolutionResult, digits: int) -> list[Table]:
    if result.sticks is None:
        return []
    rows = [
        [str(i), f"{level['energy']:.{digits}f}", f"{level['error_estimate']:.1e}", f"{level['weight']:.3g}"]
        for i, level in enumerate(result.eigenvalues[:MOST_ROWS])
    ]
    columns = ["state", f"energy ({result.unit})", "error estimate", "share of the start"]
    return [Table(columns, rows, title="Eigenvalues from the block eigensolver")]


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
        ("largest error estimate of a(t)", f"{result.error.max():.2e}"),
        ("its rigorous bound", f"{result.autocorrelation_bound.max():.2e}"),
        ("what the ranks leave out of the state (accumulated)", f"{result.projection_errors[-1]:.2e}"),
        ("what truncations discarded", f"{result.truncation_errors[-1]:.2e}"),
        ("finite time steps", f"{result.step_errors[-1]:.2e}"),
        ("local exponentials or solves", f"{result.krylov_errors[-1]:.2e}"),
    ]
    if result.check is not None:
        text = f"{result.check.difference[-1]:.2e}"
        errors.append((f"difference of a(t) to a second run with ranks up to {result.check.rank}", text))
        for name, difference in result.check.observables.items():
            errors.append((f"the same of {name}, any site", f"{difference[-1]:.2e}"))
    if result.basis_edge is not None:
        errors.append(("largest population of a mode's last two functions", f"{result.basis_edge:.1e}"))
    if result.dissipative:
        return [*errors, ("squared norm left at the end", f"{result.squared_norms[-1]:.4g}")]
    return [
        *errors,
        ("drift of the norm (relative)", f"{result.norm_drift:.1e}"),
        (f"drift of the energy ({result.unit})", f"{result.energy_drift:.1e}"),
    ]
