"""``cp_decomposition``: a dense array as a sum of rank-one tensors, with a verdict on what is possible.

1. The array is scaled to norm one; axes longer than the rank of their unfolding are compressed, exactly.
2. Every start is fitted to its end (solvers.formats.cp.als, solvers.formats.cp.levenberg_marquardt) and judged
   (solvers.formats.cp.fit): one that converged alone says nothing of the others.
3. Of those that converged, or else of all, that of the smallest error is the answer; it is measured on all entries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question
from solvers.formats.cp.als import AlternatingFit
from solvers.formats.cp.fit import Fit, StartFit, Starts, Verdict
from solvers.formats.cp.levenberg_marquardt import DampedFit
from solvers.formats.cp.methods import CPALS, CPLevenbergMarquardt, CPMethod
from solvers.formats.cp.tensor import CPTensor
from solvers.formats.trains.factorisations import EPSILON, as_double, check_finite, frobenius, power_of_two
from solvers.formats.tucker.tensor import left_singular, multiply
from solvers.iteration import drive
from solvers.solution import Callback, IterationState, Solution, Status
from solvers.threads import one_blas_thread

MOST_UNKNOWNS = 1500  # up to which Levenberg-Marquardt is the choice: below half a second a step
UNKNOWNS_AT_ALL = 6000  # above, its matrices take more than a gigabyte
TOLD = 25  # steps, after which the callback is told, and the checkpoint written, within a start
STATUS = {
    Verdict.CONVERGED: Status.CONVERGED,
    Verdict.MINIMUM: Status.RANK_LIMIT,
    Verdict.SWAMP: Status.ITERATION_LIMIT,
    Verdict.DEGENERATE: Status.DEGENERATE,
}


@one_blas_thread
def cp_decomposition(
    array: np.ndarray,
    rank: int,
    *,
    method: CPMethod | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """``rank`` rank-one terms whose sum is the real ``array`` (n1, ..., nd), d >= 2, to the relative ``accuracy``.

    ``method``: CPLevenbergMarquardt (the choice up to 1500 unknowns) or CPALS. ``checkpoint``: a file written every 25
    steps; where it exists the same call goes on from it. The ``callback`` is told as often.

    ``value``: the CPTensor; ``residual``: (1,) its relative error, over all entries; ``history``: a row a start, its
    residual the error; ``counts``: starts, steps, and starts by verdict; ``extra``: ``verdict`` and ``starts``, a tuple
    of StartFit. Status CONVERGED, RANK_LIMIT (a least-squares minimum with a larger error), DEGENERATE (no best
    approximation of this rank exists: terms grow and cancel, whatever accuracy is asked) or ITERATION_LIMIT (a swamp):
    the verdict on the start that is the answer, the best of those that converged, else that of the smallest error.

    Raises ValueError for an array of fewer than two axes, without entries, with NaN or infinity, complex, or of zeros
    alone, a rank below 1, an accuracy outside (0, 1), and too many unknowns for Levenberg-Marquardt; TypeError for
    entries that are no numbers; NotConverged, with the solution, when ``throw``; CheckpointError, a ValueError.
    """
    array = as_double(array, "the array")
    if array.ndim < 2 or array.size == 0 or array.dtype.kind == "c":
        raise ValueError(f"needs a real array of at least two axes, with entries, not {array.dtype} {array.shape}")
    if not isinstance(rank, int | np.integer) or isinstance(rank, bool) or rank < 1:
        raise ValueError(f"rank must be a whole number of at least 1, not {rank!r}")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    check_finite(array, "the array")
    if not array.any():
        raise ValueError("the array is zero everywhere: a relative error needs other entries")
    fits = _Fits(array, int(rank), method, accuracy, rng or np.random.default_rng(0))
    asked = Question([array, *fits.starts[0]], [repr(fits.method), repr(rank), repr(accuracy)])
    return drive(fits, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


class _Fits:
    """The starts, one after the other."""

    def __init__(
        self, array: np.ndarray, rank: int, method: CPMethod | None, accuracy: float, rng: np.random.Generator
    ) -> None:
        self.array, self.rank, self.accuracy = array, rank, accuracy
        self.exponent = math.frexp(float(np.abs(array).max()))[1]
        self.scaled = power_of_two(array, -self.exponent)
        self.size = frobenius(self.scaled)
        self.bases, core = compressed(self.scaled / self.size)
        self.core = core
        unknowns = rank * sum(core.shape)
        self.method = method or (CPLevenbergMarquardt() if unknowns <= MOST_UNKNOWNS else CPALS())
        if isinstance(self.method, CPLevenbergMarquardt) and unknowns > UNKNOWNS_AT_ALL:
            raise ValueError(f"{unknowns} unknowns are too many for CPLevenbergMarquardt: give method=CPALS()")
        self.starts = Starts(core.shape, rank, rng).draw(self.method.starts)
        self.found: list[StartFit] = []
        self.factors: list[list[np.ndarray]] = []
        self.fit: Fit | None = None

    def begun(self, number: int) -> Fit:
        """The fit of a start, before its first step."""
        factors = [np.array(u) for u in self.starts[number]]
        if isinstance(self.method, CPLevenbergMarquardt):
            return DampedFit(self.core, factors, self.method.steps, self.method.ridge)
        assert isinstance(self.method, CPALS)
        return AlternatingFit(self.core, factors, self.method.sweeps, self.method.weight)

    def steps(self) -> Iterator[IterationState | None]:
        """A finished state a start, unfinished ones on the way."""
        total = self.method.starts
        while len(self.found) < total:
            fit = self.fit = self.fit or self.begun(len(self.found))
            while not fit.over:
                fit.advance()
                if len(fit.errors) % TOLD == 0 and not fit.over:
                    yield None
                    yield self.told(fit, (len(self.found) + len(fit.errors) / fit.most) / total, finished=False)
            self.found.append(fit.judged(self.accuracy))
            self.factors.append(fit.factors)
            self.fit = None
            yield self.told(fit, len(self.found) / total)

    def told(self, fit: Fit, fraction: float, finished: bool = True) -> IterationState:
        extra: dict[str, Any] = {"steps": len(fit.errors), "largest_term": fit.terms[-1]}
        if finished:
            extra["verdict"] = self.found[-1].verdict.value
        residuals = np.array([fit.errors[-1]])
        return IterationState(
            0, "start", self.rank, 0.0, residuals=residuals, fraction=fraction, finished=finished, extra=extra
        )

    def content(self) -> Content:
        arrays = {f"start.{s}.{k}": u for s, factors in enumerate(self.factors) for k, u in enumerate(factors)}
        data: dict[str, Any] = {"found": [{**asdict(one), "verdict": one.verdict.value} for one in self.found]}
        if self.fit is not None:
            now, data["fit"] = self.fit.content()
            arrays |= {f"now.{name}": value for name, value in now.items()}
        return arrays, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        self.found = [StartFit(**{**one, "verdict": Verdict(one["verdict"])}) for one in data["found"]]
        d = self.core.ndim
        self.factors = [[arrays[f"start.{s}.{k}"] for k in range(d)] for s in range(len(self.found))]
        if "fit" in data:
            self.fit = self.begun(len(self.found))
            own = {name.removeprefix("now."): value for name, value in arrays.items() if name.startswith("now.")}
            self.fit.restore(own, data["fit"])

    def solution(self) -> Solution:
        best = chosen(self.found)
        factors = [basis @ u for basis, u in zip(self.bases, self.factors[best])]
        value = CPTensor(tuple(factors)).balanced()
        error = frobenius(value.full(self.array.size) - self.scaled / self.size)
        exponents = [self.exponent // value.d + (k < self.exponent % value.d) for k in range(value.d)]
        scale = self.size ** (1.0 / value.d)
        value = CPTensor(tuple(power_of_two(u * scale, e) for u, e in zip(value.factors, exponents)))
        verdict = self.found[best].verdict
        counts = {"starts": len(self.found), "steps": sum(one.steps for one in self.found)}
        counts |= {f"{kind.value}_starts": sum(one.verdict is kind for one in self.found) for kind in Verdict}
        return Solution(
            value,
            STATUS[verdict],
            int(verdict is Verdict.CONVERGED),
            np.array([error]),
            (),
            counts,
            {},
            {"verdict": verdict, "starts": tuple(self.found)},
        )


def chosen(found: list[StartFit]) -> int:
    """The number of the start that is the answer."""
    converged = [k for k, one in enumerate(found) if one.verdict is Verdict.CONVERGED]
    return min(converged or range(len(found)), key=lambda k: (found[k].error, k))


def compressed(array: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Orthonormal bases (n, r) of the axes and the core, equal to the array but for rounding errors."""
    bases, norm = [], frobenius(array)
    for k, n in enumerate(array.shape):
        u, s = left_singular(np.moveaxis(array, k, 0).reshape(n, -1))
        rank = max(1, int(np.count_nonzero(s > EPSILON * math.sqrt(array.size) * norm)))
        bases.append(u[:, :rank] if rank < n else np.eye(n))
    return bases, multiply(array, [u.T for u in bases])
