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

from solvers.sweeping.local_operator import OperatorCore

SIDES = {"centre": 0, "right": 1, "left": 2}
GROUP_MODE = 4  # modes up to this size are grouped with a bond: the modes of quantics trains
LARGEST_GROUP = 32  # beyond, the eigenbasis and its products cost more than the steps they save
LARGEST_MODE = 256
SMALLEST_PIVOT = 1e-12  # of the largest diagonal entry
FLOOR = 1e-2  # of the mean size of the diagonal, in a preconditioner that must be positive
SAME_BASIS = 1e-10  # of a block may lie off the diagonal in a basis that counts as its eigenbasis


@dataclass(frozen=True, eq=False)
class Preconditioner:
    """z = (1 x V) D (1 x V^H) r in rotated bonds, as the kernels take it (solvers.kernels.linear.precondition).

    ``left``, ``right``: the environments rotated by ``gauge_left`` (a, a) and ``gauge_right`` (b, b). ``ends``: the
    least and the largest number on the diagonal, which are Rayleigh quotients of the whole operator where bases are
    orthonormal: the spectrum of a Hermitian one is no narrower.
    """

    side: int
    basis: np.ndarray
    adjoint: np.ndarray
    inverse: np.ndarray
    left: np.ndarray
    right: np.ndarray
    gauge_left: np.ndarray | None
    gauge_right: np.ndarray | None
    ends: tuple[float, float]

    @property
    def positive(self) -> np.ndarray:
        """The inverse of the diagonal's size, for MINRES: no entry of it more than 1 / ``FLOOR`` times the mean one."""
        size = np.abs(self.inverse)
        return np.minimum(size, 1.0 / (FLOOR * float(np.mean(1.0 / size)))).astype(self.inverse.dtype)

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


@dataclass
class ModeBasis:
    """The eigenbasis of one mode (n, n) and the operator core's diagonal in it (alpha, i, beta), kept between sweeps.

    ``shared``: every block of the core is diagonal in the basis, as in a Kronecker sum; then no sweep changes it.
    ``served``: it has just solved a system in few steps, and the next one with an equal core may take it.
    ``twin``: that of the mirrored core.
    """

    basis: np.ndarray | None = None
    diagonal: np.ndarray | None = None
    shared: bool | None = None  # not known yet
    served: bool = False
    twin: ModeBasis | None = None

    @classmethod
    def twins(cls) -> tuple[ModeBasis, ModeBasis]:
        """Of a core and of the mirrored core."""
        first = cls()
        first.twin = cls(twin=first)
        return first, first.twin

    @classmethod
    def joined(
        cls,
        modes: tuple[ModeBasis, ModeBasis],
        cores: tuple[OperatorCore, OperatorCore],
        left: np.ndarray,
        right: np.ndarray,
    ) -> ModeBasis:
        """Of two neighbouring modes taken together, from the bases of both; environments as for preconditioner."""
        before, after = _traces(left, right)
        modes[0].update(cores[0], before, cores[1].trace @ after)
        modes[1].update(cores[1], before @ cores[0].trace, after)
        (p, n, _, q), (_, m, _, r) = cores[0].dims, cores[1].dims
        first, second = modes
        assert first.basis is not None and second.basis is not None
        assert first.diagonal is not None and second.diagonal is not None
        diagonal = first.diagonal.reshape(p * n, q) @ second.diagonal.reshape(q, m * r)
        return cls(np.kron(first.basis, second.basis), diagonal.reshape(p, n * m, r), shared=True)

    def update(self, core: OperatorCore, left: np.ndarray, right: np.ndarray) -> None:
        """For the traces ``left`` (alpha,), ``right`` (beta,) of the environments."""
        if self.shared or self.served:
            return
        if self.twin is not None and self.twin.shared:
            assert self.twin.diagonal is not None
            self.basis, self.shared = self.twin.basis, True
            self.diagonal = np.ascontiguousarray(self.twin.diagonal.transpose(2, 1, 0))
            return
        p, n, _, q = core.dims
        dense = core.dense
        if n > LARGEST_MODE:
            self.basis, self.shared = np.eye(n, dtype=dense.dtype), True
        else:
            matrix = (left @ (dense.reshape(-1, q) @ right).reshape(p, -1)).reshape(n, n)
            self.basis = _eigenbasis(matrix)
        images = np.matmul(dense.transpose(0, 3, 1, 2), self.basis)  # alpha beta m' i
        if self.shared is None:
            blocks = np.matmul(self.basis.conj().T, images)
            outside = np.linalg.norm(blocks * (1.0 - np.eye(n)), axis=(2, 3))
            self.shared = bool((outside <= SAME_BASIS * np.linalg.norm(blocks, axis=(2, 3))).all())
        diagonal = np.sum(self.basis.conj() * images, axis=2)  # alpha beta i
        self.diagonal = np.ascontiguousarray(diagonal.transpose(0, 2, 1))


def preconditioner(
    left: np.ndarray, core: OperatorCore, right: np.ndarray, side: str | None, mode: ModeBasis
) -> Preconditioner:
    """For environments (a', alpha, a) and (beta, b, b') with equal bonds; ``side``: left, right, centre or None.

    ``mode``: what is known of the mode; brought up to date where side is centre.
    """
    a, n, b = left.shape[0], core.dims[1], right.shape[1]
    p, q = left.shape[1], right.shape[0]
    which = _choose(a, n, b) if side is None else SIDES[side]
    trace_left, trace_right = _traces(left, right)
    gauge_left = gauge_right = None
    if which != 2:
        u = gauge_left = _eigenbasis(np.matmul(core.trace @ trace_right, left))
        left = (u.conj().T @ (left.reshape(-1, a) @ u).reshape(a, -1)).reshape(a, p, a)
    if which != 1:  # right is stored (beta, ket, bra), so its transposes are the matrices
        u = gauge_right = _eigenbasis(((trace_left @ core.trace) @ right.reshape(q, -1)).reshape(b, b).T)
        right = np.matmul(u.T, (right.reshape(-1, b) @ u.conj()).reshape(q, b, b))
    if which == 0:
        mode.update(core, trace_left, trace_right)
        assert mode.basis is not None and mode.diagonal is not None
        basis = mode.basis
        part = left.diagonal(0, 0, 2).T @ mode.diagonal.reshape(p, -1)  # a (i beta)
        diagonal = part.reshape(-1, q) @ right.diagonal(0, 1, 2)
    elif which == 1:
        blocks = core.dense.reshape(-1, q) @ right.reshape(q, -1)
        blocks = blocks.reshape(p, n, n, b, b).transpose(0, 1, 4, 2, 3).reshape(p, n * b, n * b)
        basis = _eigenbasis((trace_left @ blocks.reshape(p, -1)).reshape(n * b, n * b))
        diagonal = left.diagonal(0, 0, 2).T @ np.sum(basis.conj() * (blocks @ basis), axis=1)
    else:
        blocks = np.tensordot(left, core.dense, axes=(1, 0)).transpose(4, 0, 2, 1, 3).reshape(q, a * n, a * n)
        basis = _eigenbasis((trace_right @ blocks.reshape(q, -1)).reshape(a * n, a * n))
        diagonal = np.sum(basis.conj() * (blocks @ basis), axis=1).T @ right.diagonal(0, 1, 2)
    diagonal = diagonal.reshape(-1)
    inverse = _inverse(diagonal)
    ends = float(diagonal.real.min()), float(diagonal.real.max())
    adjoint = np.ascontiguousarray(basis.conj().T)
    if which == 1:  # acts from the right on rows, so transposed
        basis, adjoint = np.ascontiguousarray(basis.T), np.ascontiguousarray(basis.conj())
    basis = np.ascontiguousarray(basis)
    return Preconditioner(which, basis, adjoint, inverse, left, right, gauge_left, gauge_right, ends)


def _traces(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Partial traces (alpha,), (beta,) of environments (a, alpha, a), (beta, b, b)."""
    return left.diagonal(0, 0, 2).sum(axis=1), right.diagonal(0, 1, 2).sum(axis=1)


def _choose(a: int, n: int, b: int) -> int:
    if n > GROUP_MODE or min(a, b) * n > LARGEST_GROUP:
        return 0
    return 1 if b <= a else 2


def _eigenbasis(matrix: np.ndarray) -> np.ndarray:
    """Eigenvectors of the Hermitian part."""
    return np.linalg.eigh(0.5 * (matrix + matrix.conj().T))[1]


def _inverse(diagonal: np.ndarray) -> np.ndarray:
    if diagonal.dtype.kind == "f" and float(diagonal.min()) > SMALLEST_PIVOT * float(diagonal.max()):
        return 1.0 / diagonal
    size = np.abs(diagonal)
    least = max(SMALLEST_PIVOT * float(size.max()), float(np.finfo(float).tiny))
    if float(size.min()) > least:
        return 1.0 / diagonal
    return 1.0 / np.where(size > least, diagonal, least)
