"""The hole of a force field in words, and whether a product basis reaches into it.

A quartic field is an expansion: along some direction it may fall without end behind a barrier (boundedness). A basis of
products is a box, whose corners reach further than any of its modes. Whether it holds states of the hole is asked of
the basis itself: a mean field that starts behind a barrier and ends below the states asked for is such a state, and the
variational principle says that lower ones exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize

from problems.quantum.hamiltonians.force_field.boundedness import barriers, basis_range
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.product_basis import ProductBasis
from problems.quantum.hamiltonians.force_field.sizes import lowest_products
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.measured import numeral
from solvers.sectors.train import SectorTrain, truncate

FEW_MODES = 6  # of a field whose products of few quanta are as accurate as its product basis: a corner is enough
STARTS = 12  # barriers, the lowest, behind which a mean field starts
BEHIND = 1.3  # times the distance of the barrier
SWEEPS, SETTLED = 40, 1e-6  # of a mean field; relative
TOLD = 0.15  # component of a direction that is named
MOST_TOLD = 5
LEADING = 24  # TT-rank of the part of a state that is looked at


@dataclass(frozen=True)
class Hole:
    """The lowest way into a hole: ``height`` of its barrier above the bottom of the well at ``distance``, the
    ``direction`` (d,), and how many of the ``asked`` states lie ``below`` it, their zero-point energy along it
    included, up to ``highest`` above the lowest."""

    height: float
    distance: float
    direction: np.ndarray
    below: int
    asked: int
    highest: float
    unit: str

    @property
    def way(self) -> str:
        """The direction as a sum of coordinates."""
        u = self.direction
        named = [int(k) for k in np.argsort(-np.abs(u), kind="stable") if abs(u[k]) >= TOLD * np.abs(u).max()]
        told = " ".join(f"{'-' if u[k] < 0 else '+'} {abs(u[k]):.2f} q{k + 1}" for k in named[:MOST_TOLD])
        more = len(named) - MOST_TOLD
        return told.removeprefix("+ ") + (f" and {more} more modes" if more > 0 else "")

    @property
    def barrier(self) -> str:
        """Its height and place."""
        return f"a barrier of {numeral(self.height)} {self.unit} along {self.way} (|q| = {self.distance:.1f})"

    @property
    def levels(self) -> str:
        """Which of the states asked for lie below it."""
        if self.below == self.asked:
            return (
                f"all {self.asked} states asked for lie below it"
                if self.asked > 1
                else "the state asked for lies below it"
            )
        if self.below == 0:
            return "no state lies below it"
        above = f"up to {numeral(self.highest)} {self.unit} above the lowest"
        return f"{self.below} of the {self.asked} states asked for lie below it, {above}"

    @property
    def far(self) -> str:
        """What is said of a hole that the basis does not reach."""
        return (
            f"the potential is unbounded below far out, where the basis does not reach: {self.barrier}; {self.levels}"
        )

    @property
    def refusal(self) -> str:
        """Why the field is refused, and what can be done."""
        what = "the potential is unbounded below"
        ways = "correct the field, take holes: warn for levels that stand still beside it, or bound it by {tanh: 0.15}"
        if self.below == 0:
            ways = "correct the field, or bound it by holes: {tanh: 0.15}"
        return f"{what}: it falls behind {self.barrier}; {self.levels}: {ways}"


def lowest_hole(field: ForceField, n_states: int) -> Hole | None:
    """The lowest barrier found before the potential falls without end; None where none is found."""
    found = barriers(field)
    if not found:
        return None
    fall = min(found, key=lambda one: one.height)
    u = np.zeros(field.d)
    u[list(fall.modes)] = fall.direction
    room = fall.height - 0.5 * float(u**2 @ field.frequencies)
    sums = lowest_products([w * np.arange(n_states) for w in field.frequencies], n_states)[1]
    below = int(np.sum(sums < room))
    return Hole(fall.height, fall.distance, u, below, n_states, float(sums[below - 1]) if below else 0.0, field.unit)


def bottom_of(field: ForceField) -> float:
    """The lowest potential of the well about q = 0: no level of it lies below."""
    found = minimize(lambda q: float(field.potential(q)), np.zeros(field.d), method="BFGS", options={"gtol": 1e-6})
    inside = bool(np.all(np.abs(found.x) < 2.0)) and np.isfinite(found.fun)
    return min(float(found.fun), 0.0) if inside else 0.0


def reaches(basis: ProductBasis) -> bool:
    """Whether a product basis reaches a hole of its field so far that levels may be those of the hole."""
    found = sorted(barriers(basis.field), key=lambda one: one.height)
    if not found:
        return False
    ranges = np.array([basis_range(b) for b in basis.bases(basis.sizes)])
    top = float(lowest_products(basis.terms.energies, basis.n_states)[1][-1])
    for fall in found:
        own = ranges[list(fall.modes)]
        place = np.abs(fall.direction) * fall.distance
        within = bool(np.sum((place / own) ** 2) <= 1.0)
        along = 0.5 * float(fall.direction**2 @ basis.field.frequencies[list(fall.modes)])
        if within and (len(ranges) <= FEW_MODES or fall.height < along + top):
            return True
        if len(ranges) <= FEW_MODES and bool(np.all(place <= own)):
            return True
    return holds_ghosts(basis)


def beyond(basis: ProductBasis, energies: np.ndarray, trains: Sequence[SectorTrain]) -> np.ndarray:
    """(n,) whether a state lives in a hole: below the bottom of the well, or further along a way into the hole than a
    state whose turning point is the barrier, <(u . q)^2> > distance^2 / 2."""
    found = sorted(barriers(basis.field), key=lambda one: one.height)[:STARTS]
    ways = np.zeros((len(found), basis.field.d))
    for way, fall in zip(ways, found):
        way[list(fall.modes)] = fall.direction * np.sqrt(2.0) / max(fall.distance, 1e-300)
    ways = ways[:, list(basis.order)]
    positions = [stack[1] for stack in basis.terms.matrices]
    ghosts = energies < bottom_of(basis.field)
    for i, x in enumerate(trains):
        cores = truncate(x, LEADING)[0].to_train().cores
        ghosts[i] |= any(mean_square_along(cores, positions, way) > 1.0 for way in ways)
    return ghosts


def mean_square_along(cores: Sequence[np.ndarray], positions: Sequence[np.ndarray], way: np.ndarray) -> float:
    """<(sum_k way_k q_k)^2> of a train: environments with the sum to the power 0, 1 and 2."""
    zero, one, two = np.ones((1, 1)), np.zeros((1, 1)), np.zeros((1, 1))

    def passed(left: np.ndarray, core: np.ndarray, acting: np.ndarray) -> np.ndarray:
        half = np.tensordot(left, core, (0, 0)).reshape(-1, core.shape[2])  # (a n) b, the bra's bond first
        bra = np.tensordot(core.conj(), acting, (1, 0)).transpose(0, 2, 1).reshape(-1, core.shape[2])
        return half.T @ bra

    for core, q, u in zip(cores, positions, way):
        same, linear, square = np.eye(len(q)), u * q, u * u * (q @ q)
        two = passed(two, core, same) + 2.0 * passed(one, core, linear) + passed(zero, core, square)
        one = passed(one, core, same) + passed(zero, core, linear)
        zero = passed(zero, core, same)
    return float(np.real(two[0, 0] / zero[0, 0]))


def holds_ghosts(basis: ProductBasis) -> bool:
    """Whether a mean field from behind a barrier ends below the states asked for, apart from the well's own."""
    d, found = basis.field.d, sorted(barriers(basis.field), key=lambda one: one.height)
    top = float(lowest_products(basis.terms.energies, basis.n_states)[1][-1])
    lowest = _mean_field(basis.terms, np.zeros(d))
    for fall in found[:STARTS]:
        place = np.zeros(d)
        place[list(fall.modes)] = BEHIND * fall.distance * fall.direction
        energy = _mean_field(basis.terms, place[list(basis.order)])
        if energy < lowest + top and abs(energy - lowest) > 1e3 * SETTLED * max(abs(lowest), 1.0):
            return True
    return False


def _mean_field(terms: ProductTerms, place: np.ndarray) -> float:
    """The energy of the product that a mean field ends in, begun with the functions nearest to ``place`` (d,)."""
    states = []
    for stack, q in zip(terms.matrices, place):
        at, vectors = eigh(stack[1])
        states.append(vectors[:, int(np.argmin(np.abs(at - q)))])
    means = [np.einsum("i,pij,j->p", x, m, x) for x, m in zip(states, terms.matrices)]
    acting: list[list[tuple[float, int, list[tuple[int, int]]]]] = [[] for _ in states]
    for c, product in terms.terms:
        for k, p in product.items():
            acting[k].append((float(c), p, [(j, r) for j, r in product.items() if j != k]))
    energy = np.inf
    for _ in range(SWEEPS):
        for k, stack in enumerate(terms.matrices):
            weights = np.zeros(len(stack))
            for c, p, others in acting[k]:
                for j, r in others:
                    c *= means[j][r]
                weights[p] += c
            states[k] = eigh(np.tensordot(weights, stack, 1), subset_by_index=[0, 0])[1][:, 0]
            means[k] = np.einsum("i,pij,j->p", states[k], stack, states[k])
        before, energy = energy, _mean_energy(terms, means)
        if abs(before - energy) <= SETTLED * max(abs(energy), 1.0):
            break
    return energy


def _mean_energy(terms: ProductTerms, means: Sequence[np.ndarray]) -> float:
    total = 0.0
    for c, product in terms.terms:
        part = float(c)
        for k, p in product.items():
            part *= float(means[k][p])
        total += part
    return total
