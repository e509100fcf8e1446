"""The positive information and its factors."""

import numpy as np
import scipy.sparse as sparse

from solvers.fit_methods import ShiftedPMI
from solvers.optimisation.skip_gram import pmi
from solvers.optimisation.skip_gram.embed import embed
from solvers.optimisation.skip_gram.pmi import information, pmi_svd
from solvers.optimisation.skip_gram.problem import SkipGram

COUNTS = np.random.default_rng(0).poisson(0.8, (20, 14)).astype(float)


def exact(shift):
    with np.errstate(divide="ignore"):
        pmi = np.log(COUNTS * COUNTS.sum() / np.outer(COUNTS.sum(axis=1), COUNTS.sum(axis=0)))
    return np.maximum(pmi - shift, 0.0)


def test_the_information_is_shifted_by_the_negatives():
    given = SkipGram.of(sparse.csr_array(COUNTS), 2.0)
    np.testing.assert_allclose(information(given).toarray(), exact(np.log(2.0)), atol=1e-14)
    np.testing.assert_allclose(information(given, np.log(2.0)).toarray(), exact(0.0), atol=1e-14)


def test_factors_are_the_best_of_their_rank():
    for shift in (None, 0.0):
        found = embed(COUNTS, 4, negatives=2.0, method=ShiftedPMI(shift)).value
        u, s, vt = np.linalg.svd(exact(np.log(2.0) if shift is None else shift))
        np.testing.assert_allclose(found.words @ found.contexts.T, u[:, :4] * s[:4] @ vt[:4], atol=1e-12)


def test_lanczos_finds_what_the_dense_decomposition_does(monkeypatch):
    given = SkipGram.of(sparse.csr_array(COUNTS), 2.0)
    dense = pmi_svd(given, 3, np.random.default_rng(0))
    monkeypatch.setattr(pmi, "DENSE", 0)
    sparse_one = pmi_svd(given, 3, np.random.default_rng(0))
    np.testing.assert_allclose(sparse_one.words, dense.words, atol=1e-10)


def test_where_nothing_is_informative_the_vectors_are_zero(monkeypatch):
    given = SkipGram.of(sparse.csr_array(np.ones((8, 8))), 5.0)
    assert not pmi_svd(given, 2, np.random.default_rng(0)).words.any()
    monkeypatch.setattr(pmi, "DENSE", 0)
    assert not pmi_svd(given, 2, np.random.default_rng(0)).words.any()
