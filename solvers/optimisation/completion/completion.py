"""``complete``: a tensor train from a few of its entries.

    1. What is given is checked, and entries are set aside that judge and are never fitted (completion.given).
    2. Ranks grow from one on, all cores fitted each time, until the entries set aside say that it is enough or leads
       nowhere; from random starts where the first one learned nothing (solvers.optimisation.completion.rank_growth).
    3. The rank that predicts best is looked at again, beside a second fit from other samples.
Where some samples may be wrong, completion.robust finds them first; noisy ones, with effects, a ridge or outcomes of
yes and no, are fitted by alternating least squares instead (completion.penalised).
Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), algorithms 1 and 2 (there the ranks grow by random directions).
Cost O(m d r^2) an evaluation for m samples of d modes and ranks r, memory 16 m d r bytes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Question, earlier_content
from solvers.fit_methods import Completion
from solvers.iteration import drive
from solvers.optimisation.completion.dimension import require_enough
from solvers.optimisation.completion.given import Repeated, checked, split
from solvers.optimisation.completion.penalised import PenalisedGrowth
from solvers.optimisation.completion.rank_growth import RankGrowth
from solvers.optimisation.completion.robust import RobustCompletion
from solvers.optimisation.completion.start import rank_one_start
from solvers.optimisation.least_squares import MANIFOLD, LeastSquares
from solvers.optimisation.samples import Samples
from solvers.solution import Callback, IterationState, Solution
from solvers.threads import one_blas_thread

_COMPILED = False


@one_blas_thread
def complete(
    indices: np.ndarray,
    values: np.ndarray,
    shape: Sequence[int],
    *,
    weights: np.ndarray | None = None,
    method: Completion | None = None,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    accuracy: float = 1e-4,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    earlier: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The train of ``shape`` through the ``values`` (m,), real or complex, at multi-indices ``indices`` (m, d) from 0.

    ``weights`` (m,), above zero: inverse squares of what the values may be off by, up to a factor; sums of squares, and
    with them all errors told, are by weight. An entry that is given more than once counts as the mean of its values,
    and their differences tell the noise; Huber's loss sees each of them.
    ``accuracy``: relative error in the 2-norm asked of entries that were not fitted. ``test``: indices and values that
    only judge the result and whether larger ranks are tried; the rank is chosen by others, set aside from ``values``.
    ``checkpoint``: a file written after each rank; where it exists the growth goes on from it; of other samples, test
    entries, method or accuracy it is refused. ``earlier``: that of another call for the same entries and a generator in
    the same state, from whose last rank the growth starts. ``callback`` is also told of the bonds that have grown, by
    states that are not ``finished``.

    ``value``: the train of the rank that predicts best; ``residual``: (1,) its relative error: the largest of those on
    the samples, the entries set aside and the test entries, of what the whole tensor exceeds its samples by, of what is
    expected over all entries (completion.covariance), and of the difference to a second fit; ``checked``: those looks;
    ``history``: a row a rank, residuals the validation error; ``counts``: evaluations and fits; ``extra``: ``by_rank``,
    a tuple of RankFit, ``best``, the one chosen, how many entries were ``fitted`` and set aside for ``validation``; of
    Huber's loss ``rejected``, the multi-indices (n, d) of those fitted, set aside and tested that are in no error; of
    repeated entries ``sigma``, the standard deviation of a value of mean weight that their differences say; with
    effects or a ridge ``ridge`` and ``effects_ridge``, ``baseline``, the train without what is beyond effects, and
    ``cold``, how many indices have no sample. Of a logistic loss the train is that of the log-odds. Status CONVERGED,
    RANK_LIMIT (larger ranks might help), STAGNATED (larger ranks did not: more samples would) or CONTRADICTED (a second
    fit from other samples is another tensor, more is expected over all entries, repeated entries differ by more, or
    weights leave too few a say).

    Raises ValueError for wrong shapes, indices that are no integers or outside the shape, values that are not finite or
    all zero, weights that are not above zero, other values than 0 and 1 with a logistic loss, weights with both Huber's
    loss and effects or a ridge, an index of a mode without a sample where there are no effects, more parameters at
    ``max_rank`` than samples where there is no ridge, and an accuracy outside (0, 1); NotConverged, with the solution,
    when ``throw``; CheckpointError, a ValueError, for a file that is damaged, of another question or of another
    version.
    """
    method, rng = method or Completion(), rng or np.random.default_rng(0)
    shape = tuple(int(n) for n in shape)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    huber = method.loss == "huber"
    if huber and method.penalised and weights is not None:
        raise ValueError("weights are not taken with loss huber and effects or a ridge: leave one of them out")
    if method.loss == "logistic":
        _require_outcomes(np.asarray(values))
    data, repeated = checked(indices, values, shape, "samples", weights=weights, merge=not huber)
    tests = None
    if test is not None:
        tests, _ = checked(*test, shape, "test entries", zeros=True, merge=not huber)
    parts = split(data, method.validation, rng, cold=method.effects)
    fitted, kept = parts
    if not method.penalised:
        require_enough(len(fitted), shape, method.max_rank)
    compile_s = _compile()
    growth: RankGrowth | RobustCompletion | PenalisedGrowth
    if method.penalised:
        told = Repeated() if method.loss == "logistic" else repeated  # outcomes of one entry differ by nature
        growth = PenalisedGrowth(parts, tests, method, accuracy, rng, told)
    elif huber:
        growth = RobustCompletion(parts, tests, method, accuracy, rng)
    else:
        growth = RankGrowth(data, parts, tests, method, accuracy, rng, repeated=repeated)
    arrays = [*fitted.arrays, *kept.arrays[1:]]
    subject = Question(arrays, [repr(shape)])
    judges = [] if tests is None else tests.arrays
    asked = Question([*arrays, *judges], [repr(shape), repr(method), repr(accuracy)])
    before: Sequence[IterationState] = ()
    if isinstance(growth, RankGrowth):
        growth.earlier = earlier_content(earlier, subject)
        before = () if growth.earlier is None else growth.earlier[1]["history"]
    return drive(
        growth,
        callback=callback,
        checkpoint=Checkpoint(checkpoint, asked, subject),
        throw=throw,
        asked=accuracy,
        compile_s=compile_s,
        before=before,
    )


def _compile() -> float:
    """Seconds to compile or load the kernels; zero from the second call on in one process."""
    global _COMPILED
    if _COMPILED:
        return 0.0
    begin = time.perf_counter()
    samples = Samples(np.array([[0, 1], [1, 0], [1, 1]]), (2, 2))
    values = np.array([1.0, 2.0, 3.0])
    objective, rng = LeastSquares(samples, values), np.random.default_rng(0)
    objective.grown(MANIFOLD.point(rank_one_start(samples, values, 0, rng)), 0, rng)
    _COMPILED = True
    return time.perf_counter() - begin


def _require_outcomes(values: np.ndarray) -> None:
    """ValueError where values are others than 0 and 1."""
    if values.dtype.kind not in "iuf":
        raise ValueError(f"samples: a logistic loss needs values of 0 and 1, not {values.dtype}")
    odd = values[(values != 0.0) & (values != 1.0)]
    if len(odd):
        raise ValueError(f"samples: a logistic loss needs values of 0 and 1, found {odd[0]:g}")
