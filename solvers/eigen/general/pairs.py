"""Two-sided Rayleigh-Ritz in the spans of right and of left trains, and second looks at the pairs that ``eig`` returns.

1. Directions of the left span that meet the right one, by the singular values of L^H R; the pencil (L^H A R, L^H R).
2. Each pair's trains, rounded as coarsely as its error allows; residuals, the condition 1 / <l, r>, and the error: the
   residual times the condition, or, both residuals small beside the gap, their product times the condition squared over
   the gap (Wilkinson, The Algebraic Eigenvalue Problem, chapters 2 and 3), and what rounding errors of A do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.linalg as sl

from solvers.eigen.general.order import Order
from solvers.eigen.general.states import EigenPairs, conditions_of
from solvers.eigen.general.vectors import EPS, SAFETY
from solvers.eigen.spans import between, combination
from solvers.formats.trains.construct import ones
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.residual import residual_norm
from solvers.measured import amount
from solvers.solution import Checked, IterationState, Solution, Status

MEETING = 1e-6  # of the largest singular value of L^H R: directions that meet less are no pair
FINE = (1e-13, 1e-8)  # of the trains in which residuals are looked at, least and most
ROUNDING = (1e-13, 1e-6)  # of the trains returned
SHARE = 0.1  # of the accuracy, for that rounding
EQUAL = 1e-6  # of the largest modulus: eigenvalues that differ by less are one, and no gap
GENERATOR = 1e-12  # relative size of 1^T A that counts as zero
LOOKED_AT = 3  # pairs whose quotients are formed anew


@dataclass
class Limits:
    """What was asked of the pairs."""

    order: Order
    accuracy: float
    max_rank: int


def size_of(operator: TTOperator) -> float:
    """Mean size of A: its Frobenius norm over the root of the dimension."""
    return operator.norm() / math.sqrt(math.prod(float(m) for m in operator.row_shape))


def is_generator(operator: TTOperator) -> bool:
    """Whether the columns sum to zero: the total of what it moves is kept."""
    left = ones(operator.row_shape)
    scale = operator.norm() * left.norm() / np.sqrt(math.prod(float(m) for m in operator.row_shape))
    return bool((operator.T @ left).norm() <= GENERATOR * scale)


def two_sided(
    operator: TTOperator,
    right: list[TensorTrain],
    left: list[TensorTrain],
    take: int,
    limits: Limits,
    stopped: Status,
) -> EigenPairs:
    """The first ``take`` pairs in the spans of both, whose best trains come first; ``stopped``: the status of
    those that miss the accuracy."""
    accuracy, max_rank = limits.accuracy, limits.max_rank
    many = min(len(right), len(left))  # of the larger span the directions that meet the other would hold no eigenvector
    right, left = right[:many], left[:many]
    m = between(left, None, right, False)
    k = between(left, operator, right, False)
    u, s, vh = np.linalg.svd(m)
    keep = int(np.sum(s[: min(m.shape)] > MEETING * s[0]))
    u, vh, s = u[:, :keep], vh[:keep], s[:keep]
    reduced = (u.conj().T @ k @ vh.conj().T) / s[:, None]
    w, lows, highs = sl.eig(reduced, left=True, right=True)
    first = limits.order.sorted(w)[:take]
    w = w[first]
    size = size_of(operator)
    tol = float(np.clip(1e-3 * accuracy / (size or 1.0), *FINE))
    rights = [combination(right, vh.conj().T @ highs[:, i], tol, max_rank) for i in first]
    lefts = [combination(left, u @ (lows[:, i] / s), tol, max_rank) for i in first]
    rights, lefts = [x / x.norm() for x in rights], [x / x.norm() for x in lefts]
    residuals, conditions, adjoint = np.zeros((len(w), 2)), np.zeros(len(w)), operator.adjoint()
    for i in range(len(w)):
        overlap = abs(between([lefts[i]], None, [rights[i]], False)[0, 0])
        coarse = float(np.clip(SHARE * accuracy * overlap / (size or 1.0), tol, ROUNDING[1]))
        r, l = (x.round(coarse, max_rank) for x in (rights[i], lefts[i]))
        r, l = r / r.norm(), l / l.norm()
        overlap = complex(between([l], None, [r], False)[0, 0])
        conditions[i] = conditions_of(np.array([overlap]))[0]
        phase = overlap / abs(overlap) if abs(overlap) else 1.0
        l = l * (float(np.sign(phase.real)) if l.dtype.kind != "c" and r.dtype.kind != "c" else phase)
        value = w[i].real.item() if abs(w[i].imag) == 0.0 else complex(w[i])
        residuals[i] = residual_norm(operator, r, r * value), residual_norm(adjoint, l, l * np.conj(value))
        rights[i], lefts[i] = r, l
    errors = _errors(w, residuals, conditions) + SAFETY * conditions * EPS * size * operator.d
    statuses = [Status.CONVERGED if e <= accuracy else stopped for e in errors]
    return EigenPairs(w, rights, lefts, errors, conditions, residuals, statuses, "not searched")


def _errors(w: np.ndarray, residuals: np.ndarray, conditions: np.ndarray) -> np.ndarray:
    """Step 2: two-sided quotients are quadratic in the residuals where these are small beside the gaps."""
    both = residuals.max(axis=1)
    gaps = np.array([_gap(w, i) for i in range(len(w))])
    first_order = conditions * np.minimum(residuals[:, 0], residuals[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        quadratic = conditions**2 * residuals[:, 0] * residuals[:, 1] / np.maximum(gaps, both)
    errors: np.ndarray = SAFETY * np.fmin(first_order, quadratic)
    return errors


def _gap(w: np.ndarray, i: int) -> float:
    distances = np.abs(w - w[i])
    other = distances[distances > EQUAL * np.abs(w).max()]
    return float(other.min()) if len(other) else float(np.abs(w).max())


def solution_of(
    operator: TTOperator, value: EigenPairs, counts: dict[str, int], history: tuple[IterationState, ...] = ()
) -> Solution:
    """With second looks: quotients by trains, and whether a search for missing ones was made to its end."""
    converged = sum(s is Status.CONVERGED for s in value.statuses)
    status = next((s for s in value.statuses if s is not Status.CONVERGED), Status.CONVERGED)
    checked = _looks(operator, value)
    if status is Status.CONVERGED and not all(look.passed for look in checked):
        status = Status.CONTRADICTED
    if status is Status.CONVERGED and value.completeness == "not searched":
        status = Status.ITERATION_LIMIT
    return Solution(value, status, converged, value.residuals.max(axis=1), history, counts, {}, {}, checked)


def _looks(operator: TTOperator, value: EigenPairs) -> tuple[Checked, ...]:
    """<l|A|r> / <l|r> of the first pairs by contraction of the trains, against the eigenvalues."""
    off, bound, done = 0.0, 0.0, 0
    for i in range(min(LOOKED_AT, len(value.right))):
        l, r, c = value.left[i], value.right[i], value.conditions[i]
        if not c * max(value.residuals[i]) < 1e-2 * max(abs(value.eigenvalues[i]), value.errors[i]) and c > 1e6:
            continue
        overlap = between([l], None, [r], False)[0, 0]
        quotient = between([l], operator, [r], False)[0, 0] / overlap
        off = max(off, abs(quotient - value.eigenvalues[i]))
        bound = max(bound, 10.0 * value.errors[i] + c * float(np.min(value.residuals[i])))
        done += 1
    if not done:
        return ()
    how = f"<l|A|r> / <l|r> of {done} pairs by contraction of the trains"
    return (Checked("eigenvalues", how, f"largest difference {amount(off)}", bool(off <= bound)),)
