"""Entries that a robust completion rejected: how many, which, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGE = 0.2  # share of all entries, from which on a warning says that they may be true


@dataclass(frozen=True, eq=False)
class Rejected:
    """Multi-indices (n, d), values (n,) and predictions (n,): first those of the ``fitted``, then those set ``aside``,
    then ``tests``."""

    indices: np.ndarray
    values: np.ndarray
    predicted: np.ndarray
    fitted: int = 0
    aside: int = 0
    tests: int = 0

    @classmethod
    def none(cls, d: int) -> Rejected:
        return cls(np.empty((0, d), dtype=np.int64), np.empty(0), np.empty(0))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def parts(self) -> list[str]:
        """What each of them was meant for."""
        return ["fitted"] * self.fitted + ["set aside"] * self.aside + ["test"] * self.tests

    def warnings(self, known: int) -> list[str]:
        """One line where there are any, with their share of all ``known``."""
        if not len(self):
            return []
        told = f"{len(self)} of {known} entries do not fit and are rejected (predictions.csv): no error has them in it"
        share = len(self) / known
        return [told + (f"; with a share of {share:.0%} they may be true" if share >= LARGE else "")]
