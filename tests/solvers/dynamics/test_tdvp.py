"""TDVP against dense evolution; orders of convergence; conservation; what a bound promises."""

from functools import cache

import numpy as np
import pytest
from dynamics_cases import exact, gaussian, ising, long_range, oscillators, overlap, product, xxz

from solvers.dynamics.evolve import evolve
from solvers.dynamics.tdvp import TDVPStepper
from solvers.formats.trains.construct import random_train
from solvers.methods import TDVP
from solvers.solution import Status

CASES = {
    "oscillators": (lambda: (oscillators(3, 6), gaussian(3, 6, 1.0)), 1.5),
    "ising": (lambda: (ising(7), product([0] * 7)), 2.0),
    "xxz": (lambda: (xxz(7), product([0, 1] * 3 + [0])), 2.0),
    "long range": (
        lambda: (long_range(4, 3, np.random.default_rng(0)), random_train((3,) * 4, 1, np.random.default_rng(1))),
        0.3,
    ),
}


@pytest.mark.parametrize("sites", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_against_dense(case, sites):
    build, t = CASES[case]
    operator, start = build()
    start = start / start.norm()
    solution = evolve(operator, start, [0.0, t], method=TDVP(sites=sites, max_rank=64), accuracy=1e-6)
    found, true = solution.value.state.full().ravel(), exact(operator, start, t)
    assert np.linalg.norm(found - true) <= min(1e-6, solution.value.errors[-1] + 1e-12)
    assert solution.status is Status.CONVERGED and solution.counts["steps"] == len(solution.value.step_sizes)


def test_full_rank_is_exact_at_any_step():
    operator, start = ising(8), product([0] * 8)
    times = np.linspace(0.0, 4.0, 5)
    solution = evolve(
        operator,
        start,
        times,
        method=TDVP(time_step=0.25, max_rank=16),
        accuracy=1e-9,
        observe=overlap(start),
        throw=False,
    )
    true = [np.vdot(start.full().ravel(), exact(operator, start, t)) for t in times]
    assert np.abs(solution.value.observed["a"] - true).max() <= 1e-7  # the first steps are not of full rank yet


def moved(begun, order, count):
    """The state of rank 10 after ``count`` equal steps."""
    method = TDVP(order=order, time_step=1.0, max_rank=10)
    stepper = TDVPStepper(oscillators(4, 8), begun, method, -1j, 1e-12, hermitian=True)
    for _ in range(count):
        stepper.advance(2.0 / count)
    return stepper.train()


@cache
def begun_and_fine():
    """A state that needs more than rank 10, and where it moves by steps much finer than those of the test."""
    method = TDVP(time_step=0.05, max_rank=10)
    start, times = gaussian(4, 8, 1.0), [0.0, 3.0]
    begun = evolve(oscillators(4, 8), start, times, method=method, accuracy=1e-7, throw=False).value.state
    return begun, moved(begun, 4, 40)


@pytest.mark.parametrize("order, steps, slack", [(1, (20, 40), 0.15), (2, (20, 40), 0.1), (4, (8, 16), 0.4)])
def test_order_below_full_rank(order, steps, slack):
    begun, fine = begun_and_fine()
    errors = [(moved(begun, order, count) - fine).norm() for count in steps]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=slack)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_norm_and_energy_are_conserved_below_full_rank(order):
    operator, start = xxz(10, 1.0, 0.7), product([0, 1] * 5)
    method = TDVP(order=order, time_step=0.1, max_rank=6)
    solution = evolve(operator, start, np.linspace(0.0, 2.0, 5), method=method, accuracy=1e-3, throw=False)
    assert solution.status is Status.RANK_LIMIT and solution.value.ranks.max() == 6
    assert np.ptp(solution.value.energies) <= 1e-11 and np.ptp(solution.value.norms) <= 1e-11


@pytest.mark.parametrize("sites", [1, 2])
@pytest.mark.parametrize("case", ["ising", "oscillators"])
def test_the_bound_holds(case, sites):
    operator, start = (ising(9), product([0] * 9)) if case == "ising" else (oscillators(3, 8), gaussian(3, 8, 1.5))
    times = np.linspace(0.0, 3.0, 7)
    method = TDVP(sites=sites, time_step=0.05, max_rank=6)
    found = []
    solution = evolve(
        operator,
        start,
        times,
        method=method,
        accuracy=1e-4,
        throw=False,
        observe=lambda t, x: found.append(x.full().ravel()) or {},
    )
    for t, x, bound in zip(times, found, solution.value.errors):
        true = np.linalg.norm(x - exact(operator, start, t))
        assert true <= bound + 1e-12
    assert bound <= 100 * true  # and it is no guess


def test_imaginary_time_finds_the_ground_state():
    operator, start = ising(8, 1.0, 1.2), product([0, 0, 1, 0, 0, 0, 1, 0])
    solution = evolve(
        operator, start, [0.0, 12.0], factor=-1.0, method=TDVP(time_step=0.1, max_rank=10), accuracy=1e-4, throw=False
    )
    lowest = np.linalg.eigvalsh(operator.full())[0]
    assert solution.value.state.dtype == np.float64
    assert solution.value.energies[-1] == pytest.approx(lowest, abs=1e-6)
    true = exact(operator, start, 1.0, -1.0)
    state = evolve(operator, start, [0.0, 1.0], factor=-1.0, method=TDVP(max_rank=16), accuracy=1e-6).value.state
    assert np.linalg.norm(state.full().ravel() - true) <= 1e-6 * np.linalg.norm(true)


def test_loss():
    operator, start = oscillators(3, 6), gaussian(3, 6, 1.0)
    loss = oscillators(3, 6) * -0.02j
    lossy = operator + loss
    with pytest.raises(ValueError, match="dissipative"):
        evolve(lossy, start, [0.0, 1.0])
    solution = evolve(lossy, start, [0.0, 1.0], dissipative=True, accuracy=1e-5)
    true = exact(lossy, start, 1.0)
    assert np.linalg.norm(solution.value.state.full().ravel() - true) <= 1e-5
    assert solution.value.norms[-1] == pytest.approx(np.linalg.norm(true), abs=1e-5) and solution.value.norms[-1] < 0.95


def test_one_and_two_modes():
    for d in (1, 2):
        operator, start = oscillators(d, 7), gaussian(d, 7, 1.0)
        for sites in (1, 2):
            for order in (1, 2, 4):
                state = evolve(
                    operator, start, [0.0, 0.5], method=TDVP(sites=sites, order=order), accuracy=1e-7, throw=False
                ).value.state
                assert np.linalg.norm(state.full().ravel() - exact(operator, start, 0.5)) <= 1e-7
