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

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.formats.tucker.passes import INSIDE, SMALLEST, Passes
from solvers.formats.tucker.tensor import TuckerTensor
from solvers.formats.tucker.values import Function, Values
from solvers.iteration import drive
from solvers.methods import TuckerCross
from solvers.solution import Callback, Solution
from solvers.threads import one_blas_thread


@one_blas_thread
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
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """f(x, y, ...) of tensors of one shape, elementwise, as a Tucker tensor, within ``accuracy`` times ``scale``.

    ``f`` takes one array of values a tensor and, with ``coordinates`` (d arrays (n_m,)), d more, which broadcast
    against them; it returns an array of the broadcast shape. Without tensors it is a function of the coordinates.
    ``scale``: a 2-norm, that of the result where None. ``start``: d arrays of rows to begin with (those of
    ``extra["rows"]`` of an earlier call); ``inside``: the share of the accuracy for the bases to begin with (that of
    ``extra["inside"]`` of an earlier call): a function like that one is then done in one pass. ``callback`` gets an
    IterationState a pass. ``checkpoint``: a file written after passes, with the block of each; where it exists the same
    call goes on from it. Other tensors, coordinates and keywords are told apart, and functions that differ at one of
    16 entries fixed once, whose values are not counted. A tensor taken whole leaves no file.

    ``value``: the tensor; ``residual`` (1,): the estimated relative error (2-norm), truncation included; ``counts``:
    evaluations, passes; ``extra``: rows, inside, and unseen_share, which share of the entries may miss the accuracy by
    themselves although no such entry was found (9.2 over the points drawn, but for one case in 10^4; 0 where all was
    seen). Status CONVERGED, RANK_LIMIT, ITERATION_LIMIT or NO_EVIDENCE (one value alone was seen). Raises NotConverged,
    with the solution, when ``throw``; ValueError for nothing to evaluate on, and for NaN or infinity from f, with the
    multi-index; CheckpointError, a ValueError, for a file that is damaged or of another function.
    """
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    method, rng = method or TuckerCross(), rng or np.random.default_rng(0)
    share = INSIDE if inside is None else min(max(inside, SMALLEST), INSIDE)
    values = Values(f, tensors, coordinates)
    passes = Passes(values, start, share, method, accuracy, scale, rng)
    asked = None
    if checkpoint is not None:
        arrays = [*values.question(), *(np.asarray(rows) for rows in start or ())]
        asked = Question(arrays, [repr((method, float(accuracy), scale if scale is None else float(scale), share))])
    return drive(passes, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)
