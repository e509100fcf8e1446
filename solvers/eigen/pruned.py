"""A sum of products between the oscillator products of at most so many quanta, all modes together.

The space holds products n_1 .. n_d with n_1 + .. + n_d <= Q, so that no direction is reached further than a mode alone:
the corners of the full product space, where a polynomial potential may lie in a hole, are not in it. Products stand in
the order of their quanta, those of Q - 1 first, and the matrix is kept below its diagonal by rows: a larger Q appends
rows and changes none. Elements are gathered by what they change (solvers.kernels.shifts).

Bowman, Christoffel, Tobin, J. Phys. Chem. 83, 905 (1979). Cost of a row: contributions of all terms, some thousands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product as every

import numpy as np
from scipy.sparse import csr_array

from solvers.kernels.shifts import insert_keys, shifted_rows

SEED = 20161  # of the random keys of products
CHUNK = 4000  # rows of products outside that are held at a time
Terms = Sequence[tuple[float, Mapping[int, int]]]


def count_products(d: int, quanta: int) -> int:
    """How many products of ``d`` modes have at most so many quanta."""
    return math.comb(d + quanta, d)


def products_of(quanta: int, sizes: Sequence[int]) -> np.ndarray:
    """All products with at most so many quanta and fewer than ``sizes[k]`` of mode k, (N, d), ascending in quanta."""
    found = np.zeros((1, 0), dtype=np.int64)
    totals = np.zeros(1, dtype=np.int64)
    for size in sizes:
        own = np.arange(size)
        row, n = np.nonzero(totals[:, None] + own[None, :] <= quanta)
        found, totals = np.column_stack([found[row], n]), totals[row] + n
    return found[np.lexsort((*found.T[::-1], totals))]


@dataclass(frozen=True)
class Shifts:
    """What the terms do to products of functions.

    ``changes`` (S, d) of quanta, the first zero, the others downwards in the order of the products; contributions
    ``start[s]`` to ``start[s + 1]`` make change s: a ``coefficient``, and factors that are entries of ``tables``;
    ``most``: functions of a mode.
    """

    changes: np.ndarray
    start: np.ndarray
    coefficient: np.ndarray
    factor_start: np.ndarray
    factor_mode: np.ndarray
    factor_table: np.ndarray
    tables: np.ndarray
    most: int


def shifts_of(matrices: Sequence[np.ndarray], terms: Terms) -> Shifts:
    """Gather the terms (c, {mode: matrix}) by change; ``matrices[k]`` (P, n, n) with functions in order of quanta.

    Cost O(terms x changes of a term).
    """
    d = len(matrices)
    flat: list[np.ndarray] = []
    places: dict[tuple[int, int], list[tuple[int, int]]] = {}  # matrix -> (change, place of its table)
    size = 0

    def tables_of(k: int, p: int) -> list[tuple[int, int]]:
        nonlocal size
        if (k, p) not in places:
            m, n = matrices[k][p], len(matrices[k][p])
            places[k, p] = []
            for change in range(1 - n, n):
                band = np.diagonal(m, change)
                if not np.any(band):
                    continue
                table = np.zeros(n)
                table[max(0, -change) : max(0, -change) + len(band)] = band
                places[k, p].append((change, size))
                flat.append(table)
                size += n
        return places[k, p]

    gathered: dict[tuple[int, ...], list[tuple[float, list[tuple[int, int]]]]] = {(0,) * d: []}
    for c, term in terms:
        modes = list(term)
        for chosen in every(*(tables_of(k, term[k]) for k in modes)):
            change = [0] * d
            for k, (step, _) in zip(modes, chosen):
                change[k] = step
            total = sum(change)
            if total > 0 or (total == 0 and next((step for step in change if step), -1) > 0):
                continue  # upwards: the other half of the symmetric matrix
            gathered.setdefault(tuple(change), []).append((c, [(k, at) for k, (_, at) in zip(modes, chosen)]))
    start, coefficient, factor_start = [0], [], [0]
    mode, table_at = [], []
    for contributions in gathered.values():
        for c, factors in contributions:
            coefficient.append(c)
            mode += [k for k, _ in factors]
            table_at += [at for _, at in factors]
            factor_start.append(len(mode))
        start.append(len(coefficient))
    return Shifts(
        np.array(list(gathered), dtype=np.int64).reshape(-1, d),
        np.array(start),
        np.array(coefficient, dtype=float),
        np.array(factor_start),
        np.array(mode, dtype=np.int64),
        np.array(table_at, dtype=np.int64),
        np.concatenate(flat),
        max(len(m[0]) for m in matrices),
    )


@dataclass
class PrunedMatrix:
    """The matrix over ``products`` (N, d), of which the first ``len(self)`` have their rows so far; elements up to
    ``cutoff`` are left out."""

    shifts: Shifts
    products: np.ndarray
    cutoff: float = 0.0
    pointer: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    column: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    value: np.ndarray = field(default_factory=lambda: np.zeros(0))
    diagonal: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        rng = np.random.default_rng(SEED)
        self._zobrist = rng.integers(1, 2**62, size=(self.products.shape[1], self.shifts.most))
        self._enter()

    def _enter(self) -> None:
        """The table of places of the products."""
        self._keys = self._keys_of(self.products)
        self._slots = np.full(1 << max(4, (4 * len(self.products)).bit_length()), -1, dtype=np.int64)
        insert_keys(self._keys, self._slots)

    def _keys_of(self, products: np.ndarray) -> np.ndarray:
        keys = np.zeros(len(products), dtype=np.int64)
        for k, own in enumerate(products.T):
            keys ^= self._zobrist[k, own]
        return keys

    def __len__(self) -> int:
        return len(self.diagonal)

    def append(self, products: np.ndarray) -> None:
        """More products, none of fewer quanta than those before; products that have no rows yet give way to them."""
        self.products = np.concatenate([self.products[: len(self)], products])
        self._enter()

    def outside(self, products: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of products that stand beyond all of these, the elements on vectors ``x`` (N, m), (n, m), and the diagonal.

        Takes memory for ``CHUNK`` rows.
        """
        found, diagonal = np.zeros((len(products), x.shape[1])), np.zeros(len(products))
        x = np.ascontiguousarray(x)
        for first in range(0, len(products), CHUNK):
            part = slice(first, first + CHUNK)
            own = products[part]
            keys = np.concatenate([self._keys, self._keys_of(own)])
            pointer, column, value, diagonal[part] = self._rows(
                np.concatenate([self.products, own]), keys, len(self), len(self) + len(own)
            )
            found[part] = csr_array((value, column, pointer), shape=(len(own), len(self))) @ x
        return found, diagonal

    def grow(self, count: int) -> None:
        """Append the rows of the products up to number ``count``."""
        pointer, column, value, diagonal = self._rows(self.products, self._keys, len(self), count)
        self.pointer = np.concatenate([self.pointer, self.pointer[-1] + pointer[1:]])
        self.column = np.concatenate([self.column, column])
        self.value = np.concatenate([self.value, value])
        self.diagonal = np.concatenate([self.diagonal, diagonal])
        self._below = csr_array((self.value, self.column, self.pointer), shape=(len(self), len(self)))

    def _rows(
        self, products: np.ndarray, keys: np.ndarray, first: int, last: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        s = self.shifts
        return shifted_rows(
            products,
            keys,
            self._slots,
            self._zobrist,
            s.changes,
            s.start,
            s.coefficient,
            s.factor_start,
            s.factor_mode,
            s.factor_table,
            s.tables,
            self.cutoff,
            first,
            last,
        )

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        """The product with vectors (N, m)."""
        return self._below @ x + self._below.T @ x + self.diagonal[:, None] * x

    def dense(self) -> np.ndarray:
        """All of it, (N, N)."""
        found = np.zeros((len(self), len(self)))
        found[np.repeat(np.arange(len(self)), np.diff(self.pointer)), self.column] = self.value
        return found + found.T + np.diag(self.diagonal)
