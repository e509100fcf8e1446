"""Damped Newton steps of all rows of one factor at once, the other factor held.

Row i of W is the maximiser of a concave function of d numbers,

    f_i(w) - ridge |w|^2 / 2,   gradient  C^T s_i - ridge w,   minus Hessian  C^T diag(h_i) C + ridge I

with s and h of solvers.kernels.skip_gram. For a block of rows:

    1. X = W C^T, then slopes and curvatures in every entry.
    2. The Hessians of all rows are one product H O, where row j of O has the d (d + 1) / 2 products of c_j with itself.
    3. The Newton steps; a row whose value would fall takes half of its own, again and again.
Cost n m d (d + 1) flops a step, all in one product of matrices, and n d^3 / 3 for the solves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solvers.kernels.skip_gram import row_slopes, row_values
from solvers.optimisation.skip_gram.problem import SkipGram

OUTER = 2**22  # numbers of O, and of the Hessians of a block, that are held at once: 32 MB
HALVINGS = 30  # of a step, before a row is left as it is
NOISE = 1e-13  # relative rounding error of a row's value
SINGULAR = 1e-13  # of the mean eigenvalue of a Hessian, added to its diagonal: directions that no count determines


def newton_step(problem: SkipGram, words: np.ndarray, contexts: np.ndarray, ridge: float) -> tuple[np.ndarray, float]:
    """New rows (n, d) in the place of ``words``, and the increase of the sum of f_i - ridge |w_i|^2 / 2 it brings."""
    new = np.empty_like(words)
    gained = 0.0
    for part in _blocks(problem, words.shape[1]):
        new[part], more = _block_step(problem, words, contexts, ridge, part)
        gained += more
    return new, gained


def _block_step(
    problem: SkipGram, words: np.ndarray, contexts: np.ndarray, ridge: float, part: slice
) -> tuple[np.ndarray, float]:
    """The same for the rows of a block."""
    # 1 slopes and curvatures
    start = words[part]
    slopes = start @ contexts.T
    curvature = np.empty_like(slopes)
    before = row_slopes(slopes, *problem.compressed, part.start, curvature) - _penalty(start, ridge)
    # 2 gradients and Hessians
    gradient = slopes @ contexts - ridge * start
    hessian = _hessians(curvature, contexts)
    d = words.shape[1]
    diagonal = np.arange(d)
    mean = np.maximum(hessian[:, diagonal, diagonal].mean(axis=1), np.finfo(float).tiny / SINGULAR)
    hessian[:, diagonal, diagonal] += ridge + SINGULAR * mean[:, None]
    # 3 steps, halved where the value falls
    step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    step[~np.isfinite(step).all(axis=1)] = 0.0
    after = before.copy()
    found = start.copy()
    left = np.ones(len(start), dtype=bool)
    for _ in range(HALVINGS):
        trial = np.where(left[:, None], start + step, found)
        value = _values(problem, trial, contexts, part) - _penalty(trial, ridge)
        better = left & (value >= before - NOISE * np.abs(before))
        found[better], after[better] = trial[better], value[better]
        left &= ~better
        if not left.any():
            break
        step *= 0.5
    return found, float(np.sum(after - before))


def _values(problem: SkipGram, rows: np.ndarray, contexts: np.ndarray, part: slice) -> np.ndarray:
    return row_values(rows @ contexts.T, *problem.compressed, part.start)


def _penalty(rows: np.ndarray, ridge: float) -> np.ndarray:
    return 0.5 * ridge * np.einsum("ij,ij->i", rows, rows)


def _hessians(curvature: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """sum_j h_ij c_j c_j^T of every row, (p, d, d)."""
    p, (m, d) = len(curvature), contexts.shape
    upper = np.triu_indices(d)
    packed = np.zeros((p, len(upper[0])))
    size = max(1, OUTER // len(upper[0]))
    for first in range(0, m, size):
        part = contexts[first : first + size]
        packed += curvature[:, first : first + size] @ (part[:, upper[0]] * part[:, upper[1]])
    found = np.empty((p, d, d))
    found[:, upper[0], upper[1]] = packed
    found[:, upper[1], upper[0]] = packed
    return found


def _blocks(problem: SkipGram, d: int) -> Iterator[slice]:
    """Ranges of rows whose entries, and whose Hessians, fit."""
    n = problem.shape[0]
    first = next(iter(problem.blocks()))
    size = max(1, min(first.stop - first.start, OUTER // d**2))
    return (slice(first, min(first + size, n)) for first in range(0, n, size))
