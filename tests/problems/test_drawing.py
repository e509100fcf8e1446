"""The panels that the figures of several families share."""

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import label_rows, panels, positive, rank_panel, several


def test_several_panels_fill_their_rows_evenly():
    figure, found = several(4, 3, 2.0)
    assert len(found) == 4 and [axes.get_subplotspec().get_geometry()[:2] for axes in found] == [(2, 2)] * 4
    figure, found = several(5, 3, 2.0)
    assert len(found) == 5 and [axes.get_visible() for axes in figure.axes] == [True] * 5 + [False]
    label_rows(found, "share")
    assert [axes.get_ylabel() for axes in found] == ["share", "", "", "share", ""]


def test_ranks_are_counted_from_the_first_mode():
    figure, (left, right, alone) = panels(2.0, 1, 3)
    assert isinstance(figure, Figure)
    rank_panel(left, [("a", [1, 3, 4, 1])])
    rank_panel(right, [("a", [1, 3, 4, 1])], first_mode=0)
    rank_panel(alone, [("a", [1, 1])])
    for axes, x, ranks in ((left, [1, 2], [3, 4]), (right, [0, 1], [3, 4]), (alone, [0, 1], [1, 1])):
        assert (list(axes.lines[0].get_xdata()), list(axes.lines[0].get_ydata())) == (x, ranks)


def test_what_a_logarithm_cannot_show_is_a_gap():
    np.testing.assert_array_equal(positive(np.array([1.0, 0.0, -2.0, np.nan])), [1.0, np.nan, np.nan, np.nan])
