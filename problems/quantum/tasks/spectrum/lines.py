"""Measured lines beside computed levels: matched by assignment, or by order where there is none.

A line with an assignment belongs to the state of that name; of several (2nu8 without l) to the nearest that no other
line has. Lines of a file without any assignment belong, in ascending order, to the levels from the first above the
zero-point level on, a degenerate level counted once; a line without one among others that have, likewise to the levels
that these leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from problems.quantum.readers.measured_lines import Line
from problems.quantum.tasks.spectrum.labels import MeasuredLevels, MeasuredLine


def matched(
    path: Path,
    lines: Sequence[Line],
    levels: np.ndarray,
    quanta: Sequence[Mapping[str, int]],
    angular: Sequence[Mapping[str, int]],
    by_mode: Sequence[Mapping[str, int]],
    partners: Mapping[int, int],
) -> MeasuredLevels:
    """``levels`` (n,) above the zero-point level; ``quanta`` and ``angular`` momenta of every state by label, and its
    quanta by the number of the mode; ``partners``: state -> the one that it is degenerate with, listed before it."""
    taken: dict[int, tuple[int, str]] = {}  # place of a line -> state, by what
    used: set[int] = {0}
    for place, line in enumerate(lines):
        if line.quanta is None:
            continue
        fitting = [
            i
            for i in range(len(levels))
            if levels[i] > 0.0 and i not in used and _fits(line, quanta[i], angular[i], by_mode[i])
        ]
        if fitting:
            state = min(fitting, key=lambda i: abs(levels[i] - line.measured))
            taken[place] = (state, "assignment")
            used.add(state)
    free = [i for i in range(len(levels)) if levels[i] > 0.0 and i not in used and partners.get(i, -1) not in used]
    free = [i for i in free if partners.get(i) not in free]
    unassigned = sorted((p for p, line in enumerate(lines) if line.quanta is None), key=lambda p: lines[p].measured)
    for place, state in zip(unassigned, free):
        taken[place] = (state, "order")
    told = []
    for place, line in enumerate(lines):
        found, by = taken.get(place, (None, ""))
        difference = None if found is None else float(line.measured - levels[found])
        told.append(MeasuredLine(line.line, line.text, line.measured, line.uncertainty, found, difference, by))
    differences = np.array([one.difference for one in told if one.difference is not None])
    left = [f"{one.assignment or 'line'} {one.measured:g} (line {one.line})" for one in told if one.state is None]
    some = differences.size > 0
    return MeasuredLevels(
        path.name,
        told,
        int(differences.size),
        float(np.sqrt(np.mean(differences**2))) if some else None,
        float(np.mean(differences)) if some else None,
        float(np.max(np.abs(differences))) if some else None,
        left,
    )


def _fits(line: Line, quanta: Mapping[str, int], angular: Mapping[str, int], by_mode: Mapping[str, int]) -> bool:
    assert line.quanta is not None
    if all(label.isdigit() for label in line.quanta):
        return line.quanta == {label: n for label, n in by_mode.items() if n}
    if line.quanta != {label: n for label, n in quanta.items() if n}:
        return False
    asked = {label: line.angular[label] for label in line.angular}
    own = {label: angular.get(label, 0) for label in asked}
    return own == asked or own == {label: -l for label, l in asked.items()}
