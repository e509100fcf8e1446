"""Degenerate pairs of modes, and the rotation about the molecule's axis that acts on them.

With q+- = (q_a +- i q_b) / sqrt 2 of a pair, a rotation by theta multiplies q+ by exp(i s c theta), s = 1 or -1 and c a
whole number (1 for E or E1, 2 for E2), and a single mode by 1 or -1. A monomial of the field with (k+, k-) powers of a
pair has m = k+ - k- of it: the field is invariant if sum_p s_p c_p m_p = 0 for every monomial, modulo n where theta is
2 pi / n and with n/2 added for every power of a mode that changes sign. n = 0 (none but zero) is a linear molecule.
What rotations there are follows from the monomials (module phases), products with a reflection among them: S4 is told
as n = 4. States of the two oscillators with n+ and n- quanta have v = n+ + n- and l = n+ - n-.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.mode_names import LAMBDA, PAIR, Irrep
from problems.quantum.hamiltonians.force_field.phases import elements

BROKEN = 2e-3  # of the norm of the anharmonic terms: what digits of a printed field break of a symmetry
# the same with the quartic terms: those of four different modes are left out by some programs; benzene's lacks 0.16
INCOMPLETE = 0.2
FEW_DIGITS = 3e-4  # relative: frequencies of partners where derivatives have few digits, tried where PAIR finds none
MOST_PAIRS = 12  # signs that are tried: 2^11
LARGEST_FOLD = 12  # of an axis that is named
MOST_PARITIES = 6  # whose products are tried

Charges = tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """``pairs``: (a, b) modes from 0; ``signs`` and ``steps``: s and c of the rotation of each; ``fold``: n, or 0 for a
    linear molecule; ``odd``: single modes that change sign; ``broken``: share of the anharmonic terms that does not
    obey it; ``mirror``: the modes that a reflection through the axis turns round, one of each pair among them, or None
    where the pairs do not lie along such planes; ``choices``: rotations of this fold that call states otherwise."""

    pairs: tuple[tuple[int, int], ...]
    signs: tuple[int, ...]
    fold: int
    broken: float
    mirror: frozenset[int] | None
    steps: tuple[int, ...] = ()
    odd: frozenset[int] = frozenset()
    choices: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", self.steps or (1,) * len(self.pairs))

    @property
    def turns(self) -> tuple[int, ...]:
        """s c of every pair."""
        return tuple(s * c for s, c in zip(self.signs, self.steps, strict=True))

    def charge(self, angular: Sequence[int], quanta: Sequence[int] = ()) -> int:
        """What the rotation says of a state: sum_p s_p c_p l_p and n/2 for every quantum of ``odd``, modulo n, from
        above -n/2 to n/2; ``quanta`` of every mode."""
        total = sum(turn * l for turn, l in zip(self.turns, angular, strict=True))
        if not self.fold:
            return total
        total += self.fold // 2 * sum(quanta[k] for k in self.odd if quanta)
        most = self.fold // 2
        return most - (most - total) % self.fold

    def degenerate(self, charge: int) -> bool:
        """Whether states of this charge come in twos: not those that the rotation multiplies by 1 or -1."""
        return bool(charge) and 2 * abs(charge) != self.fold


def axis_of(field: ForceField, generators: np.ndarray, irreps: Sequence[str] = ()) -> Axis | None:
    """The axis of a field with degenerate pairs, None where there are none or where it has no such symmetry.

    ``generators`` (count, d): parities that the field conserves; ``irreps``: representations of the modes, or empty: of
    several rotations the one that fits them, else that of the largest fold. Cost O(terms 2^pairs), and O(terms) for
    every rotation there is.
    """
    tried: list[tuple[tuple[int, int], ...]] = []
    for within in (PAIR, FEW_DIGITS):
        pairs = _equal_frequencies(field, within)
        if pairs not in tried:
            tried.append(pairs)
            found = _axis(field, pairs, generators, irreps)
            if found is not None:
                return found
    return None


def threefold(field: ForceField) -> bool:
    """Whether some modes are degenerate by threes, as in cubic groups alone."""
    return any(len(group) == 3 for group in _alike(field, PAIR))


def _axis(
    field: ForceField, pairs: tuple[tuple[int, int], ...], generators: np.ndarray, irreps: Sequence[str]
) -> Axis | None:
    if not pairs or len(pairs) > MOST_PAIRS or field.order == 2:
        return None
    sizes = _circular(field, pairs)
    # squares: of cubic terms, and of the others
    charges, squares = np.array(list(sizes)), np.array(list(sizes.values()))
    whole = np.sqrt(squares.sum(axis=0))
    if not whole.any():
        return None
    mirror = _mirror(pairs, generators)
    singles = [k for k in range(field.d) if all(k not in pair for pair in pairs)]

    def broken_by(left: np.ndarray) -> float:
        parts = np.sqrt(squares[left].sum(axis=0))
        broken = float(np.hypot(*parts) / np.hypot(*whole))
        # outputs leave out quartic constants of four modes, but no cubic one
        cubic = float(parts[0] / whole[0]) if whole[0] else broken
        return broken if cubic <= BROKEN and broken <= INCOMPLETE else math.inf

    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    for rest in product((1, -1), repeat=len(pairs) - 1):
        signs = (1, *rest)
        totals = charges[:, : len(pairs)] @ np.array(signs)
        for fold in (0, 3):
            broken = broken_by(totals % 3 != 0 if fold else totals != 0)
            if math.isfinite(broken) and (fold not in best or broken < best[fold][0]):
                best[fold] = (broken, signs)
    line = not irreps or any(Irrep.of(text).letter in LAMBDA for text in irreps)
    # what any rotation leaves is left by one of 120 degrees too
    if line and 0 in best and not (best[0][0] > BROKEN and best.get(3, best[0])[0] < best[0][0]):
        broken, signs = best[0]
        return Axis(pairs, signs, 0, broken, mirror)
    found = [Axis(pairs, best[3][1], 3, best[3][0], mirror)] if 3 in best else []
    cubic = squares[:, 0] > 0.0
    for rows in (np.ones(len(charges), dtype=bool), cubic):
        for n, turn in _rotations(charges[rows], squares[rows].sum(axis=1), len(pairs)):
            broken = broken_by(charges @ np.array(turn) % n != 0)
            if math.isfinite(broken):
                own, rest = turn[: len(pairs)], turn[len(pairs) :]
                signs = tuple(1 if 2 * c < n else -1 for c in own)
                steps = tuple(min(c, n - c) for c in own)
                odd = frozenset(k for k, c in zip(singles, rest, strict=True) if c)
                found.append(Axis(pairs, signs, n, broken, mirror, steps, odd))
        if any(axis.broken <= BROKEN for axis in found):
            break
    if not found:
        return None
    best_axis = min(found, key=lambda axis: _rank(axis, irreps))
    alike = {(a.steps, a.odd) for a in found if a.fold == best_axis.fold and a.broken <= max(BROKEN, best_axis.broken)}
    return replace(best_axis, choices=len(alike))


def _rotations(charges: np.ndarray, squares: np.ndarray, pairs: int) -> list[tuple[int, tuple[int, ...]]]:
    """n, and the phases of pairs and singles as whole numbers modulo n, of every symmetry under which all pairs are
    degenerate and the first turns forwards; ``charges`` (m, count), ``squares`` (m,): of the monomials."""
    count = charges.shape[1]
    order = np.argsort(squares)
    large = charges[order[np.cumsum(squares[order]) > BROKEN**2 * squares.sum()]]
    twice = 2 * np.eye(count, dtype=np.int64)[pairs:]  # single modes change their sign at most
    found = []
    for phases in elements(np.unique(np.vstack([large, twice]), axis=0).tolist(), count):
        n = math.lcm(*(phase.denominator for phase in phases))
        turned = all(phase.denominator > 2 for phase in phases[:pairs])
        if n <= LARGEST_FOLD and turned and 2 * phases[0] < 1:
            found.append((n, tuple(int(phase * n) for phase in phases)))
    return found


def _rank(axis: Axis, irreps: Sequence[str]) -> tuple:
    """Less for the axis that is taken: one that the field has, fits the representations, and says the most."""
    exact = axis.broken <= BROKEN
    wrong = 0
    if irreps:
        named = [Irrep.of(text) for text in irreps]
        paired = {k for pair in axis.pairs for k in pair}
        wrong += sum(max(named[a].number, 1) != step for (a, _), step in zip(axis.pairs, axis.steps, strict=True))
        wrong += sum((named[k].letter == "B") != (k in axis.odd) for k in range(len(irreps)) if k not in paired)
    fold = axis.fold if irreps else -axis.fold
    digits = 0.0 if exact else round(axis.broken, 3)
    return not exact, digits, wrong, fold, len(axis.odd), sum(axis.steps), axis.steps, [-s for s in axis.signs]


def _alike(field: ForceField, within: float) -> list[list[int]]:
    """Groups of modes whose frequencies differ by at most ``within``, relative, from the lowest of the group."""
    w = field.frequencies
    alike: list[list[int]] = []
    for k in np.argsort(w, kind="stable").tolist():
        if alike and w[k] - w[alike[-1][0]] <= within * w[k]:
            alike[-1].append(k)
        else:
            alike.append([k])
    return alike


def _equal_frequencies(field: ForceField, within: float) -> tuple[tuple[int, int], ...]:
    """Modes of equal frequency, two each; none where three or more are alike."""
    alike = _alike(field, within)
    if any(len(group) > 2 for group in alike):
        return ()
    return tuple(sorted((min(g), max(g)) for g in alike if len(g) == 2))


def _circular(field: ForceField, pairs: Sequence[tuple[int, int]]) -> dict[Charges, np.ndarray]:
    """Sums of the squared coefficients of the monomials in q+, q- by their charges: m of every pair, and for every
    other mode whether its power is odd; (2,), of the cubic ones and of the others."""
    found: dict[tuple, complex] = defaultdict(complex)
    paired = {k: (p, part) for p, pair in enumerate(pairs) for part, k in enumerate(pair)}
    for modes, c in field.terms.items():
        powers = Counter(modes)
        alone = tuple(sorted((k, n) for k, n in powers.items() if k not in paired))
        expanded: dict[tuple[tuple[int, int], ...], complex] = {((0, 0),) * len(pairs): complex(c)}
        for k, n in powers.items():
            if k not in paired:
                continue
            p, part = paired[k]
            # q_a = (q+ + q-) / sqrt 2, q_b = -i (q+ - q-) / sqrt 2
            factors = [
                (math.comb(n, j) * 2.0 ** (-n / 2)) * ((-1j) ** n * (-1) ** j if part else 1) for j in range(n + 1)
            ]
            further: dict[tuple[tuple[int, int], ...], complex] = defaultdict(complex)
            for key, value in expanded.items():
                for j, factor in enumerate(factors):
                    plus, minus = key[p]
                    moved = (*key[:p], (plus + n - j, minus + j), *key[p + 1 :])
                    further[moved] += value * factor
            expanded = further
        for key, value in expanded.items():
            found[alone, key] += value
    singles = [k for k in range(field.d) if k not in paired]
    sizes: dict[Charges, np.ndarray] = defaultdict(lambda: np.zeros(2))
    for (alone, key), value in found.items():
        order = sum(n for _, n in alone) + sum(map(sum, key))
        odd = dict(alone)
        charges = (*(plus - minus for plus, minus in key), *(odd.get(k, 0) % 2 for k in singles))
        sizes[charges][int(order != 3)] += abs(value) ** 2
    return sizes


def _mirror(pairs: Sequence[tuple[int, int]], generators: np.ndarray) -> frozenset[int] | None:
    """Of the parities conserved, the one that turns round exactly one of each pair, and the fewest modes else."""
    best = None
    generators = generators[:MOST_PARITIES]
    for choice in product((0, 1), repeat=len(generators)):
        odd = (np.array(choice, dtype=np.int64) @ generators) % 2 if len(generators) else np.zeros(0, dtype=np.int64)
        if len(odd) and all(odd[a] != odd[b] for a, b in pairs) and (best is None or odd.sum() < best.sum()):
            best = odd
    return None if best is None else frozenset(np.flatnonzero(best).tolist())


def circular_functions(n: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Of two oscillators with at most ``n`` - 1 quanta together: (v, l) of every state, and the states in products.

    The matrix is (states, n, n) complex, <v l|v_a v_b>, from (x + i y)^n+ (x - i y)^n- with x^i y^j for sqrt(i! j!)
    times the product |i j>. Each row has norm one.
    """
    names, rows = [], []
    for v in range(n):
        for plus in range(v, -1, -1):
            minus = v - plus
            polynomial = np.zeros((n, n), dtype=complex)
            for i in range(plus + 1):
                for j in range(minus + 1):
                    y = (plus - i) + (minus - j)
                    factor = math.comb(plus, i) * math.comb(minus, j) * 1j ** (plus - i) * (-1j) ** (minus - j)
                    polynomial[v - y, y] += factor
            for x in range(v + 1):
                polynomial[x, v - x] *= math.sqrt(math.factorial(x) * math.factorial(v - x))
            scale = math.sqrt(2.0**v * math.factorial(plus) * math.factorial(minus))
            names.append((v, plus - minus))
            rows.append(polynomial.conj() / scale)
    return names, np.array(rows)
