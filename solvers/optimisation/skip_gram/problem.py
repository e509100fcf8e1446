"""The skip-gram objective over matrices: counts, weights of the negative samples, values, and the full-rank bound.

    F(X) = sum_ij [A_ij log sigma(X_ij) + B_ij log sigma(-X_ij)],   B_ij = b_i c_j,   X = W C^T of rank d

A_ij: how often context j was seen with word i; B_ij: how often it is expected among the negative samples, k of them a
pair: b_i = k sum_j A_ij, and c_j the share of context j (to the power that flattens it, normalised). Without a bound on
the rank the maximum is at X_ij = log(A_ij / B_ij), the shifted pointwise mutual information, entry by entry:

    F_full = sum_ij [A_ij log(A_ij / (A_ij + B_ij)) + B_ij log(B_ij / (A_ij + B_ij))].

Levy and Goldberg, NIPS 27 (2014), equations 3 to 10; Fonarev et al., ACL 2017, equation 4 (arXiv:1704.08059). Values
cost O(n m d) for the product W C^T, made a block of rows at a time, and memory of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse

from solvers.kernels.skip_gram import row_values

BLOCK = 2**18  # entries of X that are made at once: 2 MB, which a cache holds


@dataclass(frozen=True, eq=False)
class SkipGram:
    """``counts`` (n, m) in compressed rows, not negative; ``rows`` (n,) and ``columns`` (m,): the weights b and c."""

    counts: sparse.csr_array
    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(cls, counts: sparse.csr_array, negatives: float = 5.0, exponent: float = 1.0) -> SkipGram:
        """``negatives`` samples a pair, drawn by the share of each context to the power ``exponent``."""
        seen = np.asarray(counts.sum(axis=0)).ravel()
        shares = np.where(seen > 0.0, seen, 0.0) ** exponent * (seen > 0.0)
        shares = shares / shares.sum()
        return cls(counts, negatives * np.asarray(counts.sum(axis=1)).ravel(), shares)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.columns)

    @cached_property
    def pairs(self) -> float:
        """The sum of all counts: what values are divided by to be values a pair."""
        return float(self.counts.sum())

    @cached_property
    def transposed(self) -> SkipGram:
        """Words and contexts exchanged; the weights are the same products."""
        return SkipGram(sparse.csr_array(self.counts.T.tocsr()), self.columns, self.rows)

    @cached_property
    def bound(self) -> float:
        """F_full, of all matrices; a pair that was not seen adds nothing (X goes to minus infinity)."""
        table = self.counts.tocoo()
        row, column = table.coords
        a, b = table.data, self.rows[row] * self.columns[column]
        seen = a > 0.0
        a, b = a[seen], b[seen]
        return float(np.sum(-a * np.log1p(b / a) - b * np.log1p(a / b)))

    @property
    def compressed(self) -> tuple[np.ndarray, ...]:
        """The arguments of the kernels: start, index, counts, and both weights."""
        return self.counts.indptr, self.counts.indices, self.counts.data, self.rows, self.columns

    def blocks(self) -> Iterator[slice]:
        """Ranges of rows whose entries fit into ``BLOCK``."""
        n, m = self.shape
        size = max(1, BLOCK // m)
        return (slice(first, min(first + size, n)) for first in range(0, n, size))

    def value(self, words: np.ndarray, contexts: np.ndarray) -> float:
        """F(words @ contexts.T) for words (n, d), contexts (m, d)."""
        return float(sum(self.of_rows(words, contexts, part).sum() for part in self.blocks()))

    def of_rows(self, words: np.ndarray, contexts: np.ndarray, part: slice) -> np.ndarray:
        """What each row of a block adds to the value."""
        return row_values(words[part] @ contexts.T, *self.compressed, part.start)


def checked_counts(counts: object) -> sparse.csr_array:
    """Counts (n, m) as compressed rows of floats without zeros; ValueError, in one line, for what are no counts."""
    if not sparse.issparse(counts):
        given = np.asarray(counts)
        if given.dtype.kind not in "buif":
            raise ValueError(f"counts must be numbers, not {given.dtype}: how often each pair was seen")
        if given.ndim != 2:
            raise ValueError(f"counts must be a matrix of words and contexts, not an array of shape {given.shape}")
        counts = given
    elif counts.dtype.kind not in "buif":  # type: ignore[attr-defined]
        raise ValueError(f"counts must be numbers, not {counts.dtype}")  # type: ignore[attr-defined]
    table = sparse.csr_array(counts, dtype=float)
    table.sum_duplicates()
    if not np.isfinite(table.data).all():
        raise ValueError(f"{_place(table, ~np.isfinite(table.data))}: every count must be finite")
    if (table.data < 0.0).any():
        raise ValueError(f"{_place(table, table.data < 0.0)}: counts are not negative; these are no differences?")
    table.eliminate_zeros()
    if min(table.shape) < 2:
        raise ValueError(f"counts of {table.shape[0]} words and {table.shape[1]} contexts: two of each are the least")
    if not table.nnz:
        raise ValueError("all counts are zero: no pair was seen")
    return table


def _place(table: sparse.csr_array, bad: np.ndarray) -> str:
    """The first entry of ``bad``, in words."""
    entry = int(np.argmax(bad))
    row = int(np.searchsorted(table.indptr, entry, side="right")) - 1
    return f"count [{row}, {int(table.indices[entry])}] is {table.data[entry]:g}"
