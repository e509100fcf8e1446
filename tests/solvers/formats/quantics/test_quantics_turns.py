"""Phases of waves that turn 1e11 times and more: against fractions and sixty digits of pi."""

from fractions import Fraction

import numpy as np
import pytest

from solvers.formats.quantics.bits import to_bits
from solvers.formats.quantics.functions import cosine, exponential, sine
from solvers.formats.quantics.turns import angles, reduced

PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494")


def phase(angle):
    """In [-pi, pi], right where there are fewer than 1e40 turns."""
    return float(angle - round(angle / (2 * PI)) * 2 * PI)


@pytest.mark.parametrize(("rate", "start", "step"), [(6.28e11, 0.3, 2.0**-60), (-1.7e17, -4.0, 0.1), (3.0, 1e9, 0.7)])
def test_the_phase_is_right_after_any_number_of_turns(rate, start, step):
    index = np.random.default_rng(0).integers(0, 2**60, 40)
    bits = to_bits(index[:, None], [60])
    known = np.array([phase(Fraction(rate) * (Fraction(start) + int(i) * Fraction(step))) for i in index])
    np.testing.assert_allclose(exponential(60, 1j * rate, start, step).entries(bits), np.exp(1j * known), atol=1e-14)
    np.testing.assert_allclose(sine(60, rate, 0.0, start, step).entries(bits), np.sin(known), atol=1e-14)
    np.testing.assert_allclose(cosine(60, rate, 0.0, start, step).entries(bits), np.cos(known), atol=1e-14)


def test_angles_are_the_doubles_of_each_other_but_for_turns():
    found = np.array(angles(1e300, 0.7, 8))
    apart = (found[:-1] - 2.0 * found[1:]) / (2.0 * np.pi)
    np.testing.assert_allclose(apart, np.rint(apart), atol=1e-14)
    assert np.abs(found).max() <= np.pi and reduced(Fraction(0)) == 0.0
    with pytest.raises(ValueError, match="overflows: the rate must be finite"):
        exponential(8, 1j * np.inf)
