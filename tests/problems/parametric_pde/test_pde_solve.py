"""Whole problems against exact solves on the whole grid: values, estimates, and what is said where it falls short."""

from itertools import pairwise

import numpy as np
import pytest
from pde_cases import loop_moments, study

from problems.errors import ProblemError
from problems.parametric_pde import solve as solving
from problems.parametric_pde.solve import prepare, solve
from problems.parametric_pde.system import Discrete
from solvers import checkpoint
from solvers.solution import Status

FINE = {"affine": [12, 9, 8], "lognormal": [14, 10, 8], "discs": [16, 16]}


def truth(problem, points):
    """Exact moments, the coefficient not separated, by Gauss rules finer than any run here uses."""
    return loop_moments(Discrete.of(problem, 1e-3, np.random.default_rng(0)), points)


@pytest.mark.parametrize("method", ["als_cross", "amen"])
@pytest.mark.parametrize(
    "field, domain, cells",
    [("affine", "interval", 16), ("lognormal", "interval", 16), ("discs", "square", 8), ("affine", "square", 6)],
)
def test_moments_within_their_errors(field, domain, cells, method):
    case = study(field, domain, cells, solver={"method": method, "accuracy": 1e-5})
    result = solve(prepare(case.problem, case.solver), seed=3)
    assert result.status is Status.CONVERGED and not result.warnings
    means, variances = truth(case.problem, FINE[field])
    for q, mean, variance in zip(result.statistics, means, variances):
        # the accuracy asked for, and the estimates: twice, for they are partly sampled
        assert abs(q.moments.mean - mean) <= 1e-5 * abs(mean)
        assert abs(q.moments.variance - variance) <= 1e-4 * variance
        assert abs(q.moments.mean - mean) <= 2 * q.mean_error
        assert abs(q.moments.variance - variance) <= 2 * q.variance_error
        assert q.mean_error <= 1e-5 * abs(mean) and q.variance_error <= 1e-4 * variance
    assert result.held_out_errors.max() <= 1e-3
    assert (result.pde_solves > 0) == (method == "als_cross")


@pytest.mark.parametrize("accuracy", [1e-3, 1e-7])
def test_estimates_follow_the_accuracy(accuracy):
    case = study("affine", cells=12, solver={"accuracy": accuracy})
    result = solve(prepare(case.problem, case.solver))
    means, variances = truth(case.problem, [16, 12, 10])
    assert result.status is Status.CONVERGED
    for q, mean, variance in zip(result.statistics, means, variances):
        assert abs(q.moments.mean - mean) <= min(2 * q.mean_error, accuracy * abs(mean))
        assert abs(q.moments.variance - variance) <= min(2 * q.variance_error, 10 * accuracy * variance)


def test_prescribed_values_and_their_statistics():
    case = study("lognormal", cells=12, boundary={"left": 2.0, "right": "neumann"}, solver={"accuracy": 1e-5})
    result = solve(prepare(case.problem, case.solver))
    means, variances = truth(case.problem, FINE["lognormal"])
    for q, mean, variance in zip(result.statistics[:2], means, variances):
        assert np.isclose(q.moments.mean, mean, rtol=1e-5) and np.isclose(q.moments.variance, variance, rtol=1e-4)
    assert result.mean_field[0] == pytest.approx(2.0, abs=1e-12) and result.deviation_field[0] < 1e-12
    # no flux leaves at the right: the last quantity is zero for all parameters
    assert abs(result.statistics[2].moments.mean) < 1e-10
    # what a linear functional says of the field is what the functional's own mean says
    assert np.isclose(np.trapezoid(result.mean_field, result.nodes[:, 0]), result.statistics[0].moments.mean, rtol=1e-9)


def test_the_field_is_that_of_the_exact_solves():
    case = study("discs", "square", 8, solver={"accuracy": 1e-6})
    result = solve(prepare(case.problem, case.solver))
    discrete = Discrete.of(case.problem, 1e-3, np.random.default_rng(0))
    y = np.random.default_rng(8).uniform(-1, 1, (400, 2))
    u = discrete.elements.all_nodes(discrete.solve(y))
    spread = u.std(axis=0) / 20
    assert np.all(np.abs(u.mean(axis=0) - result.mean_field) <= 5 * spread + 1e-9)
    assert np.allclose(u.std(axis=0), result.deviation_field, rtol=0.25, atol=1e-9)


def test_too_few_points_given_by_the_user():
    case = study("affine", cells=12, points=2, solver={"accuracy": 1e-6})
    result = solve(prepare(case.problem, case.solver))
    assert result.status is Status.BASIS_LIMIT and result.points == [2, 2, 2]
    assert any("end too early" in warning and "automatic" in warning for warning in result.warnings)
    means, _ = truth(case.problem, [12, 9, 8])
    assert any(abs(q.moments.mean - mean) > 1e-6 * abs(mean) for q, mean in zip(result.statistics, means))


def test_too_few_solves_or_ranks():
    for limit, status in (({"max_solves": 3}, Status.BASIS_LIMIT), ({"max_rank": 2}, Status.RANK_LIMIT)):
        case = study("affine", cells=24, solver={"accuracy": 1e-7, **limit})
        result = solve(prepare(case.problem, case.solver))
        assert result.status is status
        assert any("was not reached" in warning for warning in result.warnings)
        assert result.pde_solves <= limit.get("max_solves", 400)
        means, _ = truth(case.problem, [12, 9, 8])
        for q, mean in zip(result.statistics, means):  # the estimates tell how far off it is
            assert abs(q.moments.mean - mean) <= 3 * q.mean_error


def test_a_quantity_that_does_not_vary():
    case = study("affine", cells=12, load=0.0, boundary={"left": 1.0, "right": 1.0})
    result = solve(prepare(case.problem, case.solver))
    total, middle, _ = result.statistics
    assert total.moments.mean == pytest.approx(1.0) and middle.moments.variance < 1e-20
    assert any("does not depend" in warning and "total" in warning for warning in result.warnings)


def test_a_quantity_that_varies_by_truncation_errors_only():
    case = study("lognormal", cells=12, boundary={"left": "neumann", "right": 2.0}, solver={"accuracy": 1e-5})
    result = solve(prepare(case.problem, case.solver))
    total, _, flux = result.statistics  # all of the load leaves at the right, whatever the coefficient
    assert flux.moments.mean == pytest.approx(-1.0, rel=1e-5) and not flux.moments.total.any()
    assert total.moments.total.any()
    assert result.status is Status.CONVERGED
    assert any("does not depend" in warning and "outflow" in warning for warning in result.warnings)


def test_the_same_seed_gives_the_same_numbers():
    case = study("discs", "square", 8, solver={"accuracy": 1e-4})
    runs = [solve(prepare(case.problem, case.solver), seed=7) for _ in range(2)]
    for a, b in zip(runs[0].statistics, runs[1].statistics):
        assert a.moments.mean == b.moments.mean and a.distribution.quantiles == b.distribution.quantiles


def test_overflow_is_one_clear_error(monkeypatch):
    case = study("lognormal", cells=8)
    problem = case.problem.model_copy(update={"field": case.problem.field.model_copy(update={"mean": 1e3})})
    with pytest.raises(ProblemError, match="finite"), np.errstate(over="ignore", invalid="ignore"):
        solve(prepare(problem, case.solver))


@pytest.mark.parametrize("method", ["als_cross", "amen"])
def test_a_run_goes_on_in_any_round_to_the_same_result(method, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)
    monkeypatch.setattr(solving, "TAIL_FACTOR", 1e-2)  # more Gauss points, a round or two later
    case = study("lognormal", cells=12, solver={"method": method, "accuracy": 1e-5})
    prepared = prepare(case.problem, case.solver)
    whole = solve(prepared, seed=2)
    rounds = {"als_cross": "round-*.npz", "amen": "train-2.npz"}[method]
    for after in (3, len(whole.history) - 1):
        folder = tmp_path / f"{after}"
        folder.mkdir()

        def leave(state, after=after):
            if state.step == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            solve(prepared, seed=2, callback=leave, checkpoint=folder)
        told = []
        again = solve(prepared, seed=2, callback=told.append, checkpoint=folder)
        assert list(folder.glob(rounds))
        assert (again.counts, again.points, again.ranks) == (whole.counts, whole.points, whole.ranks)
        told_of = lambda result: [(s.step, s.label, s.max_rank) for s in result.history]  # noqa: E731
        assert told_of(again) == told_of(whole)
        assert all(a.seconds <= b.seconds for a, b in pairwise(again.history))
        assert method == "amen" or [state.step for state in told] == list(range(after + 1, len(whole.history) + 1))
        for one, other in zip(again.quantities, whole.quantities, strict=True):
            assert (one.moments.mean, one.moments.variance) == (other.moments.mean, other.moments.variance)
