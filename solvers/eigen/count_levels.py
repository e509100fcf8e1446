"""``count_levels``: how many eigenvalues of a Hermitian TT operator lie in a window.

1. A sum over groups of modes: the sums of their levels are counted, whatever the dimension.
2. A small space: two counts by Sylvester's law of inertia (spectral slicing), symmetry part by symmetry part.
3. A larger one, as long as vectors over it fit: the trace of a filter over random vectors
   (solvers.eigen.sampled_count).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.eigen import explicit, product_mass
from solvers.eigen.asked import Asked
from solvers.eigen.complex_hermitian import check_hermitian
from solvers.eigen.pencil import EPS, Pencil
from solvers.eigen.sampled_count import LevelCount, SampledCount
from solvers.eigen.separable import Sums
from solvers.formats.trains.operator import TTOperator
from solvers.iteration import drive
from solvers.measured import amount, numeral
from solvers.solution import Callback, IterationState
from solvers.threads import one_blas_thread

LARGEST = 4_000_000  # product functions whose vectors are multiplied


@one_blas_thread
def count_levels(
    operator: TTOperator,
    lower: float,
    upper: float,
    *,
    mass: TTOperator | None = None,
    samples: int = 30,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
) -> LevelCount:
    """The number of eigenvalues w of A x = w x, or of A x = w B x, with ``lower`` <= w < ``upper``.

    ``mass``: B, positive definite. ``samples``: random vectors where the count is an estimate; after each of them the
    ``callback`` is told and the ``checkpoint`` written, a file from which the same call goes on. An exact count is told
    once, and kept nowhere. An end of the window may be infinite.
    Exact for sums over groups of modes and for spaces up to some thousand product functions (40,000 where the matrix is
    sparse); an estimate with its error up to 4,000,000.
    Raises ValueError for an operator that is not Hermitian, an empty window, an end of the window that is an eigenvalue
    to rounding errors, and larger spaces that are no sums.
    """
    check_hermitian(operator)
    Asked(mass=mass).check(operator)
    if not lower < upper:
        raise ValueError(f"the window from {lower} to {upper} is empty: give lower < upper")
    if isinstance(samples, bool) or samples < 2:
        raise ValueError(f"samples is {samples}; give at least 2, for a standard error")
    if mass is not None:
        factors = product_mass.factors_of(mass)
        if factors is not None:
            operator, mass = product_mass.standard(operator, factors), None
    sums = Sums.of(operator) if mass is None else None
    if sums is not None:
        margin = max(sums.errors, EPS * max((abs(x) for x in (lower, upper) if math.isfinite(x)), default=0.0))
        found = _exact(sums.below, lower, upper, sums.size, margin)
        if found is not None:
            return _told(found, f"sums of the levels of {len(sums.levels)} groups of modes", callback)
    a = explicit.matrix(operator)
    b = None if mass is None else explicit.matrix(mass)
    if a is not None and (mass is None or b is not None):
        pencil = Pencil(a, b)
        found = _exact(pencil.below, lower, upper, pencil.size, 1e2 * EPS * pencil.norm if b is None else 0.0)
        if found is not None:
            return _told(found, f"spectral slicing (inertia) of {len(pencil.parts)} parts", callback)
    size = math.prod(float(n) for n in operator.row_shape)
    if size > LARGEST or mass is not None:
        raise ValueError(
            f"levels of {numeral(size)} product functions cannot be counted: up to {LARGEST} by vectors without a "
            "mass, any number where the operator is a sum over groups of modes"
        )
    count = SampledCount(operator, a, lower, upper, samples, rng or np.random.default_rng(0))
    file = Checkpoint(checkpoint, Question(operator.cores, [repr((lower, upper, samples))]))
    found_by: LevelCount = drive(count, callback=callback, checkpoint=file, throw=False).value
    return found_by


def _told(count: int, how: str, callback: Callback | None) -> LevelCount:
    if callback is not None:
        callback(IterationState(1, how, 1, 0.0, fraction=1.0))
    return LevelCount(count, 0.0, how)


def _exact(below: Callable[[float], int | None], lower: float, upper: float, size: float, margin: float) -> int | None:
    """The difference of two counts; None where one is not affordable."""
    counts = []
    for end in (lower, upper):
        if math.isinf(end):
            counts.append(int(size) if end > 0 else 0)
            continue
        pair = below(end - margin), below(end + margin)
        if pair[0] is None or pair[1] is None:
            return None
        if pair[0] != pair[1]:
            raise ValueError(
                f"{end} is an eigenvalue to rounding errors: move this end of the window by {amount(margin)}"
            )
        counts.append(pair[0])
    return counts[1] - counts[0]
