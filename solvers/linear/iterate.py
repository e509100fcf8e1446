"""What sweeps for a linear system: its counts, and what it knows of the residual after a sweep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Work:
    """Counts over all sweeps."""

    sweeps: int = 0
    local_solves: int = 0
    products: int = 0
    capped: bool = False
    definite: bool = True

    def add(self, other: Work) -> None:
        """The counts of another iteration."""
        self.sweeps += other.sweeps
        self.local_solves += other.local_solves
        self.products += other.products
        self.capped |= other.capped


@dataclass
class Residuals:
    """Of one sweep, relative to ||b||: the largest local one met, and the norm of z, a lower bound of the true one."""

    local: float = 0.0
    projected: float = 0.0
