"""Sizes leave no trace: trains and operators times numbers of any size give results times these numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sector_cases import PARITY_MODES, random_sector_train

from solvers.formats import quantics
from solvers.formats.trains.construct import operator_tt_svd, random_train, tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.sectors.train import inner, truncate

SHAPE = (3, 2, 4, 2)


def powers(d, most):
    """Powers of ten a core, and what they add up to, within reach of double precision."""
    return st.lists(st.integers(-most, most), min_size=d, max_size=d).filter(lambda e: abs(sum(e)) <= 100)


def scaled(x, exponents):
    return TensorTrain(tuple(core * 10.0**e for core, e in zip(x.cores, exponents)))


@given(powers(4, 290), st.integers(0, 10**6), st.booleans())
@settings(max_examples=80, deadline=None)
def test_trains_of_uneven_cores(exponents, seed, complex_):
    """Cores of 1e-290 to 1e290 whose product is of size one: nothing over- or underflows on the way."""
    x = random_train(SHAPE, 3, np.random.default_rng(seed), complex if complex_ else float)
    y, unit = scaled(x, exponents), 10.0 ** sum(exponents)
    expected = x.full()
    size = np.abs(expected).max()
    index = np.array([[0, 1, 3, 0], [2, 0, 1, 1]])
    np.testing.assert_allclose(y.full() / unit, expected, atol=1e-13 * size)
    np.testing.assert_allclose(y.entries(index) / unit, x.entries(index), atol=1e-13 * size)
    np.testing.assert_allclose(y.norm() / unit, x.norm(), rtol=1e-12)
    np.testing.assert_allclose(dot(y, y) / unit**2, dot(x, x), rtol=1e-12)
    np.testing.assert_allclose(y.orthogonalise(2).full() / unit, expected, atol=1e-12 * size)
    rounded, error = y.round_with_error(1e-3)
    reference, same = x.round_with_error(1e-3)
    assert rounded.ranks == reference.ranks
    assert error == pytest.approx(same, rel=1e-6, abs=1e-12)
    np.testing.assert_allclose(rounded.full() / unit, reference.full(), atol=1e-11 * size)


@given(st.integers(-140, 140), st.integers(-140, 140), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_sums_of_very_different_size(a, b, seed):
    """What a sum keeps of the smaller train is what double precision has of it, through rounding too."""
    rng = np.random.default_rng(seed)
    x, y = random_train(SHAPE, 2, rng) * 10.0**a, random_train(SHAPE, 2, rng) * 10.0**b
    total = x + y
    expected = x.full() + y.full()
    size = np.abs(expected).max()
    np.testing.assert_allclose(total.full(), expected, atol=1e-13 * size, rtol=0)
    np.testing.assert_allclose(total.round(1e-14).full(), expected, atol=1e-12 * size, rtol=0)
    assert dot(x, total) == pytest.approx(np.vdot(x.full(), expected), abs=1e-12 * x.norm() * np.linalg.norm(expected))
    assert (x - x).norm() <= 1e-14 * x.norm()


@pytest.mark.parametrize("value", [0.0, 5.0, -1e300, 1e-300])
def test_constants(value):
    array = np.full(SHAPE, value)
    for x in (tt_svd(array), tt_svd(array, 0.0).round(1e-12)):
        assert x.ranks == (1,) * 5
        np.testing.assert_allclose(x.full(), array, rtol=1e-13)
    assert tt_svd(array).norm() == pytest.approx(abs(value) * 48**0.5, rel=1e-12)


def test_not_a_number_is_refused():
    for bad in (np.nan, np.inf):
        array = np.ones(SHAPE)
        array[1, 1, 1, 1] = bad
        with pytest.raises(ValueError, match="NaN or infinity"):
            tt_svd(array)
        with pytest.raises(ValueError, match="NaN or infinity"):
            TensorTrain((array.reshape(1, 48, 1),))


@given(powers(3, 250), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_operators_of_uneven_cores(exponents, seed):
    """Cores, their factors and what is applied with them."""
    rng = np.random.default_rng(seed)
    a = operator_tt_svd(rng.standard_normal((2, 3, 2) * 2))
    factors = tuple(a.factors_at(k) for k in range(3))
    uneven = TTOperator(
        tuple(core * 10.0**e for core, e in zip(a.cores, exponents)),
        tuple((c * 10.0**e, m) for (c, m), e in zip(factors, exponents)),
    )
    unit = 10.0 ** sum(exponents)
    np.testing.assert_allclose(uneven.full() / unit, a.full(), atol=1e-13)
    np.testing.assert_allclose(uneven.norm() / unit, a.norm(), rtol=1e-12)
    for k, core in enumerate(uneven.cores):
        coefficients, matrices = uneven.factors_at(k)
        found = np.einsum("pab,pij->aijb", coefficients, matrices)
        np.testing.assert_allclose(found, core, rtol=0, atol=1e-13 * np.abs(core).max())
    x = random_train((2, 3, 2), 2, rng)
    np.testing.assert_allclose((uneven @ x).full().ravel() / unit, a.full() @ x.full().ravel(), atol=1e-13)


@given(st.integers(0, 10**6), st.lists(st.integers(-30, 30), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_factors_of_blocks_of_very_different_size(seed, exponents):
    """A block of 1e-30 beside one of 1e30 is right to its own digits, as the next core may multiply it by 1e60."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** np.array(exponents)
    blocks = rng.standard_normal((2, 4, 4)) @ np.diag([1.0, 2.0, 0.0, 1.0])
    core = np.einsum(
        "ab,abij->aijb",
        scales.reshape(2, 3),
        rng.choice([1.0, -2.0], (2, 3))[..., None, None] * blocks[rng.integers(2, size=(2, 3))],
    )
    first, last = rng.standard_normal((1, 2, 2, 2)), rng.standard_normal((3, 2, 2, 1))
    operator = TTOperator((first, core, last))
    coefficients, matrices = operator.factors_at(1)
    assert len(matrices) <= 2
    found = np.einsum("pab,pij->aijb", coefficients, matrices)
    sizes = np.abs(operator.cores[1]).max(axis=(1, 2), keepdims=True)
    assert np.all(np.abs(found - operator.cores[1]) <= 1e-13 * sizes)


@given(st.integers(0, 10**6), st.integers(-250, 250))
@settings(max_examples=30, deadline=None)
def test_sector_trains_of_any_size(seed, exponent):
    x = random_sector_train(np.random.default_rng(seed), PARITY_MODES, 0)
    if inner(x, x) == 0.0:
        return
    y = x.scaled(10.0**exponent)
    for rank, tol in ((2, 0.0), (50, 0.3)):
        (a, lost), (b, same) = truncate(x, rank, tol), truncate(y, rank, tol)
        assert a.bonds == b.bonds
        assert a.max_rank <= rank
        np.testing.assert_allclose(lost, same, rtol=1e-6, atol=1e-14)
        np.testing.assert_allclose(b.to_train().full() / 10.0**exponent, a.to_train().full(), atol=1e-11)


def test_equal_singular_values_do_not_exceed_the_rank():
    """A maximally entangled train: all singular values alike, in both charges."""
    mode = ((0, 2), (1, 2))
    x = random_sector_train(np.random.default_rng(0), (mode, mode), 0)
    blocks = [np.eye(2), np.eye(2)]
    cores = (np.concatenate([b.ravel() for b in blocks]), np.concatenate([b.ravel() for b in blocks]))
    even = type(x)((mode, mode), (((0, 1),), ((0, 2), (1, 2)), ((0, 1),)), cores)
    for rank in (1, 2, 3, 4):
        found, lost = truncate(even, rank)
        assert found.max_rank == rank
        assert lost[0] == pytest.approx(1 - rank / 4)


@given(st.integers(-150, 150), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_quantics_of_any_size(exponent, seed):
    """Whatever quantics does to a train it does to one of 1e-150 or 1e150 too, ranks and relative errors alike."""
    rng, unit = np.random.default_rng(seed), 10.0**exponent
    values = np.cos(rng.uniform(1, 9) * np.linspace(0, 1, 64)) + rng.standard_normal(64) * 1e-6
    x = quantics.sampled(values, 1e-3)
    y = quantics.sampled(values * unit, 1e-3)
    assert x.ranks == y.ranks
    factors = [rng.standard_normal((16, 2)), rng.standard_normal((16, 2))]
    for act in (
        lambda t, u: t,
        lambda t, u: quantics.permuted(t, [3, 1, 0, 2, 5, 4], 1e-2),
        lambda t, u: quantics.reordered(t, [3, 3], "interleaved", 1e-2),
        lambda t, u: quantics.refine(t, [6], tol=1e-2),
        lambda t, u: quantics.diagonal(t) @ quantics.cosine(6),
        lambda t, u: quantics.separable([factors[0] * u, factors[1]], 1e-2),
        lambda t, u: quantics.split_axes(tt_svd(np.outer(values, values[:32]) * u), 1e-2),
        lambda t, u: quantics.convolve(t, quantics.cosine(6), 1, 1e-2),
    ):
        a, b = act(x, 1.0), act(y, unit)
        assert a.ranks == b.ranks
        np.testing.assert_allclose(b.full() / unit, a.full(), atol=1e-10 * np.abs(a.full()).max())
