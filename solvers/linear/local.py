"""One local system of an alternating method: a dense factorisation when small, else preconditioned iteration."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError

from solvers.kernels import linear as kernels
from solvers.linear.preconditioner import preconditioner
from solvers.local_operator import OperatorCore

RESTART = 40


class SingularOperator(ValueError):
    """A projected operator is exactly singular."""


class LocalSystem:
    """The operator between environments (a', alpha, a), (beta, b, b') on cores (a, n, b), and its solves."""

    def __init__(self, left: np.ndarray, core: OperatorCore, right: np.ndarray) -> None:
        self.left, self.core, self.right = left, core, right
        self.shape = (left.shape[0], core.dims[1], right.shape[2])
        self.dims = (*left.shape, core.dims[1], core.dims[2], *right.shape)
        self.products = 0

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def apply(self, x: np.ndarray) -> np.ndarray:
        """The operator on a core (a, n, b)."""
        a2, p, a, n2, n, q, b, b2 = self.dims
        y = np.empty(a2 * n2 * b2, dtype=x.dtype)
        t = np.empty((a2 * p, n * b), dtype=x.dtype)
        h = np.empty(a2 * n2 * q * b, dtype=x.dtype)
        kernels.apply(
            self.left.reshape(a2 * p, a), self.core.entries, self.core.values, self.right.reshape(q * b, b2),
            np.ascontiguousarray(x).reshape(-1), y, self.dims, t, h,
        )  # fmt: skip
        self.products += 1
        return y.reshape(self.shape)

    def dense(self) -> np.ndarray:
        """The matrix (size, size)."""
        blocks = np.tensordot(self.core.dense, self.right, axes=(3, 0))  # alpha m' m b b'
        matrix = np.tensordot(self.left, blocks, axes=(1, 0))  # a' a m' m b b'
        return matrix.transpose(0, 2, 5, 1, 3, 4).reshape(self.size, self.size)

    def solve_dense(self, f: np.ndarray) -> np.ndarray:
        """By LU.  Raises SingularOperator."""
        try:
            x = np.linalg.solve(self.dense(), f.reshape(-1))
        except LinAlgError:
            x = np.full(self.size, np.nan)
        if not np.isfinite(x).all():
            raise SingularOperator("a projection of the operator is singular")
        return x.reshape(self.shape)

    def solve_iteratively(
        self, x: np.ndarray, error: np.ndarray, goal: float, *, definite: bool, side: str | None, steps: int
    ) -> tuple[np.ndarray, np.ndarray, bool]:
        """From x, of residual ``error``, until the residual norm is below ``goal`` or after ``steps`` products.

        The new core, its residual, and whether the operator still looks definite.
        """
        p = preconditioner(self.left, self.core, self.right, side)
        change = np.zeros(self.size, dtype=x.dtype)
        rest = np.ascontiguousarray(p.rotate(error)).reshape(-1)
        if np.shares_memory(rest, error):
            rest = rest.copy()
        a2, q, a, _, _, r, b, b2 = self.dims
        arguments = (
            p.left.reshape(a2 * q, a), self.core.entries, self.core.values, p.right.reshape(r * b, b2), rest, change,
            self.dims, p.side, p.basis, p.adjoint, p.inverse, goal, steps,
        )  # fmt: skip
        if definite:
            products, _, definite = kernels.conjugate_gradients(*arguments)
            self.products += products
        if not definite:
            products, _ = kernels.gmres(*arguments, min(RESTART, self.size))
            self.products += products
        turn = (p.rotate(part.reshape(self.shape), back=True) for part in (change, rest))
        return x + next(turn), next(turn), definite
