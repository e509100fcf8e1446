"""How many functions of each mode an automatic basis holds: from one-mode levels first, then from the states.

1. The mean-field levels of every mode, in harmonic functions grown until they stand still, give the energy of the
   highest state asked for as a sum of levels; every function below it, and a margin, is in.
2. A configuration interaction in a wider space (the products of lowest energy) gives its states; what function v of a
   mode adds to a state's energy is, to second order, sum_c |x_c|^2 (H_cc - E) over the products c with v in that mode.
   Functions are added until what is left out lies below the accuracy.

The levels of step 2 are upper bounds of the true ones, state by state (Hylleraas and Undheim, Z. Phys. 65, 759 (1930)),
found without trains or iterations: no result may lie above them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh

from problems.quantum.hamiltonians.force_field.basis import MeanField, mean_field, own_polynomials
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.primitives import fitted, fitted_bent, walls
from solvers.eigen.configuration_interaction import ProductTerms

TOP = 1.02  # times the highest sum of levels asked for: what the couplings may raise it by
LEVELS_TOLERANCE = 1e-3  # of the accuracy: error of a one-mode level
SPARE = 7  # functions of a mode beyond the sizes, for error estimates and growth
WIDER = 5  # functions a mode, of the space in which the sizes are judged
CONFIGURATIONS = 2000  # dense diagonalisation: a second
WIDE_WORK = 2e8  # elements times factors of the terms: a second or two
ROUNDS = 12
WIDEST = 200  # functions of a mode


@dataclass(frozen=True)
class Sized:
    """``sizes``: functions of each mode; ``mean``: the mean field they belong to; ``levels``: of each mode, those that
    the harmonic functions were fitted to, and ``changes``: by how much these moved when the functions were grown last;
    ``most``: levels below a barrier, or infinity."""

    sizes: tuple[int, ...]
    mean: MeanField
    levels: tuple[np.ndarray, ...]
    changes: tuple[np.ndarray, ...]
    most: np.ndarray


def lowest_products(levels: Sequence[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` products of lowest energy sum: indices (N, d) and sums (N,) above the lowest, ascending.

    Exact: a product among the lowest has its left part among the lowest. Cost O(d count n log(count n)).
    """
    partial, sums = np.zeros((1, 0), dtype=np.int64), np.zeros(1)
    for level in levels:
        total = sums[:, None] + (level - level.min())[None, :]
        best = np.argsort(total.ravel(), kind="stable")[:count]
        row, function = np.unravel_index(best, total.shape)
        partial, sums = np.column_stack([partial[row], function]), total.ravel()[best]
    return partial, sums


def from_levels(field: ForceField, charges: np.ndarray, n_states: int, accuracy: float) -> Sized:
    """Step 1: sizes from the one-mode levels, and harmonic functions that hold them."""
    d = field.d
    potentials, counts, sizes = own_polynomials(field), [8] * d, [1] * d
    tol = LEVELS_TOLERANCE * accuracy
    for _ in range(ROUNDS):
        found = _fit(field, charges, potentials, counts, tol)
        potentials = found.mean.polynomials
        levels = found.levels
        _, sums = lowest_products(levels, n_states + n_states // 8 + 1)
        top = TOP * float(sums[-1])
        scale = min(float(level[1] - level[0]) if len(level) > 1 else w for w, level in zip(field.frequencies, levels))
        scale = max(scale, float(field.frequencies.min()))
        margin = math.ceil(2.0 + 0.8 * np.log10(max(scale / accuracy, 10.0)))
        below = [int(np.sum(level - level[0] <= top)) for level in levels]
        sizes = [int(min(n + margin, m)) for n, m in zip(below, found.most)]
        needed = [
            min(2 * n if n == len(level) else size + SPARE, WIDEST) for n, size, level in zip(below, sizes, levels)
        ]
        if all(n <= count or np.isfinite(m) for n, count, m in zip(needed, counts, found.most)):
            break
        counts = [max(n, count) for n, count in zip(needed, counts)]
    return replace(found, sizes=tuple(sizes))


def of_given_sizes(field: ForceField, charges: np.ndarray, sizes: Sequence[int], accuracy: float) -> Sized:
    """Harmonic functions that hold the given numbers of modals, and some more."""
    potentials = own_polynomials(field)
    for _ in range(2):
        found = _fit(field, charges, potentials, [n + SPARE for n in sizes], LEVELS_TOLERANCE * accuracy)
        potentials = found.mean.polynomials
    return replace(found, sizes=tuple(sizes))


def _fit(field: ForceField, charges: np.ndarray, potentials: np.ndarray, counts: Sequence[int], tol: float) -> Sized:
    """Harmonic functions for ``counts`` levels of the potentials given, and the mean field in them."""
    most = np.full(field.d, np.inf)
    fits = [
        fitted_bent(float(w), P, field.bend, count, tol)
        if field.bend
        else fitted(float(w), P, count, tol, bool(charge), max(count - SPARE, 1))
        for w, P, count, charge in zip(field.frequencies, potentials, counts, charges)
    ]
    for k, (_, own, _) in enumerate(fits):
        ends = len(own) < counts[k] if field.bend else np.isfinite(walls(potentials[k]).top)
        if ends or not len(own):
            most[k] = max(len(own), 1)
    mean = mean_field(field, charges, [p for p, _, _ in fits])
    levels = [x if len(x) else np.array([0.5 * w]) for w, (_, x, _) in zip(field.frequencies, fits)]
    return Sized(tuple(counts), mean, tuple(levels), tuple(x for _, _, x in fits), most)


@dataclass(frozen=True)
class Wide:
    """States in a space wider than the basis: ``levels`` (n,), and what each function of each mode adds to them.

    ``gains[k]``: (n_k,) energy that mode k loses, at most over the states, where its functions from v on are left out;
    ``doubts``: (n,) what the levels themselves may still lie above the true ones, where that was looked at.
    """

    levels: np.ndarray
    gains: list[np.ndarray]
    doubts: np.ndarray


def wide_states(terms: ProductTerms, n_states: int, most: int = CONFIGURATIONS, doubted: bool = False) -> Wide:
    """The lowest states in the products of lowest energy, by dense diagonalisation of each symmetry block.

    As many products as ``most`` and WIDE_WORK allow: N^2 elements, each a sum over the terms. A second at most.
    ``doubted``: the levels are doubted by what they gain from the second half of the products.
    """
    factors = sum(len(product) for _, product in terms.terms)
    affordable = int(math.sqrt(WIDE_WORK / max(factors, 1)))
    products, _ = lowest_products(terms.energies, max(min(most, affordable), 2 * n_states))
    charges = np.zeros(len(products), dtype=np.int64)
    for k, c in enumerate(terms.charges):
        charges ^= c[products[:, k]]
    levels: list[np.ndarray] = []
    fewer: list[np.ndarray] = []
    shares: list[np.ndarray] = []
    own: list[np.ndarray] = []
    for charge in np.unique(charges):
        block = products[charges == charge]
        h = _elements(terms, block)
        count = min(n_states, len(block))
        energies, vectors = eigh(h, subset_by_index=[0, count - 1])
        levels.append(energies)
        if doubted:
            half = max(int(np.sum(charges[: len(products) // 2] == charge)), count)
            fewer.append(eigh(h[:half, :half], subset_by_index=[0, count - 1], eigvals_only=True))
        shares += list((vectors**2 * np.maximum(np.diag(h)[:, None] - energies[None, :], 0.0)).T)
        own += [block] * count
    energies = np.concatenate(levels)
    order = np.argsort(energies, kind="stable")[:n_states]
    gains = []
    for k, e in enumerate(terms.energies):
        rank = np.argsort(np.argsort(e, kind="stable"), kind="stable")  # of each function by energy
        worst = np.zeros(len(e))
        for i in order:
            share = np.bincount(rank[own[i][:, k]], shares[i], minlength=len(e))
            worst = np.maximum(worst, np.cumsum(share[::-1])[::-1])
        gains.append(worst)
    doubts = np.sort(np.concatenate(fewer))[: len(order)] - energies[order] if doubted else np.zeros(len(order))
    return Wide(energies[order], gains, doubts)


def _elements(terms: ProductTerms, products: np.ndarray) -> np.ndarray:
    """The matrix of the terms between products of functions, (N, N), element by element from the table."""
    h = np.zeros((len(products), len(products)))
    for c, product in terms.terms:
        part: np.ndarray | float = float(c)
        for k, p in product.items():
            one = terms.matrices[k][p]
            part = part * one[products[:, k]][:, products[:, k]]
        rest = [k for k in range(products.shape[1]) if k not in product]
        # the other modes' functions must agree
        same = np.unique(products[:, rest], axis=0, return_inverse=True)[1].ravel() if rest else None
        h += part if same is None else np.where(same[:, None] == same[None, :], part, 0.0)
    return h


def needed_functions(wide: Wide, goal: float) -> list[int]:
    """Of each mode, the functions without which a state loses more than ``goal``."""
    return [max(1, int(np.sum(gain > goal))) for gain in wide.gains]
