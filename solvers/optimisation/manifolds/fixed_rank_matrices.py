"""The manifold of matrices of fixed rank, with the projector-splitting retraction.

A point is X = U S V^T, U (n, r) and V (m, r) orthonormal, S (r, r) any invertible matrix. A tangent vector is

    xi = U M V^T + K V^T + U L^T,     U^T K = 0,  V^T L = 0,

given by (M, K, L); the three terms are orthogonal to each other, so that inner products are those of the parts. The
projection of a matrix Z has M = U^T Z V, K = Z V - U M, L = Z^T U - V M^T. Retraction of Y = X + t xi, whose rank is at
most 2 r, without a singular value decomposition, by the splitting of the projector:

    U1 S' = qr(Y V),     V1 S1^T = qr(Y^T U1).

Lubich and Oseledets, BIT 54, 171 (2014); Absil and Oseledets, Comput. Optim. Appl. 62, 5 (2015), section 3.3: a
retraction of second order; Fonarev et al., ACL 2017, algorithm 1. Cost O((n + m) r^2) each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MatrixPoint = tuple[np.ndarray, np.ndarray, np.ndarray]  # U, S, V
MatrixTangent = tuple[np.ndarray, np.ndarray, np.ndarray]  # M, K, L


def point(left: np.ndarray, right: np.ndarray) -> MatrixPoint:
    """The point left @ right.T. Cost O((n + m) r^2)."""
    u, first = np.linalg.qr(left)
    v, second = np.linalg.qr(right)
    return u, first @ second.T, v


class FixedRankMatrices:
    """Real matrices of the rank of the point at hand, in the metric of the Frobenius norm."""

    def inner(self, x: MatrixPoint, u: MatrixTangent, v: MatrixTangent) -> float:
        """Sum of the inner products of the parts."""
        return float(sum(np.vdot(a, b) for a, b in zip(u, v)))

    def combine(self, x: MatrixPoint, terms: Sequence[tuple[float, MatrixTangent]]) -> MatrixTangent:
        """The sum, part by part."""
        m, k, l = (sum(factor * vector[part] for factor, vector in terms) for part in range(3))
        return np.asarray(m), np.asarray(k), np.asarray(l)

    def project(self, x: MatrixPoint, z_v: np.ndarray, zt_u: np.ndarray) -> MatrixTangent:
        """The projection of a matrix Z known by its products ``z_v`` = Z V and ``zt_u`` = Z^T U."""
        u, _, v = x
        m = u.T @ z_v
        return m, z_v - u @ m, zt_u - v @ m.T

    def retract(self, x: MatrixPoint, u: MatrixTangent, step: float) -> MatrixPoint:
        """The two factorisations of the module's text."""
        left, middle, right = x
        m, k, l = u
        u1, _ = np.linalg.qr(left @ (middle + step * m) + step * k)
        overlap = left.T @ u1
        v1, s1 = np.linalg.qr(right @ ((middle + step * m).T @ overlap + step * (k.T @ u1)) + step * (l @ overlap))
        return u1, s1.T, v1

    def transport(self, x: MatrixPoint, y: MatrixPoint, u: MatrixTangent) -> MatrixTangent:
        """The projection of the vector at ``x``, a matrix of rank 2 r, at ``y``."""
        m, k, l = u
        left, right = np.hstack([x[0] @ m + k, x[0]]), np.hstack([x[2], l])  # xi = left @ right.T
        return self.project(y, left @ (right.T @ y[2]), right @ (left.T @ y[0]))
