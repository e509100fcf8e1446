"""From a file of another program to a folder that can be run: its numbers as CSV files, a YAML file, and what is weak.

field.csv  rotation.csv  dipole.csv  polarisability.csv     what the file holds of each
printed.csv                                                 transitions as the program printed them
NAME.yaml                                                   a run with all of it
notes.txt                                                   what is missing, inconsistent or weak
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.hamiltonians.force_field.rotation import expanded
from problems.quantum.readers.formats import file_of, format_of, read
from problems.quantum.readers.quality import notes_on
from problems.quantum.readers.reader import KEY
from problems.quantum.readers.written import tables_of

NOTES = "notes.txt"
MOST_STATES = 20  # that the YAML file asks for: fundamentals, first overtones and combinations of a few modes
ACCURACY = 0.01  # cm-1, of the YAML file


class ImportRefused(ValueError):
    """A folder that has such files already; nothing is written."""


@dataclass(frozen=True)
class Imported:
    """What was written, and what is to be known of it."""

    paths: tuple[Path, ...]
    configuration: Path
    facts: str
    notes: tuple[str, ...]


def import_file(file: str | Path, out: str | Path, form: str = AUTOMATIC) -> Imported:
    """Write the contents of a file of the format ``form``, or of a folder, into ``out``, which is made if need be.

    Raises ProblemError for what is wrong in the file, ImportRefused where a file would be overwritten, OSError where
    the folder cannot be written to.
    """
    given, folder = Path(file), Path(out)
    path = file_of(given)
    known = format_of(path) if form == AUTOMATIC else form
    molecule = read(path, known, KEY)
    contents = tables_of(molecule)
    notes = tuple(dict.fromkeys((*molecule.notes, *notes_on(molecule.field), *_missing(molecule))))
    title = given.resolve().stem  # of a folder, its own name: the files in it are called alike everywhere
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title).strip("_-") or "molecule"
    contents[f"{name}.yaml"] = _configuration(path.name, molecule, contents)
    contents[NOTES] = "".join(f"- {note}\n" for note in notes) or "nothing that is missing or weak was found\n"
    for one in contents:
        if (folder / one).exists():
            raise ImportRefused(f"{folder / one} exists: nothing is overwritten, give another --out")
    folder.mkdir(parents=True, exist_ok=True)
    for one, text in contents.items():
        with (folder / one).open("x", encoding="utf-8") as target:
            target.write(text)
    paths = tuple(folder / one for one in contents)
    return Imported(paths, folder / f"{name}.yaml", _facts(path.name, known, molecule), notes)


def _runs_with_rotation(molecule: Molecule) -> str:
    """Why there are no rotation terms in a run; empty where there are."""
    if molecule.rotation is None:
        return "no rotation terms: the file does not hold the inertia and the Coriolis constants"
    try:
        expanded(molecule.rotation, molecule.field.frequencies, 0)
    except ValueError as error:
        return f"no rotation terms: {error}"
    return ""


def _missing(molecule: Molecule) -> tuple[str, ...]:
    """What a run could use and the file does not hold."""
    found = []
    if (why := _runs_with_rotation(molecule)) and not any("rotation terms" in note for note in molecule.notes):
        found.append(why)
    if molecule.rotation is not None and molecule.rotation.derivatives is None:
        found.append("no derivatives of the inertia: kinetic watson1 and watson2 need them")
    if molecule.dipole is None:
        found.append("no dipole: there are no intensities")
    return tuple(found)


def _configuration(source: str, molecule: Molecule, tables: Mapping[str, str]) -> str:
    """The YAML file of a run with all that was written."""
    d = molecule.field.d
    lines = [f"# from {source}", "problem:", "  kind: vibrational", "  force_field: field.csv"]
    if "rotation.csv" in tables:
        lines.append("  rotation: rotation.csv")
        why = _runs_with_rotation(molecule)
        lines.append(f"  kinetic: {'none   # ' + why if why else 'watson'}")
    for name in ("dipole", "polarisability"):
        if f"{name}.csv" in tables:
            lines.append(f"  {name}: {{file: {name}.csv}}")
    states = min(1 + d + d * (d + 1) // 2, MOST_STATES)
    lines += ["solver:", f"  n_states: {states}", f"  accuracy: {ACCURACY:g}   # cm-1"]
    return "\n".join(lines) + "\n"


def _facts(source: str, form: str, molecule: Molecule) -> str:
    """What the file holds, in a line."""
    field = molecule.field
    constants = sum(len(modes) > 2 for modes in field.terms)
    told = [f"{field.d} modes", f"{constants} anharmonic constants to order {field.order}"]
    if molecule.rotation is not None:
        told.append("rotation")
    if molecule.dipole is not None:
        told.append(f"dipole to order {molecule.dipole.order}")
    if molecule.polarisability is not None:
        told.append(f"polarisability to order {molecule.polarisability.order}")
    if molecule.printed:
        told.append(f"{len(molecule.printed)} printed transitions")
    return f"{source} ({form}): {', '.join(told)}"
