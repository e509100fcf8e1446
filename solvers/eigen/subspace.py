"""Eigenpairs of a pencil A x = w B x on trains, by inverse iteration of a subspace; A Hermitian or not.

1. Solve (A - s B) y = B x for each train x of the subspace, warm from x / (w - s), to a share of its residual (AMEn).
2. Rayleigh-Ritz: the pencil (Y^H A Y, Y^H B Y) in the span of all of them; inside the spectrum of a Hermitian A
   among the vectors of least ||(A - s) x||.
3. The eigenvalues first in the order asked for are kept, each a combination of trains, rounded to its own residual.

At first all have one shift s, beside the wanted part of the spectrum; a pair whose residual is small beside the
distance to its neighbours has a shift of its own, next to its eigenvalue, and gains a digit a pass. Equal and nearly
equal eigenvalues share the subspace and come apart in step 2 alone.
Saad, Numerical Methods for Large Eigenvalue Problems (2011), 5.2; trains: Rakhuba, Oseledets, SIAM J. Sci. Comput. 38,
A3 (2016). Cost a pass: a linear system a train, and the elements between all pairs, O(m^2 d n R r^3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.linalg as sl

from solvers.checkpoint import Content
from solvers.eigen.general.order import Order
from solvers.eigen.harmonic import harmonic
from solvers.eigen.spans import INSIDE, Known, Pairs, between, combination
from solvers.eigen.swept import swept
from solvers.formats.trains.construct import identity_operator, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.residual import residual_norm
from solvers.methods import AMEn
from solvers.solution import IterationState, Status

BESIDE = 3  # pairs in the subspace beside those wanted
START_RANK = 3
BESIDE_BOUND = 0.1  # of the size of A: the first shift's distance from where eigenvalues are bounded
FIRST_RANK, HIGHER = 8, 1.4  # cap of the ranks in the first pass, and its growth in one that gains little
MEMORY = 2  # harmonic Ritz vectors that are kept, over those that are solved for
NEAR = 0.25  # of the distance to the next eigenvalue: a residual below it earns a shift of its own
OWN = 0.15  # that shift's distance, in the same unit, at first
FEW = 8  # trains that the ones before are kept beside
MOVING = 1e-3  # residual over the spread of the subspace, below which solved and old train are one direction
KNOWN_SHARE = 1e-3  # of a residual, for the rounding of a solve in the complement of known pairs
CLOSEST = 0.02  # and at last, times that
ROUGH = 0.03  # accuracy of the first solves
SHARE = 0.1  # of a residual, which a solve is to leave
FINEST = 1e-12
ENRICHED = 4  # rank of the residual that a sweep of a solve adds
HIGH = 0.5  # imaginary part of an eigenvalue over its distance from the common shift, from which that is moved up
SWEEPS = 12  # of a solve at most
FINEST_ROUNDING = 1e-14
SPREAD = 4.0  # of the largest over the mean size of A
IMAGES = 1e-7  # rounding of (A - s) x, relative, where only its norm is asked for
DEPENDENT = 1e-11  # of the Gram matrix's largest eigenvalue: below it a direction is rounding errors
PASSES = 40
COUNTERS = ("best", "ahead", "idle", "last", "grown", "passes", "solves", "capped", "first_rank")
SLOW = 1.0  # mean fall of the logarithms of the pending residuals in a pass, below which the cap of the ranks grows
PROGRESS = 0.4  # fall of the sum of the logarithms of the residuals: of one of them by a third
MOVED = 0.1  # of the width of the subspace: a first eigenvalue that is better by this is progress too
IDLE = 4  # passes without either: give up


class Subspace:
    """The iteration; ``pairs``: where it is, the wanted ones first; ``status``: how it ended.

    ``outside``: a number beside the wanted part of the spectrum, from which the first shift starts; ``goal``: of the
    residuals; ``bounded``: no eigenvalue lies beyond ``outside``. ``known``: (right trains, left trains) of eigenvalues
    that are found: the iteration stays in their complement, and the common shift is ``outside``, so that what it
    converges to is nearest to that.
    """

    def __init__(
        self,
        a: TTOperator,
        b: TTOperator | None,
        order: Order,
        n: int,
        *,
        outside: complex,
        goal: float,
        max_rank: int,
        hermitian: bool,
        rng: np.random.Generator,
        start: Sequence[TensorTrain] = (),
        bounded: bool = False,
        known: Known | None = None,
        pairs: Pairs | None = None,
    ) -> None:
        self.a, self.b, self.order, self.n = a, b, order, n
        self.mass = b if b is not None else identity_operator(a.row_shape)
        self.outside, self.goal, self.max_rank, self.hermitian, self.rng = outside, goal, max_rank, hermitian, rng
        self.bounded = bounded
        self.known = known
        self.best, self.ahead, self.idle, self.passes = np.inf, np.inf, 0, 0
        self.last, self.grown = np.inf, 0
        self.count = n + BESIDE
        self.harmonic = not hermitian and (order.disc or bounded) and b is None
        self.centre = order.centre
        self.size = SPREAD * a.norm() / math.sqrt(math.prod(float(m) for m in a.row_shape))
        self.status = Status.ITERATION_LIMIT
        self.capped = False
        self.solves = 0
        self.first_rank = max([FIRST_RANK, *(x.max_rank for x in start)])
        if pairs is not None:
            self.pairs = pairs
            return
        trains = [x / x.norm() for x in start]
        if known is not None:
            trains = [known.without(x) for x in trains]
            trains = [x / x.norm() for x in trains if x.norm() > INSIDE]
        while len(trains) < self.count:
            x = random_train(a.row_shape, START_RANK, rng)
            x = x / x.norm()
            trains.append(x if known is None else known.without(x))
        if bounded:
            self.centre = outside + (1.0 if order.which == "LR" else -1.0) * BESIDE_BOUND * self.size
        self.pairs = self._ritz([x / x.norm() for x in trains], 1e-3)

    def steps(self) -> Iterator[IterationState]:
        """A state a pass; where it had converged, and ``goal`` has changed, it goes on."""
        if self.status is Status.CONVERGED:
            self.status, self.idle, self.passes = Status.ITERATION_LIMIT, 0, 0
            self.first_rank = max(self.first_rank, *(x.max_rank for x in self.pairs.trains))
            self.best = self.ahead = np.inf
        while self.status is Status.ITERATION_LIMIT and self.passes < PASSES:
            worst = float(self.pairs.residuals[: self.n].max())
            if worst <= self.goal:
                self.status = Status.CONVERGED
                return
            # pairs converge one after another: all count, each down to the goal
            done = float(np.sum(np.log(np.maximum(self.pairs.residuals[: self.n], self.goal))))
            keys = self.order.keys(self.pairs.w)
            ahead, spread = float(keys.min()), float(np.ptp(keys))
            pending = int(np.sum(self.pairs.residuals[: self.n] > self.goal))
            self.grown += self.passes > 0 and not done < self.last - SLOW * pending
            self.last = done
            self.idle = 0 if done < self.best - PROGRESS or ahead < self.ahead - MOVED * spread else self.idle + 1
            self.best, self.ahead = min(self.best, done), min(self.ahead, ahead)
            if self.idle >= IDLE and self.passes > 2 * IDLE:
                self.status = Status.RANK_LIMIT if self.capped else Status.STAGNATED
                return
            self._pass()
            self.passes += 1
            p = self.pairs
            rank = max(x.max_rank for x in p.trains)
            yield IterationState(self.passes, "pass", rank, 0.0, p.w[: self.n].copy(), p.residuals[: self.n].copy())

    def content(self) -> Content:
        """What ``restore`` needs."""
        arrays, data = self.pairs.content()
        counters = {name: getattr(self, name) for name in COUNTERS}
        return arrays, {**data, "status": self.status.name, **counters}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Counters and status of ``content``; its pairs (``stored_pairs``) go to the constructor."""
        self.status = Status[data["status"]]
        for name in COUNTERS:
            setattr(self, name, data[name])

    def _pass(self) -> None:
        p = self.pairs
        common = self._common_shift()
        if self.bounded:
            self.centre = complex(common)
        solved = []
        spread = float(np.abs(p.w - common).max()) or 1.0
        for i, x in enumerate(p.trains[: self.count]):
            gap = self._gap(i, spread)
            own = p.residuals[i] < NEAR * gap
            closer = float(np.clip(np.sqrt(p.residuals[i] / (NEAR * gap)), CLOSEST, 1.0))
            shift = p.w[i] + OWN * closer * gap * self._away(i, common) if own else self._level(common, p.w[i])
            if not own or p.residuals[i] > 0.5 * self.goal:
                warm = own or p.residuals[i] < ROUGH * abs(p.w[i] - shift)
                solved.append(self._solved(x, p.w[i], shift, p.residuals[i] if warm else None))
            else:
                solved.append(x)
        rough = not np.all(p.residuals[: self.n] < NEAR * spread)
        basis = [*solved, *p.trains[self.count :]]
        if rough or len(solved) <= FEW:  # but of what hardly moves its mean with what it was would be taken
            basis += [x for x, r in zip(p.trains[: self.count], p.residuals) if r > MOVING * spread]
        self.pairs = self._ritz(basis, 1e-2 if rough else 1.0)

    def _common_shift(self) -> complex:
        """Beside the wanted part, as far as that is wide."""
        p = self.pairs
        if self.order.target is not None or self.order.which == "SM" or self.known is not None:
            return self.outside
        wanted = p.w[: self.count]
        width = float(np.ptp(wanted.real)) or float(np.abs(wanted).max()) or 1.0
        sign = 1.0 if self.order.which == "LR" else -1.0
        if self.bounded:
            return self.outside + sign * 0.3 * width
        edge = float((sign * wanted.real).max())
        unsure = float(p.residuals[int(np.argmax(sign * wanted.real))])  # at first there is more beyond what is seen
        return sign * (edge + max(0.3 * width, 0.5 * unsure))

    def _level(self, common: complex, w: complex) -> complex:
        """The common shift, at the height of this eigenvalue where the order is that of real parts."""
        fixed = self.order.target is not None or self.order.which == "SM" or self.known is not None
        high = abs(np.imag(w)) > HIGH * abs(np.real(common - w))
        return complex(common) + 1j * float(np.imag(w)) if high and not fixed and not self.hermitian else common

    def _gap(self, i: int, spread: float) -> float:
        """To the nearest other eigenvalue that is not the same."""
        w = self.pairs.w
        distances = np.abs(w - w[i])
        other = distances[distances > max(1e-3 * spread, 2.0 * self.pairs.residuals[i])]
        return float(other.min()) if len(other) else 0.3 * spread

    def _away(self, i: int, common: complex) -> complex:
        way = common - self.pairs.w[i]
        if self.order.target is not None or abs(way) == 0.0:
            return 1.0
        return way / abs(way)

    def _solved(self, x: TensorTrain, w: complex, shift: complex, residual: float | None) -> TensorTrain:
        """y of (A - s B) y = B x, of norm one."""
        real = self.a.dtype.kind != "c" and x.dtype.kind != "c" and abs(np.imag(shift)) < 1e-14 * abs(shift)
        shift = float(np.real(shift)) if real else complex(shift)
        scale = w - shift
        moved = self.a - self.mass * shift
        right = x if self.b is None else self.b @ x
        accuracy = ROUGH
        start = None
        if residual is not None and abs(scale) > 0.0:
            size = right.norm()
            accuracy = float(np.clip(SHARE * residual / (abs(scale) * size), FINEST, ROUGH))
            start = x * (1.0 / (float(np.real(scale)) if real else complex(scale)))
        cap = self._cap()
        method = AMEn(max_rank=cap, enrichment=ENRICHED, sweeps=SWEEPS)
        found = swept(moved, right, method, start, accuracy, self.hermitian, self.rng)
        self.solves += 1
        self.capped |= found.capped and cap == self.max_rank
        y = found.x
        if self.known is not None:
            y = self.known.without(y)
        size = y.norm()
        if not size > 0.0:
            return x
        if self.known is not None:
            finer = KNOWN_SHARE * float(self.pairs.residuals[: self.n].min()) / self.size
            return (y / size).round(float(np.clip(finer, 1e-5 * INSIDE, 1e-2 * INSIDE)), cap)
        left = ROUGH if residual is None else SHARE * residual / self.size  # what a rounding may add to its residual
        return (y / size).round(float(np.clip(left, FINEST_ROUNDING, 0.1 * ROUGH)), cap)

    def _cap(self) -> int:
        """Of the ranks: it grows where a pass gained little. What the passes compute is far from eigenvectors at first,
        and its ranks would say nothing; eigenvectors of small ranks need no more than these."""
        return int(min(self.max_rank, self.first_rank * HIGHER**self.grown))

    def _ritz(self, basis: list[TensorTrain], loose: float) -> Pairs:
        """Rayleigh-Ritz in the span, the best ``count`` of it."""
        gram = between(basis, None, basis, self.hermitian or self.a.dtype.kind != "c")
        weights, vectors = np.linalg.eigh(0.5 * (gram + gram.conj().T))
        kept = weights > (DEPENDENT if self.known is None else INSIDE**2) * weights[-1]
        q = vectors[:, kept] / np.sqrt(weights[kept])
        k = q.conj().T @ between(basis, self.a, basis, self.hermitian) @ q
        m = None if self.b is None else q.conj().T @ between(basis, self.b, basis, True) @ q
        if self.hermitian and self.order.target is not None and m is None:
            w, c, first = self._folded(basis, q, k)
        elif self.hermitian:
            w, c = sl.eigh(0.5 * (k + k.conj().T), None if m is None else 0.5 * (m + m.conj().T))
            first = self.order.sorted(w)
        elif self.harmonic:
            w, c, first = self._about_centre(basis, q, k)
        else:
            w, c = sl.eig(k, m)
            first = self.order.sorted(w)
        # the order's least wanted directions are mostly those of rough trains
        many = self.count * (MEMORY if self.harmonic else 1)
        take = self.order.cut(w[first], min(many, len(w)), self.a.dtype.kind != "c")
        first = first[:take]
        coefficients = q @ c[:, first]
        w = w[first]
        if not self.hermitian and np.all(np.abs(w.imag) < 1e-13 * np.abs(w).max()):
            w = w.real + 0j
        trains, residuals = [], []
        for value, column in zip(w, coefficients.T):
            x = combination(
                basis, column, self._tolerance(loose), self._cap(), self.hermitian and gram.dtype.kind != "c"
            )
            if self.known is not None:
                x = self.known.without(x)
            x = x / x.norm()
            value_ = (
                float(np.real(value))
                if self.hermitian or (abs(np.imag(value)) == 0.0 and x.dtype.kind != "c")
                else complex(value)
            )
            mass = x if self.b is None else self.b @ x
            trains.append(x)
            residuals.append(residual_norm(self.a, x, mass * value_))
        return Pairs(w, trains, np.array(residuals))

    def _folded(
        self, basis: list[TensorTrain], q: np.ndarray, k: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ritz values inside the spectrum that are no mixtures of levels on both sides of the target s.

        The vectors of the span with the least ||(A - s) x||, which a mixture has not (the spectrum folded at s: Wang,
        Zunger, J. Chem. Phys. 100, 2394 (1994)); Rayleigh-Ritz among as many of them as are kept, in the order of that
        norm: the distance from s and the residual together.
        """
        s = float(np.real(self.order.target or 0.0))
        moved = self.a - self.mass * s
        images = [(moved @ x).round(IMAGES, None) for x in basis]
        square = q.conj().T @ between(images, None, images, True) @ q
        square = 0.5 * (square + square.conj().T)
        values, vectors = np.linalg.eigh(square)
        best = vectors[:, : min(self.count, len(values))]
        small = best.conj().T @ (0.5 * (k + k.conj().T)) @ best
        w, c = np.linalg.eigh(small)
        c = best @ c
        norms = np.real(np.einsum("ij,ij->j", c.conj(), square @ c))
        return w, c, np.argsort(np.maximum(norms, (w - s) ** 2), kind="stable")

    def _about_centre(
        self, basis: list[TensorTrain], q: np.ndarray, k: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Harmonic Ritz vectors, nearest to the centre s first; where the order is that of real parts, an unclear one
        has the key that its distance from s allows."""
        s = self.centre
        moved = self.a - self.mass * (s if s.imag else s.real)
        found = harmonic(basis, q, k, moved, s, min(IMAGES, self._tolerance(1.0)))
        if self.order.disc:
            return found.w, found.vectors, self.order.sorted(s + found.t)
        keyed = np.where(found.clear, found.w, s - np.sign(s.real) * np.abs(found.t))
        if self.bounded:  # what lies beyond is as far from an eigenvalue as it lies beyond, at least
            bound, sign = np.real(self.outside), -1.0 if self.order.which == "LR" else 1.0
            keyed = bound + sign * np.abs(keyed.real - bound) + 1j * keyed.imag
        return found.w, found.vectors, self.order.sorted(keyed)

    def _tolerance(self, loose: float) -> float:
        """Of the rounding of a combination: what it adds to a residual is this times the size of A."""
        if not hasattr(self, "pairs"):
            return 1e-3
        typical = float(np.median(self.pairs.residuals[: self.n]))
        return float(np.clip(0.03 * loose * max(typical, 0.3 * self.goal) / self.size, FINEST_ROUNDING, 1e-3))
