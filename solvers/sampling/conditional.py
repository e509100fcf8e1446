"""The conditional densities of |x|^2 and of non-negative trains, mode by mode.

With the cores after k right-orthogonal, the probability of index i of mode k, given the indices before it, is

    p_i = |v G_k[:, i, :]|^2,     F_i = sum_{j < i} p_j = v C_i v^H,     C_i = sum_{j < i} G_k[:, j, :] G_k[:, j, :]^H,

v the row of norm one that the chosen matrices before it have become. The cell of a number u, F_i <= u < F_i + p_i, is
found without all n of them:

    1. The cell that holds u in the marginal distribution of the mode is tried: v C_i and v G_i, two products of r x r,
       and the second is the row that goes on.
    2. Where it is not that cell it is often the next: one product a step, F_{i+1} = F_i + p_i, F_{i-1} = F_i - p_{i-1}.
    3. What is left is bisected by products v C_i.

A non-negative x: p_i = v G_k[:, i, :] e, e the sums over all later modes, which costs n r for all of them.
Ferris and Vidal, Phys. Rev. B 85, 165146 (2012); Dolgov, Anaya-Izquierdo, Fox, Scheichl, Stat. Comput. 30, 603 (2020).
Cost of m rows: 2 m r^2 times 2 to 3 where the marginal tells the cell, log2(n) + 1 more where it does not; of values
2 m (r^2 + n r). Index letters: i index; r rank; m rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.kernels import descents as kernels

SQUARED, VALUES = "squared", "values"
NEGATIVE = 1e-6  # share of a conditional density below zero that counts as an error of rounding
STEPS = 2  # to neighbours of the cell guessed
TRUSTED = 0.3  # share of guesses that hold, below which those left are bisected at once
ROWS, SOME, PRODUCTS, AFTER = range(4)  # memory that is kept; AFTER + 1 too
NUMBERS = 2**18  # of a block of products, 2 MB: they stay in cache


class Conditionals(ABC):
    """The conditional densities of the modes of a train, in order."""

    def __init__(self, cores: tuple[np.ndarray, ...]) -> None:
        self.shape = tuple(core.shape[1] for core in cores)
        self.dtype = cores[0].dtype
        self.slices = [np.ascontiguousarray(core.transpose(1, 0, 2)) for core in cores]
        self._kept: dict[int, np.ndarray] = {}

    def room(self, which: int, rows: int, columns: int) -> np.ndarray:
        """A matrix in memory kept for it: fresh pages for every product cost more than the products."""
        size = rows * columns
        if which not in self._kept or len(self._kept[which]) < size:
            self._kept[which] = np.empty(size, dtype=self.dtype)
        return self._kept[which][:size].reshape(rows, columns)

    def taken(self, which: int, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
        """rows[places], in memory kept for it."""
        return np.take(rows, places, axis=0, out=self.room(which, len(places), rows.shape[1]), mode="clip")

    @abstractmethod
    def masses(self, k: int, rows: np.ndarray) -> np.ndarray:
        """The conditional probabilities (m, n) of all indices of mode k after rows (m, r)."""

    @abstractmethod
    def scaled(self, rows: np.ndarray) -> np.ndarray:
        """New rows (m, r'), scaled in place as ``masses`` wants them; their squared norms before."""

    @abstractmethod
    def each(
        self, k: int, rows: np.ndarray, u: np.ndarray, index: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One step of rows (m, r) with numbers u (m,) of their own, or with indices (m,) that are given.

        An order (m,), then in that order: indices, masses before them, their masses, and the rows (m, r') after them.
        """

    def advanced(self, k: int, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        """The rows after mode k, at indices (m,)."""
        order, bounds = kernels.sorted_by(index, self.shape[k])
        new = np.empty((len(rows), self.slices[k].shape[2]), dtype=self.dtype)
        new[order] = self.times(PRODUCTS, self.slices[k], rows[order], bounds)
        self.scaled(new)
        return new

    def times(self, which: int, matrices: np.ndarray, rows: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """Rows [bounds[i], bounds[i + 1]) times matrix i, (m, r'), in memory kept for it."""
        out = self.room(which, len(rows), matrices.shape[2])
        edges = bounds.tolist()
        for i, (low, high) in enumerate(pairwise(edges)):
            if low < high:
                np.dot(rows[low:high], matrices[i], out=out[low:high])
        return out


class Squared(Conditionals):
    """|x|^2 over its sum."""

    def __init__(self, x: TensorTrain) -> None:
        super().__init__(x.normalised()[0].cores)
        # C_i, and the marginal distribution functions, by the Gram matrices of the modes before
        self.sums: list[np.ndarray] = []
        self.marginals: list[np.ndarray] = []
        gram = np.ones((1, 1), dtype=self.dtype)
        for slices in self.slices:
            squares = slices @ slices.conj().transpose(0, 2, 1)
            self.sums.append(np.concatenate([np.zeros_like(squares[:1]), np.cumsum(squares[:-1], axis=0)]))
            weighted = gram @ slices
            shares = np.einsum("iab,iab->i", slices.conj(), weighted).real
            self.marginals.append(np.cumsum(np.maximum(shares, 0.0)))
            gram = np.tensordot(slices.conj(), weighted, axes=([0, 1], [0, 1]))

    def masses(self, k: int, rows: np.ndarray) -> np.ndarray:
        n, r, after = self.slices[k].shape
        wide = self.slices[k].transpose(1, 0, 2).reshape(r, n * after)
        found = np.empty((len(rows), n))
        size = max(1, NUMBERS // (n * after))
        for first in range(0, len(rows), size):
            products = rows[first : first + size] @ wide
            kernels.squares(products.reshape(-1, after), found[first : first + size].reshape(-1))
        return found

    def scaled(self, rows: np.ndarray) -> np.ndarray:
        mass = np.empty(len(rows))
        kernels.squares(rows, mass)
        kernels.divide_rows(rows, np.sqrt(mass))
        return mass

    def each(
        self, k: int, rows: np.ndarray, u: np.ndarray, index: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        n = self.shape[k]
        # 1 the cell of the marginal distribution
        if index is None:
            tried = np.minimum(np.searchsorted(self.marginals[k], u, side="right"), n - 1)
        else:
            tried = index
        order, bounds = kernels.sorted_by(tried, n)
        rows, cell, u = self.taken(ROWS, rows, order), tried[order], u[order]
        below = self._before(k, rows, bounds)
        new = self.times(AFTER + k % 2, self.slices[k], rows, bounds)  # the rows given are in the other one
        mass = np.empty(len(rows))
        kernels.squares(new, mass)
        if index is None:
            self._settled(k, rows, u, cell, below, mass, new)
        kernels.divide_rows(new, np.sqrt(mass))
        return order, cell, below, mass, new

    def _before(self, k: int, rows: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """F_i (m,) of rows [bounds[i], bounds[i + 1])."""
        found = np.zeros(len(rows))
        first = bounds[1]  # nothing is before index 0
        products = self.times(PRODUCTS, self.sums[k], rows[first:], np.maximum(bounds - first, 0))
        kernels.forms(products, rows[first:], found[first:])
        return found

    def _settled(
        self,
        k: int,
        rows: np.ndarray,
        u: np.ndarray,
        cell: np.ndarray,
        below: np.ndarray,
        mass: np.ndarray,
        new: np.ndarray,
    ) -> None:
        """Steps 2 and 3, in place: ``cell`` and what belongs to it where u is in another one."""
        last = self.shape[k] - 1
        for step in range(STEPS + 1):
            up = (u >= below + mass) & (cell < last)
            wrong = np.flatnonzero(up | ((u < below) & (cell > 0)))
            if not len(wrong):
                return
            if step == STEPS or (step == 0 and len(wrong) > (1.0 - TRUSTED) * len(u)):
                break
            # 2 the next cell, above or below
            towards = np.where(up[wrong], 1, -1)
            base = below[wrong] + np.where(up[wrong], mass[wrong], 0.0)
            self._moved(k, rows, wrong, cell[wrong] + towards, cell, mass, new)
            below[wrong] = np.where(cell[wrong] == 0, 0.0, base - np.where(up[wrong], 0.0, mass[wrong]))
        # 3 bisection of the cells [low, high) that are left
        up = up[wrong]
        low, high = np.where(up, cell[wrong] + 1, 0), np.where(up, last + 1, cell[wrong])
        floor = np.where(up, below[wrong] + mass[wrong], 0.0)
        while True:
            still = np.flatnonzero(high - low > 1)
            if not len(still):
                break
            middle = (low[still] + high[still]) // 2
            order, bounds = kernels.sorted_by(middle, last + 1)
            still, middle = still[order], middle[order]
            before = self._before(k, self.taken(SOME, rows, wrong[still]), bounds)
            above = u[wrong[still]] >= before
            low[still[above]], floor[still[above]] = middle[above], before[above]
            high[still[~above]] = middle[~above]
        self._moved(k, rows, wrong, low, cell, mass, new)
        below[wrong] = floor

    def _moved(
        self,
        k: int,
        rows: np.ndarray,
        which: np.ndarray,
        to: np.ndarray,
        cell: np.ndarray,
        mass: np.ndarray,
        new: np.ndarray,
    ) -> None:
        """The samples ``which`` go on from the cells ``to``."""
        order, bounds = kernels.sorted_by(to, self.shape[k])
        places = which[order]
        products = self.times(PRODUCTS, self.slices[k], self.taken(SOME, rows, places), bounds)
        sizes = np.empty(len(places))
        kernels.squares(products, sizes)
        cell[places], mass[places], new[places] = to[order], sizes, products


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
        super().__init__(tuple(cores))

    def masses(self, k: int, rows: np.ndarray) -> np.ndarray:
        """As above.  Raises ValueError for a density that is negative."""
        p = rows @ self.weights[k]
        below = np.minimum(p, 0.0)
        total = p.sum(axis=1)
        if (below.sum(axis=1) < -NEGATIVE * np.abs(p).sum(axis=1)).any() or (total <= 0.0).any():
            raise ValueError(f"the density is negative at mode {k}: density='squared' samples |x|^2")
        p -= below
        p /= p.sum(axis=1)[:, None]
        return p

    def scaled(self, rows: np.ndarray) -> np.ndarray:
        sizes = np.abs(rows).max(axis=1)
        kernels.divide_rows(rows, sizes)
        return sizes

    def each(
        self, k: int, rows: np.ndarray, u: np.ndarray, index: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        m, n = len(rows), self.shape[k]
        found, below, mass = np.empty(m, dtype=np.int64), np.empty(m), np.empty(m)
        size = max(1, NUMBERS // n)
        for first in range(0, m, size):
            here = slice(first, first + size)
            given = None if index is None else index[here]
            p = self.masses(k, rows[here])
            found[here], below[here], mass[here] = chosen(p, np.arange(len(p)), u[here], given)
        order, bounds = kernels.sorted_by(found, n)
        new = self.times(AFTER + k % 2, self.slices[k], self.taken(ROWS, rows, order), bounds)
        self.scaled(new)
        return order, found[order], below[order], mass[order], new


def chosen(
    p: np.ndarray, owner: np.ndarray, u: np.ndarray, index: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of samples with densities p[owner]: the indices (m,) whose cells hold u, or those given; the masses before them,
    and theirs."""
    edges = np.zeros((len(p), p.shape[1] + 1))
    np.cumsum(p, axis=1, out=edges[:, 1:])
    if index is None:
        index = kernels.cells(edges, owner, u)
    return index, edges[owner, index], p[owner, index]


def conditionals(x: TensorTrain, density: str) -> Conditionals:
    """What samples ``x``.  Raises ValueError for another density, a train that is zero, a density that is none."""
    if density not in (SQUARED, VALUES):
        raise ValueError(f"density is '{SQUARED}' or '{VALUES}', not {density!r}")
    try:
        return Squared(x) if density == SQUARED else Values(x)
    except ZeroDivisionError:
        raise ValueError("a train that is zero has no density") from None
