"""Intensities as files, columns and quantities: lines and profile as CSV, the profile as JCAMP-DX too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from problems.published import numbers, text
from problems.quantum.tasks.spectrum.jcamp import jcamp
from problems.quantum.tasks.spectrum.observed import Intensities, Raman
from problems.quantum.tasks.spectrum.profile import MOLAR
from problems.report_parts import Quantity
from problems.result import Columns, Results

LINES, PROFILE, JCAMP = "infrared_lines.csv", "infrared_profile.csv", "infrared.jdx"
LINE_COLUMNS = (
    "lower_state",
    "upper_state",
    "wavenumber_cm-1",
    "wavenumber_error_cm-1",
    "intensity_km_mol-1",
    "intensity_error_km_mol-1",
    "lower_assignment",
    "upper_assignment",
)
PROFILE_COLUMNS = ("wavenumber_cm-1", "intensity_km_mol-1_cm", "molar_absorption_coefficient_L_mol-1_cm-1")
SEEN = 1e-3  # of the strongest line: fainter ones are not compared
PARTS = ("rank", "basis")  # of an error
LEFT_OUT = ("terms of the dipole beyond its order",)


def of_bands(results: Results) -> list[Quantity]:
    """Of the results in report.json: intensities and Raman activities at T = 0 by the first state of each band, the
    ground state left out; partition function and lines at the temperature."""
    intensities, raman = results.get("intensities"), results.get("raman")
    found = []
    if intensities:
        found += _of("intensities", "km/mol", intensities, "integrated", "integrated_errors")
    if raman:
        found += _of("Raman activities", "A^4/u", raman, "activities", "activity_errors")
    if intensities:
        q, error = numbers(intensities["partition_function"]), numbers(intensities["partition_error"])
        found.append(Quantity("partition function", "", "", ["of the lines"], q, error, ("states not computed",)))
        found += _lines(intensities)
    return found


def _lines(told: Results) -> list[Quantity]:
    """The lines that are not faint, from band to band by their first states: ``0 to 3``."""
    first = {int(n): int(band[0]) for band in told["bands"] for n in band}
    lines = told["lines"]
    found: dict[tuple[int, int], list[float]] = {}
    rows = zip(lines["lower"], lines["upper"], numbers(lines["strengths"]), numbers(lines["strength_errors"]))
    for lower, upper, value, error in rows:
        entry = found.setdefault((first[lower], first[upper]), [0.0, 0.0])
        entry[0] += float(value)
        entry[1] += float(error)
    strongest = max((value for value, _ in found.values()), default=0.0)
    kept = sorted(pair for pair, (value, _) in found.items() if value >= SEEN * strongest)
    if not kept:
        return []
    keys = [f"{lower} to {upper}" for lower, upper in kept]
    values, errors = np.array([found[pair] for pair in kept]).T
    return [Quantity("lines", "km/mol", "states", keys, values, errors, PARTS, LEFT_OUT)]


def _of(name: str, unit: str, told: Results, key: str, errors: str) -> list[Quantity]:
    bands = [band for band in told["bands"] if band[0] > 0]
    if not bands:
        return []
    values, bars = ([float(numbers(told[one])[band].sum()) for band in bands] for one in (key, errors))
    keys = [int(band[0]) for band in bands]
    return [Quantity(name, unit, "state", keys, np.array(values), np.array(bars), PARTS, LEFT_OUT)]


def level_columns(found: Intensities | None, raman: Raman | None) -> Columns:
    """Columns of the table of levels: of every state alone, degenerate ones too."""
    columns: Columns = []
    if found is not None:
        columns.append(("intensity_km_mol-1", [repr(float(value)) for value in found.integrated]))
        columns.append(("intensity_error_km_mol-1", [text(value, ".3e") for value in found.integrated_errors]))
    if raman is not None:
        columns.append(("raman_activity_A4_u-1", [repr(float(value)) for value in raman.activities]))
        columns.append(("raman_activity_error_A4_u-1", [text(value, ".3e") for value in raman.activity_errors]))
    return columns


def texts(found: Intensities, assignments: Sequence[str]) -> dict[str, str]:
    """Name -> content of the files beside the report."""
    lines, drawn = found.lines, found.drawn
    rows = [
        [i, f, repr(float(x)), text(dx, ".3e"), repr(float(y)), text(dy, ".3e"), assignments[i], assignments[f]]
        for i, f, x, dx, y, dy in zip(
            lines.lower.tolist(),
            lines.upper.tolist(),
            lines.positions,
            lines.position_errors,
            lines.strengths,
            lines.strength_errors,
        )
    ]
    table = [[text(x, ".8g"), text(y, ".9e"), text(MOLAR * y, ".9e")] for x, y in zip(drawn.wavenumbers, drawn.values)]
    return {
        LINES: _csv(LINE_COLUMNS, rows),
        PROFILE: _csv(PROFILE_COLUMNS, table),
        JCAMP: jcamp(
            drawn.title,
            drawn.wavenumbers,
            MOLAR * drawn.values,
            "L/(mol cm), decadic molar absorption coefficient",
            (
                f"computed at {found.temperature:g} K without rotational structure",
                f"every line a {drawn.shape} of {drawn.fwhm:g} cm-1 full width at half maximum",
            ),
        ),
    }


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()
