"""Rough solves of outer iterations: operators of any scale, on many modes."""

import numpy as np
import pytest
from linear_cases import laplacian

from solvers.eigen.swept import swept
from solvers.formats.trains.construct import ones
from solvers.methods import AMEn


@pytest.mark.parametrize("scale", [1.0, 1e-120, 1e120])
def test_a_hundred_and_ten_modes(scale):
    """Cores of largest entry one, each with a small identity: their product leaves the range of double precision."""
    a, b = laplacian(110, 8) * scale, ones((8,) * 110)
    found = swept(a, b, AMEn(sweeps=6), None, 0.1, True, np.random.default_rng(0))
    assert (b - a @ found.x).norm() <= 0.1 * b.norm()
    assert found.residual <= 0.1


def test_a_start_is_kept_in_scale():
    a, b = laplacian(5, 6) * 1e30, ones((6,) * 5) * 1e-20
    rng = np.random.default_rng(0)
    first = swept(a, b, AMEn(), None, 1e-6, True, rng)
    again = swept(a, b, AMEn(), first.x, 1e-5, True, rng)
    assert again.sweeps <= 1 and (b - a @ again.x).norm() <= 1e-5 * b.norm()
