"""Samples drawn and divided, whole runs, and what their reports say."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from problems.completion.figures import figures
from problems.completion.presentation import headline, sections, tables
from problems.completion.references import agreements, comparison_table
from problems.completion.samples import draw, evaluate
from problems.completion.solve import divide, prepare, singular_values, solve, warnings_of
from solvers.formats.trains.construct import random_train
from solvers.optimisation.completion.growth import RankFit
from solvers.solution import Status
from ttsuite.actions.run import load, run
from ttsuite.study.config import ConfigError, make_study

PROBLEM = {"kind": "completion", "samples": {"function": "inverse_sum", "shape": [10, 10, 10], "fraction": 0.3}}
SOLVER = {"max_rank": 4, "accuracy": 1e-3, "workers": 1}


def study(problem=None, solver=None, folder="."):
    data = {"name": "c", "problem": {**PROBLEM, **(problem or {})}, "solver": {**SOLVER, **(solver or {})}}
    return make_study(data, folder)


def computed(problem=None, solver=None, folder=".", seed=0):
    s = study(problem, solver, folder)
    return s, solve(prepare(s.problem, s.solver), seed=seed)


def write_csv(path, shape, count, f, seed=1):
    rng = np.random.default_rng(seed)
    indices = np.stack(np.unravel_index(rng.permutation(np.prod(shape))[:count], shape), axis=1)
    rows = [",".join(map(str, index)) + f",{float(value)!r}" for index, value in zip(indices.tolist(), f(indices))]
    path.write_text("\n".join([",".join([f"i{k + 1}" for k in range(len(shape))] + ["value"]), *rows]) + "\n")


@pytest.mark.parametrize("shape, first, second", [((6, 7, 8), 50, 60), ((6, 7, 8), 300, 900), ((100,) * 5, 2000, 3000)])
def test_drawn_indices_are_different(shape, first, second):
    known, fresh = draw(shape, first, second, np.random.default_rng(0))
    assert len(known) == first and len(fresh) == min(second, math.prod(shape) - first)
    both = np.concatenate([known, fresh])
    assert len(np.unique(both, axis=0)) == len(both)
    assert (both >= 0).all() and (both < np.array(shape)).all()
    # uniform: every index of a mode about as often as any other
    means = known.mean(axis=0) / (np.array(shape) - 1)
    np.testing.assert_allclose(means, 0.5, atol=4 * 0.3 / np.sqrt(first))


def test_the_function():
    found = evaluate("inverse_sum", (5, 3), np.array([[0, 0], [4, 2], [1, 1]]))
    np.testing.assert_allclose(found.values, [1.0, 1.0 / 3.0, 1.0 / 1.75])


def test_samples_of_a_file_are_divided(tmp_path):
    write_csv(tmp_path / "a.csv", (6, 6, 6), 120, lambda i: 1.0 / (1.0 + i.sum(axis=1)))
    s = study({"samples": "a.csv", "test_fraction": 0.25}, {"max_rank": 2}, tmp_path)
    given, tests = divide(s.problem, np.random.default_rng(0))
    assert len(tests) == 30 and len(given) == 90 and s.problem.fitted == 85
    assert len(np.unique(np.concatenate([given.indices, tests.indices]), axis=0)) == 120
    for column in given.indices.T:
        assert set(column) == set(range(6))


def test_a_function_is_completed_and_reported():
    s, result = computed()
    assert result.status is Status.CONVERGED and result.test_error <= 1e-3 and result.warnings == []
    # the error is true: of all entries that are not known
    full = result.train.full()
    x = np.arange(10) / 9.0
    exact = 1.0 / (1.0 + x[:, None, None] + x[:, None] + x)
    fresh = tuple(result.test_indices.T)
    assert len(result.true) == 700
    error = np.linalg.norm((full - exact)[fresh]) / np.linalg.norm(exact[fresh])
    assert result.test_error == pytest.approx(error, rel=1e-9)
    found = result.results()
    assert found["test_error"] == min(entry["test_error"] for entry in found["by_rank"][: result.best.rank])
    assert [entry["rank"] for entry in found["by_rank"]] == list(range(1, len(result.by_rank) + 1))
    assert found["samples"] == {"fitted": 285, "validation": 15, "test": 700}
    assert "1000 entries" in dict(headline(s.problem, s.solver, result))["tensor"]
    assert agreements(s.problem, result)[0].relative == result.test_error  # as the accuracy is
    table = comparison_table(s.problem, s.solver, result)
    assert (
        all(len(row) == len(table.columns) for row in table.rows) and "(chosen)" in table.rows[result.best.rank - 1][0]
    )
    worst = tables(s.problem, s.solver, result)[0].rows[0]
    assert worst[3].value == pytest.approx(found["largest_test_deviation"], rel=0.06)
    name, header, rows = result.csv_table()
    assert name == "predictions.csv" and header == ["i1", "i2", "i3", "true", "predicted"] and len(rows) == 700
    assert float(rows[5][4]) == full[tuple(rows[5][:3])] or abs(float(rows[5][4]) - full[tuple(rows[5][:3])]) < 1e-12
    assert {section.title for section in sections(s.problem, result)} == {"Samples", "Work"}
    assert [picture.name for picture in figures(s.problem, s.solver, result)] == [
        "error_by_rank",
        "predictions",
        "ranks",
    ]


def test_the_seed_draws_the_samples():
    (_, one), (_, same), (_, other) = computed(seed=3), computed(seed=3), computed(seed=4)
    assert one.test_error == same.test_error and np.array_equal(one.test_indices, same.test_indices)
    assert not np.array_equal(one.test_indices, other.test_indices)


def test_a_missed_accuracy_is_told():
    _, result = computed(solver={"max_rank": 2, "accuracy": 1e-6})
    assert result.status is Status.RANK_LIMIT and result.test_error > 1e-6
    assert "was missed" in result.warnings[0] and "larger ranks may help" in result.warnings[0]


@pytest.mark.parametrize(
    "error, told", [(7.9e-4, []), (8.1e-4, ["may be above the accuracy asked for: 700 test entries"])]
)
def test_a_doubtful_success_is_told(error, told):
    solver = study().solver  # accuracy 1e-3
    found = warnings_of(solver, RankFit(3, (1, 3, 3, 1), 1e-4, 2e-4, error, 1e-4, 10, 0.1), Status.CONVERGED, 700)
    assert len(found) == len(told) and all(text in warning for text, warning in zip(told, found))


def test_samples_that_are_mostly_zero_are_named_as_what_stands_in_the_way():
    fit = RankFit(1, (1, 1, 1, 1), 0.9, 1.0, 1.0, 1e-4, 10, 0.1)
    solver = SimpleNamespace(accuracy=1e-4)
    (text,) = warnings_of(solver, fit, Status.STAGNATED, 60, 1.0, 0.98)
    assert "98% of the samples are zero" in text and "give samples where" in text
    (text,) = warnings_of(solver, fit, Status.STAGNATED, 60, 1.0, 0.1)
    assert "zero" not in text


def test_the_uncertainty_covers_the_error_of_a_few_held_out_samples(tmp_path):
    """Few held-out entries scatter about the true error as much as is said."""
    write_csv(tmp_path / "a.csv", (8, 8, 8), 512, lambda i: np.cos(i.sum(axis=1) / 5.0) + 0.05 * np.sin(7.0 * i[:, 0]))
    deviations = []
    for seed in range(12):
        _, result = computed({"samples": "a.csv", "test_fraction": 0.1}, {"max_rank": 1}, tmp_path, seed)
        indices = np.stack(np.unravel_index(np.arange(512), (8, 8, 8)), axis=1)
        true = np.cos(indices.sum(axis=1) / 5.0) + 0.05 * np.sin(7.0 * indices[:, 0])
        error = np.linalg.norm(result.train.entries(indices) - true) / np.linalg.norm(true)
        deviations.append((result.test_error - error) / result.uncertainty)
    assert 0.3 <= np.std(deviations) <= 2.0 and np.abs(deviations).max() <= 4.0


def test_singular_values_of_the_unfoldings():
    x = random_train((4, 5, 3), 3, np.random.default_rng(0)) * 7.0
    full = x.full()
    for k, values in enumerate(singular_values(x), start=1):
        exact = np.linalg.svd(full.reshape(math.prod((4, 5, 3)[:k]), -1), compute_uv=False)[: len(values)]
        np.testing.assert_allclose(values, exact / np.linalg.norm(full), atol=1e-12)


def test_a_run_from_a_file_keeps_its_samples(tmp_path):
    write_csv(tmp_path / "a.csv", (8, 8, 8), 300, lambda i: 1.0 / (1.0 + i.sum(axis=1) / 7.0))
    s = study({"samples": "a.csv"}, {"max_rank": 3, "accuracy": 1e-2}, tmp_path)
    done = run(s, out=tmp_path / "run")
    assert done.status == "finished" and done.report["results"]["samples"]["test"] == 30
    assert (tmp_path / "run" / "a.csv").read_text() == (tmp_path / "a.csv").read_text()
    report, (tensor,) = load(tmp_path / "run")
    assert tensor.shape == (8, 8, 8) and report["references"][0]["count"] == 30
    json.dumps(report)
    # the folder's own configuration repeats the run
    again = run(tmp_path / "run" / "configuration.yaml", out=tmp_path / "again")
    assert again.report["results"]["test_error"] == done.report["results"]["test_error"]


def test_samples_that_miss_an_index_are_refused(tmp_path):
    s = study({"samples": {"function": "inverse_sum", "shape": [60, 60], "fraction": 0.05}}, {"max_rank": 1})
    with pytest.raises(ConfigError, match="has no sample at index"):
        run(s, out=tmp_path / "run")
