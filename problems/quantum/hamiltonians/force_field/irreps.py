"""Irreducible representations of modes, where every operation of the molecule is its own inverse, or it is linear.

The axes are chosen as in Mulliken's report, J. Chem. Phys. 23, 1997 (1955): of a planar molecule x is perpendicular to
the plane; z is the twofold axis, of three the one on which most of the mass lies. Cs, Ci, C2, C2v, C2h, D2, D2h and the
two groups of linear molecules are named; others, whose degenerate modes need more than signs, are not.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from problems.quantum.hamiltonians.force_field.orientation import SAME_PLACE, Oriented

GROUPS = {  # mirrors, twofold axes, inversions
    (1, 0, 0): "Cs",
    (0, 0, 1): "Ci",
    (0, 1, 0): "C2",
    (2, 1, 0): "C2v",
    (1, 1, 1): "C2h",
    (0, 3, 0): "D2",
    (3, 3, 1): "D2h",
}
Element = tuple[np.ndarray, np.ndarray]  # matrix (3, 3), characters of the modes (d,)


def named(found: Oriented, masses: np.ndarray, places: np.ndarray, linear: bool) -> tuple[str, tuple[str, ...]]:
    """Point group and the representation of every mode; empty where the group is none of those named."""
    elements = _products(found)
    mirrors = [e for e in elements if round(np.trace(e[0])) == 1]
    turns = [e for e in elements if round(np.trace(e[0])) == -1]
    inversions = [e for e in elements if round(np.trace(e[0])) == -3]
    if linear:
        return _of_a_line(found, places, inversions)
    group = GROUPS.get((len(mirrors), len(turns), len(inversions)), "")
    if not group or not found.all_commute or not found.characters.all():
        return "", ()
    parity = [""] * len(found.vectors)
    if inversions:
        parity = ["g" if c > 0 else "u" for c in inversions[0][1]]
    if group == "Cs":
        return group, tuple("A'" if c > 0 else "A''" for c in mirrors[0][1])
    if group == "Ci":
        return group, tuple("A" + p for p in parity)
    if group in ("C2", "C2h"):
        return group, tuple(("A" if c > 0 else "B") + p for c, p in zip(turns[0][1], parity))
    plane = next((m for m in mirrors if _in_plane(m, masses, places) == masses.sum()), None)
    if group == "C2v":
        other, through = sorted(mirrors, key=lambda m: _in_plane(m, masses, places))  # xz, yz
        letters = {(1, 1): "A1", (-1, -1): "A2", (1, -1): "B1", (-1, 1): "B2"}
        return group, tuple(letters[int(a), int(b)] for a, b in zip(other[1], through[1]))
    z, y, x = sorted(turns, key=lambda t: (_across(t, plane), -_on_axis(t, masses, places)))
    said = ["A" if a == b == c else "B1" if a > 0 else "B2" if b > 0 else "B3" for a, b, c in zip(z[1], y[1], x[1])]
    return group, tuple(name + p for name, p in zip(said, parity))


def _products(found: Oriented) -> list[Element]:
    """All products of the operations found, but the identity."""
    given = list(zip(found.turns, found.characters))
    out = []
    for count in range(1, len(given) + 1):
        for chosen in combinations(given, count):
            matrix, characters = np.eye(3), np.ones(len(found.vectors))
            for turn, own in chosen:
                matrix, characters = matrix @ turn, characters * own
            out.append((matrix, characters))
    return out


def _in_plane(mirror: Element, masses: np.ndarray, places: np.ndarray) -> float:
    """The mass of the atoms that lie in a mirror plane."""
    return float(masses[np.linalg.norm(places @ mirror[0].T - places, axis=1) < SAME_PLACE].sum())


def _on_axis(turn: Element, masses: np.ndarray, places: np.ndarray) -> float:
    """The mass of the atoms on a twofold axis."""
    return _in_plane(turn, masses, places)


def _across(turn: Element, plane: Element | None) -> bool:
    """Whether an axis is perpendicular to a plane."""
    return plane is not None and bool(np.abs(turn[0] + plane[0]).max() < SAME_PLACE)


def _of_a_line(found: Oriented, places: np.ndarray, inversions: list[Element]) -> tuple[str, tuple[str, ...]]:
    """Sigma for what moves along the axis, Pi for what moves across it."""
    axis = places[np.argmax(np.linalg.norm(places, axis=1))]
    along = np.linalg.norm(found.vectors @ axis, axis=1) / np.linalg.norm(axis) > 0.5
    parity = ["g" if c > 0 else "u" for c in inversions[0][1]] if inversions else [""] * len(along)
    names = tuple(("Sigma" + p + "+" if a else "Pi" + p) for a, p in zip(along, parity))
    return "D*h" if inversions else "C*v", names
