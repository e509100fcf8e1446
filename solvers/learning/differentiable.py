"""Learners that tell classes apart by scores, with exact Jacobians of their layers in their inputs, in numpy.

    J v = (J_1 v, ..., J_B v),   J^T u = sum_b J_b^T u_b,   J_b = d f(x_b) / d x of a layer f, inputs x_1 ... x_B

    Network               a_k = max(a_{k-1} W_k + c_k, 0), the last layer without the maximum; no hidden one: softmax
                          regression. Layers: "layer 1", ..., "logits"
    PatchScores           score functions of patches (solvers.learning.patches). Layers: "layer 1" (features), "logits"
    InteractionScores     a train of functions of the fields (solvers.learning.interactions). Layer: "logits"

A maximum has the slope 0 where it is zero, a number at the end of its range that inside, a category none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from solvers.learning.descent import cut_into_patches
from solvers.learning.fields import SCALE, Field, Number, functions_of
from solvers.learning.losses import Loss
from solvers.learning.patches import Format, Parameters, forward, represented, scores

LOGITS = "logits"
EVALUATED = 4096  # rows at a time


class Differentiable(ABC):
    """A learner; ``layers``: names of what its Jacobians are of, the scores last; ``size``: numbers d of an input."""

    layers: tuple[str, ...]
    size: int

    @abstractmethod
    def outputs(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        """(B, m) of inputs (B, d)."""

    @abstractmethod
    def rows(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        """The Jacobians (B, m, d) at inputs (B, d)."""

    def forward(self, x: np.ndarray, layer: str, v: np.ndarray) -> np.ndarray:
        """J v (B, m, s) of v (d, s)."""
        return self.rows(x, layer) @ v

    def transposed(self, x: np.ndarray, layer: str, u: np.ndarray) -> np.ndarray:
        """J^T u (d, s) of u (B, m, s)."""
        return np.tensordot(self.rows(x, layer), u, ((0, 1), (0, 1)))

    @property
    def loss(self) -> Loss:
        """What its scores are fitted by."""
        return "logistic" if self.scores == 1 else "softmax"

    @property
    @abstractmethod
    def scores(self) -> int:
        """Their number K: one where there are two classes."""

    def labels(self, x: np.ndarray) -> np.ndarray:
        """The most probable class (B,)."""
        parts = [self.outputs(x[s : s + EVALUATED]) for s in range(0, len(x), EVALUATED)]
        found = np.concatenate(parts) if parts else np.zeros((0, self.scores))
        return (found[:, 0] > 0.0).astype(int) if self.scores == 1 else found.argmax(axis=1)

    def check_layer(self, layer: str) -> None:
        """ValueError for the name of no layer."""
        if layer not in self.layers:
            raise ValueError(f"there is no {layer!r}; the layers are {', '.join(self.layers)}")


class Network(Differentiable):
    """``weights`` W_k (n_{k-1}, n_k) and ``offsets`` c_k (n_k,); ``categories``: of each column of an input how many
    there are, 0 for numbers: the first layer sees the numbers, then an indicator of every category.

    Products cost 2 sum_k n_{k-1} n_k flops an input and vector. Raises ValueError for sizes that do not fit.
    """

    def __init__(
        self, weights: Sequence[np.ndarray], offsets: Sequence[np.ndarray], categories: Sequence[int] = ()
    ) -> None:
        self.weights, self.offsets = list(weights), list(offsets)
        first = self.weights[0].shape[0]
        self.categories = list(categories) or [0] * first
        self.size = len(self.categories)
        self.layers = (*(f"layer {k + 1}" for k in range(len(self.weights) - 1)), LOGITS)
        numbers = [k for k, count in enumerate(self.categories) if not count]
        widths = [first, *(w.shape[1] for w in self.weights)]
        fits = all(w.shape[0] == n for w, n in zip(self.weights, widths)) and first == len(numbers) + sum(categories)
        if not fits or [len(c) for c in self.offsets] != widths[1:]:
            raise ValueError(f"weights of shapes {[w.shape for w in self.weights]} do not follow each other")
        self.numbers = np.array(numbers, dtype=np.int64)

    @property
    def scores(self) -> int:
        return self.weights[-1].shape[1]

    @property
    def _first(self) -> np.ndarray:
        """Weights of the numbers, which alone have slopes."""
        return self.weights[0][: len(self.numbers)]

    def _expanded(self, x: np.ndarray) -> np.ndarray:
        if len(self.numbers) == self.size:
            return x
        found = np.zeros((len(x), self.weights[0].shape[0]))
        at = len(self.numbers)
        found[:, :at] = x[:, self.numbers]
        for k, count in enumerate(self.categories):
            if count:
                codes = x[:, k].astype(np.int64)
                known = np.flatnonzero((codes >= 0) & (codes < count))
                found[known, at + codes[known]] = 1.0
                at += count
        return found

    def _at_numbers(self, along: np.ndarray) -> np.ndarray:
        """Of (..., numbers): (..., d), zero at categories."""
        found = np.zeros((*along.shape[:-1], self.size))
        found[..., self.numbers] = along
        return found

    def _passes(self, x: np.ndarray, layer: str) -> tuple[list[np.ndarray], np.ndarray]:
        """Slopes 0 and 1 of each hidden layer up to ``layer``, and its outputs."""
        self.check_layer(layer)
        last, at = self.layers.index(layer), self._expanded(x)
        slopes = []
        for k in range(last + 1):
            at = at @ self.weights[k] + self.offsets[k]
            if k < len(self.weights) - 1:
                slopes.append((at > 0.0).astype(float))
                at = at * slopes[-1]
        return slopes, at

    def outputs(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        return self._passes(x, layer)[1]

    def forward(self, x: np.ndarray, layer: str, v: np.ndarray) -> np.ndarray:
        slopes, _ = self._passes(x, layer)
        first = v[self.numbers].T @ self._first  # (s, n_1), the same at all inputs
        along = np.broadcast_to(first, (len(x), *first.shape))
        for k in range(self.layers.index(layer) + 1):
            if k:
                along = along @ self.weights[k]
            if k < len(slopes):
                along = along * slopes[k][:, None, :]
        return along.transpose(0, 2, 1)

    def _back(self, x: np.ndarray, layer: str, u: np.ndarray) -> np.ndarray:
        """Of u (B, m, s): what comes back to the first layer, (B, s, n_1)."""
        slopes, _ = self._passes(x, layer)
        back = u.transpose(0, 2, 1)
        for k in range(self.layers.index(layer), -1, -1):
            if k < len(slopes):
                back = back * slopes[k][:, None, :]
            if k:
                back = back @ self.weights[k].T
        return back

    def transposed(self, x: np.ndarray, layer: str, u: np.ndarray) -> np.ndarray:
        return self._at_numbers(self._back(x, layer, u).sum(axis=0) @ self._first.T).T

    def rows(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        self.check_layer(layer)
        m = self.weights[self.layers.index(layer)].shape[1]
        if m > self.size:
            return self.forward(x, layer, np.eye(self.size))
        each = np.broadcast_to(np.eye(m), (len(x), m, m))
        return self._at_numbers(self._back(x, layer, each) @ self._first.T)


class PatchScores(Differentiable):
    """A score function in a ``form`` with ``parameters``; an input x is (x - ``centre``) / ``scale``, cut into patches
    where it is an ``image``, else a patch a number.

    A Jacobian of the scores costs K passes forth and back, that of the features a product.
    """

    layers = ("layer 1", LOGITS)

    def __init__(
        self,
        form: Format,
        parameters: Parameters,
        centre: np.ndarray,
        scale: np.ndarray,
        image: tuple[int, int] | None,
        patch: tuple[int, int],
        size: int,
    ) -> None:
        self.form, self.parameters, self.size = form, parameters, size
        self.centre, self.scale = np.broadcast_to(centre, size), np.broadcast_to(scale, size)
        columns = np.arange(size)
        self.columns = columns[:, None] if image is None else cut_into_patches(columns.reshape(1, *image), patch)[:, 0]

    @property
    def scores(self) -> int:
        return self.parameters["class"].shape[1]

    def _patches(self, x: np.ndarray) -> np.ndarray:
        """(p, B, pixels of a patch)."""
        scaled = (x - self.centre) / self.scale
        return np.ascontiguousarray(scaled[:, self.columns].transpose(1, 0, 2))

    def outputs(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        self.check_layer(layer)
        if layer == LOGITS:
            return scores(self.form, self.parameters, self._patches(x))
        features = represented(self.parameters, self._patches(x))[:, :, 1:]
        return features.transpose(1, 0, 2).reshape(len(x), -1)

    def rows(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        self.check_layer(layer)
        phi = represented(self.parameters, self._patches(x))
        slopes, weights = (phi[:, :, 1:] > 0.0).astype(float), self.parameters["A"]
        patches, count, features = slopes.shape
        if layer != LOGITS:
            found = np.zeros((count, patches, features, self.size))
            for k, columns in enumerate(self.columns):
                found[:, k, :, columns] = (slopes[k][:, :, None] * weights.T).transpose(2, 0, 1)
            return found.reshape(count, patches * features, self.size) / self.scale
        _, backward = forward(self.form, self.parameters, phi)
        found = np.zeros((count, self.scores, self.size))
        for y in range(self.scores):
            _, of_features = backward(np.broadcast_to(np.eye(self.scores)[y], (count, self.scores)))
            of_patches = (of_features[:, :, 1:] * slopes) @ weights.T
            for k, columns in enumerate(self.columns):
                found[:, y, columns] = of_patches[k]
        return found / self.scale


class InteractionScores(Differentiable):
    """All interactions of ``fields``; ``cores`` (a, n, b): the coefficients of ``functions_of`` them, the scores last.

    A Jacobian costs O(d n r^2) an input and score, by the left and right parts of the train.
    """

    layers = (LOGITS,)

    def __init__(self, fields: Sequence[Field], cores: Sequence[np.ndarray]) -> None:
        self.fields, self.cores, self.size = list(fields), list(cores), len(fields)

    @property
    def scores(self) -> int:
        return self.cores[-1].shape[1]

    def outputs(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        self.check_layer(layer)
        left = np.ones((len(x), 1))
        for core, phi in zip(self.cores, functions_of(self.fields, x)):
            left = np.einsum("sa,anb,sn->sb", left, core, phi, optimize=True)
        return left @ self.cores[-1][:, :, 0]

    def rows(self, x: np.ndarray, layer: str = LOGITS) -> np.ndarray:
        self.check_layer(layer)
        sites = [
            np.tensordot(phi, core, (1, 1)) for core, phi in zip(self.cores, functions_of(self.fields, x))
        ]  # (B, a, b)
        right = np.broadcast_to(self.cores[-1][:, :, 0], (len(x), *self.cores[-1].shape[:2]))
        rights = [right]
        for site in sites[:0:-1]:
            rights.append(np.matmul(site, rights[-1]))
        found, left = np.zeros((len(x), self.scores, self.size)), np.ones((len(x), 1))
        for k, (field, core, site) in enumerate(zip(self.fields, self.cores, sites)):
            if isinstance(field, Number) and field.deviation > 0.0:
                inside = (x[:, k] >= field.low) & (x[:, k] <= field.high)
                slope = (left @ core[:, 1]) * (inside * (SCALE / field.deviation))[:, None]
                found[:, :, k] = np.matmul(slope[:, None, :], rights[-1 - k])[:, 0]
            left = np.matmul(left[:, None, :], site)[:, 0]
        return found
