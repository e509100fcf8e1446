"""Quantities of a solution train, with errors measured against exact solves.

    error of a mean      = |mean e| + 2 s(e) / sqrt(p)  +  sum_m t_m^2 / sigma
    error of a variance  = |mean 2 f' e + e^2| + 2 s(2 f' e) / sqrt(p)  +  sum_m 2 n_m t_m^2

e: error of the train at p random grid points, drawn with their probabilities, against exact solves (f': fluctuation;
s: standard deviation); t_m: what higher polynomial degrees of parameter m would add (statistics.tails). The first terms
are the difference of the means and its sampling error; the last is what n-point Gauss rules miss: the product of two
series that fall geometrically.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.parametric_pde.finite_elements import Functional
from problems.parametric_pde.gauss import rule
from problems.parametric_pde.statistics import Moments, moments, polynomial_core, tails
from problems.parametric_pde.surrogate import Surrogate
from problems.parametric_pde.system import Discrete
from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.tensor_train import TensorTrain

HELD_OUT = 20  # exact solves at parameters no train has seen
CHECKS = (20, 400, 200_000)  # exact solves on the grid: least, most, and the unknowns in all to choose between them
ROUNDING = 1e-12
SMALLEST = 1e-3  # of a quantity's root mean square: relative errors are not taken of less


@dataclass(frozen=True, eq=False)
class Exact:
    """Exact values to judge by: parameters (p, d) and quantities (p, Q)."""

    y: np.ndarray
    quantities: np.ndarray


@dataclass(frozen=True, eq=False)
class Analysis:
    """Trains (n_1, ..., n_d) of the quantities, their moments, errors and tails (Q, d) relative to their size."""

    trains: list[TensorTrain]
    surrogates: list[Surrogate]
    moments: list[Moments]
    mean_errors: np.ndarray
    variance_errors: np.ndarray
    tails: np.ndarray
    held_out: np.ndarray
    checks: np.ndarray

    def mean_error(self) -> float:
        """The largest relative error of a mean: of the mean itself, or of the size of a quantity of mean zero."""
        sizes = [abs(m.mean) if told else size(m) for m, told in zip(self.moments, self.told_from_zero())]
        return max((e / s for e, s in zip(self.mean_errors, sizes) if s > 0.0), default=0.0)

    def told_from_zero(self) -> list[bool]:
        """Whether a mean is larger than its error."""
        return [abs(m.mean) > e for e, m in zip(self.mean_errors, self.moments)]

    def variance_error(self, accuracy: float) -> float:
        """The largest relative error of a variance, of quantities that are not constant to the accuracy asked for."""
        constant = self.constant(accuracy)
        errors = [e / m.variance for e, m, c in zip(self.variance_errors, self.moments, constant) if not c]
        return max(errors, default=0.0)

    def constant(self, accuracy: float) -> list[bool]:
        """Whether a quantity's standard deviation, with its error, is below its mean's error that was allowed for.

        Such a variance is rounding or truncation of something like the flux out of a bar heated evenly.
        """
        pairs = zip(self.variance_errors, self.moments)
        return [not varies(m) or np.sqrt(m.variance + e) <= accuracy * abs(m.mean) for e, m in pairs]


def size(m: Moments) -> float:
    """The root mean square of a quantity."""
    return float(np.hypot(m.mean, np.sqrt(m.variance)))


def varies(m: Moments) -> bool:
    """Whether a quantity depends on the parameters beyond rounding."""
    return m.variance > (1e-10 * abs(m.mean)) ** 2


def held_out_points(discrete: Discrete, rng: np.random.Generator) -> Exact:
    """Exact quantities at random parameter values."""
    shape = (HELD_OUT, discrete.d)
    uniform = discrete.problem.coefficient.distribution == "uniform"
    y = rng.uniform(-1.0, 1.0, shape) if uniform else rng.standard_normal(shape)
    return Exact(y, discrete.quantities(y, discrete.solve(y)))


def grid_points(discrete: Discrete, points: Sequence[int], rng: np.random.Generator) -> Exact:
    """Exact quantities at random points of the grid, drawn with their probabilities."""
    least, most, unknowns = CHECKS
    count = min(max(unknowns // len(discrete.elements.free), least), most)
    columns = []
    for n in points:
        y, w = rule(discrete.problem.coefficient.distribution, n)
        columns.append(rng.choice(y, size=count, p=w))
    at = np.column_stack(columns)
    return Exact(at, discrete.quantities(at, discrete.solve(at)))


def quantity_train(q: Functional, discrete: Discrete, train: TensorTrain) -> TensorTrain:
    """The quantity as a train (n_1, ..., n_d) from the solution on the free nodes (N, n_1, ..., n_d)."""
    elements, distribution = discrete.elements, discrete.problem.coefficient.distribution
    row = q.weights[elements.free] @ train.cores[0][0]
    cores = (np.tensordot(row[None], train.cores[1], axes=(1, 0)), *train.cores[2:])
    shape = train.shape[1:]
    out = TensorTrain(cores).round(ROUNDING)
    prescribed = float(q.weights @ elements.fixed)
    if prescribed:
        out = out + prescribed * _ones(shape)
    if q.cell is not None:
        grids = [rule(distribution, n)[0] for n in shape]
        out = (out * TensorTrain(tuple(discrete.cell_factors(q.cell, grids)))).round(ROUNDING)
    return out + q.offset * _ones(shape) if q.offset else out


def _ones(shape: Sequence[int]) -> TensorTrain:
    return rank_one([np.ones(n) for n in shape])


def analyse(discrete: Discrete, train: TensorTrain, held_out: Exact, checks: Exact) -> Analysis:
    """Everything the report says about the quantities; see the module's formulas."""
    distribution = discrete.problem.coefficient.distribution
    points = train.shape[1:]
    weights = [rule(distribution, n)[1] for n in points]
    trains = [quantity_train(q, discrete, train) for q in discrete.functionals]
    found = [moments(x, weights) for x in trains]
    surrogates = [Surrogate.interpolating(x, distribution) for x in trains]
    count = len(trains)
    mean_errors, variance_errors = np.empty(count), np.empty(count)
    relative_tails = np.empty((count, len(points)))
    held, checked = np.empty((len(held_out.y), count)), np.empty((len(checks.y), count))
    for i, (x, m, surrogate) in enumerate(zip(trains, found, surrogates)):
        sigma, root = np.sqrt(m.variance), size(m)
        t = tails(TensorTrain(tuple(polynomial_core(core, distribution) for core in x.cores)))
        t = np.minimum(t, sigma)
        exact = checks.quantities[:, i]
        e = exact - surrogate(checks.y)
        product = 2.0 * (exact - e - m.mean) * e + e**2
        gauss = float(np.sum(t**2) / sigma) if varies(m) else 0.0
        mean_errors[i] = _sampled(e) + gauss + 1e-14 * root
        variance_errors[i] = _sampled(product) + float(2.0 * np.array(points) @ t**2) + 1e-14 * root * sigma
        relative_tails[i] = t / max(root, 1e-300)
        checked[:, i] = np.abs(e) / np.maximum(np.abs(exact), max(SMALLEST * root, 1e-300))
        exact = held_out.quantities[:, i]
        rest = np.abs(exact - surrogate(held_out.y))
        held[:, i] = rest / np.maximum(np.abs(exact), max(SMALLEST * root, 1e-300))
    return Analysis(trains, surrogates, found, mean_errors, variance_errors, relative_tails, held, checked)


def _sampled(values: np.ndarray) -> float:
    """Size of a mean known from samples: its estimate and two standard errors."""
    return float(abs(values.mean()) + 2.0 * values.std(ddof=1) / np.sqrt(len(values)))
