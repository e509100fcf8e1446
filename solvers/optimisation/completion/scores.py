"""How well entries are predicted: RMSE, MAE, NDCG@k, log loss and accuracy, with the spread of each.

A score is a function of means over entries (over rows for NDCG); its standard deviation over such entries is that of
its linearisation, each unit's influence (the infinitesimal jackknife, Efron, The Jackknife, the Bootstrap and Other
Resampling Plans (1982), chapter 6), and that of a difference of two predictions of the same entries the spread of the
difference of influences. NDCG@k: with the true values as gains and the discount 1 / log2(1 + place), the sum over the k
entries of a row (an index of the first mode) that are predicted highest, over the largest such sum; tied predictions
share their places; rows of one entry, or of gains that are all zero, tell nothing and are left out. Järvelin and
Kekäläinen, ACM Transactions on Information Systems 20, 422 (2002).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

PLAIN = ("rmse", "mae", "log_loss", "accuracy")
_RANKED = re.compile(r"ndcg@([1-9][0-9]{0,3})")
SMALLEST = 1e-15  # probability, whose logarithm is still taken


@dataclass(frozen=True)
class Score:
    """A score, and the influence of every entry or row on it, of mean zero."""

    value: float
    influence: np.ndarray

    @property
    def uncertainty(self) -> float:
        """Its standard deviation."""
        return _deviation(self.influence)

    def less(self, other: Score) -> tuple[float, float]:
        """This less the other, of the same entries, and the standard deviation of that."""
        return self.value - other.value, _deviation(self.influence - other.influence)


def known(name: str) -> bool:
    """Whether there is a score of this name."""
    return name in PLAIN or _RANKED.fullmatch(name) is not None


def ranked(name: str) -> int | None:
    """The k of ndcg@k, or None."""
    found = _RANKED.fullmatch(name)
    return int(found[1]) if found else None


def score(name: str, found: np.ndarray, true: np.ndarray, rows: np.ndarray) -> Score | None:
    """The score called ``name`` of predictions (m,) beside true values (m,); ``rows`` (m,): the first index of each.

    None where nothing can be told: no row has two entries to be put in order. Raises ValueError for an unknown name.
    """
    if name == "rmse":
        squares = (found - true) ** 2
        value = float(np.sqrt(squares.mean()))
        return Score(value, (squares - squares.mean()) / (2.0 * value) if value > 0.0 else np.zeros_like(squares))
    if name == "mae":
        return _mean(np.abs(found - true))
    if name == "log_loss":
        p = np.clip(np.where(true > 0.5, found, 1.0 - found), SMALLEST, 1.0)
        return _mean(-np.log(p))
    if name == "accuracy":
        return _mean(((found > 0.5) == (true > 0.5)).astype(float))
    k = ranked(name)
    if k is None:
        raise ValueError(f"no score is called {name!r}: give rmse, mae, ndcg@10, log_loss or accuracy")
    each = _ndcg(found, true, rows, k)
    return _mean(each) if len(each) else None


def _mean(each: np.ndarray) -> Score:
    return Score(float(each.mean()), each - each.mean())


def _deviation(influence: np.ndarray) -> float:
    return float(influence.std(ddof=1) / np.sqrt(len(influence))) if len(influence) > 1 else float("nan")


def _ndcg(found: np.ndarray, true: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Of every row that can be put in order."""
    order = np.argsort(rows, kind="stable")
    each = []
    for own in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
        gains, predicted = true[own], found[own]
        discount = 1.0 / np.log2(np.arange(2.0, len(own) + 2.0))
        discount[k:] = 0.0
        best = float(np.sort(gains)[::-1] @ discount)
        if len(own) < 2 or not best > 0.0:
            continue
        _, group, count = np.unique(-predicted, return_inverse=True, return_counts=True)
        total = np.concatenate(([0.0], np.cumsum(discount)))
        ends = np.cumsum(count)
        shared = (total[ends] - total[ends - count]) / count
        each.append(float(gains @ shared[group]) / best)
    return np.array(each)
