"""Random force fields whose one-mode parts are soft, quartic, displaced or have two wells, with levels to judge by.

The reference is independent of harmonic functions and of trains: values of every mode on equidistant points, products
of its lowest levels, and dense diagonalisation. Every field is bounded: couplings stay below what the quartic terms
hold.
"""

from __future__ import annotations

from itertools import product
from math import factorial, pi, prod

import numpy as np

from problems.quantum.hamiltonians.force_field.field import ForceField

KINDS = ("plain", "quartic", "displaced", "wells", "sextic")


def random_force_field(seed: int, d: int) -> ForceField:
    """A bounded field of ``d`` modes with frequencies from 8 to 3000 cm-1."""
    rng = np.random.default_rng([seed, d, 13])
    w = np.round(np.exp(rng.uniform(np.log(8.0), np.log(3000.0), d)), 2)
    terms: dict[tuple[int, ...], float] = {}
    quartic = np.zeros(d)
    for k in range(d):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        share = {"plain": rng.uniform(0.001, 0.05), "quartic": rng.uniform(1.0, 12.0), "sextic": 0.01}.get(kind, 0.03)
        quartic[k] = share * w[k]
        terms[(k,) * 4] = quartic[k]
        # c^2 = 2 q4 w: a second minimum as deep as the first
        cubic = {"displaced": 0.93, "wells": rng.uniform(0.97, 1.03)}.get(kind, rng.uniform(-0.5, 0.5))
        terms[(k,) * 3] = cubic * np.sqrt(2.0 * quartic[k] * w[k])
        if kind == "sextic":
            terms[(k,) * 6] = w[k] * 10 ** rng.uniform(-4.0, -2.0)
    for i in range(d):
        for j in range(i + 1, d):
            terms[i, i, j, j] = rng.uniform(0.0, 0.5) * np.sqrt(quartic[i] * quartic[j])
            if rng.random() < 0.5:
                terms[i, i, j] = rng.uniform(-0.1, 0.1) * np.sqrt(quartic[i] * w[j])
    return ForceField("random", "cm-1", w, terms)


def csv_of(field: ForceField) -> str:
    """The field as a file has it."""
    rows = ["order,modes,coefficient_cm-1"]
    rows += [f"2,{k + 1}-{k + 1},{w!r}" for k, w in enumerate(field.frequencies.tolist())]
    for modes, c in field.terms.items():
        multiplicity = prod(factorial(modes.count(k)) for k in set(modes))
        rows.append(f"{len(modes)},{'-'.join(str(k + 1) for k in modes)},{float(c) * multiplicity!r}")
    return "\n".join(rows) + "\n"


def reference_levels(field: ForceField, count: int, most: int = 1500) -> tuple[np.ndarray, float]:
    """The ``count`` lowest levels, and by how much they move when a third of the products is left out."""
    parts = [_one_mode(field, k, 120 if field.d == 1 else 60) for k in range(field.d)]
    excitations = [e - e[0] for e, _ in parts]
    sums = np.zeros(1)
    partial = np.zeros((1, 0), dtype=int)
    for e in excitations:
        total = (sums[:, None] + e[None, :]).ravel()
        best = np.argsort(total, kind="stable")[:most]
        partial = np.array([[*partial[i // len(e)], i % len(e)] for i in best]).reshape(len(best), -1)
        sums = total[best]
    h = np.diag(sums + sum(e[0] for e, _ in parts))
    for modes, c in field.terms.items():
        if len(set(modes)) > 1:
            part = np.full((len(sums), len(sums)), c)
            for k in range(field.d):
                part *= parts[k][1][modes.count(k)][np.ix_(partial[:, k], partial[:, k])]
            h += part
    fewer = 2 * len(h) // 3
    levels = np.linalg.eigvalsh(h)[:count]
    return levels, float(np.max(np.abs(levels - np.linalg.eigvalsh(h[:fewer, :fewer])[:count])))


def _one_mode(field: ForceField, k: int, size: int) -> tuple[np.ndarray, list[np.ndarray]]:
    w = float(field.frequencies[k])
    own = {2: 0.5 * w} | {len(modes): c for modes, c in field.terms.items() if set(modes) == {k}}
    q = np.linspace(-60.0, 60.0, 20001)
    v = sum(c * q**n for n, c in own.items())
    high = v.min() + w * max(3.0 * size, 1.0) * 4.0 * max(1.0, (own.get(4, 0.0) / w) ** (1 / 3))
    inside = q[v < high]
    q = np.linspace(inside[0] - 0.3, inside[-1] + 0.3, 500)
    step = q[1] - q[0]
    distance = np.subtract.outer(np.arange(500), np.arange(500)).astype(float)
    sign = np.where(distance % 2 == 0, 1.0, -1.0)
    np.fill_diagonal(distance, 1.0)
    kinetic = 2.0 * sign / distance**2
    np.fill_diagonal(kinetic, pi**2 / 3.0)
    h = 0.5 * w * kinetic / step**2 + np.diag(sum(c * q**n for n, c in own.items()))
    energies, vectors = np.linalg.eigh(h)
    vectors = vectors[:, :size]
    return energies[:size], [vectors.T @ (q[:, None] ** p * vectors) for p in range(7)]


def cases(seeds: range, dimensions: tuple[int, ...]) -> list[tuple[int, int]]:
    """Seed and number of modes of every case."""
    return list(product(seeds, dimensions))
