"""What a field does not know, in sentences: constants that are missing, too large, or given twice."""

from __future__ import annotations

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.field import of_derivatives
from problems.quantum.readers.quality import contradictions, imaginary, missing, notes_on, too_large

STIFF = [3000.0, 1500.0, 1200.0, 800.0]


def test_a_whole_field_of_stiff_modes_has_nothing_to_tell():
    phi = {(1, 1, 1): -1500.0, (1, 2, 3, 4): 5.0, (1, 1, 1, 1): 700.0, (2, 3, 4): 20.0}
    assert notes_on(of_derivatives("a", STIFF, phi)) == ()


def test_missing_constants():
    assert "no quartic constants" in missing(of_derivatives("a", STIFF, {(1, 1, 1): 1.0}))[0]
    (told,) = missing(of_derivatives("a", STIFF, {(1, 1, 2, 3): 1.0, (1, 1, 4): 1.0, (1, 2, 2): 1.0}))
    assert "none of its 1 constants of four different modes" in told
    # no other constant is odd in mode 4: what would be is no constant that is missing, as in a linear molecule
    assert missing(of_derivatives("a", STIFF, {(1, 1, 2, 3): 1.0, (1, 4, 4): 1.0, (1, 2, 2): 1.0})) == ()
    assert missing(of_derivatives("a", STIFF[:3], {(1, 1, 2, 3): 1.0})) == ()


def test_sizes_that_cannot_be_name_constant_and_slowest_mode():
    phi = {(4, 4, 4, 4): 16000.0, (1, 4, 4): 4000.0, (2, 2, 2): 1400.0}
    (told,) = too_large(of_derivatives("a", STIFF, phi))
    assert told.startswith("2 constants are larger") and "phi 4-4-4-4 = 16000.0 cm-1, 20.0 times" in told
    assert "phi 1-4-4" in told and "does not describe mode 4 (800 cm-1)" in told
    (told,) = too_large(of_derivatives("a", STIFF, {(2, 2, 2): 1600.0}))
    assert told.startswith("1 constant is larger")


def test_routes_that_differ():
    routes = {(0, 0, 1): (10.0, 10.4), (0, 1, 1): (-5.0, 2.0), (1, 1, 1): (7.0,)}
    (told,) = contradictions(routes, "cubic")
    assert told.startswith("1 constant differs by more than 1") and "of 2 cubic ones" in told
    assert "phi 1-2-2 = -5.0 and 2.0" in told
    assert contradictions({(0, 0, 1): (10.0, 10.4)}, "cubic") == ()
    many = {(0, 0, k): (0.0, 2.0 + k) for k in range(1, 6)}
    (told,) = contradictions(many, "cubic")
    assert "phi 1-1-6" in told and "and 2 more" in told


@pytest.mark.parametrize(
    "frequencies, words",
    [([100.0, 200.0], ""), ([100.0, -50.0], "(50.0i cm-1)"), ([0.0, 100.0], "(0 cm-1)")],
)
def test_frequencies_that_are_not_real(frequencies, words):
    told = imaginary(np.array(frequencies))
    assert words in told and bool(told) == bool(words)
