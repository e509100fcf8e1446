"""What an embedding is: one vector a word and one a context, in the gauge that treats both alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers.cards import Card, Fact, ends, size
from solvers.formats.trains.tensor_train import TensorTrain


@dataclass(frozen=True, eq=False)
class Embedding(Card):
    """``words`` (n, d) and ``contexts`` (m, d) with X = words @ contexts.T.

    Both are orthogonal bases times the square roots of the singular values of X: words.T @ words and
    contexts.T @ contexts are the same diagonal matrix.
    """

    words: np.ndarray
    contexts: np.ndarray

    @classmethod
    def balanced(cls, words: np.ndarray, contexts: np.ndarray) -> Embedding:
        """The same X in that gauge: of all factors of X those with the least sum of squares. Cost O((n + m) d^2)."""
        left, first = np.linalg.qr(words)
        right, second = np.linalg.qr(contexts)
        u, values, vt = np.linalg.svd(first @ second.T)
        roots = np.sqrt(values)
        # the sign of a singular vector is nobody's: the largest entry of each word's column is positive
        u = left @ u
        signs = np.where(u[np.argmax(np.abs(u), axis=0), np.arange(len(roots))] < 0.0, -1.0, 1.0)
        return cls(u * (roots * signs), right @ vt.T * (roots * signs))

    @property
    def rank(self) -> int:
        """d, the length of a vector."""
        return self.words.shape[1]

    @cached_property
    def singular_values(self) -> np.ndarray:
        """The d singular values of X, the largest first."""
        return np.linalg.norm(self.words, axis=0) * np.linalg.norm(self.contexts, axis=0)

    @property
    def train(self) -> TensorTrain:
        """X as a train of two cores."""
        return TensorTrain((self.words[None], self.contexts.T[:, :, None]))

    def worded(self) -> list[Fact]:
        """Sizes and singular values."""
        values = ends([size(value) for value in self.singular_values])
        shape = f"{len(self.words)} x {len(self.contexts)}"
        return [("words x contexts", shape), ("rank", str(self.rank)), ("singular values", values)]


def directions(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; a row of zeros stays."""
    sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(sizes > 0.0, sizes, 1.0)


def neighbours(vectors: np.ndarray, asked: np.ndarray, count: int) -> np.ndarray:
    """The ``count`` rows that point most nearly where each row ``asked`` (q,) does, by cosine, itself left out:
    (q, count), the nearest first. Cost O(q n d)."""
    unit = directions(vectors)
    cosines = unit[asked] @ unit.T
    cosines[np.arange(len(asked)), asked] = -np.inf
    count = min(count, len(vectors) - 1)
    first = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(cosines, first, axis=1), axis=1, kind="stable")
    return np.take_along_axis(first, order, axis=1)
