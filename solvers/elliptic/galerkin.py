"""The Galerkin solution of sum_k D_k^T a_k D_k u + c u = f in a product of trial spaces, one an axis.

    1. The coefficients are sampled at the quadrature nodes: a_k at the edges of direction k, c and f at the points.
    2. Their marginal means b_k(x_k) make a product b_1 b_2 ... / mean^(d - 1), whose operator is diagonal in the
       eigenfunctions of the axes (solvers.elliptic.bases). Where the coefficient is that product, and c a multiple of
       it, this is the solution.
    3. Otherwise conjugate gradients on the system scaled by that diagonal, from the coarser solution: the condition
       number is that of the ratio of the two coefficients, whatever the grid. With c < 0, where the diagonal has both
       signs, MINRES with its absolute values.

Cost of a step O(d n^(d + 1)). The grid's own matrix is what is projected: sums over its points and edges are exact
wherever the coefficient is a polynomial of low degree on the leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator, minres

from solvers.elliptic.bases import Basis, along_all, basis_of, outer
from solvers.elliptic.leaves import Axis
from solvers.formats.quantics.coefficients import Coefficient

SAME = 1e-13  # relative: a coefficient that is its product of marginals
RESONANT = 1e-12  # of the largest eigenvalue ratio: c is an eigenvalue to rounding errors
MOST_STEPS = 500
SLAB = 1_000_000  # points a coefficient is asked for at once


@dataclass(frozen=True, eq=False)
class Found:
    """A Galerkin solution: ``coefficients`` in the bases of the axes, its steps, and its relative residual.

    ``energy`` h^d f.u, ``least`` the smallest |eigenvalue| over that of the same operator without c.
    """

    bases: tuple[Basis, ...]
    coefficients: np.ndarray
    energy: float
    steps: int
    residual: float
    least: float


def sampled(f: Coefficient, points: Sequence[np.ndarray], what: str, positive: bool = False) -> np.ndarray | float:
    """``f`` on the grid of ``points``, one vector an axis.  Raises ValueError for a number of the wrong sign."""
    if not callable(f):
        value = float(f)
        if not np.isfinite(value) or (positive and value <= 0.0):
            raise ValueError(f"{what} must be {'positive' if positive else 'finite'}, not {value!r}")
        return value
    shape = tuple(len(x) for x in points)
    out = np.empty(shape)
    rows = max(SLAB // max(int(np.prod(shape[1:])), 1), 1)
    for first in range(0, shape[0], rows):
        block = [points[0][first : first + rows], *points[1:]]
        grid = np.stack(np.meshgrid(*block, indexing="ij"), axis=-1).reshape(-1, len(points))
        out[first : first + rows] = f(grid).reshape(-1, *shape[1:])
    return out


def solve_on(
    axes: Sequence[Axis],
    diffusion: Sequence[Coefficient],
    reaction: Coefficient,
    moments: Callable[[Sequence[Axis]], np.ndarray],
    tolerance: float,
    start: np.ndarray | None = None,
) -> Found:
    """The Galerkin solution on ``axes`` to a relative residual ``tolerance`` in the norm of the scaled system.

    ``diffusion``: a_k of each direction; ``moments``: the load, h^d sum_i f_i phi_j(i); ``start``: coefficients.
    """
    nodes = [axis.node_x for axis in axes]
    a = [
        sampled(one, [*nodes[:k], axes[k].edge_x, *nodes[k + 1 :]], "the coefficient", positive=True)
        for k, one in enumerate(diffusion)
    ]
    c = sampled(reaction, nodes, "the reaction")
    bases, factors, shift, exact = _bases(axes, a, c)
    apply = None if exact else lambda scale: _operator(bases, axes, a, c, scale)
    return solve_in(bases, factors, shift, moments(axes), apply, tolerance, start)


def solve_in(
    bases: Sequence[Basis],
    factors: Sequence[float],
    shift: float,
    moments: np.ndarray,
    operator: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]] | None,
    tolerance: float,
    start: np.ndarray | None,
) -> Found:
    """The solution by the diagonal in ``bases``, or by iteration with ``operator``: for a scaling S, x -> S A S x."""
    d = len(bases)
    mu, kappa = [basis.mu for basis in bases], [basis.kappa for basis in bases]
    elastic = sum(factors[k] * outer([kappa[j] if j == k else mu[j] for j in range(d)]) for k in range(d)) + np.zeros(
        [len(m) for m in mu]
    )
    diagonal = elastic + shift * outer(mu)
    load = along_all([basis.vectors.T for basis in bases], moments)
    size = np.abs(diagonal)
    floor = elastic + np.abs(shift) * outer(mu)
    free = floor == 0.0  # the constant between mirrors everywhere: fixed by a mean of zero
    least = float((size[~free] / floor[~free]).min())
    scale = np.where(free, 0.0, 1.0 / np.sqrt(np.where(free | (size == 0.0), 1.0, size)))
    steps, residual, energy = 0, 0.0, 0.0
    x = scale * load * np.where(diagonal < 0.0, -1.0, 1.0)
    if operator is not None:
        first = None
        if start is not None:
            first = along_all([basis.back for basis in bases], start) / np.where(scale > 0.0, scale, 1.0)
        apply = operator(scale)
        x, steps, rest = _iterate(apply, scale * load, x if first is None else first, tolerance, diagonal.min() < 0)
        residual = float(np.linalg.norm(rest)) / (float(np.linalg.norm(scale * load)) or 1.0)
        energy = float(np.sum(rest * x))  # 2 b.x - x.A x: its error is of second order
    y = scale * x
    coefficients = along_all([basis.vectors for basis in bases], y)
    return Found(tuple(bases), coefficients, energy + float(np.sum(load * y)), steps, residual, least)


def _bases(
    axes: Sequence[Axis], a: list[np.ndarray | float], c: np.ndarray | float
) -> tuple[list[Basis], list[float], float, bool]:
    """Bases of the product of marginals, a factor a direction, the shift, and whether that is all of a and c."""
    d = len(axes)
    weights = [[axis.edge_weights if k == j else axis.node_weights for j, axis in enumerate(axes)] for k in range(d)]
    weights = [[w / w.sum() for w in one] for one in weights]
    if all(np.ndim(one) == 0 for one in a):
        edges = [np.ones(len(axis.edge_x)) for axis in axes]
        nodes = [np.ones(len(axis.node_x)) for axis in axes]
        factors = [float(one) for one in a]
        exact = True
    else:
        full = [np.broadcast_to(one, [len(w) for w in weights[k]]) for k, one in enumerate(a)]
        means = [marginals(full[k], weights[k]) for k in range(d)]
        mean = [float(means[k][k] @ weights[k][k]) for k in range(d)]
        edges = [means[k][k] / mean[k] for k in range(d)]
        nodes = []
        for j, axis in enumerate(axes):
            others = [means[k][j] / mean[k] for k in range(d) if k != j]
            nodes.append(np.mean(others, axis=0) if others else np.ones(len(axis.node_x)))
        factors = mean
        exact = True
        for k in range(d):
            product = mean[k] * outer([edges[j] if j == k else nodes[j] for j in range(d)])
            exact &= bool(np.abs(full[k] - product).max() <= SAME * np.abs(product).max())
    bases: list[Basis] = []
    for j, axis in enumerate(axes):
        alike = [i for i in range(j) if _alike(axes[i], axis, edges[i], edges[j], nodes[i], nodes[j])]
        bases.append(bases[alike[0]] if alike else basis_of(axis, edges[j], nodes[j]))
    product = outer(nodes)
    w = outer([axis.node_weights for axis in axes])
    shift = float(np.sum(w * c) / np.sum(w * product))
    exact &= bool(np.abs(c - shift * product).max() <= SAME * (np.abs(c).max() if np.ndim(c) else abs(float(c))))
    return bases, factors, shift, exact


def _alike(one: Axis, other: Axis, e: np.ndarray, other_e: np.ndarray, n: np.ndarray, other_n: np.ndarray) -> bool:
    """Whether two axes have the same matrices."""
    same = (one.levels, one.ends, one.degree, one.leaves) == (other.levels, other.ends, other.degree, other.leaves)
    return same and np.allclose(e, other_e, rtol=SAME, atol=0.0) and np.allclose(n, other_n, rtol=SAME, atol=0.0)


def marginals(values: np.ndarray, weights: list[np.ndarray]) -> list[np.ndarray]:
    """The mean over all other axes, for each axis."""
    out = []
    for j in range(values.ndim):
        mean = values
        for axis in reversed(range(values.ndim)):
            if axis != j:
                mean = np.tensordot(mean, weights[axis], axes=(axis, 0))
        out.append(mean)
    return out


def _operator(
    bases: Sequence[Basis],
    axes: Sequence[Axis],
    a: list[np.ndarray | float],
    c: np.ndarray | float,
    scale: np.ndarray,
) -> Callable[[np.ndarray], np.ndarray]:
    """x -> S (sum_k G_k^T w a_k G_k + V^T w c V) S x in eigenfunctions."""
    d = len(bases)
    weighted = []
    for k in range(d):
        w = outer([axis.edge_weights if j == k else axis.node_weights for j, axis in enumerate(axes)])
        weighted.append(([b.slopes if j == k else b.values for j, b in enumerate(bases)], w * a[k]))
    if np.any(c):
        weighted.append(([b.values for b in bases], outer([axis.node_weights for axis in axes]) * c))

    def apply(x: np.ndarray) -> np.ndarray:
        y = scale * x
        total = np.zeros_like(x)
        for matrices, w in weighted:
            total += along_all([m.T for m in matrices], w * along_all(matrices, y))
        return scale * total

    return apply


def _iterate(
    apply: Callable[[np.ndarray], np.ndarray], b: np.ndarray, x: np.ndarray, tolerance: float, indefinite: bool
) -> tuple[np.ndarray, int, np.ndarray]:
    """x, the steps taken and b - A x, until that is ``tolerance`` of b."""
    norm = float(np.linalg.norm(b)) or 1.0
    steps = 0
    if indefinite:

        def product(flat: np.ndarray) -> np.ndarray:
            nonlocal steps
            steps += 1
            return apply(flat.reshape(b.shape)).reshape(-1)

        operator = LinearOperator((b.size, b.size), matvec=product, dtype=np.float64)
        for _ in range(3):  # again from the true residual: the recursive one drifts
            rest = b - apply(x)
            if float(np.linalg.norm(rest)) <= tolerance * norm:
                break
            share = 0.5 * tolerance * norm / float(np.linalg.norm(rest))
            found, _ = minres(operator, rest.reshape(-1), rtol=share, maxiter=MOST_STEPS)
            x = x + found.reshape(b.shape)
        return x, steps, b - apply(x)
    r = b - apply(x)
    p, rr = r, float(np.sum(r * r))
    while rr > (tolerance * norm) ** 2 and steps < MOST_STEPS:
        ap = apply(p)
        step = rr / float(np.sum(p * ap))
        x = x + step * p
        r = r - step * ap
        new = float(np.sum(r * r))
        p, rr, steps = r + (new / rr) * p, new, steps + 1
    return x, steps, b - apply(x)
