"""Errors of means over splits of the same rows."""

from __future__ import annotations

import numpy as np

DEVIATIONS = 2.0  # standard errors from which on one method is called better than another


def standard_error(values: np.ndarray, ratio: float) -> np.ndarray:
    """Of means over random splits (..., S) of the same rows, whose training rows overlap.

    sd sqrt(1 / S + test / train) (Nadeau, Bengio, Mach. Learn. 52, 239 (2003), eq. 9); ``ratio``: test over train.
    """
    count = values.shape[-1]
    return values.std(axis=-1, ddof=1) * np.sqrt(1.0 / count + ratio)


def share_error(values: np.ndarray, ratio: float, judged: int) -> np.ndarray:
    """The same of shares of ``judged`` rows in each split: at least that of so many rows drawn."""
    share = np.clip(values.mean(axis=-1), 1.0 / judged, 1.0 - 1.0 / judged)
    drawn = np.sqrt(share * (1.0 - share) / (judged * values.shape[-1]))
    return np.maximum(standard_error(values, ratio), drawn)
