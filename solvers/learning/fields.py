"""The columns of a table as orthonormal functions: what an interaction train multiplies.

Field k of a row x gives the vector phi_k(x_k) of n_k numbers: the constant 1, then functions of mean zero and variance
one over the rows that were fitted, without correlation among themselves.

    number      (1, (x - mean) / deviation)                                              n = 2
    category    1, and c - 1 contrasts of its c categories                               n = c

So a product over the fields has mean zero and variance one where the fields are independent, and the coefficients of a
train are an analysis of variance. A number beyond the range of the rows fitted counts as that range's end, a category
that was not there as the average of all: products of many fields carry nothing far.

A ridge on the coefficients of these functions would let the interactions of many fields be as large as those of few,
where the rows cannot tell: so the functions that are fitted are SCALE times these, and an interaction of k fields is
penalised SCALE^-2k times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# on final boards of noughts and crosses (958, three splits, rank 8, best ridge) the AUC is 0.990 at 1, 0.9987 at 0.5
# and 0.997 at 0.3
SCALE = 0.5


@dataclass(frozen=True, eq=False)
class Number:
    """A field of numbers: ``mean``, ``deviation`` and range of the rows fitted; a deviation of zero is a constant."""

    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> Number:
        """From the rows fitted (N,); scaled by the largest first, so that squares stay in range."""
        low, high = float(values.min()), float(values.max())
        size = max(abs(low), abs(high)) or 1.0
        mean = float(np.mean(values / size)) * size
        deviation = float(np.std((values - mean) / size)) * size
        return cls(mean, deviation if high > low else 0.0, low, high)

    @property
    def size(self) -> int:
        """n, the number of functions."""
        return 2 if self.deviation > 0.0 else 1

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The functions (N, n) at values (N,)."""
        ones = np.ones((len(values), 1))
        if self.deviation == 0.0:
            return ones
        inside = np.clip(values, self.low, self.high)
        return np.concatenate([ones, ((inside - self.mean) / self.deviation)[:, None]], axis=1)


@dataclass(frozen=True, eq=False)
class Category:
    """A field of categories, numbered from 0: ``functions`` (c + 1, n), a row a category, the last of unseen ones."""

    functions: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray, count: int) -> Category:
        """From the rows fitted (N,), with ``count`` categories, some of which may not be among them.

        With probabilities p, indicators less their means are spanned by the columns of an orthonormal matrix that are
        orthogonal to sqrt(p), divided by sqrt(p).
        """
        present = np.bincount(codes, minlength=count) / len(codes)
        seen = np.flatnonzero(present)
        roots = np.sqrt(present[seen])
        basis, _ = np.linalg.qr(np.column_stack([roots, np.eye(len(seen))[:, 1:]]))
        functions = np.zeros((count + 1, len(seen)))
        functions[seen] = basis * np.sign(basis[0, 0]) / roots[:, None]
        functions[:, 0] = 1.0
        return cls(functions)

    @property
    def size(self) -> int:
        """n, the number of functions."""
        return self.functions.shape[1]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The functions (N, n) at codes (N,); codes that are no category are unseen ones."""
        codes = np.asarray(values, dtype=np.int64)
        known = (codes >= 0) & (codes < len(self.functions) - 1)
        return self.functions[np.where(known, codes, len(self.functions) - 1)]


Field = Number | Category


def fields_of(rows: np.ndarray, categories: Sequence[int]) -> list[Field]:
    """The fields of a table (N, d) of the rows fitted; ``categories``: of each column how many there are, or 0 for
    numbers."""
    return [
        Category.of(column.astype(np.int64), count) if count else Number.of(column)
        for column, count in zip(rows.T, categories, strict=True)
    ]


def functions_of(fields: Sequence[Field], rows: np.ndarray) -> list[np.ndarray]:
    """phi_k (N, n_k) of every field at rows (N, d), all but the constants times ``SCALE``."""
    found = [field(column) for field, column in zip(fields, rows.T, strict=True)]
    for phi in found:
        phi[:, 1:] *= SCALE
    return found


def orthonormal(cores: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Cores (a, n, b) of coefficients of ``functions_of`` as those of the orthonormal functions themselves."""
    found = [core.copy() for core in cores]
    for core in found:
        core[:, 1:] *= SCALE
    return found
