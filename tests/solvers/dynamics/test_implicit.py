"""Implicit blocks against dense exponentials: stiff, not symmetric, real and complex; orders, estimates, invariants."""

import numpy as np
import pytest
from scipy.linalg import expm

from solvers.dynamics.implicit import ImplicitStepper, _time_matrices, space_time
from solvers.formats.trains.construct import ones, rank_one
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot
from solvers.methods import Implicit


def markov(d=3, n=6, stiff=40.0):
    """A stiff Markov generator that is not symmetric, columns summing to zero, and a product start."""
    hop = np.diag(np.full(n - 1, 1.0), 1) + 0.3 * np.diag(np.full(n - 1, 1.0), -1)
    slow = hop - np.diag(hop.sum(axis=0))
    ring = np.roll(np.eye(n), 1, axis=0) + np.roll(np.eye(n), -1, axis=0)
    fast = stiff * (ring - 2.0 * np.eye(n))
    stack = np.stack([np.eye(n), slow, fast, np.diag(np.linspace(0.0, 1.0, n))])
    terms = [(1.0, {0: 1}), (1.0, {d - 1: 2})] + [(0.7, {k: 1, k + 1: 3}) for k in range(d - 1)]
    operator = sum_of_products([stack] * d, terms)
    start = rank_one([np.linspace(2.0, 1.0, n) / np.linspace(2.0, 1.0, n).sum()] * d)
    return operator, start


def relative(x, exact):
    return np.linalg.norm(x.full().reshape(-1) - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("factor", [1.0, -1j, 0.6 - 0.8j], ids=["generator", "imaginary", "complex"])
def test_a_stiff_system_against_the_dense_exponential(factor):
    operator, start = markov(stiff=40.0 if factor == 1.0 else 3.0)
    stepper = ImplicitStepper(operator, start, Implicit(), factor, 1e-8, hermitian=False)
    stepper.advance(0.5)
    stepper.advance(0.25)
    x = stepper.train()
    exact = expm(0.75 * factor * operator.full()) @ start.full().reshape(-1)
    error = relative(x, exact)
    bound = (stepper.residual + stepper.truncation + stepper.step_error) / x.norm()
    assert error <= bound <= 12.0 * 0.75 * 1e-8 * 4.0, (error, bound)
    assert x.dtype == (np.float64 if factor == 1.0 else np.complex128)


@pytest.mark.parametrize("degree", [2, 3])
def test_end_values_are_of_order_two_degree_minus_one(degree):
    operator, start = markov(d=2, n=4, stiff=1.0)
    exact = expm(operator.full()) @ start.full().reshape(-1)
    errors = []
    for count in (2, 4):
        method = Implicit(time_step=1.0 / count, degree=degree, tol=1e-12)
        stepper = ImplicitStepper(operator, start, method, 1.0, 1e-12, hermitian=False)
        for _ in range(count):
            stepper.advance(1.0 / count)
        errors.append(relative(stepper.train(), exact))
    order = np.log2(errors[0] / errors[1])
    assert abs(order - (2 * degree - 1)) < 0.5, (errors, order)


def test_the_error_falls_with_the_degree_and_its_estimate_follows():
    operator, start = markov(d=2, n=4, stiff=5.0)
    exact = expm(operator.full()) @ start.full().reshape(-1)
    before = 1.0
    for degree in (3, 5, 7):
        method = Implicit(time_step=1.0, degree=degree, tol=1e-12)
        stepper = ImplicitStepper(operator, start, method, 1.0, 1e-12, hermitian=False)
        stepper.advance(1.0)
        error = relative(stepper.train(), exact)
        estimate = stepper.step_error / stepper.train().norm()
        assert error < 0.2 * before and 0.2 * error < estimate < 300.0 * error, (degree, error, estimate)
        before = error


def test_blocks_divide_a_step_where_their_error_asks_for_it():
    operator, start = markov(stiff=10.0)
    exact = expm(4.0 * operator.full()) @ start.full().reshape(-1)
    stepper = ImplicitStepper(operator, start, Implicit(degree=4), 1.0, 1e-6, hermitian=False)
    stepper.advance(4.0)
    assert stepper.work["blocks"] > 2
    assert relative(stepper.train(), exact) < 1e-5


def test_mass_is_kept_and_a_loose_tolerance_does_not_matter():
    operator, start = markov()
    total = ones(start.shape)
    stepper = ImplicitStepper(operator, start, Implicit(), 1.0, 1e-3, hermitian=False, conserve=[total])
    for _ in range(4):
        stepper.advance(0.25)
    assert abs(dot(total, stepper.train()) - 1.0) < 1e-13
    free = ImplicitStepper(operator, start, Implicit(), 1.0, 1e-3, hermitian=False)
    for _ in range(4):
        free.advance(0.25)
    assert abs(dot(total, free.train()) - 1.0) > 1e-9  # without, truncation loses some


def test_the_block_operator_and_its_polynomials():
    operator, _ = markov(d=2, n=3)
    matrix, first, last = _time_matrices(4)
    block = space_time(operator, 0.3, matrix).full()
    np.testing.assert_allclose(
        block, np.kron(np.eye(9), matrix) - 0.3 * np.kron(operator.full(), np.eye(4)), atol=1e-12
    )
    # the Hermitian part is that of the two end values, so the scheme is stable for any dissipative operator
    np.testing.assert_allclose(matrix + matrix.T, np.outer(first, first) + np.outer(last, last), atol=1e-12)
    # exp(-s) of a scalar: order 7 at the end point
    end = last @ np.linalg.solve(matrix + 0.1 * np.eye(4), first)
    assert abs(end - np.exp(-0.1)) < 1e-13


def test_a_snapshot_is_a_state_to_come_back_to():
    operator, start = markov(d=2)
    stepper = ImplicitStepper(operator, start, Implicit(time_step=0.1), 1.0, 1e-6, hermitian=False)
    stepper.advance(0.1)
    saved, before = stepper.snapshot(), stepper.train().full()
    stepper.advance(0.1)
    first, residual = stepper.train().full(), stepper.residual
    stepper.restore(saved)
    np.testing.assert_array_equal(stepper.train().full(), before)
    stepper.advance(0.1)
    np.testing.assert_array_equal(stepper.train().full(), first)
    assert stepper.residual == residual


def test_a_rank_cap_is_told_by_the_residual():
    operator, start = markov()
    stepper = ImplicitStepper(operator, start, Implicit(max_rank=1), 1.0, 1e-8, hermitian=False)
    stepper.advance(0.5)
    assert stepper.train().max_rank == 1
    assert stepper.residual + stepper.truncation > 1e-4 * stepper.train().norm()
