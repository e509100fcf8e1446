"""Cross approximation in the Tucker format: f of existing tensors, or of coordinates, from few of its values.

An axis m has rows I_m, indices where f is looked at. A pass over the axes
    1. takes the block f(I_1, ..., I_d) and, by pivoted QR of its unfolding, the independent columns: index sets of the
       other axes,
    2. evaluates the whole fibres along m there, n x q, whose left singular vectors are the new basis Q_m,
    3. and by pivoted QR of Q_m^T the new rows (discrete empirical interpolation; Drmac and Gugercin, SIAM J. Sci.
       Comput. 38, A631 (2016)), some more than needed, so that the core is the least squares fit of the block to the
       bases.
The error is estimated where nothing was looked at: on each axis rows drawn by the weight of its basis, one from each of
equal shares, a block of their values, each error over its probability, which estimates the square of the 2-norm without
bias; from the worst of these the search goes once along each axis, and some points are drawn with equal chances. While
the error is too large, the worst places join the rows and the tolerances inside fall. Values looked at stay known: the
error at them is a lower bound of the whole error of every later approximation, the truncated one included. A small
tensor is evaluated whole. A pass costs d n (r + few) + r^d values and d n r^2 operations; rows known from a similar
function save passes. Rows by maximal volume and fibre sampling: Oseledets, Savostianov, Tyrtyshnikov, SIAM J. Matrix
Anal. Appl. 30, 939 (2008).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import scipy.linalg

from solvers.cross.search import EVIDENCE
from solvers.cross.sources import SAME
from solvers.methods import TuckerCross
from solvers.solution import Checked, IterationState, NotConverged, Solution, Status
from solvers.tucker.tensor import TuckerTensor, combine, left_singular, multiply, rank_one, truncated

INSIDE = 0.03  # of the tolerance, for the bases: so many errors add up, and interpolation enlarges them
TIGHTEN = 0.2  # of the tolerance inside, after a pass that was not enough
EASILY, RELAX = 0.3, 1.5  # of the target, for an error after one pass; times the tolerance inside of the next call then
SMALLEST = 3e-15
ROUNDING = 0.4  # of the tolerance, for the final truncation
EXTRA_COLUMNS, EXTRA_ROWS = 4, 4
SAMPLES = 16  # rows an axis in the estimate of the error
UNIFORM = 0.5  # of the probability of a sampled row, spread over all rows: errors may sit where the function is small
WORST = 3  # rows an axis that join after a pass that was not enough
DRAWN = 400  # points a check, each entry as likely as any other

Function = Callable[..., np.ndarray]


def tucker_cross(
    f: Function,
    tensors: Sequence[TuckerTensor],
    *,
    coordinates: Sequence[np.ndarray] | None = None,
    method: TuckerCross | None = None,
    start: Sequence[np.ndarray] | None = None,
    inside: float | None = None,
    accuracy: float = 1e-8,
    scale: float | None = None,
    rng: np.random.Generator | None = None,
    throw: bool = True,
) -> Solution:
    """f(x, y, ...) of tensors of one shape, elementwise, as a Tucker tensor, within ``accuracy`` times ``scale``.

    ``f`` takes one array of values a tensor and, with ``coordinates`` (d arrays (n_m,)), d more, which broadcast
    against them; it returns an array of the broadcast shape. Without tensors it is a function of the coordinates.
    ``scale``: a 2-norm, that of the result where None. ``start``: d arrays of rows to begin with (those of
    ``extra["rows"]`` of an earlier call); ``inside``: the share of the accuracy for the bases to begin with (that of
    ``extra["inside"]`` of an earlier call): a function like that one is then done in one pass.

    ``value``: the tensor; ``residual`` (1,): the estimated relative error (2-norm), truncation included; ``counts``:
    evaluations, passes; ``extra``: rows, inside, and unseen_share, which share of the entries may miss the accuracy by
    themselves although no such entry was found (9.2 over the points drawn, but for one case in 10^4; 0 where all was
    seen). Status CONVERGED, RANK_LIMIT, ITERATION_LIMIT or NO_EVIDENCE (one value alone was seen). Raises NotConverged,
    with the solution, when ``throw``; ValueError for nothing to evaluate on, and for NaN or infinity from f, with the
    multi-index.
    """
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    run = _Run(f, tensors, coordinates, method or TuckerCross(), accuracy, scale, rng or np.random.default_rng(0))
    solution = run.solve(start, INSIDE if inside is None else min(max(inside, SMALLEST), INSIDE))
    if throw and solution.status is not Status.CONVERGED:
        raise NotConverged(solution)
    return solution


def pivot_rows(basis: np.ndarray, count: int | None = None) -> np.ndarray:
    """The first ``count`` pivots of a pivoted QR of the rows of ``basis`` (n, r): they tell its columns apart."""
    pivots = scipy.linalg.qr(basis.T, mode="r", pivoting=True)[1]
    return np.asarray(pivots[: basis.shape[1] if count is None else count])


@dataclass(frozen=True)
class Misses:
    """Errors at all combinations of ``rows``, an array an axis; a vector of errors at the tuples of these."""

    errors: np.ndarray
    rows: Sequence[np.ndarray]

    def worst(self) -> list[np.ndarray]:
        """Rows an axis of the WORST of them."""
        count = min(WORST, self.errors.size)
        chosen = np.argpartition(np.abs(self.errors), self.errors.size - count, axis=None)[-count:]
        places = np.unravel_index(chosen, self.errors.shape)
        if len(places) < len(self.rows):
            places = places * len(self.rows)
        return [i[p] for i, p in zip(self.rows, places, strict=True)]


class _Run:
    """What one call knows while it runs."""

    def __init__(
        self,
        f: Function,
        tensors: Sequence[TuckerTensor],
        coordinates: Sequence[np.ndarray] | None,
        method: TuckerCross,
        accuracy: float,
        scale: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.f, self.tensors, self.method, self.accuracy, self.rng = f, list(tensors), method, accuracy, rng
        self.grids = None if coordinates is None else [np.asarray(c, dtype=float) for c in coordinates]
        shapes = {x.shape for x in self.tensors} | ({tuple(map(len, self.grids))} if self.grids else set())
        if len(shapes) != 1:
            raise ValueError(f"needs tensors or coordinates, all of one shape, not {sorted(shapes)}")
        self.shape: tuple[int, ...] = shapes.pop()
        self.d, self.scale = len(self.shape), scale
        self.evaluations = 0
        self.least, self.most = np.inf, -np.inf  # of the values
        self.blocks: list[tuple[list[np.ndarray], np.ndarray]] = []  # rows, values: what is known
        self.drawn: list[tuple[np.ndarray, np.ndarray]] = []  # points, values
        self.lines: list[tuple[int, np.ndarray, np.ndarray]] = []  # axis, a point on it, values
        self.inside = INSIDE
        self.begin = time.perf_counter()

    def called(
        self, arguments: list[np.ndarray], shape: tuple[int, ...], place: Callable[[tuple[int, ...]], list[int]]
    ) -> np.ndarray:
        values = np.broadcast_to(np.asarray(self.f(*arguments), dtype=float), shape)
        self.evaluations += values.size
        if not np.isfinite(values).all():
            bad = place(tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0]))
            raise ValueError(f"the function returned NaN or infinity at the multi-index {tuple(int(i) for i in bad)}")
        self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))
        return values

    def block(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Values at all combinations of rows."""
        arguments = [x.block(rows) for x in self.tensors]
        if self.grids is not None:
            arguments += np.ix_(*[g[i] for g, i in zip(self.grids, rows, strict=True)])
        return self.called(
            arguments, tuple(len(i) for i in rows), lambda bad: [r[i] for r, i in zip(rows, bad, strict=True)]
        )

    def fibres(self, axis: int, others: np.ndarray) -> np.ndarray:
        """Values (n, q) along ``axis`` at the index sets ``others`` (q, d - 1) of the other axes."""
        arguments = [x.fibres(axis, others) for x in self.tensors]
        if self.grids is not None:
            rest = iter(others.T)
            arguments += [g[:, None] if m == axis else g[next(rest)][None] for m, g in enumerate(self.grids)]
        return self.called(
            arguments, (self.shape[axis], len(others)), lambda bad: [*np.insert(others[bad[1]], axis, bad[0])]
        )

    def single_valued(self) -> bool:
        """Whether one value alone was seen, and the arguments do not say that there is no other."""
        if self.most - self.least > SAME * max(abs(self.most), abs(self.least)):
            return False
        first = [np.zeros(1, dtype=np.int64)] * self.d
        one = [rank_one([np.ones(n) for n in self.shape]) * float(x.block(first).ravel()[0]) for x in self.tensors]
        known = all(combine([(1.0, x), (-1.0, y)]).norm() <= SAME * x.norm() for x, y in zip(self.tensors, one))
        return self.grids is not None or not known

    def missed(self, x: TuckerTensor) -> tuple[float, Misses | None]:
        """The largest 2-norm of the errors of one block or set of fibres known, and which they are, None for zeros."""
        largest, worst = 0.0, None
        for misses in self.known(x):
            if (norm := float(np.linalg.norm(misses.errors))) > largest:
                largest, worst = norm, misses
        return largest, worst

    def known(self, x: TuckerTensor) -> Iterator[Misses]:
        """The errors of ``x`` at everything known."""
        for rows, values in self.blocks:
            yield Misses(values - x.block(rows), rows)
        for axis, point, values in self.lines:
            errors = values - x.fibres(axis, np.delete(point, axis)[None])
            yield Misses(
                errors[:, 0],
                [np.arange(n) if m == axis else np.full(self.shape[axis], point[m]) for m, n in enumerate(self.shape)],
            )
        for points, values in self.drawn:
            yield Misses(values - x.entries(points), [*points.T])

    def starting_rows(self, start: Sequence[np.ndarray] | None) -> list[np.ndarray]:
        if start is not None:
            return [np.unique(np.asarray(rows)) for rows in start]
        rows = [[self.rng.integers(0, n, 2 * EXTRA_ROWS)] for n in self.shape]
        for x in self.tensors:
            for known, u in zip(rows, x.factors, strict=True):
                known.append(pivot_rows(u))
        if not self.tensors:  # coordinates alone: the middle and the ends, finer towards the middle
            for known, n in zip(rows, self.shape, strict=True):
                steps = np.unique(np.geomspace(1, n // 2, 8).astype(int))
                known.append(np.clip(np.concatenate([n // 2 - steps, n // 2 + steps - 1]), 0, n - 1))
        return [np.unique(np.concatenate(known)) for known in rows]

    def basis(self, axis: int, rows: list[np.ndarray], inside: float) -> tuple[np.ndarray, np.ndarray, bool]:
        """The basis of an axis (n, r), its rows, and whether the cap on the rank cut it; ``inside``: relative."""
        values = self.block(rows)
        unfolded = np.moveaxis(values, axis, 0).reshape(len(rows[axis]), -1)
        triangle, pivots = scipy.linalg.qr(unfolded, mode="r", pivoting=True)
        sizes = np.abs(np.diag(triangle))
        chosen = pivots[: max(1, int(np.sum(sizes > inside * sizes[0])))]
        more = self.rng.integers(0, unfolded.shape[1], EXTRA_COLUMNS)
        others = [i for m, i in enumerate(rows) if m != axis]
        places = np.unravel_index(np.unique(np.concatenate([chosen, more])), tuple(map(len, others)))
        fibres = self.fibres(axis, np.column_stack([i[p] for i, p in zip(others, places, strict=True)]))
        u, s, _ = np.linalg.svd(fibres, full_matrices=False)
        wanted = max(1, int(np.sum(s > inside * s[0])))
        rank = min(wanted, self.method.max_rank)
        # some directions more than are kept: their rows are the places where the bases do worst
        found = np.concatenate([pivot_rows(u[:, :rank]), pivot_rows(u[:, : rank + EXTRA_ROWS], rank + EXTRA_ROWS)])
        return u[:, :rank], np.unique(found), rank < wanted

    def whole(self) -> Solution:
        """Every value, the higher-order SVD, and the error of it."""
        values = self.block([np.arange(n) for n in self.shape])
        bases = [left_singular(np.moveaxis(values, m, 0).reshape(n, -1))[0] for m, n in enumerate(self.shape)]
        core = multiply(values, [u.T for u in bases])
        value = truncated(core, bases, tol=ROUNDING * self.accuracy, scale=self.scale, max_rank=self.method.max_rank)
        norm = self.norm(values)
        error = float(np.linalg.norm(values - value.full(values.size)))
        error = error / norm if norm > 0.0 else error
        status = Status.CONVERGED if error <= self.accuracy else Status.RANK_LIMIT
        if status is Status.RANK_LIMIT and value.max_rank < self.method.max_rank:
            status = Status.STAGNATED  # rounding errors
        looked = Checked(
            "every entry", "all values of the tensor", f"error {error:.1e} (2-norm)", error <= self.accuracy
        )
        rows = [np.unique(pivot_rows(u)) for u in value.factors]
        return self.solution(value, status, error, [], rows, 0.0, looked)

    def solve(self, start: Sequence[np.ndarray] | None, share: float) -> Solution:
        if math.prod(self.shape) <= self.method.whole:
            return self.whole()
        rows, inside, status = self.starting_rows(start), share * self.accuracy, None
        history: list[IterationState] = []
        target = np.sqrt(1.0 - ROUNDING**2) * self.accuracy
        while status is None:
            bases, capped = [], False
            for axis in range(self.d):
                basis, rows[axis], cut = self.basis(axis, rows, max(inside, SMALLEST))
                bases.append(basis)
                capped |= cut
            values = self.block(rows)
            self.blocks.append((list(rows), values))
            core = multiply(values, [np.linalg.pinv(q[i]) for q, i in zip(bases, rows, strict=True)])
            error, worst = self.check(core, bases)
            norm = self.norm(core)
            known, misses = self.missed(TuckerTensor(core, tuple(bases)))
            error = max(error, known / norm if norm > 0.0 else known)
            state = IterationState(
                len(history) + 1,
                "pass",
                max(core.shape),
                time.perf_counter() - self.begin,
                residuals=np.array([error]),
                extra={"evaluations": self.evaluations},
            )
            history.append(state)
            if error <= target:
                status = Status.CONVERGED
            elif capped:
                status = Status.RANK_LIMIT
            elif len(history) >= self.method.passes:
                status = Status.ITERATION_LIMIT
            else:
                inside *= TIGHTEN
                places = worst if misses is None else misses.worst()
                rows = [reduce(np.union1d, (i, w, p)) for i, w, p in zip(rows, worst, places, strict=True)]
        # less was enough where the first pass was clearly good
        self.inside = inside / self.accuracy * (RELAX if len(history) == 1 and error < EASILY * target else 1.0)
        value = truncated(core, bases, tol=ROUNDING * self.accuracy, scale=self.scale)
        kept = multiply(value.core, [q.T @ u for q, u in zip(bases, value.factors, strict=True)])
        lost = float(np.linalg.norm(core - kept))
        error = float(np.hypot(error, lost / norm if norm > 0.0 else lost))
        known = self.missed(value)[0]
        error = max(error, known / norm if norm > 0.0 else known)
        if status is Status.CONVERGED and error > self.accuracy:
            status = Status.ITERATION_LIMIT
        looked = [
            Checked(
                "entries not looked at before",
                f"a sample of {SAMPLES} rows an axis, {DRAWN} points, searches along axes",
                f"error {error:.1e} (2-norm)",
                error <= self.accuracy,
            )
        ]
        if status is Status.CONVERGED and self.single_valued():
            status = Status.NO_EVIDENCE
            looked.append(
                Checked("the function is constant", f"{self.evaluations} values", "no other value seen", False)
            )
        share = EVIDENCE / DRAWN if status is Status.CONVERGED else 1.0
        return self.solution(value, status, error, history, rows, share, *looked)

    def solution(
        self,
        value: TuckerTensor,
        status: Status,
        error: float,
        history: list[IterationState],
        rows: list[np.ndarray],
        share: float,
        *looked: Checked,
    ) -> Solution:
        counts = {"evaluations": self.evaluations, "passes": len(history)}
        timing = {"solve_s": time.perf_counter() - self.begin}
        return Solution(
            value,
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            tuple(history),
            counts,
            timing,
            {"rows": rows, "inside": self.inside, "unseen_share": share},
            looked,
        )

    def norm(self, core: np.ndarray) -> float:
        """What errors are relative to."""
        return float(np.linalg.norm(core)) if self.scale is None else self.scale

    def check(self, core: np.ndarray, bases: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
        """The estimated error over the scale, and on each axis the rows of the worst places."""
        rows, probabilities = [], []
        for m, q in enumerate(bases):
            vectors, values = left_singular(np.moveaxis(core, m, 0).reshape(core.shape[m], -1))
            weights = np.sum((q @ (vectors * values)) ** 2, axis=1)
            uniform = np.full(len(q), 1.0 / len(q))
            total = weights.sum()
            p = UNIFORM * uniform + (1.0 - UNIFORM) * weights / total if total > 0.0 else uniform
            shares = np.cumsum(p)
            drawn = (np.arange(SAMPLES) + self.rng.random(SAMPLES)) / SAMPLES * shares[-1]
            rows.append(np.minimum(np.searchsorted(shares, drawn, side="right"), len(q) - 1))
            probabilities.append(p[rows[-1]])
        values = self.block(rows)
        distinct = [np.unique(i, return_index=True) for i in rows]
        self.blocks.append(([i for i, _ in distinct], values[np.ix_(*[first for _, first in distinct])]))
        errors = values - multiply(core, [q[i] for q, i in zip(bases, rows, strict=True)])
        self.searched(np.array([i[k] for i, k in zip(rows, np.unravel_index(np.argmax(np.abs(errors)), errors.shape))]))
        weighted = errors**2 / reduce(np.multiply.outer, probabilities)
        norm = self.norm(core)
        error = float(np.sqrt(weighted.mean())) / norm if norm > 0.0 else float(np.abs(errors).max())
        worst = []
        for m, i in enumerate(rows):
            largest = np.moveaxis(weighted, m, 0).reshape(SAMPLES, -1).max(axis=1)
            worst.append(i[np.argsort(largest)[-WORST:]])
        return error, worst

    def searched(self, point: np.ndarray) -> None:
        """Fibres through a point (d,) along every axis, and points drawn: they join what is known."""
        for axis in range(self.d):
            self.lines.append((axis, point, self.fibres(axis, np.delete(point, axis)[None])))
        drawn = np.unique(np.column_stack([self.rng.integers(0, n, DRAWN) for n in self.shape]), axis=0)
        arguments = [x.entries(drawn) for x in self.tensors]
        if self.grids is not None:
            arguments += [g[i] for g, i in zip(self.grids, drawn.T, strict=True)]
        self.drawn.append((drawn, self.called(arguments, (len(drawn),), lambda bad: [*drawn[bad[0]]])))
