"""What a run ends with: the headline, the first values with errors, times that add up, at any width."""

import re

import made_up
import numpy as np
import pytest

from problems.first_values import first_values
from problems.report_parts import Quantity
from solvers.measured import Measured
from ttsuite.command.outcome import laid_out, outcome
from ttsuite.pages import report as writer
from ttsuite.runs.job import Run

TIMING = {"compile_s": 3.0, "setup_s": 5.0, "solve_s": 90.0, "wall_s": 104.5}


def finished(tmp_path, headline=()):
    result = made_up.acetonitrile(6)
    report = {
        "name": "acetonitrile",
        "status": "finished",
        "message": result.status.value,
        "headline": [("states", "6, of which 6 reached the accuracy asked (0.01 cm-1)"), *headline],
        "results": result.results(),
        "references": [{"label": "HCI+PT2", "max_abs_deviation": 0.0012, "count": 6}],
        "timing": TIMING,
        "peak_rss_mb": 260.4,
    }
    return Run(tmp_path / "a", report, result, writer)


def test_the_outcome_says_the_answer(tmp_path):
    run = finished(tmp_path)
    text = "\n".join(outcome(run, 200))
    assert text.splitlines()[0] == "acetonitrile: converged to the accuracy asked for"
    assert "6, of which 6 reached" in text and "at most 0.0012 cm⁻¹ over 6 values" in text and "260 MB" in text
    assert re.search(r"energies, state 0 +98\d\d\.\d+\(\d+\) cm", text)
    assert sum("energies, state" in line for line in text.splitlines()) == 5
    assert text.splitlines()[-1] == f"report: {run.folder / 'report.html'}"
    known = finished(tmp_path, [("deviation from HCI+PT2", "at most 0.0012")])
    assert sum("HCI+PT2" in line for line in outcome(known, 200)) == 1


def test_the_times_add_up(tmp_path):
    told = next(line for line in outcome(finished(tmp_path), 200) if line.lstrip().startswith("time"))
    whole, *parts = [float(number) for number in re.findall(r"([\d.]+) s", told)]
    assert whole == pytest.approx(sum(parts)) and len(parts) == 4


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_and_no_number_broken(tmp_path, width):
    lines = outcome(finished(tmp_path), width)[:-1]  # the path stays whole
    assert max(map(len, lines)) <= width
    whole = set(" ".join(outcome(finished(tmp_path), 500)).split())
    assert set(" ".join(lines).split()) <= whole


NAMED = Quantity("mean", "hartree", "quantity", ["Q1", "Q2"], np.array([0.5, 0.25]), np.array([1e-3, 1e-3]))


def test_what_the_headline_says_is_not_said_again(tmp_path):
    def names(*headline):
        return [name for name, _ in first_values([NAMED], headline)]

    assert names() == names(("mean of Q1", "0.5001(10) hartree")) == ["mean, Q1", "mean, Q2"]
    assert names(("mean of Q1", "0.5000(10) hartree")) == ["mean, Q2"]
    assert names(("mean", "see below")) == []
    lines = outcome(finished(tmp_path, [("deviation asked", "0.0012 cm⁻¹")]), 200)
    assert sum("0.0012 cm" in line for line in lines) == 2  # that of six values is at most this: not the same
    # a list of numbered values is whole
    run = finished(tmp_path)
    lowest = Measured(run.result.energies[0], run.result.error_estimates[0])
    told = first_values(run.result.quantities(run.report["results"]), [("lowest energy", f"{lowest} cm⁻¹")])
    assert [name for name, _ in told] == [f"energies, state {k}" for k in range(5)]


def test_two_values_that_are_alike_are_both_said():
    alike = Quantity("mean", "", "quantity", ["Q1", "Q2"], np.array([0.5, 0.5]), np.array([1e-3, 1e-3]))
    assert [name for name, _ in first_values([alike], [("mean of Q1", "0.5000(10)")])] == ["mean, Q2"]


def test_a_long_name_has_a_line_of_its_own():
    lines = laid_out([("short", "1"), ("a name that is rather long to stand beside its value", "2")], 40)
    assert lines[0].split() == ["short", "1"] and lines[-1].split() == ["2"] and max(map(len, lines)) <= 40
