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

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.formats.trains.factorisations import qr_factors, singular_vectors
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.enrichment import complement, widened
from solvers.linear.iterate import Iterate, Residuals, Work
from solvers.linear.system import System, plain
from solvers.method_base import LocalSolver
from solvers.sweeping.local_operator import OperatorCore, advance, half, mirrored, project, to_right
from solvers.sweeping.local_system import DENSE_SIZE, LocalSystem
from solvers.sweeping.preconditioner import ModeBasis

LOCAL = 0.02  # of the residual a core meets is left by the iterative solver: less does not pay before the next sweep
MISSED = 2.0  # times its goal: the local iteration has failed, and a small system is solved by LU
LARGEST = 1e100  # amplification of a singular value in the residual that still counts as one
ENVIRONMENTS = ("xx", "zx", "xb", "zb")
GUESSES = 3  # of a rank, from singular values, before plain bisection


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
class Alternating(Iterate):
    """The trains of an iteration and their environments, oriented; the centre of x is the first core.

    ``left``/``right``: lists over bonds of environments xx, xb, zx, zb; right ones in right storage.
    """

    operator: tuple[list[OperatorCore], list[OperatorCore]]
    b: tuple[list[np.ndarray], list[np.ndarray]]
    x: list[np.ndarray]
    z: list[np.ndarray]
    norm: float
    options: Options
    rng: np.random.Generator
    work: Work = field(default_factory=Work)
    side: int = 0
    amplification: float = 1.0

    def __post_init__(self) -> None:
        d = len(self.x)
        one = np.ones((1, 1), dtype=self.x[0].dtype)
        cube = one[:, :, None]
        self.xx, self.zx = [cube] * (d + 1), [cube] * (d + 1)
        self.xb, self.zb = [one] * (d + 1), [one] * (d + 1)
        bases = {id(core): ModeBasis.twins() for core in self.operator[0]}  # equal cores are one object
        pairs = [bases[id(core)] for core in self.operator[0]]
        self.modes = [pair[0] for pair in pairs], [pair[1] for pair in reversed(pairs)]
        self._turn()  # environments from the right are those from the left of the mirrored trains
        for k in range(d - 1):
            core, x = self.core(k), self.x[k]
            self._advance(k, x, half(self.xx[k], core, x))
            if self.z:
                self.zx[k + 1] = advance(half(self.zx[k], core, x), self.z[k], core.dims[3])
                self.zb[k + 1] = _overlap(_times(self.zb[k], self.b[self.side][k]), self.z[k])
        self._turn()

    def train(self) -> TensorTrain:
        """The present x in its own order, with its centre."""
        if self.side == 0:
            return TensorTrain(tuple(self.x), 0)
        return TensorTrain(tuple(mirrored(self.x)), len(self.x) - 1)

    def content(self) -> Content:
        """The trains as they are oriented, and what the next sweep knows from the last."""
        arrays = {f"x.{k}": core for k, core in enumerate(self.x)}
        arrays |= {f"z.{k}": core for k, core in enumerate(self.z)}
        # environments, too: formed again they differ in the last digit, as products of other shapes do
        for name in ENVIRONMENTS:
            arrays |= {f"{name}.{k}": one for k, one in enumerate(getattr(self, name))}
        return arrays, {"side": self.side, "amplification": self.amplification, "work": asdict(self.work)}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there; of earlier files the environments are formed again."""
        self.x = [arrays[f"x.{k}"] for k in range(len(self.x))]
        self.z = [arrays[f"z.{k}"] for k in range(len(self.z))]
        self.side, self.work, self.amplification = data["side"], Work(**data["work"]), data["amplification"]
        self.__post_init__()
        for name in ENVIRONMENTS:
            if f"{name}.0" in arrays:
                setattr(self, name, [arrays[f"{name}.{k}"] for k in range(len(self.x) + 1)])

    @classmethod
    def of(
        cls,
        system: System,
        x: TensorTrain,
        z: TensorTrain | None,
        local: LocalSolver,
        max_rank: int,
        rng: np.random.Generator,
        *,
        sites: int = 1,
    ) -> Alternating:
        """Before the first sweep, from x, with the enrichment z if there is one."""
        b = plain(system.b, system.dtype)
        options = Options(
            sites=sites,
            enrichment=z.max_rank if z is not None else 0,
            max_rank=max_rank,
            dense_size=local.dense_size,
            steps=local.steps,
            side=local.side,
            definite=system.definite,
        )
        first, second = (plain(y.orthogonalise(0), system.dtype) if y is not None else [] for y in (x, z))
        return cls((system.cores, system.mirror), (b, mirrored(b)), first, second, 1.0, options, rng)

    @property
    def definite(self) -> bool:
        """Whether the operator may be Hermitian positive definite, as far as was seen."""
        return self.options.definite and self.work.definite

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

    def _advance(self, k: int, x: np.ndarray, h: np.ndarray) -> None:
        """Left environments of x behind core k, left-orthogonal; h: half of it."""
        self.xx[k + 1] = advance(h, x, self.core(k).dims[3])
        self.xb[k + 1] = _overlap(_times(self.xb[k], self.b[self.side][k]), x)

    def sweep(self, budget: float) -> Residuals:
        """Solve every core once, ending in mirrored order; ``budget``: residual norm a core may be left with."""
        met = Residuals(projected=0.0 if self.z else None)
        for mode in self.modes[self.side]:
            mode.served = False  # so that a sweep depends on what a checkpoint holds alone
        d, sites = len(self.x), min(self.options.sites, len(self.x))
        for k in range(d - sites + 1):
            if sites == 2:
                self._two_sites(k, budget, met)
            else:
                self._one_site(k, budget, met, last=k == d - 1)
        self._turn()
        met.local /= self.norm
        met.projected = None if met.projected is None else met.projected / self.norm
        return met

    def _solve(
        self, system: LocalSystem, f: np.ndarray, x: np.ndarray, goal: float, met: Residuals, mode: ModeBasis
    ) -> tuple[np.ndarray, float]:
        """The local solution to a residual of ``goal``, and its residual; the one it starts with is reported."""
        error = f - system.apply(x)
        size = _norm(error)
        met.local = max(met.local, size)
        goal = max(goal, LOCAL * size)
        if size > goal:
            self.work.local_solves += 1
            if system.size <= self.options.dense_size:
                return system.solve_dense(f, x, size)
            x, size, definite = system.solve_iteratively(
                x,
                error,
                goal,
                hermitian=self.options.definite,
                definite=self.definite,
                side=self.options.side,
                steps=self.options.steps,
                mode=mode,
            )
            self.work.definite &= definite or not self.options.definite
            if system.ends is not None:
                self.work.saw(system.ends)
            if size > MISSED * goal and system.size <= DENSE_SIZE:
                x, size = system.solve_dense(f, x, size)
        return x, size

    def _one_site(self, k: int, budget: float, met: Residuals, last: bool) -> None:
        system = LocalSystem(self.xx[k], self.core(k), self.xx[k + 1])
        f = _times(self.xb[k], _times(self.b[self.side][k], self.xb[k + 1]))
        x, error = self._solve(system, f, self.x[k], 0.5 * budget, met, self.modes[self.side][k])
        self.work.products += system.products
        if last:
            if self.z:
                ax = project(half(self.zx[k], self.core(k), x), self.zx[k + 1], (len(self.zx[k]), x.shape[1]))
                residual = _times(self.zb[k], _times(self.b[self.side][k], self.zb[k + 1])) - ax
                met.projected = max(met.projected or 0.0, _norm(residual))
                self.z[k] = residual
            self.x[k] = x
        else:
            u, rest, h = self._truncate(k, f, error, x, budget)
            self._move(k, u, rest, h, met)

    def _truncate(
        self, k: int, f: np.ndarray, error: float, x: np.ndarray, budget: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Left vectors u (a, n, s), the rest (s, b) of the smallest rank within the budget, and half of u.

        The operator is applied to all left vectors once; the product at any rank is a part of that.
        """
        a, n, b = x.shape
        u, s, vh = singular_vectors(x.reshape(a * n, b))
        rest = s[:, None] * vh
        core = self.core(k)
        h = half(self.xx[k], core, u.reshape(a, n, -1)).reshape(a * n, core.dims[3], -1)
        if self.options.enrichment:
            image = np.matmul(rest, self.xx[k + 1])  # (beta, s, b')
            known = f.reshape(a * n, b)

            def remainder(rank: int) -> float:
                part = h[:, :, :rank].reshape(a * n, -1) @ image[:, :rank].reshape(-1, b)
                return _norm(known - part)

            low = self._rank(s, budget, error, remainder)
            u, rest, h = np.ascontiguousarray(u[:, :low]), rest[:low], h[:, :, :low]
        return u.reshape(a, n, -1), rest, h  # ALS keeps its ranks

    def _rank(self, s: np.ndarray, budget: float, error: float, remainder: Callable[[int], float]) -> int:
        """The smallest rank whose local residual ``remainder(rank)`` stays in the budget, by bisection from guesses."""
        low, high = 1, min(len(s), self.options.max_rank)
        most = high
        allowed = max(budget, 1.2 * error)
        top = float(s[0]) or 1.0  # squares of single values may overflow: a start knows nothing of the scale of x
        tails = np.append(top * np.sqrt(np.cumsum((s[::-1] / top) ** 2)[::-1]), 0.0)
        for trial in range(high):
            if low == high:
                break
            guess = int(np.count_nonzero(self.amplification * tails[low:high] > allowed)) + low
            rank = min(max(guess, low), high - 1) if trial < GUESSES else (low + high) // 2
            left = remainder(rank)
            if tails[rank] > 0.0:
                self.amplification = min(np.sqrt(abs(left**2 - error**2)) / tails[rank], LARGEST)
            if left <= allowed:
                high = rank
            else:
                low = rank + 1
        self.work.capped |= most < len(s) and low == most
        return low

    def _move(self, k: int, u: np.ndarray, rest: np.ndarray, h: np.ndarray, met: Residuals) -> None:
        """Pass the centre on, enriched, and bring the environments up to date; h (a' n', beta, s) is half of u."""
        a, n, s = u.shape
        core, b = self.core(k), self.b[self.side][k]
        new = u
        if self.z:
            ahead = np.matmul(rest, self.zx[k + 1]).reshape(-1, self.zx[k + 1].shape[2])  # (beta s, z')
            known = _times(b, self.zb[k + 1])
            kick = _times(self.xb[k], known).reshape(a * n, -1) - h.reshape(a * n, -1) @ ahead
            extra = complement(u.reshape(a * n, s), kick, self.options.max_rank, self.rng)
            self.work.capped |= s + kick.shape[1] > self.options.max_rank
            if extra.shape[1]:
                more = half(self.xx[k], core, extra.reshape(a, n, -1)).reshape(a * n, core.dims[3], -1)
                h = np.concatenate([h, more], axis=2)
                new = np.concatenate([u.reshape(a * n, s), extra], axis=1).reshape(a, n, -1)
            seen = half(self.zx[k], core, new)  # (z n', beta b)
            applied = seen.reshape(-1, new.shape[2])[:, :s].reshape(len(seen), -1) @ ahead
            residual = _times(self.zb[k], known).reshape(applied.shape) - applied
            before = (met.projected or 0.0) if k > len(self.x) // 2 else 0.0
            met.projected = max(before, _norm(residual))
            z = qr_factors(widened(residual, s, self.rng))[0].reshape(len(self.zx[k]), n, -1)
            self.z[k] = z
            self.zx[k + 1] = advance(seen, z, core.dims[3])
            self.zb[k + 1] = _overlap(_times(self.zb[k], b), z)
        following = self.x[k + 1]
        moved = np.zeros((new.shape[2], *following.shape[1:]), dtype=following.dtype)
        np.matmul(rest, following.reshape(len(following), -1), out=moved[:s].reshape(s, -1))
        self.x[k], self.x[k + 1] = new, moved
        self._advance(k, new, h.reshape(a * n, -1))

    def _two_sites(self, k: int, budget: float, met: Residuals) -> None:
        first, second = self.x[k], self.x[k + 1]
        a, n, m, b = first.shape[0], first.shape[1], second.shape[1], second.shape[2]
        system = LocalSystem(self.xx[k], self.core(k).merged(self.core(k + 1)), self.xx[k + 2])
        right = _times(self.b[self.side][k + 1], self.xb[k + 2])
        f = _times(_times(self.xb[k], self.b[self.side][k]), right).reshape(a, n * m, b)
        modes = self.modes[self.side]
        cores = self.core(k), self.core(k + 1)
        mode = ModeBasis.joined((modes[k], modes[k + 1]), cores, self.xx[k], self.xx[k + 2])
        x, error = self._solve(system, f, _times(first, second).reshape(a, n * m, b), 0.5 * budget, met, mode)
        u, s, vh = singular_vectors(x.reshape(a * n, -1))
        rest = s[:, None] * vh
        low = self._rank(
            s, budget, error, lambda rank: _norm(f - system.apply((u[:, :rank] @ rest[:rank]).reshape(x.shape)))
        )
        self.work.products += system.products
        self.x[k] = np.ascontiguousarray(u[:, :low]).reshape(a, n, low)
        self.x[k + 1] = rest[:low].reshape(low, m, b)
        self._advance(k, self.x[k], half(self.xx[k], self.core(k), self.x[k]))


def _norm(array: np.ndarray) -> float:
    entries = array.reshape(-1)
    return float(np.sqrt(np.vdot(entries, entries).real))


def _times(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The product over the last axis of the first and the first axis of the second."""
    product = first.reshape(-1, first.shape[-1]) @ second.reshape(len(second), -1)
    return product.reshape(*first.shape[:-1], *second.shape[1:])


def _overlap(ahead: np.ndarray, bra: np.ndarray) -> np.ndarray:
    """The environment (b', c') of <bra|b> behind a core; ahead is (a', n, c'): the one before it times the b core."""
    return bra.reshape(-1, bra.shape[2]).conj().T @ ahead.reshape(-1, ahead.shape[2])
