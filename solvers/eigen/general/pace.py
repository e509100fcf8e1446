"""How long the implicit steps of a sweep are, and how finely trains are cut: by the residual.

s = C ||A x|| / ||x||, as in pseudo-transient continuation (Mulder, van Leer, J. Comput. Phys. 59, 232 (1985); Kelley,
Keyes, SIAM J. Numer. Anal. 35, 508 (1998)): it falls by no more than a factor a sweep, and rises where the residual
does, as projected systems of long steps may lead away from the answer while the train is rough.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 0.3  # of the mean size of A: the first shift, and the largest
SHARE = 1.5  # shift over the residual; measured on driven spin chains of 8 to 20 sites: 0.3 leads astray
FALL, RISE = 0.3, 2.0  # measured on Glauber's chain of 50 spins, which without bounds does not converge
ROUGHEST = 3e-3
CUT = 0.5  # of the residual, over the mean size of A: smaller cuts keep what is still wrong, larger ones undo steps


@dataclass
class Pace:
    """``size``: of A, as a rate; ``shift``; ``cut``: relative; ``before``: the last residual."""

    size: float
    shift: float = 0.0
    cut: float = ROUGHEST
    before: float = float("inf")

    def __post_init__(self) -> None:
        self.shift = self.shift or FIRST * self.size

    def moved(self, rate: float) -> None:
        """The next step, after a sweep that ended with ||A x|| / ||x|| = ``rate``."""
        falls = rate < self.before
        self.shift = max(SHARE * rate, FALL * self.shift) if falls else min(RISE * self.shift, FIRST * self.size)
        self.shift = min(self.shift, FIRST * self.size)
        self.cut = min(ROUGHEST, CUT * rate / self.size)
        self.before = rate
