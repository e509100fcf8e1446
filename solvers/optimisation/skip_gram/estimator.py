"""``SkipGramEmbedding``: the skip-gram objective as a transformer of scikit-learn, on matrices of counts.

Rows are words (or documents, customers), columns what they were counted with. ``fit`` finds both factors by alternating
Newton steps; ``transform`` holds the vectors of the columns and finds that of each row, a concave problem with one
maximum. Needs the extra ``learning``.
"""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
import scipy.sparse as sparse

from solvers.fit_methods import AlternatingNewton
from solvers.optimisation.skip_gram.embed import embed
from solvers.optimisation.skip_gram.problem import SkipGram
from solvers.optimisation.skip_gram.row_newton import newton_step

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.validation import check_is_fitted, check_non_negative, check_random_state, validate_data
except ImportError as error:  # the message says what to install
    raise ImportError('the estimators need scikit-learn: pip install "ttsuite[learning]"') from error

ROW_STEPS = 100  # Newton steps of a row alone; some ten are needed
ROW_STILL = 1e-14  # relative increase of the sum of all rows, below which they have arrived


class SkipGramEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Vectors of the rows of a matrix of counts (n, m), dense or sparse.

    Parameters
    ----------
    n_components : length of a vector, at most min(n, m).
    negatives : negative samples a count.
    ridge : what a singular value of the product of both factors costs, in counts; above zero, so that every row has one
        best vector.
    tol : relative increase of the objective still expected at which fitting stops.
    max_iter : most sweeps; more would be needed where a ConvergenceWarning says so.
    random_state : of the small random numbers in the start.

    Attributes
    ----------
    components_ : (n_components, m) vectors of the columns.
    shares_ : (m,) share of each column among the negative samples.
    objective_, bound_ : value a count, and that of the best matrix of any rank.
    n_iter_ : sweeps.

    Raises ValueError for counts that are negative or all zero, a ridge that is not positive, and a number of components
    that the counts cannot have. Cost 2 n m n_components^2 flops a sweep.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        negatives: float = 5.0,
        ridge: float = 1.0,
        tol: float = 1e-4,
        max_iter: int = 100,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.negatives = negatives
        self.ridge = ridge
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: np.ndarray | sparse.sparray, y: object = None) -> Self:
        """Find the vectors of the columns; ``y`` is not used."""
        counts = self._counts(X, reset=True)
        if not self.ridge > 0.0:
            raise ValueError(f"ridge is {self.ridge!r}; give a positive number, such as 1.0")
        if not counts.nnz:
            raise ValueError("all counts are zero: no pair was seen")
        problem = SkipGram.of(counts, self.negatives)
        found = embed(
            problem,
            self.n_components,
            negatives=self.negatives,
            method=AlternatingNewton(sweeps=self.max_iter, ridge=float(self.ridge)),
            accuracy=self.tol,
            rng=np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1)),
            throw=False,
        )
        if not found.converged:
            warnings.warn(found.status.value, ConvergenceWarning, stacklevel=2)
        self.components_ = found.value.contexts.T.copy()
        self.shares_ = problem.columns
        self.objective_, self.bound_ = found.extra["value_per_pair"], found.extra["bound_per_pair"]
        self.n_iter_ = found.counts["sweeps"]
        self._n_features_out = self.n_components
        return self

    def transform(self, X: np.ndarray | sparse.sparray) -> np.ndarray:
        """Vectors (n, n_components) of rows of counts; a row without counts is zero."""
        check_is_fitted(self)
        counts = self._counts(X, reset=False)
        rows = self.negatives * np.asarray(counts.sum(axis=1)).ravel()
        problem = SkipGram(counts, rows, self.shares_)
        contexts = np.ascontiguousarray(self.components_.T)
        words = np.zeros((counts.shape[0], contexts.shape[1]))
        for _ in range(ROW_STEPS):
            words, gained = newton_step(problem, words, contexts, float(self.ridge))
            if gained <= ROW_STILL * float(rows.sum()):
                break
        return words

    def _counts(self, given: np.ndarray | sparse.sparray, reset: bool) -> sparse.csr_array:
        kept = validate_data(self, given, accept_sparse="csr", dtype=np.float64, reset=reset)
        check_non_negative(kept, "SkipGramEmbedding (counts)")
        table = sparse.csr_array(kept)
        table.sum_duplicates()
        table.eliminate_zeros()
        return table

    def __sklearn_tags__(self) -> object:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags
