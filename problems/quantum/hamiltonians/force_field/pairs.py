"""Degenerate pairs of modes, and the rotation about the molecule's axis that acts on them.

With q+- = (q_a +- i q_b) / sqrt 2 of a pair, a rotation multiplies q+ by exp(i s theta), s = 1 or -1. A monomial of the
field with (k+, k-) powers of a pair has m = k+ - k- of it: the field is invariant if sum_p s_p m_p = 0 modulo n for
every monomial, with n = 3 for a threefold axis, and n = 0 (none but zero) for a linear molecule. The signs are found
by trying them on the monomials. States of the two oscillators with n+ and n- quanta have v = n+ + n- and l = n+ - n-.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.mode_names import PAIR

BROKEN = 2e-3  # of the norm of the anharmonic terms: what digits of a printed field break of a symmetry
INCOMPLETE = 0.1  # the same with the quartic terms: those of four different modes are left out by some programs
MOST_PAIRS = 12  # signs that are tried: 2^11

MOST_PARITIES = 6  # whose products are tried

Charges = tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """``pairs``: (a, b) modes from 0; ``signs``: of the rotation of each; ``fold``: 3, or 0 for a linear molecule;
    ``broken``: share of the anharmonic terms that does not obey it; ``mirror``: the modes that a reflection through the
    axis turns round, one of each pair among them, or None where the pairs do not lie along such planes."""

    pairs: tuple[tuple[int, int], ...]
    signs: tuple[int, ...]
    fold: int
    broken: float
    mirror: frozenset[int] | None

    def charge(self, angular: Sequence[int]) -> int:
        """What the rotation says of a state: sum_p s_p l_p, modulo ``fold``, as 0, 1 or -1 for a threefold axis."""
        total = sum(s * l for s, l in zip(self.signs, angular, strict=True))
        return (total + 1) % 3 - 1 if self.fold == 3 else total


def axis_of(field: ForceField, generators: np.ndarray) -> Axis | None:
    """The axis of a field with degenerate pairs, None where there are none or where it has no such symmetry.

    ``generators`` (count, d): parities that the field conserves. Cost O(terms 2^pairs).
    """
    pairs = _equal_frequencies(field)
    if not pairs or len(pairs) > MOST_PAIRS or field.order == 2:
        return None
    sizes = _circular(field, pairs)
    charges, squares = (
        np.array(list(sizes)),
        np.array(list(sizes.values())),
    )  # squares: of cubic terms, and of the others
    whole = np.sqrt(squares.sum(axis=0))
    if not whole.any():
        return None
    best: dict[int, tuple[float, tuple[int, ...]]] = {}
    for rest in product((1, -1), repeat=len(pairs) - 1):
        signs = (1, *rest)
        totals = charges @ np.array(signs)
        for fold in (0, 3):
            left = totals % 3 != 0 if fold else totals != 0
            parts = np.sqrt(squares[left].sum(axis=0))
            broken = float(np.hypot(*parts) / np.hypot(*whole))
            # outputs leave out quartic constants of four modes, but no cubic one
            cubic = float(parts[0] / whole[0]) if whole[0] else broken
            if cubic <= BROKEN and broken <= INCOMPLETE and (fold not in best or broken < best[fold][0]):
                best[fold] = (broken, signs)
    for fold in (0, 3):  # what any rotation leaves is left by one of 120 degrees too
        if fold in best and not (fold == 0 and best[0][0] > BROKEN and best.get(3, best[0])[0] < best[0][0]):
            broken, signs = best[fold]
            return Axis(pairs, signs, fold, broken, _mirror(pairs, generators))
    return None


def _equal_frequencies(field: ForceField) -> tuple[tuple[int, int], ...]:
    """Modes of equal frequency, two each; none where three or more are alike."""
    w = field.frequencies
    alike: list[list[int]] = []
    for k in np.argsort(w, kind="stable").tolist():
        if alike and w[k] - w[alike[-1][0]] <= PAIR * w[k]:
            alike[-1].append(k)
        else:
            alike.append([k])
    if any(len(group) > 2 for group in alike):
        return ()
    return tuple(sorted((min(g), max(g)) for g in alike if len(g) == 2))


def _circular(field: ForceField, pairs: Sequence[tuple[int, int]]) -> dict[Charges, np.ndarray]:
    """Sums of the squared coefficients of the monomials in q+, q- by their charges m, one a pair: (2,), of the cubic
    ones and of the others."""
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
    sizes: dict[Charges, np.ndarray] = defaultdict(lambda: np.zeros(2))
    for (alone, key), value in found.items():
        order = sum(n for _, n in alone) + sum(map(sum, key))
        sizes[tuple(plus - minus for plus, minus in key)][int(order != 3)] += abs(value) ** 2
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
