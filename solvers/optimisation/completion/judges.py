"""What judges a fit: errors of entries that were not fitted, the size of the whole tensor, and what no sample sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.optimisation.completion.samples import SampledPoint, Samples
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRankPoint
from solvers.solution import Checked, Solution, Status

BLIND = 1e-6  # of the typical weight of the samples of an index: a direction with less is not seen
SPREADS = 4.0  # standard deviations
SAME = 10.0  # times the error said, that two fits may differ by over all entries


def relative_error(found: np.ndarray, true: np.ndarray, typical: float = 0.0) -> tuple[float, float]:
    """|found - true| / |true| in the 2-norm over sampled entries, and its standard deviation over such samples.

    The square is a ratio of two means, its variance that of the linearised ratio. ``typical``: the root mean square of
    all values known; entries that happen to be much smaller, or all zero, are compared with that.
    """
    top = max(float(np.abs(true).max()), typical)  # squares neither overflow nor vanish
    squares, sizes = ((found - true) / top) ** 2, (true / top) ** 2
    total = max(float(sizes.sum()), 0.5 * len(true) * (typical / top) ** 2)
    ratio = float(squares.sum()) / total
    error = np.sqrt(ratio)
    spread = np.sqrt(float(((squares - ratio * sizes) ** 2).sum())) / total
    return float(error), float(0.5 * spread / error) if error > 0.0 else 0.0


def excess(train: TensorTrain, values: np.ndarray) -> float:
    """By how much the root mean square of all entries exceeds that of the sampled values (m,), relative to the latter.

    Zero within what the choice of the samples explains (``SPREADS`` standard deviations of their mean square). That
    underestimates where few entries are very large: a second fit that agrees over all entries knows better.
    """
    top = float(np.abs(values).max())
    squares = (values / top) ** 2
    known, spread = float(squares.mean()), float(squares.std()) / np.sqrt(len(values))
    whole = (train.norm() / top) ** 2 / float(np.prod(np.array(train.shape, dtype=float)))
    return float(np.sqrt(max(whole - known - SPREADS * spread, 0.0) / known))


def undetermined(samples: Samples, x: FixedRankPoint) -> float:
    """The relative size of what the samples leave open: slices of a core that they see from too few sides.

    With the other cores given, the samples of an index see its slice (a, b) through the vectors l r^T between
    orthonormal interfaces; a direction in which these have no weight is fixed by nothing. Each slice is taken for an
    equal share of its core. Cost O(m d r^4).
    """
    at = SampledPoint.of(samples, x)
    worst = 0.0
    for left, right, column, n in zip(at.left, at.right, samples.columns, samples.shape):
        seen = np.einsum("ja,jb->jab", left, right).reshape(samples.count, -1)
        typical = float((seen**2).sum()) / (n * seen.shape[1])
        open_directions = 0
        for i in range(n):
            rows = seen[column == i]
            weights = np.linalg.eigvalsh(rows.T @ rows)
            open_directions += int(np.count_nonzero(weights < BLIND * typical))
        worst = max(worst, open_directions / (n * seen.shape[1]))
    return float(np.sqrt(worst))


def beside_second(solution: Solution, other: Solution, accuracy: float) -> Solution:
    """The solution with a second look: ``other``, a second fit from other samples.

    Both are trains, so their distance over all entries is known exactly. A second fit that does not predict its own
    entries says nothing of the first. Where the size of the whole tensor alone spoke against the first fit, one that
    agrees refutes that: what is put where no sample is would be something else.
    """
    difference = (other.value - solution.value).norm() / solution.value.norm()
    error, best, second = float(solution.residual[0]), solution.extra["best"], other.extra["best"]
    what, how, text = "tensor", "a second fit, with other entries set aside", f"differs by {amount(difference)}"
    text += " over all entries"
    if not solution.converged:
        if max(second.validation_error, difference) > accuracy:
            return solution
        seen = max(best.seen, difference)
        looks = tuple(replace(look, passed=True) for look in solution.checked)  # the size of the whole tensor too
        look = Checked(what, how, f"{text}: its size is no freedom of the fit", True)
        return replace(
            solution, checked=(*looks, look), status=Status.CONVERGED, n_converged=1, residual=np.array([seen])
        )
    predicts = second.judged <= accuracy
    passed = bool(not predicts or difference <= SAME * max(error, accuracy))
    text += "" if predicts else f", but does not predict its own ({amount(second.judged)})"
    looks = (*solution.checked, Checked(what, how, text, passed))
    if passed:
        return replace(solution, checked=looks)
    residual = np.array([max(error, difference)])
    return replace(solution, checked=looks, status=Status.CONTRADICTED, n_converged=0, residual=residual)
