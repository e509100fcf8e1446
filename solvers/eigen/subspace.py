"""Eigenpairs of a pencil A x = w B x on trains, by inverse iteration of a subspace; A Hermitian or not.

1. Solve (A - s B) y = B x for each train x of the subspace, warm from x / (w - s), to a share of its residual (AMEn).
2. Rayleigh-Ritz: the pencil (Y^H A Y, Y^H B Y) in the span of all of them.
3. The eigenvalues first in the order asked for are kept, each a combination of trains, rounded to its own residual.

At first all have one shift s, beside the wanted part of the spectrum; a pair whose residual is small beside the
distance to its neighbours has a shift of its own, next to its eigenvalue, and gains a digit a pass. Equal and nearly
equal eigenvalues share the subspace and come apart in step 2 alone.
Saad, Numerical Methods for Large Eigenvalue Problems (2011), 5.2; trains: Rakhuba, Oseledets, SIAM J. Sci. Comput. 38,
A3 (2016). Cost a pass: a linear system a train, and the elements between all pairs, O(m^2 d n R r^3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sl

from solvers.eigen.general.order import Order
from solvers.formats.trains.construct import identity_operator, random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.residual import residual_norm
from solvers.linear.solve import solve
from solvers.methods import AMEn
from solvers.solution import IterationState, Status

BESIDE = 3  # pairs in the subspace beside those wanted
START_RANK = 3
NEAR = 0.25  # of the distance to the next eigenvalue: a residual below it earns a shift of its own
OWN = 0.15  # that shift's distance, in the same unit
ROUGH = 0.03  # accuracy of the first solves
SHARE = 0.1  # of a residual, which a solve is to leave
FINEST = 1e-12
FINEST_ROUNDING = 1e-14
SPREAD = 4.0  # of the largest over the mean size of A
DEPENDENT = 1e-11  # of the Gram matrix's largest eigenvalue: below it a direction is rounding errors
PASSES = 30
IDLE = 4  # passes without a fall of the residuals by a third: give up


@dataclass
class Pairs:
    """Eigenvalues (m,), trains of norm one, residual norms ||A x - w B x|| (m,)."""

    w: np.ndarray
    trains: list[TensorTrain]
    residuals: np.ndarray


class Subspace:
    """The iteration; ``pairs``: where it is, the wanted ones first; ``status``: how it ended.

    ``outside``: a number beside the wanted part of the spectrum, from which the first shift starts; ``goal``: of the
    residuals; ``bounded``: no eigenvalue lies beyond ``outside``.
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
    ) -> None:
        self.a, self.b, self.order, self.n = a, b, order, n
        self.mass = b if b is not None else identity_operator(a.row_shape)
        self.outside, self.goal, self.max_rank, self.hermitian, self.rng = outside, goal, max_rank, hermitian, rng
        self.bounded = bounded
        self.count = n + BESIDE
        self.size = SPREAD * a.norm() / math.sqrt(math.prod(float(m) for m in a.row_shape))
        self.status = Status.ITERATION_LIMIT
        self.capped = False
        self.solves = 0
        trains = [*start]
        while len(trains) < self.count:
            trains.append(random_train(a.row_shape, START_RANK, rng))
        self.pairs = self._ritz([x / x.norm() for x in trains], 1e-3)

    def steps(self) -> Iterator[IterationState]:
        """A state a pass."""
        best, idle = np.inf, 0
        for number in range(PASSES):
            worst = float(self.pairs.residuals[: self.n].max())
            if worst <= self.goal:
                self.status = Status.CONVERGED
                return
            idle = 0 if worst < 0.67 * best else idle + 1
            best = min(best, worst)
            if idle >= IDLE and number > 2 * IDLE:
                self.status = Status.RANK_LIMIT if self.capped else Status.STAGNATED
                return
            self._pass()
            p = self.pairs
            rank = max(x.max_rank for x in p.trains)
            yield IterationState(number + 1, "pass", rank, 0.0, p.w[: self.n].copy(), p.residuals[: self.n].copy())

    def _pass(self) -> None:
        p = self.pairs
        common = self._common_shift()
        solved = []
        spread = float(np.abs(p.w - common).max()) or 1.0
        for i, x in enumerate(p.trains):
            gap = self._gap(i, spread)
            own = p.residuals[i] < NEAR * gap
            shift = p.w[i] + OWN * gap * self._away(i, common) if own else common
            if not own or p.residuals[i] > 0.5 * self.goal:
                solved.append(self._solved(x, p.w[i], shift, p.residuals[i] if own else None))
            else:
                solved.append(x)
        rough = not np.all(p.residuals[: self.n] < NEAR * spread)
        basis = [*solved, *p.trains] if rough or len(solved) <= 8 else solved
        self.pairs = self._ritz(basis, 1e-2 if rough else 1.0)

    def _common_shift(self) -> complex:
        """Beside the wanted part, as far as that is wide."""
        p = self.pairs
        if self.order.target is not None or self.order.which == "SM":
            return self.outside
        wanted = p.w[: self.count]
        width = float(np.ptp(wanted.real)) or float(np.abs(wanted).max()) or 1.0
        sign = 1.0 if self.order.which == "LR" else -1.0
        if self.bounded:
            return self.outside + sign * 0.3 * width
        edge = float((sign * wanted.real).max())
        return sign * (edge + 0.3 * width)

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
        method = AMEn(max_rank=self.max_rank, enrichment=4, sweeps=12)
        found = solve(
            moved, right, method=method, start=start, accuracy=accuracy, condition=False, rng=self.rng, throw=False
        )
        self.solves += 1
        self.capped |= found.status is Status.RANK_LIMIT
        y: TensorTrain = found.value
        size = y.norm()
        if not size > 0.0:
            return x
        left = ROUGH if residual is None else SHARE * residual / self.size  # what a rounding may add to its residual
        return (y / size).round(float(np.clip(left, FINEST_ROUNDING, 0.1 * ROUGH)), self.max_rank)

    def _ritz(self, basis: list[TensorTrain], loose: float) -> Pairs:
        """Rayleigh-Ritz in the span, the best ``count`` of it."""
        gram = between(basis, None, basis, self.hermitian or self.a.dtype.kind != "c")
        weights, vectors = np.linalg.eigh(0.5 * (gram + gram.conj().T))
        kept = weights > DEPENDENT * weights[-1]
        q = vectors[:, kept] / np.sqrt(weights[kept])
        k = q.conj().T @ between(basis, self.a, basis, self.hermitian) @ q
        m = None if self.b is None else q.conj().T @ between(basis, self.b, basis, True) @ q
        if self.hermitian:
            w, c = sl.eigh(0.5 * (k + k.conj().T), None if m is None else 0.5 * (m + m.conj().T))
        else:
            w, c = sl.eig(k, m)
        first = self.order.sorted(w)
        # the order's least wanted directions are mostly those of rough trains
        take = self.order.cut(w[first], min(self.count, len(w)), self.a.dtype.kind != "c")
        first = first[:take]
        coefficients = q @ c[:, first]
        w = w[first]
        if not self.hermitian and np.all(np.abs(w.imag) < 1e-13 * np.abs(w).max()):
            w = w.real + 0j
        trains, residuals = [], []
        for value, column in zip(w, coefficients.T):
            x = combination(
                basis, column, self._tolerance(loose), self.max_rank, self.hermitian and gram.dtype.kind != "c"
            )
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

    def _tolerance(self, loose: float) -> float:
        """Of the rounding of a combination: what it adds to a residual is this times the size of A."""
        if not hasattr(self, "pairs"):
            return 1e-3
        typical = float(np.median(self.pairs.residuals[: self.n]))
        return float(np.clip(0.03 * loose * max(typical, 0.3 * self.goal) / self.size, FINEST_ROUNDING, 1e-3))


def between(
    left: Sequence[TensorTrain], operator: TTOperator | None, right: Sequence[TensorTrain], symmetric: bool
) -> np.ndarray:
    """<l_i| A |r_j>, A one where there is none; ``symmetric``: that the matrix is Hermitian."""
    kind = np.result_type(*[x.dtype for x in (*left, *right)], *([] if operator is None else [operator.dtype]))
    found = np.zeros((len(left), len(right)), dtype=kind)
    for i, l in enumerate(left):
        for j, r in enumerate(right):
            if symmetric and left is right and j < i:
                found[i, j] = np.conj(found[j, i])
            else:
                found[i, j] = element(l, operator, r)
    return found


def element(l: TensorTrain, operator: TTOperator | None, r: TensorTrain) -> complex:
    """<l| A |r>. Cost O(d n R r^2 (r + n R))."""
    if operator is None:
        e = np.ones((1, 1))
        for p, q in zip(l.cores, r.cores):
            t = (e @ q.reshape(len(q), -1)).reshape(-1, q.shape[2])
            e = p.reshape(-1, p.shape[2]).conj().T @ t
        return complex(e[0, 0]) if np.iscomplexobj(e) else float(e[0, 0])
    left = np.ones((1, 1, 1))
    for p, w, q in zip(l.cores, operator.cores, r.cores):
        t = np.tensordot(left, q, 1)  # a' alpha n b
        t = np.tensordot(t, w, axes=((1, 2), (0, 2)))  # a' b n' beta
        left = np.tensordot(p.conj(), t, axes=((0, 1), (0, 2))).transpose(0, 2, 1)
    return left[0, 0, 0].item()


def combination(
    basis: Sequence[TensorTrain], coefficients: np.ndarray, tol: float, max_rank: int, real: bool = False
) -> TensorTrain:
    """The sum, added up largest first and rounded on the way; real where that is asked, or where its phase allows."""
    c = np.asarray(coefficients)
    turned = c * np.exp(-1j * np.angle(c[np.argmax(np.abs(c))]))
    if real or (np.abs(turned.imag).max() < 1e-13 * np.abs(turned).max() and all(x.dtype.kind != "c" for x in basis)):
        c = turned.real
    total: TensorTrain | None = None
    size = float(np.linalg.norm(c))
    for i in np.argsort(-np.abs(c)):
        factor = c[i].item()
        if abs(factor) * basis[i].norm() <= 0.01 * tol * size:
            continue
        term = basis[i] * factor
        total = term if total is None else (total + term).round(0.3 * tol, max_rank)
    assert total is not None
    return total.round(tol, max_rank)
