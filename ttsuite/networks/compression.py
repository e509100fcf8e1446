"""The layers of a trained network exchanged for those with few numbers, and what that costs.

1. Each linear layer and each convolution gets its format and ranks: given, or from a relative error of the weights,
   or the smallest common error whose whole network keeps at most a share of the numbers.
2. A layer that would not become smaller stays.
3. The accuracy is measured before, at once after, and after fine-tuning, where the caller says how.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from solvers.cards import Card, Fact
from solvers.measured import amount, numeral
from ttsuite.networks.convolutions import CPConv2d, FactoredConv2d, TTConv2d, Tucker2Conv2d
from ttsuite.networks.factors import default_sizes
from ttsuite.networks.ranks import conv_ranks, cp_ranks_of_share, linear_ranks, weights_of
from ttsuite.networks.tt_linear import TTLinear

CONVOLUTIONS: dict[str, type[FactoredConv2d]] = {"cp": CPConv2d, "tucker2": Tucker2Conv2d, "tt": TTConv2d}
HALVINGS = 20  # of the interval of errors, when a share of the numbers is asked
Evaluate = Callable[[torch.nn.Module], float]


@dataclass(frozen=True)
class LayerCompression:
    """One layer: its ``name`` in the model, ``format``, inner ``ranks``, numbers kept ``before`` and ``after`` (biases
    apart), and the relative ``error`` of its weights in the Frobenius norm."""

    name: str
    format: str
    ranks: tuple[int, ...]
    before: int
    after: int
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class Compression(Card):
    """A compressed ``model``, its ``layers``, the numbers of all parameters ``before`` and ``after``, and the
    ``accuracy`` before, at once after and after fine-tuning (None where the caller measured none)."""

    model: torch.nn.Module
    layers: tuple[LayerCompression, ...]
    before: int
    after: int
    accuracy: tuple[float | None, float | None, float | None]

    @property
    def share(self) -> float:
        """Of the numbers that are kept."""
        return self.after / self.before

    def worded(self) -> list[Fact]:
        found = [("numbers", f"{self.after} of {self.before} ({self.share:.1%})")]
        words = ("accuracy before", "accuracy at once", "accuracy after fine-tuning")
        found += [(what, f"{value:.4f}") for what, value in zip(words, self.accuracy) if value is not None]
        for layer in self.layers:
            ranks = ", ".join(map(str, layer.ranks))
            numbers = f"{layer.after} of {layer.before}"
            found.append((layer.name, f"{layer.format}, ranks {ranks}: {numbers}, error {amount(layer.error)}"))
        return found

    def control(self, seed: int = 0) -> torch.nn.Module:
        """A copy whose compressed layers are drawn at random instead: what their structure alone is worth. All else,
        biases too, is that of ``model``."""
        other = copy.deepcopy(self.model)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in self.layers:
                found = other.get_submodule(layer.name)
                if isinstance(found, TTLinear):
                    for core in found.cores:
                        torch.nn.init.normal_(core, std=_size(core))
                else:
                    for part in found.children():
                        torch.nn.init.normal_(part.weight, std=_size(part.weight))
        return other


def compress(
    model: torch.nn.Module,
    *,
    ranks: Mapping[str, int | Sequence[int]] | None = None,
    error: float | None = None,
    share: float | None = None,
    convolution: str = "tucker2",
    keep: Sequence[str] = (),
    evaluate: Evaluate | None = None,
    fine_tune: Callable[[torch.nn.Module], None] | None = None,
) -> Compression:
    """A copy of ``model`` with few numbers: linear layers become ``TTLinear``, convolutions of more than one
    pixel and of one group CPConv2d, Tucker2Conv2d or TTConv2d (``convolution``: cp | tucker2 | tt).

    Exactly one of: ``ranks``, by the names of layers, all others stay; ``error``, relative, of the weights of each
    layer; ``share``, of the numbers of the whole model that may be kept (for cp of each convolution). ``keep``: names
    of layers that stay. ``evaluate``: the accuracy of a model, called on ``model``, on the copy, and again after
    ``fine_tune``, which trains the copy in place. ``model`` is not changed.

    Raises ValueError where none or two of the three are given, for names that are no such layers, and for a share that
    no ranks reach. Cost: the singular value decompositions of the weights, times 20 for a share.
    """
    if sum(given is not None for given in (ranks, error, share)) != 1:
        raise ValueError("give one of ranks, error and share")
    if convolution not in CONVOLUTIONS:
        raise ValueError(f"convolution must be one of {', '.join(CONVOLUTIONS)}, not {convolution!r}")
    for what, value in (("error", error), ("share", share)):
        if value is not None and not 0.0 < value < 1.0:
            raise ValueError(f"{what} must lie between 0 and 1, not {value!r}")
    named = {name: module for name, module in model.named_modules() if _fits(module)}
    unknown = sorted({*keep, *(ranks or ())} - set(named))
    if unknown:
        raise ValueError(f"no such linear layers or convolutions: {', '.join(unknown)}; there are {', '.join(named)}")
    named = {name: module for name, module in named.items() if name not in keep}

    # 1 ranks
    if ranks is not None:
        chosen = {name: _listed(ranks[name], named[name], convolution) for name in named if name in ranks}
    elif error is not None:
        chosen = _of_error(named, error, convolution)
    else:
        assert share is not None
        chosen = _of_share(model, named, share, convolution)

    # 2 exchange
    before = _numbers(model)
    other, layers = copy.deepcopy(model), []
    for name, inner in chosen.items():
        layer = _exchanged(named[name], inner, convolution)
        kept = sum(p.numel() for key, p in layer.named_parameters() if not key.endswith("bias"))
        weight = named[name].weight.detach()
        if kept >= weight.numel() and ranks is None:
            continue
        off = float(torch.linalg.vector_norm(layer.weight().detach() - weight) / torch.linalg.vector_norm(weight))
        kind = "tt" if isinstance(layer, TTLinear) else convolution
        layers.append(LayerCompression(name, kind, tuple(inner), weight.numel(), kept, off))
        if not name:
            other = layer
        else:
            parent, _, last = name.rpartition(".")
            setattr(other.get_submodule(parent), last, layer)
    found = Compression(other, tuple(layers), before, _numbers(other), (None, None, None))

    # 3 accuracy
    first = None if evaluate is None else evaluate(model)
    second = None if evaluate is None else evaluate(other)
    if fine_tune is not None:
        fine_tune(other)
    third = None if evaluate is None or fine_tune is None else evaluate(other)
    return replace(found, accuracy=(first, second, third))


def _fits(module: torch.nn.Module) -> bool:
    if isinstance(module, torch.nn.Conv2d):
        plain = module.groups == 1 and module.padding_mode == "zeros" and not isinstance(module.padding, str)
        return plain and module.kernel_size != (1, 1)
    return isinstance(module, torch.nn.Linear) and min(module.in_features, module.out_features) > 1


def _size(entries: torch.Tensor) -> float:
    """Their root mean square."""
    return float(entries.detach().square().mean().sqrt())


def _numbers(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _listed(ranks: int | Sequence[int], module: torch.nn.Module, convolution: str) -> list[int]:
    """As many as the layer has; one number stands for all."""
    if not isinstance(ranks, int):
        return list(ranks)
    if isinstance(module, torch.nn.Linear):
        return [ranks] * (len(default_sizes(module.in_features, module.out_features)[0]) - 1)
    return [ranks] * CONVOLUTIONS[convolution].bonds[0]


def _exchanged(module: torch.nn.Module, ranks: Sequence[int], convolution: str) -> torch.nn.Module:
    if isinstance(module, torch.nn.Linear):
        return TTLinear.from_linear(module, ranks)
    return CONVOLUTIONS[convolution].from_conv(module, ranks)


def _of_error(named: Mapping[str, torch.nn.Module], error: float, convolution: str) -> dict[str, list[int]]:
    """Ranks by name for a relative error of each layer."""
    return {
        name: linear_ranks(module, error)
        if isinstance(module, torch.nn.Linear)
        else conv_ranks(module, error, convolution)
        for name, module in named.items()
    }


def _of_share(
    model: torch.nn.Module, named: Mapping[str, torch.nn.Module], share: float, convolution: str
) -> dict[str, list[int]]:
    """Ranks by name, of the smallest common error with which the model keeps no more than ``share`` of its numbers.

    Terms of a canonical decomposition are counted instead: each convolution keeps that share of its own.
    """
    fixed = {}
    if convolution == "cp":
        fixed = {
            name: cp_ranks_of_share(module, share)
            for name, module in named.items()
            if isinstance(module, torch.nn.Conv2d)
        }
    others = {name: module for name, module in named.items() if name not in fixed}
    total = _numbers(model)
    budget = share * total

    def kept(chosen: Mapping[str, Sequence[int]]) -> int:
        saved = 0
        for name, inner in chosen.items():
            numbers = named[name].weight.numel()
            saved += max(numbers - weights_of(named[name], inner, convolution), 0)
        return total - saved

    low, high = 0.0, 1.0 - 1e-9
    best: dict[str, list[int]] | None = None
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        chosen = {**fixed, **_of_error(others, middle, convolution)}
        if kept(chosen) <= budget:
            best, high = chosen, middle
        else:
            low = middle
    if best is None:
        least = kept({**fixed, **_of_error(others, high, convolution)}) / total
        raise ValueError(f"share {share:g} is out of reach: rank one everywhere keeps {numeral(least)} of the numbers")
    return best
