"""Runs with wrong entries, with effects and with outcomes of yes and no: keys, reports, other routes."""

import numpy as np
import pytest

from problems.completion.certify import routes
from problems.completion.figures import figures
from problems.completion.metrics import metrics, metrics_table
from problems.completion.plan import estimate, plan
from problems.completion.presentation import headline, sections, tables
from problems.completion.references import agreements, comparison_table
from problems.completion.rejected import Rejected
from problems.completion.solve import divide, prepare, solve
from solvers.optimisation.losses import probability
from ttsuite.study.config import ConfigError, make_study


def written(folder, values, indices):
    rows = [",".join(map(str, index)) + f",{value!r}" for index, value in zip(indices.tolist(), values.tolist())]
    (folder / "a.csv").write_text("\n".join([",".join(f"i{k + 1}" for k in range(indices.shape[1])) + ",value", *rows]))


def study(folder, problem=None, **solver):
    problem = {"kind": "completion", "samples": "a.csv", **(problem or {})}
    return make_study({"name": "c", "problem": problem, "solver": {"max_rank": 2, "accuracy": 1e-3, **solver}}, folder)


def drawn(shape, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng, np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:count], shape), axis=1)


def told(s, result):
    """Everything a report says can be said."""
    assert plan(prepare(s.problem, s.solver)) and estimate(prepare(s.problem, s.solver), 1).seconds > 0.0
    assert headline(s.problem, s.solver, result) and sections(s.problem, result) and agreements(s.problem, result)
    table = comparison_table(s.problem, s.solver, result)
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert len(figures(s.problem, s.solver, result)) == 3
    _, header, rows = result.csv_table()
    assert all(len(row) == len(header) for row in rows)
    assert result.quantities(result.results())
    return [table.title for table in tables(s.problem, s.solver, result)], header, rows


def test_wrong_entries_are_told(tmp_path):
    rng, indices = drawn((8, 7, 6), 250)
    values = 1.0 / (1.0 + indices.sum(axis=1) / 9.0)
    wrong = rng.random(250) < 0.06
    written(tmp_path, np.where(wrong, values + 50.0 * rng.standard_normal(250), values), indices)
    s = study(tmp_path, {"loss": "huber", "metrics": ["rmse"]}, accuracy=1e-2)
    result = solve(prepare(s.problem, s.solver))
    titles, header, rows = told(s, result)
    assert "Entries rejected" in titles and header[-2:] == ["part", "judged"]
    assert result.test_error < 1e-2 and len(result.rejected) == wrong.sum()
    assert sum(row[-1] == "rejected" for row in rows) == wrong.sum()
    assert f"{wrong.sum()} of 250 entries do not fit" in result.warnings[-1]
    assert sum(result.results()["rejected"].values()) == wrong.sum()
    assert result.metrics[0].value < 1e-2
    far = abs(result.predicted - result.true)
    assert result.largest_test_deviation == far[result.judging].max() < 0.1 < far.max()  # no error has rejected ones


def test_ratings_stand_beside_their_effects(tmp_path):
    rng, indices = drawn((30, 40), 700)
    row, column = rng.standard_normal(30), rng.standard_normal(40)
    values = 5.0 + row[indices[:, 0]] + 0.5 * column[indices[:, 1]] + 1.5 * (row[:, None] * column)[tuple(indices.T)]
    keep = indices[:, 0] != 3
    written(tmp_path, np.maximum(values[keep] + 0.2 * rng.standard_normal(keep.sum()), 0.0), indices[keep])
    s = study(tmp_path, {"effects": True, "metrics": ["rmse", "mae", "ndcg@3"]}, max_rank=2)
    result = solve(prepare(s.problem, s.solver))
    titles, _, _ = told(s, result)
    assert "Scores beside plain predictions" in titles and not result.status.name == "CONVERGED"
    found = result.results()["metrics"]
    assert list(found) == ["rmse", "mae", "ndcg@3"]
    for name in ("rmse", "mae"):
        score = found[name]
        assert score["gain"] > 3.0 * score["gain_uncertainty"] > 0.0
    assert found["rmse"]["value"] < 0.4 < found["rmse"]["effects"] < found["rmse"]["constant"]
    assert result.results()["ridge"] > 0.0 and [route.name for route in routes(s.problem, s.solver, {})] == [
        "samples",
        "rank",
    ]
    with pytest.raises(ConfigError, match="no sample has i1 = 3"):
        study(tmp_path)


def test_outcomes_are_predicted_by_probabilities(tmp_path):
    rng, indices = drawn((25, 30), 600)
    odds = (1.5 * rng.standard_normal((25, 1)) + rng.standard_normal((1, 30)))[tuple(indices.T)]
    values = np.where(rng.random(600) < probability(odds), 1.0, -1.0)
    written(tmp_path, values, indices)
    s = study(tmp_path, {"loss": "logistic", "effects": True}, max_rank=1)
    given, tests = divide(s.problem, np.random.default_rng(0))
    assert set(given.values) == set(tests.values) == {0.0, 1.0}
    result = solve(prepare(s.problem, s.solver))
    told(s, result)
    assert ((result.predicted > 0.0) & (result.predicted < 1.0)).all()
    assert [metric.name for metric in result.metrics] == ["log_loss", "accuracy"]
    assert result.metrics[0].value < result.metrics[0].constant
    other = tmp_path / "other"
    other.mkdir()
    written(other, 2.0 * values, indices)
    with pytest.raises(ConfigError, match=r"is -?2, but a logistic loss needs values of 0 and 1"):
        study(other, {"loss": "logistic"})


@pytest.mark.parametrize(
    "problem, solver, key, message",
    [
        ({"loss": "hubert"}, {}, "problem.loss", "huber"),
        ({"effects": 1}, {}, "problem.effects", ""),
        ({"metrics": ["rmse", "ndcg"]}, {}, "problem.metrics", "ndcg@10"),
        ({"metrics": "rmse"}, {}, "problem.metrics", "list"),
        ({"loss": "logistic"}, {}, "problem.samples", "0 and 1"),
        ({"metrics": ["ndcg@10"]}, {}, "problem.metrics", "not negative"),
        ({}, {"ridge": -1}, "solver.ridge", "at least 0"),
        ({}, {"ridge": True}, "solver.ridge", "at least 0"),
    ],
)
def test_refusals(tmp_path, problem, solver, key, message):
    rng, indices = drawn((8, 7, 6), 250)
    written(tmp_path, rng.standard_normal(250), indices)
    with pytest.raises(ConfigError) as caught:
        study(tmp_path, problem, **solver)
    found = caught.value.problems
    assert len(found) == 1 and found[0].key == key and message in found[0].message


def test_indices_that_are_names_of_another_kind_are_refused(tmp_path):
    _, indices = drawn((8, 7), 40)
    indices = np.concatenate([indices, [[123456, 2]]])
    written(tmp_path, np.ones(41), indices)
    with pytest.raises(ConfigError, match="number them from 0 on"):
        study(tmp_path, {"effects": True})


def test_scores_without_a_row_to_order_and_large_shares():
    alone = np.arange(12)
    found = metrics(["rmse", "ndcg@10"], alone + 0.1, alone + 0.5, 5.0, alone + 0.0, alone)
    assert [metric.name for metric in found] == ["rmse"] and "better" in found[0].verdict
    assert len(metrics_table(found).rows) == 1
    some = Rejected(np.zeros((3, 2), dtype=int), np.ones(3), np.zeros(3), 1, 1, 1)
    assert "may be true" in some.warnings(10)[0] and "may be true" not in some.warnings(100)[0]
    assert some.parts == ["fitted", "set aside", "test"] and Rejected.none(2).warnings(10) == []
