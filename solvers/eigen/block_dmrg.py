"""Block DMRG: the lowest states of a Hermitian TT operator on one shared set of cores.

Sweeps over the sites; at each one the projected eigenproblem for all states is improved by a few block Davidson
steps in the mean-field gauge, then the block index moves on with the centre: the bond is cut to the truncation of
this sweep and enlarged by directions of the two-site residual (solvers.eigen.block_train), so ranks and symmetry
sectors adapt at one-site cost. The truncation starts coarse and follows the true residual norms, which are computed
after every sweep independently of the local problems (solvers.sectors.residuals).

Dolgov, Khoromskij, Oseledets, Savostyanov, Comput. Phys. Commun. 185, 1207 (2014), algorithm 2.
Cost a sweep O(d m (steps + 2) R r^3 n) for m states, operator rank R, shared rank r: r grows with m.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, random_state, restore
from solvers.eigen.block_davidson import davidson
from solvers.eigen.block_start import joined, low_energy_bases
from solvers.eigen.block_train import BlockTrain, Cut, block_views
from solvers.eigen.explicit import space_of
from solvers.eigen.stored import stored_bonds
from solvers.iteration import drive
from solvers.methods import BlockDMRG
from solvers.sectors.environments import Environment, LocalOperator, mean_field, rotate
from solvers.sectors.group import Bond, turned, turned_keys
from solvers.sectors.operator import SectorOperator
from solvers.sectors.residuals import block_residuals
from solvers.sectors.train import SectorTrain, layout, mirror_core, rank, truncate
from solvers.solution import Callback, IterationState, Solution, Status

TOL = 1e-6  # where none is given
FIRST_TRUNCATION = 1e-2
FIRST_STEPS = 2
STRONGEST_CUT = 0.03  # the truncation of a sweep over that of the one before, at least; measured
WEAKEST_CUT = 0.5  # where the local problems leave the residual, or ``LOCAL`` of it, finer bonds would not lower it
LOCAL = 0.5
AIM = 0.8  # of the residual asked for, where the next truncation is expected to land
EXPANSION = 0.1
NUMBERS = ("truncation", "local_tol", "steps_a_site", "best", "idle", "number")  # of the sweeps, kept in a checkpoint
IDLE_SWEEPS = 4  # without a fall by 0.7: give up
# of the error asked is enough for a buffer state next to the last one wanted: where its band goes on, the bound by the
# narrowest gap is 300 times its error (quintet of magnons of an AKLT chain, measured)
BUFFER = 30.0
LEAST_WEIGHT = 0.03  # of a state in the truncation, whose residual may be larger than that of others


@dataclass(frozen=True)
class Wanted:
    """The ``count`` lowest states are asked for, each energy to ``error``; those above them are a buffer.

    ``narrowest``: least gap to the states outside that error bounds divide by. A buffer state is good enough where its
    level cannot lie below the last one wanted: a band that goes on beyond it need not be resolved.
    """

    count: int
    error: float
    narrowest: float

    def limits(self, energies: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Residual norm allowed of each state (m,), by the Kato-Temple bound r^2 / (outside - E) or r."""
        outside = float(energies[-1]) - float(residuals[-1])
        gaps = np.maximum(outside - energies, self.narrowest)
        above = np.maximum(energies - energies[self.count - 1], 0.0)
        above[: self.count] = 0.0
        errors = self.error * np.where(np.arange(len(energies)) < self.count, 1.0, BUFFER) + above
        return np.maximum(np.sqrt(errors * gaps), errors)


@dataclass(frozen=True)
class BlockDMRGResult:
    """``energies`` (m,) ascending; ``residuals`` (m,) true norms ||H x - E x||; ``states``: m trains of norm one,
    each of its own ranks; ``n_converged`` states met the tolerance; ``ranks``: d+1 ranks of the shared cores;
    ``history``: one IterationState a sweep; ``counts``: sweeps (one direction), matvecs, local_solves."""

    energies: np.ndarray
    residuals: np.ndarray
    states: list[SectorTrain]
    status: Status
    n_converged: int
    ranks: list[int]
    history: tuple[IterationState, ...]
    counts: dict[str, int]


def _gauge(
    operator: SectorOperator,
    k: int,
    side: int,
    environments: tuple[Environment, Environment],
    core: np.ndarray,
    bonds: Sequence[Bond],
) -> dict[int, np.ndarray]:
    """Eigenvectors of the mean field on the near bond; the unit matrix where nothing there has charge zero."""
    near = environments[0]
    if not all((a, 0) in near for a, _ in bonds[0]) or all(c[1] for c in operator.sites[k][side].combinations):
        return {a: np.eye(r) for a, r in bonds[0]}
    effective = mean_field(operator, k, side, environments, core, bonds)
    return {a: np.linalg.eigh(0.5 * (h + h.T))[1] for a, h in effective.items()}


def _rotate_rows(
    rows: np.ndarray,
    near: dict[int, np.ndarray],
    far: dict[int, np.ndarray],
    bonds: Sequence[Bond],
    mode: Bond,
    back: bool,
) -> np.ndarray:
    """Rows (m, size) in the rotated bases of both bonds (``back``: out of them), the far one as seen from its end."""
    far = turned_keys(far)
    out = np.empty_like(rows)
    target = block_views(out, bonds[0], mode, bonds[1])
    for (a, b), x in block_views(rows, bonds[0], mode, bonds[1]).items():
        u, v = (near[a], far[b].T) if back else (near[a].T, far[b])
        m, r, n, s = x.shape
        target[a, b][:] = np.matmul(u, np.matmul(x, v).reshape(m, r, n * s)).reshape(x.shape)
    return out


class _Run:
    def __init__(self, train: BlockTrain, n_states: int, options: BlockDMRG, rng: np.random.Generator) -> None:
        self.train, self.m, self.options, self.rng = train, n_states, options, rng
        self.operator = train.operator
        self.energies = np.full(n_states, np.nan)
        self.local_residual = 0.0
        self.counts = {"sweeps": 0, "matvecs": 0, "local_solves": 0}

    def solve_site(self, tol: float, steps: int) -> None:
        train, operator, k = self.train, self.operator, self.train.centre
        side = operator.best_side(k)
        rows, *bonds = train.oriented(side)
        mode = operator.modes[k]
        near, far = train.local_environments(side)
        core = rows[0] if len(rows) else np.eye(1, rows.shape[1])[0]  # no start: the lowest product function
        near_gauge = _gauge(operator, k, side, (near, far), core, bonds)
        flipped = mirror_core(core, bonds[0], mode, bonds[1])
        far_gauge = _gauge(operator, k, 1 - side, (far, near), flipped, [turned(bonds[1]), turned(bonds[0])])
        local = LocalOperator(operator, k, side, rotate(near, near_gauge), rotate(far, far_gauge), tuple(bonds))
        start = _rotate_rows(rows, near_gauge, far_gauge, bonds, mode, False)
        found = davidson(local, start, self.m, tol, steps, self.options.model, self.rng)
        train.store(_rotate_rows(found.vectors, near_gauge, far_gauge, bonds, mode, True), side)
        self.energies = found.values
        self.local_residual = max(self.local_residual, float(found.residuals.max()))
        self.counts["matvecs"] += found.products
        self.counts["local_solves"] += 1

    def sweep(self, cut: Cut, tol: float, steps: int) -> None:
        """One sweep from the end where the centre is to the other, the last site solved too."""
        train = self.train
        side = 0 if train.centre == 0 else 1
        train.discarded, train.capped, self.local_residual = 0.0, False, 0.0
        for _ in range(self.operator.d - 1):
            self.solve_site(tol, steps)
            train.move(side, cut)
        self.solve_site(tol, steps)
        self.counts["sweeps"] += 1

    def residuals(self) -> np.ndarray:
        t = self.train
        return block_residuals(self.operator, t.bonds, t.cores, t.centre, t.rows, self.energies)

    def report(self, sweep: int, residuals: np.ndarray, truncation: float) -> IterationState:
        extra = {
            "truncation": truncation,
            "discarded": self.train.discarded,
            "local_residual": self.local_residual,
        }
        return IterationState(sweep, f"sweep {sweep}", self.train.max_rank, 0.0, self.energies, residuals, extra=extra)


def block_dmrg(
    operator: SectorOperator,
    charge: int,
    n_states: int,
    options: BlockDMRG,
    *,
    start: Sequence[SectorTrain] | None = None,
    rng: np.random.Generator,
    callback: Callback | None = None,
    checkpoint: Checkpoint | None = None,
    truncation: float = FIRST_TRUNCATION,
    wanted: Wanted | None = None,
) -> BlockDMRGResult:
    """The ``n_states`` lowest states of total charge ``charge`` of a real symmetric operator.

    ``start``: trains of that charge, any number, beside the low-energy bases of solvers.eigen.block_start; they
    are rounded to a relative error of ``truncation`` first, that of the first sweep too. ``callback`` receives an
    IterationState after every sweep, with the truncation, the discarded norm and the local residual in ``extra``.
    ``rng`` draws the random vectors of the range finders. ``checkpoint``: written after every sweep; where it holds
    something the sweeps go on from it. Energies and residuals are in the operator's unit.

    ``wanted``: which of the states are asked for and how well; the others are a buffer.

    The status is CONVERGED when every true residual norm is at most ``options.tol`` (None: 1e-6), or what ``wanted``
    allows it; RANK_LIMIT, STAGNATED or ITERATION_LIMIT say otherwise, with what was reached. Raises ValueError for a
    complex operator, for more states than the space of this charge has or than ``options.max_rank`` can carry, for
    starts of another charge,
    and FloatingPointError for NaN or infinity in a local problem. Cost: see the module.
    """
    space = space_of(operator.modes, charge)
    if not 1 <= n_states <= space:
        raise ValueError(f"n_states is {n_states}, but the space of charge {charge} has {space} dimensions")
    if any(np.iscomplexobj(site.matrices) for sides in operator.sites for site in sides):
        raise ValueError("block_dmrg: the operator is complex; only real symmetric ones are implemented")
    if start and any(x.charge != charge or x.modes != operator.modes for x in start):
        raise ValueError(f"block_dmrg: every start must have charge {charge} and the modes of the operator")

    def first() -> BlockTrain:
        bonds, cores = low_energy_bases(operator, charge, min(options.max_rank, max(20, 2 * n_states)))
        if start:
            rounded = [truncate(x, options.max_rank, truncation)[0] for x in start]
            bonds, cores, rows = joined(rounded, (bonds, cores))
        else:
            rows = np.zeros((0, layout(bonds[0], operator.modes[0], bonds[1])[1]))
        return BlockTrain(operator, bonds, cores, rows, rng)

    sweeps = _Sweeps(first, operator, n_states, options, rng, truncation, wanted)
    solution = drive(sweeps, callback=callback, checkpoint=checkpoint, throw=False)
    return replace(solution.value, history=solution.history)


class _Sweeps:
    """The sweeps of one call: the truncation follows the residuals. An Iteration of solvers.iteration."""

    def __init__(
        self,
        first: Callable[[], BlockTrain],
        operator: SectorOperator,
        n_states: int,
        options: BlockDMRG,
        rng: np.random.Generator,
        truncation: float,
        wanted: Wanted | None,
    ) -> None:
        self.first, self.operator, self.m, self.options, self.rng = first, operator, n_states, options, rng
        self.wanted = wanted
        self.run: _Run | None = None  # before the first sweep
        self.residuals = np.zeros(0)
        self.tol = TOL if options.tol is None else options.tol
        self.truncation, self.local_tol, self.steps_a_site = truncation, self.tol, min(options.steps, FIRST_STEPS)
        self.best, self.idle, self.number = np.inf, 0, 0
        self.status: Status | None = None

    @property
    def site(self) -> _Run:
        """The train and its local problems; from the start where nothing was restored."""
        if self.run is None:
            self.run = _Run(self.first(), self.m, self.options, self.rng)
        return self.run

    def steps(self) -> Iterator[IterationState]:
        """Sweeps until the residuals are small enough, or nothing moves."""
        run, options = self.site, self.options
        while self.status is None and self.number < options.sweeps:
            self.number += 1
            truncation = self.truncation
            cut = Cut(options.max_rank, truncation, EXPANSION, 0.1 * self.local_tol, self.weights())
            run.sweep(cut, self.local_tol, self.steps_a_site)
            self.residuals = run.residuals()
            self.judge()
            yield run.report(self.number, self.residuals, truncation)

    def content(self) -> Content:
        """The train and the control of its sweeps."""
        run, train = self.site, self.site.train
        arrays = {f"core.{k}": core for k, core in enumerate(train.cores)}
        arrays |= {"rows": train.rows, "energies": run.energies, "residuals": self.residuals}
        return arrays, {
            "bonds": [list(bond) for bond in train.bonds],
            "centre": train.centre,
            "numbers": {name: getattr(self, name) for name in NUMBERS},
            "cut": [train.discarded, train.capped],
            "counts": run.counts,
            "status": None if self.status is None else self.status.name,
            "random": random_state(run.rng),
        }

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        cores = [arrays[f"core.{k}"] for k in range(self.operator.d)]
        bonds = stored_bonds(data["bonds"])
        train = BlockTrain(self.operator, bonds, cores, arrays["rows"], self.rng, data["centre"])
        train.discarded, train.capped = data["cut"]
        self.run = _Run(train, self.m, self.options, self.rng)
        self.run.energies, self.run.counts = arrays["energies"], data["counts"]
        self.residuals = arrays["residuals"]
        for name, value in data["numbers"].items():
            setattr(self, name, value)
        self.status = None if data["status"] is None else Status[data["status"]]
        restore(self.rng, data["random"])

    def solution(self) -> Solution:
        """The states, each rounded by itself."""
        run = self.site
        status = self.status or (Status.RANK_LIMIT if run.train.capped else Status.ITERATION_LIMIT)
        states, met = run.train.states(1e-3 * self.truncation), int(np.sum(self.residuals <= self.limits()))
        ranks = [rank(bond) for bond in run.train.bonds]
        value = BlockDMRGResult(run.energies, self.residuals, states, status, met, ranks, (), run.counts)
        return Solution(value, status, met, self.residuals, (), run.counts, {})

    def limits(self) -> np.ndarray:
        """Residual norm asked of each state (m,)."""
        if self.wanted is None:
            return np.full(self.m, self.tol)
        allowed = self.wanted.limits(self.site.energies, self.residuals)
        if self.options.tol is not None:  # asked of the wanted states, and of others only what the list needs
            allowed[: self.wanted.count] = self.tol
            allowed = np.maximum(allowed, self.tol)
        return allowed

    def weights(self) -> np.ndarray | None:
        """Of the states where bonds are cut: a residual that may be larger may be truncated more."""
        if self.wanted is None or not len(self.residuals):
            return None
        allowed = self.limits()
        return np.maximum(allowed.min() / allowed, LEAST_WEIGHT)

    def judge(self) -> None:
        """The end, or how the next sweep cuts."""
        options, limits = self.options, self.limits()
        last = int(np.argmax(self.residuals / limits))
        worst, tol = float(self.residuals[last]), float(limits[last])
        if worst <= tol:
            self.status = Status.CONVERGED
            return
        excess = worst / tol
        self.idle = self.idle + 1 if excess > 0.7 * self.best else 0
        self.best = min(self.best, excess)
        if self.idle == IDLE_SWEEPS:
            self.status = Status.RANK_LIMIT if self.site.train.capped else Status.STAGNATED
            return
        # the residual is about proportional to the truncation; what the local problems leave must stay below it
        factor = float(np.clip(AIM / excess, STRONGEST_CUT, WEAKEST_CUT))
        finer = WEAKEST_CUT if self.site.local_residual > LOCAL * worst else factor
        self.truncation = max(finer * self.truncation, 1e-15)
        least = float(limits.min())
        self.local_tol, self.steps_a_site = max(0.25 * least, 0.3 * factor * excess * least), options.steps
