"""Runs: nothing depends on workers or interruptions, tables and images of one's own, second looks and other routes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from geometry import faults

from problems.drawing import style
from problems.learning.splits import standard_error
from problems.perturbation.certify import ROOM, by_differences, from_corners, routes
from problems.perturbation.figures import figures
from problems.perturbation.plan import estimate, plan
from problems.perturbation.result import PerturbationResult
from problems.perturbation.solve import prepare, solve
from problems.route import NotReached
from solvers.extremal.pq_norm import pq_norm
from solvers.learning.differentiable import Network
from solvers.solution import Status
from ttsuite.study.config import make_study

DIGITS = {"kind": "perturbation", "data": "digits", "splits": 2, "test": 0.7, "eps": [0.1, 0.2]}
SOLVER = {"hidden": [12], "passes": 15, "batch": 12, "starts": 8, "random_signs": 6, "deepfool_rows": 4}
SOLVER |= {"deepfool_passes": 1, "accuracy": 0.5, "workers": 1}


def prepared(problem=DIGITS, **solver):
    study = make_study({"problem": problem, "solver": {**SOLVER, **solver}})
    return prepare(study.problem, study.solver)


@pytest.fixture(scope="module")
def result():
    return solve(prepared(), seed=3)


def test_errors_ratios_and_what_is_told(result):
    assert result.status is Status.CONVERGED and all(look.passed for look in result.checked)
    assert result.names[:2] == ("layer 1, q = 10", "logits, q = 10") and result.names[2].startswith(
        "random signs, mean"
    )
    assert result.rates.shape == (6, 2, 2) and result.vectors.shape == (4, 64) and result.image == (8, 8)
    assert np.all(result.errors >= standard_error(result.rates, result.ratio) - 1e-15)
    told = result.told
    assert told[1].over_random == pytest.approx(result.means[0, 1] / result.means[2, 1])
    assert told[0].rate_error == pytest.approx(result.errors[0, 0]) and told[0].clipped <= 1.0
    assert np.all(result.means[3] >= result.means[2])  # the best of random signs, and their mean
    assert np.all(result.norms <= result.bounds) and np.all(np.abs(result.vectors) <= 1.0 + 1e-12)
    assert result.means[result.best, -1] > 1.5 * result.means[2, -1] and "times as many as random" in result.verdict
    rates, norms = PerturbationResult.quantities(
        result.results()
        | {"fooling": [vars(one) for one in told]}
        | {"singular_values": [vars(one) for one in result.values_told]}
    )
    assert len(rates.values) == 12 and np.allclose(rates.errors, result.errors.ravel()) and rates.sampled
    assert np.all(norms.errors > 0)


def test_workers_change_nothing(result):
    with ThreadPoolExecutor(2) as pool:
        other = solve(prepared(), executor=pool, seed=3)
    assert np.array_equal(other.rates, result.rates) and np.array_equal(other.vectors, result.vectors)


def test_a_stopped_run_goes_on(result, tmp_path):
    class Enough(Exception):
        pass

    def stop(state):
        raise Enough

    with pytest.raises(Enough):
        solve(prepared(), seed=3, checkpoint=tmp_path, callback=stop)
    labels = []
    other = solve(prepared(), seed=3, checkpoint=tmp_path, callback=lambda state: labels.append(state.label))
    assert labels == ["split 2"] and np.array_equal(other.rates, result.rates)
    assert np.array_equal(other.norms, result.norms) and np.array_equal(other.vectors, result.vectors)


def test_norms_by_differences_and_corners_agree(result):
    ready = prepared()
    told = result.results()
    told |= {"singular_values": [vars(one) for one in result.values_told]}
    names = [route.name for route in routes(ready.problem, ready.solver, told)]
    assert names == ["splits", "differences"]
    other = by_differences(ready.problem, ready.solver, told)
    for mine, theirs in zip(told["singular_values"], other["singular_values"]):
        assert theirs["norm"] == pytest.approx(mine["norm"], rel=ROOM)
    told["singular_values"][0]["norm"] *= 0.9
    with pytest.raises(NotReached, match=r"layer 1, q = 10.*give more starts"):
        by_differences(ready.problem, ready.solver, told)


def test_corners_are_all_counted_where_they_are_few():
    a = np.random.default_rng(0).standard_normal((7, 5))
    exact = pq_norm(a, np.inf, 3.0)
    assert from_corners(a, 3.0, np.random.default_rng(1)) == pytest.approx(exact.value, rel=1e-14)


def test_a_wrong_jacobian_is_contradicted(monkeypatch):
    right = Network.forward
    monkeypatch.setattr(Network, "forward", lambda *given: 1.001 * right(*given))
    assert solve(prepared(against=["random"]), seed=3).status is Status.CONTRADICTED


def test_rates_that_scatter_are_not_called_converged():
    found = solve(prepared(accuracy=1e-6, against=["random"]), seed=3)
    assert found.status is Status.FEW_SPLITS and "1e-06 was asked for" in found.warnings[0]


def table(folder):
    rng = np.random.default_rng(5)
    lines = ["size,weight,colour,label"]
    for _ in range(160):
        size, weight, colour = rng.standard_normal(), 100.0 * rng.standard_normal(), rng.choice(["red", "blue"])
        lines.append(f"{size:.4f},{weight:.4f},{colour},{'a' if size + 0.01 * weight > 0 else 'b'}")
    (folder / "t.csv").write_text("\n".join(lines))
    return {"kind": "perturbation", "data": str(folder / "t.csv"), "splits": 2, "eps": [0.5, 1.0]}


@pytest.mark.parametrize("model", ["linear", "interactions", "cp"])
def test_a_table_has_exact_norms_and_categories_stay(tmp_path, model):
    own = {"rank": 2, "ridge": 1e-3} if model == "interactions" else {"rank": 2, "epochs": 3}
    found = solve(prepared(table(tmp_path), model=model, **own), seed=0)
    assert found.status is Status.CONVERGED and found.fields == ("size", "weight") and found.image is None
    assert np.all(found.exact == 1.0) and found.vectors.shape[1] == 2
    if model == "linear":  # larger and heavier, in deviations of each
        assert np.array_equal(np.abs(found.vectors[0]), [1.0, 1.0]) and found.vectors[0].sum() != 0.0
        assert found.means[0, -1] > 0.3


def test_pixels_of_a_byte_are_as_good_as_those_of_one(tmp_path):
    from sklearn.datasets import load_digits

    digits = load_digits()
    np.savez(tmp_path / "a.npz", images=np.round(digits.images * 255 / 16).astype(np.uint8), targets=digits.target)
    own = {"layers": ["logits"], "eps": 0.2}
    many = solve(prepared({**DIGITS, **own, "data": str(tmp_path / "a.npz")}, against=["random"]), seed=0)
    one = solve(prepared({**DIGITS, **own}, against=["random"]), seed=0)
    assert many.means == pytest.approx(one.means, abs=0.05) and many.norms == pytest.approx(one.norms, rel=0.05)


def test_what_a_run_would_take():
    told = dict(plan(prepared()))
    assert told["layers"] == "layer 1, logits" and "1797 of 64 fields" in told["rows"]
    few, more = estimate(prepared(), 1), estimate(prepared({**DIGITS, "splits": 20}), 1)
    assert 0 < few.seconds < more.seconds and few.megabytes > 100


def test_nothing_else_tried_is_no_comparison(result):
    alone = replace(result, names=result.names[:2], rates=result.rates[:2], cut=result.cut[:2])
    assert alone.verdict.endswith("fools most of the layers at 0.2") and alone.told[0].over_random is None


def test_figures_of_a_table_fit_a_column(tmp_path):
    ready = prepared(table(tmp_path), model="linear")
    result = solve(ready, seed=0)
    with style(3.4):
        found = {picture.name: faults(picture.figure) for picture in figures(ready.problem, ready.solver, result)}
    assert found == {"fooling": [], "perturbations": []}
