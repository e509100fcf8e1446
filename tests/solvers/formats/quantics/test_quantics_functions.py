"""Exact trains of functions of one variable: values against numpy, the closed-form ranks on 2^14 points, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import (
    cosine,
    exponential,
    gaussian,
    heaviside,
    polynomial,
    sampled,
    sine,
    unit_vector,
)

few = settings(max_examples=40, deadline=None, derandomize=True)
LEVELS = st.integers(1, 9)
START, STEP = st.floats(-5.0, 5.0), st.floats(0.001, 0.05) | st.floats(-0.05, -0.001)
L, N = 14, 2**14
ON_UNIT = {"start": 0.0, "step": 1.0 / N}  # the interval [0, 1)
X = np.arange(N) / N


def values(train):
    return train.full().reshape(-1)


@few
@given(LEVELS, START, STEP, st.complex_numbers(max_magnitude=3.0) | st.floats(-3.0, 3.0))
def test_exponential(levels, start, step, rate):
    x = start + step * np.arange(2**levels)
    train = exponential(levels, rate, start, step)
    assert train.max_rank == 1
    np.testing.assert_allclose(values(train), np.exp(rate * x), rtol=1e-12)


def test_exponential_spans_the_range_of_doubles():
    # from 1e-300 to 1e300: no partial product may overflow or vanish
    x = -700.0 + np.arange(2048) * 0.683
    np.testing.assert_allclose(values(exponential(11, 1.0, -700.0, 0.683)), np.exp(x), rtol=1e-11)
    np.testing.assert_allclose(values(exponential(11, -1.0, 700.0, -0.683)), np.exp(-(700.0 - (x + 700))), rtol=1e-11)
    assert values(exponential(11, -10.0))[-1] == 0.0
    with pytest.raises(ValueError, match="overflows"):
        exponential(11, 1.0)


@few
@given(LEVELS, START, STEP, st.floats(-20.0, 20.0), st.floats(-4.0, 4.0))
def test_sine_and_cosine(levels, start, step, frequency, phase):
    angle = frequency * (start + step * np.arange(2**levels)) + phase
    for f, expected in ((sine, np.sin(angle)), (cosine, np.cos(angle))):
        train = f(levels, frequency, phase, start, step)
        assert train.max_rank <= 2
        np.testing.assert_allclose(values(train), expected, atol=2e-13)


@few
@given(LEVELS, START, STEP, st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=7), st.booleans())
def test_polynomial(levels, start, step, coefficients, turned):
    coefficients = np.array(coefficients) * (1j if turned else 1.0)
    x = start + step * np.arange(2**levels)
    train = polynomial(levels, coefficients, start, step)
    assert train.max_rank <= len(coefficients)
    size = np.polyval(np.abs(coefficients)[::-1], np.abs(x).max())  # what rounding errors are measured against
    np.testing.assert_allclose(values(train), np.polyval(coefficients[::-1], x), atol=1e-12 * size + 1e-300)


@few
@given(LEVELS, st.data())
def test_jump_and_unit_vector(levels, data):
    points = np.arange(2**levels)
    first = data.draw(st.integers(0, 2**levels))
    index = data.draw(st.integers(0, 2**levels - 1))
    assert np.array_equal(values(heaviside(levels, first)), points >= first)
    assert np.array_equal(values(unit_vector(levels, index)), points == index)
    assert heaviside(levels, first).max_rank <= 2 and unit_vector(levels, index).max_rank == 1


@pytest.mark.parametrize("levels", [6, 11, 14, 15, 16])
@pytest.mark.parametrize("exponent", [0.0, 0.3, 40.0, 1e5, 1e9])
def test_gaussian(levels, exponent):
    step = 8.0 / 2**levels
    x = -4.0 + step * np.arange(2**levels)
    centre = x[2 ** (levels - 1) - 3] + 0.3 * step
    train = gaussian(levels, exponent, centre, -4.0, step, tol=1e-10)
    exact = np.exp(-exponent * (x - centre) ** 2)
    assert np.abs(values(train) - exact).max() <= 1e-9 * exact.max()
    assert train.max_rank <= 12


def test_narrow_gaussian_on_a_billion_points():
    step = 100.0 / 2**30
    train = gaussian(30, 1e12, 1.0, -50.0, step, tol=1e-12)
    points = np.round((51.0 + np.linspace(-4e-6, 4e-6, 101)) / step).astype(np.int64)
    exact = np.exp(-1e12 * (-50.0 + step * points - 1.0) ** 2)
    assert exact.max() > 0.99
    np.testing.assert_allclose(train.entries(to_bits(points[:, None], [30])), exact, atol=1e-11)
    # the sum of an analytic function over the grid is its integral: sqrt(pi / exponent)
    total = np.ones((1, 1))
    for core in train.cores:
        total = total @ core.sum(axis=1)
    assert total[0, 0] * step == pytest.approx(np.sqrt(np.pi) * 1e-6, rel=1e-9)
    assert train.max_rank <= 12


@pytest.mark.parametrize(
    ("train", "vector", "rank"),
    [
        (exponential(L, 1.0, **ON_UNIT), np.exp(X), 1),
        (sine(L, 7.3, **ON_UNIT), np.sin(7.3 * X), 2),
        (polynomial(L, [0.5, -2.0, 1.0], **ON_UNIT), np.polyval([1.0, -2.0, 0.5], X), 3),
        (polynomial(L, [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], **ON_UNIT), np.polyval([1, 2, 3, 4, 5, 6], X), 6),
        (
            polynomial(L, [0.0, 1.0], **ON_UNIT) * exponential(L, -1.0, **ON_UNIT) * sine(L, 1.0, **ON_UNIT),
            X * np.exp(-X) * np.sin(X),
            4,
        ),
        (
            sine(L, 3.5, **ON_UNIT) + sine(L, 6.6, **ON_UNIT) + sine(L, 9.7, **ON_UNIT),
            sum(np.sin((3.1 * m + 0.4) * X) for m in range(1, 4)),
            6,
        ),
        (heaviside(L, 4916), np.where(X >= 0.3, 1.0, 0.0), 2),
        (unit_vector(L, 777), (np.arange(N) == 777) * 1.0, 1),
        (sampled(np.random.default_rng(0).standard_normal(N)), np.random.default_rng(0).standard_normal(N), 2**7),
    ],
    ids=["exp", "sin", "quadratic", "quintic", "x exp sin", "3 sines", "Heaviside", "unit", "random"],
)
def test_ranks_of_vectors_on_2_to_the_14_points(train, vector, rank):
    rounded = train.round(1e-12)
    assert rounded.max_rank == rank
    assert np.linalg.norm(values(rounded) - vector) <= 3e-12 * np.linalg.norm(vector)


def test_whole_periods_factor_out_of_a_sine():
    rounded = sine(L, 8.0 * np.pi, **ON_UNIT).round(1e-12)
    assert rounded.ranks == (1, 1, 1, 1, *(2,) * 10, 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: exponential(0), "levels"),
        (lambda: exponential(2.0), "levels"),
        (lambda: sine(61), "levels"),
        (lambda: exponential(3, np.nan), "overflows"),
        (lambda: sine(3, np.inf), "finite"),
        (lambda: sine(3, 1.0, step=0.0), "step"),
        (lambda: polynomial(3, []), "coefficients"),
        (lambda: polynomial(3, [1.0, np.nan]), "coefficients"),
        (lambda: polynomial(3, [1.0], start=np.inf), "start"),
        (lambda: gaussian(3, -1.0), "exponent"),
        (lambda: gaussian(3, np.nan), "exponent"),
        (lambda: gaussian(3, 1.0, tol=1.0), "tol"),
        (lambda: heaviside(3, 9), "first"),
        (lambda: sampled(np.ones(6)), "values"),
        (lambda: sampled(np.ones((2, 2))), "values"),
        (lambda: sampled(np.array([1.0, np.nan])), "NaN"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_unit_vector_outside_is_refused():
    with pytest.raises(IndexError, match="outside"):
        unit_vector(3, 8)
