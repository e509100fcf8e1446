"""Tables and facts of labelled states: weights, simpler treatments and measured lines, polyads, resonances."""

from __future__ import annotations

import numpy as np

from problems.contract import Facts
from problems.quantum.tasks.spectrum.labels import Labels, MeasuredLevels, shares, written
from problems.quantum.tasks.spectrum.result import SpectrumResult
from problems.report_parts import Table
from solvers.measured import Cell, Measured, common_places, unit_text

SHOWN = 0.05  # weight of a configuration that is shown
MOST = 4
DIGITS = 2  # behind the point, of levels in simpler treatments: they are good to no more
AS_GIVEN = 12  # digits of a measured line
LARGEST_BLOCK = 6  # of a polyad whose couplings are written out


def symbol(irrep: str) -> str:
    """A representation with its number lowered: A₁, B₂ᵤ is left as B₂u."""
    return irrep.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def modes_note(labels: Labels) -> str:
    """How the field's modes are called, where that is not as they are numbered."""
    modes = zip(labels.mode_names, labels.mode_irreps, strict=True)
    parts = [f"{written(name)}{f'({symbol(irrep)})' if irrep else ''}" for name, irrep in modes]
    plain = all(name == f"nu{k + 1}" for k, name in enumerate(labels.mode_names)) and not any(labels.mode_irreps)
    called = "" if plain else f"Modes of the field in its order: {', '.join(parts)}. "
    l = "A raised number is l, the angular momentum in a degenerate mode. " if any(labels.angular) else ""
    said = any(labels.symmetry) or "cubic" in labels.symmetry_group
    how = f"Symmetry: {labels.symmetry_group}. " if said else ""
    words = f"Weights in percent of {labels.functions}, with the signs of the coefficients; gs: no quanta."
    return f"{called}{how}{l}{words}"


def treatments(result: SpectrumResult, unit: str) -> Table:
    """Every level with its name, beside measured lines, VPT2, the mean field and harmonic oscillators."""
    labels = result.labels
    assert labels is not None
    matched, places = labels.matched, _places(labels)
    irreps = any(labels.symmetry)
    touched = any(labels.perturbed)
    columns = ["state", "assignment", *(["symmetry"] if irreps else []), f"this run ({unit})"]
    texts = [1, *([2] if irreps else [])]
    if labels.measured is not None:
        columns += [f"measured ({unit})", "measured − computed"]
    columns += [f"VPT2 ({unit})", *(["resonances"] if touched else []), f"VSCF ({unit})", f"harmonic ({unit})"]
    if touched:
        texts.append(columns.index("resonances"))
    rows: list[list[Cell]] = []
    errors = result.error_estimates
    for i, name in enumerate(labels.names):
        lowest = result.energies[i] == result.ground_level[0]
        above = result.energies[i] if lowest else result.excitations[i]
        row: list[Cell] = [Measured(i), written(name), *([symbol(labels.symmetry[i])] if irreps else [])]
        row.append(Measured(above, errors[i] + (0.0 if lowest else result.ground_level[1])))
        if labels.measured is not None:
            line = matched.get(i)
            row += [_line(line.measured, line.uncertainty, places), _plain(line.difference)] if line else ["", ""]
        zero = labels.zero_points
        row.append(_plain(zero.get("vpt2") if lowest else labels.vpt2[i]))
        if touched:
            row.append(", ".join(str(n + 1) for n in labels.perturbed[i]))
        row += [_plain(zero["vscf"] if lowest else labels.vscf[i])]
        row += [_plain(zero["harmonic"] if lowest else labels.harmonic[i])]
        rows.append(row)
    return Table(
        columns,
        rows,
        tuple(texts),
        _treatments_note(labels, result.energies[0] == result.ground_level[0]),
        "Levels beside simpler treatments",
    )


def _treatments_note(labels: Labels, from_below: bool) -> str:
    first = "The first row has zero-point energies, the others levels above them."
    said = [first if from_below else "Levels above the zero-point energy of each treatment."]
    if labels.vpt2_missing:
        said.append(f"No VPT2: {labels.vpt2_missing}.")
    else:
        part = "with" if labels.coriolis else "without"
        said.append(f"VPT2: second order {part} the Coriolis part, of the product that names the state.")
        if any(one.kind == "Fermi" for one in labels.resonances):
            said.append(
                "Deperturbed: terms of Fermi resonances (within 200 cm⁻¹ and worth more than 1 cm⁻¹ by the criterion "
                "of Martin et al., 1995) are taken out; the states that one touches have its number."
            )
    said.append("VSCF: mean field, optimised for each state, of its largest product.")
    if labels.measured is not None:
        said.append(f"Measured: {labels.measured.file}.")
    return " ".join(said)


def _plain(value: float | None) -> Cell:
    """Without an error; empty where there is none."""
    return "" if value is None or not np.isfinite(value) else decimals(float(value))


def decimals(value: float) -> Measured:
    """With ``DIGITS`` behind the point, zeros among them."""
    return Measured(value, places=DIGITS)


def _places(labels: Labels) -> int:
    """Digits behind the point that measured lines without an uncertainty have, the most of any."""
    lines = [] if labels.measured is None else labels.measured.lines
    return common_places((one.measured for one in lines if not one.uncertainty), AS_GIVEN)


def _line(value: float, uncertainty: float | None, places: int) -> Cell:
    return Measured(value, uncertainty) if uncertainty else Measured(value, places=places)


def resonances(labels: Labels, unit: str) -> Table | None:
    """What perturbs what; None where nothing does."""
    if not labels.resonances:
        return None
    rows: list[list[Cell]] = []
    for n, one in enumerate(labels.resonances):
        words = " ≈ ".join(written(part) for part in one.states.split(" ≈ "))
        rows.append([Measured(n + 1), one.kind, words, _plain(one.distance), _plain(one.constant)])
    note = (
        "Fermi: the distance of the harmonic levels and φ_ijk; taken out of VPT2. Darling-Dennison: the distance of the"
        " VPT2 levels and the coupling of second order, told from a tenth of the distance on; the levels are not mixed."
    )
    columns = ["number", "kind", "levels", f"distance ({unit})", f"constant ({unit})"]
    return Table(columns, rows, (1, 2), note, "Resonances")


def polyads(labels: Labels, unit: str) -> Table | None:
    """States that share configurations, with the block of the effective Hamiltonian; None where there are none."""
    if not labels.polyads:
        return None
    rows: list[list[Cell]] = []
    for n, one in enumerate(labels.polyads):
        for a, name in enumerate(one.configurations):
            known = len(one.configurations) <= LARGEST_BLOCK
            block = "; ".join(str(decimals(value)) for value in one.couplings[a][:a]) if known else "…"
            first = a == 0
            rows.append(
                [
                    Measured(n + 1),
                    ", ".join(map(str, one.states)) if first else "",
                    written(name),
                    _plain(one.levels[a]),
                    block,
                    f"{100.0 * one.share:.0f} %" if first else "",
                ]
            )
    columns = [
        "polyad",
        "states",
        "configuration",
        f"unperturbed ({unit})",
        f"couplings to those above ({unit})",
        "share",
    ]
    note = (
        "States that share configurations of 5 % and more. The effective Hamiltonian has these levels on its diagonal"
        " and these couplings off it; its eigenvalues are the computed levels. Share: the least part of a state in "
        "these configurations. Of a degenerate level one component stands for both."
    )
    return Table(columns, rows, (1, 2, 4, 5), note, "Polyads")


def assigned_tables(result: SpectrumResult) -> list[Table]:
    """All of them; none without labels."""
    labels = result.labels
    if labels is None:
        return []
    unit = unit_text(result.unit)
    found = [treatments(result, unit), resonances(labels, unit), polyads(labels, unit)]
    return [table for table in found if table is not None]


def told(labels: Labels | None, unit: str) -> Facts:
    """Measured lines beside the levels, in the headline."""
    measured = None if labels is None else labels.measured
    if measured is None:
        return []
    text = deviation(measured, unit)
    if measured.unmatched:
        shown = "; ".join(measured.unmatched[:5]) + ("; …" if len(measured.unmatched) > 5 else "")
        text += f"; {len(measured.unmatched)} not matched: {shown}"
    return [("measured − computed", text)]


def deviation(measured: MeasuredLevels, unit: str) -> str:
    """Root mean square, mean and largest difference."""
    if measured.rms is None or measured.mean is None or measured.max_abs is None:
        return "no line could be matched"
    rms, mean, most = map(decimals, (measured.rms, measured.mean, measured.max_abs))
    count = measured.count
    return f"rms {rms}, mean {mean}, largest {most} {unit} over {count} line{'s' * (count != 1)}"


def weight_columns(labels: Labels) -> list[str]:
    """Names of the columns of weights."""
    both = any(labels.harmonic_configurations)
    return ["weights", *(["in harmonic functions"] if both else [])]


def weights(labels: Labels, i: int) -> list[Cell]:
    """Leading configurations of a state, in the functions of each column."""
    found: list[Cell] = [shares(labels.configurations[i], SHOWN, MOST)]
    if any(labels.harmonic_configurations):
        found.append(shares(labels.harmonic_configurations[i], SHOWN, MOST))
    return found
