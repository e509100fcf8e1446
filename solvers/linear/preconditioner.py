"""The preconditioner of a local system: the diagonal of the operator in the eigenbasis of its partial traces.

The local operator acts on (left bond) x (mode) x (right bond). Its partial traces over all but one factor, or all but
the mode and one neighbouring bond taken together, are the factors of the Kronecker sum nearest to it in the Frobenius
norm. In the product of their eigenbases (of the Hermitian parts) a Kronecker sum is diagonal, so for a Laplacian in
any dimension the preconditioner is exact; in general it is Jacobi in a good basis, positive definite where the
operator is. Against block Jacobi without the rotation: fewer steps, no block to invert at each index.
Rotation of bonds is free: the environments are rotated, not the iteration. Cost O(R r^3) and O((n r)^3) for a group.
Fast diagonalisation: Lynch, Rice, Thomas, Numer. Math. 6, 185 (1964).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.local_operator import OperatorCore

SIDES = {"centre": 0, "right": 1, "left": 2}
GROUP_MODE = 4  # modes up to this size are grouped with a bond: the modes of quantics trains
LARGEST_GROUP = 200
LARGEST_MODE = 256
SMALLEST_PIVOT = 1e-12  # of the largest diagonal entry


@dataclass(frozen=True, eq=False)
class Preconditioner:
    """z = (1 x V) D (1 x V^H) r in rotated bonds, as the kernels take it (solvers.kernels.linear.precondition).

    ``left``, ``right``: the environments rotated by ``gauge_left`` (a, a) and ``gauge_right`` (b, b).
    """

    side: int
    basis: np.ndarray
    adjoint: np.ndarray
    inverse: np.ndarray
    left: np.ndarray
    right: np.ndarray
    gauge_left: np.ndarray | None
    gauge_right: np.ndarray | None

    def rotate(self, x: np.ndarray, back: bool = False) -> np.ndarray:
        """A core (a, n, b) in the rotated bonds, or out of them."""
        shape = x.shape
        if self.gauge_left is not None:
            u = self.gauge_left if back else self.gauge_left.conj().T
            x = (u @ x.reshape(shape[0], -1)).reshape(shape)
        if self.gauge_right is not None:
            u = self.gauge_right.T if back else self.gauge_right.conj()
            x = x @ u
        return x


def preconditioner(left: np.ndarray, core: OperatorCore, right: np.ndarray, side: str | None) -> Preconditioner:
    """For environments (a', alpha, a) and (beta, b, b') with equal bonds; ``side``: left, right, centre or None."""
    a, n, b = left.shape[0], core.dims[1], right.shape[1]
    which = _choose(a, n, b) if side is None else SIDES[side]
    trace_left = np.einsum("iai->a", left)
    trace_right = np.einsum("bii->b", right)
    dense, trace_mode = core.dense, core.trace
    gauge_left = gauge_right = None
    if which != 2:
        gauge_left = _eigenbasis(np.tensordot(left, trace_mode @ trace_right, axes=(1, 0)))
        left = _rotated(left.transpose(1, 0, 2), gauge_left).transpose(1, 0, 2)
    if which != 1:  # right is stored (beta, ket, bra), so its transposes are the matrices
        gauge_right = _eigenbasis(np.tensordot(trace_left @ trace_mode, right, axes=(0, 0)).T)
        right = _rotated(right.transpose(0, 2, 1), gauge_right).transpose(0, 2, 1)
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    if which == 0:
        if n <= LARGEST_MODE:
            basis = _eigenbasis(np.tensordot(trace_left, dense, axes=(0, 0)) @ trace_right)
        else:
            basis = np.eye(n, dtype=dense.dtype)
        images = np.matmul(dense.transpose(0, 3, 1, 2), basis)  # alpha beta m' i
        rotated = np.sum(basis.conj() * images, axis=2)  # alpha beta i
        part = np.einsum("iai->ia", left) @ rotated.reshape(len(rotated), -1)
        part = part.reshape(a, -1, n).transpose(0, 2, 1)  # a i beta
        diagonal = part @ np.einsum("bii->bi", right)
    elif which == 1:
        blocks = np.tensordot(dense, right, axes=(3, 0)).transpose(0, 1, 4, 2, 3).reshape(len(trace_left), n * b, n * b)
        basis = _eigenbasis(np.tensordot(trace_left, blocks, axes=(0, 0)))
        diagonal = np.einsum("iai->ia", left) @ np.sum(basis.conj() * (blocks @ basis), axis=1)
    else:
        blocks = np.tensordot(left, dense, axes=(1, 0)).transpose(4, 0, 2, 1, 3).reshape(len(trace_right), a * n, a * n)
        basis = _eigenbasis(np.tensordot(trace_right, blocks, axes=(0, 0)))
        diagonal = np.sum(basis.conj() * (blocks @ basis), axis=1).T @ np.einsum("bii->bi", right)
    inverse = _inverse(diagonal.reshape(-1))
    adjoint = np.ascontiguousarray(basis.conj().T)
    if which == 1:  # acts from the right on rows, so transposed
        basis, adjoint = np.ascontiguousarray(basis.T), np.ascontiguousarray(basis.conj())
    return Preconditioner(which, np.ascontiguousarray(basis), adjoint, inverse, left, right, gauge_left, gauge_right)


def _choose(a: int, n: int, b: int) -> int:
    if n > GROUP_MODE or min(a, b) * n > LARGEST_GROUP:
        return 0
    return 1 if b <= a else 2


def _eigenbasis(matrix: np.ndarray) -> np.ndarray:
    """Eigenvectors of the Hermitian part."""
    return np.linalg.eigh(0.5 * (matrix + matrix.conj().T))[1]


def _rotated(stack: np.ndarray, u: np.ndarray) -> np.ndarray:
    return np.matmul(u.conj().T, np.matmul(stack, u))


def _inverse(diagonal: np.ndarray) -> np.ndarray:
    size = np.abs(diagonal)
    least = SMALLEST_PIVOT * size.max(initial=0.0)
    return 1.0 / np.where(size > least, diagonal, max(least, np.finfo(float).tiny))
