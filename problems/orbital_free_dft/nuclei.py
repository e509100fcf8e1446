"""The nuclei of a calculation, point-like or smeared, and what can be wrong with where they are.

A smeared nucleus has the charge density Z (a/pi)^(3/2) exp(-a r^2), a its smearing (1/bohr^2); a point has a = inf.
Cost of the checks O(K log K) for K nuclei: nuclei at one place are neighbours along any direction. numpy alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from problems.errors import ProblemError
from solvers.measured import numeral

SAME_PLACE = 1e-6  # bohr
NEAREST_FACE = 0.1  # of the box's edge
MARGIN = 15.0  # bohr beyond the nuclei: holds 99.99% of the electrons of a light neutral atom with exchange
# a direction no lattice has a plane across: its nuclei project to different places
_DIRECTION = np.array([1.0, 2.0**0.5, 3.0**0.5]) / 6.0**0.5


@dataclass(frozen=True, eq=False)
class Nuclei:
    """K nuclei: ``charges`` (K,), ``positions`` (K, 3) in bohr, ``smearings`` (K,) in 1/bohr^2, inf for a point.

    ``keys``: the YAML key that placed each of them, for messages; may be empty.

    Raises ValueError where the shapes do not fit or an entry is impossible.
    """

    charges: np.ndarray
    positions: np.ndarray
    smearings: np.ndarray
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.charges)
        if self.charges.shape != (count,) or self.positions.shape != (count, 3) or self.smearings.shape != (count,):
            raise ValueError(
                f"nuclei need shapes (K,), (K, 3), (K,), found {self.charges.shape}, {self.positions.shape}, "
                f"{self.smearings.shape}"
            )
        if self.keys and len(self.keys) != count:
            raise ValueError(f"{count} nuclei have {len(self.keys)} keys")
        if not (np.isfinite(self.charges).all() and (self.charges > 0.0).all() and (self.smearings > 0.0).all()):
            raise ValueError("charges must be positive and finite, smearings positive")
        if not np.isfinite(self.positions).all():
            raise ValueError("positions must be finite")

    def __len__(self) -> int:
        return len(self.charges)

    @property
    def points(self) -> np.ndarray:
        """Which nuclei are points (K,), bool."""
        return np.isinf(self.smearings)

    @property
    def charge(self) -> float:
        """Sum of the charges."""
        return float(self.charges.sum())

    @property
    def reach(self) -> float:
        """Largest coordinate, in bohr; 0 without nuclei."""
        return float(np.abs(self.positions).max(initial=0.0))

    def key(self, k: int) -> str:
        """The YAML key to blame for nucleus k."""
        return self.keys[k] if self.keys else "problem.atoms"


def advised_box(reach: float, margin: float) -> int:
    """Whole edge length for nuclei up to the coordinate ``reach``, with ``margin`` beyond them (bohr)."""
    return math.ceil(max(2.0 * (reach + margin), 2.0 * reach / (1.0 - 2.0 * NEAREST_FACE)) - 1e-6)


def check_nuclei(nuclei: Nuclei, box: float, moves: float | np.ndarray = 0.0, margin: float = MARGIN) -> None:
    """ProblemError where two nuclei are at one place, or one is outside the box or too near to its faces.

    ``box``: full edge length of the cube centred at the origin. ``moves`` (scalar or (K,)): how far a nucleus may still
    be displaced along each axis; only those that stay where they are can be found at one place. ``margin``: room beyond
    the nuclei in the box that the message advises.
    """
    if not len(nuclei):
        return
    moved = np.broadcast_to(np.asarray(moves, dtype=float), len(nuclei))
    pair = _same_place(nuclei.positions, np.flatnonzero(moved == 0.0))
    if pair is not None:
        k, m = pair
        raise ProblemError(
            f"two nuclei at one place: numbers {k + 1} and {m + 1} are both at {_place(nuclei.positions[m])}; leave "
            "one out, or give one nucleus the sum of the charges",
            nuclei.key(m),
        )
    reach = np.abs(nuclei.positions).max(axis=1) + moved
    k = int(np.argmax(reach))
    least = 2.0 * reach[k] / (1.0 - 2.0 * NEAREST_FACE)
    if box < least * (1.0 - 1e-12):
        where = "is outside the box" if reach[k] >= 0.5 * box else "is nearer to a face than a tenth of the box"
        way = f", displaced by up to {moved[k]:g}," if moved[k] else ""
        raise ProblemError(
            f"the box is too small: nucleus {k + 1} at {_place(nuclei.positions[k])}{way} {where}, which reaches "
            f"from -{0.5 * box:g} to {0.5 * box:g} bohr; give at least {advised_box(reach[k], margin)}",
            "problem.box",
        )


def _same_place(positions: np.ndarray, chosen: np.ndarray) -> tuple[int, int] | None:
    """The first two of the chosen nuclei that are closer than SAME_PLACE, or None."""
    along = positions[chosen] @ _DIRECTION
    order = chosen[np.argsort(along, kind="stable")]
    along = np.sort(along, kind="stable")
    for step in range(1, len(order)):
        near = np.flatnonzero(along[step:] - along[:-step] < SAME_PLACE)
        if not len(near):
            return None
        one, other = order[near], order[near + step]
        close = np.linalg.norm(positions[one] - positions[other], axis=1) < SAME_PLACE
        if close.any():
            first = int(np.argmax(close))
            k, m = sorted((int(one[first]), int(other[first])))
            return k, m
    return None


def _place(position: np.ndarray) -> str:
    return "(" + ", ".join(numeral(x, digits=6) for x in position) + ")"
