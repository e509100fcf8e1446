"""Singular values of all unfoldings and the SVD of one, against numpy on the dense tensor."""

import numpy as np
import pytest
from hypothesis import given, settings
from train_strategies import close, left_defect, right_defect, shapes, trains_of

from solvers.formats.trains.construct import ones, random_train, rank_one, tt_svd
from solvers.formats.trains.singular import singular_values_of
from solvers.formats.trains.tensor_train import TensorTrain

few = settings(max_examples=25, deadline=None, derandomize=True)


def unfolding(x: TensorTrain, k: int) -> np.ndarray:
    return x.full().reshape(int(np.prod(x.shape[:k])), -1)


@few
@given(shapes().flatmap(trains_of))
def test_they_are_those_of_every_unfolding(x):
    found = x.singular_values()
    assert len(found) == x.d - 1
    for k, s in enumerate(found, 1):
        exact = np.linalg.svd(unfolding(x, k), compute_uv=False)
        padded = np.zeros(max(len(s), len(exact)))
        padded[: len(exact)] = exact
        assert close(s, padded[: len(s)], exact[0]) and (padded[len(s) :] <= 1e-13 * exact[0]).all()
        assert np.isclose(np.linalg.norm(s), x.norm(), rtol=1e-13)


@few
@given(shapes().filter(lambda shape: len(shape) > 1).flatmap(trains_of))
def test_the_svd_of_an_unfolding_is_two_trains(x):
    for k in range(1, x.d):
        u, s, v = x.svd(k)
        assert u.shape == (*x.shape[:k], len(s)) and v.shape == (len(s), *x.shape[k:])
        assert close(unfolding(u, k) * s @ v.full().reshape(len(s), -1), unfolding(x, k))
        assert max([left_defect(u, j) for j in range(k)], default=0.0) < 1e-13
        assert max([right_defect(v, j) for j in range(1, v.d)], default=0.0) < 1e-13


def test_singlets_have_an_entropy_of_log_2_on_every_bond_that_cuts_one():
    """TeNPy's and quimb's case: pairs (1, 4), (2, 3) of spins in singlets."""
    pair = np.array([[0.0, 1.0], [-1.0, 0.0]]) / np.sqrt(2.0)
    state = np.einsum("ad,bc->abcd", pair, pair)
    x = tt_svd(state, 1e-14)
    entropies = [-np.sum(s[s > 1e-12] ** 2 * np.log2(s[s > 1e-12] ** 2)) for s in x.singular_values()]
    np.testing.assert_allclose(entropies, [1.0, 2.0, 1.0], atol=1e-13)


def test_norms_beyond_double_precision():
    x = rank_one([np.full(10, 1e3)] * 200)  # norm 1e700
    with pytest.raises(ValueError, match="largest singular value is about 1e700, an overflow"):
        x.singular_values()
    (s, *_), size = x.normalised()[0].singular_values(), x.log_norm()
    assert s[0] == pytest.approx(1.0) and size == pytest.approx(700 * np.log(10.0))
    small = rank_one([np.full(10, 1e-3)] * 400)
    with pytest.raises(ValueError, match="underflow"):
        small.singular_values()
    even = rank_one([np.full(10, 1e3)] * 30 + [np.full(10, 1e-4)] * 30)  # its norm is one, its parts are not
    np.testing.assert_allclose([s[0] for s in even.singular_values()], 1.0, rtol=1e-12)
    assert singular_values_of(ones((3,)).cores, None) == []


def test_zero_and_tolerance():
    x = random_train((4, 5, 6), 3, np.random.default_rng(0))
    assert all(not s.any() for s in (x * 0.0).singular_values())
    u, s, v = (x * 0.0).svd(1)
    assert s.tolist() == [0.0] and u.shape == (4, 1) and not v.full().any() ** 2 > 1
    noisy = x + 1e-9 * random_train((4, 5, 6), 2, np.random.default_rng(1))
    assert len(noisy.svd(2)[1]) > len(noisy.svd(2, 1e-6)[1]) == 3
    for k in (0, 3, -1):
        with pytest.raises(ValueError, match="k must lie between 1 and 2"):
            x.svd(k)
    with pytest.raises(ValueError, match="one mode has no unfolding"):
        ones((3,)).svd(1)
