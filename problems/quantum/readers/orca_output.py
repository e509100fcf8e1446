"""What the output of an anharmonic run of ORCA says: transition dipoles, fundamentals, overtones and combinations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.molecule import Printed
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults, number_of

ASKED = re.compile(r"\|\s*\d+>\s*[!%].*\bVPT2\b", re.IGNORECASE)  # in the input that an output repeats
INTENSITIES, FUNDAMENTALS, OTHERS = "IR Intensities", "Fundamental transitions", "Overtones and combination bands"
BARE = str.maketrans("()", "  ")


@dataclass(frozen=True)
class OrcaOutput:
    """``transitions``: (3 N, 3) transition dipoles of all motions in atomic units; ``strengths``: their intensities in
    km/mol; ``fundamentals``: harmonic and anharmonic frequency a mode; ``others``: two modes, frequency, intensity."""

    transitions: np.ndarray
    strengths: list[float | None]
    fundamentals: list[tuple[float, float]]
    others: list[tuple[int, int, float, float]]

    def printed(self, d: int) -> tuple[Printed, ...]:
        """The transitions of a molecule of ``d`` modes; empty where the output is of another."""
        if len(self.fundamentals) != d:
            return ()
        units = np.eye(d, dtype=int)
        harmonic = [w for w, _ in self.fundamentals]
        strengths = self.strengths[-d:] if len(self.strengths) >= d else [None] * d
        found = [
            Printed(tuple(units[k].tolist()), w, nu, (strengths[k], None))
            for k, (w, nu) in enumerate(self.fundamentals)
        ]
        for i, j, nu, strength in self.others:
            if max(i, j) < d:
                quanta = tuple((units[i] + units[j]).tolist())
                found.append(Printed(quanta, harmonic[i] + harmonic[j], nu, (None, strength)))
        return tuple(found)


def is_output(path: Path) -> bool:
    """Whether a file is an output of ORCA whose input asks for VPT2."""
    text = beginning(path, 200_000)
    return "O   R   C   A" in text and ASKED.search(text) is not None


def read_output(path: Path) -> OrcaOutput:
    """The facts of an output. Raises ProblemError for one that ends before its analysis."""
    lines = text_lines(path)
    at = {name: _last(lines, name) for name in (INTENSITIES, FUNDAMENTALS, OTHERS)}
    if at[FUNDAMENTALS] is None:
        faults = FileFaults(path.name, KEY)
        faults.add(f"no {FUNDAMENTALS}: did the run end?", len(lines) or 1)
        faults.raise_any()
    dipoles, strengths = [], []
    for values in _rows(lines, at[INTENSITIES], 7):  # mode, frequency, intensity, T^2, T
        dipoles.append([0.0 if x is None or not np.isfinite(x) else x for x in values[4:]])
        strengths.append(values[2])
    fundamentals = [(values[1] or 0.0, values[2] or 0.0) for values in _rows(lines, at[FUNDAMENTALS], 4)]
    others = [
        (int(values[0] or 0), int(values[1] or 0), values[2] or 0.0, values[4] or 0.0)
        for values in _rows(lines, at[OTHERS], 9)
    ]
    return OrcaOutput(np.array(dipoles).reshape(-1, 3), strengths, fundamentals, others)


def _last(lines: Sequence[str], name: str) -> int | None:
    return next((k for k in range(len(lines) - 1, -1, -1) if name in lines[k]), None)


def _rows(lines: Sequence[str], start: int | None, cells: int) -> list[list[float | None]]:
    """The rows of so many numbers in the first table below a heading."""
    found: list[list[float | None]] = []
    for text in lines[start + 1 :] if start is not None else []:
        parts = text.translate(BARE).split()
        if len(parts) == cells and parts[0].isdecimal():
            found.append([number_of(part) for part in parts])
        elif found and text.startswith("---"):
            break
    return found
