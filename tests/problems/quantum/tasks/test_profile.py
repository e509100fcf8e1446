"""Broadened lines: their integral, their width, and the points that they are drawn at."""

from __future__ import annotations

import numpy as np
import pytest

from problems.quantum.tasks.spectrum.profile import MOST_POINTS, grid, profile, shape

POSITIONS, INTENSITIES = np.array([1200.0, 1234.5, 1800.0]), np.array([10.0, 3.0, 0.5])


@pytest.mark.parametrize("form", ["lorentzian", "gaussian"])
def test_half_height_at_half_the_width(form):
    heights = shape(np.array([0.0, 3.5, -3.5]), form, 7.0)
    assert heights[1:] == pytest.approx([heights[0] / 2] * 2)


def test_the_profile_integrates_to_the_intensities():
    x = grid(POSITIONS, 8.0, None)
    values = profile(x, POSITIONS, INTENSITIES, "gaussian", 8.0)
    assert np.trapezoid(values, x) == pytest.approx(INTENSITIES.sum(), rel=1e-10)
    low, high = 1100.0, 2000.0
    x = grid(POSITIONS, 8.0, (low, high))
    inside = (np.arctan(2 * (high - POSITIONS) / 8.0) - np.arctan(2 * (low - POSITIONS) / 8.0)) / np.pi
    values = profile(x, POSITIONS, INTENSITIES, "lorentzian", 8.0)
    assert np.trapezoid(values, x) == pytest.approx(INTENSITIES @ inside, rel=1e-6)


def test_points_are_even_and_not_too_many():
    x = grid(POSITIONS, 5.0, None)
    assert x[0] == 1150.0 and x[-1] == 1850.0 and np.allclose(np.diff(x), 0.5)
    assert grid(POSITIONS, 5.0, (1000.0, 1001.0)) == pytest.approx([1000.0, 1000.5, 1001.0])
    assert len(grid(POSITIONS, 1e-6, None)) == MOST_POINTS
    assert len(grid(np.zeros(0), 1.0, None)) > 1
