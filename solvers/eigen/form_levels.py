"""The lowest levels of an operator that knows it is -div(a grad) + V on a grid, whatever its number of points.

    1. Trial spaces of polynomials of degree 9 on 2^m equal pieces of every axis, for the grid's own matrix
       (solvers.elliptic.leaves): stiffness and mass exactly, V, a train, by its sums over the Lagrange polynomials of
       degree 19 of each piece, which hold all products of two functions: no value of V is interpolated.
    2. One axis: all levels of the space. Several: the lowest functions of each axis in the mean of the rest, and the
       lowest levels in their products.
    3. m + 1 (and more functions) until two spaces agree on the levels asked for; min-max makes them upper bounds.
The cores of such an operator on 2^20 points hold it to 4^20 rounding errors only, so H x - E x says nothing there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.sparse.linalg import LinearOperator, eigsh

from solvers.eigen.states import EigenStates
from solvers.elliptic.bases import along_all, outer
from solvers.elliptic.galerkin import marginals, sampled
from solvers.elliptic.leaves import Axis, axis_of, step_of
from solvers.elliptic.trains import leaf_sums, train_of
from solvers.formats.quantics.axes import reordered
from solvers.formats.quantics.bits import SEQUENTIAL
from solvers.formats.quantics.forms import Form, FormOperator
from solvers.formats.quantics.interpolation import POINTS, U
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.solution import Checked, IterationState, Solution, Status

DEGREE = 9  # products of two functions have degree 18, below that of POINTS polynomials
PASSES = {  # m, and functions kept of every axis
    1: [(3, 0), (4, 0), (5, 0), (6, 0), (7, 0)],
    2: [(3, 14), (4, 24), (5, 40), (5, 60)],
}
DENSE = 2600  # functions up to which all levels of a space are computed
MOST = 60  # functions of an axis: beyond it seconds become minutes
SHARE = 0.1  # of the accuracy, for the trains
FINEST = 1e-13
BY_SWEEPS = 14  # levels of an axis up to which sweeps have the digits to do better
ROUNDING = 4.0 * np.finfo(float).eps  # of sums of levels
AGREED = 0.5  # of the accuracy


@dataclass(frozen=True, eq=False)
class _Levels:
    """Ascending levels, and coefficients (n_1, n_2, ...) of their functions on ``axes``."""

    axes: list[Axis]
    energies: np.ndarray
    coefficients: list[np.ndarray]
    size: int
    rounding: float


def levels_of_form(operator: TTOperator, n: int, accuracy: float) -> Solution | None:
    """The ``n`` lowest states to ``accuracy``; None for other operators, and for grids that sweeps may do better on.

    ``residual``: the last change of every energy.
    """
    if (
        not isinstance(operator, FormOperator)
        or len(operator.forms) != 1
        or len(operator.forms[0].levels) not in PASSES
    ):
        return None
    form = operator.forms[0]
    if len(form.levels) > 1 and n + 8 > MOST:
        return None
    potential = form.potential
    if potential is not None and form.order != SEQUENTIAL and len(form.levels) > 1:
        potential = reordered(potential, form.levels, SEQUENTIAL, FINEST)
    history: list[IterationState] = []
    last: _Levels | None = None
    change = np.full(n, np.inf)
    for pieces, kept in PASSES[len(form.levels)]:
        found = _on_pieces(form, potential, pieces, max(kept, n + 8), n)
        if found is None:
            continue
        change = np.full(n, np.inf) if last is None else np.abs(found.energies - last.energies)
        history.append(
            IterationState(len(history) + 1, f"2^{pieces} pieces", found.size, 0.0, found.energies, change.copy())
        )
        last = found
        if (change + found.rounding <= AGREED * accuracy).all():
            return _solution(form, found, change, accuracy, history, Status.CONVERGED)
    if last is None or max(form.levels) <= BY_SWEEPS:
        return None
    return _solution(form, last, change, accuracy, history, Status.BASIS_LIMIT)


def _on_pieces(form: Form, potential: TensorTrain | None, pieces: int, kept: int, n: int) -> _Levels | None:
    """The levels in one space; None where the space does not hold them, or has no positive coefficient."""
    axes = []
    for levels, ends in zip(form.levels, form.ends):
        m = min(pieces, levels)
        leaves = [(k << (levels - m), levels - m) for k in range(2**m)]
        axes.append(axis_of(levels, ends, leaves, DEGREE))
    if math.prod(axis.size for axis in axes) < n:
        return None
    places, weights = _potential(axes, potential)
    d = len(axes)
    nodes = [axis.node_x for axis in axes]
    try:
        steps = [step_of(levels, ends) for levels, ends in zip(form.levels, form.ends)]
        a = [
            sampled(form.diffusion(k, steps[k] ** 2), [*nodes[:k], axes[k].edge_x, *nodes[k + 1 :]], "", positive=True)
            for k in range(d)
        ]
    except ValueError:
        return None
    c = sampled(form.absorption(), nodes, "the reaction")
    if d == 1:
        axis = axes[0]
        h = axis.slopes.T @ ((axis.edge_weights * a[0])[:, None] * axis.slopes)
        h += axis.values.T @ ((axis.node_weights * c)[:, None] * axis.values)
        h += places[0].T @ (weights[:, None] * places[0])
        mass = axis.values.T @ (axis.node_weights[:, None] * axis.values)
        below = _below(axes, a, c, weights)
        w, vectors, least = _pencil(h, mass, below)
        rounding = ROUNDING * float((w[n - 1] - below) ** 2 / least + np.abs(w[:n]).max())
        return _Levels(axes, w[:n], list(vectors[:, :n].T), len(w), rounding)
    return _products(axes, a, c, places, weights, kept, n)


def _potential(axes: Sequence[Axis], potential: TensorTrain | None) -> tuple[list[np.ndarray], np.ndarray]:
    """Values of the basis functions at the Chebyshev points of all leaves, and h^d times the sums of V there."""
    places = []
    total = np.ones((1, 1))
    first = 0
    shape = []
    for axis in axes:
        cores = [np.ones((1, 2, 1))] * axis.levels
        if potential is not None:
            cores = list(potential.cores[first : first + axis.levels])
        first += axis.levels
        parts = leaf_sums(cores, axis)
        values = np.zeros((POINTS * len(parts), axis.size))
        for k, (piece, _) in enumerate(parts):
            values[POINTS * k : POINTS * (k + 1), piece.columns] = piece.at(piece.start + 2.0**piece.level * U)
        places.append(values)
        block = axis.step * np.concatenate([part for _, part in parts], axis=1)  # r, nodes, r'
        total = np.tensordot(total, block, axes=(1, 0)).reshape(-1, block.shape[2])
        shape.append(len(values))
    weights = total.reshape(shape)
    return places, weights if potential is not None else 0.0 * weights


def _below(axes: Sequence[Axis], a: Sequence[np.ndarray | float], c: np.ndarray | float, weights: np.ndarray) -> float:
    """A number below all levels: the least of V and c, less about the lowest level without them."""
    potential = weights / outer(_even(axes))
    return float(np.min(c) + potential.min()) - float(np.pi**2 * sum(np.min(one) for one in a))


def _even(axes: Sequence[Axis]) -> list[np.ndarray]:
    """The sums of ``_potential`` of a V of one, of each axis."""
    return [np.concatenate([s for _, s in _flat_sums(axis)]) for axis in axes]


def _pencil(h: np.ndarray, mass: np.ndarray, below: float) -> tuple[np.ndarray, np.ndarray, float]:
    """h x = w mass x by the largest 1 / (w - below) of (h - below mass): w, vectors, and rounding errors of w[0].

    The levels that matter come with all digits, however high the space reaches. ``below`` lies below all levels.
    """
    shifted = h - below * mass
    scale = 1.0 / np.sqrt(np.diag(shifted))
    factor = cholesky(shifted * scale * scale[:, None], lower=True, check_finite=False)
    half = solve_triangular(factor, mass * scale * scale[:, None], lower=True, check_finite=False)
    mu, u = eigh(solve_triangular(factor, half.T, lower=True, check_finite=False), check_finite=False)
    vectors = scale[:, None] * solve_triangular(factor, u[:, ::-1], lower=True, trans="T", check_finite=False)
    mu = np.maximum(mu[::-1], np.finfo(float).tiny)
    return below + 1.0 / mu, vectors / np.sqrt(mu), float(1.0 / mu[0])


def _products(
    axes: list[Axis],
    a: list[np.ndarray | float],
    c: np.ndarray | float,
    places: list[np.ndarray],
    weights: np.ndarray,
    kept: int,
    n: int,
) -> _Levels:
    """Several axes: the lowest functions of each in the mean of the rest, orthonormal, and levels in their products."""
    d = len(axes)
    shares = [axis.node_weights / axis.node_weights.sum() for axis in axes]
    even = _even(axes)
    potential = weights / outer(even)  # a mean of V about every node
    means = marginals(potential, [e / e.sum() for e in even])
    reaction = marginals(np.broadcast_to(c, [len(s) for s in shares]), shares)
    own: list[np.ndarray] = []
    for k, axis in enumerate(axes):
        others = [axes[k].edge_weights / axes[k].edge_weights.sum() if j == k else shares[j] for j in range(d)]
        stiff = marginals(np.broadcast_to(a[k], [len(s) for s in others]), others)[k]
        h = axis.slopes.T @ ((axis.edge_weights * stiff)[:, None] * axis.slopes)
        h += axis.values.T @ ((axis.node_weights * reaction[k])[:, None] * axis.values)
        h += places[k].T @ ((even[k] * means[k])[:, None] * places[k])
        mass = axis.values.T @ (axis.node_weights[:, None] * axis.values)
        below = float(reaction[k].min() + means[k].min()) - float(np.pi**2 * stiff.min())
        own.append(_pencil(h, mass, below)[1][:, :kept])
    values = [axis.values @ q for axis, q in zip(axes, own)]
    slopes = [axis.slopes @ q for axis, q in zip(axes, own)]
    at = [place @ q for place, q in zip(places, own)]
    node_weights = [axis.node_weights for axis in axes]
    terms = [
        (
            [slopes[j] if j == k else values[j] for j in range(d)],
            outer([axis.edge_weights if j == k else axis.node_weights for j, axis in enumerate(axes)]) * a[k],
        )
        for k in range(d)
    ]
    terms.append((at, weights))
    if np.any(c):
        terms.append((values, outer(node_weights) * c))
    shape = tuple(q.shape[1] for q in own)
    size = math.prod(shape)

    def apply(flat: np.ndarray) -> np.ndarray:
        x = flat.reshape(shape)
        total = np.zeros(shape)
        for matrices, w in terms:
            total += along_all([m.T for m in matrices], w * along_all(matrices, x))
        return total.reshape(-1)

    if size <= DENSE:
        h = np.array([apply(row) for row in np.eye(size)])
        w, vectors = eigh(0.5 * (h + h.T), subset_by_index=[0, n - 1], check_finite=False)
        top = float(np.abs(h).sum(axis=1).max())
    else:
        operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)
        w, vectors = eigsh(operator, n, which="SA", ncv=max(4 * n, 60), tol=1e-12, v0=np.ones(size))
        order = np.argsort(w)
        w, vectors = w[order], vectors[:, order]
        top = float(eigsh(operator, 1, which="LA", tol=0.1, return_eigenvectors=False)[0])
    coefficients = [along_all(own, vectors[:, k].reshape(shape)) for k in range(n)]
    return _Levels(axes, w, coefficients, size, ROUNDING * abs(top))


def _flat_sums(axis: Axis) -> list[tuple[int, np.ndarray]]:
    """h times the sums of the Lagrange polynomials of every leaf."""
    ones = [np.ones((1, 2, 1))] * axis.levels
    return [(piece.start, axis.step * part[0, :, 0]) for piece, part in leaf_sums(ones, axis)]


def _solution(
    form: Form,
    found: _Levels,
    change: np.ndarray,
    accuracy: float,
    history: list[IterationState],
    status: Status,
) -> Solution:
    n = len(found.energies)
    tol = float(np.clip(SHARE * math.sqrt(accuracy / max(float(np.abs(found.energies).max()), 1.0)), FINEST, 1e-4))
    trains = []
    for coefficients in found.coefficients:
        x = train_of(found.axes, coefficients, tol)
        if form.order != SEQUENTIAL and len(form.levels) > 1:
            x = reordered(x, form.levels, form.order, tol)
        trains.append(x * (1.0 / x.norm()))
    how = "two spaces of polynomials on equal pieces"
    probe = {"method": how, "completeness": "searched 2 times", "starts": 2, "missing_states": 0}
    value = EigenStates(found.energies, trains, [0] * n, change + found.rounding, np.zeros(0), probe)
    seen = Checked("energies", how, f"they differ by {amount(float(change.max()))}", status is Status.CONVERGED)
    counts = {"passes": len(history), "functions": found.size}
    extra = {"route": "form", "max_rank": max(x.max_rank for x in trains)}
    return Solution(
        value,
        status,
        int(np.sum(change + found.rounding <= AGREED * accuracy)),
        change,
        tuple(history),
        counts,
        {"solve_s": 0.0},
        extra,
        (seen,),
        accuracy,
    )
