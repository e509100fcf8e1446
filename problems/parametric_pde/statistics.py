"""Statistics of trains over independent parameters, exactly from the train: moments, Sobol indices, fields, tails.

A train f(i_1, ..., i_d) holds values at Gauss points with probabilities w_m. With each core scaled by sqrt(w_m) sums of
squares become norms, and the fluctuation f - E f is formed as a train before its norm is taken, so that a variance
keeps its digits where it is small beside the mean. Sobol indices: S_m = Var E[f | y_m] / Var f and
T_m = E Var[f | all but y_m] / Var f (Sobol, Math. Comput. Simul. 55, 271 (2001)).
Cost O(d n r^3) for the fluctuation, d times that for the total indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from problems.parametric_pde.gauss import polynomials, rule
from problems.published import published
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.formats.trains.variance import centred_cores, first_and_total

NEGLIGIBLE = 1e-11  # of the standard deviation: what a rounded fluctuation leaves out


@dataclass(frozen=True)
class Moments:
    """Mean, variance and Sobol indices (d,) of one quantity; indices are zero where nothing varies."""

    mean: float = published()
    variance: float = published()
    first: np.ndarray = published(key="sobol_first")
    total: np.ndarray = published(key="sobol_total")

    def without_indices(self) -> Moments:
        """With indices of zero: for a variance that is nothing but error."""
        return replace(self, first=0.0 * self.first, total=0.0 * self.total)


def scaled(train: TensorTrain, weights: Sequence[np.ndarray]) -> TensorTrain:
    """The train times sqrt of the probabilities: norms become root mean squares."""
    return TensorTrain(tuple(core * np.sqrt(w)[:, None] for core, w in zip(train.cores, weights)))


def mean_of(train: TensorTrain, weights: Sequence[np.ndarray]) -> float:
    """The mean of a train over its parameters."""
    v = np.ones((1, 1))
    for core, w in zip(train.cores, weights):
        v = v @ np.tensordot(core, w, axes=(1, 0))
    return float(v[0, 0])


def fluctuation(train: TensorTrain, weights: Sequence[np.ndarray]) -> tuple[float, TensorTrain]:
    """Mean, and f - mean scaled by the roots of the probabilities and rounded to its own digits."""
    mean = mean_of(train, weights)
    constant = TensorTrain(tuple(np.sqrt(w)[None, :, None] * (mean if m == 0 else 1.0) for m, w in enumerate(weights)))
    return mean, (scaled(train, weights) - constant).round(NEGLIGIBLE)


def moments(train: TensorTrain, weights: Sequence[np.ndarray]) -> Moments:
    """Mean, variance and Sobol indices of a quantity's train."""
    mean, rest = fluctuation(train, weights)
    variance = rest.norm() ** 2
    d = len(weights)
    floor = (1e-14 * abs(mean)) ** 2
    if variance <= floor:
        return Moments(mean, 0.0 if variance < floor else variance, np.zeros(d), np.zeros(d))
    roots = [np.sqrt(w) for w in weights]
    first, total = first_and_total(rest, roots)
    return Moments(mean, variance, first / variance, total / variance)


def field_moments(train: TensorTrain, weights: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (N,), (N,) of every component of a train (N, n_1, ..., n_d)."""
    first, rest = train.cores[0], train.cores[1:]
    v = np.ones((1, 1))
    for core, w in zip(rest[::-1], weights[::-1]):
        v = np.tensordot(core, w, axes=(1, 0)) @ v
    mean = (first[0] @ v).ravel()
    roots = [np.sqrt(w) for w in weights]
    whole = TensorTrain((first, *(core * root[:, None] for core, root in zip(rest, roots))))
    constant = TensorTrain((mean[None, :, None], *(root[None, :, None] for root in roots)))
    centred = (whole - constant).orthogonalise(0)
    return mean, (centred.cores[0] ** 2).sum(axis=(0, 2))


def polynomial_core(core: np.ndarray, distribution: str) -> np.ndarray:
    """A core over the n Gauss points of a parameter to one over n orthonormal polynomials, exactly."""
    y, w = rule(distribution, core.shape[1])
    return np.einsum("anb,nj->ajb", core, polynomials(distribution, len(y), y) * w[:, None])


def tails(train: TensorTrain) -> np.ndarray:
    """Estimate (d,) of the root mean square of the polynomial degrees a train of coefficients does not have.

    Geometric decay carried on: the two highest degrees times their ratio to the two before (at most 1). Two at a time,
    because odd or even functions have every other coefficient zero. Degree 0 counts no more than the standard deviation
    of the whole: a large mean says nothing of a decay.
    """
    mean = float(train.entries(np.zeros((1, train.d), dtype=np.int64))[0])
    deviation = np.sqrt(max(train.norm() ** 2 - mean**2, 0.0))
    found = np.empty(train.d)
    for m, core in centred_cores(train):
        n = core.shape[1]
        sizes = np.sqrt((core**2).sum(axis=(0, 2)))
        sizes[0] = min(sizes[0], deviation)
        start = max(n - 2, min(2, n - 1))
        last = float(np.linalg.norm(sizes[start:]))
        before = float(np.linalg.norm(sizes[max(start - 2, 0) : start]))
        found[m] = last * min(1.0, last / before) if before > 0.0 else last
    return found
