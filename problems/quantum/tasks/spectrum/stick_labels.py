"""Places of the labels of sticks, where they do not touch."""

from __future__ import annotations

import numpy as np

LABEL = 0.118  # inches from one vertical label of 7 points to the next


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
