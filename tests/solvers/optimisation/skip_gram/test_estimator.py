"""The estimator: scikit-learn's conventions, rows alone, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sparse
from planted_counts import CASES, planted
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from solvers.optimisation.skip_gram.estimator import SkipGramEmbedding


@parametrize_with_checks([SkipGramEmbedding(random_state=0)])
def test_conventions(estimator, check):
    check(estimator)


def test_rows_are_embedded_one_by_one_at_the_maximum():
    given, _ = planted(*CASES[0][:-1])
    counts = given.counts * 1000.0  # so many that the ridge is nothing
    # by the frequencies of its own words the maximum is X plus a number a row and a number a column: rank 3 + 2
    model = SkipGramEmbedding(5, negatives=5.0, ridge=1e-3, tol=1e-10, random_state=0).fit(counts)
    assert model.objective_ == pytest.approx(model.bound_, rel=1e-8)
    vectors = model.transform(sparse.csr_array(counts))
    assert vectors.shape == (60, 5)
    np.testing.assert_allclose(vectors[:7], model.transform(counts[:7]), atol=1e-8)  # each row by itself
    assert not model.transform(np.zeros((1, 50))).any()


def test_what_does_not_converge_is_said_and_impossible_settings_are_refused():
    counts = np.random.default_rng(0).poisson(3.0, (15, 10))
    with pytest.warns(ConvergenceWarning):
        SkipGramEmbedding(3, tol=1e-12, max_iter=2).fit(counts)
    for keywords, said in (({"ridge": 0.0}, "ridge"), ({"n_components": 11}, "rank is 11")):
        with pytest.raises(ValueError, match=said):
            SkipGramEmbedding(**keywords).fit(counts)
    with pytest.raises(ValueError, match="zero"):
        SkipGramEmbedding().fit(0 * counts)


def test_scikit_learn_is_loaded_with_the_estimator_alone():
    code = "import sys, ttsuite; ttsuite.embed; assert 'sklearn' not in sys.modules; ttsuite.SkipGramEmbedding"
    subprocess.run([sys.executable, "-c", code + "; assert 'sklearn' in sys.modules"], check=True)
