"""Linear functionals of a state that an evolution keeps, such as the mass of a density."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain, dot


class Invariants:
    """Linear functionals <v_j, x> that keep the values they had at the start.

    The correction is the smallest one within the bases of the train on both sides of its middle bond: no rank grows,
    and it lives where the train does. Exact to rounding errors as long as the functionals differ on these bases.
    """

    def __init__(self, vectors: Sequence[TensorTrain], start: TensorTrain) -> None:
        self.vectors = tuple(vectors)
        self.values = self._values(start)

    def _values(self, x: TensorTrain) -> np.ndarray:
        return np.array([dot(v, x) for v in self.vectors])

    def load(self, x: TensorTrain) -> None:
        """Take the values of another start."""
        self.values = self._values(x)

    def restore(self, x: TensorTrain) -> tuple[TensorTrain, float]:
        """The train with its values put right, and the 2-norm of the change."""
        if not self.vectors:
            return x, 0.0
        k = x.d // 2
        x = x.orthogonalise(k)
        core = x.cores[k]
        a, n, b = core.shape
        _, _, basis = np.linalg.svd(core.reshape(a, n * b), full_matrices=False)  # what the bond sees to the right
        gradients = []
        for v in self.vectors:
            left, right = np.ones((1, 1)), np.ones((1, 1))
            for p, q in zip(x.cores[:k], v.cores[:k]):
                ahead = (left @ q.reshape(len(q), -1)).reshape(-1, q.shape[2])
                left = p.reshape(-1, p.shape[2]).conj().T @ ahead
            for p, q in zip(reversed(x.cores[k + 1 :]), reversed(v.cores[k + 1 :])):
                ahead = (q.reshape(-1, q.shape[2]) @ right).reshape(len(q), -1)
                right = ahead @ p.reshape(len(p), -1).conj().T
            middle = left @ v.cores[k].reshape(len(v.cores[k]), -1)
            middle = (middle.reshape(-1, v.cores[k].shape[2]) @ right).reshape(a, n * b)
            gradients.append((middle @ basis.conj().T) @ basis)
        g = np.array([gradient.reshape(-1) for gradient in gradients])
        # <g_i, change> = missing_i with the change in the span of the g: the smallest one
        missing = self.values - g.conj() @ core.reshape(-1)
        change = g.T @ np.linalg.lstsq(g.conj() @ g.T, missing, rcond=1e-13)[0]
        cores = (*x.cores[:k], core + change.reshape(core.shape), *x.cores[k + 1 :])
        return TensorTrain(cores, k), float(np.linalg.norm(change))
