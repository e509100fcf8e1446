"""Which problems have independent values, and how far a run is from them."""

from dataclasses import replace

import pytest

from problems.parametric_pde.references import (
    CASES,
    agreements,
    columns,
    compare,
    comparison_table,
    largest_deviations,
    references_of,
    summaries,
)
from problems.parametric_pde.solve import prepare, solve
from ttsuite.config import load_study
from ttsuite.shipped import CONFIGS


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
    for i, (q, name) in enumerate(zip(result.statistics, ("total", "middle", "disc"))):
        result.statistics[i] = replace(q, name=name)
    problem = load_study(CONFIGS / "parametric_pde" / "cookie4.yaml")[0].problem
    renamed = tuple(q.model_copy(update={"name": r.name}) for q, r in zip(problem.quantities, result.statistics))
    problem = problem.model_copy(update={"quantities": renamed, "exceedance": {}})
    found = compare(problem, result)  # on a coarse mesh: near the values of the fine one, not equal
    assert {c.reference.quantity for c in found} == {"total", "middle", "disc"}
    means = dict(summaries(found))["mean"]
    assert means.count == 3 and 1e-4 < means.max_abs < 0.1
    table = comparison_table(problem, study.solver, result)
    assert [row[1] for row in table.rows[:2]] == ["mean", "variance"] and "Sobol" in table.rows[-1][1]
    assert [entry.name for entry in agreements(problem, result)][:2] == ["mean", "variance"]
    _, header, rows = result.csv_table(columns(problem, result))
    first = dict(zip(header, rows[0]))
    mean = next(c for c in found if (c.reference.quantity, c.reference.statistic) == ("total", "mean"))
    assert float(first["reference"]) == mean.reference.value and first["deviation"] == f"{mean.deviation:.3e}"
    assert float(first["value"]) == pytest.approx(mean.reference.value * (1.0 + mean.deviation), rel=1e-12)
    largest = dict(largest_deviations(problem, result))
    assert largest["means (relative)"] == means.max_abs and len(largest) == 2


def test_a_probability_is_known_for_one_threshold_only():
    problem = load_study(CONFIGS / "parametric_pde" / "cookie4.yaml")[0].problem
    known = {v.quantity: v for v in references_of(problem) if v.statistic == "exceedance"}
    study, _ = load_study(CONFIGS / "tiny" / "cookie4.yaml")
    result = solve(prepare(study.problem, study.solver))
    name, value = next(iter(known.items()))
    (index,) = [i for i, q in enumerate(result.statistics) if q.name == name]
    for threshold, count in ((value.threshold, 1), (1.1 * value.threshold, 0)):
        distribution = replace(result.statistics[index].distribution, exceedance=(threshold, 0.5, 0.01))
        result.statistics[index] = replace(result.statistics[index], distribution=distribution)
        compared = [c for c in compare(problem, result) if c.reference.statistic == "exceedance"]
        assert len(compared) == count and all((c.value, c.error) == (0.5, 0.01) for c in compared)
