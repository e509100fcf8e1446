"""Score functions of patches fitted by minibatch Adam, with noise while fitting.

    1. Rows in random order, B at a time, the last rest included; pixels get normal noise, patches are dropped.
    2. The mean loss and its gradient, analytically (solvers.learning.patches).
    3. Adam: moments m, v of the gradient; step rate * m / (sqrt(v) + eps), both without bias. The weights decay by
       rate * decay apart from the gradient. The rate falls as half a cosine to nothing over the epochs.

Kingma, Ba, ICLR 2015, algorithm 1; Loshchilov, Hutter, ICLR 2019, algorithm 2 (decay apart, cosine).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.learning import losses
from solvers.learning.losses import Loss
from solvers.learning.patches import Format, Parameters, begin, gradients, scores

FIRST, SECOND, EPS = 0.9, 0.999, 1e-8  # of the moments
EVALUATED = 4096  # rows at a time


@dataclass(frozen=True)
class Descent:
    """How score functions are fitted.

    ``epochs`` passes over the rows, ``batch`` rows a step, ``rate``: first learning rate; ``decay``: of the weights;
    ``pixel_noise``: deviation of normal numbers added to the pixels; ``patch_dropout``: share of patches left out.

    Raises ValueError where a value is impossible.
    """

    epochs: int = 40
    batch: int = 50
    rate: float = 0.01
    decay: float = 0.0
    pixel_noise: float = 0.0
    patch_dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"Descent: {name} is {getattr(self, name)}; give at least 1")
        if not (math.isfinite(self.rate) and self.rate > 0.0):
            raise ValueError(f"Descent: rate is {self.rate}; give a number above zero, such as 0.01")
        for name in ("decay", "pixel_noise"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0.0):
                raise ValueError(f"Descent: {name} is {getattr(self, name)}; give a number of at least zero")
        if not 0.0 <= self.patch_dropout < 1.0:
            raise ValueError(f"Descent: patch_dropout is {self.patch_dropout}; give a share of at least 0, below 1")


@dataclass(frozen=True, eq=False)
class ScoreFunction:
    """A fitted model, and the mean loss over each epoch, noise included."""

    form: Format
    parameters: Parameters
    losses: tuple[float, ...]

    def scores(self, x: np.ndarray) -> np.ndarray:
        """(N, K) of patches x (p, N, size)."""
        parts = range(0, x.shape[1], EVALUATED)
        return np.concatenate([scores(self.form, self.parameters, x[:, s : s + EVALUATED]) for s in parts])


def learn(
    x: np.ndarray,
    targets: np.ndarray,
    loss: Loss,
    *,
    form: Format,
    width: int,
    features: int = 8,
    how: Descent,
    seed: int,
    told: Callable[[int, float], None] | None = None,
) -> ScoreFunction:
    """Fit ``form`` of ``width`` to patches x (p, N, size) and ``targets`` (N,); ``told``: (epoch, loss) after each.

    Cost: epochs N / batch passes forth and back.
    """
    losses.check_loss(loss)
    patches, rows, size = x.shape
    count = losses.outputs(loss, targets)
    parameters = begin(form, patches, size, features, width, count, seed)
    rng = np.random.default_rng([seed, 1])
    first = {name: np.zeros_like(array) for name, array in parameters.items()}
    second = {name: np.zeros_like(array) for name, array in parameters.items()}
    each = -(-rows // how.batch)
    history: list[float] = []
    step = 0
    for epoch in range(how.epochs):
        order, total = rng.permutation(rows), 0.0
        for part in np.array_split(order, each):
            seen, wanted = x[:, part], targets[part]
            if how.pixel_noise > 0.0:
                seen = seen + how.pixel_noise * rng.standard_normal(seen.shape)
            dropped = rng.random(seen.shape[:2]) < how.patch_dropout if how.patch_dropout > 0.0 else None
            at, slopes, _ = gradients(form, parameters, seen, _slope(loss, wanted), dropped)
            total += losses.value(loss, at, wanted) * len(part)
            step += 1
            rate = how.rate * 0.5 * (1.0 + math.cos(math.pi * step / (how.epochs * each + 1)))
            for name, array in parameters.items():
                _adam(array, slopes[name], first[name], second[name], step, rate, how.decay)
        history.append(total / rows)
        if told is not None:
            told(epoch + 1, history[-1])
    return ScoreFunction(form, parameters, tuple(history))


def _slope(loss: Loss, targets: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda at: losses.derivatives(loss, at, targets)[0] / len(targets)


def _adam(
    array: np.ndarray, slope: np.ndarray, first: np.ndarray, second: np.ndarray, step: int, rate: float, decay: float
) -> None:
    """One step in place."""
    first += (1.0 - FIRST) * (slope - first)
    second += (1.0 - SECOND) * (slope * slope - second)
    moved = first / (1.0 - FIRST**step)
    array -= rate * (moved / (np.sqrt(second / (1.0 - SECOND**step)) + EPS) + decay * array)


def cut_into_patches(images: np.ndarray, patch: tuple[int, int]) -> np.ndarray:
    """Patches (p, N, size) of images (N, rows, columns), row by row.

    Raises ValueError where the patches do not fill the image.
    """
    count, rows, columns = images.shape
    if rows % patch[0] or columns % patch[1]:
        raise ValueError(f"patches of {patch[0]} x {patch[1]} pixels do not fill images of {rows} x {columns}")
    cut = images.reshape(count, rows // patch[0], patch[0], columns // patch[1], patch[1])
    return np.ascontiguousarray(cut.transpose(1, 3, 0, 2, 4).reshape(-1, count, patch[0] * patch[1]))
