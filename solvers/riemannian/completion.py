"""``complete``: a tensor train from a few of its entries.

From rank one on, the ranks grow one bond after the other by the best direction of the residual, and each time all cores
are fitted by conjugate gradients on the manifold of fixed ranks (solvers.riemannian.fit), at first held to the fit of
the rank before, then less and less: with few samples a fit that is free at once fills the entries that no sample shows
with large values (measured: up to ten times the error at 0.8 % of 20^4 entries). Entries set aside, never
fitted, tell which rank predicts best: a fit of larger ranks can be closer to the samples and further from the rest.
Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), algorithms 1 and 2 (there the ranks grow by random directions).
Cost O(m d r^2) an evaluation for m samples of d modes and ranks r, memory 16 m d r bytes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.methods import Completion
from solvers.riemannian.descent import minimise
from solvers.riemannian.dimension import LEAST_VALIDATION, feasible, require_enough, set_aside
from solvers.riemannian.fit import MANIFOLD, SampledFit, rank_one_start
from solvers.riemannian.manifold import FixedRankPoint
from solvers.riemannian.samples import Samples, held_out
from solvers.solution import Callback, IterationState, NotConverged, Solution, Status
from solvers.trains.factorisations import frobenius
from solvers.trains.tensor_train import TensorTrain

Pair = tuple[np.ndarray, np.ndarray]

ENOUGH = 0.2  # of the accuracy: a validation error below ends the growth, for few entries judge there
RELATIVE = 1e-4  # of the value: a decrease expected below ends a fit
FALL = 0.1  # a fit whose value fell below this share is fitted again, to its new value
ROUNDS = 6
BETWEEN = 40  # steps of a fit between two bonds that grow
HELD, LOOSENED = 1e-1, (1e-2, 1e-3, 1e-4)  # weights of the anchor while ranks grow, and after; none at the end
FLOOR = 1e-3  # of the accuracy: a training error below is as good as none
BETTER = 0.9  # of the best validation error: what counts as progress
LEARNED = 0.5  # validation error: above, nothing was learned yet
PATIENCE = 2  # ranks without progress, before the growth ends
_COMPILED = False


@dataclass(frozen=True)
class RankFit:
    """One rank's fit: relative errors in the 2-norm; ``uncertainty``: standard deviation of the test error.

    ``test_error`` and ``uncertainty`` are None without test entries.
    """

    rank: int
    ranks: tuple[int, ...]
    train_error: float
    validation_error: float
    test_error: float | None
    uncertainty: float | None
    evaluations: int
    seconds: float


def complete(
    indices: np.ndarray,
    values: np.ndarray,
    shape: Sequence[int],
    *,
    method: Completion | None = None,
    test: Pair | None = None,
    accuracy: float = 1e-4,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    throw: bool = True,
) -> Solution:
    """The train of ``shape`` through the real ``values`` (m,) at the multi-indices ``indices`` (m, d), from 0.

    ``accuracy``: relative error in the 2-norm asked of entries that were not fitted. ``test``: indices and values that
    only judge the result and whether larger ranks are tried; the rank is chosen by others, set aside from ``values``.

    ``value``: the train of the rank that predicts best; ``residual``: (1,) its relative error on the test entries, or
    on those set aside; ``history``: a row a rank, residuals the validation error; ``counts``: evaluations and
    fits; ``extra``: ``by_rank``, a tuple of RankFit, ``best``, the one chosen, how many entries were ``fitted`` and
    set aside for ``validation``. Status CONVERGED, RANK_LIMIT (larger ranks might help) or STAGNATED (larger ranks did
    not: more samples would).

    Raises ValueError for wrong shapes, indices that are no integers or outside the shape, values that are not finite or
    all zero, two values of one entry, an index of a mode without a sample, more parameters at ``max_rank`` than
    samples, and an accuracy outside (0, 1); NotConverged, with the solution, when ``throw``.
    """
    method, rng = method or Completion(), rng or np.random.default_rng(0)
    shape = tuple(int(n) for n in shape)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    indices, values = checked(indices, values, shape, "samples")
    if test is not None:
        test = checked(*test, shape, "test entries")
    fitted, kept = _split(indices, values, shape, method.validation, rng)
    require_enough(len(fitted[1]), shape, method.max_rank)
    compile_s = _compile()
    run = _Run(fitted, kept, test, shape, method, accuracy, rng, callback)
    solution = run.solve(compile_s)
    if throw and solution.status is not Status.CONVERGED:
        raise NotConverged(solution)
    return solution


def checked(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...], what: str) -> Pair:
    """Indices (m, d) and values (m,) as arrays, each entry once; ValueError with the first thing wrong."""
    indices, values = np.asarray(indices), np.asarray(values)
    if indices.ndim != 2 or indices.shape[1] != len(shape) or values.shape != indices.shape[:1] or not len(values):
        wanted = f"indices (m, {len(shape)}) and values (m,), at least one"
        raise ValueError(f"{what}: needs {wanted}, not {indices.shape} and {values.shape}")
    if indices.dtype.kind not in "iu":
        raise ValueError(f"{what}: indices must be integers, not {indices.dtype}")
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{what}: values must be real numbers, not {values.dtype}")
    outside = ((indices < 0) | (indices >= np.array(shape))).any(axis=1)
    if outside.any():
        j = int(np.argmax(outside))
        raise ValueError(f"{what}: index {tuple(indices[j].tolist())} (number {j}) lies outside the shape {shape}")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        j = int(np.argmin(np.isfinite(values)))
        raise ValueError(f"{what}: the value at {tuple(indices[j].tolist())} (number {j}) is not finite")
    if not values.any():
        raise ValueError(f"{what}: all values are zero; a relative error needs others")
    _, first, place = np.unique(indices, axis=0, return_index=True, return_inverse=True)
    different = values != values[first][place.ravel()]
    if different.any():
        j = int(np.argmax(different))
        raise ValueError(f"{what}: entry {tuple(indices[j].tolist())} has two different values")
    order = np.sort(first)
    return np.ascontiguousarray(indices[order], dtype=np.int64), values[order]


def relative_error(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """|found - true| / |true| in the 2-norm over sampled entries, and its standard deviation over such samples.

    The square is a ratio of two means, its variance that of the linearised ratio.
    """
    top = float(np.abs(true).max())  # squares neither overflow nor vanish
    squares, sizes = ((found - true) / top) ** 2, (true / top) ** 2
    total = float(sizes.sum())
    ratio = float(squares.sum()) / total
    error = np.sqrt(ratio)
    spread = np.sqrt(float(((squares - ratio * sizes) ** 2).sum())) / total
    return float(error), float(0.5 * spread / error) if error > 0.0 else 0.0


class _Growth:
    """The fits of growing ranks, and the one that predicts best."""

    def __init__(self, fits: list[RankFit], point: FixedRankPoint) -> None:
        self.fits, self.point, self.chosen = fits, point, fits[0]
        self.progress = 1  # the last rank that predicted clearly better

    def add(self, fit: RankFit, point: FixedRankPoint) -> None:
        self.fits.append(fit)
        if fit.validation_error < BETTER * self.chosen.validation_error:
            self.progress = fit.rank
        if fit.validation_error < self.chosen.validation_error:
            self.point, self.chosen = point, fit

    @property
    def rising(self) -> bool:
        """Whether larger ranks may predict better."""
        return self.fits[-1].rank - self.progress < PATIENCE or self.chosen.validation_error > LEARNED

    def hopeful(self, accuracy: float) -> bool:
        """Whether a larger rank is worth a fit: not where the entries set aside, and the test entries, are met."""
        missed = self.chosen.test_error is not None and self.chosen.test_error > accuracy
        return self.rising and (self.chosen.validation_error > ENOUGH * accuracy or missed)


class _Run:
    """What one call knows while it runs; values are scaled to a root mean square of one."""

    def __init__(self, fitted: Pair, kept: Pair, test: Pair | None, shape, method, accuracy, rng, callback) -> None:
        self.method, self.accuracy, self.rng, self.callback = method, accuracy, rng, callback
        self.scale = frobenius(fitted[1]) / np.sqrt(len(fitted[1]))
        self.samples, self.values = Samples(fitted[0], shape), fitted[1] / self.scale
        self.objective = SampledFit(self.samples, self.values)
        self.kept, self.test = kept, test
        self.begin = time.perf_counter()
        self.history: list[IterationState] = []
        self.evaluations = self.fits = 0

    def solve(self, compile_s: float) -> Solution:
        """The growth from the best start of rank one; from random ones where that learned nothing."""
        best = self.grow(rank_one_start(self.samples, self.values, self.method.starts, self.rng))
        for _ in range(self.method.starts):
            if best.chosen.validation_error <= LEARNED:
                break
            other = self.grow(rank_one_start(self.samples, self.values, 0, self.rng, constant=False))
            if other.chosen.validation_error < best.chosen.validation_error:
                best = other
        return self.solution(best, compile_s)

    def grow(self, start: TensorTrain) -> _Growth:
        """Ranks grow from one on, until one predicts well enough, or larger ones do not predict better."""
        shape = self.samples.shape
        x = self.fit(MANIFOLD.point(start), ROUNDS)
        growth = _Growth([self.judge(1, x)], x)
        last, ranks = 1, feasible(shape, self.method.max_rank)
        while last < max(ranks) and growth.hopeful(self.accuracy):
            last += 1
            anchor = x.train
            for k in range(len(shape) - 1):
                # no more than the two cores at the bond can have, whose other bonds may not have grown yet
                most = min(ranks[k + 1], last, x.ranks[k] * shape[k], shape[k + 1] * x.ranks[k + 2])
                if x.ranks[k + 1] < most:
                    x = self.fit(self.objective.grown(x, k, self.rng), 1, self.held(HELD, anchor), BETWEEN)
                    self.report(f"rank {last}", x, last - 1 + (k + 1) / len(shape), None)
            for weight in LOOSENED:
                x = self.fit(x, 1, self.held(weight, anchor))
            x = self.fit(x, ROUNDS)
            growth.add(self.judge(last, x), x)
        return growth

    def held(self, weight: float, anchor: TensorTrain) -> SampledFit:
        """The objective that keeps to the fit of the rank before where the samples say little."""
        return SampledFit(self.samples, self.values, weight, anchor)

    def fit(
        self, x: FixedRankPoint, rounds: int, objective: SampledFit | None = None, steps: int | None = None
    ) -> FixedRankPoint:
        """All cores fitted, again while the value falls by orders of magnitude."""
        objective, method = objective or self.objective, self.method.descent
        if steps is not None:
            method = replace(method, steps=min(steps, method.steps))
        floor = 0.5 * (FLOOR * self.accuracy) ** 2
        value = objective.evaluate(x).value
        for _ in range(rounds):
            target = max(RELATIVE * value, FLOOR * floor, 1e-28)
            found = minimise(objective, MANIFOLD, x, method=method, accuracy=target, throw=False)
            self.evaluations += found.counts["evaluations"]
            self.fits += 1
            x, before, value = found.value, value, found.extra["value"]
            if value <= floor or value > FALL * before:
                break
        return x

    def train(self, x: FixedRankPoint) -> TensorTrain:
        return x.train * self.scale

    def judge(self, rank: int, x: FixedRankPoint) -> RankFit:
        """The errors of a rank's fit, reported."""
        train = self.train(x)

        def error(pair: Pair) -> tuple[float, float]:
            return relative_error(train.entries(pair[0]), pair[1])

        fitted = float(np.sqrt(2.0 * self.objective.evaluate(x).value))
        kept = error(self.kept)[0]
        test: tuple[float | None, float | None] = error(self.test) if self.test is not None else (None, None)
        seconds = time.perf_counter() - self.begin
        fit = RankFit(rank, x.ranks, fitted, kept, *test, self.evaluations, seconds)
        self.report(f"rank {rank}", x, rank, fit)
        return fit

    def report(self, label: str, x: FixedRankPoint, done: float, fit: RankFit | None) -> None:
        state = IterationState(
            len(self.history) + 1, label, x.max_rank, time.perf_counter() - self.begin,
            residuals=None if fit is None else np.array([fit.validation_error]),
            fraction=min(done / self.method.max_rank, 1.0), finished=fit is not None,
            extra={"evaluations": self.evaluations},
        )  # fmt: skip
        if fit is not None:
            self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def solution(self, growth: _Growth, compile_s: float) -> Solution:
        fit = growth.chosen
        error = fit.validation_error if fit.test_error is None else fit.test_error
        if error <= self.accuracy:
            status = Status.CONVERGED
        else:
            status = Status.RANK_LIMIT if growth.rising else Status.STAGNATED
        return Solution(
            self.train(growth.point), status, int(status is Status.CONVERGED), np.array([error]), tuple(self.history),
            {"evaluations": self.evaluations, "fits": self.fits},
            {"compile_s": compile_s, "solve_s": time.perf_counter() - self.begin},
            {"by_rank": tuple(growth.fits), "best": fit, "fitted": self.samples.count, "validation": len(self.kept[1])},
        )  # fmt: skip


def _split(indices: np.ndarray, values: np.ndarray, shape, share: float, rng: np.random.Generator) -> tuple[Pair, Pair]:
    """Entries to fit, and entries set aside; each index of each mode keeps a sample to fit.

    Raises ValueError where an index has no sample at all, and where too few can be set aside.
    """
    for k, (column, n) in enumerate(zip(indices.T, shape)):
        count = np.bincount(column, minlength=n)
        if not count.all():
            missing = int(np.argmin(count))
            raise ValueError(f"mode {k + 1} has no sample at index {missing} (from 0): its entries cannot be known")
    aside = held_out(indices, shape, set_aside(len(values), share), rng)
    if aside.sum() < LEAST_VALIDATION or not values[aside].any():
        raise ValueError(f"too few samples: of {len(values)} only {aside.sum()} can be set aside to choose the rank")
    return (indices[~aside], values[~aside]), (indices[aside], values[aside])


def _compile() -> float:
    """Seconds to compile or load the kernels; zero from the second call on in one process."""
    global _COMPILED
    if _COMPILED:
        return 0.0
    begin = time.perf_counter()
    samples = Samples(np.array([[0, 1], [1, 0], [1, 1]]), (2, 2))
    values = np.array([1.0, 2.0, 3.0])
    objective, rng = SampledFit(samples, values), np.random.default_rng(0)
    objective.grown(MANIFOLD.point(rank_one_start(samples, values, 0, rng)), 0, rng)
    _COMPILED = True
    return time.perf_counter() - begin
