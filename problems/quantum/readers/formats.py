"""The known formats of force fields: those of this package, and those that other packages bring.

A file is read by the reader that its format names; ``automatic`` asks every reader whether the file is its own.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, shown
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.reader import KEY, Reader, is_file

# format -> module; named here and not by entry points, so that a checkout needs no installation
_MODULES = {
    "csv": "problems.quantum.readers.table",
    "mop": "problems.quantum.readers.mop",
    "gaussian_log": "problems.quantum.readers.gaussian_log",
    "gaussian_fchk": "problems.quantum.readers.gaussian_fchk",
}
GROUP = "ttsuite.force_field_readers"  # of the entry points by which other packages bring readers of their own


def _brought() -> dict[str, EntryPoint]:
    """Format -> entry point of the readers of other packages; one of theirs takes no name that is known here."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in (*_MODULES, AUTOMATIC)}


def formats() -> list[str]:
    """The known formats: those of this package, then those that other packages bring."""
    return [*_MODULES, *sorted(_brought())]


def reader(name: str) -> Reader:
    """The reader of a known format; KeyError for any other."""
    if name in _MODULES:
        return cast(Reader, importlib.import_module(_MODULES[name]))
    return cast(Reader, _brought()[name].load())


def format_of(path: Path) -> str:
    """The format whose reader says that the file is its own.

    Raises ProblemError where there is no such file, and where none says so, or several do.
    """
    if not is_file(path):
        raise ProblemError(f"no such file: {path}", KEY)
    own = [name for name in formats() if reader(name).reads(path)]
    if len(own) == 1:
        return own[0]
    fault = f"may be any of {', '.join(own)}" if own else f"is of none of the known formats ({', '.join(formats())})"
    raise ProblemError(f"{path.name} {fault}: name its format", KEY)


def read(path: Path, name: str = AUTOMATIC, key: str = f"{KEY}.file") -> Molecule:
    """What a file of the format ``name`` says of a molecule; the ``source`` of its field is the file.

    Raises ProblemError, with ``key`` or that of the format and, for what is wrong in the file, file and line.
    """
    if name not in (AUTOMATIC, *formats()):
        known = ", ".join([AUTOMATIC, *formats()])
        raise ProblemError(f"must be one of {known}, found {shown(name)}", "problem.force_field.format")
    try:
        found = reader(format_of(path) if name == AUTOMATIC else name).read(path)
    except ProblemError as error:
        texts = [text for _, text in error.faults]
        raise ProblemError.of_all([ProblemError(text, key) for text in texts]) from None
    molecule = Molecule(found) if isinstance(found, ForceField) else found
    return replace(molecule, field=replace(molecule.field, source=path))
