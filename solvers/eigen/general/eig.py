"""``eig``: eigenvalues of a TT operator that need not be Hermitian, with right and left trains.

1. A small space by vectors over all of it (solvers.eigen.general.small).
2. A larger one by inverse iteration of a subspace of trains (solvers.eigen.subspace), of the operator and then, from
   the eigenvalues found, of its adjoint; a two-sided Rayleigh-Ritz makes pairs of both.
3. Residuals of what is returned, the condition of each eigenvalue, and from both its error and its status.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import scipy.linalg as sl

from solvers.eigen import explicit
from solvers.eigen.general import small
from solvers.eigen.general.order import Order, Which
from solvers.eigen.general.states import EigenPairs
from solvers.eigen.subspace import Subspace, between, combination
from solvers.formats.trains.construct import ones, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.residual import residual_norm
from solvers.measured import amount
from solvers.solution import Callback, Checked, IterationState, NotConverged, Solution, Status

SAFETY = 3.0  # of the first-order bound: a defective eigenvalue of order two moves twice as far
EPS = float(np.finfo(float).eps)
ROUNDING = (1e-14, 1e-6)  # of a vector in its train, least and most
GENERATOR = 1e-12  # relative size of 1^T A that counts as zero


def eig(
    operator: TTOperator,
    n: int,
    *,
    which: Which = "LR",
    target: complex | None = None,
    accuracy: float = 1e-8,
    max_rank: int = 200,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    throw: bool = True,
) -> Solution:
    """``n`` eigenvalues of a TT operator, Hermitian or not, with right and left trains.

    ``which``: "LR" largest real part (first in a generator of a master equation, whose slowest rates these are), "SR"
    smallest, "LM" largest modulus, "SM" smallest; ``target``: those nearest to this number instead. Of a real operator
    a conjugate pair is not cut: there is one eigenvalue more where its second half would be missing. ``accuracy``:
    error asked of each eigenvalue, in the operator's unit. ``max_rank``: cap of the trains (alias rmax).

    ``value``: EigenPairs; ``residual`` (n,): the larger of ||A r - w r|| and ||l^H A - w l^H||. An eigenvalue is
    CONVERGED by its error, the residual times its condition, never by its residual alone; PRECISION: rounding errors
    of A move it by more than the accuracy (a defective eigenvalue, or nearly so).
    Raises ValueError for an operator that is not square, n out of range, NaN, or "LM" in a space too large for
    vectors; NotConverged, with the solution, when ``throw``.
    Cost: up to 600 functions 25 N^3; above, a sparse factorisation or Arnoldi; beyond 100,000 functions two linear
    systems in trains an eigenvalue and pass.
    """
    order = Order(which, target)
    if operator.row_shape != operator.column_shape:
        raise ValueError(f"eig needs a square operator, not one of {operator.row_shape} by {operator.column_shape}")
    size = math.prod(float(m) for m in operator.row_shape)
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= size:
        raise ValueError(f"n is {n}; give a whole number from 1 to {size:.0f}, the dimension of the space")
    if not 0.0 < accuracy < np.inf:
        raise ValueError(f"accuracy is {accuracy}; give an error above zero, such as 1e-8")
    rng = rng or np.random.default_rng(0)
    begin = time.perf_counter()
    solution = _by_vectors(operator, int(n), order, accuracy, max_rank, rng)
    if solution is None:
        solution = _by_trains(operator, int(n), order, accuracy, max_rank, rng, callback)
    elif callback is not None:
        callback(solution.history[0])
    solution = replace(solution, asked=accuracy, timing={"compile_s": 0.0, "solve_s": time.perf_counter() - begin})
    if throw and not solution.converged:
        raise NotConverged(solution)
    return solution


def _by_vectors(
    operator: TTOperator, n: int, order: Order, accuracy: float, max_rank: int, rng: np.random.Generator
) -> Solution | None:
    a = explicit.matrix(operator)
    if a is None:
        return None
    found = small.eigenpairs(a, n, order, rng)
    if found is None:
        return None
    take = order.cut(found.w, n, operator.dtype.kind != "c")
    w = found.w[:take]
    norm = float(np.sqrt(abs(a).sum(axis=0).max() * abs(a).sum(axis=1).max()))
    overlaps = np.einsum("ij,ij->j", found.left[:, :take].conj(), found.right[:, :take])
    conditions = _conditions(overlaps)
    own = np.linalg.norm(a @ found.right[:, :take] - found.right[:, :take] * w, axis=0)
    errors = SAFETY * conditions * (own + EPS * norm)
    right, left, residuals = [], [], np.zeros((take, 2))
    capped = [False] * take
    for i in range(take):
        tol = float(np.clip(0.1 * accuracy / (conditions[i] * (norm or 1.0)), *ROUNDING))
        phase = overlaps[i] / abs(overlaps[i]) if abs(overlaps[i]) > 0.0 else 1.0
        vectors = [_real(found.right[:, i], 1.0), _real(found.left[:, i] * phase, 1.0)]
        if vectors[0].dtype.kind != "c":
            vectors[1] = _real(vectors[1] * np.sign(np.vdot(vectors[0], vectors[1]).real or 1.0), 1.0)
        else:
            vectors[1] = vectors[1] * np.exp(-1j * np.angle(np.vdot(vectors[1], vectors[0])) * -1.0)
        trains = []
        for side, v in enumerate(vectors):
            x = tt_svd(v.reshape(operator.row_shape), tol)
            if x.max_rank > max_rank:
                x, capped[i] = x.round(0.0, max_rank), True
            x = x * (1.0 / x.norm())
            dense = x.full().ravel()
            image = a @ dense if side == 0 else a.conj().T @ dense
            residuals[i, side] = np.linalg.norm(image - (w[i] if side == 0 else np.conj(w[i])) * dense)
            trains.append(x)
        right.append(trains[0])
        left.append(trains[1])
    rank = max(x.max_rank for x in (*right, *left))
    statuses = [Status.CONVERGED if e <= accuracy else Status.PRECISION for e in errors]
    for i, cut in enumerate(capped):  # the eigenvalue is right, its train is not what it is called
        if cut and residuals[i].max() > accuracy:
            statuses[i] = Status.RANK_LIMIT
    completeness = "proved" if found.starts == 0 else f"searched {found.starts} times"
    value = EigenPairs(w, right, left, errors, conditions, residuals, statuses, completeness)
    state = IterationState(1, "full vectors", rank, 0.0, w, residuals.max(axis=1), 1.0)
    counts = {"functions": a.shape[0], "random_starts": found.starts}
    return _solution(operator, value, counts, (state,))


def _real(vector: np.ndarray, scale: complex) -> np.ndarray:
    """The vector with real entries, where one phase makes all of them real."""
    v = vector * scale
    if v.dtype.kind != "c":
        return v
    turned = v * np.exp(-1j * np.angle(v[np.argmax(np.abs(v))]))
    return np.ascontiguousarray(turned.real) if np.abs(turned.imag).max() < 1e-12 * np.abs(turned).max() else v


def _conditions(overlaps: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return 1.0 / np.abs(overlaps)


def _solution(
    operator: TTOperator, value: EigenPairs, counts: dict[str, int], history: tuple[IterationState, ...]
) -> Solution:
    """With second looks: the pairs' biorthogonality and quotients by trains."""
    converged = sum(s is Status.CONVERGED for s in value.statuses)
    status = next((s for s in value.statuses if s is not Status.CONVERGED), Status.CONVERGED)
    checked = _looks(operator, value)
    if status is Status.CONVERGED and not all(look.passed for look in checked):
        status = Status.CONTRADICTED
    return Solution(value, status, converged, value.residuals.max(axis=1), history, counts, {}, {}, checked)


def _looks(operator: TTOperator, value: EigenPairs) -> tuple[Checked, ...]:
    """<l|A|r> / <l|r> of the first pairs by contraction of the trains, against the eigenvalues."""
    off, bound, done = 0.0, 0.0, 0
    for i in range(min(3, len(value.right))):
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


def _by_trains(
    operator: TTOperator,
    n: int,
    order: Order,
    accuracy: float,
    max_rank: int,
    rng: np.random.Generator,
    callback: Callback | None,
) -> Solution:
    if order.which == "LM" and order.target is None:
        raise ValueError('which="LM" needs a space of at most 100,000 functions: ask for LR, SR, or a target')
    outside, bounded, start = _outside(operator, order)
    goal = 0.3 * accuracy
    history: list[IterationState] = []

    def run(space: Subspace) -> Subspace:
        for state in space.steps():
            state = replace(state, step=len(history) + 1)
            history.append(state)
            if callback is not None:
                callback(state)
        return space

    first = run(
        Subspace(
            operator,
            None,
            order,
            n,
            outside=outside,
            goal=goal,
            max_rank=max_rank,
            hermitian=False,
            rng=rng,
            start=start,
            bounded=bounded,
        )
    )
    pairs = first.pairs
    take = order.cut(pairs.w, n, operator.dtype.kind != "c")
    adjoint = operator.adjoint()
    again = Order(order.which, None if order.target is None else np.conj(order.target))
    left_start = [ones(operator.row_shape)] if _is_generator(operator) else []
    second = run(
        Subspace(
            adjoint,
            None,
            again,
            n,
            outside=np.conj(outside),
            goal=goal,
            max_rank=max_rank,
            hermitian=False,
            rng=rng,
            start=[*left_start, *pairs.trains][: n + 3],
            bounded=bounded,
        )
    )
    value = _pairs_of(operator, pairs.trains, second.pairs.trains, take, order, accuracy, max_rank, (first, second))
    counts = {"linear_systems": first.solves + second.solves, "passes": len(history)}
    return _solution(operator, value, counts, tuple(history))


def _pairs_of(
    operator: TTOperator,
    right: list[TensorTrain],
    left: list[TensorTrain],
    take: int,
    order: Order,
    accuracy: float,
    max_rank: int,
    spaces: tuple[Subspace, Subspace],
) -> EigenPairs:
    """Two-sided Rayleigh-Ritz in the spans of both."""
    m = between(left, None, right, False)
    k = between(left, operator, right, False)
    count = min(m.shape)
    u, s, vh = np.linalg.svd(m)
    keep = int(np.sum(s[:count] > 1e-6 * s[0]))
    u, vh, s = u[:, :keep], vh[:keep], s[:keep]
    reduced = (u.conj().T @ k @ vh.conj().T) / s[:, None]
    w, lows, highs = sl.eig(reduced, left=True, right=True)
    first = order.sorted(w)[:take]
    w = w[first]
    tol = float(np.clip(1e-3 * accuracy, 1e-13, 1e-8))
    rights = [combination(right, vh.conj().T @ highs[:, i], tol, max_rank) for i in first]
    lefts = [combination(left, u @ (lows[:, i] / s), tol, max_rank) for i in first]
    rights, lefts = [x / x.norm() for x in rights], [x / x.norm() for x in lefts]
    residuals, conditions, adjoint = np.zeros((len(w), 2)), np.zeros(len(w)), operator.adjoint()
    for i, (r, l) in enumerate(zip(rights, lefts)):
        overlap = complex(between([l], None, [r], False)[0, 0])
        conditions[i] = _conditions(np.array([overlap]))[0]
        phase = overlap / abs(overlap) if abs(overlap) else 1.0
        lefts[i] = l * (float(np.sign(phase.real)) if l.dtype.kind != "c" and r.dtype.kind != "c" else phase)
        value = w[i].real.item() if abs(w[i].imag) == 0.0 else complex(w[i])
        residuals[i] = residual_norm(operator, r, r * value), residual_norm(adjoint, l, l * np.conj(value))
    norm = operator.norm() / np.sqrt(math.prod(float(m) for m in operator.row_shape))
    both = residuals.max(axis=1)
    gaps = np.array([_gap(w, i) for i in range(len(w))])
    # two-sided quotients: quadratic in the residuals where these are small beside the gaps (Wilkinson)
    first_order = conditions * np.minimum(residuals[:, 0], residuals[:, 1])
    quadratic = conditions**2 * residuals[:, 0] * residuals[:, 1] / np.maximum(gaps, both)
    errors = SAFETY * (np.minimum(first_order, quadratic) + conditions * EPS * norm * operator.d)
    stopped = next((x.status for x in spaces if x.status is not Status.CONVERGED), Status.STAGNATED)
    statuses = [Status.CONVERGED if e <= accuracy else stopped for e in errors]
    return EigenPairs(w, rights, lefts, errors, conditions, residuals, statuses, "not searched")


def _gap(w: np.ndarray, i: int) -> float:
    distances = np.abs(w - w[i])
    other = distances[distances > 1e-6 * np.abs(w).max()]
    return float(other.min()) if len(other) else float(np.abs(w).max())


def _is_generator(operator: TTOperator) -> bool:
    """Whether the columns sum to zero: the total of what it moves is kept."""
    left = ones(operator.row_shape)
    scale = operator.norm() * left.norm() / np.sqrt(math.prod(float(m) for m in operator.row_shape))
    return bool((operator.T @ left).norm() <= GENERATOR * scale)


def _outside(operator: TTOperator, order: Order) -> tuple[complex, bool, list[TensorTrain]]:
    """A number beside what is wanted, whether nothing lies beyond it, and trains to begin with."""
    if order.target is not None:
        return order.target, False, []
    if order.which == "SM":
        return 0.0, False, []
    if order.which == "LR" and _is_generator(operator):
        uniform = ones(operator.row_shape)
        return 0.0, True, [uniform / uniform.norm()]
    scale = operator.norm() / np.sqrt(math.prod(float(m) for m in operator.row_shape))
    return (scale if order.which == "LR" else -scale), False, []
