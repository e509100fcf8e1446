"""Runs: the result does not depend on workers or interruptions, errors and verdicts are what they are called."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from problems.learning.learners import OWN, evaluate, relabelled
from problems.supervised.result import standard_error
from problems.supervised.solve import prepare, solve
from solvers.solution import Status
from ttsuite.study.config import make_study

PROBLEM = {
    "kind": "supervised",
    "data": {"model": "interactions", "fields": 6, "order": 2, "terms": 3, "rows": 400, "noise": 0.1},
    "splits": 3,
}
SOLVER = {"rank": 4, "ridge": 1e-3, "against": ["linear", "nearest"], "accuracy": 0.5}


def prepared(problem=PROBLEM, **solver):
    study = make_study({"problem": problem, "solver": {**SOLVER, **solver}})
    return prepare(study.problem, study.solver)


@pytest.fixture(scope="module")
def result():
    return solve(prepared(), seed=3)


def test_workers_change_nothing(result):
    with ThreadPoolExecutor(3) as pool:
        other = solve(prepared(), executor=pool, seed=3)
    assert np.array_equal(other.scores, result.scores) and np.array_equal(other.orders, result.orders)


def test_a_stopped_run_goes_on(result, tmp_path):
    class Enough(Exception):
        pass

    def stop(state):
        if state.extra["done"] == 4:
            raise Enough

    with pytest.raises(Enough):
        solve(prepared(), seed=3, checkpoint=tmp_path, callback=stop)
    labels = []
    other = solve(prepared(), seed=3, checkpoint=tmp_path, callback=lambda state: labels.append(state.label))
    assert len(labels) < 10 and np.array_equal(other.scores, result.scores)
    assert np.allclose(other.pairs, result.pairs) and other.chosen_ranks.tolist() == [4, 4, 4]


def test_interactions_are_better_where_there_are_some(result):
    assert result.status is Status.CONVERGED and result.verdict.startswith("better than every plain method")
    assert result.names == (OWN, "linear", "nearest") and all(look.passed for look in result.checked)
    difference, error = result.differences
    assert np.allclose(difference[:, 0], result.means[0] - result.means[1:, 0])
    assert difference[0, 0] > 3 * error[0, 0] > 0
    assert result.orders.mean(axis=0)[2] > 0.9


def test_an_accuracy_that_splits_do_not_give_is_not_called_converged():
    found = solve(prepared(accuracy=1e-9), seed=3)
    assert found.status is Status.FEW_SPLITS and "1e-09 was asked for" in found.warnings[0]


def test_a_plain_method_that_is_better_is_named():
    problem = {**PROBLEM, "data": {"model": "interactions", "fields": 5, "order": 3, "terms": 3, "rows": 200}}
    found = solve(prepared(problem, rank=1, ridge=1e3, against=["boosting", "svm"]), seed=0)
    assert found.verdict.startswith("a plain method is better") and found.verdict in found.warnings


def test_a_model_that_knows_permuted_targets_is_contradicted(monkeypatch):
    def knowing(*given):
        found = evaluate(*given)
        return replace(found, score=0.9) if given[-1].shuffled else found

    monkeypatch.setattr("problems.supervised.solve.evaluate", knowing)
    assert solve(prepared(), seed=3).status is Status.CONTRADICTED


def test_a_variance_that_is_not_that_of_the_train_is_contradicted(monkeypatch):
    def other(*given):
        found = evaluate(*given)
        return found if found.sampled is None else replace(found, sampled=(1.5 * found.sampled[0], *found.sampled[1:]))

    monkeypatch.setattr("problems.supervised.solve.evaluate", other)
    assert solve(prepared(), seed=3).status is Status.CONTRADICTED


def test_the_error_of_a_mean_over_splits():
    values = np.array([0.1, 0.3, 0.2, 0.4])
    assert standard_error(values, 0.5) == pytest.approx(values.std(ddof=1) * np.sqrt(1 / 4 + 0.5))


def test_labels_are_drawn_anew_in_the_share_asked():
    targets = np.repeat(np.arange(4), 250)
    found = relabelled(targets, 4, 0.4, (0, 1))
    assert np.mean(found != targets) == pytest.approx(0.3, abs=0.04)  # a quarter of the draws are right
    assert relabelled(targets, 4, 0.0, (0,)) is targets
    assert set(relabelled(np.array([0, 1, 2]), 3, 1.0, (5,))) == {0, 1, 2}


def test_the_line_of_the_nearest_neighbour_holds():
    problem = {"kind": "supervised", "data": "digits", "splits": 3, "test": 0.7, "study": {"label_noise": [0, 0.5, 1]}}
    study = make_study({"problem": problem, "solver": {**SOLVER, "model": "cp", "epochs": 1, "against": ["nearest"]}})
    found = solve(prepare(study.problem, study.solver), seed=0)
    nearest = found.means[1]
    assert found.line == pytest.approx([nearest[0], 0.5 * nearest[0] + 0.05, 0.1])
    assert np.abs(nearest - found.line).max() < 0.04
    assert found.means.shape == (2, 3) and found.train is None
