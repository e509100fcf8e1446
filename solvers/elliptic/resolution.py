"""Leaves small enough for given functions: halved until a polynomial of low degree is right on every one of them.

Judged along lines through the domain, at equidistant points of every leaf, against the interpolant at Chebyshev points.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from solvers.elliptic.leaves import Leaf, positions, split
from solvers.measured import amount

DEGREE = 9  # with which the coefficients are to be resolved: products of two functions meet them in the sums
TESTS = 40  # equidistant points of a leaf
ALL_POINTS = 4  # level of leaves that are not halved: their points are all nodes
Feature = tuple[Sequence[float], float]  # (position, width) of what lines may miss
JUMP = 1e-3  # of the size of a function: what counts as one
LINES = {1: [0.5], 2: [0.0437, 0.3183, 0.5641, 0.7979, 0.9577], 3: [0.0437, 0.4483, 0.8221]}  # irrational places

_POINTS = 0.5 - 0.5 * np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
_TESTS = (np.arange(TESTS) + 0.5) / TESTS
_FROM_POINTS = np.linalg.inv(chebvander(2.0 * _POINTS - 1.0, DEGREE))
_JUDGE = chebvander(2.0 * _TESTS - 1.0, DEGREE) @ _FROM_POINTS
_ENDS = chebvander(np.array([-1.0, 1.0]), DEGREE) @ _FROM_POINTS


def resolved(
    functions: Sequence[Callable[[np.ndarray], np.ndarray]],
    leaves: list[Leaf],
    axis: int,
    levels: Sequence[int],
    ends: Sequence[tuple[str, str]],
    tolerance: float,
    most: int,
    features: Sequence[Feature] = (),
) -> list[Leaf]:
    """``leaves`` of an axis halved until all functions of points (m, d) are resolved to ``tolerance`` of their size.

    Raises ValueError where that takes more than ``most`` leaves.
    """
    others = _others(axis, len(levels), features)
    settled: set[Leaf] = set()
    scales = [0.0] * len(functions)
    while functions:
        new = [leaf for leaf in leaves if leaf not in settled and leaf[1] > ALL_POINTS]
        if not new:
            break
        starts = np.array([float(start) for start, _ in new])[:, None]
        sizes = np.array([2.0**level for _, level in new])[:, None]
        good = np.ones(len(new), dtype=bool)
        for k, f in enumerate(functions):
            for other in others:
                known = _on_line(f, positions(starts + sizes * _POINTS, levels[axis], ends[axis]), axis, other)
                exact = _on_line(f, positions(starts + sizes * _TESTS, levels[axis], ends[axis]), axis, other)
                scales[k] = max(scales[k], float(np.abs(exact).max()))
                good &= np.abs(known @ _JUDGE.T - exact).max(axis=1) <= tolerance * scales[k]
        settled |= {leaf for leaf, fine in zip(new, good) if fine}
        rough = {leaf for leaf, fine in zip(new, good) if not fine}
        leaves = split(leaves, [leaf in rough for leaf in leaves])
        if len(leaves) > most:
            width = 2.0 ** (min(level for _, level in rough) - levels[axis])
            raise ValueError(
                f"the functions are not resolved to {amount(tolerance)} along axis {axis} by {most} intervals: they "
                f"vary within {amount(width)} of it, in too many places or across the axes; relax accuracy"
            )
    return leaves


def interfaces(
    functions: Sequence[Callable[[np.ndarray], np.ndarray]],
    leaves: list[Leaf],
    axis: int,
    levels: Sequence[int],
    ends: Sequence[tuple[str, str]],
    features: Sequence[Feature] = (),
) -> list[int]:
    """First indices of the leaves across whose left end a function jumps: solutions are rough there too."""
    starts = np.array([float(start) for start, _ in leaves])[:, None]
    sizes = np.array([2.0**level for _, level in leaves])[:, None]
    jumps = np.zeros(len(leaves) - 1, dtype=bool)
    for f in functions:
        for other in _others(axis, len(levels), features):
            known = _on_line(f, positions(starts + sizes * _POINTS, levels[axis], ends[axis]), axis, other)
            sides = known @ _ENDS.T
            jumps |= np.abs(sides[:-1, 1] - sides[1:, 0]) > JUMP * np.abs(known).max()
    return [leaves[k + 1][0] for k in np.flatnonzero(jumps)]


def _others(axis: int, d: int, features: Sequence[Feature]) -> list[tuple[float, ...]]:
    """Coordinates of the other axes: a few places, and those of the features."""
    marked = [tuple(float(x) for j, x in enumerate(position) if j != axis) for position, _ in features]
    return list(dict.fromkeys([*itertools.product(LINES[d], repeat=d - 1), *marked]))


def around(leaves: list[Leaf], axis: int, step: float, features: Sequence[Feature]) -> list[Leaf]:
    """Leaves halved around the features, as far as they are longer than the width."""
    for position, width in features:
        place = position[axis] / step
        while True:
            which = [
                level > 0 and 2.0**level * step > width and s - 1.0 <= place <= s + 2.0**level for s, level in leaves
            ]
            if not any(which):
                break
            leaves = split(leaves, which)
    return leaves


def _on_line(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, axis: int, other: Sequence[float]) -> np.ndarray:
    points = np.empty((x.size, len(other) + 1))
    points[:, [j for j in range(len(other) + 1) if j != axis]] = other
    points[:, axis] = x.reshape(-1)
    return f(points).reshape(x.shape)
