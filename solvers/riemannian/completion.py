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
from dataclasses import replace
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question, earlier_content, random_state, restore
from solvers.methods import Completion
from solvers.riemannian.descent import minimise
from solvers.riemannian.dimension import feasible, require_enough
from solvers.riemannian.fit import MANIFOLD, SampledFit, rank_one_start
from solvers.riemannian.given import Pair, checked, split
from solvers.riemannian.growth import LEARNED, Growth, RankFit, stored_growth
from solvers.riemannian.judges import beside_second, excess, relative_error, undetermined
from solvers.riemannian.manifold import FixedRankPoint
from solvers.riemannian.samples import Samples
from solvers.solution import Callback, Checked, IterationState, NotConverged, Solution, Status
from solvers.trains.factorisations import frobenius
from solvers.trains.tensor_train import TensorTrain

RELATIVE = 1e-4  # of the value: a decrease expected below ends a fit
FALL = 0.1  # a fit whose value fell below this share is fitted again, to its new value
ROUNDS = 6
BETWEEN = 40  # steps of a fit between two bonds that grow
HELD, LOOSENED = 1e-1, (1e-2, 1e-3, 1e-4)  # weights of the anchor while ranks grow, and after; none at the end
WILD = 0.1  # a fit held to the one before is kept where it is judged better than a free one by this
TINY = 1e-6  # of the size of a tensor: what is left of a fit that has nothing in common with other entries
SECOND_STARTS = 1  # random ones of a second fit, which says nothing where it learned nothing
RETRIES = 45_000  # evaluations times modes, 0.6 ms each (measured): no further random start beyond
SECOND_LOOK = 2e9  # multiplications of a first fit, up to which a second one is made; none: no such look is taken
FLOOR = 1e-3  # of the accuracy: a training error below is as good as none
_COMPILED = False


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
    checkpoint: str | Path | None = None,
    earlier: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The train of ``shape`` through the real ``values`` (m,) at the multi-indices ``indices`` (m, d), from 0.

    ``accuracy``: relative error in the 2-norm asked of entries that were not fitted. ``test``: indices and values that
    only judge the result and whether larger ranks are tried; the rank is chosen by others, set aside from ``values``.
    ``checkpoint``: a file written after each rank; where it exists the growth goes on from it. ``earlier``: that of
    another call for the same entries and a generator in the same state, from whose last rank the growth starts.

    ``value``: the train of the rank that predicts best; ``residual``: (1,) its relative error: the largest of those on
    the samples, the entries set aside and the test entries, of what the whole tensor exceeds its samples by, and of the
    difference to a second fit; ``checked``: those looks; ``history``: a row a rank, residuals the validation error;
    ``counts``: evaluations and fits; ``extra``: ``by_rank``, a tuple of RankFit, ``best``, the one chosen, how many
    entries were ``fitted`` and set aside for ``validation``. Status CONVERGED, RANK_LIMIT (larger ranks might help),
    STAGNATED (larger ranks did not: more samples would) or CONTRADICTED (a second fit from other samples is another
    tensor).

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
        test = checked(*test, shape, "test entries", zeros=True)
    fitted, kept = split(indices, values, shape, method.validation, rng)
    require_enough(len(fitted[1]), shape, method.max_rank)
    compile_s = _compile()
    run = _Run(fitted, kept, test, shape, method, accuracy, rng, callback)
    subject = Question([fitted[0], fitted[1], kept[1]], [repr(shape)])
    asked = Question([fitted[0], fitted[1], kept[1]], [repr(shape), repr(method), repr(accuracy)])
    run.checkpoint = Checkpoint(checkpoint, asked, subject)
    run.earlier = earlier_content(earlier, subject)
    solution = run.solve(compile_s)
    best: RankFit = solution.extra["best"]
    if solution.converged or (best.seen <= accuracy and solution.status is not Status.CONTRADICTED):
        solution = second_fit(run, solution, indices, values, shape)
    if throw and solution.status is not Status.CONVERGED:
        raise NotConverged(solution)
    return solution


def second_fit(
    run: _Run, solution: Solution, indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]
) -> Solution:
    """The solution beside another fit of the same ranks, from other samples. Not taken where it would be dear."""
    best: RankFit = solution.extra["best"]
    work = float(run.evaluations) * len(values) * len(shape) * best.rank**2
    if work > SECOND_LOOK:
        return solution
    fitted, kept = split(indices, values, shape, run.method.validation, np.random.default_rng(1))
    method = replace(run.method, max_rank=best.rank, starts=min(run.method.starts, SECOND_STARTS))
    other = _Run(fitted, kept, None, shape, method, run.accuracy, np.random.default_rng(2), None).solve(0.0)
    return beside_second(solution, other, run.accuracy)


class _Run:
    """What one call knows while it runs; values are scaled to a root mean square of one."""

    def __init__(
        self,
        fitted: Pair,
        kept: Pair,
        test: Pair | None,
        shape: tuple[int, ...],
        method: Completion,
        accuracy: float,
        rng: np.random.Generator,
        callback: Callback | None,
    ) -> None:
        self.method, self.accuracy, self.rng, self.callback = method, accuracy, rng, callback
        self.scale = frobenius(fitted[1]) / np.sqrt(len(fitted[1]))
        self.samples, self.values = Samples(fitted[0], shape), fitted[1] / self.scale
        self.objective = SampledFit(self.samples, self.values)
        self.kept, self.test = kept, test
        self.known = np.concatenate([fitted[1], kept[1]])
        self.typical = frobenius(self.known) / np.sqrt(len(self.known))
        self.begin = time.perf_counter()
        self.history: list[IterationState] = []
        self.evaluations = self.fits = 0
        self.checkpoint = Checkpoint(None)
        self.earlier: Content | None = None

    def solve(self, compile_s: float) -> Solution:
        """The growth from the best start of rank one; from random ones where that learned nothing."""
        attempt, best, growth = self.started()
        while True:
            growth = self.grow(attempt, best, growth)
            if best is None or growth.chosen.judged < best.chosen.judged:
                best = growth
            attempt += 1
            spent = self.evaluations * len(self.samples.shape) > RETRIES
            if best.chosen.judged <= LEARNED or attempt > self.method.starts or spent:
                return self.solution(best, compile_s)
            growth = None

    def start(self, attempt: int) -> Growth:
        """The fit of rank one, from the best start, or from a random one."""
        if attempt == 0:
            train = rank_one_start(self.samples, self.values, self.method.starts, self.rng)
        else:
            train = rank_one_start(self.samples, self.values, 0, self.rng, constant=False)
        x = self.fit(MANIFOLD.point(train), ROUNDS)
        return Growth([self.judge(1, x)], x)

    def grow(self, attempt: int, best: Growth | None, growth: Growth | None) -> Growth:
        """Ranks grow from one on, until one predicts well enough, or larger ones do not predict better.

        ``growth``: one under way; it is kept, with the ``best`` of earlier attempts, after every rank.
        """
        shape, ranks = self.samples.shape, feasible(self.samples.shape, self.method.max_rank)
        if growth is None:
            growth = self.start(attempt)
            self.keep(attempt, best, growth)
        while growth.fits[-1].rank < max(ranks) and growth.hopeful(self.accuracy):
            x, last = growth.last, growth.fits[-1].rank + 1
            anchor = x.train
            for k in range(len(shape) - 1):
                # no more than the two cores at the bond can have, whose other bonds may not have grown yet
                most = min(ranks[k + 1], last, x.ranks[k] * shape[k], shape[k + 1] * x.ranks[k + 2])
                if x.ranks[k + 1] < most:
                    x = self.fit(self.objective.grown(x, k, self.rng), 1, self.held(HELD, anchor), BETWEEN)
                    self.report(f"rank {last}", x, last - 1 + (k + 1) / len(shape))
            for weight in LOOSENED:
                x = self.fit(x, 1, self.held(weight, anchor))
            held, x = x, self.fit(x, ROUNDS)
            fit, before = self.judge(last, x), self.judge(last, held)
            if before.judged < WILD * fit.judged:  # let go, it filled what no sample shows
                fit, x = before, held
            growth.add(fit, x)
            self.keep(attempt, best, growth)
        return growth

    def keep(self, attempt: int, best: Growth | None, growth: Growth) -> None:
        """Write the checkpoint, then tell of the last rank."""
        fit = growth.fits[-1]
        self.note(f"rank {fit.rank}", growth.last, fit)
        self.checkpoint.save(lambda: self.content(attempt, best, growth))
        if self.callback is not None:
            self.callback(self.history[-1])

    def content(self, attempt: int, best: Growth | None, growth: Growth) -> Content:
        named = {name: one for name, one in (("best", best), ("growth", growth)) if one is not None}
        arrays = {key: core for name, one in named.items() for key, core in one.arrays(name).items()}
        growths = {name: one.entry for name, one in named.items()}
        data = {"attempt": attempt, "growths": growths, "random": random_state(self.rng), "history": self.history}
        return arrays, data | {"evaluations": self.evaluations, "fits": self.fits}

    def started(self) -> tuple[int, Growth | None, Growth | None]:
        """Attempt, best growth and the one under way: from the checkpoint, from an earlier call, or from nothing."""
        loaded = self.checkpoint.load() or self.earlier
        if loaded is None:
            return 0, None, None
        arrays, data = loaded
        found = {
            name: stored_growth(arrays, name, entry, len(self.samples.shape)) for name, entry in data["growths"].items()
        }
        restore(self.rng, data["random"])
        self.evaluations, self.fits, self.history = data["evaluations"], data["fits"], list(data["history"])
        growth = found["growth"]
        if loaded is self.earlier:  # which was content with less
            x = self.fit(growth.last, ROUNDS)
            growth.renew(self.judge(growth.fits[-1].rank, x), x)
        return data["attempt"], found.get("best"), growth

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
            return relative_error(train.entries(pair[0]), pair[1], self.typical)

        fitted = float(np.sqrt(2.0 * self.objective.evaluate(x).value))
        kept = error(self.kept)[0]
        test: tuple[float | None, float | None] = error(self.test) if self.test is not None else (None, None)
        seconds = time.perf_counter() - self.begin
        return RankFit(rank, x.ranks, fitted, kept, *test, self.evaluations, seconds, excess(train, self.known))

    def note(self, label: str, x: FixedRankPoint, fit: RankFit) -> None:
        """Add a rank to the history."""
        self.history.append(self.state(label, x, fit.rank, fit))

    def report(self, label: str, x: FixedRankPoint, done: float) -> None:
        """Tell of a fit on the way."""
        if self.callback is not None:
            self.callback(self.state(label, x, done, None))

    def state(self, label: str, x: FixedRankPoint, done: float, fit: RankFit | None) -> IterationState:
        return IterationState(
            len(self.history) + 1,
            label,
            x.max_rank,
            time.perf_counter() - self.begin,
            residuals=None if fit is None else np.array([fit.validation_error]),
            fraction=min(done / self.method.max_rank, 1.0),
            finished=fit is not None,
            extra={"evaluations": self.evaluations},
        )

    def shrink(self, growth: Growth) -> None:
        """Scale a fit that is worse than zeros to what it has in common with the entries known beside it."""
        fit, train = growth.chosen, self.train(growth.point)
        pairs = [self.kept] if self.test is None else [self.kept, self.test]
        true = np.concatenate([values for _, values in pairs])
        found = np.concatenate([train.entries(indices) for indices, _ in pairs])
        size = len(true) * self.typical**2
        whole = train.norm() ** 2 / float(np.prod(np.array(train.shape, dtype=float))) * len(true)
        share = max(float(found @ true), TINY * size) / max(float(found @ found), whole, size)
        point = MANIFOLD.point(growth.point.train * min(share, 1.0))
        less = self.judge(fit.rank, point)
        if less.error < fit.error:
            growth.fits[growth.fits.index(fit)] = growth.chosen = less
            growth.point = point

    def solution(self, growth: Growth, compile_s: float) -> Solution:
        if growth.chosen.error > 1.0:
            self.shrink(growth)
        fit = growth.chosen
        error = fit.error
        looks = []
        if error <= self.accuracy:
            status = Status.CONVERGED
            work = self.samples.count * len(self.samples.shape) * float(fit.rank) ** 4
            if work <= SECOND_LOOK:
                left = undetermined(self.samples, growth.point)
                text = (
                    f"a share of {left**2:.1e} of a core is open" if left else "every slice of every core is determined"
                )
                looks.append(
                    Checked("samples of each index", "what they see of its slice of the train", text, not left)
                )
                if left > self.accuracy:
                    status, error = Status.CONTRADICTED, max(error, left)
        else:
            status = Status.RANK_LIMIT if growth.rising else Status.STAGNATED
        return Solution(
            self.train(growth.point),
            status,
            int(status is Status.CONVERGED),
            np.array([error]),
            tuple(self.history),
            {"evaluations": self.evaluations, "fits": self.fits},
            {"compile_s": compile_s, "solve_s": time.perf_counter() - self.begin},
            {"by_rank": tuple(growth.fits), "best": fit, "fitted": self.samples.count, "validation": len(self.kept[1])},
            (
                Checked(
                    "entries not fitted",
                    "set aside to choose the rank",
                    f"relative error {fit.validation_error:.1e}",
                    fit.validation_error <= self.accuracy,
                ),
                Checked(
                    "size of the whole tensor",
                    "root mean square of all entries beside that of the samples",
                    f"larger by {fit.excess:.1e} than the samples explain",
                    fit.excess <= self.accuracy,
                ),
                *looks,
            ),
        )


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
