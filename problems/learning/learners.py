"""The learners, each fitted and judged on one split: this suite's, and plain ones of scikit-learn.

Everything a learner sees of a split is its training rows: scales, categories and choices of ridge or rank are made of
them. Tables are one-hot and standardised for the plain methods, images are taken as they are.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from problems.learning.data import Data
from problems.learning.keys import LearnerSolver
from solvers.learning.estimators import InteractionClassifier, InteractionRegressor, TensorClassifier
from solvers.learning.patches import Format

OWN = "this model"
NEIGHBOURS = 15
ITERATIONS = 5000  # of logistic regression
FEWEST = 5  # rows of a class that folds need
TOL = 1e-4  # relative fall of the objective in a sweep at which an interaction train has settled


@dataclass(frozen=True, eq=False)
class Task:
    """One learner on one split, with a share of its training labels drawn anew; ``shuffled``: all of them permuted."""

    learner: str
    split: int
    noise: float
    shuffled: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores on the rows that judge and on those fitted (with their labels as fitted), and seconds.

    ``score``: accuracy of classes, the area under the curve (AUC) of two without a study, R^2 of numbers; ``plain``:
    accuracy, or the relative error ||f - y|| / ||y||. Of interactions: rank, ridge, shares of variance by order
    (d + 1,) and by pair (d, d), whether the sweeps settled, and the cores.
    """

    score: float
    trained: float
    plain: float
    seconds: float
    rank: int = 0
    ridge: float = 0.0
    numbers: int = 0
    settled: bool = True
    orders: np.ndarray | None = None
    pairs: np.ndarray | None = None
    cores: tuple[np.ndarray, ...] = ()
    sampled: tuple[float, float, float] | None = None  # variance from the train, of drawn rows, and its error


def metric(data: Data, study: bool) -> str:
    """What a score is."""
    if not data.classes:
        return "R2"
    return "AUC" if len(data.classes) == 2 and not study else "accuracy"


def split(data: Data, held: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows fitted and rows that judge: every class in its share."""
    stratify = data.targets if data.classes else None
    fitted, judging = train_test_split(
        np.arange(len(data.targets)), test_size=held, stratify=stratify, random_state=number
    )
    return fitted, judging


def relabelled(targets: np.ndarray, classes: int, noise: float, seed: tuple[int, ...]) -> np.ndarray:
    """Labels, a share of which is drawn anew, uniformly from all classes; where a class is lost, one is kept."""
    if noise == 0.0:
        return targets
    rng = np.random.default_rng(seed)
    found = targets.copy()
    chosen = rng.permutation(len(targets))[: round(noise * len(targets))]
    found[chosen] = rng.integers(0, classes, len(chosen))
    for lost in set(range(classes)) - set(found.tolist()):
        found[np.flatnonzero(targets == lost)[0]] = lost
    return found


def evaluate(
    data: Data, held: int, patch: tuple[int, int], solver: LearnerSolver, study: bool, seed: int, task: Task
) -> Outcome:
    """Fit and judge: see ``Task``; a function that worker processes run."""
    begin = time.perf_counter()
    number = seed + task.split
    fitted, judging = split(data, held, number)
    targets, wanted = data.targets[fitted], data.targets[judging]
    if data.classes:
        targets = relabelled(targets, len(data.classes), task.noise, (seed, task.split, round(1e6 * task.noise)))
    if task.shuffled:
        targets = np.random.default_rng([seed, task.split, 7]).permutation(targets)
    model = (
        own(data, patch, solver, number)
        if task.learner == OWN
        else plain(task.learner, data, len(targets), targets, number)
    )
    with warnings.catch_warnings():  # of iteration limits of the plain methods: they are taken as they are
        warnings.simplefilter("ignore")
        model.fit(data.rows[fitted], targets)
        score, other = _judged(model, data.rows[judging], wanted, metric(data, study))
        trained, _ = _judged(model, data.rows[fitted], targets, metric(data, study))
    facts: dict[str, Any] = {}
    if task.learner == OWN and not task.shuffled:
        facts = _facts(model, data.rows[fitted], number)
    return Outcome(score, trained, other, time.perf_counter() - begin, **facts)


def own(data: Data, patch: tuple[int, int], solver: LearnerSolver, seed: int) -> Any:
    """The model of the run, not fitted."""
    if solver.model == "interactions":
        kind = InteractionClassifier if data.classes else InteractionRegressor
        rank = None if solver.rank == "automatic" else solver.rank
        ridge = None if solver.ridge == "automatic" else solver.ridge
        return kind(rank=rank, ridge=ridge, categorical=data.categorical, tol=TOL, random_state=seed)
    assert solver.model in ("tt", "ht", "cp") and isinstance(solver.rank, int)
    return TensorClassifier(
        form=cast("Format", solver.model),
        width=solver.rank,
        features=solver.features,
        image_shape=data.image,
        patch=patch,
        epochs=solver.epochs,
        decay=solver.decay,
        pixel_noise=solver.pixel_noise,
        patch_dropout=solver.patch_dropout,
        random_state=seed,
    )


def plain(name: str, data: Data, rows: int, targets: np.ndarray, seed: int) -> Any:
    """A plain method by its name in the YAML file, not fitted."""
    if not data.classes:
        return _prepared(data, _REGRESSORS[name](seed, rows), name)
    most = int(np.bincount(targets).min())
    if name == "linear" and data.image is None and most >= FEWEST:
        return _prepared(data, LogisticRegressionCV(Cs=7, cv=FEWEST, max_iter=ITERATIONS, scoring="neg_log_loss"), name)
    return _prepared(data, _CLASSIFIERS[name](seed, rows), name)


Maker = Callable[[int, int], Any]  # (seed, rows)
_CLASSIFIERS: dict[str, Maker] = {
    "linear": lambda seed, rows: LogisticRegression(C=1.0, max_iter=ITERATIONS),
    "linear-strong": lambda seed, rows: LogisticRegression(C=0.01, max_iter=ITERATIONS),
    "boosting": lambda seed, rows: HistGradientBoostingClassifier(random_state=seed),
    "nearest": lambda seed, rows: KNeighborsClassifier(1),
    "neighbours": lambda seed, rows: KNeighborsClassifier(min(NEIGHBOURS, rows)),
    "svm": lambda seed, rows: SVC(C=10.0),
    "svm-soft": lambda seed, rows: SVC(C=1.0),
    "forest": lambda seed, rows: RandomForestClassifier(100, random_state=seed),
    "network": lambda seed, rows: MLPClassifier((256, 256), max_iter=60, batch_size=min(64, rows), random_state=seed),
}
_REGRESSORS: dict[str, Maker] = {
    "linear": lambda seed, rows: RidgeCV(np.logspace(-3, 3, 7)),
    "linear-strong": lambda seed, rows: Ridge(100.0),
    "boosting": lambda seed, rows: HistGradientBoostingRegressor(random_state=seed),
    "nearest": lambda seed, rows: KNeighborsRegressor(1),
    "neighbours": lambda seed, rows: KNeighborsRegressor(min(NEIGHBOURS, rows)),
    "svm": lambda seed, rows: SVR(C=10.0),
    "svm-soft": lambda seed, rows: SVR(C=1.0),
    "forest": lambda seed, rows: RandomForestRegressor(100, random_state=seed),
    "network": lambda seed, rows: MLPRegressor((256, 256), max_iter=60, batch_size=min(64, rows), random_state=seed),
}


def _prepared(data: Data, model: Any, name: str) -> Any:
    """With the columns as the method wants them."""
    if data.image is not None:
        return model
    chosen = data.categorical
    numbers = [k for k in range(len(data.names)) if k not in chosen]
    if name in ("boosting", "forest"):  # trees need no scales; one-hot categories are told apart all the same
        return make_pipeline(ColumnTransformer([("c", _one_hot(), chosen)], remainder="passthrough"), model)
    return make_pipeline(ColumnTransformer([("n", StandardScaler(), numbers), ("c", _one_hot(), chosen)]), model)


def _one_hot() -> Any:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def _judged(model: Any, rows: np.ndarray, wanted: np.ndarray, what: str) -> tuple[float, float]:
    """Score and plain score."""
    predicted = model.predict(rows)
    if what == "R2":
        wrong = float(np.sum((predicted - wanted) ** 2))
        spread, size = float(np.sum((wanted - wanted.mean()) ** 2)), float(np.sum(wanted**2))
        return 1.0 - wrong / max(spread, 1e-300), float(np.sqrt(wrong / max(size, 1e-300)))
    right = float(np.mean(predicted == wanted))
    if what == "accuracy":
        return right, right
    told = model.decision_function(rows) if hasattr(model, "decision_function") else model.predict_proba(rows)[:, 1]
    return (float(roc_auc_score(wanted, told)) if len(set(wanted.tolist())) == 2 else right), right


DRAWN = 20_000  # rows of independent fields


def _facts(model: Any, rows: np.ndarray, seed: int) -> dict[str, Any]:
    """What an outcome tells of this suite's models."""
    if isinstance(model, TensorClassifier):
        return {"numbers": model.numbers_, "rank": model.width, "settled": bool(np.isfinite(model.losses_[-1]))}
    orders, train = model.shares_by_order(), model.chosen_.model
    rng = np.random.default_rng([seed, 3])
    drawn = np.column_stack([rng.choice(column, DRAWN) for column in rows.T])
    scores = model._scores(drawn)
    scores = scores - (scores.mean(axis=1, keepdims=True) if scores.shape[1] > 1 else 0.0)
    squares = np.sum((scores - scores.mean(axis=0)) ** 2, axis=1)
    sampled = (model.variance(), float(squares.mean()), float(squares.std() / np.sqrt(DRAWN)))
    return {
        "rank": model.rank_,
        "ridge": model.ridge_,
        "numbers": sum(core.size for core in train.cores),
        "settled": train.settled,
        "orders": orders,
        "pairs": model.shares_by_pair(),
        "cores": model.train_.cores,
        "sampled": sampled,
    }
