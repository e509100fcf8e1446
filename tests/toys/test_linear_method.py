"""A linear method of one file takes part in everything that ``solve`` does."""

import numpy as np
import pytest
from toys.linear_method import GMRES

from solvers import checkpoint
from solvers import methods as every_method
from solvers.checkpoint import STOP, Stopped
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.linear import task as module
from solvers.linear.iterate import Iterate
from solvers.linear.solve import solve
from solvers.linear.sweeps import Sweeping
from solvers.linear.system import System
from solvers.method_base import LinearMethod
from solvers.solution import Status


@pytest.fixture
def by_the_method(monkeypatch):
    """Small systems too, which would otherwise be solved as full vectors; every sweep is written."""
    monkeypatch.setattr(module, "DIRECT_FIRST", 0)
    monkeypatch.setattr(module, "DIRECT_LAST", 0)
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)


def drift(d=4, n=4):
    """A convection and diffusion that is not symmetric, products of neighbours beside; a random right-hand side."""
    second, first = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1), np.eye(n, k=1) - np.eye(n, k=-1)
    terms = [(1.0, {k: 1}) for k in range(d)] + [(0.3, {k: 2, k + 1: 2}) for k in range(d - 1)] + [(2.0, {})]
    operator = sum_of_products([np.array([np.eye(n), second, first])] * d, terms)
    return operator, random_train((n,) * d, 2, np.random.default_rng(1))


def solved(method, **options):
    return solve(*drift(), **{"method": method, "accuracy": 1e-8, "throw": False, **options})


def off(solution):
    """The true relative residual, on full vectors, and the error against the dense solution."""
    a, b = (x.full() for x in drift())
    x, b = solution.value.full().reshape(-1), b.reshape(-1)
    right = np.linalg.solve(a, b)
    return np.linalg.norm(b - a @ x) / np.linalg.norm(b), np.linalg.norm(x - right) / np.linalg.norm(right)


def test_it_solves_to_the_accuracy(by_the_method):
    told = []
    solution = solved(GMRES(), callback=told.append)
    residual, error = off(solution)
    assert solution.status is Status.CONVERGED and solution.extra["route"] == "sweeps"
    assert residual == pytest.approx(solution.residual[0], rel=1e-3) and residual <= 1e-8 and error <= 1e-7
    assert solution.counts["matvecs"] >= solution.counts["sweeps"] == len(solution.history) == len(told) > 2
    assert solution.checked[0].passed


def test_fewer_vectors_need_more_cycles(by_the_method):
    few, many = solved(GMRES(vectors=2)), solved(GMRES(vectors=8))
    assert few.converged and many.converged and few.counts["sweeps"] > 1.5 * many.counts["sweeps"]


def test_a_start_is_gone_on_from(by_the_method):
    rough = solved(GMRES(), accuracy=1e-5)
    assert solved(GMRES(), start=rough.value).counts["sweeps"] < solved(GMRES()).counts["sweeps"]


def test_small_systems_are_solved_as_full_vectors():
    solution = solved(GMRES())
    assert solution.extra["route"] == "full vectors" and off(solution)[0] <= 1e-8


@pytest.mark.parametrize(
    ("options", "status"), [({"sweeps": 2}, Status.ITERATION_LIMIT), ({"max_rank": 3}, Status.RANK_LIMIT)]
)
def test_what_prevents_it_is_said(options, status, by_the_method):
    solution = solved(GMRES(**options))
    residual = off(solution)[0]
    assert solution.status is status and solution.residual[0] == pytest.approx(residual, rel=1e-2) and residual > 1e-8


@pytest.mark.parametrize("options", [{"max_rank": 0}, {"sweeps": 1.5}, {"vectors": 0}])
def test_impossible_options_are_refused_when_it_is_made(options):
    with pytest.raises(ValueError, match=rf"GMRES: {next(iter(options))} .* give"):
        GMRES(**options)


def test_it_is_stopped_after_every_cycle_and_goes_on(tmp_path, by_the_method):
    whole, told = solved(GMRES()), []
    (tmp_path / STOP).touch()
    for _ in whole.history:
        with pytest.raises(Stopped):
            solved(GMRES(), checkpoint=tmp_path / "x.npz", callback=told.append)
    (tmp_path / STOP).unlink()
    again = solved(GMRES(), checkpoint=tmp_path / "x.npz", callback=told.append)
    assert again.counts == whole.counts and (again.value - whole.value).norm() <= 1e-10 * whole.value.norm()
    assert [state.step for state in told] == list(range(1, len(whole.history) + 1))


KINDS = [kind for kind in vars(every_method).values() if isinstance(kind, type) and issubclass(kind, LinearMethod)]


@pytest.mark.parametrize("kind", [*(kind for kind in KINDS if kind is not LinearMethod), GMRES])
def test_every_method_comes_through_the_same_door(kind):
    """Its sweeps lower the true residual, and another iterate goes on from what one has written."""
    (a, b), rng = drift(), np.random.default_rng(0)
    system = System.of(a, b / b.norm(), np.dtype(float), False)
    first, second = (Sweeping.of(system, system, kind(), None, 1e-6, rng).iteration for _ in range(2))
    assert isinstance(first, Iterate)
    first.sweep(1e-3)
    second.restore(*first.content())
    pairs = zip(first.train().cores, second.train().cores)
    assert all(np.array_equal(x, y) for x, y in pairs) and second.work == first.work
    second.sweep(1e-8)
    left = [system.residual(one.train(), rng) for one in (first, second)]
    assert left[1] < left[0] < 1.0
