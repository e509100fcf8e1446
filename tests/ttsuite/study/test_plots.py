"""The key plots: which widths and formats it takes, and what it refuses."""

import pytest

from ttsuite.study.config import ConfigError, make_study
from ttsuite.study.lengths import NARROWEST, WIDEST, inches
from ttsuite.study.plots import Plots

STUDY = {
    "problem": {"kind": "vibrational", "force_field": {"model": "henon_heiles", "dimension": 2}},
    "solver": {"n_states": 2, "accuracy": 1e-6},
}


@pytest.mark.parametrize(
    ("width", "length"),
    [
        ("3.4 in", 3.4),
        ("3.4in", 3.4),
        (3.4, 3.4),
        (7, 7.0),
        ("86 mm", 86 / 25.4),
        ("8.6 cm", 8.6 / 2.54),
        ("245 pt", 245 / 72),
        ("5", 5.0),
        (NARROWEST, NARROWEST),
        (WIDEST, WIDEST),
    ],
)
def test_lengths(width, length):
    assert inches(width) == pytest.approx(length) and Plots(width=width).inches == inches(width)


@pytest.mark.parametrize("width", ["wide", "3.4 ft", "", "-3 in", "1e1 in", True, None, [3], "3.4 in in", "nan"])
def test_what_is_no_length_is_refused(width):
    with pytest.raises(ValueError, match="must be a length such as"):
        inches(width)


@pytest.mark.parametrize("width", ["1 in", "20 mm", 0, 40, "999 cm"])
def test_widths_that_no_figure_has_are_refused(width):
    with pytest.raises(ValueError, match="from 3 to 12 in"):
        inches(width)


def test_a_study_without_plots_has_none_and_one_with_them_says_its_lines():
    assert make_study(STUDY).plots is None
    plots = make_study(STUDY | {"plots": {"width": "86 mm", "format": "png"}}).plots
    assert plots.inches == pytest.approx(3.386, abs=1e-3) and plots.format == "png"
    assert make_study(STUDY | {"plots": {}}).plots == Plots()
    with pytest.raises(ConfigError, match=r"plots\.width: must be a length such as 3\.4 in or 86 mm, found 'wide'"):
        make_study(STUDY | {"plots": {"width": "wide"}})
    with pytest.raises(ConfigError, match=r"plots\.format: must be one of: pdf, svg, png; found 'gif'"):
        make_study(STUDY | {"plots": {"format": "gif"}})
