"""Operators against dense ones, moments of known densities, and whole runs against the exact solution."""

import numpy as np
import pytest

from problems.fokker_planck.model import FokkerPlanckProblem
from problems.fokker_planck.operators import Axis, Discrete, derivatives, frame, generator
from problems.fokker_planck.quantities import marginals, moments, samples
from problems.fokker_planck.solve import discretisation_warnings, prepare, solve
from solvers.formats.trains.construct import rank_one
from solvers.solution import Status
from ttsuite.actions.run import load, run
from ttsuite.study.config import make_study

PROBLEM = {
    "kind": "fokker_planck",
    "dimension": 2,
    "drift": {"matrix": [[1.0, 0.5], [-0.3, 1.2]]},
    "diffusion": 0.5,
    "initial": {"mean": [1.0, 0.5], "variance": [0.25, 0.3]},
    "grid": {"points": [36, 40], "half_width": 6.0},
}
SOLVER = {"t_final": 0.5, "accuracy": 1e-3, "workers": 1}


def study(problem=None, solver=None):
    return make_study({"name": "fp", "problem": {**PROBLEM, **(problem or {})}, "solver": {**SOLVER, **(solver or {})}})


def computed(problem=None, solver=None):
    s = study(problem, solver)
    return s, solve(prepare(s.problem, s.solver))


def test_derivatives_are_exact_for_waves_and_lose_no_mass():
    for n in (8, 9):
        h = 2.0 * np.pi / n
        first, second = derivatives(n, h)
        x = h * np.arange(n)
        np.testing.assert_allclose(first @ np.sin(3.0 * x), 3.0 * np.cos(3.0 * x), atol=1e-12)
        np.testing.assert_allclose(second @ np.cos(2.0 * x), -4.0 * np.cos(2.0 * x), atol=1e-12)
        assert np.array_equal(first, -first.T) and np.array_equal(second, second.T)
        assert np.abs(first.sum(axis=0)).max() < 1e-13 and np.abs(second.sum(axis=0)).max() < 1e-12


@pytest.mark.parametrize("d", [2, 3])
def test_the_operator_is_the_sum_it_stands_for(d):
    rng = np.random.default_rng(d)
    a, diffusion = rng.standard_normal((d, d)), 0.7
    axes = [Axis(-2.0 + 0.5 * np.arange(8), 0.5, g) for g in (0.0, 0.4, 0.8)[:d]]
    dense = np.zeros((8**d, 8**d))

    def placed(matrices):
        out = np.eye(1)
        for k in range(d):
            out = np.kron(out, matrices.get(k, np.eye(8)))
        return out

    for i, axis in enumerate(axes):
        first, second = derivatives(8, axis.h)
        x = np.diag(axis.x)
        turn = 0.5 * (first @ x + x @ first)
        dense += placed({i: a[i, i] * (turn + 0.5 * np.eye(8) - axis.g * x @ x)})
        dense += placed({i: diffusion * (second - 2.0 * axis.g * turn + axis.g**2 * x @ x)})
        for j in range(d):
            if j != i:
                dense += a[i, j] * placed({i: first - axis.g * x, j: np.diag(axes[j].x)})
    operator = generator(a, diffusion, axes)
    np.testing.assert_allclose(operator.full(), dense, atol=1e-11)


def test_ranks_of_the_operator_do_not_grow_with_the_dimension():
    s = study(
        {
            "dimension": 5,
            "drift": {"diagonal": 1.0, "superdiagonal": 0.5, "subdiagonal": -0.3},
            "initial": {"mean": 1.0, "variance": 0.25},
            "grid": {"points": 40, "half_width": 6.0},
        }
    )
    assert Discrete.of(s.problem, 0.5).operator.ranks == (1, 4, 4, 4, 4, 1)


def test_the_stationary_density_is_in_the_kernel():
    """A symmetric drift: p ~ exp(-x A x / 2 D), here a product, on which the operator vanishes."""
    data = {**PROBLEM, "drift": {"diagonal": 1.0}, "initial": {"mean": 0.0, "variance": 0.5}}
    data["grid"] = {"points": 48, "half_width": 7.0}
    discrete = Discrete.of(FokkerPlanckProblem(**data), 1.0)
    assert (discrete.operator @ discrete.start).norm() < 1e-7 * discrete.start.norm()
    left = rank_one([axis.functional(0) for axis in discrete.axes])
    assert (discrete.operator.T @ left).norm() < 1e-7 * left.norm()  # the mass is conserved


def test_the_frame_shrinks_to_nothing_where_the_box_is_tight():
    wide = frame(study().problem, 0.5)
    assert np.all(wide > 0.9)
    tight = frame(
        study({"initial": {"mean": 0.0, "variance": 0.25}, "grid": {"points": 40, "half_width": 3.2}}).problem, 0.5
    )
    assert np.all(tight < wide)


def test_moments_and_marginals_of_a_known_density():
    s = study()
    discrete = Discrete.of(s.problem, 0.5)
    found = moments(discrete, discrete.start)
    np.testing.assert_allclose(found["mean"], [1.0, 0.5], atol=1e-10)
    np.testing.assert_allclose(found["covariance"], np.diag([0.25, 0.3]), atol=1e-9)
    assert abs(found["mass"] - 1.0) < 1e-14
    known = s.problem.exact([0.0])
    assert abs(found["density_at_origin"] - known.at_origin()[0]) < 1e-9
    shown = marginals(discrete, discrete.start)
    np.testing.assert_allclose(shown["marginal_1"], known.marginal(0, 1, discrete.axes[1].x), atol=1e-9)
    np.testing.assert_allclose(shown["pair_0"].sum(axis=0) * discrete.axes[0].h, shown["marginal_1"], atol=1e-12)
    seen = samples(discrete, known, 0, discrete.start, np.random.default_rng(0))
    assert seen["density_error"] < 1e-9 and seen["min_density"] > 0.0


def test_the_origin_of_an_odd_grid_is_interpolated():
    axis = Axis(-6.0 + 12.0 / 37 * np.arange(37), 12.0 / 37, 0.5)
    assert abs(axis.origin @ np.exp(-((axis.x - 0.4) ** 2)) - np.exp(-0.16)) < 1e-10


@pytest.mark.parametrize("method", ["implicit", "bug", "tdvp"])
def test_every_method_meets_the_accuracy(method):
    s, result = computed(solver={"method": method})
    assert result.status is Status.CONVERGED, result.warnings
    mean = np.abs(result.mean - result.exact.means).reshape(len(result.times), -1).max(axis=1)
    covariance = np.abs(result.covariance - result.exact.covariances).reshape(len(result.times), -1).max(axis=1)
    assert np.all(mean <= result.mean_error) and np.all(covariance <= result.covariance_error)
    assert max(result.mean_error.max(), result.covariance_error.max()) <= s.solver.accuracy
    if method == "implicit":
        assert np.abs(result.mass - 1.0).max() < 1e-12
    assert result.density_error.max() < 1e-2


def test_a_fixed_step_counts_with_its_error():
    s, result = computed(solver={"time_step": 0.125, "accuracy": 3e-3})
    assert result.status is Status.CONVERGED, result.warnings
    assert np.abs(result.mean - result.exact.means).max() <= result.mean_error.max() <= s.solver.accuracy


def test_one_coordinate():
    _, result = computed(
        {
            "dimension": 1,
            "drift": {"diagonal": 1.0},
            "initial": {"mean": 1.0, "variance": 0.25},
            "grid": {"points": 40, "half_width": 6.0},
        }
    )
    assert result.status is Status.CONVERGED and result.mean.shape == (4, 1)
    np.testing.assert_allclose(result.mean, result.exact.means, atol=1e-3)
    assert np.abs(result.mass - 1.0).max() < 1e-12


def test_a_rank_limit_is_told():
    _, result = computed(solver={"max_rank": 1, "accuracy": 1e-6})
    assert result.status is not Status.CONVERGED
    assert any("was missed" in warning for warning in result.warnings)


def test_what_box_and_grid_leave_to_be_desired():
    s = study({"grid": {"points": 20, "half_width": 4.0}}, {"t_final": 1.0})
    texts = " ".join(discretisation_warnings(s.problem, s.solver))
    assert "hardly resolves coordinate 1 (" in texts and "fewer than six deviations" in texts
    assert discretisation_warnings(study().problem, study().solver) == []


@pytest.mark.figures
def test_from_a_study_to_its_folder(tmp_path):
    done = run(study(solver={"output_times": [0.25]}), out=tmp_path / "run")
    report = done.report
    assert report["status"] == "finished" and report["warnings"] == []
    results = report["results"]
    assert np.shape(results["mean"]) == (2, 2) and np.shape(results["covariance"]) == (2, 2, 2)
    np.testing.assert_array_equal(results["times"], [0.25, 0.5])
    assert {entry["name"] for entry in report["references"]} == {"mean", "covariance", "density_at_origin"}
    assert all(entry["max_abs_deviation"] <= 1e-3 for entry in report["references"])
    _, (density,) = load(done.folder)
    axis = np.arange(36) / 3.0 - 6.0
    assert density.shape == (36, 40)
    assert abs(density.full().sum() / 3.0 * 0.3 - 1.0) < 1e-10
    assert abs((axis[:, None] * density.full()).sum() * 0.1 - results["mean"][1][0]) < 1e-10
    names = {file.name for file in (done.folder / "figures").iterdir()}
    assert {"marginals.png", "pairs.png", "moments.png"} <= names and "ranks.png" not in names
    assert "TT-rank" in (done.folder / "report.md").read_text()  # one rank is a sentence
    header, *rows = (done.folder / "moments.csv").read_text().splitlines()
    assert header == "time,quantity,i,j,value,error_estimate,exact,deviation" and len(rows) == 2 * 7


def test_the_unit_of_length_does_not_matter():
    _, plain = computed()
    nano = 1e-9
    _, tiny = computed(
        {
            "diffusion": 0.5 * nano**2,
            "initial": {"mean": [nano, 0.5 * nano], "variance": [0.25 * nano**2, 0.3 * nano**2]},
            "grid": {"points": [36, 40], "half_width": 6.0 * nano},
        }
    )
    assert tiny.status is Status.CONVERGED
    np.testing.assert_allclose(tiny.mean / nano, plain.mean, atol=1e-4)
    np.testing.assert_allclose(tiny.covariance / nano**2, plain.covariance, atol=1e-4)
    assert np.abs(tiny.mean - tiny.exact.means).max() < 1e-3 * nano
    assert (tiny.mean_error <= 1e-3 * tiny.lengths.max()).all() and tiny.lengths.max() < nano
    np.testing.assert_allclose(tiny.grids[0] / nano, plain.grids[0])
    np.testing.assert_allclose(tiny.marginals[1] * nano, plain.marginals[1], atol=1e-4)


def test_the_closed_form_contradicts_a_box_that_cuts_the_density(monkeypatch):
    tight = {"grid": {"points": [36, 40], "half_width": 3.6}, "initial": {"mean": [1.0, 0.5], "variance": [0.25, 0.3]}}
    _, result = computed(tight, {"accuracy": 1e-4})
    assert result.status is not Status.CONVERGED
    off = np.abs(result.mean - result.exact.means).max(), np.abs(result.covariance - result.exact.covariances).max()
    assert off[0] <= 1.01 * result.mean_error.max() and off[1] <= 1.01 * result.covariance_error.max()
    assert [look.what for look in result.checked] == ["generator against its terms", "mass", "means and covariances"]
