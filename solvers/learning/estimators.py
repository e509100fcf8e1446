"""Interaction trains and score functions by the conventions of scikit-learn.

    fit(X, y), predict, predict_proba, score, get_params, pipelines and searches as of any estimator there

Thin: columns become functions or patches, classes become numbers, and ``solvers.learning`` does the rest. Needs the
extra ``learning``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.formats.trains.variance import by_order, by_pair
from solvers.learning import losses
from solvers.learning.descent import Descent, cut_into_patches, learn
from solvers.learning.fields import fields_of, functions_of, orthonormal
from solvers.learning.losses import Loss
from solvers.learning.patches import FORMATS, Format, numbers
from solvers.learning.selection import RANKS, RIDGES, choose

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data
except ImportError as error:  # the message says what to install
    raise ImportError('the estimators need scikit-learn: pip install "ttsuite[learning]"') from error


class _Interactions(BaseEstimator):
    """What both interaction estimators share."""

    def __init__(
        self,
        rank: int | Sequence[int] | None = None,
        ridge: float | Sequence[float] | None = None,
        categorical: Sequence[int] | None = None,
        tol: float = 1e-6,
        random_state: int | None = None,
    ) -> None:
        self.rank = rank
        self.ridge = ridge
        self.categorical = categorical
        self.tol = tol
        self.random_state = random_state

    def _fit(self, rows: np.ndarray, targets: np.ndarray, loss: Loss) -> None:
        chosen = set(self.categorical or ())
        if not chosen <= set(range(rows.shape[1])):
            raise ValueError(f"categorical is {sorted(chosen)}: give numbers of columns, of 0 to {rows.shape[1] - 1}")
        self.categories_ = [self._codes(k, rows[:, k]) if k in chosen else 0 for k in range(rows.shape[1])]
        self.fields_ = fields_of(rows, self.categories_)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        self.chosen_ = choose(
            functions_of(self.fields_, rows),
            targets,
            loss,
            ranks=_listed(self.rank, RANKS),
            ridges=_listed(self.ridge, RIDGES),
            rng=np.random.default_rng(seed),
            tol=self.tol,
        )
        self.rank_, self.ridge_ = self.chosen_.rank, self.chosen_.ridge
        self.n_iter_ = self.chosen_.model.sweeps

    @staticmethod
    def _codes(k: int, column: np.ndarray) -> int:
        if np.any(column != np.floor(column)) or column.min() < 0 or column.max() > len(column) + 1e6:
            raise ValueError(f"column {k} is categorical: its categories must be numbered from 0")
        return int(column.max()) + 1

    def _scores(self, X: np.ndarray) -> np.ndarray:
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        return self.chosen_.model.scores(functions_of(self.fields_, rows))

    @property
    def train_(self) -> TensorTrain:
        """The coefficients, in orthonormal functions of each field, the scores last."""
        check_is_fitted(self)
        *cores, last = self.chosen_.model.cores
        return TensorTrain((*orthonormal(cores), last))

    def shares_by_order(self) -> np.ndarray:
        """Shares (d + 1,) of the variance of the scores by how many fields act together; the first, of none, is zero.

        Exact from the train, for fields drawn independently from their columns. Cost O(d^2 n r^3).
        """
        found = self._orders()
        return _shares(found, found)

    def shares_by_pair(self) -> np.ndarray:
        """Shares (d, d) of each pair of fields beyond what either does alone, which stands on the diagonal."""
        pairs = np.sum([by_pair(train, units) for train, units in self._of_scores()], axis=0)
        return _shares(pairs, self._orders())

    def variance(self) -> float:
        """Of the scores, summed over them, for fields drawn independently from their columns; exact from the train.

        A regressor's scores are in standard deviations of the target it was fitted to.
        """
        return float(self._orders()[1:].sum())

    def _orders(self) -> np.ndarray:
        return np.sum([by_order(train, units) for train, units in self._of_scores()], axis=0)

    def _of_scores(self) -> list[tuple[TensorTrain, list[np.ndarray]]]:
        """The train of each score and the constants of its modes; of classes the mean over them counts for nothing."""
        *cores, last = self.train_.cores
        last = last[:, :, 0] - (last[:, :, 0].mean(axis=1, keepdims=True) if last.shape[1] > 1 else 0.0)
        units = [np.eye(1, core.shape[1])[0] for core in cores]
        found = []
        for y in range(last.shape[1]):
            closed = [*cores[:-1], np.tensordot(cores[-1], last[:, y : y + 1], 1)]
            found.append((TensorTrain(tuple(closed)), units))
        return found


class InteractionRegressor(RegressorMixin, _Interactions):
    """Regression by all interactions of the columns, in one tensor train (Exponential Machines).

    ``rank``: TT-rank, or those to choose among by rows set aside (None: 2, 4, 8); ``ridge``: of the coefficients in
    orthonormal functions, for targets of deviation one, the same way (None: 1e-8 to 0.01); ``categorical``: columns
    that are categories numbered from 0; ``tol``: relative fall of the objective in a sweep at which the fit ends;
    ``random_state``: of the start and of the rows set aside.

    Raises ValueError for NaN, infinity, texts, impossible options.  Cost: O(N d (n r^2)^2) a sweep.
    Novikov, Trofimov, Oseledets, arXiv:1605.03795, eq. (1) to (4).
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Fit rows X (N, d) and numbers y (N,)."""
        rows, targets = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        targets = np.asarray(targets, dtype=np.float64)
        self.mean_, self.deviation_ = float(targets.mean()), float(targets.std()) or 1.0
        self._fit(rows, (targets - self.mean_) / self.deviation_, "squared")
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Numbers (N,)."""
        scores = self._scores(X)[:, 0]
        return self.mean_ + self.deviation_ * scores


class _Classes(ClassifierMixin):
    """Classes as numbers, and what follows from scores."""

    classes_: np.ndarray

    def _numbered(self, y: np.ndarray) -> np.ndarray:
        check_classification_targets(y)
        self.classes_, targets = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only ({self.classes_[0]}): there is nothing to tell apart")
        return targets

    @property
    def _loss(self) -> Loss:
        return "logistic" if len(self.classes_) == 2 else "softmax"

    def _scores(self, X: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Scores (N, K), or (N,) of the second of two classes."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (N, C) of the classes, in the order of ``classes_``."""
        scores = self._scores(X)
        return losses.probabilities(self._loss, scores)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable class (N,)."""
        scores = self._scores(X)
        best = (scores[:, 0] > 0.0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
        return self.classes_[best]


class InteractionClassifier(_Classes, _Interactions):
    """Classification by all interactions of the columns, in one tensor train (Exponential Machines).

    Options as of ``InteractionRegressor``; logistic loss for two classes, softmax for more, whose index is one more
    mode of the train.

    Raises ValueError for NaN, infinity, texts, one class alone, impossible options.
    """

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Fit rows X (N, d) and classes y (N,)."""
        rows, given = validate_data(self, X, y, dtype=np.float64)
        targets = self._numbered(given)
        self._fit(rows, targets, self._loss)
        return self

    def _scores(self, X: np.ndarray) -> np.ndarray:
        return _Interactions._scores(self, X)


class TensorClassifier(_Classes, BaseEstimator):
    """Classification of images by products of features of their patches, with low-rank weights.

    ``form``: tt (recurrent), ht (deep), cp (shallow); ``width``: its rank; ``features``: learned of each patch, beside
    the constant; ``image_shape``: (rows, columns) of the pixels in a row of X, cut into patches of ``patch`` pixels;
    None: each column is a patch of its own. ``epochs``, ``batch``, ``rate``, ``decay``: of Adam; ``pixel_noise``,
    ``patch_dropout``: noise while fitting, that of pixels in units of the largest. ``random_state``: of all.

    Raises ValueError for NaN, infinity, texts, one class alone, patches that do not fill the image, impossible options.
    Cost: see ``solvers.learning.patches``. Cohen, Sharir, Shashua, COLT 2016; Khrulkov, Novikov, Oseledets, ICLR 2018.
    """

    def __init__(
        self,
        form: Format = "tt",
        width: int = 4,
        features: int = 8,
        image_shape: tuple[int, int] | None = None,
        patch: tuple[int, int] = (2, 2),
        epochs: int = 40,
        batch: int = 50,
        rate: float = 0.01,
        decay: float = 0.0,
        pixel_noise: float = 0.0,
        patch_dropout: float = 0.0,
        random_state: int | None = None,
    ) -> None:
        self.form = form
        self.width = width
        self.features = features
        self.image_shape = image_shape
        self.patch = patch
        self.epochs = epochs
        self.batch = batch
        self.rate = rate
        self.decay = decay
        self.pixel_noise = pixel_noise
        self.patch_dropout = patch_dropout
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Fit rows X (N, d) and classes y (N,)."""
        if self.form not in FORMATS:
            raise ValueError(f"form is {self.form!r}; give one of {', '.join(FORMATS)}")
        if min(self.width, self.features) < 1:
            raise ValueError(f"width is {self.width}, features are {self.features}: give at least 1 of either")
        how = Descent(self.epochs, self.batch, self.rate, self.decay, self.pixel_noise, self.patch_dropout)
        rows, given = validate_data(self, X, y, dtype=np.float64)
        targets = self._numbered(given)
        if self.image_shape is None:
            self.centre_, self.scale_ = rows.mean(axis=0), rows.std(axis=0)
            self.scale_[self.scale_ == 0.0] = 1.0
        else:
            if self.image_shape[0] * self.image_shape[1] != rows.shape[1]:
                raise ValueError(f"images of shape {tuple(self.image_shape)} have not the {rows.shape[1]} columns of X")
            self.centre_, self.scale_ = np.zeros(1), np.array([float(np.abs(rows).max()) or 1.0])
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        loss = self._loss
        self.model_ = learn(
            self._patches(rows),
            targets,
            loss,
            form=self.form,
            width=self.width,
            features=self.features,
            how=how,
            seed=seed,
        )
        self.n_iter_, self.losses_, self.numbers_ = self.epochs, self.model_.losses, numbers(self.model_.parameters)
        return self

    def _patches(self, rows: np.ndarray) -> np.ndarray:
        scaled = (rows - self.centre_) / self.scale_
        if self.image_shape is None:
            return np.ascontiguousarray(scaled.T[:, :, None])
        return cut_into_patches(scaled.reshape(-1, *self.image_shape), (self.patch[0], self.patch[1]))

    def _scores(self, X: np.ndarray) -> np.ndarray:
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        return self.model_.scores(self._patches(rows))


def _listed(given: float | Sequence[float] | None, default: tuple) -> list:
    if given is None:
        return list(default)
    return [given] if isinstance(given, int | float) else list(given)


def _shares(parts: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Over the sum of all orders but that of the constant."""
    whole = float(orders[1:].sum())
    found = np.array(parts, dtype=float)
    if found.ndim == 1:
        found[0] = 0.0
    return found / whole if whole > 0.0 else 0.0 * found
