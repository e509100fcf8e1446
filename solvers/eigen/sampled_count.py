"""The number of levels in a window, from random vectors.

The trace of the window's indicator, as a Chebyshev series with Jackson's factors, over random vectors of signs, with
its standard error; what the series blurs at the two ends is added to it.

    N = trace f(H),  f(t) = sum_k c_k T_k(t),  trace f = mean over z of sum_k c_k <z|T_k(H)|z>

Lin, Saad, Yang, SIAM Review 58, 34 (2016), sec. 3.1; Di Napoli, Polizzi, Saad, Numer. Linear Algebra Appl. 23, 674
(2016). Cost: samples x degree products with the operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from solvers.cards import Card, Fact, number
from solvers.checkpoint import Content, random_state, restore
from solvers.eigen import explicit
from solvers.formats.trains.operator import TTOperator
from solvers.linear.full_vectors import apply_full
from solvers.measured import numeral
from solvers.solution import IterationState, Solution, Status

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


class SampledCount:
    """A count at work, an Iteration of solvers.iteration: a state a random vector.

    ``matrix``: the operator as it stands in full, None where its trains are applied.
    """

    def __init__(
        self,
        operator: TTOperator,
        matrix: explicit.Matrix | None,
        lower: float,
        upper: float,
        samples: int,
        rng: np.random.Generator,
    ) -> None:
        self.operator, self.matrix, self.samples, self.rng = operator, matrix, samples, rng
        self.window = (lower, upper)
        self.ends: tuple[float, float] | None = None  # of the spectrum
        self.found = np.zeros((0, 2))  # of each vector: by the whole series, and by half of it

    def _product(self, x: np.ndarray) -> np.ndarray:
        return apply_full(self.operator.cores, x.ravel()) if self.matrix is None else self.matrix @ x.ravel()

    def steps(self) -> Iterator[IterationState]:
        """A random vector each."""
        if self.ends is None:
            n = math.prod(self.operator.row_shape)
            self.ends = _ends(self._product, n, self.operator.dtype, self.rng)
        degree, series = self._series()
        while series and len(self.found) < self.samples:
            self.found = np.vstack([self.found, self._sample(degree, series)])
            done = len(self.found)
            label = f"vector {done} of {self.samples}"
            yield IterationState(done, label, max(self.operator.ranks), 0.0, fraction=done / self.samples)

    def _series(self) -> tuple[int, list[np.ndarray]]:
        """The degree and the coefficients of both series; none where the window lies outside of the spectrum."""
        inside = [float(np.clip((end - self._middle) / self._half, -1.0, 1.0)) for end in self.window]
        width = inside[1] - inside[0]
        if width <= 0.0:
            return 0, []
        degree = int(np.clip(PER_WINDOW / width, *DEGREES))
        return degree, [_indicator(inside, m, degree) for m in (degree, degree // 2)]

    @property
    def _middle(self) -> float:
        assert self.ends is not None
        return 0.5 * (self.ends[0] + self.ends[1])

    @property
    def _half(self) -> float:
        assert self.ends is not None
        return 0.5 * WIDER * (self.ends[1] - self.ends[0])

    def _sample(self, degree: int, series: list[np.ndarray]) -> list[float]:
        """Both series of one vector: moments <z|T_k|z> by the recurrence of the polynomials."""
        middle, half = self._middle, self._half
        n = math.prod(self.operator.row_shape)
        z = self.rng.choice(np.array([-1.0, 1.0]), n)
        before, now = z, (self._product(z) - middle * z) / half
        moments = [float(n), float(np.real(np.vdot(z, now)))]
        for _ in range(2, degree + 1):
            before, now = now, 2.0 / half * (self._product(now) - middle * now) - before
            moments.append(float(np.real(np.vdot(z, now))))
        return [float(c @ np.array(moments)) for c in series]

    def content(self) -> Content:
        """The vectors until now, and the generator."""
        return {"found": self.found}, {"ends": self.ends, "random": random_state(self.rng)}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.found, ends = arrays["found"], data["ends"]
        self.ends = (float(ends[0]), float(ends[1]))
        restore(self.rng, data["random"])

    def solution(self) -> Solution:
        """The count with its error."""
        return Solution(self._count(), Status.CONVERGED, 1, np.zeros(0), (), {"vectors": len(self.found)}, {})

    def _count(self) -> LevelCount:
        assert self.ends is not None
        degree, series = self._series()
        if not series:
            bottom, top = self.ends
            return LevelCount(
                0, 0.0, f"the spectrum, from {numeral(bottom)} to {numeral(top)} by Lanczos, lies outside"
            )
        mean = self.found.mean(axis=0)
        spread = float(self.found[:, 0].std(ddof=1) / math.sqrt(self.samples))
        blur = abs(float(mean[0] - mean[1]))
        how = f"trace of a Chebyshev filter of degree {degree} over {self.samples} random vectors"
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
