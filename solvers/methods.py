"""The methods a solver can be asked for: options only, so that a configuration is validated without the numerics.

Those of fits and descents are in ``fit_methods``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from solvers.method_base import BY_DEFAULT, Integrator, LinearMethod, LocalSolver, at_least


@dataclass(frozen=True)
class BlockDMRG:
    """Options of block DMRG (solvers.eigen.block_dmrg): all states on one shared set of cores.

    ``tol``: residual norm ||H x - E x|| asked of every state, in the operator's unit (None: from the accuracy).
    ``max_rank``: cap of the shared TT-ranks (alias rmax). ``sweeps``: most sweeps, each in one direction (alias nswp).
    ``steps``: most block Davidson steps a site and sweep. ``model``: size of the exact block in the local
    preconditioner.

    Raises ValueError where a value is impossible.
    """

    tol: float | None = None
    max_rank: int = 200
    sweeps: int = 24
    steps: int = 4
    model: int = 150

    def __post_init__(self) -> None:
        if self.tol is not None and not (math.isfinite(self.tol) and self.tol > 0.0):
            raise ValueError(f"BlockDMRG: tol is {self.tol}; give a residual norm above zero, such as 1e-6")
        for name in ("max_rank", "sweeps", "steps", "model"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"BlockDMRG: {name} is {value}; give a whole number of at least 1")


@dataclass(frozen=True)
class InverseIteration:
    """Many states, each a low-rank train of its own (solvers.eigen.inverse_iteration).

    Ranks: the first pass has ``first_rank``, each further one up to ``growth`` times more, up to ``max_rank``; at
    least the share ``expansion`` of a rank is filled by directions of the operator. ``local_steps`` MINRES steps a core
    at most, to the relative residual ``local_tolerance`` (None: from the accuracy), preconditioned exactly on
    ``local_block`` functions. ``shift`` below each state and the Rayleigh-Ritz ``window`` are in units of the lowest
    excitation energy. ``configurations``: size of the configuration interaction that provides the start from a table of
    products (without one there is none), taken between 40 and 200 (and 2000 more) a state. ``probes``: random starts a
    symmetry sector that look for a missing state.

    Raises ValueError where a value is impossible.
    """

    max_rank: int = 100
    first_rank: int = 28
    growth: float = 1.5
    expansion: float = 0.12
    max_passes: int = 8
    local_steps: int = 40
    local_tolerance: float | None = None
    local_block: int = 60
    shift: float = 0.04
    window: float = 0.4
    configurations: int = 16000
    probes: int = 1

    def __post_init__(self) -> None:
        least = {"max_rank": 1, "first_rank": 1, "max_passes": 1, "local_steps": 1, "local_block": 1}
        for name, value in {**least, "configurations": 1, "probes": 0}.items():
            if getattr(self, name) < value:
                raise ValueError(f"InverseIteration: {name} is {getattr(self, name)}; give at least {value}")
        if not self.growth > 1.0:
            raise ValueError(f"InverseIteration: growth is {self.growth}; give a factor above 1, such as 1.5")
        for name in ("expansion", "local_tolerance", "shift", "window"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < 1.0:
                raise ValueError(f"InverseIteration: {name} is {value}; give a number between 0 and 1")


@dataclass(frozen=True)
class ALS(LinearMethod):
    """Alternating least squares with fixed TT-ranks, ``rank`` (lowered where the tensor cannot have it).

    ``sweeps``: most sweeps, each in one direction (alias nswp).  Raises ValueError where a value is impossible.
    """

    iterate: ClassVar[str] = "solvers.linear.als:begin"
    fixed_ranks: ClassVar[bool] = True

    rank: int = 10
    sweeps: int = 40
    local: LocalSolver = BY_DEFAULT

    def __post_init__(self) -> None:
        at_least("ALS", self, {"rank": 1, "sweeps": 1})

    @property
    def cap(self) -> int:
        """The rank asked for."""
        return self.rank


@dataclass(frozen=True)
class DMRG(LinearMethod):
    """Two-site DMRG for linear systems: two neighbouring cores at once, ranks from the truncation between them.

    ``max_rank``: cap of the TT-ranks (alias rmax); ``sweeps``: most sweeps, each in one direction (alias nswp). The
    cost grows with the square of the mode size.  Raises ValueError where a value is impossible.
    """

    iterate: ClassVar[str] = "solvers.linear.dmrg:begin"

    max_rank: int = 500
    sweeps: int = 40
    local: LocalSolver = BY_DEFAULT

    def where_stuck(self) -> LinearMethod | None:
        """AMEn: it takes into the basis what two sites do not couple to."""
        return AMEn(max_rank=self.max_rank, local=self.local)


@dataclass(frozen=True)
class AMEn(LinearMethod):
    """Alternating minimal energy: one core at a time, the basis enriched by the residual.

    ``enrichment``: rank of the residual that joins the basis (alias kickrank); an eighth of the ranks where that is
    more. ``max_rank``: cap of the TT-ranks (alias rmax). ``sweeps``: most sweeps, each in one direction (alias nswp).

    Raises ValueError where a value is impossible.
    """

    iterate: ClassVar[str] = "solvers.linear.amen:begin"

    enrichment: int = 6
    max_rank: int = 500
    sweeps: int = 60
    local: LocalSolver = BY_DEFAULT

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("AMEn", self, {"enrichment": 1})


@dataclass(frozen=True)
class GMRES:
    """Restarted GMRES on trains (solvers.linear.gmres).

    ``restart``: most vectors a cycle keeps; ``cycles``: most cycles; ``max_rank``: cap of the TT-ranks of vectors and
    solution (alias rmax).

    Raises ValueError where a value is impossible.
    """

    restart: int = 30
    cycles: int = 60
    max_rank: int = 300

    def __post_init__(self) -> None:
        at_least("GMRES", self, {"restart": 1, "cycles": 1, "max_rank": 1})


@dataclass(frozen=True)
class ALSCross:
    """ALS-cross for linear systems that depend on parameters (solvers.cross.als_cross).

    ``max_solves``: most solves of the full system; ``max_rank``: cap of the TT-ranks (alias rmax); ``sweeps``: most
    sweeps over the parameters; ``candidates``: random parameter points among which the next solves are chosen, and as
    many fresh ones to judge the result.  Raises ValueError where a value is impossible.
    """

    max_solves: int = 400
    max_rank: int = 300
    sweeps: int = 12
    candidates: int = 300

    def __post_init__(self) -> None:
        at_least("ALSCross", self, {"max_solves": 1, "max_rank": 1, "sweeps": 1, "candidates": 10})


@dataclass(frozen=True)
class Cross:
    """Cross approximation of a function (solvers.cross.cross).

    ``max_rank``: cap of the TT-ranks (alias rmax); ``sweeps``: most sweeps, each in one direction (alias nswp);
    ``max_evaluations``: most evaluations, those of checks included; ``check_points``: fresh random points a check, more
    after one that found an error: the share of entries that can be wrong unseen is 9.2 over their number; ``whole``: a
    tensor of at most so many entries is evaluated whole, and its error known at every entry (0: never, for functions
    whose values are dear). ``patience``: evaluations from which on an error that falls too slowly for the accuracy ends
    it: raise it for a function of large exact rank.

    Raises ValueError where a value is impossible.
    """

    max_rank: int = 640  # more than a tensor that is taken whole can need
    sweeps: int = 400
    max_evaluations: int = 50_000_000
    check_points: int = 6000
    whole: int = 400_000
    patience: int = 1_000_000

    def __post_init__(self) -> None:
        least = {"max_rank": 1, "sweeps": 1, "max_evaluations": 1, "check_points": 1, "whole": 0, "patience": 1}
        at_least("Cross", self, least)


@dataclass(frozen=True)
class TDVP(Integrator):
    """The time-dependent variational principle by projector splitting (solvers.dynamics.tdvp).

    ``sites``: 1 keeps the TT-ranks of a step (they grow before a step, deterministically, up to ``max_rank``), 2 lets
    them grow by truncated factorisations. ``order``: 1 and 2 (symmetric), or 4 by composition, with steps back in
    time. ``time_step``: None for steps adapted to the accuracy. ``max_rank``: cap of the TT-ranks (alias chi_max).
    ``tol``: what a truncation may discard of the norm (None: from the accuracy). ``krylov_dimension``: most products
    a local exponential builds before it splits its step.

    Raises ValueError where a value is impossible.
    """

    stepper: ClassVar[str] = "solvers.dynamics.tdvp:TDVPStepper"

    sites: int = 1
    order: int = 2
    time_step: float | None = None
    max_rank: int = 100
    tol: float | None = None
    krylov_dimension: int = 40

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("TDVP", self, {"krylov_dimension": 2})
        if self.sites not in (1, 2):
            raise ValueError(f"TDVP: sites is {self.sites!r}; give 1 or 2")
        if self.order not in (1, 2, 4):
            raise ValueError(f"TDVP: order is {self.order!r}; give 1, 2 or 4")

    def check(self, factor: complex, hermitian: bool) -> None:
        """Raise ValueError where an evolution that may lose norm would go back in time."""
        if self.order == 4 and (factor.real != 0.0 or not hermitian):
            raise ValueError("TDVP of order 4 steps back in time, which a dissipative evolution does not bear: order 2")


@dataclass(frozen=True)
class BUG(Integrator):
    """The rank-adaptive basis-update and Galerkin integrator (solvers.dynamics.bug): no step back in time.

    ``time_step``: None for steps adapted to the accuracy. ``max_rank``: cap of the TT-ranks. ``tol``: what the
    rounding of a step may discard of the norm (None: from the accuracy).

    Raises ValueError where a value is impossible.
    """

    stepper: ClassVar[str] = "solvers.dynamics.bug:BUGStepper"

    time_step: float | None = None
    max_rank: int = 100
    tol: float | None = None


@dataclass(frozen=True)
class Implicit(Integrator):
    """Implicit steps by AMEn, for stiff systems: collocation in a space-time block (solvers.dynamics.implicit).

    ``time_step``: length of a block, None for blocks adapted to the accuracy. ``degree``: Gauss-Radau points a block.
    ``max_rank``: cap of the TT-ranks. ``tol``: relative error a block may add by its residual, and again by rounding
    (None: from the accuracy).

    Raises ValueError where a value is impossible.
    """

    stepper: ClassVar[str] = "solvers.dynamics.implicit:ImplicitStepper"

    time_step: float | None = None
    degree: int = 8
    max_rank: int = 100
    tol: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("Implicit", self, {"degree": 1})


@dataclass(frozen=True)
class TuckerCross:
    """Cross approximation in the Tucker format (solvers.formats.tucker.cross).

    At most ``max_rank`` an axis, ``passes`` passes.
    ``whole``: a tensor of at most so many entries is evaluated whole. Raises ValueError where a value is impossible.
    """

    max_rank: int = 200
    passes: int = 8
    whole: int = 300_000

    def __post_init__(self) -> None:
        at_least("TuckerCross", self, {"max_rank": 1, "passes": 1, "whole": 0})
