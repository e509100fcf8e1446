"""One inexact inverse-iteration step along the manifold of low-rank trains, for one state.

    (H - sigma) y = sum_j c_j x_j

is solved by alternating one-site sweeps: at each core the projected equation is treated by a few steps of diagonally
preconditioned MINRES (the residual need not vanish: inverse iteration only asks that the wanted state is
amplified), then the bond in sweep direction is cut back to ``max_rank`` by its singular values over all charges and
enlarged by directions of the operator applied to the block behind it, so ranks and sectors adapt. The right-hand
side is the exact Ritz vector, a sum over trains that is never rounded.

Inexact inversion on the manifold: Rakhuba and Oseledets, J. Chem. Phys. 145, 124101 (2016), sec. III; subspace
expansion: Hubig, McCulloch, Schollwoeck, Wolf, Phys. Rev. B 91, 155115 (2015). Cost a sweep O(d (steps + 4) R r^3 n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.methods import InverseIteration
from solvers.sectors.environments import (
    Core,
    Environment,
    LocalOperator,
    advance,
    half_product,
    mean_field,
    rotate,
    rotate_core,
)
from solvers.sectors.group import Bond, added, negated, taken, turned, turned_keys, turned_pairs
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import (
    SectorTrain,
    layout,
    mirror_core,
    mirrored,
    overlap_step,
    right_orthogonal,
    split_right,
    views,
)

TOLERANCE = 1e-3  # of local solves, where none is given
FLOOR = 0.003  # smallest energy denominator, of the lowest excitation energy


@dataclass(frozen=True)
class StepOptions:
    """Options of one step: rank of the result, how many of a bond's directions are new ones, MINRES steps a core,
    relative tolerance of the local solves, size of the exact block in their preconditioner, smallest energy
    denominator in it."""

    max_rank: int
    expansion: int
    steps: int
    tol: float
    model: int
    floor: float


def step_options(method: InverseIteration, rank: int, scale: float) -> StepOptions:
    """Options of a solve at ``rank``; ``scale``: the lowest excitation energy."""
    tolerance = TOLERANCE if method.local_tolerance is None else method.local_tolerance
    expansion = max(2, round(method.expansion * rank))
    return StepOptions(rank, expansion, method.local_steps, tolerance, method.local_block, FLOOR * scale)


def _gauge(effective: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    return {a: np.linalg.eigh(0.5 * (h + h.T))[1] for a, h in effective.items()}


def _projected(
    near: dict[int, np.ndarray],
    x: Core,
    far: dict[int, np.ndarray],
    mode: Bond,
    bra_near: Bond,
    bra_far: Bond,
    out: np.ndarray,
    weight: float,
) -> None:
    """Add weight * (near x far^T) to the flat core ``out``."""
    target = views(out, bra_near, mode, bra_far)
    for (l, c), xb in views(x[0], x[1], mode, x[2]).items():
        if (l, c) not in target or l not in near or c not in far:
            continue
        part = (near[l] @ xb.reshape(xb.shape[0], -1)).reshape(-1, xb.shape[2]) @ far[c].T
        target[l, c] += weight * part.reshape(target[l, c].shape)


class ShiftedSolve:
    """State of the sweeps for one right-hand side. ``solve`` returns y (unnormalised) and the operator products."""

    def __init__(
        self,
        operator: SectorOperator,
        start: SectorTrain,
        sources: Sequence[SectorTrain],
        weights: Sequence[float],
        shift: float,
        options: StepOptions,
        rng: np.random.Generator,
    ) -> None:
        self.operator, self.shift, self.options, self.rng = operator, shift, options, rng
        self.modes = operator.modes
        self.weights = list(weights)
        start = right_orthogonal(start)
        self.bonds, self.cores = list(start.bonds), list(start.cores)
        # every source seen from the left and from the right
        self.sources = [(list(s.bonds), list(s.cores)) for s in sources]
        self.mirror = [mirrored(s) for s in sources]
        d = operator.d
        one = np.ones((1, 1, 1))
        self.h: list[list[Environment]] = [[{} for _ in range(d + 1)] for _ in (0, 1)]
        self.o: list[list[list[dict[int, np.ndarray]]]] = [[[] for _ in range(d + 1)] for _ in (0, 1)]
        charge = negated(start.charge)
        self.h[0][0], self.h[1][d] = {(0, 0): one}, {(charge, 0): one}
        self.o[0][0] = [{0: one[0]} for _ in sources]
        self.o[1][d] = [{charge: one[0]} for _ in sources]
        self.products = 0
        for k in range(d - 1, 0, -1):
            self._advance(k, 1)

    def _oriented(self, k: int, side: int) -> Core:
        if side == 0:
            return self.cores[k], self.bonds[k], self.bonds[k + 1]
        core = mirror_core(self.cores[k], self.bonds[k], self.modes[k], self.bonds[k + 1])
        return core, turned(self.bonds[k + 1]), turned(self.bonds[k])

    def _source(self, j: int, k: int, side: int) -> Core:
        d = self.operator.d
        if side == 0:
            bonds, cores = self.sources[j]
            return cores[k], bonds[k], bonds[k + 1]
        bonds, cores = self.mirror[j]
        return cores[d - 1 - k], bonds[d - 1 - k], bonds[d - k]

    def _advance(self, k: int, side: int) -> None:
        """Move the environments of ``side`` over core k."""
        before, after = (k, k + 1) if side == 0 else (k + 1, k)
        own = self._oriented(k, side)
        self.h[side][after] = advance(self.operator, k, side, self.h[side][before], own, own)
        self.o[side][after] = [
            overlap_step(self.o[side][before][j], own, self._source(j, k, side), self.modes[k])
            for j in range(len(self.weights))
        ]

    def _solve_site(self, k: int) -> None:
        side = self.operator.best_side(k)
        core, near_bond, far_bond = self._oriented(k, side)
        near, far = (k, k + 1) if side == 0 else (k + 1, k)
        h_near, h_far = self.h[side][near], self.h[1 - side][far]
        mode, bonds = self.modes[k], (near_bond, far_bond)
        near_gauge = _gauge(mean_field(self.operator, k, side, (h_near, h_far), core, bonds))
        flipped = mirror_core(core, near_bond, mode, far_bond)
        back = (turned(far_bond), turned(near_bond))
        far_gauge = _gauge(mean_field(self.operator, k, 1 - side, (h_far, h_near), flipped, back))
        local = LocalOperator(self.operator, k, side, rotate(h_near, near_gauge), rotate(h_far, far_gauge), bonds)
        b = np.zeros(local.size)
        for j, weight in enumerate(self.weights):
            _projected(
                self.o[side][near][j],
                self._source(j, k, side),
                turned_keys(self.o[1 - side][far][j]),
                self.modes[k],
                near_bond,
                far_bond,
                b,
                weight,
            )
        b = rotate_core(b, near_gauge, far_gauge, bonds, mode, False)
        x = rotate_core(core, near_gauge, far_gauge, bonds, mode, False)
        hx = local @ x - self.shift * x
        size = float(hx @ hx)
        x *= float(b @ hx) / size if size > 0.0 else 0.0  # the best multiple of the present core as a start
        o = self.options
        self.products += 1 + local.minres(b, x, self.shift, o.steps, o.tol, o.floor, o.model)
        if not np.all(np.isfinite(x)):
            raise FloatingPointError(f"the local solve at core {k} produced NaN or infinity")
        x = rotate_core(x, near_gauge, far_gauge, bonds, mode, True)
        self.cores[k] = x if side == 0 else mirror_core(x, near_bond, self.modes[k], far_bond)

    def _expand(self, k: int, side: int) -> None:
        """Cut the bond behind core k in sweep direction to its largest singular values and enlarge it; move on."""
        core, near, far = self._oriented(k, side)
        mode, old_far = self.modes[k], dict(far)
        blocks = views(core, near, mode, far)
        rows = {c: [l for l, _ in near if (l, c) in blocks] for c, _ in far}
        svds = {}
        for c, ls in rows.items():
            if ls:
                stacked = np.concatenate([blocks[l, c].reshape(-1, old_far[c]) for l in ls])
                svds[c] = np.linalg.svd(stacked, full_matrices=False)
        values = np.sort(np.concatenate([s for _, s, _ in svds.values()]))[::-1]
        o = self.options
        keep = min(max(o.max_rank - o.expansion, 1), int(np.sum(values > 1e-13 * values[0])))
        extra = self._expansion(k, side, core, near, far, o.max_rank - keep)
        isometry, carry = {}, {}
        for c in sorted(svds.keys() | extra.keys()):
            if c in svds:
                u, s, vt = svds[c]
                kept = int(np.sum(s >= values[keep - 1]))
                u, carry[c] = u[:, :kept], s[:kept, None] * vt[:kept]
            else:
                u = np.zeros((len(extra[c][1]), 0))
            if c in extra:
                rows.setdefault(c, extra[c][0])
                u = _append(u, extra[c][1])
            if u.shape[1]:
                isometry[c] = u
        bond = tuple((c, u.shape[1]) for c, u in isometry.items())
        parts = {}
        for c, u in isometry.items():
            cuts = np.cumsum(self._heights(rows[c], near, mode, c))[:-1]
            parts.update({(l, c): part for l, part in zip(rows[c], np.split(u, cuts))})
        new_core = np.concatenate([parts[l, c].ravel() for l, c, *_ in layout(near, mode, bond)[0]])
        self._replace(k, side, new_core, near, far, bond, carry)

    @staticmethod
    def _heights(ls: Sequence[int], near: Bond, mode: Bond, c: int) -> list[int]:
        dims, functions = dict(near), dict(mode)
        return [dims[l] * functions[taken(c, l)] for l in ls]

    def _orthogonalise(self, k: int, side: int) -> None:
        """Move over core k without changing the ranks."""
        core, near, far = self._oriented(k, side)
        new_core, bond, carry = split_right(core, near, self.modes[k], far)
        self._replace(k, side, new_core, near, far, bond, carry)

    def _replace(
        self, k: int, side: int, core: np.ndarray, near: Bond, old: Bond, bond: Bond, carry: dict[int, np.ndarray]
    ) -> None:
        """Store core k, push ``carry`` (rows of the new bond, columns of the old) into the next one, advance."""
        nxt = k + 1 if side == 0 else k - 1
        following, beyond = self._following(nxt, side, old)
        blocks = views(following, old, self.modes[nxt], beyond)
        self._store(k, side, core, near, bond)
        target = []
        for l, c, _, a, n, b in layout(bond, self.modes[nxt], beyond)[0]:
            block = np.zeros((a, n * b))
            if (l, c) in blocks and l in carry:
                block[: len(carry[l])] = carry[l] @ blocks[l, c].reshape(-1, n * b)
            target.append(block.ravel())
        self._store(nxt, side, np.concatenate(target), bond, beyond)
        self._advance(k, side)

    def _following(self, k: int, side: int, near: Bond) -> tuple[np.ndarray, Bond]:
        """Core k in sweep direction and its far bond."""
        if side == 0:
            return self.cores[k], self.bonds[k + 1]
        return mirror_core(self.cores[k], self.bonds[k], self.modes[k], turned(near)), turned(self.bonds[k])

    def _store(self, k: int, side: int, core: np.ndarray, near: Bond, far: Bond) -> None:
        if side == 0:
            self.cores[k], self.bonds[k], self.bonds[k + 1] = core, near, far
        else:
            self.cores[k] = mirror_core(core, near, self.modes[k], far)
            self.bonds[k + 1], self.bonds[k] = turned(near), turned(far)

    def _expansion(
        self, k: int, side: int, core: np.ndarray, near: Bond, far: Bond, total_new: int
    ) -> dict[int, tuple[list[int], np.ndarray]]:
        """Random combinations of the operator applied up to core k: {c: (rows, matrix)} for every reachable charge.

        Each operator index is weighted by the size of the environment it meets on the far side.
        """
        if total_new <= 0:
            return {}
        before, beyond = (k, k + 1) if side == 0 else (k + 1, k)
        reach = self._reachable(k, side, near)
        count = -(-total_new // max(len(reach), 1))
        halves = half_product(self.operator, k, side, self.h[side][before], (core, near, far), near, reach)
        far_environment = turned_pairs(self.h[1 - side][beyond])
        found = {}
        for c, (rows, parts) in halves.items():
            total: np.ndarray | None = None
            for (b, w), part in parts.items():
                e = far_environment.get((b, w))
                if e is None:  # a charge the bond does not carry yet: it must be able to appear
                    weight = np.ones(part.shape[1])
                else:
                    weight = np.sqrt(np.einsum("wab,wab->w", e, e) / e.shape[1])
                g = self.rng.standard_normal((*part.shape[1:], count)) * weight[:, None, None]
                term = part.reshape(len(part), -1) @ g.reshape(-1, count)
                total = term if total is None else total + term
            if total is not None:
                found[c] = (rows, total)
        return found

    def _reachable(self, k: int, side: int, near: Bond) -> Bond:
        """Charges the bond behind core k can carry, as a bond of dimensions one."""
        mode = self.modes[k]
        charges = {added(l, m) for l, _ in near for m, _ in mode}
        rest = {self.bonds[-1][0][0]} if side == 0 else {0}
        others = range(self.operator.d - 1, k, -1) if side == 0 else range(k)
        for j in others:
            rest = {taken(r, m) for r in rest for m, _ in self.modes[j]}
        return tuple((c, 1) for c in sorted(charges & rest))

    def solve(self) -> tuple[SectorTrain, int]:
        """One double sweep, ranks adapted on the way out and kept on the way back; returns y and the products."""
        d = self.operator.d
        for k in range(d - 1):
            self._solve_site(k)
            self._expand(k, 0)
        for k in range(d - 1, 0, -1):
            self._solve_site(k)
            self._orthogonalise(k, 1)
        self._solve_site(0)
        return SectorTrain(self.modes, tuple(self.bonds), tuple(self.cores)), self.products


def _append(u: np.ndarray, extra: np.ndarray) -> np.ndarray:
    """Orthonormal columns of ``extra`` outside the span of u, appended to it (as many as fit)."""
    room = u.shape[0] - u.shape[1]
    if room <= 0:
        return u
    scale = np.linalg.norm(extra, axis=0).max(initial=0.0)
    for _ in range(2):
        extra = extra - u @ (u.T @ extra)
    q, s, _ = np.linalg.svd(extra, full_matrices=False)
    q = q[:, s > 1e-10 * max(scale, 1e-300)][:, :room]
    q = q - u @ (u.T @ q)
    return np.column_stack([u, q / np.linalg.norm(q, axis=0)]) if q.shape[1] else u
