"""A force field about another point than its minimum, or in coordinates that its quadratic form couples.

    H = sum_i (w_i/2) p_i^2 + V(q),    q_i = s_i + sum_k sqrt(w_i / W_k) L_ik q'_k,    H = sum_k (W_k/2) p'_k^2 + V'(q')

s is the minimum, L and W_k^2 are the eigenvectors and eigenvalues of sqrt(w_i w_j) d^2V/dq_i dq_j there: the normal
modes (Wilson, Decius and Cross, Molecular Vibrations (1955), section 2.2). V' is V, expanded anew and exact, so that
the levels are the same; a basis of products suits them better, and barriers of V lie where they are looked for.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.orientation import spread
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from solvers.measured import numeral

MIXED = 1e-4  # of the smaller frequency: a coupling of second order that matters
FORCE = 1e-6  # of the frequency: a force that matters
LARGEST = 30_000_000  # elements of the tensor of the highest order
STEPS, LONGEST, FARTHEST = 60, 0.5, 6.0  # of the search for the minimum; lengths in q
SETTLED = 1e-12  # of the largest frequency: forces at the minimum
SAME = 1e-9  # relative: squared frequencies that are taken as the same
ROUND_OFF = 1e-14  # of the largest coefficient

Polynomial = Mapping[tuple[int, ...], float]  # sorted modes from 0, with repetition -> coefficient of their product


@dataclass(frozen=True, eq=False)
class NormalForm:
    """Coordinates in which a force field is expanded about its minimum and has no mixed terms of second order.

    Attributes
    ----------
    place : (d,) the minimum, in the coordinates given.
    turn : (d, d) L above, orthogonal.
    given, frequencies : (d,) w and W above.
    rise : V at the minimum, of what it is at the origin given; at most zero.
    """

    place: np.ndarray
    turn: np.ndarray
    given: np.ndarray
    frequencies: np.ndarray
    rise: float

    def polynomial(self, terms: Polynomial) -> dict[tuple[int, ...], float]:
        """A polynomial of the given coordinates in the new ones; its constant has the key ()."""
        slope = np.sqrt(self.given[:, None] / self.frequencies[None, :]) * self.turn
        tensors = displaced(tensors_of(terms, len(self.given)), self.place)
        found: dict[tuple[int, ...], float] = {}
        for tensor in tensors:
            for _ in range(tensor.ndim):
                tensor = np.tensordot(tensor, slope, (0, 0))
            found |= _coefficients(tensor)
        return found

    def field(self, field: ForceField) -> ForceField:
        """The same field in the new coordinates; energies are counted from where they were."""
        terms = self.polynomial(_whole(field))
        constant = terms.pop((), 0.0) + field.rotation.get((), 0.0)
        size = max(abs(c) for c in terms.values())
        kept = {m: c for m, c in terms.items() if len(m) > 2 and abs(c) > ROUND_OFF * size}
        return replace(field, frequencies=self.frequencies, terms=kept, rotation={(): constant} if constant else {})

    def surface(self, given: Surface) -> Surface:
        """A dipole or polarisability in the new coordinates."""
        return replace(given, components=tuple(self.polynomial(component) for component in given.components))

    def rotation(self, given: Rotation) -> Rotation:
        """Inertia, zeta and derivatives for the new coordinates."""
        zeta = np.einsum("ki,akl,lj->aij", self.turn, given.zeta, self.turn)
        slopes = None if given.derivatives is None else np.einsum("ki,kab->iab", self.turn, given.derivatives)
        before = np.zeros(len(self.given)) if given.shift is None else given.shift
        shift = np.sqrt(self.frequencies) * (self.turn.T @ ((before + self.place) / np.sqrt(self.given)))
        zeta = 0.5 * (zeta - zeta.transpose(0, 2, 1))
        return Rotation(given.inertia, zeta, slopes, shift if np.any(shift) else None)

    def note(self, unit: str) -> str:
        """What a report says of the coordinates."""
        modes = ", ".join(f"{k}: {w:.1f}" for k, w in enumerate(self.frequencies, start=1))
        text = f"the field is computed, and its states are named, in its normal modes ({modes} {unit})"
        if not np.any(self.place):
            return f"{text}: the coordinates given are coupled in second order"
        return (
            f"{text} about its minimum, {numeral(-self.rise)} {unit} below the point of the expansion given; energies "
            "are counted from the latter"
        )


@lru_cache(8)
def normal_form(field: ForceField) -> NormalForm | None:
    """The normal form of a field with forces, or with mixed terms of second order, and terms above it.

    None where it is in that form, is a quadratic form only, has momenta of its own, is of too high an order for its
    modes, or has no minimum near the origin. Cost O(d^order) numbers.
    """
    w = field.frequencies
    if any(field.rotation) or field.bend or field.order < 3 or field.d**field.order > LARGEST or not _unusual(field):
        return None
    tensors = tensors_of(_whole(field), field.d)
    place = _minimum(tensors, float(w.max())) if any(len(m) == 1 for m in field.terms) else np.zeros(field.d)
    if place is None:
        return None
    there = displaced(tensors, place)
    squares, turn = np.linalg.eigh(np.sqrt(np.outer(w, w)) * there[2])
    if squares[0] <= 0.0:
        return None
    if w[0] > w[-1]:  # falling, as in the file
        squares, turn = squares[::-1], turn[:, ::-1]
    starts = np.flatnonzero(np.abs(np.diff(squares)) > SAME * squares.max()) + 1
    columns = [row for same in np.split(turn.T, starts) for row in spread(same)]
    return NormalForm(place, np.array(columns).T, np.array(w), np.sqrt(squares), float(there[0]))


def _whole(field: ForceField) -> dict[tuple[int, ...], float]:
    """The potential with its harmonic part, sorted modes -> coefficient."""
    whole: dict[tuple[int, ...], float] = defaultdict(float)
    for i, w in enumerate(field.frequencies.tolist()):
        whole[i, i] = 0.5 * w
    for modes, c in field.terms.items():
        whole[modes] += c
    return whole


def _unusual(field: ForceField) -> bool:
    """Whether forces or mixed terms of second order matter."""
    w = field.frequencies
    forces = any(abs(c) > FORCE * w[m[0]] for m, c in field.terms.items() if len(m) == 1)
    second = [(m, c) for m, c in field.terms.items() if len(m) == 2]
    return forces or any(abs(c) > MIXED * min(w[m[0]], w[m[1]]) for m, c in second)


def tensors_of(terms: Polynomial, d: int) -> list[np.ndarray]:
    """The derivatives of a polynomial at the origin, symmetric arrays (d,) * order, of order 0 to its highest."""
    found = [np.zeros((d,) * order) for order in range(max(map(len, terms), default=0) + 1)]
    for order, tensor in enumerate(found):
        listed = [(m, c) for m, c in terms.items() if len(m) == order]
        if order == 0:
            tensor[()] = sum(c for _, c in listed)
        elif listed:
            places = np.array([m for m, _ in listed])
            values = np.array([c * math.prod(math.factorial(n) for n in Counter(m).values()) for m, c in listed])
            for turn in permutations(range(order)):
                tensor[tuple(places[:, turn].T)] = values
    return found


def displaced(tensors: list[np.ndarray], by: np.ndarray) -> list[np.ndarray]:
    """The derivatives at the point ``by``."""
    found = [tensor.copy() for tensor in tensors]
    for tensor in tensors:
        left = tensor
        for times in range(1, tensor.ndim + 1):
            left = left @ by / times
            found[left.ndim] = found[left.ndim] + left
    return found


def _coefficients(tensor: np.ndarray) -> dict[tuple[int, ...], float]:
    """A symmetric array of derivatives as sorted modes -> coefficient."""
    if tensor.ndim == 0:
        return {(): float(tensor)}
    places = np.argwhere(tensor)
    places = places[np.all(np.diff(places, axis=1) >= 0, axis=1)]
    found = {}
    for place in places:
        modes = tuple(int(k) for k in place)
        found[modes] = float(tensor[modes]) / math.prod(math.factorial(n) for n in Counter(modes).values())
    return found


def _minimum(tensors: list[np.ndarray], scale: float) -> np.ndarray | None:
    """The minimum near the origin, by Newton steps of at most LONGEST; None where there is none."""
    place = np.zeros(tensors[1].shape[0])
    for _ in range(STEPS):
        _, force, hessian = displaced(tensors, place)[:3]
        if np.abs(force).max() <= SETTLED * scale:
            return place if np.linalg.eigvalsh(hessian)[0] > 0.0 else None
        values, vectors = np.linalg.eigh(hessian)
        step = -vectors @ ((vectors.T @ force) / np.maximum(np.abs(values), 1e-3 * scale))
        place = place + step * min(1.0, LONGEST / np.linalg.norm(step))
        if np.linalg.norm(place) > FARTHEST:
            return None
    return None
