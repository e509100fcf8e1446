"""What products of functions the states of a force field are made of, from their trains.

Three sets of functions: the mean-field functions of the basis; the harmonic ones, whose products normal coordinates
have; and of degenerate pairs the harmonic ones of definite v and l (hamiltonians.force_field.pairs). A train is turned
into another set mode by mode, the cores of a pair being joined first, and its leading entries are read off. In the last
set a rotation about the axis multiplies an entry by exp(i theta s l), so that its expectation, exact for a train, tells
A from E: cos(theta c), c the charge. Partners in a degenerate level are arbitrary mixtures; the weight of l and -l
together is the same in all of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from problems.quantum.hamiltonians.force_field.pairs import BROKEN, Axis, circular_functions
from problems.quantum.hamiltonians.force_field.primitives import Primitive
from problems.quantum.hamiltonians.force_field.space import FieldSpace
from problems.quantum.hamiltonians.oscillator import harmonic_values
from solvers.formats.trains.leading import leading_entries
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.leading_products import leading_products
from solvers.sectors.train import SectorTrain, truncate

CUT = 3e-4  # relative, of a train before it is turned: entries are good to it
MOST_RANK = 40  # of such a train; what lies beyond is smaller than CUT for levels of a few hundredths of a wavenumber
READ = 24  # entries of a state that are looked at
MORE_FUNCTIONS = 2  # harmonic ones beyond those of the basis
STEP = 0.05  # of q, of points on which functions that are not centred at zero are expanded
PURE, NEARLY = 0.02, 0.3  # of the expectation of the rotation: under a field that has the axis, or all but has it
ANGLE = 1.0  # radians, about the axis of a linear molecule

Quanta = tuple[int, ...]
Entries = Sequence[tuple[complex, tuple[int, ...]]]


@dataclass(frozen=True)
class Product:
    """One product in a state: ``quanta`` of every mode of the field, real ``amplitude``; of a degenerate pair the
    quanta stand with its first mode, ``angular`` has l of every pair, oriented as the rotation turns them, and the
    amplitude is that of l and -l together."""

    quanta: Quanta
    amplitude: float
    angular: tuple[int, ...] = ()

    @property
    def weight(self) -> float:
        """Share of the state."""
        return self.amplitude**2

    @property
    def key(self) -> tuple[Quanta, tuple[int, ...]]:
        """What product it is."""
        return self.quanta, self.angular


@dataclass(frozen=True)
class Expansion:
    """A state's leading products of ``mean_field`` functions and of ``harmonic`` ones, of definite l where there is an
    axis; ``charge``: of the rotation, None without an axis."""

    mean_field: list[Product]
    harmonic: list[Product]
    charge: int | None = None


def expansions(
    space: FieldSpace, trains: Sequence[SectorTrain], energies: np.ndarray, axis: Axis | None
) -> list[Expansion]:
    """Of every state; ``energies`` (n,): states whose energies the accuracy does not tell apart may be mixtures.

    Cost of a state O(d n r^3 + pairs n^3 r^2), r at most ``MOST_RANK``.
    """
    turns = _Turns(space, axis)
    turned = [turns.turned(x) for x in trains]
    entries = [leading_entries(x, READ if axis is None else 2 * READ) for x in turned]
    charges: list[int | None] = [None] * len(trains)
    if axis is not None:
        charges = list(_charges(turns, turned, entries, energies, space.basis.accuracy))
    return [
        Expansion(turns.mean_field(x), turns.products(found, charge), charge)
        for x, found, charge in zip(trains, entries, charges, strict=True)
    ]


class _Turns:
    """From trains in the basis of a space to harmonic functions."""

    def __init__(self, space: FieldSpace, axis: Axis | None) -> None:
        self._order, self._labels, self.axis = space.order, space.labels, axis
        bases = space.basis.bases(space.basis.sizes)
        self._matrices = []
        for k in space.order:
            basis = bases[k]
            n = basis.n + MORE_FUNCTIONS
            self._matrices.append(in_harmonic(basis.primitive, n) @ basis.coefficients)
        self._pairs = () if axis is None else axis.pairs
        first = {a: b for a, b in self._pairs}
        second = set(first.values())
        # modes along the turned train: partners side by side, where the first of them stands
        self._sites: list[tuple[int, ...]] = []
        for k in space.order:
            if k in first:
                self._sites.append((k, first[k]))
            elif k not in second:
                self._sites.append((k,))
        place = {k: i for i, k in enumerate(space.order)}
        self._axes = tuple(place[k] for site in self._sites for k in site)

    def mean_field(self, x: SectorTrain) -> list[Product]:
        """Leading products of the functions of the basis, the largest positive."""
        found = []
        for value, functions in leading_products(x, READ):
            quanta = [0] * len(self._order)
            for i, k in enumerate(self._order):
                quanta[k] = int(self._labels[i][functions[i]])
            found.append(Product(tuple(quanta), value))
        return _signed(found)

    def turned(self, x: SectorTrain) -> TensorTrain:
        """In harmonic functions; partners' modes are joined, their functions those of definite v and l."""
        small, _ = truncate(x, MOST_RANK, CUT)
        cores = [np.einsum("hn,anb->ahb", u, core) for u, core in zip(self._matrices, small.to_train().cores)]
        dense = TensorTrain(tuple(cores))
        if not self._pairs:
            return dense
        if self._axes != tuple(range(dense.d)):
            dense = dense.transpose(*self._axes, tol=CUT)
        joined, k = [], 0
        for site in self._sites:
            if len(site) == 1:
                joined.append(dense.cores[k].astype(complex))
            else:
                joined.append(self._joined(dense.cores[k], dense.cores[k + 1]))
            k += len(site)
        return TensorTrain(tuple(joined))

    def _joined(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Functions (v, l) of a pair, shell by shell: only products of as many quanta mix."""
        n = min(left.shape[1], right.shape[1])
        names, functions = _circular(n)
        core = np.zeros((left.shape[0], len(names), right.shape[2]), dtype=complex)
        for v in range(n):
            rows = [r for r, (total, _) in enumerate(names) if total == v]
            shell = np.einsum("aib,bic->aic", left[:, : v + 1], right[:, v::-1] if v else right[:, :1])
            own = functions[rows][:, np.arange(v + 1), v - np.arange(v + 1)]
            core[:, rows] = np.einsum("ri,aic->arc", own.conj(), shell)
        return core

    @cached_property
    def _names(self) -> list[list[tuple[int, int]]]:
        """(v, l) of the functions of each site; l zero of single modes."""
        sizes = {k: self._matrices[i].shape[0] for i, k in enumerate(self._order)}
        found = []
        for site in self._sites:
            n = min(sizes[k] for k in site)
            found.append([(v, 0) for v in range(n)] if len(site) == 1 else _circular(n)[0])
        return found

    def products(self, entries: Entries, charge: int | None) -> list[Product]:
        """Leading products of a turned train; of one charge (or its negative) where that is known."""
        if self.axis is None:
            places = [(tuple(self._names[i][m][0] for i, m in enumerate(at)), value.real) for value, at in entries]
            found = []
            for v, value in places:
                quanta = [0] * len(self._order)
                for site, n in zip(self._sites, v, strict=True):
                    quanta[site[0]] = n
                found.append(Product(tuple(quanta), value))
            return _signed(found)
        return self._merged(entries, charge)

    def _merged(self, entries: Entries, charge: int | None) -> list[Product]:
        """l and -l together: the weight is the sum; the sign that of the phase against the largest of them."""
        assert self.axis is not None
        values: dict[tuple[Quanta, tuple[int, ...]], list[complex]] = defaultdict(list)
        phases: dict[tuple[Quanta, tuple[int, ...]], complex] = {}
        pair_of = {a: p for p, (a, _) in enumerate(self.axis.pairs)}
        for value, at in entries:
            quanta, angular = [0] * len(self._order), [0] * len(self._pairs)
            for site, names, m in zip(self._sites, self._names, at, strict=True):
                quanta[site[0]] = names[m][0]
                if len(site) == 2:
                    p = pair_of[site[0]]
                    angular[p] = self.axis.signs[p] * names[m][1]
            own, turned = tuple(angular), tuple(-l for l in angular)
            own_charge = self.axis.charge([s * l for s, l in zip(self.axis.signs, own)], quanta)
            if charge is not None and abs(own_charge) != abs(charge):
                continue
            # of the two the one that the rotation turns forwards; without a charge the one whose first l is positive
            forwards = own_charge > 0 if self.axis.degenerate(own_charge) else own >= turned
            key = (tuple(quanta), own if forwards else turned)
            values[key].append(value)
            if forwards or key not in phases:
                phases[key] = value if forwards else value.conjugate()
        if not values:  # nothing of that charge leads: mixtures that were told apart by their energies alone
            return self._merged(entries, None)
        found = []
        reference = max(phases.values(), key=abs, default=1.0)
        for key, several in values.items():
            size = math.sqrt(sum(abs(value) ** 2 for value in several))
            sign = -1.0 if (phases[key] * np.conj(reference)).real < 0.0 else 1.0
            found.append(Product(key[0], sign * size, display(key[1])))
        return _signed(sorted(found, key=lambda one: -abs(one.amplitude)))

    def leading_charge(self, entries: Entries) -> int:
        """Of the largest entry of a turned train, without its sign."""
        assert self.axis is not None
        quanta, angular = [0] * len(self._order), {}
        for site, names, m in zip(self._sites, self._names, entries[0][1], strict=True):
            quanta[site[0]], angular[site[0]] = names[m]
        return abs(self.axis.charge([angular[a] for a, _ in self.axis.pairs], quanta))

    def rotation(self, x: TensorTrain, y: TensorTrain, angle: float) -> float:
        """Re <x| rotation |y> of turned trains, relative to their norms."""
        assert self.axis is not None
        pair_of = {a: p for p, (a, _) in enumerate(self.axis.pairs)}
        left = np.ones((1, 1), dtype=complex)
        for site, names, a, b in zip(self._sites, self._names, x.cores, y.cores, strict=True):
            phase = np.ones(len(names), dtype=complex)
            if len(site) == 2:
                turn = self.axis.turns[pair_of[site[0]]]
                phase = np.exp(1j * angle * turn * np.array([l for _, l in names]))
            elif site[0] in self.axis.odd:
                phase = (-1.0 + 0.0j) ** np.array([v for v, _ in names])
            half = np.tensordot(left, b * phase[None, :, None], 1)
            left = np.tensordot(a.conj(), half, ((0, 1), (0, 1)))
        return float(left[0, 0].real)


_CIRCULAR: dict[int, tuple[list[tuple[int, int]], np.ndarray]] = {}


def _circular(n: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    if n not in _CIRCULAR:
        _CIRCULAR[n] = circular_functions(n)
    return _CIRCULAR[n]


def display(angular: tuple[int, ...]) -> tuple[int, ...]:
    """Of l and -l the one that is written: its first that is not zero is positive."""
    return max(angular, tuple(-l for l in angular))


def in_harmonic(primitive: Primitive, n: int) -> np.ndarray:
    """The first n harmonic functions of q (rows) in those of a primitive basis (columns)."""
    if primitive.centre == 0.0 and primitive.width == 1.0:
        return np.eye(n, primitive.size)
    low, high = primitive.reach
    reach = max(-low, high, math.sqrt(2.0 * n + 1.0)) + 6.0 * max(primitive.width, 1.0)
    step = STEP * min(primitive.width, 1.0)
    points = np.arange(-reach, reach + step, step)
    own = harmonic_values(primitive.size, (points - primitive.centre) / primitive.width) / math.sqrt(primitive.width)
    return harmonic_values(n, points) @ own.T * step


def _signed(found: list[Product]) -> list[Product]:
    """The overall sign of a state is free: its largest product is positive."""
    if not found or found[0].amplitude >= 0.0:
        return found
    return [Product(one.quanta, -one.amplitude, one.angular) for one in found]


def _charges(
    turns: _Turns, trains: Sequence[TensorTrain], entries: Sequence[Entries], energies: np.ndarray, accuracy: float
) -> list[int]:
    """Charge of every state, up to its sign: 1. from its own expectation, 2. where that is no value the rotation can
    have, by diagonalising the rotation in all states as near as the accuracy, each getting the value of the combination
    that it has most of."""
    axis = turns.axis
    assert axis is not None
    angle = 2.0 * math.pi / axis.fold if axis.fold else ANGLE
    allowed = np.arange(axis.fold // 2 + 1 if axis.fold else 4 * READ)
    values = np.cos(angle * allowed)
    norms = [x.norm() for x in trains]

    def element(i: int, j: int) -> float:
        return turns.rotation(trains[i], trains[j], angle) / (norms[i] * norms[j])

    found: list[int] = []
    own = [element(i, i) for i in range(len(trains))]
    for i, value in enumerate(own):
        lead = turns.leading_charge(entries[i])
        expected = math.cos(angle * lead)
        found.append(lead if abs(value - expected) < (PURE if axis.broken <= BROKEN else NEARLY) else -1)
    for i in range(len(trains)):
        if found[i] >= 0:
            continue
        near = [j for j in range(len(trains)) if abs(energies[j] - energies[i]) <= 2.0 * accuracy]
        matrix = np.array([[element(a, b) for b in near] for a in near])
        mixed, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
        free = list(range(len(near)))
        for a in sorted(range(len(near)), key=lambda a: -float(np.max(vectors[a] ** 2))):
            column = max(free, key=lambda c: vectors[a, c] ** 2)
            free.remove(column)
            found[near[a]] = int(allowed[int(np.argmin(np.abs(values - mixed[column])))])
    return found
