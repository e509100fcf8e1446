"""Derivatives and antiderivatives on a quantics axis, as exact operators of small ranks.

Central differences (x_(i+1) - x_(i-1)) / 2h, and at open ends the one-sided (-3, 4, -1) / 2h: exact for quadratic
polynomials, error h^2 f^(3)/6, twice that at the ends. The antiderivative is a sum of the points so far, with the
weights of the trapezoidal rule, or of cells whose middles the points are; error O(h^2). Built from shifts and sums
(solvers.formats.quantics.operators). Index letters: i row, j column; N = 2^L points, step h.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.quantics.axes import deparallelised
from solvers.formats.quantics.bits import check_levels
from solvers.formats.quantics.functions import unit_vector
from solvers.formats.quantics.operators import PERIODIC, cumulative_sum, identity, tridiagonal
from solvers.formats.trains.construct import ones, outer
from solvers.formats.trains.operator import TTOperator

OPEN, DIRICHLET = "open", "dirichlet"
TRAPEZOID, CELL = "trapezoid", "cell"
ONE_SIDED = (-1.5, 2.0, -0.5)


def derivative(levels: int, step: float = 1.0, ends: str = OPEN) -> TTOperator:
    """First derivative by central differences, second order.

    ``ends``: "open": one-sided and of second order too, the matrix of ``numpy.gradient(edge_order=2)``; "periodic";
    "dirichlet": zero one step beyond. TT-ranks 3, at open ends 5 and once 7. Raises ValueError for other
    ends, a step that is not positive, and one level with open ends, which need three points.
    """
    check_levels([levels])
    half = 0.5 / _checked(step)
    if ends not in (OPEN, PERIODIC, DIRICHLET):
        raise ValueError(f"ends are '{OPEN}', '{PERIODIC}' or '{DIRICHLET}', not {ends!r}")
    central = tridiagonal(levels, -half, 0.0, half, periodic=ends == PERIODIC)
    if ends != OPEN:
        return central
    if levels < 2:
        raise ValueError("one-sided differences need three points: at least 2 levels")
    last = 2**levels - 1
    change = np.array(ONE_SIDED) / step - np.array([0.0, half, 0.0])
    total = central + _row(levels, 0, dict(enumerate(change)))
    total = total + _row(levels, last, {last - k: -value for k, value in enumerate(change)})
    return deparallelised(total)


def antiderivative(levels: int, step: float = 1.0, rule: str = TRAPEZOID) -> TTOperator:
    """The integral from the first point to each, by the trapezoidal rule, zero at the first point.

    It is ``scipy.integrate.cumulative_trapezoid(initial=0)``. ``rule`` "cell": the points are the middles of cells, and
    the integral is from the beginning of the first cell to the middle of each. TT-ranks at most 3. Raises ValueError
    for another rule or a step that is not positive.
    """
    check_levels([levels])
    _checked(step)
    if rule not in (TRAPEZOID, CELL):
        raise ValueError(f"rule is '{TRAPEZOID}' or '{CELL}', not {rule!r}")
    total = cumulative_sum(levels) - identity(levels) * 0.5
    if rule == TRAPEZOID:
        total = total - outer(ones((2,) * levels), unit_vector(levels, 0)) * 0.5
    return deparallelised(total * step)


def _row(levels: int, i: int, entries: dict[int, float]) -> TTOperator:
    """The operator with one row that is not zero, of few entries."""
    terms = [outer(unit_vector(levels, i), unit_vector(levels, j)) * value for j, value in entries.items()]
    return deparallelised(_added(terms))


def _added(terms: Sequence[TTOperator]) -> TTOperator:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _checked(step: float) -> float:
    if not (math.isfinite(step) and step > 0.0):
        raise ValueError(f"step must be a positive number, not {step!r}")
    return step
