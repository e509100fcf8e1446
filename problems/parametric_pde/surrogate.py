"""The solution as a function of its parameters: polynomials a parameter, evaluated anywhere, and sampled.

    u(x, y) = sum_j C_0(x) C_1(j_1) ... C_d(j_d) p_j1(y_1) ... p_jd(y_d),   p_j orthonormal polynomials

The polynomials interpolate the train at the Gauss points. Cost of a point: n r^2 a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from problems.parametric_pde.gauss import polynomials
from problems.parametric_pde.statistics import polynomial_core
from problems.published import derived, published
from solvers.cards import Card, Fact, dimensions, ranks
from solvers.formats.trains.construct import unit
from solvers.formats.trains.tensor_train import TensorTrain

REPLICATES = 16
LOG2_SAMPLES = 13  # a replicate
CHUNK = 4096
SAMPLED_DIGITS = 1e-6
NARROWEST = 1e-9  # of the values, for the range of a histogram
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Surrogate(Card):
    """A train of polynomial coefficients over parameters of one ``distribution``; callable."""

    def __init__(self, train: TensorTrain, distribution: str) -> None:
        self.train, self.distribution = train, distribution

    def worded(self) -> list[Fact]:
        """Parameters and ranks."""
        return [
            ("parameters", f"{self.train.d}, {self.distribution}"),
            ("degrees below", dimensions(self.train.shape)),
            ("TT-ranks", ranks(self.train.ranks)),
        ]

    @classmethod
    def interpolating(cls, train: TensorTrain, distribution: str) -> Surrogate:
        """From values at Gauss points, the mode sizes telling the rules."""
        return cls(TensorTrain(tuple(polynomial_core(core, distribution) for core in train.cores)), distribution)

    def rounded(self, tol: float) -> Surrogate:
        """The same up to ``tol`` standard deviations, at smaller ranks: the cost of many evaluations."""
        mean = self.train.entries(np.zeros((1, self.train.d), dtype=np.int64))[0]  # the coefficient of degrees zero
        constant = mean * unit(self.train.shape, (0,) * self.train.d)
        return Surrogate((self.train - constant).round(tol) + constant, self.distribution)

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """Values at parameters y (s, d) -> (s,). Raises ValueError for NaN, infinity or a wrong number of them."""
        y = np.atleast_2d(np.asarray(y, dtype=float))
        if y.shape[1] != self.train.d or not np.isfinite(y).all():
            raise ValueError(f"needs {self.train.d} finite parameters a point, found an array of shape {y.shape}")
        return np.concatenate([self._chunk(y[k : k + CHUNK]) for k in range(0, len(y), CHUNK)])

    def _chunk(self, y: np.ndarray) -> np.ndarray:
        v = np.ones((len(y), 1))
        for m in range(self.train.d - 1, -1, -1):
            a, n, b = self.train.cores[m].shape
            p = polynomials(self.distribution, n, y[:, m])
            image = v @ self.train.cores[m].reshape(a * n, b).T
            v = np.matmul(image.reshape(-1, a, n), p[:, :, None])[:, :, 0]
        return v[:, 0]


class Solution(Card):
    """The solution field at any parameters, from the stored train (N, n_1, ..., n_d)."""

    def __init__(self, train: TensorTrain, distribution: str) -> None:
        self._basis = train.cores[0][0]
        self._cores = [polynomial_core(core, distribution) for core in train.cores[1:]]
        self._distribution = distribution

    def worded(self) -> list[Fact]:
        """Nodes, parameters, ranks, and how it is called."""
        return [
            ("nodes", str(len(self._basis))),
            ("parameters", f"{self.parameters}, {self._distribution}"),
            ("degrees below", dimensions([core.shape[1] for core in self._cores])),
            ("TT-ranks", ranks([core.shape[0] for core in self._cores])),
            ("called", f"with standardised parameters ({self.parameters},), gives nodal values"),
        ]

    @property
    def parameters(self) -> int:
        """Number of parameters d."""
        return len(self._cores)

    def __call__(self, y: Sequence[float]) -> np.ndarray:
        """Nodal values (N,) at standardised parameters y (d,).

        Raises ValueError for NaN, infinity or a wrong number of parameters.
        """
        point = np.asarray(y, dtype=float)
        if point.shape != (self.parameters,) or not np.isfinite(point).all():
            raise ValueError(f"needs {self.parameters} finite parameters, found an array of shape {point.shape}")
        v = np.ones(1)
        for core, value in zip(self._cores[::-1], point[::-1]):
            v = np.tensordot(core, polynomials(self._distribution, core.shape[1], np.array([value]))[0], (1, 0)) @ v
        return self._basis @ v


@dataclass(frozen=True)
class Distribution:
    """Sampled distribution of one quantity; errors are standard errors over independent scrambles.

    ``quantiles``: level -> (value, error); ``exceedance``: (threshold, probability, error) or None; ``density``:
    histogram as edges (b + 1,) and heights (b,).
    """

    quantiles: dict[float, tuple[float, float]]
    exceedance: tuple[float, float, float] | None
    edges: np.ndarray = published(key="density.edges")
    heights: np.ndarray = published(key="density.heights")

    @derived(key="exceedance")
    def above(self) -> dict[str, float] | None:
        """The probability of exceeding the threshold, with names."""
        names = ("threshold", "probability", "standard_error")
        return None if self.exceedance is None else dict(zip(names, map(float, self.exceedance)))

    @derived(key="quantiles")
    def levels(self) -> list[dict[str, float]]:
        """The quantiles, with names."""
        return [
            {"level": level, "value": value, "standard_error": error}
            for level, (value, error) in self.quantiles.items()
        ]


def parameter_samples(distribution: str, d: int, rng: np.random.Generator) -> np.ndarray:
    """Scrambled Sobol points (replicates, samples, d) of the standardised parameters (Owen's scrambling)."""
    from scipy.stats import qmc  # a second to import

    out = np.empty((REPLICATES, 2**LOG2_SAMPLES, d))
    for k in range(REPLICATES):
        points = qmc.Sobol(d, scramble=True, rng=rng).random_base2(LOG2_SAMPLES)
        tiny = np.finfo(float).eps
        out[k] = 2.0 * points - 1.0 if distribution == "uniform" else ndtri(np.clip(points, tiny, 1.0 - tiny))
    return out


def sample(surrogate: Surrogate, points: np.ndarray, threshold: float | None, bins: int = 80) -> Distribution:
    """Quantiles, exceedance probability and density of a quantity at samples (replicates, samples, d)."""
    replicates, count, d = points.shape
    surrogate = surrogate.rounded(SAMPLED_DIGITS)  # the samples resolve no more
    values = surrogate(points.reshape(-1, d)).reshape(replicates, count)
    each = np.quantile(values, LEVELS, axis=1)
    spread = each.std(axis=1, ddof=1) / np.sqrt(replicates)
    quantiles = {level: (float(each[i].mean()), float(spread[i])) for i, level in enumerate(LEVELS)}
    exceedance = None
    if threshold is not None:
        above = (values > threshold).mean(axis=1)
        # where no replicate differs the resolution of the samples is what is known
        error = max(float(above.std(ddof=1)) / np.sqrt(replicates), 1.0 / values.size)
        exceedance = (threshold, float(above.mean()), error)
    low, high = np.quantile(values, [0.0005, 0.9995])
    size = max(abs(low), abs(high))
    if not high - low > NARROWEST * size:  # a constant: bins are no narrower than numbers can tell
        middle, half = 0.5 * (low + high), 0.5 * NARROWEST * (size or 1.0)
        low, high = middle - half, middle + half
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    heights = counts / (values.size * np.diff(edges))
    return Distribution(quantiles, exceedance, edges, heights)
