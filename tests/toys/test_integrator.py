"""An integrator of one file takes part in everything that ``evolve`` does; the orders of all of them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm
from toys.integrator import RungeKutta

from solvers import methods
from solvers.checkpoint import STOP, Stopped
from solvers.dynamics import full_vectors
from solvers.dynamics.evolve import evolve
from solvers.dynamics.stepper import Stepper, make_stepper
from solvers.formats.trains.construct import random_train, rank_one
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot
from solvers.method_base import Integrator
from solvers.methods import BUG, TDVP, Implicit
from solvers.solution import Status

TIMES = [0.0, 0.4, 1.0]


@pytest.fixture
def by_the_method(monkeypatch):
    """Small states too, which would otherwise be evolved as full vectors."""
    monkeypatch.setattr(full_vectors, "LARGEST", 0)


def oscillators(d=4, n=3):
    """Coupled oscillators and a product state."""
    q = np.diag(np.sqrt(np.arange(1, n) / 2.0), 1)
    terms = [(0.5 + 0.1 * k, {k: 1}) for k in range(d)] + [(0.4, {k: 2, k + 1: 2}) for k in range(d - 1)]
    operator = sum_of_products([np.stack([np.eye(n), np.diag(np.arange(n) + 0.5), q + q.T])] * d, terms)
    return operator, rank_one([np.array([1.0, 0.5, 0.2])] * d)


def motion(method, **options):
    operator, start = oscillators()
    return evolve(operator, start, TIMES, **{"method": method, "accuracy": 1e-5, "throw": False, **options})


def off(solution, factor=-1j):
    """The error of the last state, relative, against the exponential of the matrix."""
    operator, start = oscillators()
    exact = expm(factor * TIMES[-1] * operator.full()) @ start.full().reshape(-1)
    return np.linalg.norm(solution.value.state.full().reshape(-1) - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("factor", [-1j, -1.0, -0.6 - 0.8j])
def test_adaptive_steps_meet_the_accuracy_within_their_bound(factor, by_the_method):
    solution = motion(RungeKutta(), factor=factor)
    assert solution.status is Status.CONVERGED and solution.extra["route"] == "method"
    assert off(solution, factor) <= solution.residual[0] <= 1e-5
    assert solution.counts["products"] == 5 * (solution.counts["steps"] + solution.counts["rejected"]) > 0
    assert [state.extra["time"] for state in solution.history] == TIMES
    assert all(look.passed for look in solution.checked)


def test_a_stricter_accuracy_takes_more_steps(by_the_method):
    loose, strict = motion(RungeKutta(), accuracy=1e-3), motion(RungeKutta(), accuracy=1e-7)
    assert strict.counts["steps"] > 2 * loose.counts["steps"] and off(strict) <= 1e-7 <= off(loose) <= 1e-3


def test_small_states_are_evolved_as_full_vectors():
    solution = motion(RungeKutta())
    assert solution.extra["route"] == "full vectors" and off(solution) <= 1e-5
    assert motion(RungeKutta(time_step=0.1)).extra["route"] == "method"


@pytest.mark.parametrize(
    ("options", "status"), [({"max_rank": 2}, Status.RANK_LIMIT), ({"time_step": 0.2}, Status.STEP_LIMIT)]
)
def test_what_prevents_it_is_said(options, status, by_the_method):
    solution = motion(RungeKutta(**options))
    assert solution.status is status and 1e-5 < off(solution) <= solution.residual[0]


@pytest.mark.parametrize("options", [{"max_rank": 0}, {"max_rank": 2.5}, {"time_step": -1.0}, {"tol": 2.0}])
def test_impossible_options_are_refused_when_it_is_made(options):
    with pytest.raises(ValueError, match=rf"RungeKutta: {next(iter(options))} .* give"):
        RungeKutta(**options)


def test_what_is_to_be_kept_is_kept(by_the_method):
    """A functional that the matrix does not keep: to rounding errors all the same."""
    _, start = oscillators()
    kept = random_train(start.shape, 1, np.random.default_rng(0))
    solution = motion(RungeKutta(), factor=-1.0, conserve=[kept])
    assert abs(dot(kept, solution.value.state) - dot(kept, start)) <= 1e-12 and np.isfinite(solution.residual[0])
    assert abs(dot(kept, motion(RungeKutta(), factor=-1.0).value.state) - dot(kept, start)) > 1e-3


@pytest.mark.parametrize("method", [RungeKutta(), RungeKutta(time_step=0.1)])
def test_it_is_stopped_after_every_step_and_goes_on(method, tmp_path, by_the_method):
    whole, told = motion(method), []
    (tmp_path / STOP).touch()
    for _ in range(whole.counts["steps"] + 1):
        with pytest.raises(Stopped):
            motion(method, checkpoint=tmp_path / "x.npz", callback=told.append)
    (tmp_path / STOP).unlink()
    again = motion(method, checkpoint=tmp_path / "x.npz", callback=told.append)
    assert again.counts == whole.counts and again.status is whole.status
    assert (again.value.state - whole.value.state).norm() <= 1e-12
    assert [state.step for state in told] == [1, 2, 3] == [state.step for state in again.history]


# of every integrator: its variants, their orders, and the steps that they show them in
ORDERS = {
    TDVP: [(TDVP(order=order, max_rank=2), order, (4, 8, 16)) for order in (1, 2, 4)],
    BUG: [(BUG(tol=1e-11), 2, (4, 8, 16))],  # at least; three was measured here
    Implicit: [(Implicit(degree=2, tol=1e-10, time_step=1.0), 3, (8, 16, 32))],
    RungeKutta: [(RungeKutta(), 4, (8, 16, 32))],
}


def test_no_integrator_is_left_out():
    known = {kind for kind in vars(methods).values() if isinstance(kind, type) and issubclass(kind, Integrator)}
    assert set(ORDERS) == {*known - {Integrator}, RungeKutta}
    for (method, *_), *_ in ORDERS.values():
        assert isinstance(make_stepper(*oscillators(), method, -1j, 1e-6, True), Stepper)


@pytest.mark.parametrize(
    ("method", "order", "counts"),
    [case for cases in ORDERS.values() for case in cases],
    ids=lambda part: type(part).__name__ if isinstance(part, Integrator) else str(part),
)
def test_the_order_is_the_slope_of_the_error(method, order, counts):
    """A line through the errors at three step lengths, against the exponential of the matrix.

    The splitting of TDVP is exact at full rank; below, its limit is that of many steps.
    """
    operator, start = oscillators()
    begun = make_stepper(operator, start, TDVP(max_rank=2), -1j, 1e-12, True)
    begun.grow(0.0)
    for _ in range(10):
        begun.advance(0.1)

    def after(count):
        stepper = make_stepper(operator, begun.train(), method, -1j, 1e-13, True)
        for _ in range(count):
            stepper.advance(1.0 / count)
        return stepper.train().full().reshape(-1)

    matrix, first = operator.full(), begun.train().full().reshape(-1)
    right = after(160 if order == 1 else 64) if isinstance(method, TDVP) else expm(-1j * matrix) @ first
    errors = [np.linalg.norm(after(count) - right) for count in counts]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert order - 0.2 < slope < order + (1.2 if isinstance(method, BUG) else 0.2), (errors, slope)


def test_the_options_need_no_numerics():
    """So that a configuration is validated at once: nothing of the solvers but these two modules."""
    text = (
        "import sys, solvers.methods; print(*(m for m in sys.modules if m.startswith(('solvers', 'numpy', 'numba'))))"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=root).stdout
    assert set(said.split()) == {"solvers", "solvers.methods", "solvers.method_base"}
