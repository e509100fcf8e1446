"""Layers in low-rank formats, and minima that generalise badly: small networks on scikit-learn's digits (8 x 8 pixels).

They stand in for VGG, AlexNet and ImageNet. Needs the extras ``networks`` and ``learning``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from problems.report_parts import STANDARD, Quantity
from ttsuite.networks import TTLinear, compress

TESTS = 500  # images that judge, as in the references
BATCH = 64
WIDE = 1024  # units of the hidden layer behind 64 pixels


@dataclass(frozen=True)
class Digits:
    """Images (n, 64) between 0 and 1 and their labels, to fit and to judge with."""

    x: torch.Tensor
    y: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


def digits(seed: int) -> Digits:
    """The digits, divided by a seed."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    parts = train_test_split(data.data / 16.0, data.target, test_size=TESTS, stratify=data.target, random_state=seed)
    x, x_test = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    y, y_test = (torch.tensor(part) for part in parts[2:])
    return Digits(x, y, x_test, y_test)


def train(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    epochs: int,
    *,
    rate: float = 1e-3,
    decay: float = 0.0,
    seed: int = 0,
) -> None:
    """Fit by Adam, cross-entropy on batches of 64."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), rate, weight_decay=decay)
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=generator).split(BATCH):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimiser.step()


@torch.no_grad()
def accuracy(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of right answers."""
    return float((model(images).argmax(1) == labels).float().mean())


def _over_seeds(name: str, axis: str, scores: dict[str, list[float]]) -> Quantity:
    """Means over seeds with their standard errors, at least that of so many images drawn."""
    means = np.array([np.mean(each) for each in scores.values()])
    count = np.array([len(each) for each in scores.values()])
    spread = np.array([np.std(each, ddof=1) if len(each) > 1 else 0.0 for each in scores.values()])
    share = np.clip(means, 1.0 / TESTS, 1.0 - 1.0 / TESTS)
    errors = np.sqrt(np.maximum(spread**2, share * (1.0 - share) / TESTS) / count)
    return Quantity(name, "", axis, list(scores), means, errors, ("seeds", "images"), ("other data",), STANDARD)


def _of_rank(rank: int) -> torch.nn.Sequential:
    """A matrix of 64 x 1024 as the product of two."""
    return torch.nn.Sequential(torch.nn.Linear(64, rank, bias=False), torch.nn.Linear(rank, WIDE))


def tt_layers(seeds: int = 5, epochs: int = 80, ranks: Sequence[int] = (1, 2, 4)) -> list[Quantity]:
    """Accuracy with a hidden layer of 64 x 1024: dense, in tensor-train format, and as a matrix of the same rank."""
    torch.set_num_threads(1)
    makers: dict[str, Callable[[], torch.nn.Module]] = {"dense": partial(torch.nn.Linear, 64, WIDE)}
    for rank in ranks:
        makers[f"tt, rank {rank}"] = partial(TTLinear, 64, WIDE, rank)
        makers[f"matrix, rank {rank}"] = partial(_of_rank, rank)
    scores: dict[str, list[float]] = {name: [] for name in makers}
    numbers = []
    for seed in range(seeds):
        data = digits(seed)
        for name, make in makers.items():
            torch.manual_seed(seed)
            layer = make()
            if seed == 0:
                weights = [p.numel() for key, p in layer.named_parameters() if not key.endswith("bias")]
                numbers.append(float(sum(weights)))
            model = torch.nn.Sequential(layer, torch.nn.ReLU(), torch.nn.Linear(WIDE, 10))
            train(model, data.x, data.y, epochs, rate=2e-3, seed=seed)
            scores[name].append(accuracy(model, data.x_test, data.y_test))
    kept = np.array(numbers)
    return [
        _over_seeds("accuracy", "layer", scores),
        Quantity("numbers of the layer", "", "layer", list(scores), kept),
        Quantity("compression", "", "layer", list(scores), kept[0] / kept),
    ]


def _convolutional() -> torch.nn.Sequential:
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 8, 8)),
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(512, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 10),
    )


def compressed_convolutions(seeds: int = 3, epochs: int = 20, tuning: int = 5, share: float = 0.25) -> list[Quantity]:
    """A small convolutional network with a ``share`` of its numbers: accuracy before, at once, and fine-tuned.

    ``random``: the control, the same structure with random weights, trained as long as the others are fine-tuned.
    """
    torch.set_num_threads(1)
    scores: dict[str, list[float]] = {}

    def keep(name: str, value: float | None) -> None:
        scores.setdefault(name, []).append(float("nan") if value is None else value)

    kept = 0.0
    for seed in range(seeds):
        data = digits(seed)
        torch.manual_seed(seed)
        model = _convolutional()
        train(model, data.x, data.y, epochs, seed=seed)
        keep("before", accuracy(model, data.x_test, data.y_test))
        judge = partial(accuracy, images=data.x_test, labels=data.y_test)
        tune = partial(train, images=data.x, labels=data.y, epochs=tuning, seed=seed)
        for kind in ("cp", "tucker2", "tt"):
            found = compress(model, share=share, convolution=kind, keep=["9"], evaluate=judge, fine_tune=tune)
            keep(f"{kind}, at once", found.accuracy[1])
            keep(f"{kind}, fine-tuned", found.accuracy[2])
            kept = max(kept, found.after / found.before)
        control = found.control(seed=seed)
        train(control, data.x, data.y, tuning, seed=seed)
        keep("random, trained as long", accuracy(control, data.x_test, data.y_test))
    return [
        _over_seeds("accuracy", "network", scores),
        Quantity("share of the numbers kept, at most", "", "network", ["all"], np.array([kept])),
    ]


def sad_minima(
    seeds: int = 3,
    units: int = 512,
    fresh_epochs: int = 30,
    bad_epochs: int = 150,
    passes: Sequence[int] = (1, 10, 100),
) -> list[Quantity]:
    """Minima of the training loss that are wrong on every test image, and the way out of them.

    A network of two hidden layers is fitted to the right labels of the training set together with wrong ones of the
    test images, then to the training set alone for so many ``passes``, without and with weight decay.
    """
    torch.set_num_threads(1)
    scores: dict[str, list[float]] = {}

    def made(seed: int) -> torch.nn.Sequential:
        torch.manual_seed(seed)
        first, second = torch.nn.Linear(64, units), torch.nn.Linear(units, units)
        return torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), torch.nn.Linear(units, 10))

    def keep(name: str, value: float) -> None:
        scores.setdefault(name, []).append(value)

    for seed in range(seeds):
        data = digits(seed)
        fresh, bad = made(seed), made(seed)
        train(fresh, data.x, data.y, fresh_epochs, seed=seed)
        keep("fresh, training", accuracy(fresh, data.x, data.y))
        keep("fresh, test", accuracy(fresh, data.x_test, data.y_test))
        wrong = (data.y_test + 1) % 10
        train(bad, torch.cat([data.x, data.x_test]), torch.cat([data.y, wrong]), bad_epochs, seed=seed)
        keep("led astray, training", accuracy(bad, data.x, data.y))
        keep("led astray, test", accuracy(bad, data.x_test, data.y_test))
        state = {name: value.clone() for name, value in bad.state_dict().items()}
        for decay in (0.0, 1e-3):
            for count in passes:
                bad.load_state_dict(state)
                train(bad, data.x, data.y, count, decay=decay, seed=seed)
                keep(f"decay {decay:g}, {count} passes more", accuracy(bad, data.x_test, data.y_test))
    return [_over_seeds("accuracy", "network", scores)]
