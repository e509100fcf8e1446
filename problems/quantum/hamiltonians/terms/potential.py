"""The potential that a sum of products holds, where it falls to minus infinity, and states that live there.

What counts as potential are products of powers of q, and the m w q^2 / 2 of a term n. Kinetic terms (those with p or T)
take no part; a mode that anything else acts on (b, n^2, a spin beside q) is left out, as is a sinc mode whose interval
does not hold q = 0: what falls along the others falls whatever these do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from problems.quantum.hamiltonians.force_field.boundedness import Barrier, falls, reached
from problems.quantum.hamiltonians.force_field.holes import mean_square_along
from problems.quantum.hamiltonians.terms.modes import Boson, Harmonic, Mode, Sinc
from problems.quantum.hamiltonians.terms.names import Product
from problems.quantum.hamiltonians.terms.terms import Key
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import numeral

KINETIC = {"p", "T"}
EDGE = 2  # last functions of a mode; one of each parity
EDGE_POPULATION = 0.02
MOST_WAYS = 12  # of the barriers, the lowest, behind which states are looked for
MOST_DESCENTS = 17  # to the bottom of the well
FEWEST = 4  # functions of a mode that has an edge


@dataclass(frozen=True)
class Falling:
    """Ways along which the potential falls without end: unit vectors ``ways`` (n, d), ``distances`` (n,) of their
    barriers, the lowest first, the ``bottom`` of the well about q = 0, and the lowest ``barrier`` that the basis
    reaches (modes numbered from 1 as in ``Barrier``), None where it reaches none."""

    ways: np.ndarray
    distances: np.ndarray
    bottom: float
    barrier: Barrier | None

    def hold(self, x: TensorTrain, energy: float, positions: Sequence[np.ndarray]) -> bool:
        """Whether a state lives beyond a barrier; ``positions``: q of each mode along the train, in the order of
        ``ways``."""
        if energy < self.bottom:
            return True
        squares = (mean_square_along(x.cores, positions, way) for way in self.ways)
        return any(square > 0.5 * distance**2 for square, distance in zip(squares, self.distances))


def falling(products: Mapping[Key, complex], modes: Sequence[Mode]) -> Falling | None:
    """Where the potential falls without end; None where no direction is found in which it does."""
    terms, unknown = _potential(products, modes)
    if all(sum(powers.values()) < 2 for powers, _ in terms):
        return None  # nothing but forces: no well is meant
    found = [fall for fall in falls(len(modes), terms) if not unknown & set(fall.modes)]
    if not found:
        return None
    ranges = [_range(mode) for mode in modes]
    barrier = reached(ranges, found)
    lowest = sorted(found, key=lambda fall: fall.height)[:MOST_WAYS]
    ways = np.zeros((len(lowest), len(modes)))
    for way, fall in zip(ways, lowest):
        way[list(fall.modes)] = fall.direction
    distances = np.array([fall.distance for fall in lowest])
    return Falling(ways, distances, _bottom(len(modes), terms, float(distances.min())), barrier)


def _bottom(d: int, terms: Sequence[tuple[Mapping[int, int], float]], room: float) -> float:
    """The lowest minimum that a descent finds within ``room`` of q = 0."""

    def potential(q: np.ndarray) -> float:
        return sum(c * math.prod(q[k] ** power for k, power in powers.items()) for powers, c in terms)

    starts = np.vstack([np.zeros(d), np.eye(d), -np.eye(d)])[:MOST_DESCENTS]
    found = [minimize(potential, q, method="BFGS", options={"maxiter": 100}) for q in starts]
    values = [float(one.fun) for one in found if np.all(np.isfinite(one.x)) and np.linalg.norm(one.x) < room]
    return min(values, default=-np.inf)


def _potential(
    products: Mapping[Key, complex], modes: Sequence[Mode]
) -> tuple[list[tuple[dict[int, int], float]], set[int]]:
    """The terms that are powers of q, and the modes that something else acts on."""
    terms: list[tuple[dict[int, int], float]] = []
    unknown: set[int] = set()
    for k, mode in enumerate(modes):
        if isinstance(mode, Sinc) and not mode.interval[0] < 0.0 < mode.interval[1]:
            unknown.add(k)
    for key, c in products.items():
        names = {name for _, product in key for name, _ in product}
        if names & KINETIC or not key:
            continue
        powers = {k: _power(modes[k], product) for k, product in key}
        if c.imag or any(power is None for power in powers.values()):
            unknown |= {k for k, _ in key}
            continue
        if "n" in names and c.real < 0.0:  # turned round as a whole, with its kinetic energy
            unknown |= {k for k, _ in key}
            continue
        factor = math.prod(scale for _, scale in powers.values())  # type: ignore[misc]
        terms.append(({k: power for k, (power, _) in powers.items()}, float(c.real) * factor))  # type: ignore[misc]
    return terms, unknown


def warning_of(barrier: Barrier) -> str:
    """What a user is told of a hole within the basis, modes numbered from 0."""
    modes = ", ".join(str(k - 1) for k in barrier.modes)
    return (
        f"the potential is unbounded below: barrier of {numeral(barrier.height)} (modes {modes} at |q| = "
        f"{barrier.distance:.1f}) within the range of the basis; only states below it, and in the well, mean anything"
    )


def _power(mode: Mode, product: Product) -> tuple[int, float] | None:
    """The power of q that a product is, and its factor; None for anything else."""
    if all(name == "q" for name, _ in product) and "q" in mode.operators:
        return sum(power for _, power in product), 1.0
    if product == (("n", 1),) and isinstance(mode, (Harmonic, Boson)):
        return 2, 0.5 * (mode.mass * mode.frequency if isinstance(mode, Harmonic) else 1.0)
    return None


def _range(mode: Mode) -> float:
    """How far out the functions reach, in q."""
    if isinstance(mode, Sinc):
        return max(abs(mode.interval[0]), abs(mode.interval[1]))
    scale = mode.mass * mode.frequency if isinstance(mode, Harmonic) else 1.0
    return math.sqrt((2.0 * mode.size - 1.0) / scale)


def edges(modes: Sequence[Mode]) -> list[list[int]]:
    """Of each mode the functions behind which the basis ends; none for spins and for a handful of levels."""
    found = []
    for mode in modes:
        if isinstance(mode, Sinc):
            found.append([0, mode.size - 1])
        else:
            last = isinstance(mode, (Harmonic, Boson)) and mode.size >= FEWEST
            found.append(list(range(mode.size - EDGE, mode.size)) if last else [])
    return found


def edge_weight(x: TensorTrain, functions: Sequence[Sequence[int]]) -> float:
    """The largest weight that a state has in the functions of one mode given, over the modes. Cost O(d n r^3)."""
    rights = [np.ones((1, 1))]
    for core in x.cores[:0:-1]:
        rights.append(np.einsum("anb,bc,dnc->ad", core, rights[-1], core.conj(), optimize=True))
    left, worst = np.ones((1, 1)), 0.0
    for k, core in enumerate(x.cores):
        half = np.einsum("ab,anc->bnc", left, core)
        weights = np.einsum("bnc,cd,bnd->n", half, rights[x.d - 1 - k], core.conj(), optimize=True).real
        if functions[k]:
            worst = max(worst, float(weights[list(functions[k])].sum() / weights.sum()))
        left = np.einsum("bnc,bnd->cd", half, core.conj())
    return worst
