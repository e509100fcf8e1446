"""What a report says of intensities: a table of bands, the strongest in the headline, and how the spectrum was made."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from problems.contract import Facts
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Section, Table
from solvers.measured import Cell, Measured, bound

HEADLINED = 3  # bands
HARMONIC = 4  # digits behind the point of an intensity that has no error
_FUNDAMENTAL = re.compile(r"[^[]*\[1v(\d+)\]")  # an assignment whose leading product is one
_NOTE = (
    "Integrated over the band, per mole, from the ground state at T = 0. Errors are those of the states; what the "
    "highest power of the dipole contributes stands beside them, as the size of what the next may do. States closer "
    "than their errors are one band: of degenerate states only the sum of the intensities has a meaning."
)


def intensity_facts(result: SpectrumResult, names: Sequence[str]) -> Facts:
    """The strongest bands by the ``names`` of their states, as (what, value)."""
    found = result.intensities
    if found is None:
        return []
    values, errors = _sums(found.bands, found.integrated), _sums(found.bands, found.integrated_errors)
    facts = []
    for place in np.argsort(-values, kind="stable")[:HEADLINED]:
        n = found.bands[place][0]
        if n == 0 or values[place] <= 0.0:
            continue
        position = _position(result, n)
        facts.append((f"band {names[n]}", f"{Measured(values[place], errors[place], 'km/mol')} at {position} cm-1"))
    return facts


def intensity_tables(result: SpectrumResult, names: Sequence[str]) -> list[Table]:
    """A row a band: states, wavenumber, intensity, what the dipole may still lack, harmonic, Raman, the first name."""
    infrared, raman = result.intensities, result.raman
    shown = infrared or raman
    if shown is None:
        return []
    columns, note = ["state", "wavenumber (cm-1)"], []
    if infrared is not None:
        columns.append("intensity (km/mol)")
        note.append(_NOTE)
        columns += ["of the highest power (km/mol)"] if infrared.order > 1 else []
        columns += ["harmonic (km/mol)"] if infrared.harmonic is not None else []
    if raman is not None:
        columns.append("Raman activity (A^4/u)")
        note.append("Raman activity: 45a² + 7γ² of the transition, in the harmonic limit that of the derivatives.")
    columns.append("assignment")
    rows: list[list[Cell]] = []
    for band in shown.bands:
        if band[0] == 0:
            continue
        row: list[Cell] = [", ".join(map(str, band)), _position(result, band[0])]
        if infrared is not None:
            row.append(Measured(infrared.integrated[band].sum(), infrared.integrated_errors[band].sum()))
            row += [Measured(infrared.order_changes[band].sum(), digits=3)] if infrared.order > 1 else []
            row += [_harmonic(result, band)] if infrared.harmonic is not None else []
        if raman is not None:
            row.append(Measured(raman.activities[band].sum(), raman.activity_errors[band].sum()))
        rows.append([*row, names[band[0]]])
    title = "Intensities" if infrared is not None else "Raman activities"
    return [Table(columns, rows, (0, len(columns) - 1), " ".join(note), title)] if rows else []


def intensity_sections(result: SpectrumResult) -> list[Section]:
    """How the lines of the spectrum came about."""
    found = result.intensities
    if found is None:
        return []
    drawn = found.drawn
    facts = [
        ("dipole", f"a polynomial of order {found.order} in the coordinates"),
        ("temperature", f"{found.temperature:g} K"),
        ("partition function", str(Measured(found.partition_function, found.partition_error))),
        (
            "lines",
            f"{len(found.lines.upper)}, from the {found.lower_states} lowest states, in which are "
            f"{Measured(100.0 * found.covered, digits=4)} % of the molecules",
        ),
        ("every line", f"{drawn.shape} of {drawn.fwhm:g} cm-1 full width at half maximum, no rotational structure"),
        ("largest error of an intensity", f"{bound(np.max(found.integrated_errors))} km/mol (at T = 0)"),
    ]
    return [Section("Infrared spectrum", facts)]


def _sums(bands: list[list[int]], values: np.ndarray) -> np.ndarray:
    return np.array([float(np.sum(values[band])) for band in bands])


def _position(result: SpectrumResult, n: int) -> Measured:
    errors = result.error_estimates
    return Measured(result.excitations[n], errors[n] + errors[0])


def _harmonic(result: SpectrumResult, band: list[int]) -> Cell:
    """The harmonic intensities of the fundamentals in a band; empty where there is none."""
    found = result.intensities
    assert found is not None and found.harmonic is not None
    leading = [_FUNDAMENTAL.match(result.assignments[n]) for n in band]
    modes = {int(one[1]) for one in leading if one}
    return Measured(float(sum(found.harmonic[k - 1] for k in modes)), places=HARMONIC) if modes else ""
