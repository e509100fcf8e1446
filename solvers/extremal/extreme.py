"""``extreme``: the smallest and the largest entry of a train, or value of a function of indices, and where they are.

Trains: solvers.extremal.of_trains. Functions: solvers.extremal.of_functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.cross.calling import Arguments, Calling
from solvers.extremal.extremes import ExtremeSolution
from solvers.extremal.of_functions import FunctionExtremes
from solvers.extremal.of_trains import TrainExtremes
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.solution import IterationState
from solvers.threads import one_blas_thread

Which = Literal["both", "minimum", "maximum"]
PREFIXES, EVALUATIONS = 5000, 10_000  # where nothing is said


@one_blas_thread
def extreme(
    x: TensorTrain | Callable[..., Any],
    shape: Sequence[int] | None = None,
    *,
    which: Which = "both",
    accuracy: float = 1e-10,
    prefixes: int | None = None,
    max_evaluations: int | None = None,
    grids: Sequence[np.ndarray] | None = None,
    starts: np.ndarray | None = None,
    arguments: Arguments | None = None,
    batch: int | None = None,
    rng: np.random.Generator | None = None,
    callback: Callable[[IterationState], object] | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = False,
) -> ExtremeSolution:
    """Minimum and maximum of a real train ``x``, or of a function x of multi-indices of ``shape``.

    Of a train: candidates by beams, then branch and bound; ``prefixes`` is the number of beginnings that it may keep.
    Proven within ``accuracy`` of the largest absolute value (CONVERGED), always for products and sums of functions of
    one mode and for up to 2^26 entries, often for spikes and smooth functions of bits; if not, the status is BEST_SEEN
    and the bounds say what may have been missed.

    Of a function: as in ``cross``, called on batches of multi-indices (m, d), or of coordinates with ``grids``
    (``arguments`` and ``batch`` too), at most ``max_evaluations`` times in all, no point twice; ``starts`` (p, d):
    multi-indices to begin with. Searches along single modes, quadratic models, flips of pairs, recombinations and new
    starts (solvers.extremal.of_functions). NaN and infinity count as no value. ``which``: "minimum" or "maximum" alone
    gets all evaluations. The status is CONVERGED only where every entry was evaluated; else there is no bound.

    ``callback`` gets an IterationState a step, and one that returns True ends the call (INTERRUPTED); ``checkpoint``: a
    file that the same call goes on from. The solution has ``minimum``, ``maximum``, ``argmin``, ``argmax``,
    ``max_abs``, ``argmax_abs``, and as ``value`` these and the bounds ``least`` and ``most``; ``residual``: the
    room below and above, relative; ``counts``. The same ``rng`` state gives the same answer.

    Cost of a train: d prefixes n r^2, n the modes. Raises ValueError for complex or wrong input, for a function without
    a finite value; NotConverged, with the solution, only when ``throw``; CheckpointError.
    """
    if which not in get_args(Which):
        raise ValueError(f"which must be one of {', '.join(get_args(Which))}, not {which!r}")
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    rng = rng or np.random.default_rng(0)
    iteration: TrainExtremes | FunctionExtremes
    if isinstance(x, TensorTrain):
        wrong = [
            name
            for name, given in (
                ("shape", shape),
                ("max_evaluations", max_evaluations),
                ("grids", grids),
                ("starts", starts),
                ("arguments", arguments),
                ("batch", batch),
            )
            if given is not None
        ]
        if wrong:
            raise ValueError(f"{wrong[0]} is of functions: a train has its own")
        if x.dtype.kind == "c":
            raise ValueError("extremes are of real trains: of a complex one give |x|^2, or its real part, as a train")
        count = _whole("prefixes", prefixes, PREFIXES)
        iteration = TrainExtremes(x, count, accuracy, rng, which)
        asked = Question(x.cores, [repr((count, accuracy, which))])
    else:
        if prefixes is not None:
            raise ValueError("prefixes is of trains: a function has max_evaluations")
        if not callable(x):
            raise ValueError(f"extreme is of a TensorTrain or of a function, not of {type(x).__name__}")
        sizes = _shape(shape, grids)
        points = _points(starts, sizes)
        count = _whole("max_evaluations", max_evaluations, EVALUATIONS)
        iteration = FunctionExtremes(Calling(x, sizes, grids, arguments, batch), points, which, count, rng)
        asked = Question([points, *(grids or [])], [repr((sizes, which, count))])

    def told(state: IterationState) -> None:
        if callback is not None:
            iteration.interrupted = callback(state) is True

    found = drive(iteration, callback=told, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)
    return cast(ExtremeSolution, found)


def _whole(name: str, given: int | None, usual: int) -> int:
    if given is None:
        return usual
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 2:
        raise ValueError(f"{name} must be a whole number of at least 2, not {given!r}")
    return int(given)


def _shape(shape: Sequence[int] | None, grids: Sequence[np.ndarray] | None) -> tuple[int, ...]:
    if shape is None and grids is None:
        raise ValueError("a function needs its shape, or grids")
    sizes = tuple(len(g) for g in grids) if grids is not None else ()
    found = sizes if shape is None else tuple(int(n) for n in shape)
    if not found or min(found) < 1:
        raise ValueError(f"the shape must have at least one mode, each of at least one index, not {found}")
    if grids is not None and sizes != found:
        raise ValueError(f"the grids have {list(sizes)} points, the shape is {found}")
    return found


def _points(starts: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    if starts is None:
        return np.zeros((0, len(shape)), dtype=np.int64)
    points = np.atleast_2d(np.asarray(starts))
    if points.shape[1] != len(shape) or points.dtype.kind not in "iu":
        raise ValueError(f"starts must be multi-indices of shape (p, {len(shape)}), not {points.shape} {points.dtype}")
    if (points < 0).any() or (points >= np.array(shape)).any():
        raise ValueError(f"a start lies outside the shape {shape}")
    return points.astype(np.int64)
