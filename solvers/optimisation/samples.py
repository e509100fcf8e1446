"""Samples of trains and tangent vectors, and the projection of a tensor that is zero but at the samples.

A sample j sees a train by a vector phi_k[j] of each mode: a unit vector, which is an entry (``Samples``), or the values
of the functions of a coordinate at a point (``FunctionSamples``), so that

    X[j] = (phi_1[j] . X_1) (phi_2[j] . X_2) .. (phi_d[j] . X_d),        phi . X_k = sum_i phi[i] X_k[:, i, :]

With l_k[j] the product of the cores U before k (row) and r_k[j] that of the cores V after k (column), the cores of the
projection of the gradient of sum_j z_j* X[j] are, before the gauge, W_k = sum_j z_j (l_k[j] x phi_k[j] x r_k[j])*.
Steinlechner, SIAM J. Sci. Comput. 38, S461 (2016), section 4, for entries. Cost O(m d r^2), times n for functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.kernels.samples import outer_sums, times_slice
from solvers.optimisation.manifolds.fixed_rank_trains import FixedRank, FixedRankPoint, Tangent

CELLS = 10  # of a coordinate, with as many points each: what takes the place of an index


class Sampling(Protocol):
    """What sees trains of one ``shape`` at ``count`` samples m; ``places`` (m, d): the multi-indices or points."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def count(self) -> int: ...

    @property
    def places(self) -> np.ndarray: ...

    @property
    def share(self) -> float:
        """Of the square of a tensor's norm, what a sample sees in the mean over all that might have been drawn."""

    @property
    def cells(self) -> tuple[list[np.ndarray], tuple[int, ...]]:
        """Which part of each mode a sample lies in (m,), and how many parts there are."""

    def times(self, k: int, rows: np.ndarray, core: np.ndarray) -> np.ndarray:
        """rows (m, a), core (a, n, b) -> rows[j] (phi_k[j] . core), (m, b)."""

    def back(self, k: int, left: np.ndarray, values: np.ndarray, right: np.ndarray) -> np.ndarray:
        """left (m, a), values (m,), right (m, b) -> sum_j values[j] (left[j] x phi_k[j] x right[j])*, (a, n, b)."""

    def views(self, k: int, left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        """What the samples see core k by, left (m, a) x phi_k x right (m, b): the rows of each independent part."""

    def rows(self, k: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """left[j] x phi_k[j] x right[j], (m, a n b): the derivatives of X[j] by core k."""

    def only(self, chosen: np.ndarray | slice) -> Self:
        """Those of a mask (m,), of places in the list or of a slice."""

    def joined(self, other: Self) -> Self:
        """Both."""


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

    @property
    def places(self) -> np.ndarray:
        return self.indices

    @property
    def share(self) -> float:
        return 1.0 / float(np.prod(np.array(self.shape, dtype=float)))

    @property
    def cells(self) -> tuple[list[np.ndarray], tuple[int, ...]]:
        return self.columns, self.shape

    def times(self, k: int, rows: np.ndarray, core: np.ndarray) -> np.ndarray:
        rows, core = _alike(rows, core)
        return times_slice(rows, _slices(core), self.columns[k])

    def back(self, k: int, left: np.ndarray, values: np.ndarray, right: np.ndarray) -> np.ndarray:
        left, values, right = _alike(left.conj(), values, right.conj())
        slices = outer_sums(left, values, right, self.columns[k], self.shape[k])
        return np.ascontiguousarray(slices.transpose(1, 0, 2))

    def views(self, k: int, left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        rows = (left[:, :, None] * right[:, None, :]).reshape(self.count, -1)
        order = np.argsort(self.columns[k], kind="stable")
        ends = np.cumsum(np.bincount(self.columns[k], minlength=self.shape[k]))[:-1]
        return np.split(rows[order], ends)

    def rows(self, k: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        found = np.zeros((self.count, left.shape[1], self.shape[k], right.shape[1]), dtype=np.result_type(left, right))
        found[np.arange(self.count), :, self.columns[k], :] = left[:, :, None] * right[:, None, :]
        return found.reshape(self.count, -1)

    def only(self, chosen: np.ndarray | slice) -> Samples:
        return Samples(self.indices[chosen], self.shape)

    def joined(self, other: Samples) -> Samples:
        return Samples(np.concatenate([self.indices, other.indices]), self.shape)


@dataclass(frozen=True, eq=False)
class FunctionSamples:
    """``points`` (m, d), and ``functions`` phi_k (m, n_k) of each coordinate there, orthonormal in the mean over the
    points as far as ``share`` = 1 is to be true."""

    points: np.ndarray
    functions: tuple[np.ndarray, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(phi.shape[1] for phi in self.functions)

    @property
    def count(self) -> int:
        return len(self.points)

    @property
    def places(self) -> np.ndarray:
        return self.points

    @property
    def share(self) -> float:
        return 1.0

    @cached_property
    def cells(self) -> tuple[list[np.ndarray], tuple[int, ...]]:
        columns = []
        for column in self.points.T:
            walls = np.unique(np.quantile(column, np.linspace(0.0, 1.0, CELLS + 1)[1:-1]))
            columns.append(np.searchsorted(walls, column))
        return columns, tuple(int(column.max()) + 1 for column in columns)

    def times(self, k: int, rows: np.ndarray, core: np.ndarray) -> np.ndarray:
        a, n, b = core.shape
        phi = self.functions[k]
        front = (rows[:, :, None] * phi[:, None, :]).reshape(-1, a * n)
        return front @ core.reshape(a * n, b)

    def back(self, k: int, left: np.ndarray, values: np.ndarray, right: np.ndarray) -> np.ndarray:
        phi = self.functions[k]
        front = (left[:, :, None] * phi[:, None, :]).reshape(self.count, -1)
        return (front.conj().T @ (values[:, None] * right.conj())).reshape(left.shape[1], -1, right.shape[1])

    def views(self, k: int, left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
        return [self.rows(k, left, right)]

    def rows(self, k: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        front = (left[:, :, None] * self.functions[k][:, None, :]).reshape(self.count, -1)
        return (front[:, :, None] * right[:, None, :]).reshape(self.count, -1)

    def only(self, chosen: np.ndarray | slice) -> FunctionSamples:
        return FunctionSamples(self.points[chosen], tuple(phi[chosen] for phi in self.functions))

    def joined(self, other: FunctionSamples) -> FunctionSamples:
        functions = tuple(np.concatenate(pair) for pair in zip(self.functions, other.functions, strict=True))
        return FunctionSamples(np.concatenate([self.points, other.points]), functions)


def values_of(train: TensorTrain, samples: Sampling) -> np.ndarray:
    """The train at the samples (m,)."""
    if isinstance(samples, Samples):
        return train.entries(samples.indices)
    rows = np.ones((samples.count, 1))
    for k, core in enumerate(train.cores):
        rows = samples.times(k, rows, core)
    return rows[:, 0]


@dataclass(frozen=True, eq=False)
class SampledPoint:
    """A point at the samples: ``left`` l_k (m, r_{k-1}) and ``right`` r_k (m, r_k) for the d cores."""

    samples: Sampling
    point: FixedRankPoint
    left: list[np.ndarray]
    right: list[np.ndarray]

    @classmethod
    def of(cls, samples: Sampling, point: FixedRankPoint) -> SampledPoint:
        left, right = [np.ones((samples.count, 1))], [np.ones((samples.count, 1))]
        d = len(point.left)
        for k in range(d - 1):
            left.append(samples.times(k, left[-1], point.left[k]))
        for k in range(d - 1, 0, -1):
            right.append(samples.times(k, right[-1], point.right[k].T))
        return cls(samples, point, left, right[::-1])

    @cached_property
    def entries(self) -> np.ndarray:
        """The point at the samples (m,)."""
        return self.samples.times(len(self.left) - 1, self.left[-1], self.point.left[-1])[:, 0]

    def tangent_entries(self, u: Tangent) -> np.ndarray:
        """A tangent vector at the samples (m,)."""
        rows = [self.samples.times(k, self.left[k], core) for k, core in enumerate(u)]
        return np.asarray(sum(np.einsum("ja,ja->j", row, right) for row, right in zip(rows, self.right)))

    def project(self, manifold: FixedRank, values: np.ndarray) -> Tangent:
        """The projection of the tensor sum_j ``values``[j] (phi_1[j] x .. x phi_d[j])*."""
        cores = [self.samples.back(k, self.left[k], values, self.right[k]) for k in range(len(self.left))]
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


def _alike(*arrays: np.ndarray) -> list[np.ndarray]:
    """Of one type, contiguous: what the kernels are compiled for."""
    dtype = np.result_type(*arrays, np.float64)
    return [np.ascontiguousarray(array, dtype=dtype) for array in arrays]
