"""Pruned configuration interaction: approximate low states of a sum of products, as low-rank trains.

Product functions with the lowest sums of one-mode energies span the space; the sparse matrix is built row by row from
the terms (products below ``cutoff`` are left out, the diagonal never), the lowest vectors come from Lanczos, and
each is turned into a train by successive truncated factorisations of its sparse unfoldings, never a large tensor.
It is a start for inverse iteration: nothing reported rests on it. Cost: N rows of a few thousand products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from solvers.cards import Card, Fact, dimensions
from solvers.kernels.configurations import matrix_rows
from solvers.sectors.group import Bond
from solvers.sectors.train import ModeCharges, SectorTrain, layout


@dataclass(frozen=True)
class ProductTerms(Card):
    """A sum of products, as data: ``matrices[k]`` (P_k, n_k, n_k), terms (c, {k: p}), one-mode energies (n_k,) and
    charges (n_k,) of the functions of each mode (ascending)."""

    matrices: tuple[np.ndarray, ...]
    terms: tuple[tuple[float, Mapping[int, int]], ...]
    energies: tuple[np.ndarray, ...]
    charges: tuple[np.ndarray, ...]

    def worded(self) -> list[Fact]:
        """Modes, functions and terms."""
        functions = dimensions([len(energies) for energies in self.energies])
        return [("functions", functions), ("terms", str(len(self.terms)))]

    @property
    def modes(self) -> ModeCharges:
        return modes_of(self.charges)


def modes_of(charges: Sequence[np.ndarray]) -> ModeCharges:
    """How many functions of each charge every mode has, from the charges of its functions (ascending)."""
    return tuple(tuple((int(m), int(np.sum(c == m))) for m in np.unique(c)) for c in charges)


def lowest_configurations(terms: ProductTerms, count: int) -> tuple[np.ndarray, np.ndarray]:
    """About ``count`` products of lowest energy sum, (N, d) indices ascending in energy, and their charges (N,)."""
    excitations = [e - e.min() for e in terms.energies]
    limit = float(np.mean([np.sort(e)[1] for e in excitations if len(e) > 1] or [1.0]))
    best = _below(excitations, 0.0, count)
    assert best is not None
    total = float(np.prod([float(len(e)) for e in excitations]))
    while len(best[0]) < min(count, total):
        found = _below(excitations, limit, count)
        if found is None:
            break
        best, limit = found, 1.06 * limit
    configurations, sums = best
    order = np.lexsort((*configurations.T[::-1], np.round(sums, 9)))
    configurations = configurations[order]
    charges = np.zeros(len(configurations), dtype=np.int64)
    for k, c in enumerate(terms.charges):
        charges ^= c[configurations[:, k]]
    return configurations, charges


def _below(excitations: Sequence[np.ndarray], limit: float, most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """All products with energy sum up to ``limit``; None when there are more than ``most``."""
    partial, sums = np.zeros((1, 0), dtype=np.int16), np.zeros(1)
    for e in excitations:
        total = sums[:, None] + e[None, :]
        row, n = np.nonzero(total <= limit)
        if len(row) > most:
            return None
        partial = np.column_stack([partial[row], n.astype(np.int16)])
        sums = total[row, n]
    return partial, sums


def products_below(terms: ProductTerms, limit: float, most: int) -> int | None:
    """How many products have an energy sum up to ``limit`` above the lowest; None for more than ``most``."""
    found = _below([e - e.min() for e in terms.energies], limit, most)
    return None if found is None else len(found[0])


@dataclass(frozen=True)
class FlatTerms:
    """The terms as the arrays that kernels read: ``c`` (T,), of term t the modes and matrices ``start[t]`` to
    ``start[t + 1]`` of ``mode`` and ``matrix``; matrix m begins at ``offset[m]`` of ``elements``; ``size``: functions
    of each mode; ``zobrist`` (d, n): random numbers whose XOR is the key of a product."""

    c: np.ndarray
    start: np.ndarray
    mode: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    size: np.ndarray
    elements: np.ndarray
    zobrist: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What kernels take, in their order."""
        return self.c, self.start, self.mode, self.matrix, self.offset, self.size, self.elements

    def keys(self, configurations: np.ndarray) -> np.ndarray:
        """The key of each product (N, d)."""
        keys = np.zeros(len(configurations), dtype=np.int64)
        for k, of_mode in enumerate(self.zobrist):
            keys ^= of_mode[configurations[:, k]]
        return keys


def flat(terms: ProductTerms) -> FlatTerms:
    """The terms as arrays; takes as long as a copy of the matrices."""
    offsets: list[int] = []
    elements: list[np.ndarray] = []
    position: dict[tuple[int, int], int] = {}
    size = 0
    for k, stack in enumerate(terms.matrices):
        for p, m in enumerate(stack):
            position[k, p] = len(offsets)
            offsets.append(size)
            elements.append(np.ascontiguousarray(m).ravel())
            size += m.size
    start, mode, which = [0], [], []
    for _, product in terms.terms:
        mode += list(product)
        which += [position[k, p] for k, p in product.items()]
        start.append(len(mode))
    sizes = np.array([len(e) for e in terms.energies])
    return FlatTerms(
        np.array([float(c) for c, _ in terms.terms]),
        np.array(start),
        np.array(mode, dtype=np.int64),
        np.array(which, dtype=np.int64),
        np.array(offsets),
        sizes,
        np.concatenate(elements),
        np.random.default_rng(20161).integers(1, 2**62, size=(len(sizes), int(sizes.max()))),
    )


def diagonal(terms: ProductTerms, configurations: np.ndarray) -> np.ndarray:
    """The diagonal elements of the products (N, d)."""
    found = np.zeros(len(configurations))
    for c, product in terms.terms:
        value = np.full(len(configurations), float(c))
        for k, p in product.items():
            value *= np.diagonal(terms.matrices[k][p])[configurations[:, k]]
        found += value
    return found


def matrix(terms: ProductTerms, configurations: np.ndarray, cutoff: float) -> csr_matrix:
    """The symmetric matrix of the terms between the configurations; off-diagonal products below ``cutoff`` are left
    out (its unit is that of the terms)."""
    n = len(configurations)
    table, own = flat(terms), diagonal(terms, configurations)
    keys = table.keys(configurations)
    order = np.argsort(keys)
    pointer, column, value = matrix_rows(
        configurations.astype(np.int64),
        keys,
        keys[order],
        order,
        table.zobrist,
        own,
        *table.arrays,
        cutoff,
        0,
        n,
    )
    upper = csr_matrix((value, column.astype(np.int32), pointer), shape=(n, n))
    full = upper + upper.T
    full.setdiag(own)
    return full.tocsr()


def lowest_vectors(h: csr_matrix, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` lowest eigenpairs, to the moderate accuracy a start needs."""
    n = h.shape[0]
    count = min(count, n)
    if n <= 1200 or count > n // 3:
        energies, vectors = eigh(h.toarray())
        return energies[:count], vectors[:, :count]
    start = np.random.default_rng(seed).standard_normal(n) / (1.0 + h.diagonal() - h.diagonal().min())
    try:
        energies, vectors = eigsh(h, k=count, which="SA", v0=start, tol=1e-7, ncv=min(n - 1, 2 * count + 20))
    except ArpackNoConvergence as partial:
        energies, vectors = partial.eigenvalues, partial.eigenvectors
    order = np.argsort(energies)
    return energies[order], vectors[:, order]


class TrainBuilder:
    """Turns vectors over one list of configurations into trains; the grouping by suffix is shared by all vectors."""

    def __init__(self, terms: ProductTerms, configurations: np.ndarray, charge: int) -> None:
        self.modes, self.charges, self.charge = terms.modes, terms.charges, charge
        d = configurations.shape[1]
        self.levels = []
        suffixes = configurations
        self.first = np.arange(len(configurations))
        for k in range(d):
            tails = suffixes[:, 1:]
            if tails.shape[1]:
                unique, tail = np.unique(tails, axis=0, return_inverse=True)
            else:
                unique, tail = np.zeros((1, 0), dtype=np.int64), np.zeros(len(suffixes), dtype=np.int64)
            own = terms.charges[k]
            tail_charge = np.zeros(len(unique), dtype=np.int64)
            for j in range(unique.shape[1]):
                tail_charge ^= terms.charges[k + 1 + j][unique[:, j]]
            self.levels.append((suffixes[:, 0].astype(np.int64), tail.ravel(), len(unique), own, tail_charge))
            suffixes = unique

    def train(self, vector: np.ndarray, max_rank: int, tol: float) -> SectorTrain:
        """The vector as a train of at most ``max_rank``, left-orthogonal. Cost O(sum of unfolding sizes)."""
        norm2 = float(vector @ vector)
        carry = vector[None, :]  # (r, suffixes)
        charge = np.zeros(1, dtype=np.int64)
        bonds: list[Bond] = [((0, 1),)]
        cores = []
        d = len(self.levels)
        for k, (n_of, tail_of, tails, own, tail_charge) in enumerate(self.levels):
            n = len(own)
            unfolded = np.zeros((len(charge), n, tails))
            unfolded[:, n_of, tail_of] = carry
            row_charge = charge[:, None] ^ own[None, :]
            factors = {}
            for c in np.unique(row_charge):
                columns = np.flatnonzero(tail_charge == (c ^ self.charge))
                a, m = np.nonzero(row_charge == c)
                block = unfolded[a, m][:, columns]
                if block.size and np.any(block):
                    factors[int(c)] = (a, m, columns, block, *_left_factor(block))
            values = np.sort(np.concatenate([f[5] for f in factors.values()]))[::-1]
            tail_weight = np.append(np.cumsum((values**2)[::-1])[::-1], 0.0)
            keep = max(1, min(max_rank, int(np.argmax(tail_weight <= tol * tol * norm2 / d))))
            threshold = max(values[min(keep, len(values)) - 1], 1e-14 * values[0])
            bond, parts, new_charge = [], {}, []
            next_carry = []
            for c, (a, m, columns, block, u, s) in factors.items():
                count = int(np.sum(s >= threshold))
                if count == 0:
                    continue
                bond.append((c, count))
                new_charge += [c] * count
                dense = np.zeros((len(charge), n, count))
                dense[a, m] = u[:, :count]
                parts[c] = dense
                rest = np.zeros((count, tails))
                rest[:, columns] = u[:, :count].T @ block
                next_carry.append(rest)
            right = tuple(bond)
            flat = []
            for l, c, *_ in layout(bonds[-1], self.modes[k], right)[0]:
                rows = np.flatnonzero(charge == l)
                functions = np.flatnonzero(own == (l ^ c))
                flat.append(parts[c][rows][:, functions].ravel())
            cores.append(np.concatenate(flat))
            bonds.append(right)
            charge = np.array(new_charge)
            carry = np.concatenate(next_carry)
        cores[-1] = cores[-1] * carry[0, 0]
        return SectorTrain(self.modes, tuple(bonds), tuple(cores))


def _left_factor(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors and values; through the Gram matrix when the block is wide (a start needs no more)."""
    if block.shape[1] <= 2 * block.shape[0]:
        u, s, _ = np.linalg.svd(block, full_matrices=False)
        return u, s
    weights, u = np.linalg.eigh(block @ block.T)
    return u[:, ::-1], np.sqrt(np.maximum(weights[::-1], 0.0))
