"""The losses of scores, each with gradient and curvature.

    squared    (f - y)^2 / 2               y a number
    logistic   log(1 + exp f) - y f        y 0 or 1
    softmax    log sum_c exp f_c - f_y     y the number of a class

Scores are (N, K), with K = 1 for the first two. All three are convex in the scores, so a model that is linear in one of
its parts has a convex fit of that part. The curvature of the softmax in the scores is diag(p) - p p^T.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

Loss: TypeAlias = Literal["squared", "logistic", "softmax"]
LOSSES: tuple[Loss, ...] = ("squared", "logistic", "softmax")
RARE = 1e-6  # share below which no class is taken to be, so that its logarithm stays finite


def check_loss(loss: str) -> None:
    """Raises ValueError for the name of no loss."""
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}; give one of {', '.join(LOSSES)}")


def outputs(loss: Loss, targets: np.ndarray) -> int:
    """Number K of scores a row."""
    return int(targets.max()) + 1 if loss == "softmax" else 1


def offset(loss: Loss, targets: np.ndarray, count: int) -> np.ndarray:
    """Scores (K,) of the best constant: the mean, the logarithm of the odds, those of the classes' shares."""
    if loss == "squared":
        return np.array([targets.mean()])
    if loss == "logistic":
        share = np.clip(targets.mean(), RARE, 1.0 - RARE)
        return np.array([np.log(share / (1.0 - share))])
    shares = np.bincount(targets, minlength=count) / len(targets)
    return np.log(np.maximum(shares, RARE))


def value(loss: Loss, scores: np.ndarray, targets: np.ndarray) -> float:
    """The mean loss of scores (N, K)."""
    if loss == "squared":
        return float(0.5 * np.mean((scores[:, 0] - targets) ** 2))
    if loss == "logistic":
        return float(np.mean(np.logaddexp(0.0, scores[:, 0]) - targets * scores[:, 0]))
    largest = scores.max(axis=1)
    total = largest + np.log(np.exp(scores - largest[:, None]).sum(axis=1))
    return float(np.mean(total - scores[np.arange(len(scores)), targets]))


def probabilities(loss: Loss, scores: np.ndarray) -> np.ndarray:
    """Of each class (N, C); of two where the loss is logistic. Raises ValueError for the squared loss."""
    if loss == "squared":
        raise ValueError("scores of the squared loss are no probabilities")
    if loss == "logistic":
        one = _sigmoid(scores[:, 0])
        return np.stack([1.0 - one, one], axis=1)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def derivatives(loss: Loss, scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (N, K) of each row's loss in its scores, and the weights (N, K): its curvature for K = 1, else p."""
    if loss == "squared":
        return scores - targets[:, None], np.ones_like(scores)
    if loss == "logistic":
        p = _sigmoid(scores)
        return p - targets[:, None], p * (1.0 - p)
    p = probabilities(loss, scores)
    gradient = p.copy()
    gradient[np.arange(len(p)), targets] -= 1.0
    return gradient, p


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -x))
