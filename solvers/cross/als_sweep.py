"""ALS-cross over the parameters: the train of the reduced solution c(i_1, ..., i_d) by Galerkin from the left and
interpolation from the right.

Left to right: with the left interface U_<k orthonormal in the norm of the probabilities, the system is projected onto
it, A_k(s) = U_<k^T A(s) U_<k of size r. At a sample (i_k, J_k) of the parameters that remain it is one dense system,
so core k costs n_k |J_k| solves of size r. Right to left: the samples J are chosen by maxvol of the right interface,
weighted by the probabilities so that corners that never occur are not chased, with some more for the ranks to grow.
Dolgov and Scheichl, SIAM/ASA J. Uncertain. Quantif. 7, 260 (2019), algorithm 1. Cost a sweep O(d n r (r^3 + S r^2)).
"""

from __future__ import annotations

import numpy as np

from solvers.cross.maxvol import rectangular_maxvol
from solvers.cross.parametric_system import ParametricSystem
from solvers.cross.reduced_basis import ReducedBasis, solve_stacked
from solvers.formats.trains.factorisations import singular_vectors, truncation_rank

OVERSAMPLING = 1.2


def random_points(system: ParametricSystem, count: int, rng: np.random.Generator) -> np.ndarray:
    """Grid points (count, d) drawn with the probabilities of the parameters."""
    return np.column_stack([rng.choice(len(w), size=count, p=w / w.sum()) for w in system.weights])


class Sweeps:
    """The train and the right index sets J_0..J_{d-1}; J_k: (R_k, d) with the entries up to parameter k unused.

    They begin with those of the last train in the basis, where there was one, and the samples (p, d).
    """

    def __init__(self, reduced: ReducedBasis, samples: np.ndarray, max_rank: int) -> None:
        self.reduced, self.system = reduced, reduced.system
        self.max_rank = max_rank
        known = reduced.sets or [samples[:0]] * self.system.d
        self.sets = [self._distinct(np.concatenate([known[k], samples]), k) for k in range(self.system.d)]
        self.cores: list[np.ndarray] = []  # the first (1, m, r_0) over the basis, the others over the parameters
        self.solves = 0

    @staticmethod
    def _distinct(samples: np.ndarray, k: int) -> np.ndarray:
        """The samples with distinct indices from parameter k on."""
        _, first = np.unique(samples[:, k:], axis=0, return_index=True)
        return samples[np.sort(first)]

    @property
    def ranks(self) -> list[int]:
        """r_0 .. r_{d-1}: after the basis, after each parameter but the last."""
        return [core.shape[2] for core in self.cores[:-1]]

    def forward(self, tol: float) -> bool:
        """New cores from the index sets, truncated at relative ``tol``; whether the cap on the ranks bound."""
        system, d = self.system, self.system.d
        capped = False
        solutions = self.reduced.reduced_solutions(self.sets[0]).T  # (m, R_0)
        self.solves += len(self.sets[0])
        scale = np.sqrt(self._probability(self.sets[0], 0))
        u, bound = self._orthonormal(solutions, scale, tol)
        capped |= bound
        self.cores = [u[None]]
        matrices = np.matmul(u.T, np.matmul(self.reduced.matrices, u))
        loads = self.reduced.loads @ u
        for k in range(d):
            r, n = matrices.shape[1], len(system.weights[k])
            root = np.sqrt(system.weights[k])
            last = k == d - 1
            after = np.zeros((1, d), dtype=np.int64) if last else self.sets[k + 1]
            g = _tail(system.factors, after, k + 1)  # (R, S)
            h = _tail(system.load_factors, after, k + 1)
            coefficients = (system.factors[k].T[:, None, :] * g[None]).reshape(n * len(after), -1)
            load = (system.load_factors[k].T[:, None, :] * h[None]).reshape(n * len(after), -1) @ loads
            x = solve_stacked(matrices, coefficients, load).reshape(n, len(after), r).transpose(2, 0, 1)
            self.solves += n * len(after)
            if last:
                self.cores.append(np.ascontiguousarray(x))
                break
            weighted = (x * root[:, None]).reshape(r * n, len(after))
            u, bound = self._orthonormal(weighted, np.sqrt(self._probability(after, k + 1)), tol)
            capped |= bound
            core = u.reshape(r, n, -1)
            self.cores.append(core / root[:, None])
            matrices, loads = _projected(matrices, loads, core, system.factors[k], system.load_factors[k] * root)
        return capped

    def _orthonormal(self, columns: np.ndarray, scale: np.ndarray, tol: float) -> tuple[np.ndarray, bool]:
        """Left singular vectors of the columns, each of a size like what it stands for in the mean."""
        scaled = columns * (scale / np.sqrt(np.mean(scale**2)))
        u, s, _ = singular_vectors(scaled)
        rank, _ = truncation_rank(s, tol * float(np.linalg.norm(s)), self.max_rank)
        return np.ascontiguousarray(u[:, :rank]), rank == self.max_rank < len(s)

    def _probability(self, points: np.ndarray, k: int) -> np.ndarray:
        """A tempered weight of the parameters from k on, at least 1e-3 of the largest: (R,)."""
        logs = sum(np.log(w[points[:, k + j]]) for j, w in enumerate(self.system.weights[k:]))
        relative = np.exp(0.5 * (logs - logs.max()))
        return np.maximum(relative, 1e-3)

    def backward(self, extra: np.ndarray) -> None:
        """New index sets from the train, with the points ``extra`` (p, d) in each."""
        d = self.system.d
        right = np.ones((1, 1))
        behind = np.zeros((1, d), dtype=np.int64)
        logs = np.zeros(1)
        for k in range(d - 1, -1, -1):
            core = self.cores[k + 1]
            r, n, _ = core.shape
            values = (core.reshape(r * n, -1) @ right).reshape(r, n * right.shape[1])
            points = np.repeat(behind[None], n, axis=0)
            points[:, :, k] = np.arange(n)[:, None]
            points = points.reshape(-1, d)
            weight = (np.log(self.system.weights[k])[:, None] + logs[None]).reshape(-1)
            weighted = values * np.exp(0.5 * (weight - weight.max()))
            count = values.shape[1]
            if count > r:
                most = min(count, int(np.ceil(OVERSAMPLING * r)) + 2)
                rows, _ = rectangular_maxvol(np.ascontiguousarray(weighted.T), 1.0, most)
            else:
                rows = np.arange(count)
            chosen = self._distinct(np.concatenate([points[rows], extra]), k)
            self.sets[k] = chosen
            right, behind = self._right(chosen, k), chosen
            logs = sum(np.log(w[chosen[:, k + j]]) for j, w in enumerate(self.system.weights[k:]))

    def _right(self, points: np.ndarray, k: int) -> np.ndarray:
        """The right interface of parameters k.. at points: (r, R)."""
        product = np.ones((len(points), 1))
        for j in range(self.system.d - 1, k - 1, -1):
            core = self.cores[j + 1]
            product = (
                np.einsum("anb,nb->na", core[:, points[:, j]], product)
                if len(points) < 2
                else _times(core, points[:, j], product)
            )
        return product.T

    def values(self, points: np.ndarray) -> np.ndarray:
        """Coefficients c of the train at grid points (p, d) -> (p, m)."""
        return self._right(points, 0).T @ self.cores[0][0].T


def _times(core: np.ndarray, index: np.ndarray, product: np.ndarray) -> np.ndarray:
    """product (p, b) -> (p, a) by the matrices core[:, index] of each point."""
    out = np.empty((len(index), core.shape[0]))
    for i in np.unique(index):
        chosen = index == i
        out[chosen] = product[chosen] @ core[:, i].T
    return out


def _tail(factors: tuple[np.ndarray, ...], points: np.ndarray, k: int) -> np.ndarray:
    """prod_{m >= k} g_m[s, i_m] at points -> (R, S)."""
    product = np.ones((len(points), factors[0].shape[0]))
    for m in range(k, len(factors)):
        product *= factors[m][:, points[:, m]].T
    return product


def _projected(
    matrices: np.ndarray, loads: np.ndarray, core: np.ndarray, g: np.ndarray, h: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The system on the interface behind a core (r, n, r') orthonormal in the weighted norm; h holds sqrt(w)."""
    r, n, r2 = core.shape
    out = np.empty((len(matrices), r2, r2))
    flat = core.reshape(r, n * r2)
    for s, matrix in enumerate(matrices):
        image = (matrix @ flat).reshape(r, n, r2) * g[s][:, None]
        out[s] = core.reshape(r * n, r2).T @ image.reshape(r * n, r2)
    images = (loads @ flat).reshape(len(loads), n, r2)
    return out, np.einsum("tn,tnb->tb", h, images)
