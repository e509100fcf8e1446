"""Tables, results and figures of a small run, and which problems have references."""

import json
from dataclasses import replace

import numpy as np
import pytest
from pde_cases import study

from problems.parametric_pde import presentation
from problems.parametric_pde.figures import figures
from problems.parametric_pde.references import CASES, compare, references_of, summaries
from problems.parametric_pde.solve import prepare, solve
from ttsuite.config import load_study
from ttsuite.shipped import CONFIGS


@pytest.fixture(scope="module")
def run():
    case = study("discs", "square", 8, solver={"accuracy": 1e-4}, exceedance={"total": 0.03})
    return case, solve(prepare(case.problem, case.solver))


def test_results_have_the_keys_of_the_contract(run):
    _, result = run
    found = presentation.results(result)
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
    name, header, rows = presentation.csv_table(case.problem, result)
    assert name == "quantities.csv" and all(len(row) == len(header) for row in rows)
    assert float(rows[0][3]) == result.quantities[0].moments.mean
    facts = dict(presentation.headline(case.problem, case.solver, result))
    assert facts["PDE solves"] == f"{result.pde_solves} of at most 400"
    assert all(text for section in presentation.sections(case.problem, result) for _, text in section.facts)
    assert presentation.comparison_table(case.problem, case.solver, result) is None
    assert presentation.references(case.problem, result) == []
    json.dumps(presentation.results(result), default=np.ndarray.tolist)


@pytest.mark.parametrize("field, domain", [("discs", "square"), ("affine", "interval")])
def test_figures(field, domain):
    case = study(field, domain, 8, solver={"accuracy": 1e-3})
    result = solve(prepare(case.problem, case.solver))
    pictures = figures(case.problem, case.solver, result)
    assert [p.name for p in pictures] == ["fields", "realisations", "sobol", "densities", "convergence", "ranks"]
    bars = pictures[2].figure.axes[0].patches
    assert len(bars) == 2 * result.solution.d - 2
    assert bars[-1].get_height() == pytest.approx(result.quantities[0].moments.first[-1])


@pytest.mark.parametrize("case", sorted(CASES))
def test_shipped_problems_have_references(case):
    problem = load_study(CONFIGS / "parametric_pde" / f"{case}.yaml")[0].problem
    values = references_of(problem)
    names = {q.name for q in problem.quantities}
    assert {v.quantity for v in values} == names
    assert {(v.quantity, v.statistic) for v in values} >= {(n, s) for n in names for s in ("mean", "variance")}
    other = problem.model_copy(update={"load": 2.0})
    assert references_of(other) == []


def test_comparison_goes_by_meaning_not_by_name():
    study, _ = load_study(CONFIGS / "tiny" / "cookie4.yaml")
    result = solve(prepare(study.problem, study.solver))
    for i, (q, name) in enumerate(zip(result.quantities, ("total", "middle", "disc"))):
        result.quantities[i] = replace(q, name=name)
    problem = load_study(CONFIGS / "parametric_pde" / "cookie4.yaml")[0].problem
    renamed = tuple(q.model_copy(update={"name": r.name}) for q, r in zip(problem.quantities, result.quantities))
    problem = problem.model_copy(update={"quantities": renamed, "exceedance": {}})
    found = compare(problem, result)  # on a coarse mesh: near the values of the fine one, not equal
    assert {c.reference.quantity for c in found} == {"total", "middle", "disc"}
    means = dict(summaries(found))["mean"]
    assert means.count == 3 and 1e-4 < means.max_abs < 0.1
    table = presentation.comparison_table(problem, study.solver, result)
    assert [row[1] for row in table.rows[:2]] == ["mean", "variance"] and "Sobol" in table.rows[-1][1]
    assert [entry["name"] for entry in presentation.references(problem, result)][:2] == ["mean", "variance"]
