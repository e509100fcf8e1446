"""What a report says about a wave packet: results, comparison, tables, headline numbers.

Of the problem only its ``description`` is used, and what is known beside the run, so that a user's own Hamiltonian in
time is presented by the same functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from problems.report_parts import Quantity, Section, Table
from problems.wave_packet.keys import WavePacketSolver
from problems.wave_packet.references import Compared, compare
from problems.wave_packet.result import WavePacketResult

MOST_ROWS = 80


def time_text(result: WavePacketResult) -> str:
    """The unit of time in words."""
    return {"fs": "fs", "natural": "natural units"}.get(result.time_unit, result.time_unit)


def results(result: WavePacketResult) -> dict[str, Any]:
    """The ``results`` of report.json; times in ``time_unit``, energies absolute in ``energy_unit``."""
    spectrum, a = result.spectrum, result.autocorrelation
    out = {
        "autocorrelation": {
            "t": result.t,
            "real": a.real,
            "imag": a.imag,
            "error": result.error,
            "error_bound": result.autocorrelation_bound,
        },
        "spectrum": {
            "energy": spectrum.energies,
            "intensity": spectrum.intensities,
            "resolution": spectrum.resolution,
            "window": spectrum.window,
            "noise": spectrum.noise,
        },
        "peaks": [
            {
                "energy": peak.energy,
                "intensity": peak.intensity,
                "weight": peak.weight,
                "resolution": peak.resolution,
                "trusted": peak.trusted,
                "eigenvalue": peak.eigenvalue,
            }
            for peak in spectrum.peaks
        ],
        "energy_unit": result.unit,
        "time_unit": result.time_unit,
        "times": result.times,
        "observables": result.observables,
        "sites": result.sites,
        "energy_drift": result.energy_drift,
        "norm_drift": result.norm_drift,
        "projection_error": result.projection_errors,
        "truncation_error": result.truncation_errors,
        "step_error": result.step_errors,
        "krylov_error": result.krylov_errors,
        "error_bound": result.error_bound,
        "max_rank": int(result.ranks.max()),
        "ranks_over_time": result.ranks,
        "operator_ranks": result.operator_ranks,
        "doubled": result.doubled,
        "eigenvalues": [],
        "check": None,
        "basis_edge": None if result.edge is None else float(result.edge.max()),
        "counts": result.counts,
    }
    if result.sticks is not None:
        rows = zip(result.sticks.energies, result.sticks.errors, result.sticks.weights)
        out["eigenvalues"] = [{"energy": e, "error_estimate": error, "weight": w} for e, error, w in rows]
    if result.check is not None:
        other = result.check.autocorrelation
        out["check"] = {
            "rank": result.check.rank,
            "difference": result.check.difference,
            "real": other.real,
            "imag": other.imag,
        }
        out["observable_differences"] = result.check.observables
    return out


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: a(t), and the observables over time.

    Of an observable only a second run at a lower rank tells an error.
    """
    a, axis = results["autocorrelation"], f"t ({results['time_unit']})"
    values = np.array(a["real"], dtype=float) + 1j * np.array(a["imag"], dtype=float)
    found = [Quantity("autocorrelation", "", axis, a["t"], values, np.array(a["error"], dtype=float))]
    differences = results.get("observable_differences") or {}
    for name, observed in results["observables"].items():
        errors = np.array(differences[name], dtype=float) if name in differences else None
        found.append(Quantity(name, "", axis, results["times"], np.array(observed, dtype=float), errors))
    return found


def references(problem: Any, result: WavePacketResult) -> list[dict[str, Any]]:
    """The ``references`` of report.json: this run's deviation from each series, over the times both have."""
    return [
        {
            "name": c.series.quantity,
            "label": c.series.label,
            "source": c.series.source,
            "count": c.summary.count,
            "max_abs_deviation": c.summary.max_abs,
            "mean_abs_deviation": c.summary.mean_abs,
        }
        for c in compare(problem, result)
    ]


def comparison_table(problem: Any, solver: WavePacketSolver, result: WavePacketResult) -> Table | None:
    """Every independent series beside this run; None where there is nothing to compare with."""
    compared = compare(problem, result)
    if not compared:
        return None
    rows = [
        [
            c.series.label,
            c.series.source,
            str(c.summary.count),
            f"{c.summary.max_abs:.1e}",
            f"{c.summary.mean_abs:.1e}",
            _estimate(c, result),
        ]
        for c in compared
    ]
    note = "Absolute deviation of this run at the times both have; the estimate is the run's own, where it has one."
    columns = ["quantity", "source", "times", "largest", "mean", "error estimate"]
    return Table(columns, rows, text_columns=(0, 1), note=note)


def _estimate(c: Compared, result: WavePacketResult) -> str:
    if c.series.quantity != "autocorrelation":
        return ""
    return f"{result.error[np.searchsorted(result.t, c.times[-1] - 1e-6)]:.1e}"


def tables(problem: Any, solver: WavePacketSolver, result: WavePacketResult) -> list[Table]:
    """The lines of the spectrum, and the eigenvalues beneath it."""
    spectrum = result.spectrum
    digits = decimals(spectrum.resolution)
    known = result.sticks is not None
    columns = [f"energy ({result.unit})", "above the lowest line", "intensity", "share of the start", "trusted"]
    rows = []
    shown = sorted(sorted(spectrum.peaks, key=lambda peak: -peak.intensity)[:MOST_ROWS], key=lambda peak: peak.energy)
    for peak in shown:
        row = [f"{peak.energy:.{digits}f}", f"{peak.energy - shown[0].energy:.{digits}f}"]
        row += [f"{peak.intensity:.3g}", f"{peak.weight:.3g}", "yes" if peak.trusted else "no"]
        if known:
            near = peak.eigenvalue
            row += ["", ""] if near is None else [f"{near:.{digits}f}", f"{peak.energy - near:.{digits}f}"]
        rows.append(row)
    if known:
        columns += ["eigenvalue", "line minus eigenvalue"]
    note = (
        f"Resolution pi/T = {spectrum.resolution:.3g} {result.unit}: lines closer than that are one line."
        " Trusted: the error bound, or a second run at a lower rank, confirms the position to the resolution."
    )
    if len(spectrum.peaks) > len(shown):
        note += f" The {MOST_ROWS} highest of {len(spectrum.peaks)}; all are in report.json."
    out = [Table(columns, rows, text_columns=(4,), note=note, title="Lines of the spectrum")] if rows else []
    if result.sticks is not None:
        sticks = result.sticks
        entries = [
            [str(i), f"{e:.{digits + 2}f}", f"{error:.1e}", f"{w:.3g}"]
            for i, (e, error, w) in enumerate(zip(sticks.energies, sticks.errors, sticks.weights))
        ]
        columns = ["state", f"energy ({result.unit})", "error estimate", "share of the start"]
        out.append(Table(columns, entries[:MOST_ROWS], title="Eigenvalues from the block eigensolver"))
    return out


def decimals(resolution: float) -> int:
    """Digits after the point that show a hundredth of the resolution."""
    return min(10, max(0, math.ceil(-math.log10(resolution)) + 2))


def csv_table(problem: Any, result: WavePacketResult) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of autocorrelation.csv, at full precision."""
    known = {
        round(float(t), 6): value
        for c in compare(problem, result)
        if c.series.quantity == "autocorrelation"
        for t, value in zip(c.series.times, c.series.values)
    }
    rows: list[list[Any]] = []
    for t, a, error, bound in zip(result.t, result.autocorrelation, result.error, result.autocorrelation_bound):
        beside = known.get(round(float(t), 6))
        row = [f"{t:.10g}", repr(float(a.real)), repr(float(a.imag)), f"{error:.3e}", f"{bound:.3e}"]
        rows.append(row + (["", ""] if beside is None else [repr(float(beside.real)), repr(float(beside.imag))]))
    header = ["t", "real", "imag", "error_estimate", "error_bound", "reference_real", "reference_imag"]
    return "autocorrelation.csv", header, rows


def headline(problem: Any, solver: WavePacketSolver, result: WavePacketResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    unit = time_text(result)
    facts = list(problem.description)
    facts.append(("time", f"0 to {result.t[-1]:g} {unit}, in steps of {result.t[1] - result.t[0]:g}"))
    facts.append(("largest error estimate of a(t)", f"{result.error.max():.1e} (asked: {solver.accuracy:g})"))
    for c in compare(problem, result):
        if c.series.quantity == "autocorrelation":
            text = f"at most {c.summary.max_abs:.1e} at {c.summary.count} times"
            facts.append(("deviation from the reference", text))
    peaks = result.spectrum.peaks
    if peaks:
        trusted = sum(peak.trusted for peak in peaks)
        facts.append(
            ("lines", f"{len(peaks)} resolved to {result.spectrum.resolution:.3g} {result.unit}, {trusted} trusted")
        )
    facts.append(("largest TT-rank", str(int(result.ranks.max()))))
    if not result.dissipative:
        facts.append(("drift of norm and energy", f"{result.norm_drift:.1e}, {result.energy_drift:.1e} {result.unit}"))
    return facts


def sections(problem: Any, result: WavePacketResult) -> list[Section]:
    """Errors, discretisation and work, as short lists of facts."""
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
    if result.edge is not None:
        errors.append(("largest population of a mode's last two functions", f"{result.edge.max():.1e}"))
    if result.dissipative:
        errors.append(("squared norm left at the end", f"{(result.norms[-1] / result.norms[0]) ** 2:.4g}"))
    else:
        errors.append(("drift of the norm (relative)", f"{result.norm_drift:.1e}"))
        errors.append((f"drift of the energy ({result.unit})", f"{result.energy_drift:.1e}"))
    source = "overlap with the start"
    if result.doubled:
        source = "sum of psi(t/2)^2: the Hamiltonian is its own transpose and the start real"
    unit = time_text(result)
    discretisation = [
        *result.facts,
        ("autocorrelation from", source),
        ("TT-ranks of the operator", _ranks(result.operator_ranks)),
        ("largest TT-ranks of the state", _ranks([int(r) for r in result.ranks.max(axis=0)])),
    ]
    if len(result.step_sizes):
        low, high = result.step_sizes.min(), result.step_sizes.max()
        span = f"{low:.3g}" if math.isclose(low, high, rel_tol=1e-6) else f"{low:.3g} to {high:.3g}"
        discretisation.append((f"time steps ({unit})", span))
    work = [(name.replace("_", " "), str(count)) for name, count in result.counts.items()]
    return [Section("Errors", errors), Section("Discretisation", discretisation), Section("Work", work)]


def _ranks(ranks: list[int]) -> str:
    inner = ranks[1:-1]
    if len(inner) > 12 and len(set(inner[2:-2])) == 1:
        return ", ".join(map(str, inner[:3])) + ", ..., " + ", ".join(map(str, inner[-3:]))
    return ", ".join(map(str, inner))


def trains(result: WavePacketResult) -> dict[str, Any]:
    """Name -> train, as stored in states.npz: the state at the last of ``times``."""
    return {"state": result.state}


def loading(folder: str) -> tuple[str, str]:
    """How to load the results of a run: a heading and three lines of Python."""
    code = f'import ttsuite\nreport, states = ttsuite.load("{folder}")\n'
    code += 'print(report["results"]["peaks"][0], states[0].ranks)  # the state at the last of "times"'
    return "Loading the results", code
