"""A linear layer whose matrix is an operator in tensor-train format.

    y = W x + b,   W[(i_1, ..., i_d), (j_1, ..., j_d)] = G_1[i_1, j_1] G_2[i_2, j_2] ... G_d[i_d, j_d]

with i_k below m_k, j_k below n_k and G_k[i, j] of r_(k-1) x r_k. Novikov, Podoprikhin, Osokin, Vetrov, Advances in
Neural Information Processing Systems 28, 442 (2015), section 4, arXiv:1509.06569. The matrix is never formed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ttsuite.networks.factors import default_sizes, require_product
from ttsuite.networks.truncated import paired, train_of_ranks

GAIN = 2.0  # times the inverse number of inputs is the variance of an entry at the start: He et al. (2015), eq. 10


class TTLinear(torch.nn.Module):
    """From ``in_features`` to ``out_features`` numbers, as ``torch.nn.Linear``: (..., in) to (..., out).

    ``rank``: of every bond, or the d-1 inner ones. ``in_sizes``, ``out_sizes``: d numbers each whose products are the
    features; by default three, or two for an axis below 64. An entry of the matrix has the variance 2 / in_features at
    the start. ``weight()`` is the whole matrix.

    Cost of a call O(batch r^2 max(m, n) max(M, N)) for the largest sizes m, n and the features M, N; numbers kept:
    sum of r_(k-1) m_k n_k r_k. Raises ValueError for sizes that do not fit the features and ranks below 1.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        rank: int | Sequence[int],
        *,
        in_sizes: Sequence[int] | None = None,
        out_sizes: Sequence[int] | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        columns, rows = default_sizes(in_features, out_features)
        self.in_sizes = require_product(columns if in_sizes is None else in_sizes, in_features, "in_sizes")
        self.out_sizes = require_product(rows if out_sizes is None else out_sizes, out_features, "out_sizes")
        d = len(self.in_sizes)
        if len(self.out_sizes) != d:
            raise ValueError(f"in_sizes and out_sizes must be as many, not {d} and {len(self.out_sizes)}")
        inner = [rank] * (d - 1) if isinstance(rank, int) else list(rank)
        if len(inner) != d - 1 or any(type(r) is not int or r < 1 for r in inner):
            raise ValueError(f"rank must be a whole number from 1 or {d - 1} of them, not {rank!r}")
        self.ranks = (1, *inner, 1)
        self.in_features, self.out_features = in_features, out_features
        # every product of cores is a sum over all bonds of products of d normal numbers
        deviation = (GAIN / (in_features * math.prod(inner))) ** (0.5 / d)
        self.cores = torch.nn.ParameterList(
            torch.randn(a, m, n, b) * deviation
            for a, m, n, b in zip(self.ranks, self.out_sizes, self.in_sizes, self.ranks[1:])
        )
        self.bias = torch.nn.Parameter(torch.zeros(out_features)) if bias else None

    @classmethod
    def from_linear(
        cls,
        linear: torch.nn.Linear,
        rank: int | Sequence[int],
        *,
        in_sizes: Sequence[int] | None = None,
        out_sizes: Sequence[int] | None = None,
    ) -> TTLinear:
        """The layer of ``rank`` near to ``linear`` (TT-SVD: within sqrt(d-1) of the nearest). Raises as the class."""
        layer = cls(
            linear.in_features,
            linear.out_features,
            rank,
            in_sizes=in_sizes,
            out_sizes=out_sizes,
            bias=linear.bias is not None,
        ).to(linear.weight)
        cores = train_of_ranks(paired(linear, layer.in_sizes, layer.out_sizes), layer.ranks[1:-1])
        with torch.no_grad():
            for parameter, core in zip(layer.cores, cores):
                parameter.copy_(torch.from_numpy(core).reshape(parameter.shape))
            if layer.bias is not None:
                layer.bias.copy_(linear.bias)
        return layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in_features) to (..., out_features); see the class."""
        leading = x.shape[:-1]
        # axes: outputs so far with the batch, bond, the input of the core, inputs to come
        state = x.reshape(-1, 1, self.in_sizes[0], math.prod(self.in_sizes[1:]))
        for k, core in enumerate(self.cores):
            batch = state.shape[0]
            state = torch.einsum("brnc,rmns->bmsc", state, core)
            coming = self.in_sizes[k + 1 :]
            sizes = (coming[0], math.prod(coming[1:])) if coming else (1, 1)
            state = state.reshape(batch * core.shape[1], core.shape[3], *sizes)
        y = state.reshape(*leading, self.out_features)
        return y if self.bias is None else y + self.bias

    def weight(self) -> torch.Tensor:
        """The whole matrix (out_features, in_features)."""
        identity = torch.eye(self.in_features, dtype=self.cores[0].dtype, device=self.cores[0].device)
        columns = self(identity)
        return (columns if self.bias is None else columns - self.bias).T

    def extra_repr(self) -> str:
        """What ``print`` shows of it."""
        numbers = sum(core.numel() for core in self.cores)
        return (
            f"{self.in_features}, {self.out_features}, in_sizes={self.in_sizes}, out_sizes={self.out_sizes}, "
            f"ranks={self.ranks}, numbers={numbers} for {self.in_features * self.out_features}"
        )
