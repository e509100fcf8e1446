"""What a reader of force fields is, and what readers share.

A reader is a module, or an object, with the two functions of ``Reader``; ``problems.quantum.readers.formats`` knows
them by name. One of runs that write several files has two more: ``beside(path)``, the other files that are read with
one, and ``of_folder(folder)``, the file that stands for a folder, or None. Another package brings a reader by an entry
point of the group ``ttsuite.force_field_readers``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.cartesian import CartesianField
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.tables import BOM, decoded

KEY = "problem.force_field"  # the key that names a file, where nothing else is known


class Reader(Protocol):
    """One format of files."""

    def reads(self, path: Path) -> bool:
        """Whether a file that exists is of this format, by its name or by what is in it; raises nothing."""

    def read(self, path: Path) -> Molecule | ForceField | CartesianField:
        """The molecule in the file, its force field alone, or Cartesian derivatives, from which a molecule is made of
        any masses. Raises ProblemError for anything wrong in it."""


class Unreadable(ProblemError):
    """A file that is not as its format demands: ``file:line: message``, without the line where it is the whole."""

    def __init__(self, path: Path, message: str, line: int | None = None) -> None:
        super().__init__(f"{path.name}:{line}: {message}" if line else f"{path.name}: {message}", KEY)


def is_file(path: Path) -> bool:
    """Whether there is such a file; False for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; False for a name that none can have."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def text_lines(path: Path) -> list[str]:
    """The lines of a file that another program wrote, whose titles may have letters of any encoding.

    Raises ProblemError where it cannot be read.
    """
    try:
        text = decoded(path, KEY)
    except ProblemError:
        text = decoded(path, KEY, "latin-1")
    found = [line.rstrip("\r") for line in text.split("\n")]
    return found if found[-1] else found[:-1]


def beginning(path: Path, characters: int = 20_000) -> str:
    """The first characters of a file, whatever is in it; empty where it cannot be read or is no text."""
    try:
        with path.open("rb") as file:
            raw = file.read(characters)
    except OSError:
        return ""
    return "" if b"\0" in raw else raw.decode("utf-8", errors="replace").removeprefix(BOM)


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers, from 1.

    Raises ProblemError where there is no such file or it cannot be read, Unreadable where it is no UTF-8 text.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", KEY) from None
    except OSError as error:
        raise ProblemError(f"cannot read {path}: {error.strerror}", KEY) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(path, "not UTF-8 text", content[: error.start].count(b"\n") + 1) from None
    yield from enumerate(text.splitlines(), start=1)
