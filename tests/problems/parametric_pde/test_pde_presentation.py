"""Tables, results and figures of a small run."""

import json

import numpy as np
import pytest
from pde_cases import study

from problems.parametric_pde import presentation
from problems.parametric_pde.figures import figures
from problems.parametric_pde.references import agreements, columns, comparison_table
from problems.parametric_pde.result import ParametricResult
from problems.parametric_pde.solve import prepare, solve


@pytest.fixture(scope="module")
def run():
    case = study("discs", "square", 8, solver={"accuracy": 1e-4}, exceedance={"total": 0.03})
    return case, solve(prepare(case.problem, case.solver))


def test_results_have_the_keys_of_the_contract(run):
    _, result = run
    found = result.results()
    assert {"quantities", "pde_solves", "held_out", "ranks"} <= set(found)
    keys = {"mean", "variance", "mean_error", "variance_error", "sobol_first", "sobol_total", "exceedance"}
    assert all(keys <= set(q) for q in found["quantities"].values())
    assert found["held_out"]["points"] == 20 and found["held_out"]["max_relative_error"] > 0
    assert found["ranks"] == list(result.solution.ranks)
    assert found["quantities"]["middle"]["exceedance"] is None
    assert 0 < found["quantities"]["total"]["exceedance"]["probability"] < 1


def test_tables_and_headline(run):
    case, result = run
    tables = presentation.tables(case.problem, case.solver, result)
    assert [t.title for t in tables] == ["Quantities", "Distributions", "Sobol indices"]
    assert all(len(row) == len(t.columns) for t in tables for row in t.rows)
    assert [row[1] for row in tables[0].rows] == ["integral of u", "u(0.52, 0.41)", "mean of u over disc 1"]
    name, header, rows = result.csv_table(columns(case.problem, result))
    assert name == "quantities.csv" and all(len(row) == len(header) for row in rows)
    assert float(rows[0][3]) == result.statistics[0].moments.mean
    facts = dict(presentation.headline(case.problem, case.solver, result))
    assert facts["PDE solves"] == f"{result.pde_solves} of at most 400"
    assert all(text for section in presentation.sections(case.problem, result) for _, text in section.facts)
    assert comparison_table(case.problem, case.solver, result) is None
    assert agreements(case.problem, result) == []
    json.dumps(result.results(), default=np.ndarray.tolist)


def test_what_two_runs_are_compared_by(run):
    _, result = run
    told = json.loads(json.dumps(result.results(), default=np.ndarray.tolist))
    found = {q.name: q for q in ParametricResult.quantities(told)}
    assert list(found) == ["mean", "variance", "first Sobol index", "total Sobol index", "quantile", "probability"]
    assert found["mean"].keys == ["total", "middle", "disc"]
    np.testing.assert_array_equal(found["variance"].errors, [q.variance_error for q in result.statistics])
    assert found["first Sobol index"].values.shape == found["first Sobol index"].errors.shape == (3, 2)
    assert found["quantile"].includes == ("sampling",) and "mesh" in found["mean"].leaves_out
    threshold, probability, error = result.statistics[0].distribution.exceedance
    assert threshold == 0.03 and found["probability"].keys == ["total > 0.03"]
    assert (found["probability"].values[0], found["probability"].errors[0]) == (probability, error)
    assert found["probability"].coverage == found["quantile"].coverage == 3.0 and found["mean"].coverage == 1.0
    assert found["quantile"].keys[0] == "total at 0.01" and len(found["quantile"].keys) == 3 * 7
    assert told["quantities"]["disc"]["quantiles"][3]["value"] == result.statistics[2].distribution.quantiles[0.5][0]


def test_a_row_for_every_number(run):
    case, result = run
    _, header, rows = result.csv_table(columns(case.problem, result))
    assert header == ["quantity", "statistic", "parameter", "value", "error_estimate", "reference", "deviation"]
    statistics = ["mean", "variance", "exceedance", *["sobol_first", "sobol_total"] * 2]
    assert [row[1] for row in rows if row[0] == "total"] == statistics
    assert [row[2] for row in rows if row[0] == "total"] == ["", "", "", 1, 1, 2, 2]
    assert len(rows) == len(statistics) + 2 * (len(statistics) - 1)
    assert all(row[5:] == ["", ""] for row in rows) and float(rows[3][4]) > 0.0


@pytest.mark.parametrize("field, domain", [("discs", "square"), ("affine", "interval")])
def test_figures(field, domain):
    case = study(field, domain, 8, solver={"accuracy": 1e-3})
    result = solve(prepare(case.problem, case.solver))
    pictures = figures(case.problem, case.solver, result)
    assert [p.name for p in pictures] == ["fields", "realisations", "sobol", "densities", "convergence", "ranks"]
    bars = pictures[2].figure.axes[0].patches
    assert len(bars) == 2 * result.solution.d - 2
    assert bars[-1].get_height() == pytest.approx(result.statistics[0].moments.first[-1])
