"""The methods of ``cp_decomposition`` as options: frozen, validated without the numerics."""

from __future__ import annotations

from dataclasses import dataclass

from solvers.method_base import at_least


class CPMethod:
    """A method of ``cp_decomposition``: ``starts``: random ones, all of which are fitted."""

    starts: int


@dataclass(frozen=True)
class CPALS(CPMethod):
    """Alternating least squares: one factor after the other, held to the last sweep by a weight that fades.

    ``starts``: random ones; ``sweeps``: most sweeps of each; ``weight``: of the distance to the last sweep, in units of
    the products of Gram matrices, halved every 50 sweeps.  Raises ValueError where a value is impossible.
    """

    starts: int = 5
    sweeps: int = 2000
    weight: float = 0.1

    def __post_init__(self) -> None:
        at_least("CPALS", self, {"starts": 1, "sweeps": 1})
        if not 0.0 <= self.weight < float("inf"):
            raise ValueError(f"CPALS: weight is {self.weight!r}; give a number of at least 0")


@dataclass(frozen=True)
class CPLevenbergMarquardt(CPMethod):
    """Levenberg-Marquardt: all factors at once, on a ridge that fades.

    ``starts``: random ones; ``steps``: most steps of each; ``ridge``: weight of the squared factors to begin with, the
    tensor having norm one.  Raises ValueError where a value is impossible.
    """

    starts: int = 5
    steps: int = 200
    ridge: float = 1.5e-3  # of <3,3,3> at 23 terms 13 of 16 starts come home; 7 of 12 at 1e-3, 6 of 12 at 3e-3

    def __post_init__(self) -> None:
        at_least("CPLevenbergMarquardt", self, {"starts": 1, "steps": 1})
        if not 0.0 < self.ridge < float("inf"):
            raise ValueError(f"CPLevenbergMarquardt: ridge is {self.ridge!r}; give a positive number")
