"""The coefficient as a sum of products, a(x_c, y) = sum_s phi_s(c) prod_m g_ms(y_m).

Affine fields and discs have d + 1 exact terms. A log-normal field is interpolated in the cells: a(x_c, y) is
approximated by sum_s phi_s(c) a(x_s, y), and a at one point is a product over the parameters. The functions phi come
from the leading singular vectors of samples of the field, the points x_s from a pivoted QR of those (Q-DEIM: Drmac and
Gugercin, SIAM J. Sci. Comput. 38, A631 (2016)). Each sample is divided by its least value, so that the error is
relative to the coefficient at every point; the samples are drawn wider than the distribution, for the tails count in
the variance. The error is measured on fresh samples. With a term a cell it is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

from problems.parametric_pde.fields import Affine, Coefficient, Discs, Lognormal

SAMPLES = 1500
WIDER = 1.5  # standard deviation of the samples over that of the parameters
PROBES = 300


@dataclass(frozen=True, eq=False)
class Separation:
    """``terms`` (S, cells); ``functions``: (m, y (n,)) -> (S, n); ``error``: relative, measured (0: exact)."""

    terms: np.ndarray
    field: Coefficient
    points: np.ndarray  # (S, dimensions) interpolation points of a log-normal field
    error: float

    def factors(self, grids: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """g_ms on one-dimensional grids (n_m,): d arrays (S, n_m)."""
        if isinstance(self.field, Lognormal):
            return tuple(lognormal_factors(self.field, self.points, grids))
        out = []
        for m, y in enumerate(grids):
            g = np.ones((len(self.terms), len(y)))
            g[m + 1] = self.field.conductivity(y) if isinstance(self.field, Discs) else y
            out.append(g)
        return tuple(out)


def lognormal_factors(field: Lognormal, x: np.ndarray, grids: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Factors over the parameters of a log-normal field at points x (S, dimensions): d arrays (S, n_m)."""
    modes = field.modes(x)
    out = [np.exp(modes[m][:, None] * y) for m, y in enumerate(grids)]
    out[0] = out[0] * np.exp(field.mean)
    return out


def separate(field: Coefficient, x: np.ndarray, tol: float, rng: np.random.Generator) -> Separation:
    """The separated form of a field in cells with midpoints x (cells, dimensions), to relative ``tol``."""
    if isinstance(field, Affine):
        return Separation(np.concatenate([np.full((1, len(x)), field.mean), field.modes(x)]), field, x[:0], 0.0)
    if isinstance(field, Discs):
        inside = field.inside(x)
        outside = np.where(inside.any(axis=0), 0.0, field.background)
        return Separation(np.concatenate([outside[None], inside.astype(float)]), field, x[:0], 0.0)
    return _interpolated(field, x, tol, rng)


def _interpolated(field: Lognormal, x: np.ndarray, tol: float, rng: np.random.Generator) -> Separation:
    snapshots = _relative(field, x, SAMPLES, rng)
    u, s, _ = np.linalg.svd(snapshots.T, full_matrices=False)
    tails = np.sqrt(np.cumsum(s[::-1] ** 2)[::-1] / SAMPLES)
    rank = int(np.count_nonzero(tails > 0.1 * tol))
    probes = _relative(field, x, PROBES, rng)
    while True:
        rank = min(max(rank, 1), len(x))
        if rank >= min(len(x), len(s)):  # a term a cell: nothing is interpolated
            return Separation(np.eye(len(x)), field, x, 0.0)
        basis = u[:, :rank]
        _, _, pivots = qr(basis.T, mode="economic", pivoting=True)
        chosen = np.sort(pivots[:rank])
        terms = np.linalg.solve(basis[chosen].T, basis.T)
        error = float(np.sqrt(np.mean(np.max(np.abs(probes[:, chosen] @ terms - probes), axis=1) ** 2)))
        if error <= tol:
            return Separation(terms, field, x[chosen], error)
        rank += max(2, rank // 10)


def _relative(field: Lognormal, x: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Samples of the field, each divided by its least value: (count, cells)."""
    with np.errstate(over="ignore"):
        values = field.values(x, WIDER * rng.standard_normal((count, field.d)))
    if not (np.isfinite(values).all() and values.min() > 0.0):
        raise ValueError("the coefficient is not positive and finite at random parameters: lower mean or scale")
    return values / values.min(axis=1, keepdims=True)
