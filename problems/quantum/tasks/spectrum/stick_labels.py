"""The labels of sticks: configurations as they are printed, and places where labels do not touch."""

from __future__ import annotations

import re

import numpy as np

from solvers.measured import lowered

LABEL = 0.118  # inches from one vertical label of 7 points to the next
_LEADING = re.compile(r"\s*([-+]?[0-9.]+)\s*\[([^\]]*)\]")


def typeset(configuration: str) -> str:
    """``1v4+2v12`` as ν₄ + 2ν₁₂; anything else, the words of a spin chain for one, as it is."""
    if re.fullmatch(r"\d+v\d+(\+\d+v\d+)*", configuration) is None:
        return configuration
    parts = (part.split("v") for part in configuration.split("+"))
    return " + ".join(f"{'' if count == '1' else count}ν{lowered(mode)}" for count, mode in parts)


def leading_product(assignment: str) -> tuple[float, str]:
    """Weight and name of the leading configuration of ``0.97[1v8a] ; ...``; a bare text has weight 1."""
    found = _LEADING.match(assignment)
    return (float(found[1]) ** 2, found[2]) if found else (1.0, assignment)


def grouped(levels: np.ndarray, gap: float, most: int) -> list[list[int]]:
    """Indices of ascending ``levels`` in at most ``most`` groups no wider than ``gap``, which is widened for that."""
    while True:
        groups: list[list[int]] = []
        for i, level in enumerate(levels):
            if groups and level - levels[groups[-1][0]] < gap:
                groups[-1].append(i)
            else:
                groups.append([i])
        if len(groups) <= most:
            return groups
        gap *= 1.3


def spread_out(places: np.ndarray, gap: float, end: float) -> np.ndarray:
    """Ascending places pushed apart to a distance ``gap``, by a pass to the right and one to the left."""
    moved = np.array(places)
    for i in range(1, moved.size):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    moved[-1] = min(moved[-1], max(end, places[-1]))
    for i in range(moved.size - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - gap)
    return moved
