"""Sampled entries of trains and tangent vectors, and the projection of a tensor that is zero but at the samples.

With l_k[j] = U_1[i_1] .. U_{k-1}[i_{k-1}] (row) and r_k[j] = V_{k+1}[i_{k+1}] .. V_d[i_d] (column) at the multi-index
of sample j, the cores of the projection of sum_j z_j e_{i(j)} are, before the gauge, W_k[i] = sum_j z_j l_k[j] r_k[j]
over the samples with i_k = i. Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), section 4. Cost O(m d r^2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers.kernels.samples import outer_sums, times_slice
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRank, FixedRankPoint, Tangent


@dataclass(frozen=True, eq=False)
class Samples:
    """Multi-indices (m, d) from 0, read by columns, and the ``shape`` they belong to."""

    indices: np.ndarray
    shape: tuple[int, ...]

    @cached_property
    def columns(self) -> list[np.ndarray]:
        """The indices of each mode (m,), contiguous."""
        return [np.ascontiguousarray(column, dtype=np.int64) for column in self.indices.T]

    @property
    def count(self) -> int:
        return len(self.indices)


@dataclass(frozen=True, eq=False)
class SampledPoint:
    """A point at the samples: ``left`` l_k (m, r_{k-1}) and ``right`` r_k (m, r_k) for the d cores, real."""

    samples: Samples
    point: FixedRankPoint
    left: list[np.ndarray]
    right: list[np.ndarray]

    @classmethod
    def of(cls, samples: Samples, point: FixedRankPoint) -> SampledPoint:
        left, right = [np.ones((samples.count, 1))], [np.ones((samples.count, 1))]
        d = len(point.left)
        for k in range(d - 1):
            left.append(times_slice(left[-1], _slices(point.left[k]), samples.columns[k]))
        for k in range(d - 1, 0, -1):
            right.append(times_slice(right[-1], _slices(point.right[k].T), samples.columns[k]))
        return cls(samples, point, left, right[::-1])

    @cached_property
    def entries(self) -> np.ndarray:
        """Entries of the point (m,)."""
        return times_slice(self.left[-1], _slices(self.point.left[-1]), self.samples.columns[-1])[:, 0]

    def tangent_entries(self, u: Tangent) -> np.ndarray:
        """Entries of a tangent vector (m,)."""
        total = np.zeros(self.samples.count)
        for k, core in enumerate(u):
            rows = times_slice(self.left[k], _slices(core), self.samples.columns[k])
            total += np.einsum("ja,ja->j", rows, self.right[k])
        return total

    def project(self, manifold: FixedRank, values: np.ndarray) -> Tangent:
        """The projection of the tensor with ``values`` (m,) at the samples and zeros elsewhere."""
        cores = []
        for k, n in enumerate(self.samples.shape):
            slices = outer_sums(self.left[k], values, self.right[k], self.samples.columns[k], n)
            cores.append(np.ascontiguousarray(slices.transpose(1, 0, 2)))
        return manifold.tangent(self.point, cores)


def held_out(indices: np.ndarray, shape: Sequence[int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Up to ``count`` of the samples (m, d), drawn such that every index of every mode keeps one: a mask (m,)."""
    left = [np.bincount(column, minlength=n).tolist() for column, n in zip(indices.T, shape, strict=True)]
    held = np.zeros(len(indices), dtype=bool)
    for j in rng.permutation(len(indices)):
        if count <= 0:
            break
        index = indices[j].tolist()
        if all(counts[i] > 1 for counts, i in zip(left, index)):
            for counts, i in zip(left, index):
                counts[i] -= 1
            held[j] = True
            count -= 1
    return held


def _slices(core: np.ndarray) -> np.ndarray:
    """(a, n, b) as contiguous slices (n, a, b)."""
    return np.ascontiguousarray(core.transpose(1, 0, 2))
