"""Block DMRG: the lowest states of a Hermitian TT operator on one shared set of cores.

Sweeps over the sites; at each one the projected eigenproblem for all states is improved by a few block Davidson
steps in the mean-field gauge, then the block index moves on with the centre: the bond is cut to the truncation of
this sweep and enlarged by directions of the two-site residual (solvers.eigen.block_train), so ranks and symmetry
sectors adapt at one-site cost. The truncation starts coarse and follows the true residual norms, which are computed
after every sweep independently of the local problems (solvers.eigen.residuals).

Dolgov, Khoromskij, Oseledets, Savostyanov, Comput. Phys. Commun. 185, 1207 (2014), algorithm 2.
Cost a sweep O(d m (steps + 2) R r^3 n) for m states, operator rank R, shared rank r: r grows with m.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Stopped, random_state, restore
from solvers.eigen.block_davidson import davidson
from solvers.eigen.block_start import joined, low_energy_bases
from solvers.eigen.block_train import BlockTrain, Cut, block_views
from solvers.eigen.explicit import space_of
from solvers.eigen.residuals import block_residuals
from solvers.eigen.stored import stored_bonds
from solvers.environments import Environment, LocalOperator, mean_field, rotate
from solvers.methods import BlockDMRG
from solvers.sector_operator import SectorOperator
from solvers.solution import Callback, IterationState, Status
from solvers.trains.sectors import Bond, SectorTrain, layout, mirror_core, rank, truncate

TOL = 1e-6  # where none is given
FIRST_TRUNCATION = 1e-2
FIRST_STEPS = 2
STRONGEST_CUT = 0.03  # the truncation of a sweep over that of the one before, at least; measured
AIM = 0.8  # of the residual asked for, where the next truncation is expected to land
EXPANSION = 0.1
NUMBERS = ("truncation", "local_tol", "steps", "best", "idle", "number")  # of the sweeps, kept in a checkpoint
IDLE_SWEEPS = 4  # without a fall by 0.7: give up


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
    """Rows (m, size) in the rotated bases of both bonds (``back``: out of them)."""
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
        far_gauge = _gauge(operator, k, 1 - side, (far, near), flipped, bonds[::-1])
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

    def report(self, sweep: int, seconds: float, residuals: np.ndarray, truncation: float) -> IterationState:
        extra = {
            "truncation": truncation,
            "discarded": self.train.discarded,
            "local_residual": self.local_residual,
        }
        return IterationState(
            sweep, f"sweep {sweep}", self.train.max_rank, seconds, self.energies, residuals, extra=extra
        )


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
) -> BlockDMRGResult:
    """The ``n_states`` lowest states of total charge ``charge`` of a real symmetric operator.

    ``start``: trains of that charge, any number, beside the low-energy bases of solvers.eigen.block_start; they
    are rounded to a relative error of ``truncation`` first, that of the first sweep too. ``callback`` receives an
    IterationState after every sweep, with the truncation, the discarded norm and the local residual in ``extra``.
    ``rng`` draws the random vectors of the range finders. ``checkpoint``: written after every sweep; where it holds
    something the sweeps go on from it. Energies and residuals are in the operator's unit.

    The status is CONVERGED when every true residual norm is at most ``options.tol`` (None: 1e-6); RANK_LIMIT,
    STAGNATED or ITERATION_LIMIT say otherwise, with what was reached. Raises ValueError for a complex operator, for
    more states than the space of this charge has or than ``options.max_rank`` can carry, for starts of another charge,
    and FloatingPointError for NaN or infinity in a local problem. Cost: see the module.
    """
    space = space_of(operator.modes, charge)
    if not 1 <= n_states <= space:
        raise ValueError(f"n_states is {n_states}, but the space of charge {charge} has {space} dimensions")
    if any(np.iscomplexobj(site.matrices) for sides in operator.sites for site in sides):
        raise ValueError("block_dmrg: the operator is complex; only real symmetric ones are implemented")
    if start and any(x.charge != charge or x.modes != operator.modes for x in start):
        raise ValueError(f"block_dmrg: every start must have charge {charge} and the modes of the operator")
    checkpoint = checkpoint or Checkpoint(None)
    loaded = checkpoint.load()
    if loaded is not None:
        return _Sweeps.continued(operator, n_states, options, rng, loaded).run(checkpoint, callback)
    bonds, cores = low_energy_bases(operator, charge, min(options.max_rank, max(20, 2 * n_states)))
    if start:
        rounded = [truncate(x, options.max_rank, truncation)[0] for x in start]
        bonds, cores, rows = joined(rounded, (bonds, cores))
    else:
        rows = np.zeros((0, layout(bonds[0], operator.modes[0], bonds[1])[1]))
    train = BlockTrain(operator, bonds, cores, rows, rng)
    sweeps = _Sweeps(_Run(train, n_states, options, rng), options)
    sweeps.truncation = truncation
    return sweeps.run(checkpoint, callback)


class _Sweeps:
    """The sweeps of one call: the truncation follows the residuals."""

    def __init__(self, run: _Run, options: BlockDMRG) -> None:
        self.site, self.options, self.begin = run, options, time.perf_counter()
        self.history: list[IterationState] = []
        self.residuals = np.zeros(0)
        self.tol = TOL if options.tol is None else options.tol
        self.truncation, self.local_tol, self.steps = FIRST_TRUNCATION, self.tol, min(options.steps, FIRST_STEPS)
        self.best, self.idle, self.number = np.inf, 0, 0
        self.status: Status | None = None

    @classmethod
    def continued(
        cls, operator: SectorOperator, n_states: int, options: BlockDMRG, rng: np.random.Generator, loaded: Content
    ) -> _Sweeps:
        """As a checkpoint has them."""
        arrays, data = loaded
        cores = [arrays[f"core.{k}"] for k in range(operator.d)]
        train = BlockTrain(operator, stored_bonds(data["bonds"]), cores, arrays["rows"], rng, data["centre"])
        train.discarded, train.capped = data["cut"]
        sweeps = cls(_Run(train, n_states, options, rng), options)
        restore(rng, data["random"])
        sweeps.site.energies, sweeps.site.counts = arrays["energies"], data["counts"]
        sweeps.residuals, sweeps.history = arrays["residuals"], data["history"]
        for name, value in data["numbers"].items():
            setattr(sweeps, name, value)
        sweeps.status = None if data["status"] is None else Status[data["status"]]
        return sweeps

    def content(self) -> Content:
        run, train = self.site, self.site.train
        arrays = {f"core.{k}": core for k, core in enumerate(train.cores)}
        arrays |= {"rows": train.rows, "energies": run.energies, "residuals": self.residuals}
        numbers = {name: getattr(self, name) for name in NUMBERS}
        return arrays, {
            "bonds": [list(bond) for bond in train.bonds],
            "centre": train.centre,
            "numbers": numbers,
            "cut": [train.discarded, train.capped],
            "counts": run.counts,
            "history": self.history,
            "status": None if self.status is None else self.status.name,
            "random": random_state(run.rng),
        }

    def run(self, checkpoint: Checkpoint, callback: Callback | None) -> BlockDMRGResult:
        """Sweeps until the residuals are small enough, or nothing moves."""
        run, options = self.site, self.options
        while self.status is None and self.number < options.sweeps:
            self.number += 1
            cut = Cut(options.max_rank, self.truncation, EXPANSION, 0.1 * self.local_tol)
            run.sweep(cut, self.local_tol, self.steps)
            self.residuals = run.residuals()
            seconds = time.perf_counter() - self.begin
            self.history.append(run.report(self.number, seconds, self.residuals, self.truncation))
            self.judge()
            checkpoint.save(self.content, last=self.status is not None)
            if callback is not None:
                callback(self.history[-1])
            if self.status is None and checkpoint.stopping:
                raise Stopped
        status = self.status or (Status.RANK_LIMIT if run.train.capped else Status.ITERATION_LIMIT)
        return BlockDMRGResult(
            run.energies,
            self.residuals,
            run.train.states(1e-3 * self.truncation),
            status,
            int(np.sum(self.residuals <= self.tol)),
            [rank(bond) for bond in run.train.bonds],
            tuple(self.history),
            run.counts,
        )

    def judge(self) -> None:
        """The end, or how the next sweep cuts."""
        options, worst = self.options, float(self.residuals.max())
        if worst <= self.tol:
            self.status = Status.CONVERGED
            return
        self.idle = self.idle + 1 if worst > 0.7 * self.best else 0
        self.best = min(self.best, worst)
        if self.idle == IDLE_SWEEPS:
            self.status = Status.RANK_LIMIT if self.site.train.capped else Status.STAGNATED
            return
        # the residual is about proportional to the truncation; what the local problems leave must stay below it
        factor = float(np.clip(AIM * self.tol / worst, STRONGEST_CUT, 0.5))
        self.truncation = max(factor * self.truncation, 1e-15)
        self.local_tol, self.steps = max(0.25 * self.tol, 0.3 * factor * worst), options.steps
