"""Systems with a generator in coordinates in which the product of the marginals is the mass itself.

Let l be the unit vector of the mass in a mode and m the marginal of the present p there, l^T m = 1. With
S = 1 + (m - l) l^H in every mode, S^-1 = 1 - (m - l) l^H, the generator S^-1 A S keeps the same mass, and S^-1 p is the
product of the l but for correlations. What feeds mass into a mode and out of it, which makes A far from normal and has
sweeps of Galerkin's projection fail on s - A for small s, is gone to first order.
Measured on s - A = -A held at mass one, of a driven spin chain of 20 sites: residual 1e-3 in 18 sweeps; without it none
below 5e-3 in 20.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

ONE = 1e-14  # rounding of the mass
LARGEST = 10.0  # norm of a marginal, from which on p is too rough for one


@dataclass
class LocalEquilibrium:
    """S and S^-1 of each mode, (n, n)."""

    forth: list[np.ndarray]
    back: list[np.ndarray]

    @classmethod
    def of(cls, p: TensorTrain, mass: TensorTrain) -> LocalEquilibrium | None:
        """Of the marginals of p; None where the mass is no product or p holds next to none. Cost O(d n r^2)."""
        flat = mass.round(ONE)
        if flat.max_rank > 1:
            return None
        vectors = [core.ravel() / np.linalg.norm(core) for core in flat.cores]
        traces = [np.einsum("i,aib->ab", l.conj(), core) for l, core in zip(vectors, p.cores)]
        after = [np.ones((1, 1))]
        for trace in reversed(traces):
            after.append(trace @ after[-1])
        before, forth, back = np.ones((1, 1)), [], []
        for k, (l, core) in enumerate(zip(vectors, p.cores)):
            marginal = np.einsum("xa,aib,bx->i", before, core, after[p.d - 1 - k])
            total = np.vdot(l, marginal)
            if not abs(total) * LARGEST > np.linalg.norm(marginal):
                return None
            shear = np.outer(marginal / total - l, l.conj())
            forth.append(np.eye(len(l)) + shear)
            back.append(np.eye(len(l)) - shear)
            before = before @ traces[k]
        return cls(forth, back)

    def operator(self, a: TTOperator) -> TTOperator:
        """S^-1 A S."""
        cores = [np.einsum("xi,aijb,jy->axyb", u, core, v) for u, core, v in zip(self.back, a.cores, self.forth)]
        return TTOperator(tuple(np.ascontiguousarray(core) for core in cores))

    def into(self, x: TensorTrain) -> TensorTrain:
        """S^-1 x."""
        return _times(self.back, x)

    def out(self, x: TensorTrain) -> TensorTrain:
        """S x."""
        return _times(self.forth, x)


def _times(matrices: list[np.ndarray], x: TensorTrain) -> TensorTrain:
    cores = [np.einsum("xi,aib->axb", u, core) for u, core in zip(matrices, x.cores)]
    return TensorTrain(tuple(np.ascontiguousarray(core) for core in cores))
