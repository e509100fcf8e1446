"""Outputs of Gaussian 09 and 16 with ``freq=anharm`` (``.log``, ``.out``): the field of the last anharmonic section.

Modes are counted as that section counts them: by irreducible representation, in each by falling frequency. The
harmonic section counts by rising frequency; the equivalency table that is printed ties the two.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.hamiltonians.force_field.geometry import HARTREE
from problems.quantum.hamiltonians.force_field.molecule import DEBYE, Molecule, Surface
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.readers import gaussian_frames as frames
from problems.quantum.readers.displaced import reduction, surface_of
from problems.quantum.readers.gaussian_output import (
    Constants,
    Output,
    compare_columns,
    frequencies_of,
    harmonic_numbers,
    inertia_slopes,
    zeta_of,
)
from problems.quantum.readers.gaussian_transitions import transitions_of
from problems.quantum.readers.quality import imaginary, notes_on

SUFFIXES = (".log", ".out", ".g09", ".g16")
BANNER = re.compile(r"Entering Gaussian System|\bGaussian (?:DV|0[39]|16|\(R\))")
FIRST_LINES = 200  # among which the program says its name
ENDED = re.compile(r" *Normal termination of Gaussian")
LAST_LINES = 20  # among which a run says that it ended: one that did so before was followed by another
SAME = 0.02  # cm-1: frequencies of the harmonic and of the anharmonic section, printed to 4 and 5 decimals
SYMMETRIC = ("A", "A'", "A1", "A1'", "AG", "A1G", "SG", "SGG")  # totally symmetric, as Gaussian writes them
DROPPED = 1.0  # cm-1: where constants up to so much may be left out, it is said


def reads(path: Path) -> bool:
    """Whether a file has the name of an output, and Gaussian's name among its first lines."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return any(BANNER.search(line) for line, _ in zip(file, range(FIRST_LINES), strict=False))
    except OSError:
        return False


def read(path: Path) -> Molecule:
    """The molecule in an output: field, rotation, irreducible representations, printed transitions; and the dipole to
    first order where the archive at its end has the derivatives.

    Raises ProblemError with every fault, each ``file:line:column: ...``: no anharmonic section, tables that are cut
    short or do not fit together, imaginary frequencies.
    """
    output = Output(path)
    faults = output.faults
    if output.start is None:
        faults.add(*_why_none(output))
        faults.raise_any()
        raise AssertionError
    quadratic = Constants(output, 2)
    faults.raise_any()
    frequencies = frequencies_of(quadratic, output)
    faults.raise_any()
    if text := imaginary(frequencies):
        faults.add(text, output.start + 1)
        faults.raise_any()
    tables = [quadratic]
    for order in (3, 4):
        tables.append(Constants(output, order))
        faults.raise_any()  # where one is cut short there is no next
    for table in tables:
        compare_columns(table, frequencies, output)
    faults.raise_any()
    harmonic = harmonic_numbers(output, frequencies)
    irreps = _irreps(output, frequencies, harmonic)
    faults.raise_any()
    phi = {modes: value for table in tables for modes, value in table.values.items() if len(set(modes)) > 1}
    phi |= {modes: value for table in tables[1:] for modes, value in table.values.items()}
    derivatives = {tuple(k + 1 for k in modes): value for modes, value in phi.items()}
    field = of_derivatives(path.stem, list(frequencies), derivatives, path)
    notes = [*notes_on(field), *_dropped(tables, frequencies)]
    group = _point_group(output)
    if (wrong := _not_symmetric(irreps, tables[1])) is not None:
        notes.append(
            f"mode {wrong + 1} is {irreps[wrong]} in the output but has constants that only a totally symmetric mode"
            f" can have: {group or 'the group'} is that of the electrons, not of these isotopes; the representations"
            " are left out"
        )
        irreps, group = (), ""
    rotation, geometry, modes = _rotating(output, frequencies, harmonic, notes)
    faults.raise_any()
    if (output.last(ENDED) or 0) < output.start:
        notes.append("the output does not end with Normal termination: it may be cut short behind the constants")
    return Molecule(
        field,
        rotation=rotation,
        dipole=None if modes is None else _dipole(modes, frequencies),
        irreps=irreps,
        point_group=group,
        geometry=geometry,
        vectors=None if modes is None else modes.vectors,
        printed=transitions_of(output, field.d),
        notes=tuple(notes),
    )


def _why_none(output: Output) -> tuple[str, int]:
    """Why an output has no anharmonic section, and the line to look at."""
    if not any(BANNER.search(line) for line in output.lines[:FIRST_LINES]):
        return "not an output of Gaussian: none of the first lines names it", 1
    error = output.last(re.compile(r" *Error termination"))
    if error is not None:
        return "Gaussian ended with an error, there is no anharmonic section", error + 1
    end, ended = len(output.lines), output.last(ENDED)
    if ended is None or ended < end - LAST_LINES:
        return "the output is cut short before its anharmonic section", end
    return "no anharmonic force constants: the output of a run with freq=anharm is needed", end


def _irreps(output: Output, frequencies: np.ndarray, harmonic: np.ndarray) -> tuple[str, ...]:
    """Irreducible representations in the anharmonic numbering; empty where there is no harmonic section.

    Faults where the two sections list different frequencies.
    """
    begin = output.last(re.compile(r" *Harmonic frequencies \(cm\*\*-1\)"), output.start)
    if begin is None or output.start is None:
        return ()
    listed: list[float] = []
    names: list[str] = []
    line = begin
    for k in range(begin, output.start):
        if found := re.match(r" *Frequencies --(?!-) *(.*)$", output.lines[k]):
            values = found[1].split()
            labels = output.lines[k - 1].split()
            listed += [output.number(cell, "frequency", k, n) for n, cell in enumerate(values, start=1)]
            names += labels if len(labels) == len(values) else ["?"] * len(values)
            line = k
        elif "Thermochemistry" in output.lines[k]:
            break
    if len(listed) != len(frequencies):
        if listed:
            text = f"the harmonic section has {len(listed)} modes, the anharmonic one {len(frequencies)}"
            output.faults.add(f"{text}: parts of different outputs?", line + 1)
        return ()
    apart = np.abs(np.array(listed)[harmonic] - frequencies)
    if apart.max() > SAME:
        worst = int(np.argmax(apart))
        output.faults.add(
            f"mode {harmonic[worst] + 1} has {listed[harmonic[worst]]:.2f} cm-1 here and {frequencies[worst]:.2f} in"
            " the anharmonic section: parts of different outputs?",
            line + 1,
        )
        return ()
    if any(name.startswith("?") for name in names):
        return ()  # Gaussian could not tell
    return tuple(names[k] for k in harmonic)


def _not_symmetric(irreps: tuple[str, ...], cubic: Constants) -> int | None:
    """A mode j that has phi_iij, or phi_jjj, but is not totally symmetric; of modes that are not degenerate."""
    single = [name[:1].upper() in ("A", "B", "S") for name in irreps]
    for modes, value in cubic.values.items():
        if irreps and len(set(modes)) < 3 and abs(value) > DROPPED and all(single[k] for k in modes):
            odd = next(k for k in modes if modes.count(k) % 2)
            if irreps[odd].upper() not in SYMMETRIC:
                return odd
    return None


def _dropped(tables: list[Constants], frequencies: np.ndarray) -> list[str]:
    """What may be missing because Gaussian leaves out small constants."""
    scale = np.sort(reduction(frequencies))[::-1]
    found = []
    for table in tables[1:]:
        most = table.threshold * HARTREE * scale[0] ** table.order
        if most > DROPPED:
            name = "cubic" if table.order == 3 else "quartic"
            found.append(
                f"{name} constants that are small in atomic units are not printed: up to {most:.1f} cm-1 in the slowest"
                " mode"
            )
    return found


def _rotating(
    output: Output, frequencies: np.ndarray, harmonic: np.ndarray, notes: list[str]
) -> tuple[Rotation | None, frames.Geometry | None, frames.Modes | None]:
    """Rotation, geometry and modes in one set of axes; what there is no way to know is noted."""
    zeta, slopes = zeta_of(output, harmonic), inertia_slopes(output, len(frequencies))
    geometries = frames.frames(output)
    if zeta is None or slopes is None or output.faults.found:
        what = "Coriolis constants" if zeta is None else "derivatives of the inertia"
        notes.append(f"no {what}: no rotation terms are known")
        return None, geometries[0] if geometries else None, None
    geometry = frames.in_axes_of(slopes, geometries)
    inertia = frames.inertia_of_slopes(slopes) if geometry is None else geometry.inertia
    if geometry is None:
        notes.append(
            "no orientation of the molecule has the axes of the Coriolis constants: the inertia is that of its"
            " derivatives, five digits"
        )
    try:
        rotation = Rotation(inertia, zeta, slopes)
    except ValueError as error:
        notes.append(f"no rotation terms: {error}")
        return None, geometry, None
    archive = None if geometry is None else frames.archived(output, len(geometry.symbols))
    if archive is None or geometry is None:
        return rotation, geometry, None
    modes = frames.modes_of(archive, geometries, geometry, frequencies, rotation)
    if modes is None:
        notes.append(
            "the dipole derivatives of the archive cannot be tied to the numbered modes: take the formatted checkpoint"
            " file for intensities"
        )
    else:
        notes.append("the dipole is known to first order only: the formatted checkpoint file has it to third")
    return rotation, geometry, modes


def _dipole(modes: frames.Modes, frequencies: np.ndarray) -> Surface:
    """The dipole to first order, in Debye."""
    derivatives: dict[tuple[int, ...], np.ndarray] = {(): modes.dipole}
    derivatives |= {(k,): slope for k, slope in enumerate(modes.slopes)}
    return surface_of(derivatives, reduction(frequencies), 3, DEBYE, "D")


def _point_group(output: Output) -> str:
    """The full point group as printed before the section; empty where it is not."""
    line = output.last(re.compile(r" *Full point group +\S+"), output.start)
    return "" if line is None else output.lines[line].split()[3]
