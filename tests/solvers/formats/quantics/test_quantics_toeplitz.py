"""Toeplitz and circulant operators and convolutions against dense matrices and fast Fourier transforms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import circulant, toeplitz
from scipy.signal import fftconvolve

from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import exponential, gaussian, sampled, sine
from solvers.formats.quantics.operators import laplacian
from solvers.formats.quantics.toeplitz import circulant_operator, convolve, toeplitz_operator
from solvers.formats.trains.construct import random_train, tt_svd

few = settings(max_examples=30, deadline=None, derandomize=True)
SIZE, L = 256, 8


@few
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 10**6), st.sampled_from([np.float64, np.complex128]))
def test_entries_are_those_of_the_generator(levels, rank, seed, dtype):
    n = 2**levels
    generator = random_train((2,) * (levels + 1), rank, np.random.default_rng(seed), dtype)
    t = generator.full().reshape(-1)
    operator = toeplitz_operator(generator)
    np.testing.assert_allclose(operator.full(), toeplitz(t[n:], t[n:0:-1]), atol=1e-13)
    assert operator.max_rank <= 2 * generator.max_rank
    cyclic = circulant_operator(generator)
    np.testing.assert_allclose(cyclic.full(), circulant(t), atol=1e-13)
    assert cyclic.max_rank <= 2 * generator.max_rank


@pytest.mark.parametrize(
    ("generator", "ranks"),
    [
        (lambda k: np.exp(k / SIZE), (1, 1)),
        (lambda k: np.exp(-5.0 * np.abs(k) / SIZE), (2, 3)),
        (lambda k: np.sin(0.05 * k), (2, 2)),
        (lambda k: 1.0 + k / SIZE + (k / SIZE) ** 2, (3, 3)),
        (lambda k: 1.0 / (np.abs(k) + 1.0), (10, 12)),
    ],
    ids=["exp", "exp|k|", "sin", "quadratic", "1/(|k|+1)"],
)
def test_ranks_from_the_generator(generator, ranks):
    k = np.arange(SIZE, dtype=float)
    train = sampled(generator(np.arange(-SIZE, SIZE, dtype=float)), 1e-10)
    operator = toeplitz_operator(train)
    assert operator.max_rank <= 2 * train.max_rank
    assert (train.max_rank, operator.round(1e-10).max_rank) == ranks
    exact = toeplitz(generator(k), generator(-k))
    assert np.linalg.norm(operator.full() - exact) <= 1e-9 * np.linalg.norm(exact)


def test_the_laplacian_is_toeplitz():
    stencil = np.zeros(2 * SIZE)
    stencil[SIZE - 1 : SIZE + 2] = [-1.0, 2.0, -1.0]
    difference = toeplitz_operator(sampled(stencil)) - laplacian(L)
    assert difference.norm() < 1e-12 * laplacian(L).norm()


@few
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 10**6), st.sampled_from([np.float64, np.complex128]))
def test_convolution(levels, rank, seed, dtype):
    rng = np.random.default_rng(seed)
    x = random_train((2,) * levels, rank, rng, dtype)
    y = random_train((2,) * levels, rank, rng)
    z = convolve(x, y).full().reshape(-1)
    exact = fftconvolve(x.full().reshape(-1), y.full().reshape(-1))
    np.testing.assert_allclose(z[:-1], exact, atol=1e-12)
    assert abs(z[-1]) < 1e-12


@pytest.mark.parametrize("axes", [2, 3])
def test_several_axes(axes):
    rng = np.random.default_rng(axes)
    levels = 3 if axes == 2 else 2
    n = 2**levels
    x, t = rng.standard_normal((n,) * axes), rng.standard_normal((2 * n,) * axes)
    train = tt_svd(x.reshape((2,) * (levels * axes)))
    full = convolve(train, tt_svd(t[(slice(n),) * axes].reshape((2,) * (levels * axes))), axes)
    exact = fftconvolve(x, t[(slice(n),) * axes])
    inside = (slice(2 * n - 1),) * axes
    np.testing.assert_allclose(full.full().reshape(t.shape)[inside], exact, atol=1e-11)
    generator = tt_svd(t.reshape((2,) * ((levels + 1) * axes)))
    product = (toeplitz_operator(generator, axes) @ train).full().reshape(x.shape)
    # row i of the product is entry i + N of the full convolution with the generator
    np.testing.assert_allclose(product, fftconvolve(x, t)[(slice(n, 2 * n),) * axes], atol=1e-11)
    around = tt_svd(t[(slice(n),) * axes].reshape((2,) * (levels * axes)))
    cyclic = (circulant_operator(around, axes) @ train).full().reshape(x.shape)
    space = tuple(range(axes))
    spectrum = np.fft.fftn(x, axes=space) * np.fft.fftn(t[(slice(n),) * axes], axes=space)
    np.testing.assert_allclose(cyclic, np.fft.ifftn(spectrum, axes=space).real, atol=1e-11)


def test_convolution_on_a_million_points():
    """Two Gaussians: exponents add as 1/a = 1/a1 + 1/a2."""
    levels = 20
    n, step = 2**levels, 20.0 / 2**levels
    x = gaussian(levels, 3.0, 10.0, 0.0, step, 1e-13)
    y = gaussian(levels, 5.0, 10.0, 0.0, step, 1e-13)
    z = convolve(x, y, tol=1e-11)
    points = np.random.default_rng(0).integers(0, 2 * n - 1, 300)
    points[:100] = n + np.arange(100) * 1000
    exact = np.sqrt(np.pi / 8.0) * np.exp(-(15.0 / 8.0) * (step * points - 20.0) ** 2)
    np.testing.assert_allclose(z.entries(to_bits(points[:, None], [levels + 1])) * step, exact, atol=1e-9)
    assert z.max_rank <= 14


def test_convolution_of_exponentials_is_their_product_with_a_ramp():
    z = convolve(exponential(6, -0.1), exponential(6, -0.1))
    m = np.arange(127)
    ramp = np.minimum(m, 126 - m) + 1.0
    np.testing.assert_allclose(z.full().reshape(-1)[:-1], ramp * np.exp(-0.1 * m), rtol=1e-9, atol=1e-12)
    assert z.max_rank <= 4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: toeplitz_operator(sampled(np.ones(2))), "generator"),
        (lambda: toeplitz_operator(sampled(np.ones(8)), axes=2), "levels"),
        (lambda: toeplitz_operator(random_train((3, 2), 1, np.random.default_rng(0))), "quantics"),
        (lambda: circulant_operator(sampled(np.ones(8)), axes=0), "axes"),
        (lambda: convolve(sine(3), sine(4)), "convolved"),
        (lambda: convolve(sine(3), sine(3), axes=2), "axes"),
        (lambda: convolve(sine(3), sine(3), tol=-1.0), "tol"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
