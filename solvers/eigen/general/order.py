"""Which eigenvalues are asked for: an order of complex numbers, in which a conjugate pair is not cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Which = Literal["LR", "SR", "LM", "SM"]
WORDS = {"LR": "largest real part", "SR": "smallest real part", "LM": "largest modulus", "SM": "smallest modulus"}
SAME = 1e-9  # of the largest modulus: two keys that differ by less are equal, and the imaginary part decides


@dataclass(frozen=True)
class Order:
    """``which``: LR, SR, LM or SM; ``target``: nearest to this number instead."""

    which: Which
    target: complex | None = None

    def __post_init__(self) -> None:
        if self.which not in WORDS:
            told = ", ".join(f"{name} ({words})" for name, words in WORDS.items())
            raise ValueError(f"which is {self.which!r}; give one of {told}, or a target")
        if self.target is not None and not np.isfinite(self.target):
            raise ValueError(f"target is {self.target}; give a finite number")

    @property
    def disc(self) -> bool:
        """Whether what is wanted lies around a number, ``centre``."""
        return self.target is not None or self.which == "SM"

    @property
    def centre(self) -> complex:
        return 0j if self.target is None else complex(self.target)

    def keys(self, eigenvalues: np.ndarray) -> np.ndarray:
        """Ascending: the first is wanted most."""
        if self.target is not None:
            return np.abs(eigenvalues - self.target)
        if self.which in ("LR", "SR"):
            return np.real(eigenvalues) * (-1.0 if self.which == "LR" else 1.0)
        return np.abs(eigenvalues) * (-1.0 if self.which == "LM" else 1.0)

    def sorted(self, eigenvalues: np.ndarray) -> np.ndarray:
        """Indices in this order; equal keys by descending imaginary part."""
        keys = self.keys(eigenvalues)
        scale = SAME * float(np.abs(eigenvalues).max(initial=0.0)) or 1.0
        return np.lexsort((-np.imag(eigenvalues), np.round(keys / scale)))

    def cut(self, eigenvalues: np.ndarray, n: int, real: bool, within: float = 0.0) -> int:
        """How many of the sorted eigenvalues to take: ``n``, or one more for the second of a conjugate pair.

        ``within``: what the eigenvalues may be off by.
        """
        if not real or n >= len(eigenvalues):
            return min(n, len(eigenvalues))
        last, following = eigenvalues[n - 1], eigenvalues[n]
        same = max(SAME * float(np.abs(eigenvalues).max()), within)
        alone = abs(last.imag) > same and not np.any(np.abs(eigenvalues[: n - 1] - last.conj()) < same)
        return n + 1 if alone and abs(following - last.conj()) < same else n
