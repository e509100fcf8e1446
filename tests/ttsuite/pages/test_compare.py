"""Comparisons of two runs: verdicts against known changes, entries matched by what they are, pages and exit codes."""

import csv
import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from geometry import faults
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.drawing import style
from problems.families import family, kinds
from problems.report_parts import STANDARD, Quantity
from ttsuite.command.cli import main
from ttsuite.pages.compare import ROUNDING, Comparison, beside, compare_runs, summary_rows, told, widened
from ttsuite.pages.compare_page import figure, write_comparison
from ttsuite.runs.record import RecordError

TINY = Path(__file__).parents[3] / "configs" / "tiny"


def changed(folder, change):
    """Let ``change`` act on the report of a run."""
    file = folder / "report.json"
    report = json.loads(file.read_text())
    change(report)
    file.write_text(json.dumps(report))
    return folder


def test_a_run_equals_itself(complete_run):
    comparison = compare_runs(complete_run[0], complete_run[0])
    (energies,) = comparison.quantities
    assert comparison.equal and energies.agrees.all() and not energies.difference.any()
    assert energies.keys == list(range(16)) and energies.only == (0, 0) and energies.unit == "cm-1"
    assert comparison.configuration == comparison.provenance == []
    assert comparison.verdict == "the runs agree within their error estimates in all 16 values that have them"
    assert comparison.names == ("fake (1)", "fake (2)")


def test_what_is_beyond_both_estimates_is_found(copied):
    first, second = copied("first"), copied("second")

    def shift(report):
        results = report["results"]
        errors = results["error_estimates"]
        results["energies"][3] += 1.99 * errors[3]
        results["energies"][5] += 2.01 * errors[5]
        results["energies"][7] = None

    comparison = compare_runs(first, changed(second, shift))
    (energies,) = comparison.quantities
    assert np.flatnonzero(~energies.agrees).tolist() == [5, 7]
    assert not comparison.equal and "differ by more than their error estimates in 2 of 16" in comparison.verdict
    assert [str(cell) for cell in summary_rows(comparison)[0][1:]] == [
        "16",
        str(summary_rows(comparison)[0][2]),
        "state 5",
        str(summary_rows(comparison)[0][4]),
        "both errors",
        "differ in 2",
    ]
    errors = json.loads((first / "report.json").read_text())["results"]["error_estimates"]
    assert summary_rows(comparison)[0][2].value == pytest.approx(2.01 * errors[5], rel=0.05)


def test_configuration_timing_and_ranks_stand_beside_each_other(copied):
    first, second = copied("first"), copied("second")
    text = (second / "configuration.yaml").read_text()
    (second / "configuration.yaml").write_text(
        text.replace("n_states: 16", "n_states: 12").replace("name: fake", "name: b")
    )

    def shorter(report):
        for key in ("energies", "error_estimates", "ranks"):
            report["results"][key] = report["results"][key][:12]
        report["ranks"] = np.max(report["results"]["ranks"], axis=0).tolist()
        report["timing"]["solve_s"] = 2.5
        report["results"]["counts"]["passes"] = 77
        report["provenance"]["numpy"] = "9.9"

    comparison = compare_runs(first, changed(second, shorter))
    assert comparison.configuration == [("solver.n_states", "16", "12")]
    (energies,) = comparison.quantities
    assert energies.only == (4, 0) and len(energies.keys) == 12 and comparison.equal
    facts = {what: (a, b) for what, a, b in comparison.facts}
    assert facts["time, solving"][1] == "2.5 s" and facts["work, passes"][1] == "77"
    assert [what for what, *_ in comparison.provenance] == ["numpy"]
    ranks = json.loads((first / "report.json").read_text())["results"]["ranks"]
    assert comparison.ranks[0] == np.max(ranks, axis=0).tolist()
    assert comparison.ranks[1] == np.max(ranks[:12], axis=0).tolist()
    assert "solver.n_states" in told(comparison) and told(comparison).endswith(comparison.verdict)


@pytest.mark.figures
def test_pages_and_exit_codes(copied, capsys, tmp_path, monkeypatch):
    first, second = copied("first"), copied("second")
    assert main(["compare", str(first), str(first), "--out", str(tmp_path / "same")]) == 0

    def shift(report):
        report["results"]["energies"][2] -= 1.0
        report["name"] = "<b>|x"

    changed(second, shift)
    monkeypatch.chdir(tmp_path)
    assert main(["compare", str(first), str(second)]) == 4
    out = capsys.readouterr().out
    assert "differ in 1" in out and "report: results/comparisons/first-and-second/comparison.html" in out
    folder = tmp_path / "results" / "comparisons" / "first-and-second"
    rows = list(csv.DictReader((folder / "comparison.csv").open()))
    assert [row["entry"] for row in rows if row["agree"] == "no"] == ["2"] and len(rows) == 16
    assert (
        float(rows[2]["difference"]) == pytest.approx(1.0) and float(rows[2]["first"]) - float(rows[2]["second"]) == 1.0
    )
    page = (folder / "comparison.html").read_text()
    HTMLParser().feed(page)
    assert "<b>|x" not in page and "&lt;b&gt;|x" in page and 'src="data:image/svg+xml;base64,' in page
    assert "\\|x" in (folder / "comparison.md").read_text()
    assert {path.name for path in folder.rglob("*")} == {
        "comparison.html",
        "comparison.md",
        "comparison.csv",
        "figures",
        "comparison.png",
        "comparison.svg",
    }
    # the same once more is written anew; other folders are left alone
    assert main(["compare", str(first), str(second)]) == 4
    with pytest.raises(RecordError, match="not empty"):
        write_comparison(compare_runs(first, second), first)
    assert main(["compare", str(first), str(second), "--out", str(first / "report.json")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_what_cannot_be_compared_is_refused(copied, capsys, tmp_path):
    first, second = copied("first"), copied("second")
    assert main(["compare", str(first), str(tmp_path / "nothing")]) == 2
    changed(second, lambda report: report.update(results={}, status="interrupted"))
    assert main(["compare", str(first), str(second)]) == 2
    changed(second, lambda report: report.update(results={"energies": "x"}))
    assert main(["compare", str(first), str(second)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and "no run folder" in lines[0] and "holds no results: the run is interrupted" in lines[1]
    assert "damaged" in lines[2]
    shutil.copyfile(TINY / "inverse-sum.yaml", second / "configuration.yaml")
    with pytest.raises(ValueError, match=r"is of kind vibrational, .* of kind completion"):
        compare_runs(first, second)


numbers = st.floats(-1e6, 1e6, allow_nan=False)
entries = st.lists(
    st.tuples(st.integers(0, 9), numbers, st.floats(0, 10)), min_size=1, max_size=8, unique_by=lambda e: e[0]
)


def quantity(rows):
    keys, values, errors = zip(*rows)
    return Quantity("x", "", "state", list(keys), np.array(values), np.array(errors))


@given(entries, entries)
@settings(max_examples=200, deadline=None)
def test_comparing_is_symmetric_and_by_key(one, other):
    a, b = quantity(one), quantity(other)
    there, back = beside(a, b), beside(b, a)
    first, second = ({key: (value, error) for key, value, error in rows} for rows in (one, other))
    common = set(first) & set(second)
    assert set(there.keys) == set(back.keys) == common
    assert there.only == back.only[::-1] == (len(first) - len(common), len(second) - len(common))
    agrees = dict(zip(there.keys, there.agrees.tolist()))
    assert agrees == dict(zip(back.keys, back.agrees.tolist()))
    for key in common:
        (x, dx), (y, dy) = first[key], second[key]
        assert agrees[key] == (abs(x - y) <= dx + dy + ROUNDING * max(abs(x), abs(y)))


def test_errors_of_an_entry_hold_for_its_components():
    values = np.arange(6.0).reshape(3, 2)
    a = Quantity("x", "", "t", [0.1, 0.2, 0.3], values, np.array([0.1, 0.2, 0.3]))
    moved = values.copy()
    moved[1, 1] += 0.41
    b = Quantity("x", "", "t", [0.3 + 1e-12, 0.2, 0.1][::-1], moved, np.array([0.1, 0.2, 0.3]))
    compared = beside(a, b)
    assert np.argwhere(~compared.agrees).tolist() == [[1, 1]]
    other = Quantity("x", "", "t", [0.1], np.zeros((1, 3)), np.zeros(1))
    assert beside(a, other).keys == [] and beside(a, other).only == (3, 1)
    some = Quantity("x", "", "t", [0.1, 0.2, 0.3], moved, np.array([0.1, np.nan, 0.3]))
    assert beside(a, some).judged == (4, 0) and beside(a, some).agrees.all()
    unknown = Quantity("x", "", "t", [0.1, 0.2, 0.3], moved)
    assert beside(a, unknown).tolerance is None and beside(a, unknown).agrees is None
    assert beside(a, unknown).judged == (0, 0) and compared.judged == (6, 1)


def drawn(rng, count=1, scale=1.0, coverage=STANDARD):
    values = scale * rng.standard_normal(count)
    return Quantity("x", "", "state", list(range(count)), values, np.full(count, scale), coverage=coverage)


def test_standard_deviations_of_two_runs_add_in_quadrature_and_bounds_add_up():
    one = Quantity("x", "", "state", [0], np.array([1.0]), np.array([0.3]), coverage=STANDARD)
    other = Quantity("x", "", "state", [0], np.array([1.0]), np.array([0.4]), coverage=STANDARD)
    bound = replace(other, coverage=1.0)
    assert beside(one, other).tolerance == pytest.approx([1.5]) == beside(other, one).tolerance
    assert beside(one, other).allowed_are == "3 standard deviations"
    assert beside(one, bound).tolerance == pytest.approx([0.9 + 0.4]) == beside(bound, one).tolerance
    assert beside(one, bound).allowed_are == "an error and 3 standard deviations"
    assert beside(bound, bound).tolerance == pytest.approx([0.8])
    assert beside(bound, bound).allowed_are == "both errors"
    unknown = replace(one, errors=None)
    assert beside(one, unknown).tolerance is None and beside(one, unknown).allowed_are == ""


def test_many_sampled_values_agree_as_surely_as_one():
    assert widened(3.0, 1) == pytest.approx(3.0) and widened(3.0, 25) == pytest.approx(3.87, abs=0.01)
    rng = np.random.default_rng(0)
    for count in (1, 40):
        apart = sum(beside(drawn(rng, count), drawn(rng, count)).judged[1] > 0 for _ in range(2000))
        assert apart <= 15  # 5.4 are expected of 2000 comparisons
    unlike = drawn(rng, 40)
    moved = replace(unlike, values=unlike.values + np.eye(40)[3] * 6.0)
    assert beside(unlike, moved).judged == (40, 1) and "3.9" not in beside(unlike, moved).allowed_are


NAMED = [str(i) for i in range(40)]


def odd(values, errors=None, keys=None, axis="t"):
    values = np.array(values)
    keys = list(range(len(values))) if keys is None else keys
    return Quantity("odd", "eV", axis, keys, values, None if errors is None else np.array(errors))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (odd([np.nan, np.nan], [1.0, 1.0]), odd([np.nan, np.nan], [1.0, 1.0])),
        (odd([1.0, np.nan, 2.0], [0.1, 0.1, np.nan]), odd([1.5, 1.0, 2.0], [0.1, 0.1, 0.1])),
        (odd([1.0 + 2j, 3j, 0.0], [0.0, 0.0, 0.0]), odd([1.0 + 2j, 3j, 1.0], [0.0, 0.0, 0.0])),
        (odd(np.zeros((3, 2))), odd(np.ones((3, 2)))),
        (odd([0.0], [0.0], ["part"]), odd([0.0], [0.0], ["part"])),
        (odd(np.zeros(40), np.ones(40), NAMED), odd(np.ones(40), np.ones(40), NAMED)),
        (odd([], [], []), odd([], [], [])),
        (odd([1.0], [1.0], [0]), odd([1.0], [1.0], [1])),
    ],
)
def test_odd_quantities_are_told_and_drawn(complete_run, tmp_path, a, b):
    comparison = replace(compare_runs(complete_run[0], complete_run[0]), quantities=[beside(a, b)])
    page = write_comparison(comparison, tmp_path / "out").read_text()
    assert 'src="data:image/svg+xml' in page
    assert (
        "odd (eV)" in page
        and "nan" not in page.lower().partition("<main")[2].partition("<script>")[0].partition('id="figure"')[0]
    )
    assert told(comparison).endswith(comparison.verdict)
    rows = list(csv.DictReader((tmp_path / "out" / "comparison.csv").open()))
    assert len(rows) == comparison.quantities[0].difference.size


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_says_what_it_is_compared_by(kind):
    for result in family(kind).results:
        assert callable(result.quantities)


def test_the_figure_has_no_label_outside_and_shows_what_one_component_lacks(tmp_path):
    times, states, parts = [0.0, 0.5, 1.0], [0, 1, 2, 3], ["external", "of Weizsaecker"]
    z = np.array([[0.1, np.nan], [0.2, np.nan], [0.3, np.nan]])  # a site that has no spin
    pairs = [
        (Quantity("z", "", "t (natural)", times, z), Quantity("z", "", "t (natural)", times, z + 1e-7)),
        *(
            (Quantity("energies", "model units", axis, keys, ones, 1e-3 * ones), Quantity(*other))
            for axis, keys, ones in [
                ("state", states, np.ones(4)),
                ("part", parts, np.ones(2)),
            ]
            for other in [("energies", "model units", axis, keys, ones + 2e-3, 5e-4 * ones)]
        ),
    ]
    comparison = Comparison(
        (tmp_path / "first", tmp_path / "second"),
        "wave_packet",
        [beside(a, b) for a, b in pairs],
        ([1, 3, 5, 1], [1, 2, 4, 1]),
        [("time, the rest (starting, writing)", "6.1 s", "5.2 s"), ("time, in all", "7.0 s", "6.0 s")],
        [],
        [],
    )
    with style():
        drawn = figure(comparison)
        assert faults(drawn) == []
    panel = next(axes for axes in drawn.axes if axes.get_ylabel() == "|difference|, z")
    (dots,) = [line for line in panel.get_lines() if line.get_label() == "difference"]
    assert dots.get_ydata() == pytest.approx(1e-7)
