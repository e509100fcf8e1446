"""The middle of values and their spread around it, real or complex: where a fit of noisy ones begins."""

from __future__ import annotations

import numpy as np

from solvers.optimisation.losses import robust_scale


def median(values: np.ndarray) -> complex:
    """Of complex values that of either part."""
    if np.iscomplexobj(values):
        return complex(np.median(values.real), np.median(values.imag))
    return float(np.median(values))


def start_of(values: np.ndarray, loss: str) -> complex:
    """The constant that fits best, or nearly."""
    if loss == "logistic":
        share = (float(values.sum()) + 0.5) / (len(values) + 1.0)
        return float(np.log(share / (1.0 - share)))
    return median(values) if loss == "huber" else values.mean().item()


def spread(values: np.ndarray, robust: bool) -> float:
    """The size of the values around their middle; where they are all the same, of that."""
    size = robust_scale(values - median(values)) if robust else float(values.std())
    return size if size > 0.0 else float(np.abs(values).max()) or 1.0
