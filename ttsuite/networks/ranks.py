"""Which ranks a layer needs for an error of its weights, or may have for a share of its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import Conv2d, Linear

from solvers.formats.cp.decomposition import cp_decomposition
from solvers.formats.trains.construct import tt_svd
from ttsuite.networks.factors import default_sizes
from ttsuite.networks.truncated import KERNELS, doubled, paired

SMALLEST = 1e-12  # a relative error below is none


def linear_ranks(linear: Linear, error: float) -> list[int]:
    """The inner ranks of a train within the relative ``error`` of the matrix, of the default sizes."""
    columns, rows = default_sizes(linear.in_features, linear.out_features)
    return list(tt_svd(paired(linear, columns, rows), max(error, SMALLEST)).ranks[1:-1])


def conv_ranks(conv: Conv2d, error: float, convolution: str) -> list[int]:
    """The ranks of ``convolution`` (cp, tucker2, tt) within the relative ``error`` of the kernel."""
    kernel = doubled(conv.weight)
    if convolution == "cp":
        return [_terms(kernel, error)]
    if convolution == "tt":
        return list(tt_svd(kernel.transpose(1, 2, 3, 0), max(error, SMALLEST)).ranks[1:-1])
    # each of both truncations may leave half of the square
    left, right = kernel.reshape(len(kernel), -1), kernel.transpose(1, 0, 2, 3).reshape(kernel.shape[1], -1)
    return [_kept(left, error / math.sqrt(2.0)), _kept(right, error / math.sqrt(2.0))]


def _kept(matrix: np.ndarray, error: float) -> int:
    """Singular values that leave at most the relative ``error``."""
    values = np.linalg.svd(matrix, compute_uv=False)
    left = np.sqrt(np.cumsum(values[::-1] ** 2))[::-1]  # what is lost when the k-th and all after it go
    return max(int(np.sum(left > error * left[0])), 1)


def _terms(kernel: np.ndarray, error: float) -> int:
    """The fewest terms found with a relative error of at most ``error``: doubled, then halved between."""
    o, i, h, w = kernel.shape
    array = kernel.reshape(o, i, h * w)
    most = min(o * i, o * h * w, i * h * w)  # no tensor of this shape needs more

    def enough(rank: int) -> bool:
        return rank >= most or float(cp_decomposition(array, rank, method=KERNELS, throw=False).residual[0]) <= error

    high = 1
    while not enough(high):
        high = min(2 * high, most)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def cp_ranks_of_share(conv: Conv2d, share: float) -> list[int]:
    """The terms with which a convolution keeps at most ``share`` of its numbers; one at least."""
    return [max(int(share * conv.weight.numel() // weights_of(conv, [1], "cp")), 1)]


def weights_of(module: torch.nn.Module, ranks: Sequence[int], convolution: str) -> int:
    """Numbers of a compressed layer, its bias apart."""
    if isinstance(module, Linear):
        columns, rows = default_sizes(module.in_features, module.out_features)
        full = (1, *ranks, 1)
        return sum(a * m * n * b for a, m, n, b in zip(full, rows, columns, full[1:]))
    o, i, h, w = module.weight.shape
    if convolution == "cp":
        return ranks[0] * (o + i + h * w)
    if convolution == "tucker2":
        return o * ranks[0] + ranks[0] * ranks[1] * h * w + ranks[1] * i
    if len(ranks) == 2:
        return i * ranks[0] + ranks[0] * h * w * ranks[1] + ranks[1] * o
    return i * ranks[0] + ranks[0] * h * ranks[1] + ranks[1] * w * ranks[2] + ranks[2] * o
