"""What the method of a verb is: a frozen dataclass of options, validated without the numerics, and where its steps are.

A method of another package is one file: the dataclass, and beside it the class or function that its name, written
"package.module:name", stands for. It is imported when a verb begins to work with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar


def at_least(name: str, method: object, least: dict[str, int]) -> None:
    """Raise ValueError unless each field named is a whole number of at least the value given."""
    for field, smallest in least.items():
        value = getattr(method, field)
        if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
            raise ValueError(f"{name}: {field} is {value!r}; give a whole number of at least {smallest}")


@dataclass(frozen=True)
class LocalSolver:
    """How the small systems of ALS, DMRG and AMEn are solved (solvers.sweeping.local_system).

    Up to ``dense_size`` unknowns by LU; above, conjugate gradients for a Hermitian positive definite operator, MINRES
    for an indefinite one above 1200 unknowns, else GMRES, at most ``steps`` products each. ``side``: the bond the mode
    is grouped with in the preconditioner (solvers.sweeping.preconditioner): left, right, centre (neither), or None:
    chosen by the sizes.

    Raises ValueError where a value is impossible.
    """

    dense_size: int = 100
    steps: int = 300
    side: str | None = None

    def __post_init__(self) -> None:
        at_least("LocalSolver", self, {"dense_size": 0, "steps": 1})
        if self.side not in (None, "left", "right", "centre"):
            raise ValueError(f"LocalSolver: side is {self.side!r}; give left, right, centre or None")


BY_DEFAULT = LocalSolver()


class LinearMethod:
    """A method of ``solve``; its fields are these two and its own.

    ``max_rank``: cap of the TT-ranks; ``sweeps``: most sweeps, whatever one of them is. ``iterate``: what makes its
    Iterate (solvers.linear.iterate) of a system, the method, a start or None, and a random generator. ``local``: how
    small systems are solved, also in the residual minimisation that follows where the method fails. ``fixed_ranks``:
    whether it keeps the ranks it begins with, so that these are what it lacks where it does not converge.

    Raises ValueError where a value is impossible.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    iterate: ClassVar[str]
    fixed_ranks: ClassVar[bool] = False
    max_rank: int
    sweeps: int
    local: LocalSolver = BY_DEFAULT

    def __post_init__(self) -> None:
        at_least(type(self).__name__, self, {"max_rank": 1, "sweeps": 1})

    @property
    def cap(self) -> int:
        """The largest TT-rank that the solution may have."""
        return self.max_rank

    def where_stuck(self) -> LinearMethod | None:
        """The method to go on with where this one gets no further, None for none."""
        return None


class Integrator:
    """A method of ``evolve``; its fields are these three and its own.

    ``time_step``: None for steps adapted to the accuracy. ``max_rank``: cap of the TT-ranks. ``tol``: what a rounding
    may discard of the norm (None: from the accuracy). ``stepper``: the Stepper (solvers.dynamics.stepper) that makes
    its steps.

    Raises ValueError where a value is impossible.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    stepper: ClassVar[str]
    time_step: float | None
    max_rank: int
    tol: float | None

    def __post_init__(self) -> None:
        name = type(self).__name__
        at_least(name, self, {"max_rank": 1})
        if self.time_step is not None and not (math.isfinite(self.time_step) and self.time_step > 0.0):
            raise ValueError(
                f"{name}: time_step is {self.time_step!r}; give a positive number, or None for adaptive steps"
            )
        if self.tol is not None and not 0.0 < self.tol < 1.0:
            raise ValueError(f"{name}: tol is {self.tol!r}; give a number between 0 and 1")

    def check(self, factor: complex, hermitian: bool) -> None:
        """Raise ValueError where dx/dt = ``factor`` A x is no task for this method; ``hermitian``: whether A is."""
