"""Figures and tables, from made-up results whose deviations are known."""

import json
from dataclasses import replace
from itertools import pairwise

import made_up
import numpy as np
import pytest
from geometry import faults
from matplotlib.backends.backend_agg import FigureCanvasAgg

from problems.drawing import style
from problems.quantum.hamiltonians.force_field.known_levels import references_of
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.tasks.spectrum.evidence import assigned
from problems.quantum.tasks.spectrum.figures import convergence, figures
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.presentation import sections, tables
from problems.quantum.tasks.spectrum.references import agreements, columns, comparison_table
from problems.quantum.tasks.spectrum.stick_labels import grouped, spread_out
from solvers.measured import in_ascii
from ttsuite.runs.record import plain

PROBLEM = VibrationalProblem(kind="vibrational", force_field="acetonitrile")
SOLVER = SpectrumSolver(n_states=84)


@pytest.fixture(scope="module")
def result():
    return made_up.acetonitrile()


def test_results_have_the_fixed_keys_and_are_plain(result):
    found = plain(result.results())
    json.dumps(found, allow_nan=False)
    fixed = "energies unit error_estimates rank_errors basis_errors residual_norms symmetry assignments ranks"
    fixed += " operator_ranks mode_order states_megabytes completeness"
    assert set(fixed.split()) <= set(found)
    assert set(found["completeness"]) == {"buffer_states", "gap_above", "probe"}
    assert found["energies"] == sorted(found["energies"]) and len(found["energies"]) == 84


def test_the_deviation_from_the_judge_is_the_one_put_in(result):
    first = agreements(PROBLEM, result)[0].told()
    assert (first["name"], first["count"]) == ("own_HCI+PT2", 84)
    shifts = made_up.shift(np.arange(84))
    # sorting can swap partners that are closer than their shifts differ
    assert first["max_abs_deviation"] == pytest.approx(shifts.max(), abs=2e-4)
    assert first["mean_abs_deviation"] == pytest.approx(shifts.mean(), abs=2e-4)
    assert "column_max_abs_deviation" not in first


def test_tables(result):
    (table,) = tables(PROBLEM, SOLVER, result)
    assert table.columns[:3] == ["state", "energy (cm-1)", "above the zero-point level (cm-1)"]
    assert table.columns[6] == "HCI+PT2 (this project), cm-1" and len(table.rows) == 84
    assert all(len(row) == len(table.columns) for row in table.rows)
    energy, above = table.rows[7][1:3]
    assert (energy.value, energy.error) == (result.energies[7], result.error_estimates[7])
    assert above.error == result.error_estimates[7] + result.error_estimates[0] and str(table.rows[0][2]) == "0"
    assert str(table.rows[83][table.columns.index("A-VCI (2017), cm-1")]) == ""
    assert "errors include: rank, basis" in table.note
    name, header, rows = result.csv_table(columns(PROBLEM, result))
    assert name == "levels.csv"
    assert all(len(row) == len(header) for row in rows)
    assert float(rows[5][1]) == result.energies[5] and rows[83][header.index("own_HCI+PT2")] == "2207.541"
    comparison = comparison_table(PROBLEM, SOLVER, result)
    assert comparison is not None and len(comparison.rows) == 14


def test_deviations_have_significant_digits(result):
    """The deviation of a run that is much better than it was asked to be was 0.0000000000."""
    exact = references_of(oscillator_field(), None)[0].levels[:3] + 4.7e-11
    problem = VibrationalProblem(
        kind="vibrational", force_field={"model": "coupled_oscillators", "dimension": 4, "coupling": 0.1}
    )
    table = comparison_table(problem, SpectrumSolver(n_states=3), made_up.oscillators(exact, 4))
    assert in_ascii(str(table.rows[0][2])) in ("4.7e-11", "4.8e-11")


def oscillator_field():
    return VibrationalProblem(
        kind="vibrational", force_field={"model": "coupled_oscillators", "dimension": 4, "coupling": 0.1}
    ).field


def test_basis_error_that_was_not_estimated_is_no_zero(result):
    unknown = replace(result, basis_errors=np.full(84, np.nan))
    assert plain(unknown.results())["basis_errors"] == [None] * 84
    told = plain(type(unknown).values(plain(unknown.results())))["energies"]
    assert (told["includes"], told["leaves_out"]) == (["rank"], ["basis"])
    assert plain(type(result).values(plain(result.results())))["energies"]["includes"] == ["rank", "basis"]
    assert "not: basis" in tables(PROBLEM, SOLVER, unknown)[0].note
    _, header, rows = unknown.csv_table()
    assert {row[header.index("basis_error")] for row in rows} == {""}


def test_errors_told_are_never_below_rounding(result):
    tiny = replace(result, error_estimates=np.full(84, 2e-15))
    told = plain(type(tiny).values(plain(tiny.results())))["energies"]
    assert min(told["error"]) >= 9e-12  # of 9837 cm-1 and more


def test_assignments_are_printed_as_the_field_writes_them():
    assert assigned("0.97[1v3] ; 0.20[1v9+2v12]") == "0.97 ν₃; 0.20 (ν₉ + 2ν₁₂)"
    assert assigned("1.00[gs]") == "1.00 gs" and assigned("0.90[2v0]", "v") == "0.90 2v₀"


def test_the_report_says_what_decides_and_why_a_residual_may_be_larger(result):
    large = replace(result, residual_norms=np.full(84, 3.7), history=result.history)
    facts = dict(sections(PROBLEM, large)[0].facts)
    assert "error estimate of each state" in facts["the criterion"]
    assert "the 84 states asked" in facts["the series of energies and residual norms are over"]
    assert "‖r‖²/error" in facts["largest residual norm ‖Hψ − Eψ‖"]


def test_one_pass_has_no_change_to_draw(result):
    one = replace(result, history=[state for state in result.history if state.energies is not None][:1])
    assert "passes" not in [picture.name for picture in figures(PROBLEM, SOLVER, one)]


@pytest.mark.parametrize("at_start", [False, True])
def test_a_start_of_which_nothing_is_known_has_no_place(result, at_start):
    history = [state for state in result.history if state.energies is not None]
    unknown = np.full(len(history[0].energies), np.nan)
    start = replace(history[0], label="start", residuals=history[0].residuals if at_start else unknown, extra={})
    drawn = convergence(replace(result, history=[start, *history[1:]]), 0.01)
    for axes in drawn.axes:
        low, high = axes.get_xlim()
        assert (low, high) == (-0.5 if at_start else 0.5, len(history) - 0.5)
        assert axes.get_xticklabels()[0].get_text() == ("0" if at_start else "1")
        assert ("the start" in axes.get_xlabel()) == at_start


def test_figures_are_drawn_and_no_label_leaves_them(result):
    pictures = {picture.name: picture for picture in figures(PROBLEM, SOLVER, result)}
    assert list(pictures) == ["spectrum", "deviations", "errors", "ranks", "passes"]
    with style():
        for picture in pictures.values():
            assert faults(picture.figure) == []
            for axes in picture.figure.axes:
                if axes.axison:
                    named = axes.get_ylabel() or "this run" in [text.get_text() for text in axes.get_yticklabels()]
                    assert named and axes.get_xlabel()
    lists, own = pictures["deviations"].figure.axes
    rows = {text.get_text(): text.get_fontweight() for text in lists.get_yticklabels()}
    assert {"this run", "TT r=25 (2016)", "TT r=40 (2016)"} <= set(rows) and len(rows) == 14
    assert [name for name, weight in rows.items() if weight == "bold"] == ["this run"]  # distinct
    medians = [line.get_xdata()[0] for line in lists.get_lines() if line.get_marker() == "o"]
    assert len(medians) == 14 and medians == sorted(medians)  # the closest list first
    assert lists.get_xscale() == own.get_yscale() == "log"
    labels = lists.get_legend_handles_labels()[1]
    assert labels == ["uncertainty of the reference: 0.001", "asked of this run: 0.01"]
    assert "asked: 0.01 cm⁻¹" in own.get_legend_handles_labels()[1]
    names = [axes.get_ylabel() for axes in pictures["passes"].figure.axes]
    assert "states asked for" in pictures["passes"].caption and "error estimates decide" in pictures["passes"].caption
    assert all("(cm⁻¹)" in name for name in names)
    ranks = {line.get_label(): line for line in pictures["ranks"].figure.axes[0].get_lines()}
    assert list(ranks["operator"].get_ydata()) == made_up.OPERATOR_RANKS[1:-1]


def test_an_error_that_was_not_estimated_is_not_drawn(result):
    for missing in (np.zeros(len(result.energies)), np.full(len(result.energies), np.nan)):
        (errors,) = [p for p in figures(PROBLEM, SOLVER, replace(result, basis_errors=missing)) if p.name == "errors"]
        labels = [line.get_label() for line in errors.figure.axes[0].get_lines()]
        assert "rank part" in labels and "basis part" not in labels and "not estimated" in errors.caption


def test_labels_of_the_spectrum_do_not_overlap(result):
    figure = figures(PROBLEM, SOLVER, result)[0].figure
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [text.get_window_extent(canvas.get_renderer()) for text in figure.axes[0].texts]
    assert len(boxes) > 15
    for before, after in pairwise(boxes):
        assert before.x1 <= after.x0 + 0.5


def test_a_model_without_history_gets_the_figures_it_has_data_for():
    field = {"model": "coupled_oscillators", "dimension": 3}
    made = VibrationalProblem.model_validate({"kind": "vibrational", "force_field": field})
    result = made_up.oscillators(made.references[0].levels[:10], 3)
    solver = SpectrumSolver(n_states=10, accuracy=1e-8)
    assert [picture.name for picture in figures(made, solver, result)] == [
        "spectrum",
        "deviations",
        "errors",
        "ranks",
    ]
    assert agreements(made, result)[0].deviation.max_abs == 0.0


def test_one_mode_and_one_state():
    made = VibrationalProblem.model_validate(
        {"kind": "vibrational", "force_field": {"model": "henon_heiles", "dimension": 1}}
    )
    result = made_up.oscillators(np.array([0.5]), 1)
    solver = SpectrumSolver(n_states=1, accuracy=1e-6)
    pictures = {picture.name: picture.text for picture in figures(made, solver, result)}
    assert list(pictures) == ["deviations", "errors"] and all(pictures.values())  # a sentence each: too little to draw
    comparison = comparison_table(made, solver, result)
    assert comparison is not None
    assert [list(map(str, row)) for row in comparison.rows] == [["exact (normal modes)", "1", "0", "0"]]
    unknown = VibrationalProblem.model_validate(
        {"kind": "vibrational", "force_field": {"model": "henon_heiles", "dimension": 2}}
    )
    assert comparison_table(unknown, solver, result) is None
    assert len(tables(made, solver, result)[0].rows) == 1


def test_groups_and_their_labels():
    levels = np.array([0.0, 1.0, 1.01, 1.02, 3.0])
    assert grouped(levels, 0.1, 55) == [[0], [1, 2, 3], [4]]
    assert len(grouped(np.arange(500.0), 0.1, 22)) <= 22
    places = spread_out(np.array([0.0, 9.8, 9.9, 10.0]), 1.0, 10.0)
    np.testing.assert_allclose(places, [0.0, 8.0, 9.0, 10.0])
