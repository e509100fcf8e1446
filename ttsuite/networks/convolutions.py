"""Convolutions whose kernel is a low-rank tensor: a chain of small convolutions of PyTorch.

K (outputs, inputs, height, width) as
    CP      K = sum_r  c_r o a_r o B_r             inputs -> R, each channel by its own height x width, R -> outputs
    Tucker2 K = C x_1 U x_2 V                      inputs -> r_in, height x width from r_in to r_out, r_out -> outputs
    TT      inputs, height, width, outputs         1 x 1, height x 1, 1 x width, 1 x 1 (three ranks), or with height and
            in a row                               width as one mode (two ranks)
Lebedev et al., arXiv:1412.6553 (CP); Kim et al., arXiv:1511.06530 (Tucker-2); Garipov et al., arXiv:1611.03214 (TT).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from torch.nn import Conv2d

from solvers.formats.cp.decomposition import cp_decomposition
from ttsuite.networks.truncated import KERNELS, leading, train_of_ranks

Pair: TypeAlias = int | tuple[int, int]
Kernel: TypeAlias = np.ndarray  # (outputs, inputs, height, width)
SWEEPS = 20  # of Tucker-2; the error of trained kernels no longer changes in its third digit after ten (measured)


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


class FactoredConv2d(torch.nn.Sequential):
    """A chain of convolutions in the place of one; ``pieces`` says the kernels, ``assembled`` the whole of them."""

    ranks: tuple[int, ...]
    bonds: ClassVar[tuple[int, ...]]  # how many ranks there may be

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        ranks: Sequence[int],
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        bias: bool = True,
    ) -> None:
        ranks = tuple(ranks)
        self._size, self._bias, self._joined = _pair(kernel_size), bias, len(ranks) == 2
        if len(ranks) not in self.bonds or any(type(r) is not int or r < 1 for r in ranks):
            wanted = " or ".join(map(str, self.bonds))
            raise ValueError(f"{type(self).__name__} needs {wanted} ranks, whole numbers from 1, not {list(ranks)}")
        most = self._most(in_channels, out_channels)
        if any(r > cap for r, cap in zip(ranks, most)):
            raise ValueError(f"{type(self).__name__}: ranks {list(ranks)} exceed the channels they stand for")
        self._placed = [_pair(stride), _pair(padding), _pair(dilation)]
        super().__init__(*self._layers(in_channels, out_channels, ranks))
        self.ranks, self.in_channels, self.out_channels = ranks, in_channels, out_channels

    def _layers(self, inputs: int, outputs: int, ranks: tuple[int, ...]) -> list[Conv2d]:
        """The chain, untrained."""
        raise NotImplementedError

    def _most(self, inputs: int, outputs: int) -> Sequence[float]:
        """The ranks beyond which there is nothing more."""
        raise NotImplementedError

    def _spatial(self, a: int, b: int, axes: str = "hw", groups: int = 1) -> Conv2d:
        """The convolution over ``axes`` of the kernel, with the stride, padding and dilation there."""
        chosen = [axis in axes for axis in "hw"]
        neutral = (1, 0, 1)  # stride, padding, dilation of an axis that is not there
        stride, padding, dilation = (
            tuple(value[k] if chosen[k] else nothing for k in range(2)) for value, nothing in zip(self._placed, neutral)
        )
        size = tuple(n if there else 1 for n, there in zip(self._size, chosen))
        return Conv2d(a, b, size, stride, padding, dilation, groups=groups, bias=False)

    def _last(self, a: int, b: int) -> Conv2d:
        return Conv2d(a, b, 1, bias=self._bias)

    def weight(self) -> torch.Tensor:
        """The whole kernel (outputs, inputs, height, width): what an impulse at each place of each input gives."""
        raise NotImplementedError

    @classmethod
    def from_conv(cls, conv: Conv2d, ranks: Sequence[int]) -> FactoredConv2d:
        """The nearest layer of ``ranks`` found; see the module. ValueError for groups and for padding that is not of
        zeros, which these chains do not have."""
        if conv.groups != 1:
            raise ValueError(f"a convolution of {conv.groups} groups is not compressed: give one of one group")
        if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
            raise ValueError("only padding with a number of zeros is compressed")
        layer = cls(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            ranks,
            stride=conv.stride,
            padding=conv.padding,
            dilation=conv.dilation,
            bias=conv.bias is not None,
        ).to(conv.weight)
        pieces = layer._pieces(conv.weight.detach().cpu().double().numpy())
        with torch.no_grad():
            for part, piece in zip(layer, pieces, strict=True):
                part.weight.copy_(torch.from_numpy(np.array(piece)))
            if conv.bias is not None:
                layer[-1].bias.copy_(conv.bias)
        return layer

    def _pieces(self, kernel: Kernel) -> list[Kernel]:
        """The kernels of the chain, in its order, that are nearest to ``kernel``."""
        raise NotImplementedError


class CPConv2d(FactoredConv2d):
    """A convolution of ``ranks = (R,)`` terms: R (inputs + outputs + height width) numbers."""

    bonds = (1,)

    def _most(self, inputs: int, outputs: int) -> Sequence[float]:
        return (inputs * outputs * self._size[0] * self._size[1],)

    def _layers(self, inputs: int, outputs: int, ranks: tuple[int, ...]) -> list[Conv2d]:
        (r,) = ranks
        return [Conv2d(inputs, r, 1, bias=False), self._spatial(r, r, groups=r), self._last(r, outputs)]

    def weight(self) -> torch.Tensor:
        first, middle, last = (part.weight for part in self)
        return torch.einsum("or,ri,rhw->oihw", last[:, :, 0, 0], first[:, :, 0, 0], middle[:, 0])

    def _pieces(self, kernel: Kernel) -> list[Kernel]:
        o, i, h, w = kernel.shape
        found = cp_decomposition(kernel.reshape(o, i, h * w), self.ranks[0], method=KERNELS, throw=False).value
        outputs, inputs, spatial = found.factors  # of one norm in every mode, which gradients descend best from
        r = self.ranks[0]
        return [inputs.T.reshape(r, i, 1, 1), spatial.T.reshape(r, 1, h, w), outputs.reshape(o, r, 1, 1)]


class Tucker2Conv2d(FactoredConv2d):
    """A convolution of ``ranks = (r_out, r_in)``: inputs r_in + r_in r_out height width + r_out outputs numbers."""

    bonds = (2,)

    def _most(self, inputs: int, outputs: int) -> Sequence[float]:
        return outputs, inputs

    def _layers(self, inputs: int, outputs: int, ranks: tuple[int, ...]) -> list[Conv2d]:
        r_out, r_in = ranks
        return [Conv2d(inputs, r_in, 1, bias=False), self._spatial(r_in, r_out), self._last(r_out, outputs)]

    def weight(self) -> torch.Tensor:
        first, middle, last = (part.weight for part in self)
        return torch.einsum("oa,abhw,bi->oihw", last[:, :, 0, 0], middle, first[:, :, 0, 0])

    def _pieces(self, kernel: Kernel) -> list[Kernel]:
        r_out, r_in = self.ranks
        v = leading(kernel.transpose(1, 0, 2, 3), r_in)
        for _ in range(SWEEPS):  # higher-order orthogonal iteration
            u = leading(np.einsum("oihw,ib->obhw", kernel, v), r_out)
            v = leading(np.einsum("oihw,oa->iahw", kernel, u), r_in)
        core = np.einsum("oihw,oa,ib->abhw", kernel, u, v)
        return [v.T[:, :, None, None], core, u[:, :, None, None]]


class TTConv2d(FactoredConv2d):
    """A convolution whose kernel is a train of inputs, height, width, outputs (three ``ranks``), or of inputs, height
    with width, outputs (two): e.g. inputs r_1 + r_1 height r_2 + r_2 width r_3 + r_3 outputs numbers."""

    bonds = (2, 3)

    def _most(self, inputs: int, outputs: int) -> Sequence[float]:
        return (inputs, outputs) if self._joined else (inputs, inputs * self._size[0], outputs)

    def _layers(self, inputs: int, outputs: int, ranks: tuple[int, ...]) -> list[Conv2d]:
        first, last = Conv2d(inputs, ranks[0], 1, bias=False), self._last(ranks[-1], outputs)
        if len(ranks) == 2:
            return [first, self._spatial(*ranks), last]
        return [first, self._spatial(ranks[0], ranks[1], "h"), self._spatial(ranks[1], ranks[2], "w"), last]

    def weight(self) -> torch.Tensor:
        first, *middle, last = (part.weight for part in self)
        if len(middle) == 1:
            return torch.einsum("oa,abhw,bi->oihw", last[:, :, 0, 0], middle[0], first[:, :, 0, 0])
        high, wide = middle[0][:, :, :, 0], middle[1][:, :, 0, :]
        return torch.einsum("oa,abw,bch,ci->oihw", last[:, :, 0, 0], wide, high, first[:, :, 0, 0])

    def _pieces(self, kernel: Kernel) -> list[Kernel]:
        o, i, h, w = kernel.shape
        modes = (i, h * w, o) if len(self.ranks) == 2 else (i, h, w, o)
        cores = train_of_ranks(kernel.transpose(1, 2, 3, 0).reshape(modes), self.ranks)
        first, last = cores[0][0].T[:, :, None, None], cores[-1][:, :, 0].T[:, :, None, None]
        if len(self.ranks) == 2:
            a, _, b = cores[1].shape
            return [first, cores[1].reshape(a, h, w, b).transpose(3, 0, 1, 2), last]
        return [first, cores[1].transpose(2, 0, 1)[:, :, :, None], cores[2].transpose(2, 0, 1)[:, :, None, :], last]
