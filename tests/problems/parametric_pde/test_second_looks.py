"""Second looks at a parametric PDE: they pass what is right and fail what is not; degenerate inputs."""

from dataclasses import replace

import numpy as np
import pytest
from pde_cases import study

from problems.parametric_pde import analysis
from problems.parametric_pde import solve as module
from problems.parametric_pde.analysis import Analysis
from problems.parametric_pde.figures import figures
from problems.parametric_pde.solve import prepare, solve
from problems.parametric_pde.statistics import Moments
from problems.parametric_pde.surrogate import Surrogate, parameter_samples, sample
from solvers.formats.trains.construct import ones
from solvers.solution import Status


@pytest.mark.parametrize("method", ["als_cross", "amen"])
def test_what_is_right_passes(method):
    case = study("affine", cells=12, solver={"accuracy": 1e-4, "method": method})
    result = solve(prepare(case.problem, case.solver))
    assert result.status is Status.CONVERGED and all(look.passed for look in result.checked)
    assert {"means", "the whole solution"} <= {look.what for look in result.checked}
    if method == "als_cross":
        assert 0.0 < result.unseen_share < 0.05


def test_wrong_moments_are_contradicted(monkeypatch):
    """Means off by thirty times the accuracy, the estimates as small as ever: the other route sees it."""
    right = analysis.moments

    def wrong(train, weights):
        m = right(train, weights)
        return replace(m, mean=m.mean * 1.003)

    monkeypatch.setattr(analysis, "moments", wrong)
    field = {"type": "affine", "scale": 0.5, "parameters": 2}  # few enough for another rule
    case = study(field, cells=12, solver={"accuracy": 1e-4})
    result = solve(prepare(case.problem, case.solver))
    assert result.status is Status.CONTRADICTED
    assert any(not look.passed and look.what == "means and variances" for look in result.checked)


def test_a_wrong_solution_is_contradicted(monkeypatch):
    """A train a hundredth off everywhere, and checks that share its fault: the energy does not."""
    compute = module._Run.compute
    monkeypatch.setattr(module._Run, "compute", lambda self, system: _scaled(compute(self, system), 1.01))
    monkeypatch.setattr(module, "ROUNDS", 1)
    monkeypatch.setattr(module._Run, "verdict", lambda self, status, found: ([], Status.CONVERGED))
    case = study("affine", cells=12, solver={"accuracy": 1e-4})
    result = solve(prepare(case.problem, case.solver))
    assert result.status is Status.CONTRADICTED
    assert any(not look.passed and look.what == "the whole solution" for look in result.checked)


def _scaled(solution, factor):
    return replace(solution, value=solution.value * factor)


def some(mean, variance, error):
    """An analysis of one quantity."""
    m = Moments(mean, variance, np.zeros(1), np.zeros(1))
    return Analysis(
        [], [], [m], np.array([error]), np.array([0.0]), np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1))
    )


def test_a_mean_is_judged_by_its_own_size():
    assert some(0.01, 1.0, 1e-3).mean_error() == pytest.approx(0.1)  # not 1e-3, of the root mean square
    assert some(1e-4, 1.0, 1e-3).mean_error() == pytest.approx(1e-3)  # cannot be told from zero
    assert some(0.0, 0.0, 0.0).mean_error() == 0.0


@pytest.mark.parametrize("value", [0.0, 1.0, -3e8, 1e-30])
@pytest.mark.parametrize("spread", [0.0, 2e-16, 1e-12])
def test_a_constant_has_a_distribution(value, spread):
    points = parameter_samples("uniform", 1, np.random.default_rng(0))[:2, :64]

    class Nearly(Surrogate):
        def rounded(self, tol):
            return self

        def __call__(self, y):
            return value * (1.0 + spread * y[:, 0])

    found = sample(Nearly(ones((2,)), "uniform"), points, None)
    assert np.isfinite(found.heights).all() and found.heights.sum() > 0.0 and (np.diff(found.edges) > 0.0).all()


@pytest.mark.parametrize(
    "change",
    [{"load": 0.0}, {"boundary": {"left": 1.0, "right": 0.0}}, {"load": 0.0, "boundary": {"left": 1.0, "right": 1.0}}],
    ids=["no load", "constant at one end", "constant everywhere"],
)
def test_degenerate_problems_run_to_their_figures(change):
    quantities = [{"name": "left", "type": "point", "at": 0.0}, {"name": "total", "type": "integral"}]
    case = study("affine", cells=8, quantities=quantities, solver={"accuracy": 1e-4}, **change)
    result = solve(prepare(case.problem, case.solver))
    assert result.status is Status.CONVERGED and all(look.passed for look in result.checked)
    if "load" in change:
        wanted = 1.0 if "boundary" in change else 0.0
        assert np.allclose([q.moments.mean for q in result.statistics], wanted, atol=1e-12)
    for picture in figures(case.problem, case.solver, result):
        picture.figure.canvas.draw()
