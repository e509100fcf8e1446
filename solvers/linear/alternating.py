"""One sweep of ALS, two-site DMRG or AMEn for A x = b, on mirrored trains where it runs from the right.

At each core the operator is projected onto the orthonormal interfaces of x and the small system is solved. Then the
core is truncated by its own residual, not by its norm: the rank is the smallest whose local residual stays within the
budget, so an ill-conditioned operator cannot spoil the result. AMEn joins to the basis the residual of the
two-site kind, b - A x projected on the interface of x before the core and on that of z after it, where z is a train
of small rank kept close to b - A x by one ALS step a core. Each enrichment makes the new interface contain a part of
the steepest descent direction: Dolgov and Savostyanov, SIAM J. Sci. Comput. 36, A2248 (2014), algorithm 2 with
section 5.1 for z. Two-site DMRG: Oseledets and Dolgov, SIAM J. Sci. Comput. 34, A2718 (2012).
Cost a core O(s (R r^3 n + nnz r^2)) for s iterations of the local solver.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.linear.local import LocalSystem
from solvers.local_operator import OperatorCore, advance, half, mirrored, project, to_right
from solvers.trains.factorisations import qr_factors, singular_vectors

NOTHING = 1e-8  # what is left of a direction in the basis already is rounding error below this


@dataclass
class Options:
    """What a sweep is told: ``sites`` 1 or 2, ``enrichment`` the rank of z (0: none), caps, and the local solver."""

    sites: int
    enrichment: int
    max_rank: int
    dense_size: int
    steps: int
    side: str | None
    definite: bool


@dataclass
class Work:
    """Counts over all sweeps."""

    local_solves: int = 0
    products: int = 0
    capped: bool = False
    definite: bool = True


@dataclass
class Residuals:
    """Of one sweep, relative to ||b||: the largest local one met, and the norm of z, a lower bound of the true one."""

    local: float = 0.0
    projected: float = 0.0


@dataclass
class Alternating:
    """The trains of an iteration and their environments, oriented; the centre of x is the first core.

    ``left``/``right``: lists over bonds of environments xx, xb, zx, zb; right ones in right storage.
    """

    operator: tuple[list[OperatorCore], list[OperatorCore]]
    b: tuple[list[np.ndarray], list[np.ndarray]]
    x: list[np.ndarray]
    z: list[np.ndarray]
    norm: float
    options: Options
    work: Work = field(default_factory=Work)
    side: int = 0
    amplification: float = 1.0

    def __post_init__(self) -> None:
        d = len(self.x)
        one = np.ones((1, 1), dtype=self.x[0].dtype)
        cube = one[:, :, None]
        self.xx, self.zx = [cube] * (d + 1), [cube] * (d + 1)
        self.xb, self.zb = [one] * (d + 1), [one] * (d + 1)
        self._turn()  # environments from the right are those from the left of the mirrored trains
        for k in range(d - 1):
            self._advance(k, self.x[k], half(self.xx[k], self.core(k), self.x[k]), self.z[k] if self.z else None)
        self._turn()

    def core(self, k: int) -> OperatorCore:
        return self.operator[self.side][k]

    def _turn(self) -> None:
        """Mirror everything: what was the last core becomes the first."""
        self.side = 1 - self.side
        self.x, self.z = mirrored(self.x), mirrored(self.z)
        self.xx = [to_right(e) for e in reversed(self.xx)]
        self.zx = [to_right(e) for e in reversed(self.zx)]
        self.xb = [np.ascontiguousarray(e.T) for e in reversed(self.xb)]
        self.zb = [np.ascontiguousarray(e.T) for e in reversed(self.zb)]

    def _rhs(self, near: np.ndarray, k: int, far: np.ndarray) -> np.ndarray:
        """b projected: near (a', c), far (c, b') -> (a', n, b')."""
        core = self.b[self.side][k]
        part = (near @ core.reshape(core.shape[0], -1)).reshape(-1, core.shape[2])
        return (part @ far).reshape(near.shape[0], core.shape[1], -1)

    def _advance(self, k: int, x: np.ndarray, h: np.ndarray, z: np.ndarray | None) -> None:
        """Left environments behind core k for a left-orthogonal x core (h = half of it) and a z core."""
        core, b = self.core(k), self.b[self.side][k]
        self.xx[k + 1] = advance(h, x, core.dims[3])
        self.xb[k + 1] = _overlap(self.xb[k], b, x)
        if z is not None:
            self.zx[k + 1] = advance(half(self.zx[k], core, x), z, core.dims[3])
            self.zb[k + 1] = _overlap(self.zb[k], b, z)

    def sweep(self, budget: float) -> Residuals:
        """Solve every core once, ending in mirrored order; ``budget``: residual norm a core may be left with."""
        met = Residuals()
        d, sites = len(self.x), min(self.options.sites, len(self.x))
        for k in range(d - sites + 1):
            if sites == 2:
                self._two_sites(k, budget, met)
            else:
                self._one_site(k, budget, met, last=k == d - 1)
        self._turn()
        met.local /= self.norm
        met.projected /= self.norm
        return met

    def _solve(self, system: LocalSystem, f: np.ndarray, x: np.ndarray, goal: float, met: Residuals):
        """The local solution to a residual of ``goal``, and its residual; the one it starts with is reported."""
        error = f - system.apply(x)
        start = float(np.linalg.norm(error))
        met.local = max(met.local, start)
        if start > goal:
            self.work.local_solves += 1
            if system.size <= self.options.dense_size:
                x = system.solve_dense(f)
                error = f - system.apply(x)
            else:
                x, error, definite = system.solve_iteratively(
                    x, error, goal, definite=self.options.definite and self.work.definite, side=self.options.side,
                    steps=self.options.steps,
                )  # fmt: skip
                self.work.definite &= definite or not self.options.definite
        return x, error

    def _one_site(self, k: int, budget: float, met: Residuals, last: bool) -> None:
        system = LocalSystem(self.xx[k], self.core(k), self.xx[k + 1])
        f = self._rhs(self.xb[k], k, self.xb[k + 1])
        x, error = self._solve(system, f, self.x[k], 0.5 * budget, met)
        if last:
            self._residual(k, x, met)
            self.x[k] = x
        else:
            u, rest = self._truncate(system, error, x, budget)
            self._move(k, u, rest, met)
        self.work.products += system.products

    def _truncate(self, system: LocalSystem, error: np.ndarray, x: np.ndarray, budget: float):
        """Left vectors (a, n, s) and the rest (s, b) of the smallest rank whose local residual is in the budget."""
        a, n, b = x.shape
        u, s, vh = singular_vectors(x.reshape(a * n, b))
        rest = s[:, None] * vh
        if not self.options.enrichment and self.options.sites == 1:  # ALS keeps its ranks
            return u.reshape(a, n, -1), rest
        low = self._rank(system, error, x, budget, u, s, vh)
        return np.ascontiguousarray(u[:, :low]).reshape(a, n, low), rest[:low]

    def _rank(self, system: LocalSystem, error: np.ndarray, x: np.ndarray, budget: float, u, s, vh) -> int:
        """The smallest rank whose local residual stays within the budget, by bisection from a guess."""
        low, high = 1, min(len(s), self.options.max_rank)
        most = high
        allowed = max(budget, 1.2 * float(np.linalg.norm(error)))
        tails = np.append(np.sqrt(np.cumsum(s[::-1] ** 2)[::-1]), 0.0)
        while low < high:
            guess = int(np.count_nonzero(self.amplification * tails[low:high] > allowed)) + low
            rank = min(max(guess, low), high - 1)
            cut = (u[:, rank:] * s[rank:]) @ vh[rank:]
            product = system.apply(cut.reshape(x.shape))
            self.amplification = float(np.linalg.norm(product)) / max(tails[rank], np.finfo(float).tiny)
            if np.linalg.norm(error + product) <= allowed:
                high = rank
            else:
                low = rank + 1
        self.work.capped |= most < len(s) and low == most
        return low

    def _residual(self, k: int, x: np.ndarray, met: Residuals) -> np.ndarray | None:
        """The residual projected on the interfaces of z: its new core, not yet orthogonal."""
        if not self.z:
            return None
        shape = (self.zx[k].shape[0], self.core(k).dims[1])
        ax = project(half(self.zx[k], self.core(k), x), self.zx[k + 1], shape)
        z = self._rhs(self.zb[k], k, self.zb[k + 1]) - ax
        met.projected = float(np.linalg.norm(z))
        return z

    def _move(self, k: int, u: np.ndarray, rest: np.ndarray, met: Residuals) -> None:
        """Pass the centre on, enriched, and bring the environments up to date."""
        a, n, s = u.shape
        core = self.core(k)
        h = half(self.xx[k], core, u)  # (a' n', beta s)
        z = self._residual(k, u @ rest, met)
        new = u
        if z is not None:
            applied = (h.reshape(-1, s) @ rest).reshape(a * n, -1)
            kick = self._rhs(self.xb[k], k, self.zb[k + 1]) - project(applied, self.zx[k + 1], (a, n))
            extra = _complement(u.reshape(a * n, s), kick.reshape(a * n, -1), self.options.max_rank)
            self.work.capped |= s + kick.shape[2] > self.options.max_rank
            if extra.shape[1]:
                more = extra.reshape(a, n, -1)
                h = np.concatenate(
                    [h.reshape(-1, core.dims[3], s), half(self.xx[k], core, more).reshape(a * n, core.dims[3], -1)],
                    axis=2,
                ).reshape(a * n, -1)  # fmt: skip
                new = np.concatenate([u, more], axis=2)
            left, m, right = z.shape
            z = qr_factors(z.reshape(left * m, right))[0].reshape(left, m, -1)
            self.z[k] = z
        following = self.x[k + 1]
        moved = np.zeros((new.shape[2], *following.shape[1:]), dtype=following.dtype)
        moved[:s] = (rest @ following.reshape(len(following), -1)).reshape(s, *following.shape[1:])
        self.x[k], self.x[k + 1] = np.ascontiguousarray(new), moved
        self._advance(k, self.x[k], h, z)

    def _two_sites(self, k: int, budget: float, met: Residuals) -> None:
        first, second = self.x[k], self.x[k + 1]
        a, n, m, b = first.shape[0], first.shape[1], second.shape[1], second.shape[2]
        system = LocalSystem(self.xx[k], self.core(k).merged(self.core(k + 1)), self.xx[k + 2])
        left = self._rhs(self.xb[k], k, np.eye(self.b[self.side][k].shape[2]))
        right = self.b[self.side][k + 1] @ self.xb[k + 2]
        f = np.tensordot(left, right, axes=(2, 0)).reshape(a, n * m, b)
        pair = np.tensordot(first, second, axes=(2, 0)).reshape(a, n * m, b)
        x, error = self._solve(system, f, pair, 0.5 * budget, met)
        u, rest = self._split(system, error, x, budget, n)
        self.work.products += system.products
        self.x[k], self.x[k + 1] = u, rest
        self._advance(k, u, half(self.xx[k], self.core(k), u), None)

    def _split(self, system: LocalSystem, error: np.ndarray, x: np.ndarray, budget: float, n: int):
        """The two cores of a pair, the first left-orthogonal, of the smallest rank within the budget."""
        a, nm, b = x.shape
        u, s, vh = singular_vectors(x.reshape(a * n, -1))
        low = self._rank(system, error, x, budget, u, s, vh)
        second = (s[:low, None] * vh[:low]).reshape(low, nm // n, b)
        return np.ascontiguousarray(u[:, :low]).reshape(a, n, low), second


def _overlap(left: np.ndarray, b: np.ndarray, bra: np.ndarray) -> np.ndarray:
    """The environment (b', c') of <bra|b> behind a core; left is (a', c)."""
    part = (left @ b.reshape(b.shape[0], -1)).reshape(-1, b.shape[2])
    return bra.reshape(-1, bra.shape[2]).conj().T @ part


def _complement(u: np.ndarray, kick: np.ndarray, max_rank: int) -> np.ndarray:
    """Orthonormal columns that span ``kick`` orthogonally to ``u``, as many as fit."""
    room = min(u.shape[0], max_rank) - u.shape[1]
    if room <= 0:
        return u[:, :0]
    if kick.shape[1] > room:
        left, _, _ = singular_vectors(kick)
        kick = left[:, :room]
    size = np.linalg.norm(kick)
    if size == 0.0:
        return u[:, :0]
    kick = kick / size
    for _ in range(2):
        kick = kick - u @ (u.conj().T @ kick)
    lengths = np.linalg.norm(kick, axis=0)
    kick = kick[:, lengths > NOTHING * max(float(lengths.max()), NOTHING)]
    return qr_factors(kick)[0] if kick.shape[1] else kick
