"""Transitions that outputs of Gaussian print: energies, and intensities where there are any.

       Mode(Quanta)       E(harm)   E(anharm)       I(harm)        I(anharm)
        1(1)              3937.525   3744.734     67.02031831     64.17034278
        2(1)     1(1)     7740.824   7200.364                      2.20970792

Rows of states that are named otherwise (quanta with l in degenerate modes) are passed over.
"""

from __future__ import annotations

import re

from problems.quantum.hamiltonians.force_field.molecule import Printed
from problems.quantum.readers.gaussian_output import FORTRAN, Output
from problems.tables import number_of

ROW = re.compile(r"\s*(?:[HL] +)?((?:\d+\(\d+\) +){1,4})(?:[a-z]+ +)?(\S+(?: +\S+)*)\s*$")
QUANTA = re.compile(r"(\d+)\((\d+)\)")
ENERGIES = re.compile(r"\s*Vibrational Energies at Anharmonic Level\s*$")
INTENSITIES = re.compile(r"\s*Anharmonic Infrared Spectroscopy\s*$")
END = re.compile(r"\s*={20,}|.*Dipole strengths|.*DS\(")

State = tuple[int, ...]


def transitions_of(output: Output, d: int) -> tuple[Printed, ...]:
    """The printed transitions from the ground state, in the order of the output; never a fault."""
    found: dict[State, tuple[float | None, float | None]] = {}
    for state, values in _rows(output, ENERGIES, d):
        found[state] = (values[0], values[1])
    intensities: dict[State, tuple[float | None, float | None]] = {}
    for state, values in _rows(output, INTENSITIES, d):
        found.setdefault(state, (values[0], values[1]))
        intensities[state] = (values[2] if len(values) > 3 else None, values[-1] if len(values) > 2 else None)
    return tuple(
        Printed(state, harmonic, anharmonic, intensities.get(state, (None, None)))
        for state, (harmonic, anharmonic) in found.items()
    )


def _rows(output: Output, heading: re.Pattern[str], d: int) -> list[tuple[State, list[float | None]]]:
    """Quanta of all modes and the numbers of each row below the last heading of a kind."""
    assert output.start is not None
    begin = output.last(heading)
    if begin is None or begin < output.start:
        return []
    found = []
    for line in output.lines[begin + 2 :]:
        if END.match(line):
            break
        if not (cells := ROW.match(line)):
            continue
        quanta = [0] * d
        named = [(int(mode), int(count)) for mode, count in QUANTA.findall(cells[1])]
        values = [_finite(cell) for cell in cells[2].split()]
        if len(values) < 2 or not all(1 <= mode <= d for mode, _ in named):
            continue
        for mode, count in named:
            quanta[mode - 1] += count
        found.append((tuple(quanta), values))
    return found


def _finite(cell: str) -> float | None:
    """A printed number; None for what is none, as stars and NaN."""
    value = number_of(cell.translate(FORTRAN))
    return value if value is not None and abs(value) < float("inf") else None
