"""The known formats of force fields: those of this package, and those that other packages bring.

A file is read by the reader that its format names; ``automatic`` asks every reader whether the file is its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from problems.errors import ProblemError
from problems.keys import AUTOMATIC, shown
from problems.quantum.hamiltonians.force_field.cartesian import CartesianField, molecule_from
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.readers.reader import KEY, Reader, is_file, is_folder

# format -> module; named here and not by entry points, so that a checkout needs no installation
_MODULES = {
    "csv": "problems.quantum.readers.table",
    "cartesian": "problems.quantum.readers.cartesian_table",
    "mop": "problems.quantum.readers.mop",
    "gaussian_log": "problems.quantum.readers.gaussian_log",
    "gaussian_fchk": "problems.quantum.readers.gaussian_fchk",
    "hs": "problems.quantum.readers.hs",
    "cfour": "problems.quantum.readers.cfour",
    "orca": "problems.quantum.readers.orca",
    "pyvpt2": "problems.quantum.readers.pyvpt2",
    "vhci": "problems.quantum.readers.vhci",
    "qcmaquis": "problems.quantum.readers.qcmaquis",
    "mctdh": "problems.quantum.readers.mctdh",
    "qumvia": "problems.quantum.readers.qumvia",
    "spectro": "problems.quantum.readers.spectro",
}
MASSES = f"{KEY}.masses"
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
    raise ProblemError(f"{path.name}:1:1: the file {fault}: name its format", KEY)


def file_of(path: Path) -> Path:
    """The file that stands for a folder of a run, as the readers of such know it; any other path as it is."""
    if not is_folder(path):
        return path
    finders = [getattr(reader(name), "of_folder", None) for name in formats()]
    found = [file for find in finders if find is not None and (file := find(path)) is not None]
    if len(found) != 1:
        fault = f"has files of several runs ({', '.join(file.name for file in found)})" if found else "has none"
        raise ProblemError(f"the folder {path.name} {fault} that is known to hold a force field: name the file", KEY)
    return found[0]


def beside(path: Path, name: str = AUTOMATIC) -> list[Path]:
    """The other files that are read with a file of the format ``name``, from its folder."""
    find = getattr(reader(format_of(path) if name == AUTOMATIC else name), "beside", None)
    return [] if find is None else find(path)


def read(
    path: Path, name: str = AUTOMATIC, key: str = f"{KEY}.file", masses: Mapping[int, float] | None = None
) -> Molecule:
    """What a file of the format ``name`` says of a molecule; the ``source`` of its field is the file.

    ``path``: a file, or the folder of a run whose reader knows the file that stands for it. ``masses``: of an
    isotopologue, atoms from 1 -> mass in u, where the file has Cartesian derivatives. Raises ProblemError, with ``key``
    or that of format or masses and, for what is wrong in the file, file and line.
    """
    if name not in (AUTOMATIC, *_MODULES) and name not in formats():
        known = ", ".join([AUTOMATIC, *formats()])
        raise ProblemError(f"must be one of {known}, found {shown(name)}", "problem.force_field.format")
    try:
        path = file_of(path)
        format_ = format_of(path) if name == AUTOMATIC else name
        there = [path, *beside(path, format_)] if path.is_file() else []
        stamps = tuple((file, file.stat().st_mtime_ns, file.stat().st_size) for file in there)
        molecule = _made(path, format_, tuple((masses or {}).items()), stamps)
    except ProblemError as error:
        faults = [ProblemError(text, MASSES if of == MASSES else key) for of, text in error.faults]
        raise ProblemError.of_all(faults) from None
    return replace(molecule, field=replace(molecule.field, source=path))


@lru_cache(4)
def _made(path: Path, format_: str, masses: tuple[tuple[int, float], ...], stamps: tuple) -> Molecule:
    """The molecule in a file: made once of files of these ``stamps``, as a configuration is checked key by key."""
    found = reader(format_).read(path)
    if isinstance(found, CartesianField):
        return molecule_from(found.with_masses(dict(masses), MASSES), KEY)
    if masses:
        text = (
            "isotopologues need all second, third and fourth derivatives in Cartesian coordinates, as the formats "
            f"spectro and cartesian have them; those in {path.name} ({format_}) are along modes, which masses change"
        )
        raise ProblemError(text, MASSES)
    return Molecule(found) if isinstance(found, ForceField) else found
