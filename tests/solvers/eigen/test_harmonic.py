"""Harmonic Ritz values against the dense matrix: none is nearer to s than its vector's residual allows."""

import numpy as np

from solvers.eigen.harmonic import harmonic
from solvers.eigen.spans import between
from solvers.formats.trains.construct import identity_operator, operator_tt_svd, tt_svd


def spanned(a: np.ndarray, shape: tuple[int, ...], vectors: np.ndarray, s: complex):
    operator = operator_tt_svd(a.reshape(shape + shape), 1e-14)
    basis = [tt_svd(v.reshape(shape), 1e-14) for v in vectors.T]
    gram = between(basis, None, basis, False)
    d, u = np.linalg.eigh(0.5 * (gram + gram.conj().T))
    q = u / np.sqrt(d)
    k = q.conj().T @ between(basis, operator, basis, False) @ q
    return harmonic(basis, q, k, operator - identity_operator(shape) * s, s, 1e-12), q


def test_bounded_by_the_residual_and_exact_in_an_invariant_span() -> None:
    rng = np.random.default_rng(3)
    shape, s = (3, 2, 2), 0.2 + 0.1j
    a = rng.standard_normal((12, 12)) + 1j * rng.standard_normal((12, 12))
    v = rng.standard_normal((12, 5)) + 1j * rng.standard_normal((12, 5))
    found, q = spanned(a, shape, v, s)
    x = v @ q @ found.vectors
    assert np.all(np.linalg.norm((a - s * np.eye(12)) @ x, axis=0) <= np.abs(found.t) * (1.0 + 1e-9))
    w, own = np.linalg.eig(a)
    chosen = np.argsort(np.abs(w - s))[[0, 2, 5]]
    found, _ = spanned(a, shape, own[:, chosen] @ rng.standard_normal((3, 3)), s)
    assert np.all(found.clear)
    np.testing.assert_allclose(np.sort_complex(found.w), np.sort_complex(w[chosen]), atol=1e-9)


def test_a_mixture_about_s_is_not_the_value_there() -> None:
    """Half of an eigenvalue on each side: the quotient is next to s, and nothing else is."""
    a, s = np.diag([-3.0, 3.0 + 1e-3, 7.0, 9.0]), 0.0
    found, _ = spanned(a, (2, 2), np.array([[1.0], [1.0], [0.0], [0.0]]) / np.sqrt(2.0), s)
    assert not found.clear.any() and np.abs(found.w).min() > 3.0
