"""Exact sampling of |x|^2 and of non-negative trains, index by index, and the Rosenblatt map both ways.

With the cores after k right-orthogonal, the probability of index i of mode k, given the indices before it, is

    p_i = |v G_k[:, i, :]|^2 = v B_i v^H,    B_i = G_k[:, i, :] G_k[:, i, :]^H,

v the row of norm one that the chosen matrices before it have become. Instead of all n of them, the masses of halves of
the index range are computed on a binary tree, v (sum of B_i over the left half) v^H: log2(n) + 1 products of r x r
instead of n. Samples are taken in batches that stay in cache; all that are at one node are one matrix product.
A non-negative x: p_i = v G_k[:, i, :] e, e the sums over all later modes, which costs n r for all of them.

The Rosenblatt map takes the density that is constant on cells to the uniform one: mode by mode u = F_i + s p_i, i the
cell, s in [0, 1) the place in it, F_i the mass of the cells before. Its inverse is the same descent with u given.
Rosenblatt, Ann. Math. Stat. 23, 470 (1952); Dolgov, Anaya-Izquierdo, Fox, Scheichl, Stat. Comput. 30, 603 (2020);
Ferris and Vidal, Phys. Rev. B 85, 165146 (2012). Cost 2 m d r^2 (log2(n) + 1) for m samples, or 2 m d (r^2 + n r).
Index letters: i index; r rank; m samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain

SQUARED, VALUES = "squared", "values"
BATCH = 4096  # samples at once: their rows of rank 50 are 1.6 MB and stay in cache
NEGATIVE = 1e-6  # share of a conditional density below zero that counts as an error of rounding


class Conditionals(ABC):
    """The conditional densities of the modes of a train, in order."""

    def __init__(self, x: TensorTrain) -> None:
        self.shape = x.shape
        self.cores: tuple[np.ndarray, ...] = x.cores
        # fresh pages for every product cost more than the products
        self.pool = [np.empty(BATCH * x.max_rank, dtype=x.dtype) for _ in range(4)]

    def held(self, which: int, count: int, rank: int) -> np.ndarray:
        """A matrix (count, rank) in an array kept for it: 0 and 1 for rows, 2 for those chosen, 3 for products."""
        return self.pool[which][: count * rank].reshape(count, rank)

    def chosen(self, rows: np.ndarray, here: np.ndarray) -> np.ndarray:
        """Some of the rows, in their order."""
        if len(here) == len(rows):
            return rows
        return np.take(rows, here, axis=0, out=self.held(2, len(here), rows.shape[1]), mode="clip")

    def start(self, count: int) -> np.ndarray:
        """The rows (count, 1) before the first mode."""
        return np.ones((count, 1), dtype=self.cores[0].dtype)

    @abstractmethod
    def choose(self, k: int, rows: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices (m,) of mode k whose cells have the uniform numbers u (m,), and what is left of u within them."""

    @abstractmethod
    def before(self, k: int, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Masses (m,) of the indices of mode k before ``index``."""

    @abstractmethod
    def advance(self, k: int, rows: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows after mode k, and the masses (m,) of the indices."""

    def multiplied(self, k: int, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        """The rows times the matrices of their indices; those of one index at once."""
        core = self.cores[k]
        new = self.held(k % 2, len(rows), core.shape[2])  # the rows given are in the other one
        for i, here in grouped(index, core.shape[1]):
            out = self.held(3, len(here), core.shape[2])
            np.dot(self.chosen(rows, here), core[:, i], out=out)
            new[here] = out
        return new


class Squared(Conditionals):
    """|x|^2 over its sum."""

    def __init__(self, x: TensorTrain) -> None:
        super().__init__(x.normalised()[0])
        self.trees = [_tree(core) for core in self.cores]

    def choose(self, k: int, rows: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        index, left = np.empty(len(u), dtype=np.int64), u.copy()
        open_nodes = [(0, self.shape[k], np.arange(len(u)))]
        while open_nodes:
            low, high, here = open_nodes.pop()
            if high - low == 1:
                index[here] = low
                continue
            mass = self._form(rows, here, self.trees[k][low, high])
            right = left[here] >= mass
            left[here[right]] -= mass[right]
            middle = (low + high) // 2
            for a, b, some in ((low, middle, here[~right]), (middle, high, here[right])):
                if len(some):
                    open_nodes.append((a, b, some))
        return index, left

    def before(self, k: int, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        mass = np.zeros(len(index))
        open_nodes = [(0, self.shape[k], np.arange(len(index)))]
        while open_nodes:
            low, high, here = open_nodes.pop()
            if high - low == 1:
                continue
            middle = (low + high) // 2
            right = index[here] >= middle
            if right.any():
                mass[here[right]] += self._form(rows, here[right], self.trees[k][low, high])
            for a, b, some in ((low, middle, here[~right]), (middle, high, here[right])):
                if len(some):
                    open_nodes.append((a, b, some))
        return mass

    def _form(self, rows: np.ndarray, here: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """v B v^H of some rows."""
        v = self.chosen(rows, here)
        product = np.dot(v, matrix, out=self.held(3, *v.shape))
        if v.dtype.kind == "c":
            return np.einsum("ij,ij->i", product.real, v.real) + np.einsum("ij,ij->i", product.imag, v.imag)
        return np.einsum("ij,ij->i", product, v)

    def advance(self, k: int, rows: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        new = self.multiplied(k, rows, index)
        mass = _squares(new)
        new /= np.sqrt(np.where(mass > 0.0, mass, 1.0))[:, None]
        return new, mass


class Values(Conditionals):
    """A non-negative x over its sum."""

    def __init__(self, x: TensorTrain) -> None:
        if x.dtype.kind == "c":
            raise ValueError("a density is real: density='squared' samples |x|^2")
        scaled, _ = x.normalised()
        # each core over the sum of all after it: what is left of a row is the mass that its indices have
        cores, sums = list(scaled.cores), np.ones(1)
        self.weights = [np.zeros(0)] * x.d
        for k in range(x.d - 1, -1, -1):
            self.weights[k] = cores[k] @ sums
            sums = self.weights[k].sum(axis=1)
            size = np.abs(sums).max()
            if size == 0.0 or (k == 0 and sums[0] <= 0.0):
                raise ValueError("the entries of a density add up to a positive number: these do not")
            cores[k] = cores[k] / size
            self.weights[k] = self.weights[k] / size
            sums = sums / size
        super().__init__(TensorTrain(tuple(cores)))
        self.cores = tuple(cores)

    def _masses(self, k: int, rows: np.ndarray) -> np.ndarray:
        """Conditional probabilities (m, n).  Raises ValueError for a density that is negative."""
        p = rows @ self.weights[k]
        below = np.minimum(p, 0.0)
        total = p.sum(axis=1)
        if (below.sum(axis=1) < -NEGATIVE * np.abs(p).sum(axis=1)).any() or (total <= 0.0).any():
            raise ValueError(f"the density is negative at mode {k}: density='squared' samples |x|^2")
        p -= below
        return p / p.sum(axis=1)[:, None]

    def choose(self, k: int, rows: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        edges = np.cumsum(self._masses(k, rows), axis=1)
        index = np.minimum((edges <= u[:, None]).sum(axis=1), self.shape[k] - 1)
        previous = np.where(index > 0, np.take_along_axis(edges, np.maximum(index - 1, 0)[:, None], axis=1)[:, 0], 0.0)
        return index, u - previous

    def before(self, k: int, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        edges = np.cumsum(self._masses(k, rows), axis=1)
        return np.where(index > 0, np.take_along_axis(edges, np.maximum(index - 1, 0)[:, None], axis=1)[:, 0], 0.0)

    def advance(self, k: int, rows: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mass = np.take_along_axis(self._masses(k, rows), index[:, None], axis=1)[:, 0]
        new = self.multiplied(k, rows, index)
        size = np.abs(new).max(axis=1)
        new /= np.where(size > 0.0, size, 1.0)[:, None]
        return new, mass


def conditionals(x: TensorTrain, density: str) -> Conditionals:
    """What samples ``x``.  Raises ValueError for another density, a train that is zero, a density that is none."""
    if density not in (SQUARED, VALUES):
        raise ValueError(f"density is '{SQUARED}' or '{VALUES}', not {density!r}")
    try:
        return Squared(x) if density == SQUARED else Values(x)
    except ZeroDivisionError:
        raise ValueError("a train that is zero has no density") from None


def _tree(core: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """For each node (low, high) of the binary tree over the indices: the sum of B_i over its left half."""
    n = core.shape[1]
    sums = {(i, i + 1): core[:, i] @ core[:, i].conj().T for i in range(n)}
    left: dict[tuple[int, int], np.ndarray] = {}

    def total(low: int, high: int) -> np.ndarray:
        if high - low == 1:
            return sums.pop((low, high))
        middle = (low + high) // 2
        left[low, high] = total(low, middle)
        return left[low, high] + total(middle, high)

    total(0, n)
    return left


def grouped(index: np.ndarray, n: int) -> Iterator[tuple[int, np.ndarray]]:
    """(i, places of i) for each index from 0 to n - 1 that occurs."""
    small = index.astype(np.int16) if n <= np.iinfo(np.int16).max else index  # a radix sort
    order = np.argsort(small, kind="stable")
    bounds = np.searchsorted(index[order], np.arange(n + 1))
    for i in range(n):
        if bounds[i] < bounds[i + 1]:
            yield i, order[bounds[i] : bounds[i + 1]]


def _squares(rows: np.ndarray) -> np.ndarray:
    if rows.dtype.kind == "c":
        return np.einsum("ij,ij->i", rows.real, rows.real) + np.einsum("ij,ij->i", rows.imag, rows.imag)
    return np.einsum("ij,ij->i", rows, rows)
