"""Several states on one set of cores, and the moves of the core that holds them.

The states j share every core but the one at the centre, X[j; a, m, b]. Moving the centre by one site

    X[j; a, m, b] = sum_q U[a, m, q] C[q; j, b],      q <- the largest singular values, all charges together

joins the block index j to the far side (Dolgov, Khoromskij, Oseledets, Savostyanov, Comput. Phys. Commun. 185,
1207 (2014), sec. 3.2). U is then enlarged by the leading directions of the part of A x that lies outside both the
present left basis and the present right basis,

    E_j = (1 - U U^T) S_j T^T (1 - V V^T),

S_j, T the operator applied up to either side of the bond: the two-site residual at one-site cost, seen through
random vectors on its right (controlled bond expansion: Gleis, Li, von Delft, Phys. Rev. Lett. 130, 246402 (2023)).
Cost of a move O(m R r^2 n (r + p)) for m states and p new directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.eigen.block_start import reachable_charges
from solvers.kernels import local as kernels
from solvers.sectors.environments import Environment, advance, combine
from solvers.sectors.group import Bond, negated, taken, turned, turned_keys
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, layout, mirror_core, truncate, views

SAMPLES = 4  # random combinations of the states that stand for all of them where new directions are sought


@dataclass(frozen=True)
class Cut:
    """How a bond is cut: singular values whose squares sum to ``tol``^2 go, at most ``max_rank`` stay, of which
    ``expansion`` (a share of the rank) may be new directions, those whose two-site residual exceeds ``floor``.
    ``weights``: of the states (m,), whose squares the cut adds up; None: all one."""

    max_rank: int
    tol: float
    expansion: float
    floor: float
    weights: np.ndarray | None = None


def block_views(rows: np.ndarray, near: Bond, mode: Bond, far: Bond) -> dict[tuple[int, int], np.ndarray]:
    """The blocks (m, r_l, n, r_c) of m flat cores, sharing their memory."""
    return {
        (l, c): rows[:, o : o + a * n * b].reshape(len(rows), a, n, b)
        for l, c, o, a, n, b in layout(near, mode, far)[0]
    }


class BlockTrain:
    """Cores, the centre's rows (m, size), and the environments of the operator on both sides of the centre."""

    def __init__(
        self,
        operator: SectorOperator,
        bonds: Sequence[Bond],
        cores: Sequence[np.ndarray],
        rows: np.ndarray,
        rng: np.random.Generator,
        centre: int = 0,
    ) -> None:
        self.operator, self.modes, self.rng = operator, operator.modes, rng
        self.bonds: list[Bond] = list(bonds)
        self.cores: list[np.ndarray] = list(cores)
        self.rows, self.centre = rows, centre
        self.reach = reachable_charges(operator, self.bonds[-1][0][0])
        d = operator.d
        one = np.ones((1, 1, 1))
        self.environments: list[list[Environment]] = [[{} for _ in range(d + 1)] for _ in (0, 1)]
        self.environments[0][0] = {(0, 0): one}
        self.environments[1][d] = {(negated(self.bonds[-1][0][0]), 0): one}
        self.discarded = 0.0  # largest since last reset, as a norm
        self.capped = False  # a cut since last reset was forced by max_rank
        for k in range(d - 1, centre, -1):
            self._advance(k, 1)
        for k in range(centre):
            self._advance(k, 0)

    @property
    def max_rank(self) -> int:
        return max(sum(r for _, r in bond) for bond in self.bonds)

    def _reached(self, bond: int, side: int) -> list[int]:
        """The charges that a bond can carry, as seen from ``side``."""
        return sorted(c if side == 0 else negated(c) for c in self.reach[bond])

    def _ends(self, k: int, side: int) -> tuple[Bond, Bond]:
        ends = self.bonds[k], self.bonds[k + 1]
        return ends if side == 0 else (turned(ends[1]), turned(ends[0]))

    def _mirror(self, rows: np.ndarray, near: Bond, mode: Bond, far: Bond) -> np.ndarray:
        out = np.empty_like(rows)
        target = block_views(out, turned(far), mode, turned(near))
        for (l, c), block in block_views(rows, near, mode, far).items():
            target[negated(c), negated(l)][:] = block.transpose(0, 3, 2, 1)
        return out

    def oriented(self, side: int) -> tuple[np.ndarray, Bond, Bond]:
        """The centre's rows seen from ``side``, and its near and far bond."""
        near, far = self._ends(self.centre, side)
        rows = self.rows if side == 0 else self._mirror(self.rows, turned(far), self.modes[self.centre], turned(near))
        return rows, near, far

    def store(self, rows: np.ndarray, side: int) -> None:
        near, far = self._ends(self.centre, side)
        self.rows = rows if side == 0 else self._mirror(rows, near, self.modes[self.centre], far)

    def _core(self, k: int, side: int) -> np.ndarray:
        if side == 0:
            return self.cores[k]
        return mirror_core(self.cores[k], self.bonds[k], self.modes[k], self.bonds[k + 1])

    def _advance(self, k: int, side: int) -> None:
        before, after = (k, k + 1) if side == 0 else (k + 1, k)
        own = (self._core(k, side), *self._ends(k, side))
        self.environments[side][after] = advance(self.operator, k, side, self.environments[side][before], own, own)

    def local_environments(self, side: int) -> tuple[Environment, Environment]:
        k = self.centre
        near, far = (k, k + 1) if side == 0 else (k + 1, k)
        return self.environments[side][near], self.environments[1 - side][far]

    def move(self, side: int, cut: Cut) -> None:
        """Move the centre one site away from ``side``: cut the bond in between and enlarge it."""
        k = self.centre
        rows, near, far = self.oriented(side)
        mode, m = self.modes[k], len(rows)
        blocks = block_views(rows, near, mode, far)
        functions = dict(mode)
        bond_at = k + 1 if side == 0 else k
        joined: dict[int, np.ndarray] = {}
        lines: dict[int, list[tuple[int, int]]] = {}
        for c in self._reached(bond_at, side):
            lines[c] = [(l, r * functions[taken(c, l)]) for l, r in near if taken(c, l) in functions]
            width = dict(far).get(c, 0)
            if lines[c] and width:
                parts = [blocks[l, c].transpose(1, 2, 0, 3).reshape(size, m * width) for l, size in lines[c]]
                joined[c] = np.concatenate(parts)
        basis = self._cut(_weighted(joined, cut.weights), dict(far), cut)
        found = self._expansion(side, rows, near, far, lines, basis, cut)
        for c, extra in found.items():
            basis[c] = np.concatenate([basis[c], extra], axis=1) if c in basis else extra
        new_far = tuple((c, u.shape[1]) for c, u in sorted(basis.items()) if u.shape[1])
        pieces: dict[tuple[int, int], np.ndarray] = {}
        for c, _ in new_far:
            at = 0
            for l, size in lines[c]:
                pieces[l, c] = basis[c][at : at + size]
                at += size
        core = np.concatenate([pieces[l, c].ravel() for l, c, *_ in layout(near, mode, new_far)[0]])
        nxt = k + 1 if side == 0 else k - 1
        following = self._core(nxt, side)
        beyond = self._ends(nxt, side)[1]
        old = views(following, far, self.modes[nxt], beyond)
        carried = np.zeros((m, layout(new_far, self.modes[nxt], beyond)[1]))
        for (c, e), target in block_views(carried, new_far, self.modes[nxt], beyond).items():
            if c in joined:
                carry = (basis[c].T @ joined[c]).reshape(target.shape[1], m, -1).transpose(1, 0, 2)
                block = old[c, e].reshape(old[c, e].shape[0], -1)
                target[:] = (carry.reshape(-1, carry.shape[2]) @ block).reshape(target.shape)
        if side == 0:
            self.cores[k], self.bonds[k + 1] = core, new_far
        else:
            self.cores[k], self.bonds[k] = mirror_core(core, near, mode, new_far), turned(new_far)
        self.centre = nxt
        self.store(carried, side)
        self._advance(k, side)

    def _cut(self, joined: dict[int, np.ndarray], dims: dict[int, int], cut: Cut) -> dict[int, np.ndarray]:
        """The leading left singular vectors of every charge; notes what was discarded."""
        room = cut.max_rank - int(cut.expansion * cut.max_rank)
        enough = 0.1 * cut.tol / np.sqrt(len(joined))
        factors = {
            c: leading_left(matrix, dims[c] + dims[c] // 4 + 8, enough, cut.max_rank, self.rng)
            for c, matrix in joined.items()
        }
        values = np.sort(np.concatenate([s for _, s in factors.values()]))[::-1]
        tail = np.append(np.sqrt(np.cumsum((values**2)[::-1])[::-1]), 0.0)
        wanted = max(1, int(np.argmax(tail <= cut.tol)))
        full = min(sum(u.shape[0] for u, _ in factors.values()), wanted)
        limit = cut.max_rank if wanted <= cut.max_rank else room
        keep = max(1, min(full, limit))
        self.capped |= keep < wanted
        self.discarded = max(self.discarded, float(tail[keep]))
        threshold = values[keep - 1]
        return {c: u[:, : int(np.sum(s >= threshold))] for c, (u, s) in factors.items()}

    def _expansion(
        self,
        side: int,
        rows: np.ndarray,
        near: Bond,
        far: Bond,
        lines: dict[int, list[tuple[int, int]]],
        basis: dict[int, np.ndarray],
        cut: Cut,
    ) -> dict[int, np.ndarray]:
        """Orthonormal new directions of the bond for each charge, outside ``basis``."""
        rank = sum(u.shape[1] for u in basis.values())
        count = min(int(np.ceil(cut.expansion * rank)), cut.max_rank - rank)
        if count <= 0:
            return {}
        k = self.centre
        bond_at, nxt = (k + 1, k + 1) if side == 0 else (k, k - 1)
        reach = tuple((c, 1) for c in self._reached(bond_at, side))
        width = count + 6
        if len(rows) > SAMPLES:
            rows = self.rng.standard_normal((SAMPLES, len(rows))) @ rows / np.sqrt(SAMPLES)
        seen = self._seen_from_beyond(nxt, side, far, reach, len(rows), width)
        plan = self.operator.plan(k, side, near, far, near, reach)
        s = np.empty(max(plan.s_size, 1))
        before = k if side == 0 else k + 1
        arguments = (
            plan.table,
            plan.index,
            self.operator.sites[k][side].matrices,
            combine(self.operator, k, side, plan, self.environments[side][before]),
            s,
            np.empty(plan.xp_size),
            np.empty(plan.tmp_size),
        )
        start, sums = {}, {}
        for c, parts in lines.items():
            at = 0
            for l, size in parts:
                start[l, c] = at
                at += size
            sums[c] = np.zeros((at, width))
        for j, row in enumerate(rows):
            kernels.half_apply(np.ascontiguousarray(row), *arguments)
            for a, c, o, r, n, w in plan.s_blocks:
                if c in seen:
                    at = start[a, c]
                    sums[c][at : at + r * n] += s[o : o + r * n * w].reshape(r * n, w) @ seen[c][:, j]
        factors = {}
        for c, sample in sums.items():
            if c in basis:
                for _ in range(2):
                    sample = sample - basis[c] @ (basis[c].T @ sample)
            room = len(sample) - (basis[c].shape[1] if c in basis else 0)
            if room > 0 and np.any(sample):
                u, values, _ = np.linalg.svd(sample, full_matrices=False)
                factors[c] = (u[:, :room], values[:room])
        if not factors:
            return {}
        values = np.sort(np.concatenate([v for _, v in factors.values()]))[::-1]
        # a Gaussian sample of ``width`` columns is larger by its root
        threshold = max(values[min(count, len(values)) - 1], cut.floor * np.sqrt(width))
        found = {}
        for c, (u, v) in factors.items():
            new = u[:, v >= threshold]
            if new.shape[1]:
                if c in basis:
                    new = new - basis[c] @ (basis[c].T @ new)
                found[c] = np.linalg.qr(new)[0]
        return found

    def _seen_from_beyond(
        self, nxt: int, side: int, far: Bond, reach: Bond, m: int, width: int
    ) -> dict[int, np.ndarray]:
        """T^T (1 - V V^T) times m ``width`` random vectors, {charge: (columns of T, m, width)}."""
        other, far, reach = 1 - side, turned(far), turned(reach)
        near, mode = self._ends(nxt, other)[0], self.modes[nxt]
        core = self._core(nxt, other)
        plan = self.operator.plan(nxt, other, near, far, near, reach)
        t = np.empty(max(plan.s_size, 1))
        behind = nxt + 1 if side == 0 else nxt
        kernels.half_apply(
            core,
            plan.table,
            plan.index,
            self.operator.sites[nxt][other].matrices,
            combine(self.operator, nxt, other, plan, self.environments[other][behind]),
            t,
            np.empty(plan.xp_size),
            np.empty(plan.tmp_size),
        )
        blocks = views(core, near, mode, far)
        grouped: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        for a, c, o, r, n, w in plan.s_blocks:
            v = blocks[a, c].reshape(r * n, -1) if (a, c) in blocks else np.zeros((r * n, 0))
            grouped.setdefault(c, []).append((t[o : o + r * n * w].reshape(r * n, w), v))
        out = {}
        for c, parts in grouped.items():
            applied = np.concatenate([p for p, _ in parts])
            present = np.concatenate([v for _, v in parts])
            random = self.rng.standard_normal((len(applied), m * width))
            random -= present @ (present.T @ random)
            out[c] = (applied.T @ random).reshape(-1, m, width)
        return turned_keys(out)

    def states(self, tol: float) -> list[SectorTrain]:
        """Each state as a train of its own, rounded to relative error ``tol``, of norm one."""
        out = []
        for row in self.rows:
            cores = (*self.cores[: self.centre], row, *self.cores[self.centre + 1 :])
            x = truncate(SectorTrain(self.modes, tuple(self.bonds), cores), self.max_rank, tol)[0]
            out.append(x.scaled(1.0 / float(np.linalg.norm(x.cores[-1]))))
        return out


def _weighted(joined: dict[int, np.ndarray], weights: np.ndarray | None) -> dict[int, np.ndarray]:
    """The joined states, columns state by state, each times its weight."""
    if weights is None:
        return joined
    return {c: matrix * np.repeat(weights, matrix.shape[1] // len(weights)) for c, matrix in joined.items()}


def leading_left(
    matrix: np.ndarray, guess: int, enough: float, most: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors and values of ``matrix``, all that exceed ``enough``, at most about ``most``.

    A random range finder with one power step (Halko, Martinsson, Tropp, SIAM Rev. 53, 217 (2011), algorithm 4.4),
    widened until the last value is small enough; a full decomposition where that is no dearer.
    """
    size = min(matrix.shape)
    count = min(guess, most + 8)
    while count < size // 3:
        q = np.linalg.qr(matrix @ rng.standard_normal((matrix.shape[1], count)))[0]
        p = np.linalg.qr(matrix.T @ q)[0]
        q = np.linalg.qr(matrix @ p)[0]
        small = np.linalg.qr(matrix.T @ q, mode="r")
        _, values, u = np.linalg.svd(small, full_matrices=False)
        if values[-1] <= enough or count >= most + 8:
            return q @ u.T, values
        count = min(count + count // 2, most + 8)
    if matrix.shape[0] < matrix.shape[1]:
        small = np.linalg.qr(matrix.T, mode="r")
        _, values, vt = np.linalg.svd(small, full_matrices=False)
        return vt.T, values
    u, values, _ = np.linalg.svd(matrix, full_matrices=False)
    return u, values
