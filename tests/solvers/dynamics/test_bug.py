"""BUG against dense exponentials: order two, ranks that rise and fall, no norm gained, invariants kept."""

import numpy as np
import pytest
from scipy.linalg import expm

from solvers.dynamics.bug import BUGStepper
from solvers.dynamics.evolve import evolve
from solvers.formats.trains.construct import ones, random_train, rank_one
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot
from solvers.methods import BUG


def chain(d=4, coupling=0.4):
    """A Hermitian sum of products on d modes of size 4, a product state, and the dense matrix."""
    n = 4
    number = np.diag(np.arange(n) + 0.5)
    q = np.diag(np.sqrt(np.arange(1, n) / 2.0), 1)
    q = q + q.T
    terms = [(1.0 + 0.1 * k, {k: 1}) for k in range(d)] + [(coupling, {k: 2, k + 1: 2}) for k in range(d - 1)]
    operator = sum_of_products([np.stack([np.eye(n), number, q])] * d, terms)
    return operator, rank_one([np.array([1.0, 0.5, 0.2, 0.1])] * d), operator.full()


def steps(operator, start, factor, t, count, tol=1e-10, **options):
    stepper = BUGStepper(operator, start, BUG(tol=tol), factor, 1e-11, hermitian=True, **options)
    for _ in range(count):
        stepper.advance(t / count)
    return stepper


@pytest.mark.parametrize("factor", [-1.0, -1j, -0.6 - 0.8j], ids=["dissipative", "unitary", "between"])
def test_error_of_order_two(factor):
    operator, start, matrix = chain()
    t = 0.5
    exact = expm(factor * t * matrix) @ start.full().reshape(-1)
    errors = []
    for count in (8, 16, 32):
        x = steps(operator, start, factor, t, count).train().full().reshape(-1)
        errors.append(np.linalg.norm(x - exact) / np.linalg.norm(exact))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-4 and np.all(orders > 1.85), (errors, orders)


def test_one_mode_is_one_exponential():
    matrix = np.diag([0.5, 1.5, 2.5]) + 0.3 * (np.eye(3, k=1) + np.eye(3, k=-1))
    operator = sum_of_products([np.stack([np.eye(3), matrix])], [(1.0, {0: 1})])
    start = rank_one([np.array([1.0, 0.5, 0.2])])
    x = steps(operator, start, -1j, 1.0, 1).train().full()
    np.testing.assert_allclose(x, expm(-1j * matrix) @ start.full(), atol=1e-10)


def test_ranks_rise():
    operator, start, _ = chain(coupling=0.4)
    loose, tight = (steps(operator, start, -1.0, 0.6, 12, tol=tol).train().max_rank for tol in (1e-4, 1e-8))
    assert 1 < loose < tight


def test_ranks_fall():
    operator, start, _ = chain(coupling=0.0)  # everything decays to a product state
    start = random_train(start.shape, 4, np.random.default_rng(0))
    stepper = steps(operator, start, -1.0, 0.1, 1, tol=1e-4)
    before = stepper.train().max_rank
    for _ in range(60):
        stepper.advance(0.2)
    assert before == 4 and stepper.train().max_rank == 1


def test_the_cap_holds_and_its_cost_is_told():
    operator, start, _ = chain()
    stepper = BUGStepper(operator, start, BUG(max_rank=2), -1j, 1e-10, hermitian=True)
    for _ in range(10):
        stepper.advance(0.05)
    x = stepper.train()
    assert x.max_rank == 2 and stepper.truncation > 1e-4 * x.norm()
    assert x.norm() <= start.norm() * (1.0 + 1e-9)


def test_the_norm_is_lost_only_by_truncation():
    operator, start, _ = chain()
    stepper = steps(operator, start, -1j, 1.0, 10, tol=1e-12)
    assert abs(stepper.train().norm() / start.norm() - 1.0) < 1e-9


def test_a_snapshot_is_a_state_to_come_back_to():
    operator, start, _ = chain()
    stepper = steps(operator, start, -1.0, 0.2, 2)
    saved, before = stepper.snapshot(), stepper.train().full()
    stepper.advance(0.1)
    first = stepper.train().full()
    stepper.restore(saved)
    np.testing.assert_array_equal(stepper.train().full(), before)
    stepper.advance(0.1)
    np.testing.assert_array_equal(stepper.train().full(), first)


def test_invariants_are_kept():
    rng = np.random.default_rng(3)
    rates = [rng.random((4, 4)) for _ in range(2)]
    rates = [m - np.diag(m.sum(axis=0)) for m in rates]  # columns sum to zero: a Markov process
    stack = np.stack([np.eye(4), *rates, np.diag(np.arange(4.0))])
    operator = sum_of_products([stack] * 3, [(1.0, {0: 1}), (1.0, {1: 1}), (1.0, {2: 2}), (0.5, {0: 2, 1: 3})])
    start = rank_one([np.array([0.4, 0.3, 0.2, 0.1])] * 3)
    total = ones(start.shape)
    stepper = BUGStepper(operator, start, BUG(tol=1e-3), 1.0, 1e-6, hermitian=False, conserve=[total])
    for _ in range(5):
        stepper.advance(0.1)
    assert abs(dot(total, stepper.train()) - 1.0) < 1e-13


def test_evolve_takes_it():
    operator, start, matrix = chain(d=3)
    solution = evolve(operator, start, [0.0, 0.4], method=BUG(), factor=-1.0, accuracy=1e-2, throw=False)
    exact = expm(-0.4 * matrix) @ start.full().reshape(-1)
    error = np.linalg.norm(solution.value.state.full().reshape(-1) - exact) / np.linalg.norm(exact)
    assert solution.converged and error <= 1e-2


def test_at_full_ranks_a_step_is_exact():
    operator, start, matrix = chain()
    start = random_train(start.shape, 16, np.random.default_rng(5), complex)
    exact = expm(-2j * matrix) @ start.full().reshape(-1)
    stepper = steps(operator, start, -1j, 2.0, 1, tol=1e-12)
    assert np.linalg.norm(stepper.train().full().reshape(-1) - exact) < 1e-8 * np.linalg.norm(exact)
    assert stepper.step_error < 1e-8 * np.linalg.norm(exact)


@pytest.mark.parametrize("factor", [-1.0, -1j])
def test_the_estimate_of_a_step_is_no_smaller_than_its_error(factor):
    operator, start, matrix = chain()
    exact = expm(0.5 * factor * matrix) @ start.full().reshape(-1)
    for count in (4, 16):
        stepper = steps(operator, start, factor, 0.5, count)
        error = np.linalg.norm(stepper.train().full().reshape(-1) - exact)
        assert error < stepper.step_error < 200.0 * error
