"""One local system of an alternating method: a dense factorisation when small, else preconditioned iteration."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, lstsq

from solvers.kernels import iterations
from solvers.kernels.linear import apply
from solvers.sweeping.local_operator import OperatorCore
from solvers.sweeping.preconditioner import SIDES, ModeBasis, preconditioner

RESTART = 40
DENSE_SIZE = 1200  # unknowns up to which a system whose iteration fails is solved by LU: 40 ms
CENTRE = SIDES["centre"]
FEW = 2  # steps: a basis of a mode that took no more is not formed anew for the next core that is equal
RANK = 1e-12  # of the largest pivot: below, a projection counts as singular


class LocalSystem:
    """The operator between environments (a', alpha, a), (beta, b, b') on cores (a, n, b), and its solves."""

    def __init__(self, left: np.ndarray, core: OperatorCore, right: np.ndarray) -> None:
        self.left, self.core, self.right = left, core, right
        self.shape = (left.shape[0], core.dims[1], right.shape[2])
        self.dims = (*left.shape, core.dims[1], core.dims[2], *right.shape)
        self.products = 0
        self.ends: tuple[float, float] | None = None  # of the diagonal in the preconditioner's basis, once seen

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def apply(self, x: np.ndarray) -> np.ndarray:
        """The operator on a core (a, n, b)."""
        a2, p, a, n2, n, q, b, b2 = self.dims
        y = np.empty(a2 * n2 * b2, dtype=x.dtype)
        t = np.empty((a2 * p, n * b), dtype=x.dtype)
        h = np.empty(a2 * n2 * q * b, dtype=x.dtype)
        apply(
            self.left.reshape(a2 * p, a),
            self.core.entries,
            self.core.values,
            self.right.reshape(q * b, b2),
            np.ascontiguousarray(x).reshape(-1),
            y,
            self.dims,
            t,
            h,
        )
        self.products += 1
        return y.reshape(self.shape)

    def dense(self) -> np.ndarray:
        """The matrix (size, size)."""
        a2, p, a, n2, n, q, b, b2 = self.dims
        blocks = (self.core.dense.reshape(-1, q) @ self.right.reshape(q, -1)).reshape(p, -1)  # alpha (m' m b b')
        matrix = (self.left.transpose(0, 2, 1).reshape(-1, p) @ blocks).reshape(a2, a, n2, n, b, b2)
        return matrix.transpose(0, 2, 5, 1, 3, 4).reshape(self.size, self.size)

    def solve_dense(self, f: np.ndarray, x: np.ndarray, residual: float) -> tuple[np.ndarray, float]:
        """By LU, or the least-norm solution in the least-squares sense where the projection is singular, which says
        nothing about the operator itself; x, of ``residual`` ||f - A x||, where that is better. Also its residual.
        """
        matrix = self.dense()
        for solve in (_by_lu, _by_least_squares):
            found = solve(matrix, f.reshape(-1))
            if found is not None:
                y = found.reshape(self.shape)
                size = float(np.linalg.norm(f - self.apply(y)))
                if size < residual:
                    return y, size
        return x, residual

    def solve_iteratively(
        self,
        x: np.ndarray,
        error: np.ndarray,
        goal: float,
        *,
        hermitian: bool,
        definite: bool,
        side: str | None,
        steps: int,
        mode: ModeBasis,
    ) -> tuple[np.ndarray, float, bool]:
        """From x, of residual ``error``, until the residual norm is below ``goal`` or after ``steps`` products.

        By conjugate gradients where the operator may be definite, by MINRES where it is Hermitian and large, else by
        GMRES. The new core, its residual norm, and whether the operator still looks definite.
        """
        p = preconditioner(self.left, self.core, self.right, side, mode)
        self.ends = p.ends
        change = np.zeros(self.size, dtype=x.dtype)
        rest = p.rotate(error).reshape(-1)
        a2, q, a, _, _, r, b, b2 = self.dims
        operator = p.left.reshape(a2 * q, a), self.core.entries, self.core.values, p.right.reshape(r * b, b2)
        basis = p.side, p.basis, p.adjoint
        arguments = *operator, rest, change, self.dims, *basis
        if definite:
            products, norm, definite = iterations.conjugate_gradients(*arguments, p.inverse, goal, steps)
            self.products += products
            mode.served = definite and p.side == CENTRE and products <= FEW
        if not definite and hermitian and self.size > DENSE_SIZE:
            products, norm = iterations.minres(*arguments, p.positive, goal, steps)
            self.products += products
        elif not definite:
            few = min(RESTART, self.size)
            # what one cycle does not solve of a small Hermitian system is factorised; of others LU leads astray where
            # they are nearly singular (searches for eigenvalues of Glauber's chain of 50 spins)
            most = min(few, steps) if hermitian and self.size <= DENSE_SIZE else steps
            products, norm = iterations.gmres(*arguments, p.inverse, goal, most, few)
            self.products += products
        return x + p.rotate(change.reshape(self.shape), back=True), norm, definite


def _by_lu(matrix: np.ndarray, f: np.ndarray) -> np.ndarray | None:
    try:
        x = np.linalg.solve(matrix, f)
    except LinAlgError:
        return None
    return x if np.isfinite(x).all() else None


def _by_least_squares(matrix: np.ndarray, f: np.ndarray) -> np.ndarray | None:
    try:
        x = lstsq(matrix, f, cond=RANK, check_finite=False, lapack_driver="gelsy")[0]
    except LinAlgError:
        return None
    return x if np.isfinite(x).all() else None
