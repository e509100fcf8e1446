"""One-mode bases of a polynomial force field: harmonic functions, or modals contracted from many of them.

A modal is an eigenfunction of the one-mode mean-field Hamiltonian (vibrational self-consistent field, ground state)

    h_k = w_k/2 (p_k^2 + q_k^2) + sum_terms c q_k^a prod_{j != k} <q_j^{b_j}>,

computed in harmonic functions that are put where the mode is (module primitives); powers of q are exact
before the cut. Where the field conserves parities
(solutions over GF(2) of "every term contains the odd modes an even number of times") the modals are kept
pure in parity and sorted by charge, then energy. Bowman, J. Chem. Phys. 68, 608 (1978).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.primitives import MAX_POWER, Primitive
from problems.quantum.hamiltonians.force_field.rotation import PARTS, odd_in

MAX_PARITIES = 6
MEAN_FIELD_SWEEPS = 60
SETTLING = 0.5  # of the change before: the iteration goes by itself; three times fewer sweeps than always damped


def parity_generators(field: ForceField) -> np.ndarray:
    """Basis of the parities the field conserves: rows g over GF(2), g . exponents even for every term."""
    d = len(field.frequencies)
    odd = {tuple(int(v) for v in np.bincount(modes, minlength=d) % 2) for modes in field.terms}
    odd |= {tuple(int(v) for v in odd_in(factors, d)) for factors in field.rotation}
    return conserved_parities(odd, d)


def conserved_parities(rows: Collection[tuple[int, ...]], d: int) -> np.ndarray:
    """Basis of the parities g over GF(2) with g . row even for every row (the modes a term is odd in), (count, d)."""
    matrix = np.array(sorted(row for row in set(rows) if any(row)), dtype=np.int64).reshape(-1, d)
    pivots: list[int] = []
    row = 0
    for column in range(d):
        below = np.flatnonzero(matrix[row:, column]) if row < len(matrix) else np.zeros(0, int)
        if len(below) == 0:
            continue
        matrix[[row, row + below[0]]] = matrix[[row + below[0], row]]
        for other in range(len(matrix)):
            if other != row and matrix[other, column]:
                matrix[other] ^= matrix[row]
        pivots.append(column)
        row += 1
    generators = []
    for free in (c for c in range(d) if c not in pivots):
        g = np.zeros(d, dtype=np.int64)
        g[free] = 1
        for r, p in enumerate(pivots):
            g[p] = matrix[r, free]
        generators.append(g)
    return np.array(generators, dtype=np.int64).reshape(-1, d)


def mode_charges(generators: np.ndarray, d: int) -> np.ndarray:
    """The charge of one odd quantum in each mode: bit i set where generator i contains the mode."""
    charges = np.zeros(d, dtype=np.int64)
    for bit, g in enumerate(generators[:MAX_PARITIES]):
        charges |= g << bit
    return charges


@dataclass(frozen=True)
class ModeBasis:
    """Functions of one mode, sorted by charge and then energy.

    ``powers``: (MAX_POWER+1, n, n) matrices of q^p; ``harmonic``: (p^2+q^2)/2; ``energies``: mean-field energies (n,);
    ``labels``: quantum number of each function; ``charges``: (n,); ``coefficients``: (primitive.size, n).
    """

    powers: np.ndarray
    harmonic: np.ndarray
    energies: np.ndarray
    labels: np.ndarray
    charges: np.ndarray
    coefficients: np.ndarray
    primitive: Primitive

    @property
    def n(self) -> int:
        return len(self.energies)

    def positions(self) -> np.ndarray:
        """The matrices of q^0 .. q^MAX_POWER, whatever coordinates ``powers`` are of."""
        found = np.matmul(self.coefficients.T, np.matmul(self.primitive.positions(), self.coefficients))
        if self.charges.any():
            even = self.charges[:, None] == self.charges[None, :]
            found = np.array([np.where(even == (p % 2 == 0), m, 0.0) for p, m in enumerate(found)])
        return found

    def momenta(self) -> np.ndarray:
        """The matrices of ``rotation.PARTS``, (len(PARTS), n, n), exact before the cut."""
        found = np.matmul(self.coefficients.T, np.matmul(self.primitive.momenta(), self.coefficients))
        if self.charges.any():
            even = self.charges[:, None] == self.charges[None, :]
            found = np.array([np.where(even == (sum(part) % 2 == 0), m, 0.0) for part, m in zip(PARTS, found)])
        return found


def terms_of_mode(field: ForceField) -> list[list[tuple[int, list[tuple[int, int]], float]]]:
    """For each mode its terms as (own power, [(other mode, power)], coefficient)."""
    found: list[list[tuple[int, list[tuple[int, int]], float]]] = [[] for _ in field.frequencies]
    for modes, c in field.terms.items():
        power: dict[int, int] = defaultdict(int)
        for k in modes:
            power[k] += 1
        for k, own in power.items():
            found[k].append((own, [(j, p) for j, p in power.items() if j != k], c))
    return found


def own_polynomials(field: ForceField) -> np.ndarray:
    """The potential of every mode alone, w q^2 / 2 included: coefficients of q^0 .. q^MAX_POWER, (d, MAX_POWER+1)."""
    found = np.zeros((field.d, MAX_POWER + 1))
    found[:, 2] = 0.5 * field.frequencies
    for modes, c in field.terms.items():
        if len(set(modes)) == 1:
            found[modes[0], len(modes)] += c
    return found


@dataclass(frozen=True)
class MeanField:
    """Of every mode: its potential in the field of the others (d, MAX_POWER+1), the harmonic functions it is solved in,
    and energies, vectors and labels in these."""

    polynomials: np.ndarray
    primitive: tuple[Primitive, ...]
    solved: list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def mean_field(field: ForceField, charges: np.ndarray, primitive: Sequence[Primitive]) -> MeanField:
    """The self-consistent field of the lowest product to 1e-10, damped where it settles slowly.

    Where it does not settle the last one, which is as valid for a basis. Cost O(d primitive^3) an iteration.
    """
    d = field.d
    terms = terms_of_mode(field)
    stacks = [p.powers() for p in primitive]
    kinetic = [w * p.harmonic(q) for w, p, q in zip(field.frequencies, primitive, stacks)]
    means = np.zeros((d, MAX_POWER + 1))
    means[:, 0] = 1.0
    before = np.inf
    for iteration in range(MEAN_FIELD_SWEEPS):
        new, hamiltonians, found = means.copy(), [], np.zeros((d, MAX_POWER + 1))
        known = means.tolist()  # thousands of products of two or three numbers: arrays take ten times as long
        for k in range(d):
            potential = [0.0] * (MAX_POWER + 1)
            for own, others, c in terms[k]:
                potential[own] += c * math.prod([known[j][p] for j, p in others])
            found[k] = potential
            h = kinetic[k] + np.tensordot(found[k], stacks[k], 1)
            hamiltonians.append(h)
            step = 2 if charges[k] else 1  # of two wells, the even combination
            lowest = np.zeros(len(h))
            lowest[::step] = eigh(h[::step, ::step], subset_by_index=[0, 0])[1][:, 0]
            new[k] = lowest @ (stacks[k] @ lowest).T
        change = np.max(np.abs(new - means) / np.maximum(np.abs(new), 1.0))
        means = new if iteration < 3 or change < SETTLING * before else 0.5 * (new + means)
        if change < 1e-10:
            break
        before = change
    found[:, 2] += 0.5 * field.frequencies
    solved = [_parity_eigh(h, bool(charges[k])) for k, h in enumerate(hamiltonians)]
    return MeanField(found, tuple(primitive), solved)


def modals(
    field: ForceField, sizes: Sequence[int], charges: np.ndarray, primitive: Sequence[Primitive]
) -> list[ModeBasis]:
    """Mean-field modals: ``sizes[k]`` functions of mode k from the harmonic ones of ``primitive[k]``."""
    return lowest_modals(mean_field(field, charges, primitive), sizes, charges)


def lowest_modals(mean: MeanField, sizes: Sequence[int], charges: np.ndarray) -> list[ModeBasis]:
    """The first ``sizes[k]`` modals of every mode of a mean field."""
    bases = []
    for k, (energies, vectors, labels) in enumerate(mean.solved):
        primitive = mean.primitive[k]
        powers = primitive.powers()
        keep = np.flatnonzero(labels < sizes[k])
        odd = (charges[k] != 0) & (labels[keep] % 2 == 1)
        keep = keep[np.lexsort((energies[keep], odd))]
        v = vectors[:, keep] * np.where(vectors[np.argmax(np.abs(vectors[:, keep]), 0), keep] < 0, -1.0, 1.0)
        bases.append(
            ModeBasis(
                np.array([_exact(v.T @ p @ v) for p in powers]),
                _exact(v.T @ primitive.harmonic(powers) @ v),
                energies[keep],
                labels[keep],
                np.where((labels[keep] % 2 == 1), charges[k], 0),
                v,
                primitive,
            )
        )
    return [_charge_clean(b) for b in bases]


def harmonic_functions(field: ForceField, sizes: Sequence[int], charges: np.ndarray) -> list[ModeBasis]:
    """The first harmonic functions themselves (matrix elements exact, then cut), sorted by charge."""
    bases = []
    for k, n in enumerate(sizes):
        labels = np.arange(n)
        own = np.where(labels % 2 == 1, charges[k], 0)
        order = np.lexsort((labels, own))
        primitive = Primitive(n, bend=field.bend)
        powers = primitive.powers()
        harmonic = primitive.harmonic(powers)[np.ix_(order, order)]
        powers = powers[:, order][:, :, order]
        diagonal = field.frequencies[k] * (labels[order] + 0.5)
        bases.append(
            _charge_clean(ModeBasis(powers, harmonic, diagonal, order, own[order], np.eye(n)[:, order], primitive))
        )
    return bases


def _parity_eigh(h: np.ndarray, parity: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, vectors and quantum numbers; with ``parity`` even and odd functions are solved apart."""
    n = len(h)
    if not parity:
        energies, vectors = eigh(h)
        return energies, vectors, np.arange(n)
    energies, vectors, labels = np.zeros(n), np.zeros((n, n)), np.zeros(n, dtype=np.int64)
    for s in (0, 1):
        e, v = eigh(h[s::2, s::2])
        energies[s::2] = e
        vectors[s::2, s::2] = v
        labels[s::2] = 2 * np.arange(len(e)) + s
    return energies, vectors, labels


def _exact(matrix: np.ndarray) -> np.ndarray:
    """Symmetric to the last bit, round-off zeros removed, the unit matrix exactly so."""
    matrix = 0.5 * (matrix + matrix.T)
    matrix[np.abs(matrix) < 1e-14 * np.abs(matrix).max()] = 0.0
    if np.allclose(matrix, np.eye(len(matrix)), rtol=0, atol=1e-12):
        return np.eye(len(matrix))
    return matrix


def _charge_clean(basis: ModeBasis) -> ModeBasis:
    """Zero the elements parity forbids, which are round-off."""
    if not basis.charges.any():
        return basis
    even = basis.charges[:, None] == basis.charges[None, :]
    powers = np.array([np.where(even == (p % 2 == 0), m, 0.0) for p, m in enumerate(basis.powers)])
    return replace(basis, powers=powers, harmonic=np.where(even, basis.harmonic, 0.0))
