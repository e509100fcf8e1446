"""What figures share stands in one file: panels, floors, legends, and nobody has a palette of his own."""

import ast
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from geometry import faults
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from problems import drawing
from problems.drawing import (
    BELOW,
    COLUMN,
    SMALLEST,
    WIDTH,
    accuracy_line,
    blank,
    error_panel,
    floored,
    grid,
    log_line,
    map_panel,
    panel,
    panels,
    power_of_ten,
    rank_panel,
    style,
    whole_ticks,
)
from problems.legends import legend_above, legend_columns, legend_outside, text_width

ROOT = Path(__file__).parents[2]
FILES = [file for floor in ("problems", "ttsuite") for file in (ROOT / floor).rglob("*.py")]
LONGEST = 150  # lines of a presentation


def test_the_palette_stands_in_one_file():
    with_colours = [f for f in FILES if re.search(r"#[0-9A-Fa-f]{6}\b", f.read_text())]
    assert with_colours == [ROOT / "problems" / "drawing.py"]


@pytest.mark.parametrize("file", [f for f in FILES if f.name == "presentation.py"], ids=lambda f: f.parent.name)
def test_a_presentation_says_and_nothing_else(file):
    """Headline, tables, sections, and how they word what they say: no numbers, no figures."""
    text = file.read_text()
    public = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
    others = {"results", "references", "quantities", "comparison_table", "csv_table", "trains", "loading", "figures"}
    assert {"headline", "tables", "sections"} <= set(public) and not others & set(public)
    assert len(text.splitlines()) <= LONGEST


def test_zeros_and_gaps_on_a_logarithmic_axis():
    assert np.isnan(floored([0.0, None, np.nan])).all() and floored([1.0, drawing.ROUNDING]).tolist() == [1.0, 1e-17]


def test_values_below_the_axis_are_open_arrows_and_missing_ones_nothing():
    _, axes = panel(3.0)
    axes.set_yscale("log")
    log_line(axes, [1, 2, 3, 4], [1e-3, 0.0, None, 2e-9], 1e-8, color="red", label="errors")
    log_line(axes, [1, 2], [1.0, 0.0], 1e-8)
    values, arrows, _, others = axes.lines
    assert values.get_ydata()[0] == 1e-3 and np.isnan(values.get_ydata()[1:]).all()
    assert arrows.get_xdata().tolist() == [2, 4] and arrows.get_color() != others.get_color()
    assert arrows.get_markerfacecolor() == "white" and arrows.get_markeredgecolor() == "red"
    legend_above(axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["errors", BELOW]  # named once


def test_a_legend_names_only_what_shows():
    _, axes = panel(3.0)
    axes.plot([1, 2], [np.nan, np.nan], label="nothing")
    axes.plot([], [], label="made for the legend")
    axes.plot([1, 2], [np.nan, 1.0], label="a point")
    legend_above(axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["made for the legend", "a point"]


def test_a_legend_has_as_many_columns_as_fit():
    labels = ["one", "two", "three", "four"]
    assert legend_columns(labels, 100.0) == 4 and legend_columns(labels, 0.1) == 1
    assert 1 < legend_columns(labels, 1.6) < 4
    assert text_width("one\nand two") == text_width("and two") > text_width("one")


def test_a_column_has_its_panels_below_each_other_and_the_same_type():
    sizes = {}
    for width in (WIDTH, 3.4):
        with style(width):
            figure, found = panels(2.0, 1, 2)
            assert figure.get_size_inches()[0] == width
            assert figure.axes[0].get_subplotspec().get_gridspec().nrows == (1 if width > COLUMN else 2)
            for axes in found:
                axes.plot([1, 2], [1, 2], label="a line")
                axes.set(xlabel="x", ylabel="y")
                legend_above(axes)
            sizes[width] = sorted({text.get_fontsize() for text in figure.findobj(Text) if text.get_text()})
    assert sizes[WIDTH] == sizes[3.4] and min(sizes[3.4]) >= SMALLEST and max(sizes[3.4]) == 8.0
    assert panel(2.0)[0].get_size_inches()[0] == WIDTH  # the style is over


def test_the_style_is_over_after_a_failure():
    before = matplotlib.rcParams["pdf.fonttype"], matplotlib.rcParams["font.size"]
    with pytest.raises(ZeroDivisionError), style(3.4):
        raise ZeroDivisionError
    assert (matplotlib.rcParams["pdf.fonttype"], matplotlib.rcParams["font.size"]) == before
    assert drawing.page_width() == WIDTH


@pytest.mark.parametrize(
    ("value", "text"), [(1e-3, "10⁻³"), (2e-13, "2 × 10⁻¹³"), (1.0, "10⁰"), (5e6, "5 × 10⁶"), (0.0, ""), (-1.0, "")]
)
def test_powers_of_ten(value, text):
    assert power_of_ten(value) == text


def test_what_is_missing_in_a_map_is_grey():
    with style():
        figure, axes = panel(2.0)
        image = map_panel(axes, np.array([[0.0, np.nan], [1.0, -1.0]]), (0, 1, 0, 1), "value", cmap="RdBu_r")
        colours = image.to_rgba(image.get_array())
        grey = float(drawing.ABSENT)
        assert np.allclose(colours[1, 0, :3], grey) and not np.allclose(colours[0, 0, :3], grey)
        FigureCanvasAgg(figure).draw()
        (bar,) = axes.child_axes
        heights = [part.get_window_extent().height for part in (axes, bar)]
        assert heights[0] == pytest.approx(heights[1], abs=0.5)  # as tall as the panel


def good():
    figure, (left, right) = panels(2.4, 1, 2)
    for axes in (left, right):
        axes.set_yscale("log")
        log_line(axes, [1, 2, 3], [1e-3, 1e-5, 0.0], 1e-9, marker="o", label="deviation from a reference")
        accuracy_line(axes, 1e-4, "hartree")
        axes.set(xlabel="state", ylabel="error (hartree)")
        whole_ticks(axes)
        grid(axes)
        legend_above(axes)
    return figure


def small(figure):
    figure.axes[0].set_xlabel("tiny", fontsize=6.9)


def overlapping(figure):
    figure.axes[0].text(0.5, 0.5, "one text", transform=figure.axes[0].transAxes)
    figure.axes[0].text(0.52, 0.5, "another", transform=figure.axes[0].transAxes)


def outside(figure):
    figure.set_layout_engine("none")
    figure.text(0.97, 0.5, "cut at the edge")


def covering(figure):
    figure.axes[0].legend(loc="upper left", bbox_to_anchor=(0.0, 1.0))


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (small, "'tiny': 6.9 points"),
        (overlapping, "'one text' overlaps 'another'"),
        (outside, "'cut at the edge' runs out of the figure"),
        (covering, "lies over data"),
    ],
)
@pytest.mark.parametrize("width", [3.4, WIDTH])
def test_figures_made_bad_on_purpose_are_found(spoil, fault, width):
    with style(width):
        assert faults(good()) == []
        bad = good()
        spoil(bad)
        assert any(fault in line for line in faults(bad))


def test_a_legend_beside_the_panels_makes_room_for_its_rows():
    with style(3.4):
        figure = blank(2.0)
        axes = figure.subplots()
        for k in range(6):
            axes.plot([0, 1], [k, k], label=f"a line with a long name, {k}")
        legend_outside(figure, axes)
        assert faults(figure) == []


def test_errors_are_drawn_where_they_are():
    _, axes = panel(3.0)
    error_panel(axes, np.arange(3), {"one": np.array([1e-3, 0.0, 1e-5]), "two": np.ones(3)}, floor=1e-9)
    accuracy_line(axes, 1e-4, "cm-1")
    legend_above(axes)
    assert axes.get_yscale() == "log" and np.isnan(axes.lines[0].get_ydata()[1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", BELOW, "two", "asked: 0.0001 cm-1"]
    assert axes.lines[0].get_color() == axes.lines[1].get_markeredgecolor() != axes.lines[2].get_color()


def test_ranks_leave_out_the_ends():
    _, (axes, other) = panels(3.0, 1, 2)
    rank_panel(axes, [("state", [1, 3, 5, 1])])
    assert axes.lines[0].get_xdata().tolist() == [1, 2] and axes.lines[0].get_ydata().tolist() == [3, 5]
    rank_panel(other, [("", [1, 1])])  # a train of one core has no bond
    assert other.get_legend_handles_labels()[1] == []
    whole_ticks(axes, "xy")
    assert all(float(tick).is_integer() for tick in axes.get_yticks())


def test_without_anything_to_name_there_is_no_legend():
    _, axes = panel(3.0)
    legend_above(axes)
    assert axes.get_legend() is None
