"""Rough coefficients that are products, against spectral elements (degree 18) of a = (2 + cos w x) (2 + cos w y)."""

import numpy as np
import pytest

from solvers.elliptic.elliptic import elliptic
from solvers.elliptic.rough import product_of
from solvers.solution import Status

# -div(a grad u) = 1, u = 0 around the unit square, w = 2 pi 2^k: the integral of u
KNOWN = {3: 0.0100271876237, 5: 0.0101376082804}
HOMOGENISED = 0.010145272178279  # with 2 sqrt 3 for a


def ripples(k):
    def a(p):
        wave = 2.0 + np.cos(2.0 * np.pi * 2**k * p)
        return wave[:, 0] * wave[:, 1]

    return a


@pytest.mark.parametrize("k", KNOWN)
def test_adapted_functions_follow_ripples(k):
    a = ripples(k)
    product = product_of((a, a), 0.0, 1.0)
    axes = product.axes((30, 30), (("dirichlet", "dirichlet"),) * 2, 8, 8, 1e-9)
    assert axes[0] is axes[1] and axes[0].size < 150
    assert product.solved(axes).energy == pytest.approx(KNOWN[k], abs=1e-11)


@pytest.mark.slow  # ten CPU seconds
def test_ripples_as_fine_as_2_to_the_9():
    """What is left of the difference to the homogenised energy falls as eps^2: from 2^-5, an eighth of it each way."""
    found = elliptic([30, 30], diffusion=ripples(9))
    expected = HOMOGENISED - (HOMOGENISED - KNOWN[5]) / 4.0**4
    assert found.status is Status.CONVERGED and found.counts["steps"] == 0
    assert found.value.energy == pytest.approx(expected, abs=1e-10)
    assert found.value.at(np.array([[0.5, 0.5]]))[0] == pytest.approx(0.0212670, abs=1e-6)


def test_what_is_no_product_is_not_taken_for_one():
    def a(p):
        return 2.0 + np.cos(100.0 * p[:, 0]) * np.cos(100.0 * p[:, 1])

    assert product_of((a, a), 0.0, 1.0) is None
    assert product_of((ripples(3),) * 2, 1.0, 1.0) is None and product_of((1.0, 1.0), 0.0, 1.0) is None
    with pytest.raises(ValueError, match="not resolved"):
        elliptic([30, 30], diffusion=lambda p: 2.0 + np.cos(1e4 * (p[:, 0] + p[:, 1])))
