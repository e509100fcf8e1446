"""The table and the figure of a scan: which entries, to the last digit, over which key."""

import math
from dataclasses import replace

import numpy as np

from problems.report_parts import Quantity
from solvers.measured import ROUNDING
from ttsuite.scans.scan_table import (
    ENTRIES,
    RANK,
    Outcome,
    _entries,
    contents_in_words,
    contents_of,
    picture,
    sampled_of,
    table,
    value_names,
    values_of,
)


def outcome(number, settings, values, status="finished"):
    return Outcome(number, settings, f"points/{number}", status, "", 1.0, values)


def test_of_quantities_over_time_the_last_entry_of_others_the_first_ones():
    t = Quantity("density", "", "t (fs)", [0.0, 0.5], np.array([1.0, 2.0]), np.array([0.1, 0.2]))
    assert _entries(t) == {"density, t (fs) 0.5": (2.0, 0.2)}
    states = Quantity("energies", "cm-1", "state", list(range(84)), np.arange(84.0), None)
    found = _entries(states)
    assert len(found) == ENTRIES and found["energies (cm-1), state 3"] == (3.0, None)
    named = Quantity("mean", "", "quantity", ["total"], np.array([1.5]), np.array([1e-3]))
    assert _entries(named) == {"mean, total": (1.5, 1e-3)}


def test_components_and_complex_values_have_names_of_their_own():
    matrix = Quantity("covariance", "", "t", [1.0], np.arange(4.0).reshape(1, 2, 2), np.array([0.5]))
    assert _entries(matrix) == {
        f"covariance, t 1 [{i + 1}, {j + 1}]": (2.0 * i + j, 0.5) for i in (0, 1) for j in (0, 1)
    }
    a = Quantity("a", "", "t", [1.0], np.array([1.0 + 2.0j]), np.array([0.1]))
    assert _entries(a) == {"Re a, t 1": (1.0, 0.1), "Im a, t 1": (2.0, 0.1)}
    each = Quantity("q", "", "t", [1.0], np.array([[1.0, 2.0]]), np.array([[0.1, 0.2]]))
    assert _entries(each) == {"q, t 1 [1]": (1.0, 0.1), "q, t 1 [2]": (2.0, 0.2)}


def test_values_of_results_end_with_the_largest_rank():
    results = {"energies": [1.0, None], "error_estimates": [0.1, 0.2], "unit": "", "ranks": [[1, 3, 1], [1, 4, 1]]}
    values = values_of("vibrational", {"results": results})
    assert list(values) == ["energies, state 0", "energies, state 1", RANK] and values[RANK] == (4.0, None)
    assert math.isnan(values["energies, state 1"][0])
    assert values_of("vibrational", {"results": {}}) == {}


def test_the_table_says_which_errors_are_standard_deviations():
    values = {"mean": (0.5, 0.1), "score": (0.9, 0.02), "rank": (3.0, None)}
    point = Outcome(1, {"seed": 1}, "points/1", "finished", "", 1.0, values, sampled=("score",))
    heads = ["mean", "mean: error", "score", "score: error (one standard deviation)", "rank"]
    assert table([point])[0] == ["point", "seed", "status", *heads]
    results = {"test_error": 0.1, "test_error_uncertainty": 0.01, "train_error": 0.1, "validation_error": None}
    assert sampled_of("completion", {"results": results}) == ("test error, relative, test entries",)


def test_numbers_in_the_table_read_back_as_themselves():
    third = 1.0 / 3.0
    points = [
        outcome(1, {"problem.x": 0.1, "k": "a"}, {"E": (third, 1e-17), "n": (7.0, None)}),
        outcome(2, {"problem.x": [1, 2.5], "k": None}, {"E": (math.nan, math.inf)}),
        outcome(3, {"problem.x": True, "k": "b"}, {}, status="failed"),
    ]
    header, rows = table(points)
    assert header == ["point", "problem.x", "k", "status", "E", "E: error", "n"]
    assert rows[0] == [1, "0.1", "a", "finished", repr(third), "1e-17", "7"] and float(rows[0][4]) == third
    assert rows[1] == [2, "[1, 2.5]", "", "finished", "", "", ""]
    assert rows[2] == [3, "true", "b", "failed", "", "", ""]
    assert value_names([outcome(1, {}, {RANK: (1.0, None)}), outcome(2, {}, {"E": (1.0, None)})]) == ["E", RANK]


def test_a_figure_has_a_panel_a_quantity_and_a_line_for_each_choice_of_the_other_keys():
    points = [
        outcome(i, {"kind": k, "problem.c": c, "n": n, "same": 1}, {"E": (c * n, 0.1 * c), "F": (-c, None)})
        for i, (k, c, n) in enumerate((k, c, n) for k in "ab" for c in (1.0, 3.0, 200.0) for n in (1, 2))
    ]
    drawn = picture(points)
    assert "over problem.c" in drawn.caption
    panels = [axes for axes in drawn.figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["E", "F"]
    first, second = panels
    handles, labels = first.get_legend_handles_labels()
    assert labels == ["kind = a, n = 1", "kind = a, n = 2", "kind = b, n = 1", "kind = b, n = 2"]
    assert list(handles[1].lines[0].get_xdata()) == [1.0, 3.0, 200.0]
    assert list(handles[1].lines[0].get_ydata()) == [2.0, 6.0, 400.0]
    # wide and positive is logarithmic; what has negative values is not
    assert (first.get_xscale(), first.get_yscale(), second.get_yscale()) == ("log", "log", "linear")


def test_whole_numbers_have_ticks_at_whole_numbers():
    points = [outcome(n, {"n": n}, {"largest TT-rank": (rank, None)}) for n, rank in ((1, 4.0), (2, 5.0), (3, 6.0))]
    axes = picture(points).figure.axes[0]
    assert all(float(tick).is_integer() for ticks in (axes.get_xticks(), axes.get_yticks()) for tick in ticks)


def test_without_a_key_of_numbers_the_figure_runs_over_the_points():
    points = [outcome(i, {"method": m}, {"E": (float(i), None)}) for i, m in enumerate(("tdvp", "bug"), start=1)]
    drawn = picture(points)
    assert "the number of the point" in drawn.caption
    (line,) = drawn.figure.axes[0].containers
    assert list(line.lines[0].get_xdata()) == [1.0, 2.0]
    assert picture([outcome(1, {"x": 1}, {})]) is None


def test_errors_name_what_is_in_them_and_none_is_below_rounding():
    """A bar of 2e-15 stood where a finer grid moves the energy by 7e-12."""
    results = {
        "energies": [1.0, 2.0],
        "error_estimates": [2e-17, None],
        "basis_errors": [None, None],
        "unit": "cm-1",
        "ranks": [[1, 3, 1], [1, 4, 1]],
    }
    values = values_of("vibrational", {"results": results})
    assert values["energies (cm-1), state 0"] == (1.0, ROUNDING) and values["energies (cm-1), state 1"] == (2.0, None)
    contents = contents_of("vibrational", {"results": results})
    assert contents == {"energies (cm-1)": "errors include: rank; not: basis"}
    points = [replace(outcome(i, {"n": i}, values), contents=contents) for i in (1, 2)]
    assert contents_in_words(points) == "energies (cm-1): errors include: rank; not: basis."
    assert "not: basis" in picture(points).caption
    assert contents_of("vibrational", {"results": {}}) == {}
