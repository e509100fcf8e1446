"""The effective Hamiltonian of products of one energy, to second order in the anharmonicity, by sums over states.

    H_uv = E0 delta_uv + <u|V4 + H_rot|v> - sum_n <u|V3|n><n|V3|v> / (E_n - E0)

over harmonic products n outside of the group (Van Vleck, Phys. Rev. 33, 467 (1929)); what a resonance couples is left
out. On the diagonal of a single product this is the formula of module vpt2. Products are tuples of quanta.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import product

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.pairs import circular_functions
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from problems.quantum.hamiltonians.force_field.vpt2 import Fermi, principal

LARGEST = 64  # products of one group: more are not diagonalised
State = tuple[int, ...]
Vector = dict[State, float]


class Effective:
    """Of one field; ``rotation``: with the Coriolis part; ``resonances``: those left out."""

    def __init__(self, field: ForceField, rotation: Rotation | None, resonances: Sequence[Fermi]) -> None:
        self._w = field.frequencies
        self._cubic = [(modes, c) for modes, c in field.terms.items() if len(modes) == 3]
        self._quartic = [(modes, c) for modes, c in field.terms.items() if len(modes) == 4]
        self._known: dict[State, tuple[Vector, Vector]] = {}
        self._axes = [] if rotation is None else principal(rotation)
        self._resonant = {(one.k, *sorted((one.i, one.j))) for one in resonances}

    def matrix(self, group: Sequence[State]) -> np.ndarray:
        """Of the products of a group, (n, n), energies from the bottom of the harmonic wells."""
        n = len(group)
        through, direct = zip(*(self._both(state) for state in group))
        energies = [float(self._w @ (np.array(state) + 0.5)) for state in group]
        middle = float(np.mean(energies))  # partners' printed frequencies may differ in the last digit
        found = np.zeros((n, n))
        for v in range(n):
            for u in range(v + 1):
                value = direct[v].get(group[u], 0.0)
                few, many = sorted((through[u], through[v]), key=len)
                for state, amplitude in few.items():
                    other = many.get(state)
                    if other is None or self._left_out(state, group[u]) or self._left_out(state, group[v]):
                        continue
                    gap = float(self._w @ (np.array(state) + 0.5)) - middle
                    value -= amplitude * other / gap
                found[u, v] = found[v, u] = value
            found[v, v] += energies[v]
        return found + self._rotation(group)

    def _both(self, state: State) -> tuple[Vector, Vector]:
        """V3 and V4 on a product, kept for the next group that has it."""
        if state not in self._known:
            self._known[state] = (self._applied(self._cubic, state), self._applied(self._quartic, state))
        return self._known[state]

    def _left_out(self, state: State, start: State) -> bool:
        moved = [(k, a - b) for k, (a, b) in enumerate(zip(state, start)) if a != b]
        for sign in (1, -1):
            down = [k for k, n in moved for _ in range(max(-sign * n, 0))]
            up = [k for k, n in moved for _ in range(max(sign * n, 0))]
            if len(up) == 1 and len(down) == 2 and (up[0], *sorted(down)) in self._resonant:
                return True
        return False

    def _applied(self, terms: Sequence[tuple[tuple[int, ...], float]], state: State) -> Vector:
        found: Vector = defaultdict(float)
        for modes, c in terms:
            vector: Vector = {state: c}
            for k in modes:
                vector = _position(vector, k)
            for key, value in vector.items():
                found[key] += value
        return found

    def _rotation(self, group: Sequence[State]) -> np.ndarray:
        """Of sum_a B_a pi_a^2 about principal axes: pi = -i T, T real, antisymmetric, so <u|pi^2|v> = Tu . Tv."""
        n = len(group)
        found = np.zeros((n, n))
        for constant, zeta in self._axes:
            turned = [self._turned(zeta, state) for state in group]
            for v in range(n):
                for u in range(v + 1):
                    few, many = sorted((turned[u], turned[v]), key=len)
                    value = constant * sum(amplitude * many.get(key, 0.0) for key, amplitude in few.items())
                    found[u, v] += value
                    if u != v:
                        found[v, u] += value
        return found

    def _turned(self, zeta: np.ndarray, state: State) -> Vector:
        """T = sum_(k<l) zeta_kl (sqrt(w_l/w_k) q_k d/dq_l - sqrt(w_k/w_l) q_l d/dq_k) on a product."""
        found: Vector = defaultdict(float)
        for k, l in np.argwhere(np.triu(zeta, 1) != 0.0).tolist():
            ratio = math.sqrt(self._w[l] / self._w[k])
            for key, value in _position(_slope({state: 1.0}, l), k).items():
                found[key] += float(zeta[k, l]) * ratio * value
            for key, value in _position(_slope({state: 1.0}, k), l).items():
                found[key] -= float(zeta[k, l]) / ratio * value
        return found


def _position(vector: Vector, k: int) -> Vector:
    """q_k on a vector."""
    found: Vector = defaultdict(float)
    for state, value in vector.items():
        n = state[k]
        found[(*state[:k], n + 1, *state[k + 1 :])] += value * math.sqrt((n + 1) / 2.0)
        if n:
            found[(*state[:k], n - 1, *state[k + 1 :])] += value * math.sqrt(n / 2.0)
    return found


def _slope(vector: Vector, k: int) -> Vector:
    """d/dq_k on a vector."""
    found: Vector = defaultdict(float)
    for state, value in vector.items():
        n = state[k]
        found[(*state[:k], n + 1, *state[k + 1 :])] -= value * math.sqrt((n + 1) / 2.0)
        if n:
            found[(*state[:k], n - 1, *state[k + 1 :])] += value * math.sqrt(n / 2.0)
    return found


def shared(v: Sequence[int], pairs: Sequence[tuple[int, int]]) -> list[State]:
    """The products that share the quanta of ``v`` otherwise among the partners of each pair, ``v`` among them."""
    choices = [range(v[a] + v[b] + 1) for a, b in pairs]
    found = []
    for given in product(*choices):
        state = list(v)
        for (a, b), n in zip(pairs, given, strict=True):
            state[a], state[b] = v[a] + v[b] - n, n
        found.append(tuple(state))
    return found


def circular_levels(
    effective: Effective, v: Sequence[int], pairs: Sequence[tuple[int, int]], mirror: Collection[int] | None
) -> list[tuple[float, tuple[int, ...], bool | None]]:
    """Levels of the group of ``v``, from the bottom of the wells, ascending, each with the l of every pair that leads
    and whether the reflection that turns the modes ``mirror`` round leaves it as it is (None without one).

    Empty where the group is larger than ``LARGEST``. Cost O(size^3).
    """
    group = shared(v, pairs)
    if len(group) > LARGEST:
        return []
    quanta = [v[a] + v[b] for a, b in pairs]
    turns = np.ones((1, 1), dtype=complex)
    angular: list[tuple[int, ...]] = [()]
    for n in quanta:
        names, functions = circular_functions(n + 1)
        rows = [r for r, (total, _) in enumerate(names) if total == n]
        own = np.array([[functions[r, n - m, m] for m in range(n + 1)] for r in rows])
        turns = np.kron(turns, own)
        angular = [(*before, names[r][1]) for before in angular for r in rows]
    matrix = effective.matrix(group)
    odd = np.array([sum(state[k] for k in mirror or ()) % 2 for state in group])
    found: list[tuple[float, tuple[int, ...], bool | None]] = []
    for parity in (0, 1):  # the reflection keeps products of one parity among themselves
        members = np.flatnonzero(odd == parity)
        energies, vectors = np.linalg.eigh(matrix[np.ix_(members, members)])
        # of a level with both l and -l the weights add up
        weights = np.abs(turns.conj()[:, members] @ vectors) ** 2
        for column, energy in enumerate(energies):
            merged: dict[tuple[int, ...], float] = defaultdict(float)
            for l, weight in zip(angular, weights[:, column], strict=True):
                merged[max(l, tuple(-x for x in l))] += float(weight)
            even = None if mirror is None else not parity
            found.append((float(energy), max(merged, key=merged.__getitem__), even))
    return sorted(found, key=lambda level: level[0])
