"""Which phases leave a polynomial as it is: the group of all q_k -> exp(2 pi i theta_k) q_k that do.

A monomial of charges m takes the phase sum_k m_k theta_k, so that the group is that of the theta with M theta whole, M
the matrix of all charges, one row a monomial. With U M V = diag(d), U and V unimodular (Smith, Phil. Trans. R. Soc.
151, 293 (1861)), theta = V (j_1/d_1, j_2/d_2, ...) for whole j, and any number in place of j/d where d is zero: a
product of cyclic groups of d_i elements.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from itertools import product

MOST = 20_000  # elements that are looked at

Phases = tuple[Fraction, ...]


def cyclic_parts(rows: Collection[Sequence[int]], count: int) -> list[tuple[int, tuple[int, ...]]]:
    """(d, column of V) of every part that is more than the identity, d = 0 for a continuous one; ``count`` columns.

    Cost O(rows count^2), in whole numbers of any size.
    """
    matrix = _reduced(rows, count)
    turned = [[int(i == j) for j in range(count)] for i in range(count)]
    parts = []
    for t in range(count):
        while True:
            left = [(abs(matrix[i][j]), i, j) for i in range(t, len(matrix)) for j in range(t, count) if matrix[i][j]]
            if not left:
                parts.append(0)
                break
            # 1. the smallest entry goes to the diagonal
            _, i, j = min(left)
            matrix[t], matrix[i] = matrix[i], matrix[t]
            for row in (*matrix, *turned):
                row[t], row[j] = row[j], row[t]
            # 2. multiples of it are taken from the rest of its column, by rows, and of its row, by columns
            pivot, done = matrix[t][t], True
            for row in matrix[t + 1 :]:
                _subtract(row, matrix[t], row[t] // pivot)
                done = done and not row[t]
            for j in range(t + 1, count):
                factor = matrix[t][j] // pivot
                if factor:
                    for row in (*matrix, *turned):
                        row[j] -= factor * row[t]
                done = done and not matrix[t][j]
            if done:
                parts.append(abs(pivot))
                break
    return [(d, tuple(row[t] for row in turned)) for t, d in enumerate(parts) if d != 1]


def _reduced(rows: Collection[Sequence[int]], count: int) -> list[list[int]]:
    """As many rows as columns at most, with the same whole combinations: Euclid's algorithm, row by row."""
    kept: dict[int, list[int]] = {}
    for given in rows:
        row = [int(x) for x in given]
        for j in range(count):
            if not row[j]:
                continue
            if j not in kept:
                kept[j] = row
                break
            old = kept[j]
            while row[j]:
                _subtract(old, row, old[j] // row[j])
                old, row = row, old
            kept[j] = old
    return [kept[j] for j in sorted(kept)]


def _subtract(row: list[int], other: Sequence[int], factor: int) -> None:
    if factor:
        for j, x in enumerate(other):
            row[j] -= factor * x


def elements(rows: Collection[Sequence[int]], count: int) -> Iterator[Phases]:
    """All elements, theta from 0 to below 1, of a continuous part those that the finite ones have the orders of.

    None where there are more than ``MOST``.
    """
    parts = cyclic_parts(rows, count)
    finite = math.lcm(*(d for d, _ in parts if d))
    orders = [d or max(finite, 3) for d, _ in parts]
    if math.prod(orders) > MOST:
        return
    for places in product(*map(range, orders)):
        phases = [Fraction(0)] * count
        for j, d, (_, column) in zip(places, orders, parts, strict=True):
            if j:
                phases = [phase + Fraction(j * v, d) for phase, v in zip(phases, column, strict=True)]
        yield tuple(phase % 1 for phase in phases)
