"""The exact solution for a linear drift: a Gaussian at all times.

    dp/dt = div(A x p) + D Laplace p,  p(0) = N(m, C):   p(t) = N(F m, F C F^T + G),
    F = exp(-A t),   G = 2 D integral_0^t exp(-A s) exp(-A^T s) ds

F and G of a short time come from one exponential of a block matrix, exp([[-A, 2 D], [0, A^T]] s) = [[F, H], [0, F^-T]]
with G = H F^T (Van Loan, IEEE Trans. Autom. Control 23, 395 (1978), theorem 1); longer times follow by doubling,
F -> F F, G -> F G F^T + G, in which nothing overflows for a stable drift. Cost O(d^3 log(|A| t)).
numpy alone: a configuration is checked with it before any numerics are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TERMS = 14  # of the exponential series, for a matrix of norm up to SHORT
SHORT = 0.25
EQUAL = 4e-15  # two steps, relative to the time: rounding of equidistant times


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Exact densities at the times asked: ``means`` (T, d), ``covariances`` (T, d, d)."""

    times: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def density(self, i: int, x: np.ndarray) -> np.ndarray:
        """The density at time i and points x (m, d) -> (m,)."""
        difference = x - self.means[i]
        exponent = -0.5 * np.sum(difference * np.linalg.solve(self.covariances[i], difference.T).T, axis=1)
        sign, logarithm = np.linalg.slogdet(2.0 * np.pi * self.covariances[i])
        return sign * np.exp(exponent - 0.5 * logarithm)

    def at_origin(self) -> np.ndarray:
        """Densities at x = 0, (T,)."""
        origin = np.zeros((1, self.means.shape[1]))
        return np.array([self.density(i, origin)[0] for i in range(len(self.times))])

    def marginal(self, i: int, axis: int, x: np.ndarray) -> np.ndarray:
        """The density of one coordinate at time i and points x."""
        mean, variance = self.means[i, axis], self.covariances[i, axis, axis]
        return np.exp(-((x - mean) ** 2) / (2.0 * variance)) / np.sqrt(2.0 * np.pi * variance)

    def widths(self) -> np.ndarray:
        """Standard deviations of the marginals (T, d)."""
        return np.sqrt(np.einsum("tii->ti", self.covariances))

    def conditional_widths(self) -> np.ndarray:
        """Standard deviations of a coordinate with all others fixed (T, d): what a grid has to resolve."""
        return 1.0 / np.sqrt(np.einsum("tii->ti", np.linalg.inv(self.covariances)))


def exact(drift: np.ndarray, diffusion: float, mean: np.ndarray, variance: np.ndarray, times: np.ndarray) -> Gaussian:
    """The solution that starts as a product of Gaussians, ``mean`` (d,) and ``variance`` (d,), at ``times`` (T,)."""
    means, covariances = [], []
    start = now = (np.asarray(mean, dtype=float), np.diag(np.asarray(variance, dtype=float)))
    last = known = 0.0  # equal steps share one propagator
    f, g = np.eye(len(drift)), np.zeros(drift.shape)
    for t in map(float, times):
        if t < last:
            now, last = start, 0.0
        if abs(t - last - known) > EQUAL * t:
            f, g = propagator(drift, diffusion, t - last)
            known = t - last
        with np.errstate(over="ignore", invalid="ignore"):
            covariance = f @ now[1] @ f.T + g
            now, last = (f @ now[0], 0.5 * (covariance + covariance.T)), t
        means.append(now[0])
        covariances.append(now[1])
    return Gaussian(np.asarray(times, dtype=float), np.array(means), np.array(covariances))


def propagator(drift: np.ndarray, diffusion: float, t: float) -> tuple[np.ndarray, np.ndarray]:
    """F and G of a time t >= 0 (see the module's text)."""
    d = len(drift)
    size = t * max(float(np.abs(drift).sum(axis=1).max()), float(np.abs(drift).sum(axis=0).max()))
    doublings = max(0, int(np.ceil(np.log2(size / SHORT)))) if size > SHORT else 0
    s = t / 2.0**doublings
    block = np.zeros((2 * d, 2 * d))
    block[:d, :d], block[:d, d:], block[d:, d:] = -drift * s, 2.0 * diffusion * s * np.eye(d), drift.T * s
    term = total = np.eye(2 * d)
    for k in range(1, TERMS + 1):
        term = term @ block / k
        total = total + term
    f = total[:d, :d]
    g = total[:d, d:] @ f.T
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable drift: infinite is what it is
        for _ in range(doublings):
            g = f @ g @ f.T + g
            f = f @ f
    return f, g
