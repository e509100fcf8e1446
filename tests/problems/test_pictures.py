"""A figure of a report, whatever its data are."""

import warnings

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from problems.report_parts import Picture


def test_an_axis_on_which_nothing_is_positive_is_linear():
    def draw():
        figure = Figure()
        zeros, gaps, positive, given = figure.subplots(1, 4)
        zeros.plot([1, 2], [0.0, 0.0])
        zeros.set_yscale("log")
        gaps.semilogy([1, 2], [np.nan, -1.0])
        positive.semilogy([1, 2], [0.0, 3.0])
        given.loglog([1.0], [0.0])
        given.set_ylim(1.0, 2.0)
        return figure

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = Picture("name", "caption", draw).figure
        FigureCanvasAgg(figure).draw()
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "linear", "log", "log"]
    assert figure.axes[3].get_xscale() == "log"


def test_shared_axes_are_logarithmic_together():
    def draw():
        figure = Figure()
        zeros, positive = figure.subplots(1, 2, sharey=True)
        zeros.semilogy([1, 2], [0.0, 0.0])
        positive.semilogy([1, 2], [0.0, 3.0])
        return figure

    assert [axes.get_yscale() for axes in Picture("name", "caption", draw).figure.axes] == ["log", "log"]


def test_a_sentence_stands_in_place_of_a_figure():
    picture = Picture.sentence("ranks", "TT-ranks at the two cuts: 7, 6.")
    assert picture.text.endswith("7, 6.") and picture.caption == "" and picture.alt == ""
    with pytest.raises(ValueError, match="has no figure"):
        assert picture.figure is None
