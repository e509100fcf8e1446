"""Rank and ridge of an interaction train by rows set aside.

    1. The linear model: ranks 1 + K, ridge r; its train is where every fit starts.
    2. For each ridge, ranks grow through the list: the train of the rank before, padded by small random numbers, fitted
       by alternating Newton steps; the loss of the rows set aside is noted.
    3. The pair whose loss there is least is fitted again to all rows, along the same way.

Rows set aside that are predicted exactly (EXACT) end the search: nothing predicts better.
Cost: a fit for each pair, of loose tolerance, and a last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.learning import losses
from solvers.learning.interactions import Interactions, feasible, fit, linear_start, padded
from solvers.learning.losses import Loss

RANKS = (2, 4, 8)
RIDGES = (1e-8, 1e-5, 1e-4, 1e-3, 1e-2)
SET_ASIDE = 0.2
LOOSE, TIGHT = 1e-3, 1e-6  # relative fall of the objective in a sweep at which a fit ends: to choose, and at last
CHOOSING, MOST = 12, 60  # sweeps: the same
EXACT = 1e-10  # mean loss, of targets of deviation one, that is zero


@dataclass(frozen=True)
class Trial:
    """A pair that was tried: mean loss over the rows fitted and over those set aside, and sweeps made so far."""

    rank: int
    ridge: float
    fitted: float
    set_aside: float
    sweeps: int


@dataclass(frozen=True, eq=False)
class Chosen:
    """The train, the pair it was fitted with, and all that were tried; one pair alone is not tried."""

    model: Interactions
    rank: int
    ridge: float
    trials: tuple[Trial, ...]


def choose(
    functions: Sequence[np.ndarray],
    targets: np.ndarray,
    loss: Loss,
    *,
    ranks: Sequence[int] = RANKS,
    ridges: Sequence[float] = RIDGES,
    rng: np.random.Generator,
    tol: float = TIGHT,
) -> Chosen:
    """The train of all interactions at the rank and ridge that predict best; see the module's steps.

    ``functions``: phi_k (N, n_k) of each field; ``targets`` (N,) as of ``losses``, numbers of deviation about one.
    Raises ValueError for an empty list, a rank below 1, a ridge that is not above zero, an unknown loss.
    """
    losses.check_loss(loss)
    if not ranks or not ridges or min(ranks) < 1 or not min(ridges) > 0.0:
        raise ValueError(f"ranks {list(ranks)} and ridges {list(ridges)}: give ranks of at least 1, ridges above zero")
    ranks = sorted(set(ranks))
    count = losses.outputs(loss, targets)
    seed = int(rng.integers(2**63))
    trials: list[Trial] = []
    if len(ranks) * len(set(ridges)) > 1:
        aside = set_aside(targets, loss, np.random.default_rng(seed))
        inner, outer = [phi[~aside] for phi in functions], [phi[aside] for phi in functions]
        exact = False
        for ridge in sorted(set(ridges)):
            path = _Path(inner, targets[~aside], loss, count, ridge, seed)
            for rank in ranks:
                model = path.grown(rank, LOOSE, CHOOSING)
                outside = losses.value(loss, model.scores(outer), targets[aside])
                trials.append(Trial(rank, ridge, model.loss_value, outside, model.sweeps))
                exact = loss == "squared" and outside < EXACT
                if exact:
                    break
            if exact:  # larger ridges only bend it
                break
    best = min(trials, key=lambda trial: trial.set_aside) if trials else Trial(ranks[0], ridges[0], 0.0, 0.0, 0)
    path = _Path(functions, targets, loss, count, best.ridge, seed)
    for rank in [rank for rank in ranks if rank < best.rank]:
        path.grown(rank, LOOSE, CHOOSING)
    return Chosen(path.grown(best.rank, tol, MOST), best.rank, best.ridge, tuple(trials))


def set_aside(targets: np.ndarray, loss: Loss, rng: np.random.Generator) -> np.ndarray:
    """Which rows (N,) judge: a fifth, of every class in its share; each class keeps a row to be fitted."""
    aside = np.zeros(len(targets), dtype=bool)
    groups = [np.arange(len(targets))] if loss == "squared" else [np.flatnonzero(targets == c) for c in set(targets)]
    for rows in groups:
        drawn = rng.permutation(rows)
        aside[drawn[: min(max(1, round(SET_ASIDE * len(rows))), len(rows) - 1)]] = True
    return aside


class _Path:
    """Trains of growing rank at one ridge, each from the one before; random numbers are the same for every ridge."""

    def __init__(
        self, functions: Sequence[np.ndarray], targets: np.ndarray, loss: Loss, count: int, ridge: float, seed: int
    ) -> None:
        self.functions, self.targets, self.ridge = functions, targets, ridge
        self.sizes, self.count = [phi.shape[1] for phi in functions], count
        self.rng = np.random.default_rng([seed, 1])
        offset = losses.offset(loss, targets, count)
        weights = linear_weights(functions, targets, loss, offset, ridge)
        self.model = Interactions(tuple(linear_start(offset, weights)), loss)

    def grown(self, rank: int, tol: float, sweeps: int) -> Interactions:
        """The train of this rank, from the one before, which loses what is beyond the rank."""
        ranks = feasible(self.sizes, self.count, rank)
        begin = TensorTrain(self.model.cores).round(0.0, max_rank=rank).cores
        cores = padded(begin, ranks, self.rng)
        start = Interactions(tuple(cores), self.model.loss, sweeps=self.model.sweeps)
        self.model = fit(self.functions, self.targets, start, ridge=self.ridge, sweeps=sweeps, tol=tol)
        return self.model


def linear_weights(
    functions: Sequence[np.ndarray], targets: np.ndarray, loss: Loss, offset: np.ndarray, ridge: float
) -> list[np.ndarray]:
    """Weights (n_k - 1, K) of each field: one Newton step of the linear model from the best constant."""
    columns = np.concatenate([phi[:, 1:] for phi in functions], axis=1)
    scores = np.tile(offset, (len(targets), 1))
    gradient, weights = losses.derivatives(loss, scores, targets)
    each = weights.mean(axis=0) if loss != "softmax" else weights.mean(axis=0) * (1.0 - weights.mean(axis=0))
    gram, slope = columns.T @ columns / len(targets), -columns.T @ gradient / len(targets)
    damping = (ridge + 1e-10) * np.eye(len(gram))
    solved = [np.linalg.solve(max(h, 1e-3) * gram + damping, slope[:, y]) for y, h in enumerate(each)]
    ends = np.cumsum([phi.shape[1] - 1 for phi in functions])[:-1]
    return np.split(np.stack(solved, axis=1), ends)
