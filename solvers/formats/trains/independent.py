"""One-mode matrices that others span, and products multiplied out over those that remain.

With dependent matrices (S+, S- and X; 1, n and 1 - n) one operator has many tables of products, and the rank of a table
is not the TT-rank. Every dependent matrix is therefore expressed by independent ones of its mode. These are taken in
the order given, but the most independent first, so that the expressions stay well conditioned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.linalg import lstsq

PASSES = (0.3, 1e-2, 1e-4, 1e-7, 1e-10)  # what must be left of a matrix of norm one to be taken in this pass
DEPENDENT = 1e-13  # what is left of a dependent one; products and changes of basis leave some 1e-15 of round-off
LARGEST_WEIGHT = 1e3  # of an expression: beyond it digits are lost, and the matrix is better kept as it is
CANCELLED = 1e-14  # of the sum of a product's parts: expressions are right to a few units of round-off
GROWTH = 4  # times as many products, at most: beyond it ranks are those of the table as it was given

Expansion = list[tuple[int, float]]  # (index of an independent matrix, coefficient)
Expansions = dict[int, Expansion]


def schur_norms(stack: np.ndarray) -> np.ndarray:
    """sqrt(||A||_1 ||A||_inf) of each matrix (P, n, n) -> (P,): a bound of the operator norm, exact for diagonals."""
    size = np.abs(stack)
    with np.errstate(over="ignore"):
        return np.sqrt(size.sum(axis=1).max(axis=1)) * np.sqrt(size.sum(axis=2).max(axis=1))


def independent(stack: np.ndarray, used: Sequence[int]) -> tuple[Expansions, dict[int, float]]:
    """Each matrix ``used`` of ``stack`` (P, n, n) expressed by independent ones of them, and the norm of what is left.

    An independent one is expressed by itself, a zero matrix by nothing. Cost O(P rank n^2).
    """
    expansions: Expansions = {p: [] for p in used}
    left = dict.fromkeys(used, 0.0)
    order = [p for p in used if stack[p].any()]
    if not order:
        return expansions, left
    flat = stack[order].reshape(len(order), -1)
    tops = np.abs(flat).max(axis=1)  # first, as squares may leave the range of double precision
    norms = tops * np.linalg.norm(flat / tops[:, None], axis=1)
    unit = flat / tops[:, None] / (norms / tops)[:, None]
    chosen = _spanning(unit)
    for i, p in enumerate(order):
        if i in chosen:
            expansions[p] = [(p, 1.0)]
            continue
        x = lstsq(unit[chosen].T, unit[i])[0]
        x[np.abs(x) < DEPENDENT] = 0.0
        rest = unit[i] - x @ unit[chosen]
        if np.abs(x).max() > LARGEST_WEIGHT or np.linalg.norm(rest) > DEPENDENT:
            expansions[p] = [(p, 1.0)]
            continue
        expansions[p] = [(order[j], c * (norms[i] / norms[j])) for j, c in zip(chosen, x) if c != 0]
        left[p] = float(schur_norms(rest.reshape(1, *stack.shape[1:]))[0] * norms[i])
    return expansions, left


def _spanning(unit: np.ndarray) -> list[int]:
    """Rows (of norm one) that span all of them, by Gram-Schmidt in passes of falling demands; the first row is one."""
    rest = unit.copy()
    chosen: list[int] = []
    basis = np.zeros((0, unit.shape[1]), dtype=unit.dtype)
    for demand in (*PASSES, DEPENDENT):
        for i in range(len(unit)):
            if i in chosen or np.linalg.norm(rest[i]) <= demand:
                continue
            q = rest[i] - (basis.conj() @ rest[i]) @ basis  # again, as subtracting left round-off of the basis
            q /= np.linalg.norm(q)
            chosen.append(i)
            basis = np.vstack([basis, q])
            rest = rest - np.outer(rest @ q.conj(), q)
    return sorted(chosen)


def multiplied_out(
    keys: np.ndarray, values: np.ndarray, expansions: Sequence[Expansions], sizes: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """The products ``keys`` (T, d) with coefficients ``values`` (T,) over independent matrices, and what was dropped.

    Parts that cancel to CANCELLED of their sum are dropped; the bound is in the operator norm, with ``sizes[k]`` (P,)
    the norms of the matrices. None where there would be more than GROWTH times as many products.
    """
    lengths = [np.array([len(one.get(p, ())) for p in range(len(size))]) for one, size in zip(expansions, sizes)]
    count = np.prod([length[keys[:, k]] for k, length in enumerate(lengths)], axis=0, dtype=float)
    if count.sum() > GROWTH * len(keys) + 1000:
        return None
    table: dict[tuple[int, ...], list] = {}
    for key, value in zip(keys.tolist(), values.tolist()):
        partial: list[tuple[tuple[int, ...], complex]] = [((), value)]
        for k, p in enumerate(key):
            partial = [((*start, j), c * x) for start, c in partial for j, x in expansions[k][p]]
        for product, c in partial:
            table.setdefault(product, []).append(c)
    dropped = 0.0
    summed = {}
    for product, parts in table.items():
        total = exact_sum(parts)
        if len(parts) > 1 and abs(total) <= CANCELLED * sum(map(abs, parts)):
            dropped += abs(total) * math.prod(float(sizes[k][p]) for k, p in enumerate(product))
        elif total != 0:
            summed[product] = total
    return np.array(list(summed), dtype=np.int64).reshape(-1, keys.shape[1]), np.array(list(summed.values())), dropped


def exact_sum(parts: Sequence[complex]) -> complex:
    """The sum, rounded once, whatever cancels; infinite where it leaves the range of double precision."""
    if len(parts) == 1:
        return parts[0]
    try:
        if any(isinstance(c, complex | np.complexfloating) for c in parts):
            return complex(math.fsum(complex(c).real for c in parts), math.fsum(complex(c).imag for c in parts))
        return math.fsum(float(c) for c in parts)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf
