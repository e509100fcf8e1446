"""What figures share stands in one file: panels, floors, legends, and nobody has a palette of his own."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from problems import drawing
from problems.drawing import accuracy_line, error_panel, floored, legend_above, panel, panels, rank_panel, whole_ticks

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
    assert floored([0.0, 1.0, None]).tolist()[:2] == [drawing.ROUNDING, 1.0] and np.isnan(floored([None])[0])


def test_errors_are_drawn_where_they_are():
    _, axes = panel(3.0)
    error_panel(axes, np.arange(3), {"one": np.array([1e-3, 0.0, 1e-5]), "two": np.ones(3)}, floor=1e-9)
    accuracy_line(axes, 1e-4, "cm-1")
    legend_above(axes, 3)
    assert axes.get_yscale() == "log" and axes.lines[0].get_ydata().tolist() == [1e-3, 1e-9, 1e-5]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "two", "asked: 0.0001 cm-1"]
    assert axes.lines[0].get_color() != axes.lines[1].get_color()


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
    legend_above(axes, 2)
    assert axes.get_legend() is None
