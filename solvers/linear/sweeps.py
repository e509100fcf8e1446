"""Sweeps of ALS, DMRG or AMEn until the true residual is small enough, or until they get no further.

Sweeps are steered by cheap residuals, local ones or that of the enrichment; whether the system is solved is decided by
the true residual alone. Galerkin projection minimises an error only where the operator is Hermitian positive definite;
elsewhere an iterate may be far worse than one before it. So the best iterates by each measure are kept, and what comes
back is the one of smallest true residual, times the number that makes its residual smallest: never worse than zero.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from solvers.linear.alternating import Alternating, Options, Work
from solvers.linear.full_vectors import apply_full
from solvers.linear.residual import EXACT_RANK, best_multiple, bounded_residual
from solvers.local_operator import OperatorCore, mirrored
from solvers.methods import ALS, DMRG, AMEn
from solvers.solution import IterationState, Status
from solvers.trains.construct import random_train
from solvers.trains.operator import TTOperator
from solvers.trains.rounding import round_cores
from solvers.trains.tensor_train import TensorTrain

Method = ALS | DMRG | AMEn
Callback = Callable[[IterationState], None]

TIGHTEN = 0.02  # a sweep aims at this share of the residual before it
LOOSEST = 0.1
START_RANK = 8
PATIENCE = 6  # sweeps without progress before giving up
LOST = 3  # sweeps in a row with a residual above that of zero: a projection that is not definite leads nowhere
PROGRESS = 0.7
EPSILON = float(np.finfo(float).eps)
LARGEST_FULL = 100_000  # unknowns up to which a residual of large ranks is formed on full vectors


@dataclass(frozen=True)
class System:
    """A x = b of scale about one, ||b|| = 1: ``operator``, ``b``, and the cores of A as the kernels take them."""

    operator: TTOperator
    b: TensorTrain
    dtype: np.dtype
    definite: bool  # may be Hermitian positive definite
    cores: list[OperatorCore]
    mirror: list[OperatorCore]

    @classmethod
    def of(cls, operator: TTOperator, b: TensorTrain, dtype: np.dtype, definite: bool) -> System:
        """With equal operator cores as one object."""
        known: dict[tuple, tuple[OperatorCore, OperatorCore]] = {}
        for core in operator.cores:
            if _key(core) not in known:
                sparse = OperatorCore.of(core, dtype)
                known[_key(core)] = sparse, sparse.mirrored()
        pairs = [known[_key(core)] for core in operator.cores]
        return cls(operator, b, dtype, definite, [pair[0] for pair in pairs], [pair[1] for pair in reversed(pairs)])

    def residual(self, x: TensorTrain, rng: np.random.Generator, accuracy: float = np.inf) -> float:
        """||b - A x||, an estimate only where it is above ``accuracy`` (solvers.linear.residual)."""
        if self.by_full(x):
            left = self.b.full().reshape(-1) - apply_full(self.operator.cores, x.full().reshape(-1))
            return float(np.linalg.norm(left))
        return bounded_residual(self.cores, plain(x, self.dtype), plain(self.b, self.dtype), rng, accuracy)

    def by_full(self, x: TensorTrain) -> bool:
        """Whether the residual of x is formed on full vectors: those are small beside its ranks as a train."""
        if math.prod(x.shape) > LARGEST_FULL:
            return False
        return max(r * p + q for r, p, q in zip(self.operator.ranks, x.ranks, self.b.ranks)) > EXACT_RANK

    @cached_property
    def size(self) -> float:
        """A lower bound of the 2-norm of A, close where a random vector is no exception."""
        rng = np.random.default_rng(0)
        probe = random_train(self.b.shape, 1, rng)
        return self.image_norm(probe / probe.norm(), rng)

    def rounding(self, x: TensorTrain) -> float:
        """What rounding errors of A x may add to a residual."""
        return EPSILON * max(self.size * x.norm(), 1.0)

    def image_norm(self, x: TensorTrain, rng: np.random.Generator) -> float:
        """||A x||."""
        zero = [np.zeros((1, n, 1), dtype=self.dtype) for n in x.shape]
        return bounded_residual(self.cores, plain(x, self.dtype), zero, rng)

    def scaled(self, x: TensorTrain, rng: np.random.Generator) -> tuple[TensorTrain, float]:
        """The multiple of x of smallest residual, zero included, and that residual."""
        factor = best_multiple(self.cores, plain(x, self.dtype), plain(self.b, self.dtype), rng)
        if factor == 0.0 or not np.isfinite(factor):
            return x * 0.0, 1.0
        residual = self.residual(x * factor, rng)
        return (x * factor, residual) if residual < 1.0 else (x * 0.0, 1.0)


@dataclass
class Swept:
    """A solution reached: x, its true residual, why no further, by which route, with how much work."""

    x: TensorTrain
    residual: float
    status: Status
    route: str
    work: Work = field(default_factory=Work)


@dataclass
class Kept:
    """The best iterate by one measure."""

    value: float = np.inf
    x: TensorTrain | None = None


def sweep_until(
    system: System,
    judge: System,
    method: Method,
    start: TensorTrain | None,
    accuracy: float,
    rng: np.random.Generator,
    report: Callback,
    *,
    first: float = 1.0,
    storage: float = np.inf,
) -> Swept:
    """Sweeps for ``system`` until the residual of ``judge`` is at most ``accuracy``.

    ``judge`` is ``system`` itself, or the one whose normal equations it holds. ``first``: the residual of ``start``.
    ``storage``: the sweeps end, not converged, when x holds more numbers than that.
    """
    same = judge is system
    iteration = begin(system, method, start, rng)
    swept = Swept(train_of(iteration), first, Status.ITERATION_LIMIT, "sweeps", iteration.work)
    kept = {"projected": Kept(), "local": Kept(), "true": Kept(first, start)}
    waited = lost = 0
    floor = accuracy / np.sqrt(len(system.cores)) * (1.0 if same else TIGHTEN)
    estimate, begun = first, time.perf_counter()
    for sweep in range(1, method.sweeps + 1):
        met = iteration.sweep(min(max(TIGHTEN * estimate, floor), LOOSEST))
        if not np.isfinite(met.local + met.projected):
            swept.status = Status.STAGNATED
            break
        estimate = met.projected if iteration.z else met.local
        true = np.nan
        final = sweep == method.sweeps or waited == PATIENCE - 1
        if estimate <= accuracy or final or not same:
            true = judge.residual(train_of(iteration), rng, np.inf if final or not same else accuracy)
            if true > accuracy >= estimate:
                floor *= 0.5
            if same:
                estimate = true
        rank = max(core.shape[2] for core in iteration.x)
        report(
            IterationState(
                sweep,
                "sweep",
                rank,
                time.perf_counter() - begun,
                residuals=np.array([estimate if same else true]),
                extra={"local": met.local, "true": true, "products": iteration.work.products},
            )
        )
        # each measured against its own last progress, so that slow but steady progress counts; any of them may be
        # small by chance once, the projected one because the rank of z is small
        seen = {"projected": met.projected if iteration.z else np.inf, "local": met.local, "true": true}
        better = {name for name, value in seen.items() if value < PROGRESS * kept[name].value}
        for name in better:
            kept[name] = Kept(seen[name], train_of(iteration))
        if true <= accuracy:
            swept.x, swept.residual, swept.status = train_of(iteration), true, Status.CONVERGED
            return swept
        waited = 0 if better else waited + 1
        lost = lost + 1 if same and estimate > 1.0 and not iteration.definite else 0
        if waited >= PATIENCE or lost >= LOST or sum(core.size for core in iteration.x) > storage:
            swept.status = Status.STAGNATED
            break
    if swept.status is not Status.CONVERGED and (iteration.work.capped or isinstance(method, ALS)):
        swept.status = Status.RANK_LIMIT
    _take_best(swept, judge, [train_of(iteration), *(one.x for one in kept.values())], rng)
    return swept


def _take_best(swept: Swept, judge: System, candidates: list[TensorTrain | None], rng: np.random.Generator) -> None:
    """The candidate of smallest true residual, each times its best factor."""
    swept.x, swept.residual = judge.b * 0.0, 1.0
    for x in candidates:
        if x is not None and all(np.isfinite(core).all() for core in x.cores):
            scaled, residual = judge.scaled(x, rng)
            if residual + judge.rounding(scaled) < swept.residual:
                swept.x, swept.residual = scaled, residual


def begin(system: System, method: Method, start: TensorTrain | None, rng: np.random.Generator) -> Alternating:
    """Trains and environments before the first sweep."""
    b = system.b
    enrichment = method.enrichment if isinstance(method, AMEn) else 0
    if start is not None:
        x = start
    else:
        x = b if b.max_rank <= START_RANK else TensorTrain(round_cores(b.cores, None, 0.0, START_RANK)[0])
    if isinstance(method, ALS):
        x = _of_rank(x, method.rank, rng)
    x = x.orthogonalise(0)
    z = random_train(b.shape, enrichment, rng).orthogonalise(0) if enrichment else None
    right = plain(b, system.dtype)
    options = Options(
        sites=2 if isinstance(method, DMRG) else 1,
        enrichment=enrichment,
        max_rank=method.rank if isinstance(method, ALS) else method.max_rank,
        dense_size=method.local.dense_size,
        steps=method.local.steps,
        side=method.local.side,
        definite=system.definite,
    )
    return Alternating(
        (system.cores, system.mirror),
        (right, mirrored(right)),
        plain(x, system.dtype),
        plain(z, system.dtype) if z is not None else [],
        1.0,
        options,
        rng,
    )


def plain(x: TensorTrain, dtype: np.dtype) -> list[np.ndarray]:
    """Writable cores of one dtype, as the kernels take them."""
    return [core.astype(dtype) for core in x.cores]


def train_of(iteration: Alternating) -> TensorTrain:
    """The present x in its own order, with its centre."""
    if iteration.side == 0:
        return TensorTrain(tuple(iteration.x), 0)
    return TensorTrain(tuple(mirrored(iteration.x)), len(iteration.x) - 1)


def _key(core: np.ndarray) -> tuple:
    """Equal for equal cores."""
    return core.shape, core.tobytes()


def _of_rank(x: TensorTrain, rank: int, rng: np.random.Generator) -> TensorTrain:
    """The train filled up with a small random part to ``rank``, or cut to it."""
    if x.max_rank < rank:
        noise = random_train(x.shape, rank, rng)
        x = x + noise * (1e-2 * x.norm())
    return TensorTrain(round_cores(x.cores, None, 0.0, rank)[0])
