"""Truncations of weights to given ranks, by singular value decompositions in double precision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from solvers.formats.cp.methods import CPALS

# trained and random kernels of 8 to 64 channels: more starts and sweeps change the error in its third digit (measured)
KERNELS = CPALS(starts=2, sweeps=300)


def doubled(weight: torch.Tensor) -> np.ndarray:
    """The entries as an array of its own."""
    return weight.detach().cpu().double().numpy()


def paired(linear: torch.nn.Linear, columns: Sequence[int], rows: Sequence[int]) -> np.ndarray:
    """The matrix with its k-th row and column sizes as one mode each: (m_1 n_1, ..., m_d n_d)."""
    d = len(rows)
    matrix = doubled(linear.weight).reshape(*rows, *columns)
    axes = [axis for k in range(d) for axis in (k, d + k)]
    return matrix.transpose(axes).reshape([m * n for m, n in zip(rows, columns)])


def leading(array: np.ndarray, count: int) -> np.ndarray:
    """``count`` leading left singular vectors of the first unfolding (n, count)."""
    return np.linalg.svd(array.reshape(len(array), -1))[0][:, :count]


def train_of_ranks(array: np.ndarray, ranks: Sequence[int]) -> list[np.ndarray]:
    """Cores of these inner ``ranks`` by TT-SVD; zeros beyond the ranks that there are."""
    cores, rest = [], array.reshape(1, -1)
    for n, r in zip(array.shape, ranks):
        a = len(rest)
        u, s, v = np.linalg.svd(rest.reshape(a * n, -1), full_matrices=False)
        short = max(r - len(s), 0)
        cores.append(np.pad(u[:, :r], ((0, 0), (0, short))).reshape(a, n, r))
        rest = np.pad(s[:r, None] * v[:r], ((0, short), (0, 0)))
    return [*cores, rest[:, :, None]]
