"""``regress``: a function of many coordinates, as a train, from its values at scattered points.

    1. Each coordinate's functions are made orthonormal over the points (regression.orthonormal).
    2. Points are set aside, which judge and are never fitted; ranks grow, all cores fitted by alternating least squares
       (regression.growth); where some values may be wrong, they are found first (regression.robust).
    3. The rank and ridge that predict best are looked at again, beside a second fit from other points.
Chevreuil, Lebrun, Nouy and Rai, SIAM/ASA J. Uncertainty Quantification 3, 897 (2015), for such fits of canonical rank,
Gorodetsky and Jakeman, J. Comput. Phys. 374, 1219 (2018), for trains. Cost of a sweep 2 d (m p^2 + p^3), p = n r^2
numbers of a core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.fit_methods import Regression
from solvers.iteration import drive
from solvers.measured import amount
from solvers.optimisation.completion.dimension import parameters
from solvers.optimisation.completion.given import Data, checked_weights, numbers, once
from solvers.optimisation.regression.bases import Basis
from solvers.optimisation.regression.functional_train import FunctionalTrain, as_points
from solvers.optimisation.regression.growth import RegressionGrowth, divided
from solvers.optimisation.regression.orthonormal import BARE, Axis, axis, in_bases, samples_of
from solvers.optimisation.regression.robust import RobustRegression
from solvers.optimisation.samples import FunctionSamples
from solvers.solution import Callback, Checked, NotConverged, Solution, Status
from solvers.threads import one_blas_thread


@one_blas_thread
def regress(
    points: np.ndarray,
    values: np.ndarray,
    bases: Basis | Sequence[Basis],
    *,
    weights: np.ndarray | None = None,
    method: Regression | None = None,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    accuracy: float = 1e-4,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The ``FunctionalTrain`` of products of ``bases`` through ``values`` (m,), real or complex, at ``points`` (m, d).

    ``bases``: Polynomials, Splines, Fourier or Functions, one a coordinate or one for all; without an interval it takes
    the range of the points. ``weights`` (m,), above zero: inverse squares of what the values may be off by, up to a
    factor; sums of squares, and with them all errors told, are by weight. A point given more than once counts as the
    mean of its values, and their differences tell the noise. ``accuracy``: relative error in the 2-norm asked of values
    at points that were not fitted, drawn as those given; noise in the values counts as an error. ``test``: points and
    values that only judge the result and whether larger ranks are tried. ``checkpoint``: a file written after each
    rank; where it exists the same call goes on from it.

    ``value``: the function, callable between the ends of its ``domain`` alone; ``residual``: (1,) its relative error:
    the largest of those on the points, on those set aside, of a second fit on others set aside, and on the test points;
    ``checked``: those looks; ``history``: a row a rank, residuals the validation error; ``counts``: sweeps and fits;
    ``extra``: ``by_rank``, a tuple of RankFit, ``best``, the one chosen, ``ridge``, its penalty, how many points were
    ``fitted`` and set aside for ``validation``, of repeated points ``sigma``, the standard deviation of a value of mean
    weight, of Huber's loss ``rejected``, the points (n, d) that are in no error. Status CONVERGED, RANK_LIMIT (larger
    ranks might help), STAGNATED (they did not: more points, other bases or less noise would) or CONTRADICTED (a look
    apart says otherwise).

    Raises ValueError for wrong shapes, numbers that are not finite, values that are all zero, weights that are not
    above zero, points outside an interval, functions that the points do not tell apart, fewer points than rank one has
    numbers, and an accuracy outside (0, 1); NotConverged, with the solution, when ``throw``; CheckpointError, a
    ValueError, for a file that is damaged, of another question or of another version.
    """
    method, rng = method or Regression(), rng or np.random.default_rng(0)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    found = np.asarray(points)
    d = 1 if found.ndim == 1 else found.shape[-1]
    each = [bases] * d if isinstance(bases, Basis) else list(bases)
    if len(each) != d or not all(isinstance(basis, Basis) for basis in each):
        raise ValueError(f"bases: give one for all or {d}, one a coordinate, such as Polynomials(5)")
    found = as_points(found, d, "points")
    axes = [axis(basis, column, k + 1) for k, (basis, column) in enumerate(zip(each, found.T))]
    huber = method.loss == "huber"
    data, repeated = once(_data(axes, found, values, weights, "points"), merge=not huber)
    tests = None
    if test is not None:
        tests = _data(axes, as_points(test[0], d, "test points"), test[1], None, "test points")
    parts = divided(data, method.validation, rng)
    least = parameters(data.samples.shape, 1)
    if least > len(parts[0]):
        raise ValueError(f"rank 1 has {least} numbers, but only {len(parts[0])} points are fitted: give more points")
    growth: RegressionGrowth | RobustRegression
    if huber:
        growth = RobustRegression(parts, tests, method, accuracy, rng)
    else:
        growth = RegressionGrowth(data, parts, tests, method, accuracy, rng, repeated)
    arrays = [*parts[0].arrays, *parts[1].arrays, *parts[0].samples.functions, *([] if tests is None else tests.arrays)]
    asked = Question(arrays, [repr(method), repr(accuracy)])
    solution = drive(growth, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=False, asked=accuracy)
    solution = _told(solution, axes)
    if throw and not solution.converged:
        raise NotConverged(solution)
    return solution


def _data(
    axes: Sequence[Axis], points: np.ndarray, values: np.ndarray, weights: np.ndarray | None, what: str
) -> Data[FunctionSamples]:
    """Points with their functions, values and weights; ValueError with the first thing wrong."""
    found = numbers(values, what, zeros=what != "points")
    if found.shape != (len(points),) or not len(points):
        raise ValueError(f"{what}: needs values ({len(points)},), one a point and at least one, not {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{what}: value number {int(np.argmin(np.isfinite(found)))} is not finite")
    return Data(samples_of(axes, points), found, checked_weights(weights, len(points)))


def _told(solution: Solution, axes: Sequence[Axis]) -> Solution:
    """The solution in the bases asked for, with a look at where the points lie."""
    bases, domain = tuple(one.basis for one in axes), tuple(one.domain for one in axes)
    value = FunctionalTrain(in_bases(axes, solution.value), bases, domain)
    bare = max(axes, key=lambda one: one.bare)
    k = axes.index(bare) + 1
    passed = bare.bare <= BARE
    text = f"a value in coordinate {k} hangs {amount(bare.bare)} times as much on the others as at the points"
    if passed:
        text = "no part of a domain is bare"
    look = Checked("coordinates of the points", "functions between them beside those at them", text, passed)
    solution = replace(solution, value=value, checked=(*solution.checked, look))
    if passed or not solution.converged:
        return solution
    return replace(solution, status=Status.CONTRADICTED, n_converged=0)
