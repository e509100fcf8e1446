"""What the later modes of a train can make of a row: bounds of v . w over all w = G_k[i_k] ... G_d[i_d].

For each bond k the vectors w of the N combinations of later indices are known by

    their mean m and covariance S, exact by one pass:   m = mean_i G_i m',   S = mean_i (G_i S' G_i^T + e_i e_i^T),
    e_i = G_i m' - m (no difference of large numbers), and
    a box in the axes Q of S: low <= Q^T (w - m) <= high, from the vectors themselves where they are few, and else from
    the box of a bond s modes later, with all combinations of the s modes between (fewer wrappings, tighter boxes).

    v . m - b  <=  v . w  <=  v . m + a,    a, b the less of what the box gives and sqrt((N - 1) v S v^T) (Samuelson).

The box is tight for sums of functions of one mode and for smooth functions of bits, the variance for spikes.
Samuelson, J. Am. Stat. Assoc. 63, 1522 (1968). Cost d n r^3, for the boxes 256 d r^3. Index letters: r rank; p rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ENUMERATED = 2**12  # combinations of later indices that are listed
BETWEEN = 256  # combinations of the modes between two boxes
MANY = 1e250  # combinations beyond which the variance says nothing
ROUNDING = 1e-14  # of a variance, relative


class Suffixes:
    """Bounds at every bond of a train with real ``cores``; best in a gauge whose cores are right-orthogonal."""

    def __init__(self, cores: Sequence[np.ndarray]) -> None:
        d = len(cores)
        slices = [core.transpose(1, 0, 2) for core in cores]
        self.count = [1.0] * (d + 1)
        self.mean = [np.ones(1)] * (d + 1)
        self.covariance = [np.zeros((1, 1))] * (d + 1)
        self.axes = [np.ones((1, 1))] * (d + 1)
        self.low, self.high = [np.zeros(1)] * (d + 1), [np.zeros(1)] * (d + 1)
        self.all: list[np.ndarray | None] = [None] * (d + 1)  # (r, N), the last index fastest
        self.all[d] = np.ones((1, 1))
        for k in range(d - 1, -1, -1):
            n = len(slices[k])
            self.count[k] = self.count[k + 1] * n
            centres = slices[k] @ self.mean[k + 1]
            self.mean[k] = centres.mean(axis=0)
            apart = centres - self.mean[k]
            spread = (slices[k] @ self.covariance[k + 1] @ slices[k].transpose(0, 2, 1)).mean(axis=0)
            covariance = spread + apart.T @ apart / n
            self.covariance[k] = (covariance + covariance.T) / 2.0
            self.axes[k] = np.linalg.eigh(self.covariance[k])[1]
            later = self.all[k + 1]
            if later is not None and self.count[k] <= ENUMERATED:
                vectors = (slices[k] @ later).transpose(1, 0, 2).reshape(len(self.mean[k]), -1)
                self.all[k] = vectors
                along = self.axes[k].T @ (vectors - self.mean[k][:, None])
                self.low[k], self.high[k] = along.min(axis=1), along.max(axis=1)
            else:
                self._box(k, slices)

    def _box(self, k: int, slices: Sequence[np.ndarray]) -> None:
        rows = self.axes[k].T[:, None]  # (r, 1, r'): each axis times the matrices of all combinations between
        later = k
        while later == k or (self.all[later] is None and rows.shape[1] * len(slices[later]) <= BETWEEN):
            rows = np.einsum("apr,irs->apis", rows, slices[later], optimize=True)
            later += 1
            rows = rows.reshape(len(rows), -1, rows.shape[-1])
        low, high = self.bounds(later, rows.reshape(-1, rows.shape[2]), box=True)
        centre = self.axes[k].T @ self.mean[k]
        self.low[k] = low.reshape(len(rows), -1).min(axis=1) - centre
        self.high[k] = high.reshape(len(rows), -1).max(axis=1) - centre

    def bounds(self, k: int, rows: np.ndarray, *, box: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Numbers (p,) below and above all v . w for the rows v (p, r) at bond k; by the box alone, or by both."""
        middle = rows @ self.mean[k]
        along = rows @ self.axes[k]
        up, down = np.maximum(along, 0.0), np.minimum(along, 0.0)
        high = up @ self.high[k] + down @ self.low[k]
        low = up @ self.low[k] + down @ self.high[k]
        if not box and self.count[k] < MANY:
            sizes = np.abs(rows).max(axis=1)
            unit = rows / np.where(sizes > 0.0, sizes, 1.0)[:, None]  # squares of any row in the range of numbers
            variance = np.einsum("pr,pr->p", unit @ self.covariance[k], unit)
            rounding = ROUNDING * rows.shape[1] * np.abs(self.covariance[k]).max()
            most = sizes * np.sqrt((np.maximum(variance, 0.0) + rounding) * (self.count[k] - 1.0))
            high, low = np.minimum(high, most), np.maximum(low, -most)
        low, high = middle + low, middle + high
        return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
