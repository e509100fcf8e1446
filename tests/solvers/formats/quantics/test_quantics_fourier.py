"""The Fourier transform of quantics trains against numpy.fft, and on 2^40 points against what is known."""

import numpy as np
import pytest

from solvers.formats import quantics
from solvers.formats.quantics.fourier import fourier, fourier_operator
from solvers.formats.trains.construct import ones, random_train, rank_one

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("levels", [1, 2, 5, 8])
@pytest.mark.parametrize("inverse", [False, True])
def test_operator_is_the_matrix_with_its_rows_bit_reversed(levels, inverse):
    n = 2**levels
    reversed_bits = [int(format(k, f"0{levels}b")[::-1], 2) for k in range(n)]
    exact = (np.fft.ifft if inverse else np.fft.fft)(np.eye(n), norm="ortho")[reversed_bits]
    operator = fourier_operator(levels, inverse)
    np.testing.assert_allclose(operator.full(), exact, atol=1e-13 / n**0.5)
    assert operator.round(1e-8).max_rank <= 9


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("inverse", [False, True])
def test_one_axis(norm, inverse):
    x = random_train((2,) * 7, 4, RNG, complex)
    exact = (np.fft.ifft if inverse else np.fft.fft)(x.full().ravel(), norm=norm)
    found = fourier(x, inverse=inverse, norm=norm)
    np.testing.assert_allclose(found.full().ravel(), exact, atol=2e-12 * np.linalg.norm(exact))


@pytest.mark.parametrize("axes", [None, (0,), (1,), (2, 0)])
def test_several_axes(axes):
    levels = [3, 2, 4]
    x = random_train((2,) * 9, 3, RNG)
    exact = np.fft.fftn(x.full().reshape([2**n for n in levels]), axes=axes)
    found = fourier(x, levels, axes)
    np.testing.assert_allclose(found.full().ravel(), exact.ravel(), atol=5e-12 * np.linalg.norm(exact))
    back = fourier(found, levels, axes, inverse=True)
    assert (back - x).norm() <= 1e-11 * x.norm()


def test_waves_and_points_of_a_grid_too_large_to_form():
    levels, size = 40, 2.0**40
    for k in (0, 1, 123_456_789_012, 2**40 - 1):
        turns = [(k << (levels - 1 - m)) % 2**levels / size for m in range(levels)]  # exact: whole turns left out
        wave = rank_one([np.array([1.0, np.exp(2j * np.pi * turn)]) for turn in turns])
        peak = quantics.unit_vector(levels, k)
        assert (fourier(wave, norm="ortho") - peak * size**0.5).norm() <= 1e-11 * size**0.5
        assert (fourier(peak, norm="ortho", inverse=True) * size**0.5 - wave).norm() <= 1e-11 * size**0.5
    flat = ones((2,) * levels)
    assert fourier(flat, norm="forward").entries(np.zeros((1, levels), int))[0] == pytest.approx(1.0, abs=1e-12)


def test_what_is_refused():
    x = ones((2,) * 4)
    with pytest.raises(ValueError, match="norm"):
        fourier(x, norm="none")
    with pytest.raises(ValueError, match="need 5 modes"):
        fourier(x, [5])
    for axes in ((1,), (0, 0)):
        with pytest.raises(ValueError, match="axes"):
            fourier(x, axes=axes)
    with pytest.raises(ValueError, match="tol"):
        fourier(x, tol=1.0)
    with pytest.raises(ValueError, match="levels"):
        fourier_operator(0)
