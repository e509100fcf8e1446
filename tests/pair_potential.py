"""Molecules held together by pair potentials f(r^2), whose Cartesian derivatives are known in closed form."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np

Shape = tuple[tuple[str, ...], np.ndarray]  # elements, positions (atoms, 3) in bohr

WATER: Shape = (("O", "H", "H"), np.array([[0.0, 0.0, -0.124], [0.0, 1.431, 0.986], [0.0, -1.431, 0.986]]))
AMMONIA: Shape = (
    ("N", "H", "H", "H"),
    np.array(
        [[0.0, 0.0, 0.128]] + [[1.78 * np.cos(t), 1.78 * np.sin(t), -0.59] for t in np.arange(3) * 2.0 * np.pi / 3.0]
    ),
)


def derivatives(positions: np.ndarray, stiff: float = 0.05) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the sum over pairs of f(r^2) with f' = 0: of order 2, 3 and 4, in hartree/bohr^n.

    With a = d(r^2)/dx and b = d^2(r^2)/dx^2 of a pair: D^2 = f'' a a, D^3 = f'' sym(a b) + f''' a a a and so on.
    """
    size = positions.size
    found = [np.zeros((size,) * order) for order in (2, 3, 4)]
    for i, j in combinations(range(len(positions)), 2):
        r = positions[i] - positions[j]
        f2, f3, f4 = 2.0 * stiff / (r @ r), -3.0 * stiff / (r @ r) ** 2, 5.0 * stiff / (r @ r) ** 3
        a, b = np.zeros(size), np.zeros((size, size))
        a[3 * i : 3 * i + 3], a[3 * j : 3 * j + 3] = 2.0 * r, -2.0 * r
        for one, other, sign in ((i, i, 2.0), (j, j, 2.0), (i, j, -2.0), (j, i, -2.0)):
            b[3 * one : 3 * one + 3, 3 * other : 3 * other + 3] = sign * np.eye(3)
        aa, ab = np.multiply.outer(a, a), np.multiply.outer(a, b)
        found[0] += f2 * aa
        found[1] += f2 * _summed(ab, 2) + f3 * np.multiply.outer(aa, a)
        bb, aab = np.multiply.outer(b, b), np.multiply.outer(a, ab)
        found[2] += f2 * _summed(bb, 8) + f3 * _summed(aab, 4) + f4 * np.multiply.outer(aa, aa)
    return found[0], found[1], found[2]


def _summed(tensor: np.ndarray, same: int) -> np.ndarray:
    """The sum over all different orders of the indices, of which ``same`` give the same."""
    return sum(np.transpose(tensor, turn) for turn in permutations(range(tensor.ndim))) / same


def packed(tensor: np.ndarray) -> list[float]:
    """The elements of a symmetric tensor with falling indices, the last fastest."""
    kept = [index for index in np.ndindex(tensor.shape) if all(a >= b for a, b in pairwise(index))]
    return [float(tensor[index]) for index in kept]
