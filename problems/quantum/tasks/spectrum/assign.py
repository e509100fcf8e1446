"""From the states of a force field to their labels, and to simpler treatments of the same levels.

1. names and symmetries of the modes, 2. what products the states are made of, 3. a name for every state, each given
once (an E level twice, an A1 and an A2 of one name once each), to the state in which the product weighs most, 4. the
levels of harmonic oscillators, of the mean field (VSCF, optimised for the state) and to second order (VPT2), for the
product that names the state, 5. polyads, 6. measured lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import parity_generators
from problems.quantum.hamiltonians.force_field.effective import Effective, circular_levels
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.mean_field_states import mean_field_energies
from problems.quantum.hamiltonians.force_field.mode_names import ModeName, state_name
from problems.quantum.hamiltonians.force_field.pairs import Axis, axis_of, threefold
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.hamiltonians.force_field.space import FieldSpace
from problems.quantum.hamiltonians.force_field.vpt2 import Vpt2, unfit, vpt2
from problems.quantum.readers.measured_lines import Line
from problems.quantum.tasks.spectrum.configurations import Expansion, Product, display, expansions
from problems.quantum.tasks.spectrum.energy_range import ground_of
from problems.quantum.tasks.spectrum.labels import Configuration, Labels, MeasuredLevels, Polyad, Resonance
from problems.quantum.tasks.spectrum.lines import matched
from problems.quantum.tasks.spectrum.polyads import polyads
from problems.quantum.tasks.spectrum.symmetries import Symmetry, symmetry_of
from solvers.eigen.states import EigenStates
from solvers.sectors.train import SectorTrain

LEAST = 0.05  # weight of a product that names a state where a larger one names another
TOLD = 6  # configurations of a state that report.json has
NEAR = 100.0  # cm-1: Darling-Dennison partners further apart are not told
PARTNERS = 50.0  # of the accuracy: two states of one name and symmetry further apart are no partners
CUBIC = (
    "modes are degenerate by threes: of a cubic group the states are not told apart, but a level of one state is A, of "
    "two E, of three F, where the errors are smaller than the distance to the next"
)
MIXED = 0.1  # of their distance: a smaller coupling is not told


def labelled(
    space: FieldSpace,
    states: EigenStates,
    field: ForceField,
    rotation: Rotation | None,
    given: Sequence[ModeName] = (),
    irreps: Sequence[str] = (),
    point_group: str = "",
    lines: tuple[Path, Sequence[Line]] | None = None,
) -> Labels | None:
    """Labels of ``states``; None for those of no parities (a complex Hamiltonian).

    ``field``: without rotation terms; ``rotation``: where its terms are part of H; ``given``, ``irreps``,
    ``point_group``: of the modes, or empty; ``lines``: measured ones with their file.
    """
    trains = [x for x in states.trains if isinstance(x, SectorTrain)]
    if len(trains) < len(states.trains):
        return None
    levels = np.asarray(states.energies) - ground_of(states)[0]
    known = irreps or [name.irrep for name in given if name.irrep]
    # parities without what only rounding breaks
    axis = axis_of(field, parity_generators(space.basis.field), known if len(known) == field.d else ())
    symmetry = symmetry_of(field.frequencies, axis, space.charges, given, irreps, point_group)
    if symmetry.group is None and threefold(field):
        symmetry = replace(symmetry, said=CUBIC)
    broken = symmetry.breaks(field)
    found = expansions(space, trains, states.energies, axis)
    named = _Named(symmetry, found, states.charges)
    treated = _Treated(space, field, rotation, axis, named)
    partners = named.partners(levels, PARTNERS * space.basis.accuracy)
    unit = 1.0 if field.unit == "cm-1" else float(field.frequencies.mean()) / 1500.0
    touching = treated.resonances(NEAR * unit)
    return Labels(
        names=[named.name(product) for product in named.products],
        symmetry=named.symmetries,
        functions=_functions(axis is not None, space.basis.sized is None),
        configurations=[named.told(one.harmonic if axis else one.mean_field) for one in found],
        harmonic_configurations=[
            [] if axis or space.basis.sized is None else named.told(one.harmonic) for one in found
        ],
        quanta=[list(product.quanta) for product in named.products],
        angular=[named.angular(product) for product in named.products],
        mode_names=[name.label for name in symmetry.names],
        mode_irreps=[name.irrep for name in symmetry.names],
        symmetry_group=f"{symmetry.said}, which {broken} terms of the field break" if broken else symmetry.said,
        harmonic=treated.harmonic,
        vscf=treated.vscf,
        vpt2=treated.vpt2,
        zero_points=treated.zero_points,
        vpt2_missing=treated.missing,
        coriolis=rotation is not None,
        resonances=touching[0],
        perturbed=touching[1],
        polyads=_blocks(named, found, levels, states.charges, partners),
        measured=None if lines is None else _measured(lines, levels, named, partners),
    )


def _functions(axis: bool, harmonic: bool) -> str:
    """Those that configurations are products of."""
    return "harmonic functions of definite l" if axis else "harmonic functions" if harmonic else "mean-field functions"


class _Named:
    """The product that names each state."""

    def __init__(self, symmetry: Symmetry, found: Sequence[Expansion], sectors: Sequence[int]) -> None:
        self.symmetry = symmetry
        self.labels = [name.label for name in symmetry.names]
        self._order = {name.label: name.order for name in symmetry.names}
        self._pairs = () if symmetry.axis is None else symmetry.axis.pairs
        self._found, self._sectors = found, sectors
        lists = [one.harmonic if symmetry.axis else one.mean_field for one in found]
        self.lists = lists
        self.symmetries = [
            symmetry.of(some[0].quanta, one.charge, sector)
            for some, one, sector in zip(lists, found, sectors, strict=True)
        ]
        self.products = self._once(lists)

    def _once(self, lists: Sequence[list[Product]]) -> list[Product]:
        """3. by falling weight, each name to as many states as its symmetry has partners."""
        room: dict[tuple, int] = {}
        chosen: dict[int, Product] = {}
        offers = [(product.weight, -i, n) for i, some in enumerate(lists) for n, product in enumerate(some)]
        for weight, minus, n in sorted(offers, reverse=True):
            i, product = -minus, lists[-minus][n]
            if i in chosen or (weight < LEAST and n):
                continue
            symmetry = self.symmetries[i]
            key = (product.key, symmetry)
            most = 2 if self.degenerate(i) else 1
            if self.symmetry.mirror is None and self._found[i].charge is not None and any(product.angular):
                most = 2  # A1 and A2, or B1 and B2, that nothing tells apart
            if room.get(key, most):
                room[key] = room.get(key, most) - 1
                chosen[i] = product
        return [chosen.get(i, some[0]) for i, some in enumerate(lists)]

    def degenerate(self, i: int) -> bool:
        """Whether state i is one of two of a level."""
        charge, axis = self._found[i].charge, self.symmetry.axis
        return axis is not None and charge is not None and axis.degenerate(charge)

    def even(self, i: int) -> bool | None:
        """Whether the reflection through the axis leaves state i as it is, None where there is none."""
        mirror = self.symmetry.mirror
        return None if mirror is None else (self._sectors[i] & mirror).bit_count() % 2 == 0

    def name(self, product: Product) -> str:
        quanta: dict[str, int] = {}
        for label, n in zip(self.labels, product.quanta, strict=True):
            quanta[label] = quanta.get(label, 0) + n
        return state_name(quanta, self.angular(product), self._order)

    def angular(self, product: Product) -> dict[str, int]:
        """l of the pairs that have quanta."""
        pairs = zip(self._pairs, product.angular)
        return {self.labels[a]: l for (a, _), l in pairs if product.quanta[a]}

    def told(self, products: Sequence[Product]) -> list[Configuration]:
        return [
            Configuration(self.name(one), round(float(np.sign(one.amplitude) * one.weight), 6))
            for one in products[:TOLD]
        ]

    def partners(self, levels: np.ndarray, tolerance: float) -> dict[int, int]:
        """State -> the one before it that is the other component of the same degenerate level."""
        found: dict[int, int] = {}
        for j in range(len(levels)):
            for i in range(j):
                alike = self.products[i].key == self.products[j].key and self.symmetries[i] == self.symmetries[j]
                if self.degenerate(j) and alike and i not in found and i not in found.values():
                    if levels[j] - levels[i] <= tolerance:
                        found[j] = i
                        break
        return found


class _Treated:
    """Levels of the same names in simpler treatments."""

    def __init__(
        self, space: FieldSpace, field: ForceField, rotation: Rotation | None, axis: Axis | None, named: _Named
    ) -> None:
        self._field, self._axis, self._named = field, axis, named
        quanta = np.array([product.quanta for product in named.products])
        self._quanta = quanta
        self.harmonic = quanta @ field.frequencies
        self.missing = unfit(field)
        found = None if self.missing else vpt2(field, rotation)
        self._second = found
        self.vpt2 = np.full(len(quanta), np.nan) if found is None else self._second_order(found, rotation)
        mean = self._mean_field(space, named)
        self.vscf = mean[1:] - mean[0]
        self.zero_points = {"harmonic": 0.5 * float(field.frequencies.sum()), "vscf": float(mean[0])}
        if found is not None:
            self.zero_points["vpt2"] = found.zero_point

    def _mean_field(self, space: FieldSpace, named: _Named) -> np.ndarray:
        """Of the ground state's product and of the states': with pairs, of the largest product of as many quanta."""
        products = [(0,) * self._field.d]
        for product, one in zip(named.products, named._found, strict=True):
            whole = one.mean_field[0].quanta
            for found in one.mean_field:
                if self._totals(found.quanta) == self._totals(product.quanta):
                    whole = found.quanta
                    break
            else:
                whole = product.quanta if self._axis is None else ()
            products.append(whole)
        places = [{int(v): n for n, v in enumerate(labels)} for labels in space.labels]
        energies = np.full(len(products), np.nan)
        inside = [
            s for s, one in enumerate(products) if one and all(one[k] in places[i] for i, k in enumerate(space.order))
        ]
        indices = [[places[i][products[s][k]] for i, k in enumerate(space.order)] for s in inside]
        energies[inside] = mean_field_energies(space.terms, indices)
        return energies

    def _totals(self, quanta: Sequence[int]) -> tuple[int, ...]:
        whole = list(quanta)
        for a, b in () if self._axis is None else self._axis.pairs:
            whole[a], whole[b] = whole[a] + whole[b], 0
        return tuple(whole)

    def _second_order(self, found: Vpt2, rotation: Rotation | None) -> np.ndarray:
        levels = found.levels(self._quanta)
        if self._axis is None:
            return levels
        effective = Effective(self._field, rotation, found.resonances)
        bottom = float(effective.matrix([(0,) * self._field.d])[0, 0])
        signs = np.array(self._axis.signs)
        groups: dict[tuple[int, ...], dict[tuple, list[float]]] = {}
        used: dict[tuple, int] = {}
        for s, product in enumerate(self._named.products):
            n = sum(product.quanta[a] for a, _ in self._axis.pairs)
            if n < 2:
                continue
            if product.quanta not in groups:
                own: dict[tuple, list[float]] = {}
                for energy, l, even in circular_levels(effective, product.quanta, self._axis.pairs, self._axis.mirror):
                    own.setdefault((display(tuple((signs * l).tolist())), even), []).append(energy - bottom)
                groups[product.quanta] = own
            # A1 and A2 of one l have levels of their own, told apart by the reflection as the states are
            kind = (product.angular, self._named.even(s))
            several = groups[product.quanta].get(kind, [])
            at = used.get((product.quanta, kind), 0)
            used[product.quanta, kind] = at + 1
            levels[s] = several[min(at, len(several) - 1)] if several else np.nan
        return levels

    def resonances(self, near: float) -> tuple[list[Resonance], list[list[int]]]:
        """Fermi resonances that were taken out and touch a state, and Darling-Dennison pairs among the states."""
        told: list[Resonance] = []
        touched: list[list[int]] = [[] for _ in self._quanta]
        if self._second is None:
            return told, touched
        names = self._named
        for one in self._second.resonances:
            at = [s for s, quanta in enumerate(self._quanta) if one.touches(quanta.tolist())]
            if not at:
                continue
            sides = []
            for modes in ((one.i, one.j), (one.k,)):
                quanta = [0] * self._field.d
                for k in modes:
                    quanta[k] += 1
                sides.append(names.name(Product(tuple(quanta), 1.0, (0,) * len(names._pairs))).replace("^0", ""))
            for s in at:
                touched[s].append(len(told))
            told.append(Resonance("Fermi", " ≈ ".join(sides), one.distance, one.constant))
        if self._axis is not None:  # quanta shared by partners are in the effective Hamiltonian already
            return told, touched
        effective = Effective(self._field, None, self._second.resonances)
        for j in range(len(self._quanta)):
            for i in range(j):
                moved = self._quanta[j] - self._quanta[i]
                gap = float(self.vpt2[j] - self.vpt2[i])
                if moved.sum() or np.abs(moved).sum() != 4 or abs(gap) > near:
                    continue
                pair = [tuple(self._quanta[i].tolist()), tuple(self._quanta[j].tolist())]
                coupling = float(effective.matrix(pair)[0, 1])
                if abs(coupling) <= MIXED * abs(gap):
                    continue
                words = " ≈ ".join(names.name(names.products[s]) for s in (i, j))
                touched[i].append(len(told))
                touched[j].append(len(told))
                told.append(Resonance("Darling-Dennison", words, gap, coupling))
        return told, touched


def _blocks(
    named: _Named,
    found: Sequence[Expansion],
    levels: np.ndarray,
    sectors: Sequence[int],
    partners: dict[int, int],
) -> list[Polyad]:
    """5. one component of a degenerate level stands for both; others of one parity share nothing with the rest."""
    first = [i for i in range(len(levels)) if i not in partners]
    kinds: list[object] = []
    for i in first:
        charge = found[i].charge
        kinds.append(abs(charge or 0) if named.degenerate(i) else (charge, sectors[i]))
    coefficients = [{one.key: one.amplitude for one in named.lists[i]} for i in first]
    blocks = polyads(coefficients, levels[first], kinds)  # type: ignore[arg-type]
    told = []
    for block in blocks:
        names = [named.name(Product(key[0], 1.0, key[1])) for key in block.configurations]  # type: ignore[index]
        couplings = block.matrix - np.diag(np.diag(block.matrix))
        told.append(
            Polyad(
                [first[i] for i in block.states],
                names,
                [float(value) for value in np.diag(block.matrix)],
                [[float(value) for value in row] for row in couplings],
                block.share,
            )
        )
    return told


def _measured(
    lines: tuple[Path, Sequence[Line]], levels: np.ndarray, named: _Named, partners: dict[int, int]
) -> MeasuredLevels:
    quanta, angular, by_mode = [], [], []
    for product in named.products:
        own: dict[str, int] = {}
        for label, n in zip(named.labels, product.quanta, strict=True):
            own[label] = own.get(label, 0) + n
        quanta.append(own)
        angular.append(named.angular(product))
        by_mode.append({str(k + 1): n for k, n in enumerate(product.quanta)})
    return matched(lines[0], lines[1], levels, quanta, angular, by_mode, partners)
