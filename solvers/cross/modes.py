"""The indices of one mode at which blocks of a cross approximation are taken, and what stands for the others.

A mode of n indices whose fibres f(left, :, right) span few directions need not be taken whole: q fibres U (n, q) and
s >= q indices S of the mode give

    f(left, :, right) ~ C f(left, S, right),   C = U U[S]^+,  the identity at S,

and a block costs s instead of n evaluations a pair of left and right indices (the functional form of the Tucker cross:
Bigoni, Engsig-Karup, Marzouk, SIAM J. Sci. Comput. 38, A2405 (2016); Dolgov, Kressner, Stroessner, SIAM J. Sci. Comput.
43, A2190 (2021)). A fibre is kept as what the earlier ones leave of it, over its entry at an index of S, its pivot. S
begins with a few indices spread over the mode; where they are more than the fibres, all values of a block are held
against the span of U[S]. A mode whose S passes half of it is taken whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

SMALL = 8  # a mode of at most so many indices is taken whole from the beginning
SPREAD = 4  # indices of the first S, beside that of the first pivot
SPARE = 1  # indices of S more than fibres, at least: they show what the fibres miss
NEARLY = 0.3  # of the largest entry of a fibre: so large, and an index of S is its pivot
SHARE = 0.5  # of the indices of a mode: more than that, and it is taken whole


class Mode:
    """The indices ``rows`` (s,) of a mode of n, and its fibres: from one fibre (n,) and an index of it on, or whole."""

    def __init__(self, n: int, index: int = 0, fibre: np.ndarray | None = None) -> None:
        self.n = n
        self.rows = np.arange(n)
        self.whole = True
        self.fibres = np.zeros((n, 0))
        self.pivots: list[int] = []
        self._basis: np.ndarray | None = None
        self._inverse: np.ndarray | None = None
        self._others: np.ndarray | None = None
        if fibre is not None:
            self.whole = False
            spread = np.linspace(0, n - 1, SPREAD).astype(np.int64)
            self.rows = np.concatenate([[index], spread[spread != index]])
            self.fibres = (fibre / fibre[index])[:, None]
            self.pivots = [index]

    def content(self) -> dict[str, np.ndarray]:
        """Indices, fibres and whether it is whole."""
        return {
            "rows": self.rows,
            "fibres": self.fibres,
            "whole": np.array(self.whole),
            "pivots": np.array(self.pivots),
        }

    @classmethod
    def restored(cls, n: int, arrays: Mapping[str, np.ndarray], prefix: str) -> Mode:
        """As it was then."""
        mode = cls(n)
        mode.rows, mode.fibres = arrays[f"{prefix}.rows"], arrays[f"{prefix}.fibres"]
        mode.whole, mode.pivots = bool(arrays[f"{prefix}.whole"]), arrays[f"{prefix}.pivots"].tolist()
        return mode

    def left_over(self, values: np.ndarray) -> np.ndarray:
        """What the fibres leave of values (s, m) at S: zero where they span everything."""
        if self.whole or self.fibres.shape[1] >= len(self.rows):
            return np.zeros_like(values)
        at = self.fibres[self.rows]
        return values - at @ (self._pseudo_inverse() @ values)

    def _pseudo_inverse(self) -> np.ndarray:
        """U[S]^+ (q, s)."""
        if self._inverse is None:
            self._inverse = np.linalg.pinv(self.fibres[self.rows])
        return self._inverse

    def missing(self, fibre: np.ndarray) -> np.ndarray:
        """What is left of a fibre (n,), whose values at S stand for it."""
        return fibre - self.fibres @ (self._pseudo_inverse() @ fibre[self.rows])

    def guessed(self, values: np.ndarray, index: int) -> complex:
        """The value at ``index`` of a fibre that has ``values`` (s,) at S."""
        return complex(self.fibres[index] @ (self._pseudo_inverse() @ values))

    def pivot(self, rest: np.ndarray) -> int:
        """The index that is to tell what is left of a fibre (n,): where it is largest, or in S and nearly so."""
        sizes = np.abs(rest)
        free = [row for row in self.rows.tolist() if row not in self.pivots]
        if free:
            best = free[int(np.argmax(sizes[free]))]
            if sizes[best] >= NEARLY * sizes.max():
                return best
        return int(np.argmax(sizes))

    def add_fibre(self, rest: np.ndarray, pivot: int) -> None:
        """A fibre by what is left of it, and its index."""
        self.fibres = np.column_stack([self.fibres, rest / rest[pivot]])
        self.pivots.append(pivot)
        self._changed()

    @property
    def others(self) -> np.ndarray:
        """The indices (n - s,) that are not in S."""
        if self._others is None:
            free = np.ones(self.n, dtype=bool)
            free[self.rows] = False
            self._others = np.flatnonzero(free)
        return self._others

    def add_rows(self, indices: np.ndarray, whole: bool) -> None:
        """More indices in S, none of them there already; ``whole``: now it has all."""
        self.rows = np.concatenate([self.rows, indices])
        self.whole = whole
        self._changed()

    def _changed(self) -> None:
        self._basis = self._inverse = self._others = None

    def basis(self) -> np.ndarray:
        """C (n, s)."""
        if self._basis is None:
            found = np.zeros((self.n, len(self.rows)), dtype=self.fibres.dtype)
            if not self.whole:
                found = self.fibres @ self._pseudo_inverse()
            found[self.rows] = np.eye(len(self.rows))
            self._basis = found
        return self._basis

    def spread(self, block: np.ndarray) -> np.ndarray:
        """A block (a, s, b) at all indices, (a, n, b)."""
        if self.whole and np.array_equal(self.rows, np.arange(self.n)):
            return block
        return np.ascontiguousarray(np.einsum("is,asb->aib", self.basis(), block, optimize=True))
