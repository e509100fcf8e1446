"""What the YAML keys of a Fokker-Planck equation accept, where they put the blame, and the exact moments behind it."""

import copy

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from problems.fokker_planck.gaussian import exact, propagator
from ttsuite.study.config import ConfigError, load_study, make_study

GOOD = {
    "problem": {
        "kind": "fokker_planck",
        "dimension": 3,
        "drift": {"diagonal": 1.0, "superdiagonal": 0.5, "subdiagonal": -0.3},
        "diffusion": 0.5,
        "initial": {"mean": 1.0, "variance": 0.25},
        "grid": {"points": 40, "half_width": 6.0},
    },
    "solver": {"method": "implicit", "t_final": 2.0, "output_times": [0.5, 2.0], "accuracy": 1e-4},
}


def changed(**entries):
    """GOOD with entries at dotted paths (dots written as __) replaced."""
    data = copy.deepcopy(GOOD)
    for path, value in entries.items():
        *parents, last = path.split("__")
        entry = data
        for parent in parents:
            entry = entry[parent]
        entry[last] = value
    return data


def test_a_good_one_and_its_defaults():
    study = make_study(GOOD)
    problem, solver = study.problem, study.solver
    np.testing.assert_array_equal(problem.matrix, [[1.0, 0.5, 0.0], [-0.3, 1.0, 0.5], [0.0, -0.3, 1.0]])
    assert problem.points == [40] * 3 and problem.stable
    assert (solver.max_rank, solver.time_step) == ("automatic", "automatic")
    np.testing.assert_array_equal(solver.times, [0.5, 2.0])


def test_lists_and_matrices_are_taken():
    matrix = [[1.0, 0.5, 0.1], [0.0, 1.2, 0.0], [0.0, -0.3, 0.8]]
    data = changed(
        problem__drift={"matrix": matrix},
        problem__initial={"mean": [0.5, 0, -0.5], "variance": [0.3] * 3},
        problem__grid={"points": [32, 40, 41], "half_width": [6, 6.5, 7]},
        solver__output_times="automatic",
    )
    study = make_study(data)
    np.testing.assert_array_equal(study.problem.matrix, matrix)
    assert study.problem.points == [32, 40, 41] and list(study.problem.half_widths) == [6.0, 6.5, 7.0]
    np.testing.assert_allclose(study.solver.times, [0.5, 1.0, 1.5, 2.0])


def test_the_final_time_is_always_reported():
    np.testing.assert_array_equal(make_study(changed(solver__output_times=[0.0, 1.0])).solver.times, [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    "entries, key, message",
    [
        ({"problem__dimension": 0}, "problem.dimension", "at least 1"),
        ({"problem__drift": {"diagonal": [1.0, 1.0]}}, "problem.drift.diagonal", "needs 3 numbers"),
        (
            {"problem__drift": {"diagonal": 1.0, "superdiagonal": [1.0]}},
            "problem.drift.superdiagonal",
            "needs 2 numbers",
        ),
        ({"problem__drift": {"superdiagonal": 1.0}}, "problem.drift.diagonal", "missing"),
        ({"problem__drift": {"matrix": [[1.0, 0.0], [0.0, 1.0]]}}, "problem.drift.matrix", "3 rows of 3"),
        ({"problem__drift": {"matrix": [[1.0, "a", 0], [0, 1, 0], [0, 0, 1]]}}, "problem.drift.matrix", "numbers"),
        ({"problem__drift": {"diagonal": -1.0}}, "problem.grid.half_width", "unstable"),
        ({"problem__diffusion": 0.0}, "problem.diffusion", "greater than 0"),
        ({"problem__initial__variance": -0.25}, "problem.initial.variance", "must be positive"),
        ({"problem__initial__variance": [0.25, 0.25, 0.0]}, "problem.initial.variance", "must be positive"),
        ({"problem__initial__mean": [1.0, 1.0]}, "problem.initial.mean", "needs 3 numbers"),
        ({"problem__initial__mean": 5.0}, "problem.grid.half_width", "too small"),
        ({"problem__grid__half_width": 2.0}, "problem.grid.half_width", "give at least"),
        ({"problem__grid__points": 8}, "problem.grid.points", "too coarse"),
        ({"problem__initial__variance": 1e-4}, "problem.grid.points", "too coarse"),
        ({"problem__grid__points": 2}, "problem.grid.points", "from 4 to 1024"),
        ({"solver__method": "explicit"}, "solver.method", "implicit, bug, tdvp"),
        ({"solver__output_times": [1.0, 0.5]}, "solver.output_times", "ascend"),
        ({"solver__output_times": [1.0, 1.0]}, "solver.output_times", "ascend"),
        ({"solver__output_times": [-1.0, 1.0]}, "solver.output_times", "non-negative"),
        ({"solver__output_times": [1.0, 3.0]}, "solver.output_times", "beyond t_final"),
        ({"solver__output_times": []}, "solver.output_times", "list of numbers"),
        ({"solver__t_final": 0.0}, "solver.t_final", "greater than 0"),
        ({"solver__time_step": 0.0}, "solver.time_step", "positive"),
        ({"solver__max_rank": 0}, "solver.max_rank", "at least 1"),
    ],
)
def test_what_is_wrong_is_named(entries, key, message):
    with pytest.raises(ConfigError) as caught:
        make_study(changed(**entries))
    assert key in str(caught.value) and message in str(caught.value)


def test_an_unstable_drift_is_allowed_as_long_as_the_box_holds_it():
    wide = {"points": 60, "half_width": 8.0}
    study = make_study(
        changed(problem__drift={"diagonal": -0.2}, problem__grid=wide, solver__t_final=1.0, solver__output_times=[1.0])
    )
    assert not study.problem.stable


def test_line_and_column_of_an_error(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text(
        "problem:\n  kind: fokker_planck\n  dimension: 2\n  drift: {diagonal: 1.0}\n  diffusion: 0.5\n"
        "  initial: {mean: 1.0, variance: 0.25}\n  grid: {points: 40, half_width: 2.0}\nsolver: {t_final: 1.0}\n"
    )
    with pytest.raises(ConfigError, match=r"f\.yaml:7:\d+: problem\.grid\.half_width"):
        load_study(file)


def test_exact_moments_against_an_integrated_equation():
    a = np.array([[1.0, 0.5, 0.2], [-0.3, 0.4, 0.5], [0.1, -0.3, 1.5]])
    mean, variance, diffusion = np.array([1.0, -0.5, 0.2]), np.array([0.3, 0.1, 0.6]), 0.7

    def slope(_, y):
        m, c = y[:3], y[3:].reshape(3, 3)
        return np.concatenate([-a @ m, (-a @ c - c @ a.T + 2.0 * diffusion * np.eye(3)).reshape(-1)])

    times = np.array([0.0, 0.3, 2.0, 7.0])
    start = np.concatenate([mean, np.diag(variance).reshape(-1)])
    path = solve_ivp(slope, (0.0, 7.0), start, t_eval=times, rtol=1e-11, atol=1e-13).y.T
    found = exact(a, diffusion, mean, variance, times)
    np.testing.assert_allclose(found.means, path[:, :3], atol=1e-9)
    np.testing.assert_allclose(found.covariances, path[:, 3:].reshape(-1, 3, 3), atol=1e-9)


def test_exact_values_of_the_ornstein_uhlenbeck_process():
    """Independently computed: d = 4, t = 1 (matrix exponential and Lyapunov equation)."""
    found = make_study(changed(problem__dimension=4)).problem.exact([1.0])
    np.testing.assert_allclose(
        found.means[0], [0.20284609103339563, 0.2932135981078303, 0.2576786578661583, 0.463478406070507], atol=1e-12
    )
    assert abs(found.covariances[0, 0, 0] - 0.47763417754915105) < 1e-12
    assert abs(found.covariances[0, 0, 3] - -9.903247516925985e-05) < 1e-12
    assert abs(found.at_origin()[0] - 0.0713956587969388) < 1e-12


def test_long_times_do_not_overflow():
    f, g = propagator(np.array([[1.0, 5.0], [0.0, 2.0]]), 0.5, 1e4)
    assert np.abs(f).max() < 1e-300 and np.isfinite(g).all()
    assert abs(g[1, 1] - 0.25) < 1e-12  # D / a of the coordinate that feels no other


def test_the_box_is_measured_by_the_exact_density():
    known = make_study(GOOD).problem.exact([0.0])
    x = np.linspace(-8.0, 8.0, 4001)
    marginal = known.marginal(0, 1, x)
    assert abs(np.trapezoid(marginal, x) - 1.0) < 1e-9
    assert known.density(0, np.ones((1, 3)))[0] == pytest.approx((2.0 * np.pi * 0.25) ** -1.5)
