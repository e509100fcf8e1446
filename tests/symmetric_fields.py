"""Random force fields that a point group leaves as they are, and what every state of them is under its operations.

A group is given by what its generators do to the modes: orthogonal matrices, of which all products are made. A tensor
of derivatives is averaged over the group (Reynolds), and so invariant exactly. States are those in harmonic products
of at most so many quanta, a space that any rotation of the modes maps onto itself.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement, product
from math import factorial, prod

import numpy as np

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.oscillator import harmonic_values


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def blocks(*parts: np.ndarray | float) -> np.ndarray:
    """A matrix of all modes from those of each representation: numbers of single ones, (2, 2) of pairs."""
    parts = [np.atleast_2d(part) for part in parts]
    whole = np.zeros((sum(map(len, parts)),) * 2)
    at = 0
    for part in parts:
        whole[at : at + len(part), at : at + len(part)] = part
        at += len(part)
    return whole


def closed(generators: list[np.ndarray]) -> list[np.ndarray]:
    """All products of some operations."""
    found = [np.eye(len(generators[0]))]
    for element in found:
        for generator in generators:
            if all(np.abs(generator @ element - other).max() > 1e-6 for other in found):
                found.append(generator @ element)
    return found


def invariant_field(frequencies: list[float], group: list[np.ndarray], rng: np.random.Generator) -> ForceField:
    """Cubic and quartic constants at random, averaged; the quartic part rises in all directions."""
    d = len(frequencies)
    terms: dict[tuple[int, ...], float] = {}
    for order, size in ((3, 20.0), (4, 4.0)):
        tensor = rng.standard_normal((d,) * order)
        averaged = np.zeros_like(tensor)
        for g in group:
            moved = tensor
            for _ in range(order):  # every index in turn, the last first
                moved = np.tensordot(g, moved, (1, order - 1))
            averaged += moved / len(group)
        for modes in combinations_with_replacement(range(d), order):
            several = {tuple(p) for p in product(modes, repeat=order) if sorted(p) == list(modes)}
            value = size * sum(averaged[p] for p in several)
            if abs(value) > 1e-9:
                terms[modes] = terms.get(modes, 0.0) + float(value)
    for i, j in combinations_with_replacement(range(d), 2):  # (sum q^2)^2
        terms[i, i, j, j] = terms.get((i, i, j, j), 0.0) + (10.0 if i == j else 20.0)
    return ForceField("made", "cm-1", np.array(frequencies), terms)


def products_of(d: int, quanta: int) -> np.ndarray:
    """All harmonic products of at most so many quanta, (n, d)."""
    return np.array([v for v in product(range(quanta + 1), repeat=d) if sum(v) <= quanta])


def operation(g: np.ndarray, products: np.ndarray) -> np.ndarray:
    """What an operation does to harmonic products: the matrix with f(g^-1 q) = sum of others, from values at points."""
    n, d = products.shape
    points = np.random.default_rng(0).standard_normal((n + 60, d)) * 1.5

    def values(q: np.ndarray) -> np.ndarray:
        one = [harmonic_values(int(products.max()) + 1, q[:, k]) for k in range(d)]
        return np.prod([one[k][products[:, k]] for k in range(d)], axis=0).T

    return np.linalg.lstsq(values(points), values(points @ g), rcond=None)[0]


def csv_of(field: ForceField) -> str:
    """The table of a field."""
    rows = ["order,modes,coefficient_cm-1"]
    rows += [f"2,{k + 1}-{k + 1},{w!r}" for k, w in enumerate(field.frequencies.tolist())]
    for modes, c in field.terms.items():
        phi = c * prod(factorial(n) for n in Counter(modes).values())
        rows.append(f"{len(modes)},{'-'.join(str(k + 1) for k in modes)},{phi!r}")
    return "\n".join(rows) + "\n"


def dense_levels(field: ForceField, products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels and vectors in harmonic products, every element from the table of the field."""
    size = int(products.max()) + 1
    table = product_terms(field, harmonic_functions(field, [size] * field.d, np.zeros(field.d, int)), range(field.d))
    h = np.zeros((len(products),) * 2)
    for c, factors in table.terms:
        part = np.full_like(h, c)
        for k in range(field.d):
            m = table.matrices[k][factors[k]] if k in factors else np.eye(size)
            part *= m[np.ix_(products[:, k], products[:, k])]
        h += part
    energies, vectors = np.linalg.eigh(h)
    return energies, vectors


def representations(
    energies: np.ndarray, vectors: np.ndarray, operations: list[np.ndarray], table: dict[str, tuple[float, ...]]
) -> list[tuple[float, str]]:
    """(level above the lowest, representation) of every state, by the characters of the levels under ``operations``;
    ``table``: those of the representations. Where nothing fits, the representation is empty."""
    found: list[tuple[float, str]] = []
    while len(found) < len(energies):
        first = len(found)
        level = [i for i in range(first, len(energies)) if energies[i] - energies[first] < 1e-5]
        own = vectors[:, level]
        characters = [float(np.trace(own.T @ o @ own)) for o in operations]
        fitting = [name for name, known in table.items() if np.allclose(known, characters, atol=1e-3)]
        found += [(float(energies[first] - energies[0]), fitting[0] if fitting else "")] * len(level)
    return found
