"""``cross``: a tensor train of a function from few of its values.

A small tensor is taken whole (solvers.cross.whole): the error is then known at every entry. Of a larger one
    1. the index sets grow by pivots at the bonds (solvers.cross.pivots) until no bond finds an error above its
       tolerance,
    2. the train is rounded, and held against everything that is known of the function (solvers.cross.known),
    3. it is judged where nothing was looked at: at fresh random points, at points chosen as suspicious, and by a search
       along single modes from the worst of them (solvers.cross.search).
Where 2 or 3 find too much, the points found become pivots at every bond, they stay among what is known, and it goes on
from 1. The accuracy is one in the maximum norm, over the largest value seen; entries that no point ever touched can be
wrong, and ``unseen_share`` says how many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.cross.calling import Arguments, Calling, Domain, Outside
from solvers.cross.refinement import Refinement
from solvers.cross.sources import Function, FunctionSource
from solvers.cross.train_source import TrainSource
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.methods import Cross
from solvers.solution import IterationState, Solution
from solvers.threads import one_blas_thread

Callback = Callable[[IterationState], object]  # one that returns True ends the call


@one_blas_thread
def cross(
    f: Function,
    shape: Sequence[int],
    *,
    method: Cross | None = None,
    starts: np.ndarray | None = None,
    grids: Sequence[np.ndarray] | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
    start: np.ndarray | None = None,
    arguments: Arguments | None = None,
    batch: int | None = None,
    domain: Domain | None = None,
    outside: Outside = 0.0,
    undefined: Literal["refuse", "skip"] = "refuse",
    known: tuple[np.ndarray, np.ndarray] | None = None,
) -> Solution:
    """The tensor f(i_1, ..., i_d) of ``shape`` as a train, in the maximum norm to ``accuracy`` times the largest |f|.

    ``f`` is called on batches: multi-indices (m, d) -> (m,), or, with ``grids`` (d arrays of shape[k] numbers),
    coordinates (m, d) -> (m,); real or complex. It may return (m, q), q outputs at once: the train then has a last mode
    of size q. ``starts`` (or ``start``): multi-indices (p, d) where f matters, such as a known peak. A tensor of at
    most ``method.whole`` entries is evaluated whole; of a larger one no entry is evaluated twice, as long as 8 million
    values can tell. ``callback`` gets an IterationState a sweep and a check; one that returns True ends the call.
    ``checkpoint``: a file written after them, of the pivots with their values and all else that is known of f; where it
    exists the same call goes on from it. Up to a million values are in it; so many more are asked for again, uncounted.
    Another shape, grid, accuracy, method, start and an f that differs at one of 16 entries fixed once, whose values are
    not counted, are told apart.

    ``arguments``: how f is called: "rows" as above, "columns" f(x, y, ...) of d arrays (m,), "row" f(x) of one point
    (d,), "numbers" f(x, y, ...) of d numbers; where None, by rows, but an f that must be given d arguments by columns,
    or by numbers if it does not bear arrays. ``batch``: most points a call. ``domain``: a mask of ``shape``, or a
    function called like f that returns (m,) bool: where it is False f is not called and the train has ``outside``, a
    number or a function. ``known``: multi-indices (p, d) and values there, (p,) or (p, q), that are not asked for; the
    train is held against them. ``undefined``: "refuse" NaN and infinity, or "skip" them: f is then asked at up to 6
    points beside each along the longest mode, counted, and the train has there what these continue to, or 0.

    ``value``: the train; ``residual``: (1,) the largest error found, over the largest value, all known values looked at
    after the last change; ``counts``: evaluations, check_evaluations (those only for judging), sweeps; ``extra``:
    scale, the largest |f| seen; pivots, multi-indices (p, d) to ``starts`` a similar function with; unseen_share, which
    share of the entries may be wrong although no error was found (N random points bound it by 9.2 / N, but for one case
    in 10^4; 0 where all was seen; 1 where not converged). Status CONVERGED, RANK_LIMIT, ITERATION_LIMIT (sweeps or
    evaluations), FLOOR (noise, few digits, a jump or a kink: the error hardly falls, solvers.cross.progress; extra has
    ``floor``, the root mean square error at fresh points over the largest value, where what is left is noise,
    solvers.cross.noise), STAGNATED (rounding errors), NO_EVIDENCE (one value alone was seen of a tensor not seen whole)
    or INTERRUPTED (by the callback). The same ``rng`` state gives the same train.

    Cost: about d n r^2 evaluations, as much again for the search of pivots, and some thousand for the judgement. Raises
    NotConverged, with the solution, when ``throw``; ValueError for wrong shapes, for NaN or infinity from f (with the
    multi-index), and for fewer evaluations allowed than a first cross takes; CheckpointError, a ValueError, for a file
    that is damaged or of another function.
    """
    shape = tuple(int(n) for n in shape)
    if not shape or min(shape) < 1:
        raise ValueError(f"the shape must have at least one mode, each of at least one index, not {shape}")
    if grids is not None and tuple(len(g) for g in grids) != shape:
        raise ValueError(f"the grids have {[len(g) for g in grids]} points, the shape is {shape}")
    if known is not None:
        known = _starts(known[0], shape), np.asarray(known[1])
        if known[1].shape[:1] != known[0].shape[:1] or not np.isfinite(known[1]).all():
            raise ValueError(f"known must be {len(known[0])} finite values at as many points, not {known[1].shape}")
    calling = Calling(f, shape, grids, arguments, batch, domain, outside, undefined)
    source = FunctionSource(calling, shape, grids, known)
    if known is not None and starts is None:
        starts = source.nonzero()
    return _solution(source, method, starts, start, accuracy, rng, callback, checkpoint, throw)


@one_blas_thread
def cross_of_trains(
    f: Callable[..., np.ndarray],
    trains: Sequence[TensorTrain],
    *,
    method: Cross | None = None,
    starts: np.ndarray | None = None,
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
    start: np.ndarray | None = None,
) -> Solution:
    """f(x(i), y(i), ...) of trains of one shape, elementwise, as a train; everything else as in ``cross``.

    ``f`` takes one array of values a train, all of one shape, and returns an array of that shape.
    """
    if not trains:
        raise ValueError("needs at least one train")
    return _solution(TrainSource(f, trains), method, starts, start, accuracy, rng, callback, checkpoint, throw)


def _solution(
    source: FunctionSource | TrainSource,
    method: Cross | None,
    starts: np.ndarray | None,
    start: np.ndarray | None,
    accuracy: float,
    rng: np.random.Generator | None,
    callback: Callback | None,
    checkpoint: str | Path | None,
    throw: bool,
) -> Solution:
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    points = np.concatenate([_starts(starts, source.shape), _starts(start, source.shape)])
    method = method or Cross()
    refinement = Refinement(source, method, accuracy, points, rng or np.random.default_rng(0))

    def told(state: IterationState) -> None:
        if callback is not None:
            refinement.interrupted = callback(state) is True

    asked = None
    if checkpoint is not None:
        asked = Question([*source.given(), source.probes(), points], [repr((source.shape, method, float(accuracy)))])
    return drive(refinement, callback=told, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


def _starts(start: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """The start points (p, d), checked."""
    if start is None:
        return np.zeros((0, len(shape)), dtype=np.int64)
    points = np.atleast_2d(np.asarray(start))
    if points.shape[1] != len(shape) or not np.issubdtype(points.dtype, np.integer):
        raise ValueError(f"start must be multi-indices of shape (p, {len(shape)}), not {points.shape} {points.dtype}")
    if (points < 0).any() or (points >= np.array(shape)).any():
        raise ValueError(f"a start point lies outside the shape {shape}")
    return points.astype(np.int64)
