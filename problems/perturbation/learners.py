"""The learners as functions with Jacobians: fitted by scikit-learn or by this suite, their numbers read into numpy.

Pixels are scaled to [0, 1] by the smallest (or 0) and the largest of all; the numbers of a table are in deviations of
the rows fitted, from their mean; categories stay what they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import OneHotEncoder

from problems.learning.data import Data
from problems.learning.learners import ITERATIONS, own
from problems.perturbation.model import PerturbationSolver
from solvers.learning.differentiable import Differentiable, InteractionScores, Network, PatchScores

STRENGTHS = {"linear": 1.0, "linear-strong": 0.01}  # of softmax regression, C of scikit-learn
BATCH = 200  # rows a step of a network, at most


@dataclass(frozen=True, eq=False)
class Scaled:
    """Rows (N, d) in the units of a perturbation, what a row may be (``low``, ``high``: (d,)), and which entries are
    ``free`` (d,)."""

    rows: np.ndarray
    low: np.ndarray
    high: np.ndarray
    free: np.ndarray


def scaled(data: Data, fitted: np.ndarray) -> Scaled:
    """All rows, in units that the rows ``fitted`` (their numbers) give."""
    free = np.array([not count for count in data.categories])
    if data.image is not None:
        first = min(0.0, float(data.rows.min()))
        size = float(data.rows.max()) - first
        rows = (data.rows - first) / size
        return Scaled(rows, np.zeros(rows.shape[1]), np.ones(rows.shape[1]), free)
    seen = data.rows[fitted]
    deviation = seen.std(axis=0)
    shift, scale = np.where(free, seen.mean(axis=0), 0.0), np.where(free & (deviation > 0.0), deviation, 1.0)
    rows = (data.rows - shift) / scale
    return Scaled(rows, rows[fitted].min(axis=0), rows[fitted].max(axis=0), free)


def fitted_learner(
    data: Data, x: np.ndarray, targets: np.ndarray, patch: tuple[int, int], solver: PerturbationSolver, seed: int
) -> Differentiable:
    """The learner of the run, fitted to rows ``x`` (N, d), as ``scaled`` gives them, of classes ``targets`` (N,)."""
    if solver.model in ("network", *STRENGTHS):
        return _of_layers(data, x, targets, solver, seed)
    model = own(data, patch, solver, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, targets)
    if solver.model == "interactions":
        return InteractionScores(model.fields_, model.chosen_.model.cores)
    learned = model.model_
    return PatchScores(learned.form, learned.parameters, model.centre_, model.scale_, data.image, patch, x.shape[1])


def _of_layers(data: Data, x: np.ndarray, targets: np.ndarray, solver: PerturbationSolver, seed: int) -> Network:
    """A network, or softmax regression: the numbers of the rows, then an indicator of each category."""
    chosen = data.categorical
    numbers = [k for k in range(x.shape[1]) if k not in chosen]
    codes = [np.arange(data.categories[k]) for k in chosen]
    inputs = x[:, numbers]
    if chosen:
        inputs = np.hstack([inputs, OneHotEncoder(categories=codes, sparse_output=False).fit_transform(x[:, chosen])])
    model: Any
    if solver.model == "network":
        rows = min(BATCH, len(x))
        model = MLPClassifier(
            solver.hidden, learning_rate_init=solver.rate, max_iter=solver.passes, batch_size=rows, random_state=seed
        )
    else:
        model = LogisticRegression(C=STRENGTHS[solver.model], max_iter=ITERATIONS)
    with warnings.catch_warnings():  # of iteration limits: learners are taken as they are
        warnings.simplefilter("ignore")
        model.fit(inputs, targets)
    weights: Sequence[np.ndarray] = model.coefs_ if solver.model == "network" else [model.coef_.T]
    offsets: Sequence[np.ndarray] = model.intercepts_ if solver.model == "network" else [model.intercept_]
    return Network(weights, offsets, data.categories)
