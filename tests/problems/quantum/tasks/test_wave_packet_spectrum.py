"""The spectrum of known sums of exponentials: positions, weights, windows, bands."""

import math
from typing import get_args

import numpy as np
import pytest

from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.spectrum import (
    energy_grid,
    line_height,
    lines,
    significant_range,
    transform,
    window_values,
)

LEVELS = np.array([1.03, 1.9, 2.51, 3.77, 6.2])
WEIGHTS = np.array([0.3, 0.25, 0.2, 0.2, 0.05])
T = np.arange(0.0, 60.01, 0.1)
A = np.exp(-1j * np.outer(T, LEVELS)) @ WEIGHTS


@pytest.mark.parametrize("window", get_args(WavePacketSolver.model_fields["window"].annotation))
def test_lines_of_a_sum_of_exponentials(window):
    resolution = math.pi / T[-1]
    w = window_values(window, T)
    energies = energy_grid(T, 2.4, 1.3, None)
    whole = line_height(T, w)
    found = lines(energies, transform(T, A, w, energies), resolution, window, whole)
    strong = [(e, h / whole) for e, h in found if h / whole > 0.03]
    assert len(found) == len(LEVELS)  # no side lobe among them
    for level, weight in zip(LEVELS, WEIGHTS):
        energy, share = min(strong, key=lambda line: abs(line[0] - level))
        assert abs(energy - level) < 0.2 * resolution
        assert share == pytest.approx(weight, rel=0.35 if window == "none" else 0.03)


def test_total_intensity_is_the_norm():
    energies = np.linspace(-20, 20, 8001)
    values = transform(T, A, window_values("hann", T), energies)
    assert np.trapezoid(values, energies) == pytest.approx(1.0, abs=1e-3)


def test_broadening_is_the_width_asked_for():
    energies = np.linspace(0.0, 2.0, 4001)
    w = window_values("none", T, broadening=0.5)
    values = transform(T, np.exp(-1j * T), w, energies)
    above = energies[values > 0.5 * values.max()]
    assert above[-1] - above[0] == pytest.approx(0.5, rel=0.01)
    assert line_height(T, w) == pytest.approx(values.max(), rel=1e-3)


def test_the_grid_stays_within_one_band_and_holds_the_range_asked_for():
    wide = energy_grid(T, 100.0, 50.0, None)
    assert wide[-1] - wide[0] <= 2.0 * math.pi / 0.1 * (1 + 1e-9) and wide[0] < 100.0 < wide[-1]
    asked = energy_grid(T, 2.0, 1.0, (0.5, 4.5))
    assert asked[0] == 0.5 and asked[-1] == 4.5 and asked[1] - asked[0] <= math.pi / 60.0 / 9.9


def test_energies_far_from_zero_are_found_at_long_steps():
    """The band is taken about the mean energy, wherever that lies."""
    t = np.arange(0.0, 60.01, 0.5)
    a = np.exp(-1j * np.outer(t, 1000.0 + LEVELS)) @ WEIGHTS
    energies = energy_grid(t, 1002.4, 1.3, None)
    w = window_values("hann", t)
    found = lines(energies, transform(t, a, w, energies), math.pi / 60, "hann", line_height(t, w))
    assert np.allclose([e for e, _ in found], 1000.0 + LEVELS, atol=0.2 * math.pi / 60)


def test_only_the_part_with_intensity_is_shown():
    energies = np.linspace(-20, 20, 8001)
    values = transform(T, A, window_values("hann", T), energies)
    shown = energies[significant_range(energies, values, math.pi / 60)]
    assert -1.0 < shown[0] < 1.0 and 6.2 < shown[-1] < 8.0


def test_no_lines_where_there_is_nothing():
    w = window_values("hann", T)
    energies = energy_grid(T, 2.4, 1.3, (-25.0, -15.0))
    assert not lines(energies, transform(T, A, w, energies), math.pi / 60, "hann", line_height(T, w))
