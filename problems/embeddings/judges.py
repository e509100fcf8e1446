"""What vectors are judged by: pairs that were not fitted, neighbours that stay, and lists of similar words.

Held-out pairs: the mean of log sigma(X_wc) + k sum_c' q_c' log sigma(-X_wc') over them, q the shares of the contexts in
the fitted part: the objective a pair, linear in the text, so that its error is that of a ratio of sums over blocks.
Lists: Spearman's correlation of cosines with scores, its error from pairs drawn again, paired between methods.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.embeddings.data import HeldOut
from problems.published import published
from solvers.optimisation.skip_gram.embedding import Embedding, directions
from solvers.optimisation.skip_gram.problem import SkipGram

DRAWS = 1000  # of the pairs of a list
LEAST_PAIRS = 50  # of a list, to claim anything by
SURE = 2.0  # standard deviations of a difference that is claimed


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """The correlation of one method on one list; ``pairs`` of it have both words. ``error``: one standard deviation."""

    list_name: str = published(key="list")
    pairs: int = published()
    listed: int = published()
    rho: float = published()
    error: float = published()


def held_out_values(e: Embedding, fitted: SkipGram, held: HeldOut) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the values, and numbers of pairs, of each group (g,)."""
    x = np.einsum("ij,ij->i", e.words[held.rows], e.contexts[held.columns])
    word_part = np.empty(len(e.words))
    negatives = float(fitted.rows.sum() * fitted.columns.sum()) / fitted.pairs
    for part in fitted.blocks():
        word_part[part] = -np.logaddexp(0.0, e.words[part] @ e.contexts.T) @ fitted.columns
    values = held.counts * (-np.logaddexp(0.0, -x) + negatives * word_part[held.rows])
    groups, numbers = np.unique(held.groups, return_inverse=True)
    sums = np.bincount(numbers, values, len(groups))
    return sums, np.bincount(numbers, held.counts, len(groups))


def ratio_error(sums: np.ndarray, counts: np.ndarray) -> float:
    """One standard deviation of sums.sum() / counts.sum() over groups that could have been others; NaN for one."""
    g = len(sums)
    if g < 2:
        return float("nan")
    mean = sums.sum() / counts.sum()
    return float(np.sqrt(g / (g - 1) * np.sum((sums - mean * counts) ** 2)) / counts.sum())


def cosines(e: Embedding, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of pairs of words (t,)."""
    unit = directions(e.words)
    return np.einsum("ij,ij->i", unit[first], unit[second])


def correlations(found: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Spearman's correlation, and that of ``DRAWS`` draws of the pairs; of a generator in the same state the same
    draws, so that two methods can be compared draw by draw."""
    t = len(scores)
    if t < 3:
        return float("nan"), np.full(DRAWS, np.nan)
    chosen = rng.integers(0, t, (DRAWS, t))
    return _spearman(found[None], scores[None])[0], _spearman(found[chosen], scores[chosen])


def _spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata  # a second to import

    a, b = rankdata(x, axis=1), rankdata(y, axis=1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.where(size > 0.0, (a * b).sum(axis=1) / np.where(size > 0.0, size, 1.0), 0.0)


def kept_shares(first: np.ndarray, again: np.ndarray) -> np.ndarray:
    """Of neighbours (q, k), whether each is among those of another text ``again`` (q, k): (q, k)."""
    return (first[:, :, None] == again[:, None, :]).any(axis=2).astype(float)
