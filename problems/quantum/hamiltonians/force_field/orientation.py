"""Which way degenerate modes point: along the symmetry of the molecule, so that no run differs from another.

Eigenvectors of equal frequencies are any rotation of each other, settled by round-off. Reflections, half turns and the
inversion that map atoms on atoms of the same mass are looked for; of those a set that commutes, first those that change
the derivatives of the energy the least, is diagonal in

    sum_n 3^-n R_n    within each group of equal frequencies,

(Wilson, Decius and Cross, Molecular Vibrations (1955), section 6.5). What these leave open, the spread over the atoms
settles: the vector that moves the first coordinate the most, then the next. The largest component is positive.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

SAME_PLACE = 1e-3  # Angstrom: atoms that an operation maps on each other lie no further apart
SAME_MASS = 1e-6  # u
DEGENERATE = 0.5  # cm-1: printed derivatives split a degenerate pair by less
SAME = 1e-3  # cm-1: frequencies of one symmetry that are taken as the same
PURE = 0.02  # what the character of a mode differs by from one or minus one
WHOLE = 1e-5  # of the largest derivative: a smaller change is round-off of the digits printed
TIE = 1e-6  # components that are the same but for round-off


@dataclass(frozen=True, eq=False)
class Oriented:
    """``vectors`` (d, atoms, 3); ``characters`` (operations, d): 1, -1, or 0 for a mode that an operation mixes;
    ``turns`` (operations, 3, 3); ``all_commute``: whether the molecule has no further ones, that do not commute."""

    vectors: np.ndarray
    characters: np.ndarray
    turns: np.ndarray
    all_commute: bool


def oriented(
    masses: np.ndarray,
    places: np.ndarray,
    frequencies: np.ndarray,
    vectors: np.ndarray,
    derivatives: Sequence[np.ndarray] = (),
) -> Oriented:
    """Mass-weighted modes (d, atoms, 3) of atoms at ``places`` (from the centre of mass, Angstrom), degenerate ones
    turned along the symmetry. ``derivatives``: Cartesian ones. Cost O(atoms^4) for each operation of the symmetry."""
    d, flat = len(frequencies), vectors.reshape(len(frequencies), -1).copy()
    turns, moves, all_commute = commuting(masses, places, derivatives)
    key = sum((3.0**-n * move for n, move in enumerate(moves)), np.zeros((places.size, places.size)))
    for group in groups_of(frequencies):
        if len(group) > 1:
            flat[group] = _settled(flat[group], frequencies[group], key)
            own = (flat[group] @ vectors.reshape(d, -1)[group].T) ** 2 @ frequencies[group]
            falling = frequencies[0] > frequencies[-1]
            flat[group] = flat[group][np.argsort(np.round(-own if falling else own, 3), kind="stable")]
    largest = np.abs(flat).max(axis=1, keepdims=True)
    first = np.argmax(np.abs(flat) > largest - TIE, axis=1)
    flat *= np.where(flat[np.arange(d), first] < 0.0, -1.0, 1.0)[:, None]
    found = np.array([np.einsum("ki,ij,kj->k", flat, move, flat) for move in moves]).reshape(-1, d)
    pure = np.where(np.abs(found) > 1.0 - PURE, np.sign(found), 0.0)
    return Oriented(flat.reshape(vectors.shape), pure, np.array(turns).reshape(-1, 3, 3), all_commute)


def groups_of(frequencies: np.ndarray) -> list[list[int]]:
    """Modes of the same frequency; rising or falling as given."""
    falling = len(frequencies) > 1 and frequencies[0] > frequencies[-1]
    return _runs(-frequencies if falling else frequencies, DEGENERATE)


def commuting(
    masses: np.ndarray, places: np.ndarray, derivatives: Sequence[np.ndarray] = ()
) -> tuple[list[np.ndarray], list[np.ndarray], bool]:
    """Reflections, half turns and the inversion of a molecule, independent and commuting, (3, 3) each; what they do to
    displacements, (3 atoms, 3 atoms) each; and whether there are no others.

    Those that change ``derivatives`` the least come first, then those along the axes.
    """
    turns = [(turn, to) for turn in _candidates(masses, places) if (to := _mapped(turn, masses, places)) is not None]
    moves = [_on_vectors(turn, to) for turn, to in turns]
    # a fourth derivative along the positions, which no operation changes, is of order three
    tensors = [tensor @ places.ravel() if tensor.ndim == 4 else tensor for tensor in derivatives if tensor.ndim <= 4]
    changes = [max((_change(move, tensor) for tensor in tensors), default=0.0) for move in moves]
    found: list[int] = []
    all_commute = True
    products = [np.eye(3)]
    for n in sorted(range(len(turns)), key=lambda n: (round(math.log10(max(changes[n], WHOLE))), n)):
        turn = turns[n][0]
        if any(np.abs(turn - other).max() < SAME_PLACE for other in products):
            continue
        if any(np.abs(turn @ turns[m][0] - turns[m][0] @ turn).max() > SAME_PLACE for m in found):
            all_commute = False
            continue
        found.append(n)
        products += [turn @ other for other in products]
    return [turns[n][0] for n in found], [moves[n] for n in found], all_commute


def _change(move: np.ndarray, tensor: np.ndarray) -> float:
    """By how much an operation changes a tensor, of its largest element."""
    turned = tensor
    for _ in range(tensor.ndim):
        turned = np.tensordot(turned, move, (0, 1))
    return float(np.abs(turned - tensor).max()) / (float(np.abs(tensor).max()) or 1.0)


def _candidates(masses: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
    """Involutions that a molecule may have, along the axes and those that its atoms span."""
    axes = [*np.eye(3)]
    far = [r for r in places if np.linalg.norm(r) > SAME_PLACE]
    pairs = [(a, b) for (i, a), (j, b) in combinations(enumerate(places), 2) if abs(masses[i] - masses[j]) <= SAME_MASS]
    axes += [a - b for a, b in pairs] + far + [a + b for a, b in pairs]
    axes += [np.cross(a, b) for a, b in combinations(far, 2)][: 4 * len(far)]
    axes += [np.cross(a, e) for a in far[:1] for e in np.eye(3)]
    axes += [np.cross(a, np.cross(a, e)) for a in far[:1] for e in np.eye(3)]
    units = [axis / np.linalg.norm(axis) for axis in axes if np.linalg.norm(axis) > SAME_PLACE]
    unique: dict[tuple[float, ...], np.ndarray] = {}
    for n in units:
        unique.setdefault(tuple(np.round(n * np.sign(n[np.argmax(np.abs(n) > np.abs(n).max() - TIE)]), 4) + 0.0), n)
    mirrors = [np.eye(3) - 2.0 * np.outer(n, n) for n in unique.values()]
    return [*mirrors, *[-mirror for mirror in mirrors], -np.eye(3)]


def _mapped(turn: np.ndarray, masses: np.ndarray, places: np.ndarray) -> np.ndarray | None:
    """The atom that each atom is mapped on; None where there is no such atom."""
    apart = np.linalg.norm((places @ turn.T)[:, None] - places[None], axis=2)
    apart += np.where(np.abs(masses[:, None] - masses[None]) > SAME_MASS, np.inf, 0.0)
    to = apart.argmin(axis=1)
    return to if (apart.min(axis=1) < SAME_PLACE).all() and len(set(to.tolist())) == len(to) else None


def _on_vectors(turn: np.ndarray, to: np.ndarray) -> np.ndarray:
    """What an operation does to mass-weighted displacements, (3 atoms, 3 atoms)."""
    moved = np.zeros((len(to), 3, len(to), 3))
    moved[to, :, np.arange(len(to)), :] = turn
    return moved.reshape(3 * len(to), -1)


def _settled(rows: np.ndarray, frequencies: np.ndarray, key: np.ndarray) -> np.ndarray:
    """A basis of the space of orthonormal ``rows`` (g, 3 atoms) that does not hang on which basis came in."""
    values, turns = np.linalg.eigh(rows @ (0.5 * (key + key.T)) @ rows.T)
    out = []
    for alike in _runs(values, PURE):
        # of the same symmetry, their own frequencies tell them apart where these are not the same
        own, inner = np.linalg.eigh(turns[:, alike].T @ np.diag(frequencies) @ turns[:, alike])
        modes = (turns[:, alike] @ inner).T @ rows
        for same in _runs(own, SAME):
            out += spread(modes[same])
    return np.array(out)


def _runs(values: np.ndarray, apart: float) -> list[list[int]]:
    """Places of ascending values that lie no further than ``apart`` from the next."""
    found: list[list[int]] = [[0]]
    for n in range(1, len(values)):
        if values[n] - values[n - 1] <= apart:
            found[-1].append(n)
        else:
            found.append([n])
    return found


def spread(space: np.ndarray) -> list[np.ndarray]:
    """Vectors of a space that move the first coordinate the most, then, of what is left, the next."""
    out = []
    while len(space):
        sizes = (space**2).sum(axis=0)
        coordinate = int(np.argmax(sizes > sizes.max() - TIE))
        first = space[:, coordinate] @ space
        first /= np.linalg.norm(first)
        out.append(first)
        _, _, right = np.linalg.svd(space - np.outer(space @ first, first), full_matrices=False)
        space = right[: len(space) - 1]
    return out
