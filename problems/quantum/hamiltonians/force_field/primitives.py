"""Harmonic functions of one coordinate, put where the states of a mode are and as many as its levels need.

    h = w/2 p^2 + P(q),    q = centre + width x,    p = p_x / width

A classical orbit of energy E between the turning points -L and L about the centre, of largest momentum p, lies in the
disc that N harmonic functions cover, L/width = width p = sqrt(2N + 1), for width = sqrt(L/p) and N about L p/2: a
harmonic mode gets its own functions (width one), a quartic one shorter, a displaced one shifted functions. The number
grows until the levels stand still. Where P falls to minus infinity the functions end at the top of the barrier:
behind it is no bound state.

``sinc_levels`` finds the levels again by another route: values on equidistant points (Colbert, Miller, J. Chem. Phys.
96, 1982 (1992)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import polynomial as polynomials

from problems.quantum.hamiltonians.force_field.rotation import MOST_POWER, momentum_matrices

MAX_POWER = 6
MOST_BENT = 160  # functions of a mode whose potential is bounded
MOST_PRIMITIVE = 600  # functions of a mode: a dense matrix of that size takes half a second
FAR = math.sqrt(2.0 * MOST_PRIMITIVE)  # of q: where the last of them turns back; what lies beyond none of them knows
FEWEST = 16  # beyond those that the classical orbit needs
GROWTH = 1.25
POINTS = 60  # of the quadrature, beyond the functions: tanh has its poles far from the real axis
SAME_WIDTH = 1e-6  # relative: below it a mode is harmonic and keeps its own functions to the last bit
LARGEST_EXPONENT = 34.0  # of the decay in the classically forbidden region, exp(-34) = 1e-15
BENT_REACH = 1.3  # of the points, in ranges of the harmonic mode
ROUND_OFF = 1e-13  # of the largest one-mode energy of the functions: what levels cannot be better than
SINC_PHASE = 2.0  # largest phase a step that sinc points leave: pi is the limit


def position_powers(n: int, highest: int = MAX_POWER, centre: float = 0.0, width: float = 1.0) -> np.ndarray:
    """q^0 .. q^highest in n harmonic functions, (highest+1, n, n), exact matrix elements (cut after multiplying)."""
    big = n + highest
    q = np.diag(width * np.sqrt(np.arange(1, big) / 2.0), 1)
    q = q + q.T
    if centre:
        q += centre * np.eye(big)
    powers = [np.eye(big)]
    for _ in range(highest):
        powers.append(powers[-1] @ q)
    return np.array(powers)[:, :n, :n]


def harmonic_energy(n: int) -> np.ndarray:
    """(p^2 + q^2)/2 in n harmonic functions: diagonal v + 1/2."""
    return np.diag(np.arange(n) + 0.5)


@dataclass(frozen=True)
class Primitive:
    """``size`` harmonic functions of x = (q - centre) / width; the potential is in y = tanh(bend q) / bend, or in q."""

    size: int
    centre: float = 0.0
    width: float = 1.0
    bend: float = 0.0

    def powers(self) -> np.ndarray:
        """y^0 .. y^MAX_POWER, (MAX_POWER+1, size, size): exact elements of q, Gaussian quadrature of other y."""
        if not self.bend:
            return self.positions()
        q, vectors = np.linalg.eigh(position_powers(self.size + POINTS, 1, self.centre, self.width)[1])
        vectors, y = vectors[: self.size], np.tanh(self.bend * q) / self.bend
        return np.array([np.eye(self.size), *((vectors * y**p) @ vectors.T for p in range(1, MAX_POWER + 1))])

    def positions(self) -> np.ndarray:
        """q^0 .. q^MAX_POWER, (MAX_POWER+1, size, size), exact elements."""
        return position_powers(self.size, MAX_POWER, self.centre, self.width)

    def harmonic(self, powers: np.ndarray) -> np.ndarray:
        """(p^2 + y^2)/2; ``powers``: those of ``powers()``."""
        if self.bend:
            return replace(self, bend=0.0).harmonic(self.positions()) + 0.5 * (powers[2] - self.positions()[2])
        if self.centre == 0.0 and self.width == 1.0:
            return harmonic_energy(self.size)
        x = position_powers(self.size, 2)[2]
        return (harmonic_energy(self.size) - 0.5 * x) / self.width**2 + 0.5 * powers[2]

    def momenta(self) -> np.ndarray:
        """The matrices of ``rotation.PARTS``, (len(PARTS), size, size), exact elements."""
        big = self.size + MOST_POWER + 2
        ladder = np.diag(np.sqrt(np.arange(1, big) / 2.0), 1)
        q = self.width * (ladder + ladder.T) + self.centre * np.eye(big)
        return momentum_matrices(q, (ladder - ladder.T) / self.width)[:, : self.size, : self.size]

    @property
    def reach(self) -> tuple[float, float]:
        """Outermost turning points of the functions."""
        outer = self.width * math.sqrt(2.0 * self.size + 1.0)
        return self.centre - outer, self.centre + outer


@dataclass(frozen=True)
class Walls:
    """Where P has its last maxima before it falls for good, and how high it is there; infinite where it rises.

    ``open``: it falls from the start, there is no well at all.
    """

    left: float
    right: float
    top: float
    open: bool


def walls(P: np.ndarray) -> Walls:
    """The barriers of a potential about q = 0, whose coefficients are P (ascending): before it falls to minus infinity,
    or into a lower well beyond ``FAR``, which an expansion about q = 0 says nothing of."""
    P = _trimmed(P)
    if len(P) < 2:
        return Walls(-np.inf, np.inf, np.inf, True)
    places, top = [-np.inf, np.inf], np.inf
    stationary = _real_roots(polynomials.polyder(P))
    for side, sign in enumerate((-1.0, 1.0)):
        outside = stationary[sign * stationary > 0]
        if P[-1] * sign ** (len(P) - 1) > 0:
            lower = (sign * outside > FAR) & (polynomials.polyval(outside, P) < P[0])
            outside = outside[sign * outside < np.min(sign * outside[lower], initial=np.inf)]
            if not lower.any() or not len(outside):
                continue
        if not len(outside):
            return Walls(0.0, 0.0, 0.0, True)
        places[side] = float(sign * np.max(sign * outside))
        top = min(top, float(polynomials.polyval(places[side], P)))
    return Walls(places[0], places[1], top, False)


def _trimmed(P: np.ndarray) -> np.ndarray:
    """Without leading coefficients that are round-off of the others."""
    size = np.max(np.abs(P))
    kept = np.flatnonzero(np.abs(P) > 1e-13 * size)
    return P[: kept[-1] + 1] if len(kept) else P[:1]


def _real_roots(P: np.ndarray) -> np.ndarray:
    roots = polynomials.polyroots(P)
    return np.sort(roots[np.abs(roots.imag) < 1e-7 * (1e-3 + np.abs(roots))].real)


def orbit(w: float, P: np.ndarray, energy: float, wall: Walls) -> tuple[float, float, float]:
    """Turning points of the outermost orbit at ``energy`` inside the walls, and its largest momentum."""
    stationary = _real_roots(polynomials.polyder(_trimmed(P)))
    inside = stationary[(stationary >= wall.left) & (stationary <= wall.right)]
    values = polynomials.polyval(inside, P)
    lowest = float(values.min()) if len(values) else float(P[0])
    energy = max(energy, lowest + 1e-3 * w)
    ends = P.copy()
    ends[0] -= energy
    turning = _real_roots(_trimmed(ends))
    turning = turning[(turning > wall.left) & (turning < wall.right)]
    left = wall.left if np.isfinite(wall.left) and energy >= wall.top else (turning[0] if len(turning) else -1.0)
    right = wall.right if np.isfinite(wall.right) and energy >= wall.top else (turning[-1] if len(turning) else 1.0)
    return float(left), float(right), math.sqrt(2.0 * (energy - lowest) / w)


def one_mode_matrix(w: float, P: np.ndarray, primitive: Primitive) -> tuple[np.ndarray, np.ndarray]:
    """w/2 p^2 + P(q) in the functions, where P holds w q^2 / 2 too, and the powers of q."""
    q = primitive.powers()
    rest = P.copy()
    rest[2] -= 0.5 * w
    return w * primitive.harmonic(q) + np.tensordot(rest, q, 1), q


def fitted(
    w: float, P: np.ndarray, count: int, tol: float, even: bool, wanted: int
) -> tuple[Primitive, np.ndarray, np.ndarray]:
    """Functions in which the ``count`` lowest levels of w/2 p^2 + P(q) are converged to ``tol``.

    Where a barrier leaves no room for all of them, the functions are placed for the ``wanted`` lowest.

    Returns them, the levels (fewer than ``count`` where a barrier leaves no more), and by how much each moved when the
    functions were grown last (above ``tol`` where barrier or MOST_PRIMITIVE ended the growth). Cost: a few O(N^3).
    """
    wall = walls(P)
    if wall.open:
        return Primitive(count + FEWEST), np.zeros(0), np.zeros(0)
    first = wanted if np.isfinite(wall.top) else count
    energy, before, extra = float(P[0]) + w * (first + 0.5), None, 1.0
    # 1. place the functions by the highest level, 2. solve, 3. grow until the levels stand still
    while True:
        left, right, momentum = orbit(w, P, min(energy, wall.top), wall)
        centre, half = (0.0, max(-left, right)) if even else (0.5 * (left + right), 0.5 * (right - left))
        width = math.sqrt(half / momentum)
        if abs(width - 1.0) < SAME_WIDTH and abs(centre) < SAME_WIDTH:
            centre, width = 0.0, 1.0
        size = max(count + FEWEST, math.ceil(extra * (0.5 * half * momentum + FEWEST)))
        room = min(wall.right - centre, centre - wall.left)
        most = max(4, int(0.5 * (room / width) ** 2)) if np.isfinite(room) else MOST_PRIMITIVE
        ended, size = size >= min(most, MOST_PRIMITIVE), min(size, most, MOST_PRIMITIVE)
        chosen = Primitive(size, centre, width)
        levels, limit = _bound_levels(w, P, chosen, count, wall)
        if ended:
            before, _ = _bound_levels(w, P, Primitive(int(size / 1.1), centre, width), count, wall)
        if before is not None and len(levels):
            changes = np.full(len(levels), np.inf)
            both = min(len(levels), len(before))
            changes[:both] = np.abs(levels[:both] - before[:both])
            if ended or (len(levels) == len(before) and changes.max() <= max(tol, limit)):
                return chosen, levels, changes
        if ended:
            return chosen, levels, np.full(len(levels), np.inf)
        before, extra = levels, extra * GROWTH
        last = min(wanted, len(levels)) if np.isfinite(wall.top) else len(levels)
        energy = float(levels[last - 1]) if len(levels) else wall.top


def fitted_bent(
    w: float, P: np.ndarray, bend: float, count: int, tol: float
) -> tuple[Primitive, np.ndarray, np.ndarray]:
    """As ``fitted``, for a potential P(y), y = tanh(bend q) / bend: levels below its value far out alone."""
    top, size = float(min(polynomials.polyval(sign / bend, P) for sign in (-1.0, 1.0))), count + 2 * FEWEST
    before = None
    while True:
        chosen = Primitive(size, bend=bend)
        h, _ = one_mode_matrix(w, P, chosen)
        levels = np.linalg.eigvalsh(h)[:count]
        levels = levels[levels < top]
        if before is not None:
            changes = np.full(len(levels), np.inf)
            both = min(len(levels), len(before))
            changes[:both] = np.abs(levels[:both] - before[:both])
            if changes.max(initial=0.0) <= max(tol, ROUND_OFF * float(np.abs(h).max())) or size >= MOST_BENT:
                return chosen, levels, changes
        before, size = levels, math.ceil(GROWTH * size)


def _bound_levels(w: float, P: np.ndarray, primitive: Primitive, count: int, wall: Walls) -> tuple[np.ndarray, float]:
    """The ``count`` lowest levels below the walls, and their round-off."""
    h, _ = one_mode_matrix(w, P, primitive)
    levels = np.linalg.eigvalsh(h)[:count]
    return levels[levels < wall.top], ROUND_OFF * float(np.abs(h).max())


def sinc_levels(w: float, P: np.ndarray, energy: float) -> np.ndarray:
    """The levels of w/2 p^2 + P(q) up to ``energy``, on equidistant points between the walls or far into decay.

    The points shrink with the largest momentum; beyond the turning points they go on until the wave function has
    decayed by exp(-34). Cost O(N^3), N about twice the phase space over pi.
    """
    wall = walls(P)
    energy = min(energy, wall.top)
    left, right, momentum = orbit(w, P, energy, wall)
    # kinetic energy up to where what decays faster is below round-off
    step = SINC_PHASE / (momentum + LARGEST_EXPONENT / max(right - left, 1e-300))
    ends = []
    for place, sign, stop in ((left, -1.0, wall.left), (right, 1.0, wall.right)):
        decay = 0.0
        while decay < LARGEST_EXPONENT and sign * (place + sign * step) < sign * stop:
            place += sign * step
            decay += step * math.sqrt(max(2.0 * (polynomials.polyval(place, P) - energy) / w, 0.0))
        ends.append(place)
    n = min(max(int((ends[1] - ends[0]) / step) + 1, 8), 2 * MOST_PRIMITIVE)
    q = np.linspace(ends[0], ends[1], n)
    distance = np.subtract.outer(np.arange(n), np.arange(n)).astype(float)
    sign_ = np.where(distance % 2 == 0, 1.0, -1.0)
    np.fill_diagonal(distance, 1.0)
    kinetic = 2.0 * sign_ / distance**2
    np.fill_diagonal(kinetic, math.pi**2 / 3.0)
    h = 0.5 * w * kinetic / (q[1] - q[0]) ** 2 + np.diag(polynomials.polyval(q, P))
    levels = np.linalg.eigvalsh(h)
    return levels[levels <= energy]


def sinc_levels_bent(w: float, P: np.ndarray, bend: float, energy: float) -> np.ndarray:
    """As ``sinc_levels``, for a potential P(y), y = tanh(bend q) / bend, on points into the decay on either side."""
    lowest = float(polynomials.polyval(np.tanh(bend * np.linspace(-20.0, 20.0, 2001)) / bend, P).min())
    momentum = math.sqrt(2.0 * max(energy - lowest, 1e-3 * w) / w)
    step = SINC_PHASE / (momentum + 0.2 * LARGEST_EXPONENT)
    n = min(math.ceil(2.0 * BENT_REACH * math.sqrt(2.0 * momentum**2 + LARGEST_EXPONENT) / step), 2 * MOST_PRIMITIVE)
    q = step * (np.arange(n) - 0.5 * (n - 1))
    distance = np.subtract.outer(np.arange(n), np.arange(n)).astype(float)
    sign = np.where(distance % 2 == 0, 1.0, -1.0)
    np.fill_diagonal(distance, 1.0)
    kinetic = 2.0 * sign / distance**2
    np.fill_diagonal(kinetic, math.pi**2 / 3.0)
    values = polynomials.polyval(np.tanh(bend * q) / bend, P)
    levels = np.linalg.eigvalsh(0.5 * w * kinetic / step**2 + np.diag(values))
    return levels[levels <= energy]
