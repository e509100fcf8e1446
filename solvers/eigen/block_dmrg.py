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

from solvers.eigen.block_davidson import davidson
from solvers.eigen.block_start import joined, low_energy_bases
from solvers.eigen.block_train import BlockTrain, Cut, block_views
from solvers.eigen.residuals import block_residuals
from solvers.environments import LocalOperator, SectorOperator, mean_field, rotate
from solvers.methods import BlockDMRG
from solvers.solution import Callback, IterationState, Status
from solvers.trains.sectors import Bond, SectorTrain, layout, mirror_core

EXPANSION = 0.25
FIRST_TRUNCATION = 1e-2


@dataclass(frozen=True)
class BlockDMRGResult:
    """``energies`` (m,) ascending, ``residuals`` (m,) true norms ||H x - E x||, ``states`` m normalised trains."""

    energies: np.ndarray
    residuals: np.ndarray
    states: list[SectorTrain]
    status: Status
    n_converged: int
    ranks: list[int]
    history: tuple[IterationState, ...]
    counts: dict[str, int]


def _gauge(effective: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    return {a: np.linalg.eigh(0.5 * (h + h.T))[1] for a, h in effective.items()}


def _rotate_rows(rows, near, far, bonds, mode: Bond, back: bool) -> np.ndarray:
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
        near_gauge = _gauge(mean_field(operator, k, side, (near, far), core, bonds))
        flipped = mirror_core(core, bonds[0], mode, bonds[1])
        far_gauge = _gauge(mean_field(operator, k, 1 - side, (far, near), flipped, bonds[::-1]))
        local = LocalOperator(operator, k, side, rotate(near, near_gauge), rotate(far, far_gauge), tuple(bonds))
        start = _rotate_rows(rows, near_gauge, far_gauge, bonds, mode, False)
        found = davidson(local, start, self.m, tol, steps, self.options.model, self.rng)
        train.store(_rotate_rows(found.vectors, near_gauge, far_gauge, bonds, mode, True), side)
        self.energies = found.values
        self.local_residual = max(self.local_residual, float(found.residuals.max()))
        self.counts["matvecs"] += found.products
        self.counts["local_solves"] += 1

    def sweep(self, cut: Cut, tol: float, steps: int) -> None:
        """From the first site to the last and back; the centre ends at the first site, solved."""
        d, train = self.operator.d, self.train
        train.discarded, train.capped, self.local_residual = 0.0, False, 0.0
        for _ in range(d - 1):
            self.solve_site(tol, steps)
            train.move(0, cut)
        for _ in range(d - 1):
            self.solve_site(tol, steps)
            train.move(1, cut)
        self.solve_site(tol, steps)
        self.counts["sweeps"] += 1

    def residuals(self) -> np.ndarray:
        t = self.train
        return block_residuals(self.operator, t.bonds, t.cores, t.centre, t.rows, self.energies)


def block_dmrg(
    operator: SectorOperator,
    charge: int,
    n_states: int,
    options: BlockDMRG,
    *,
    start: Sequence[SectorTrain] | None = None,
    rng: np.random.Generator,
    callback: Callback | None = None,
) -> BlockDMRGResult:
    space = _space(operator, charge)
    if not 1 <= n_states <= space:
        raise ValueError(f"n_states = {n_states}: the space of charge {charge} has {space} dimensions")
    if start:
        bonds, cores, rows = joined(start)
    else:
        bonds, cores = low_energy_bases(operator, charge, min(options.max_rank, max(20, 2 * n_states)))
        rows = np.zeros((0, layout(bonds[0], operator.modes[0], bonds[1])[1]))
    train = BlockTrain(operator, bonds, cores, rows, rng)
    run = _Run(train, n_states, options, rng)
    history = []
    truncation = FIRST_TRUNCATION
    status = Status.ITERATION_LIMIT
    begin = time.perf_counter()
    scale = 1.0
    for sweep in range(1, options.sweeps + 1):
        cut = Cut(options.max_rank, truncation, EXPANSION)
        tol = max(0.2 * options.tol, 0.3 * scale * truncation)
        run.sweep(cut, tol, options.steps)
        residuals = run.residuals()
        worst = float(residuals.max())
        history.append(
            IterationState(
                sweep, f"sweep {sweep}", train.max_rank, time.perf_counter() - begin, run.energies, residuals,
                None, {"truncation": truncation, "discarded": train.discarded, "local": run.local_residual, "tol": tol},
            )
        )  # fmt: skip
        if callback is not None:
            callback(history[-1])
        if worst <= options.tol:
            status = Status.CONVERGED
            break
        scale = worst / truncation
        truncation *= float(np.clip(0.4 * options.tol / worst, 0.05, 0.5))
    states = train.states(1e-12, options.max_rank)
    return BlockDMRGResult(
        run.energies, residuals, states, status, int(np.sum(residuals <= options.tol)),
        [sum(r for _, r in b) for b in train.bonds], tuple(history), run.counts,
    )  # fmt: skip


def _space(operator: SectorOperator, charge: int) -> int:
    """Dimension of the space of one charge."""
    count = {0: 1}
    for mode in operator.modes:
        new: dict[int, int] = {}
        for c, number in count.items():
            for m, n in mode:
                new[c ^ m] = new.get(c ^ m, 0) + number * n
        count = new
    return count.get(charge, 0)
