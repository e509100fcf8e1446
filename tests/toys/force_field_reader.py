"""A format of force fields that nobody has: a line of frequencies, then one line for each derivative.

toy force field
omega 1000 1500        (cm-1)
phi 1 1 2 -120         (d^3 V / dq_1 dq_1 dq_2 in cm-1)
"""

from __future__ import annotations

from pathlib import Path

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.field import ForceField, of_derivatives
from problems.quantum.readers.reader import Unreadable, lines

TITLE = "toy force field"


def reads(path: Path) -> bool:
    try:
        return next(lines(path))[1].strip() == TITLE
    except (ProblemError, StopIteration):
        return False


def read(path: Path) -> ForceField:
    frequencies: list[float] = []
    derivatives: dict[tuple[int, ...], float] = {}
    for number, line in lines(path):
        try:
            match line.split():
                case ["omega", *values]:
                    frequencies = [float(value) for value in values]
                case ["phi", *modes, value]:
                    derivatives[tuple(sorted(map(int, modes)))] = float(value)
        except ValueError as error:
            raise Unreadable(path, str(error), number) from None
    return of_derivatives(path.stem, frequencies, derivatives)
