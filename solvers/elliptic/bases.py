"""Both matrices of an axis made diagonal at once: the fast diagonalisation of tensor-product problems.

With the stiffness K = S^T w a S of the slopes and the mass M = V^T w b V of the values of an axis, and Q from M q = mu
(K + tau M) q with Q^T (K + tau M) Q = 1, the operator of a product coefficient b_1(x_1) b_2(x_2) ... is diagonal,

    sum_k kappa_k prod_(j != k) mu_j + gamma prod_j mu_j,     kappa = 1 - tau mu:

Lynch, Rice, Thomas, Numer. Math. 6, 185 (1964). mu is the inverse of the usual eigenvalue: the large ones, which the
solution is made of, come with all digits, however fine the grid is (the usual way loses 4^L times the rounding error).
tau > 0 only where K alone is singular, between two mirrors. Cost O(n^3) an axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from solvers.elliptic.leaves import GROUND, Axis

NULL = 1e-12  # of 1 - tau mu: the constant between two mirrors


@dataclass(frozen=True, eq=False)
class Basis:
    """An axis in its eigenfunctions: ``mu`` and ``kappa`` (n,); ``values`` and ``slopes`` at nodes and edges.

    ``vectors`` (n, n): eigenfunctions in the basis of the axis; ``back``: its inverse.
    """

    axis: Axis
    mu: np.ndarray
    kappa: np.ndarray
    vectors: np.ndarray
    back: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


def basis_of(axis: Axis, on_edges: np.ndarray, on_nodes: np.ndarray) -> Basis:
    """For positive weights of the stiffness at the edges and of the mass at the nodes."""
    stiffness = axis.slopes.T @ ((axis.edge_weights * on_edges)[:, None] * axis.slopes)
    mass = axis.values.T @ ((axis.node_weights * on_nodes)[:, None] * axis.values)
    ratio = float((axis.edge_weights @ on_edges) / (axis.node_weights @ on_nodes))
    return diagonalised(axis, stiffness, mass, ratio, axis.values, axis.slopes)


def basis_on_cells(axis: Axis, of_stiffness: np.ndarray, of_mass: np.ndarray) -> Basis:
    """For linear functions between the points and coefficients that are constant on the edges, integrated exactly."""
    slopes, averages, weights = axis.slopes, axis.averages, axis.edge_weights
    joined = np.eye(axis.size)
    if axis.ends[0] == "periodic":
        # the last point as what it differs by from the first: over one step, of 2^-L, coefficients cannot say it
        joined[-1, 0] = 1.0
        slopes, averages = slopes @ joined, averages @ joined
        slopes[-1] = 0.0
        slopes[-1, -1] = -1.0 / axis.step
    stiffness = slopes.T @ ((weights * of_stiffness)[:, None] * slopes)
    mass = averages.T @ ((weights * of_mass)[:, None] * averages)
    mass += axis.step**2 / 12.0 * (slopes.T @ ((weights * of_mass)[:, None] * slopes))
    ratio = float((weights @ of_stiffness) / (weights @ of_mass))
    basis = diagonalised(axis, stiffness, mass, ratio, averages, slopes)
    back = basis.back.copy()
    back[:, 0] -= joined[-1, 0] * back[:, -1]
    return replace(basis, vectors=joined @ basis.vectors, back=back)


def diagonalised(
    axis: Axis, stiffness: np.ndarray, mass: np.ndarray, ratio: float, values: np.ndarray, slopes: np.ndarray
) -> Basis:
    """For two matrices (n, n), ``ratio`` the means of their weights; ``values``, ``slopes``: rows of functions."""
    tau = 0.0
    if not any(GROUND[end] for end in axis.ends):
        tau = float(np.pi**2 * ratio)
    total = stiffness + tau * mass
    scale = 1.0 / np.sqrt(np.diag(total))
    factor = cholesky(total * scale * scale[:, None], lower=True, check_finite=False)
    half = solve_triangular(factor, mass * scale * scale[:, None], lower=True, check_finite=False)
    mu, u = np.linalg.eigh(solve_triangular(factor, half.T, lower=True, check_finite=False))
    mu = np.maximum(mu, np.finfo(float).eps ** 2 * mu[-1])
    vectors = scale[:, None] * solve_triangular(factor, u, lower=True, trans="T", check_finite=False)
    kappa = 1.0 - tau * mu
    kappa[np.abs(kappa) < NULL] = 0.0
    return Basis(axis, mu, kappa, vectors, vectors.T @ total, values @ vectors, slopes @ vectors)


def along(matrix: np.ndarray, tensor: np.ndarray, axis: int) -> np.ndarray:
    """``matrix`` (m, n) applied along one axis of length n."""
    n = tensor.shape[axis]
    before = int(np.prod(tensor.shape[:axis]))
    if axis == tensor.ndim - 1:
        return (tensor.reshape(-1, n) @ matrix.T).reshape(*tensor.shape[:axis], -1)
    product = np.matmul(matrix, tensor.reshape(before, n, -1))
    return product.reshape(*tensor.shape[:axis], len(matrix), *tensor.shape[axis + 1 :])


def along_all(matrices: list[np.ndarray], tensor: np.ndarray) -> np.ndarray:
    """One matrix an axis."""
    for axis, matrix in enumerate(matrices):
        tensor = along(matrix, tensor, axis)
    return tensor


def outer(vectors: list[np.ndarray]) -> np.ndarray:
    """v_1[i] v_2[j] ... as a tensor."""
    product = np.ones(())
    for vector in vectors:
        product = np.multiply.outer(product, vector)
    return product
