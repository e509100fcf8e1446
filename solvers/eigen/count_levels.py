"""``count_levels``: how many eigenvalues of a Hermitian TT operator lie in a window.

1. A sum over groups of modes: the sums of their levels are counted, whatever the dimension.
2. A small space: two counts by Sylvester's law of inertia (spectral slicing), symmetry part by symmetry part.
3. A larger one, as long as vectors over it fit: the trace of the window's indicator, as a Chebyshev series with
   Jackson's factors, over random vectors of signs, with its standard error; what the series blurs at the two ends is
   added to it.
Lin, Saad, Yang, SIAM Review 58, 34 (2016), sec. 3.1; Di Napoli, Polizzi, Saad, Numer. Linear Algebra Appl. 23, 674
(2016). Cost of step 3: samples x degree products with the operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from solvers.cards import Card, Fact, number
from solvers.eigen import explicit, product_mass
from solvers.eigen.asked import Asked
from solvers.eigen.complex_hermitian import check_hermitian
from solvers.eigen.pencil import EPS, Pencil
from solvers.eigen.separable import Sums
from solvers.formats.trains.operator import TTOperator
from solvers.linear.full_vectors import apply_full
from solvers.measured import amount, numeral

LARGEST = 4_000_000  # product functions whose vectors are multiplied
DEGREES = (60, 4000)  # of the series, least and most
PER_WINDOW = 60.0  # degree, in units of the spectrum's width over the window's: the ends blur by a few per cent
WIDER = 1.01  # the interval of the series over the spectrum's, as Lanczos saw it


@dataclass(frozen=True)
class LevelCount(Card):
    """``count``: an integer where it is exact (``error`` zero), else the estimate; ``error``: one standard error and
    the blur of the window's ends; ``how``: by which route."""

    count: float
    error: float
    how: str

    def worded(self) -> list[Fact]:
        """The count with its error, and how it was found."""
        told = str(int(self.count)) if self.error == 0.0 else number(self.count, self.error)
        return [("levels", told), ("how", self.how)]


def count_levels(
    operator: TTOperator,
    lower: float,
    upper: float,
    *,
    mass: TTOperator | None = None,
    samples: int = 30,
    rng: np.random.Generator | None = None,
) -> LevelCount:
    """The number of eigenvalues w of A x = w x, or of A x = w B x, with ``lower`` <= w < ``upper``.

    ``mass``: B, positive definite. ``samples``: random vectors where the count is an estimate. An end of the window may
    be infinite. Exact for sums over groups of modes and for spaces up to some thousand product functions (40,000 where
    the matrix is sparse); an estimate with its error up to 4,000,000.
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
            return LevelCount(found, 0.0, f"sums of the levels of {len(sums.levels)} groups of modes")
    a = explicit.matrix(operator)
    b = None if mass is None else explicit.matrix(mass)
    if a is not None and (mass is None or b is not None):
        pencil = Pencil(a, b)
        found = _exact(pencil.below, lower, upper, pencil.size, 1e2 * EPS * pencil.norm if b is None else 0.0)
        if found is not None:
            return LevelCount(found, 0.0, f"spectral slicing (inertia) of {len(pencil.parts)} parts")
    size = math.prod(float(n) for n in operator.row_shape)
    if size > LARGEST or mass is not None:
        raise ValueError(
            f"levels of {numeral(size)} product functions cannot be counted: up to {LARGEST} by vectors without a "
            "mass, any number where the operator is a sum over groups of modes"
        )
    return _sampled(operator, a, lower, upper, samples, rng or np.random.default_rng(0))


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


def _sampled(
    operator: TTOperator,
    matrix: explicit.Matrix | None,
    lower: float,
    upper: float,
    samples: int,
    rng: np.random.Generator,
) -> LevelCount:
    """Step 3."""
    n = math.prod(operator.row_shape)

    def product(x: np.ndarray) -> np.ndarray:
        return apply_full(operator.cores, x.ravel()) if matrix is None else matrix @ x.ravel()

    bottom, top = _ends(product, n, operator.dtype, rng)
    middle, half = 0.5 * (top + bottom), 0.5 * WIDER * (top - bottom)
    inside = [float(np.clip((end - middle) / half, -1.0, 1.0)) for end in (lower, upper)]
    width = inside[1] - inside[0]
    if width <= 0.0:
        return LevelCount(0, 0.0, f"the spectrum, from {numeral(bottom)} to {numeral(top)} by Lanczos, lies outside")
    degree = int(np.clip(PER_WINDOW / width, *DEGREES))
    rough = degree // 2
    series = [_indicator(inside, m, degree) for m in (degree, rough)]
    found = np.zeros((samples, 2))
    for s in range(samples):
        z = rng.choice(np.array([-1.0, 1.0]), n)
        before, now = z, (product(z) - middle * z) / half
        moments = [float(n), float(np.real(np.vdot(z, now)))]
        for _ in range(2, degree + 1):
            before, now = now, 2.0 / half * (product(now) - middle * now) - before
            moments.append(float(np.real(np.vdot(z, now))))
        found[s] = [c @ np.array(moments) for c in series]
    mean = found.mean(axis=0)
    spread = float(found[:, 0].std(ddof=1) / math.sqrt(samples))
    blur = abs(float(mean[0] - mean[1]))
    how = f"trace of a Chebyshev filter of degree {degree} over {samples} random vectors"
    return LevelCount(float(mean[0]), math.hypot(spread, blur), how)


def _ends(
    product: Callable[[np.ndarray], np.ndarray], n: int, dtype: np.dtype, rng: np.random.Generator
) -> tuple[float, float]:
    """The ends of the spectrum, a little outside."""
    linear = LinearOperator((n, n), matvec=product, dtype=dtype)
    ends = []
    for which in ("SA", "LA"):
        start = rng.standard_normal(n).astype(dtype)
        try:
            ends.append(float(eigsh(linear, k=1, which=which, v0=start, tol=1e-3, return_eigenvectors=False)[0]))
        except ArpackError as error:
            raise ValueError("the ends of the spectrum cannot be found: scale the operator") from error
    slack = 0.01 * (ends[1] - ends[0]) or 1.0
    return ends[0] - slack, ends[1] + slack


def _indicator(inside: list[float], degree: int, length: int) -> np.ndarray:
    """Chebyshev coefficients of the window's indicator with Jackson's factors, padded to ``length`` + 1."""
    a, b = np.arccos(inside[0]), np.arccos(inside[1])
    k = np.arange(1, degree + 1)
    c = np.zeros(length + 1)
    c[0] = (a - b) / np.pi
    c[1 : degree + 1] = 2.0 / (np.pi * k) * (np.sin(k * a) - np.sin(k * b))
    turn = np.pi / (degree + 2)
    j = np.arange(degree + 1)
    jackson = ((degree + 2 - j) * np.sin(turn) * np.cos(j * turn) + np.cos(turn) * np.sin(j * turn)) / (
        (degree + 2) * np.sin(turn)
    )
    c[: degree + 1] *= jackson
    return c
