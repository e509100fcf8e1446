"""Descent on manifolds: a quadratic in flat space, the Rayleigh quotient on a sphere, work counts, and refusals."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.fit_methods import ConjugateGradients
from solvers.optimisation.descent import Evaluation, minimise
from solvers.solution import NotConverged, Status


class Flat:
    """Euclidean space of arrays."""

    def inner(self, x, u, v):
        return float(np.vdot(u, v).real)

    def combine(self, x, terms):
        return sum(factor * u for factor, u in terms)

    def retract(self, x, u, step):
        return x + step * u

    def transport(self, x, y, u):
        return u


class Sphere(Flat):
    def retract(self, x, u, step):
        y = x + step * u
        return y / np.linalg.norm(y)

    def transport(self, x, y, u):
        return u - y * np.vdot(y, u)


@dataclass
class Quadratic:
    """(x, A x)/2 - (b, x), preconditioned by a given matrix."""

    a: np.ndarray
    b: np.ndarray
    inverse: np.ndarray | None = None

    def evaluate(self, x):
        return Evaluation(float(0.5 * x @ self.a @ x - self.b @ x), self.a @ x - self.b)

    def precondition(self, x, evaluation):
        return evaluation.gradient if self.inverse is None else self.inverse @ evaluation.gradient


@dataclass
class Rayleigh:
    """(x, A x) on the unit sphere; B = P inverse P."""

    a: np.ndarray
    inverse: np.ndarray | None = None

    def evaluate(self, x):
        ax = self.a @ x
        value = float(x @ ax)
        return Evaluation(value, 2.0 * (ax - value * x))

    def precondition(self, x, evaluation):
        g = evaluation.gradient
        p = g if self.inverse is None else self.inverse @ g
        return p - x * (x @ p)


def spd(n, condition, rng):
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (q * np.geomspace(1.0, condition, n)) @ q.T


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12))
def test_quadratic(seed, n):
    rng = np.random.default_rng(seed)
    a, b = spd(n, 30.0, rng), rng.standard_normal(n)
    solution = minimise(Quadratic(a, b), Flat(), np.zeros(n), accuracy=1e-16 * (b @ b), throw=False)
    # the decrease expected may sink below what values in double precision can show
    assert solution.status in (Status.CONVERGED, Status.STAGNATED)
    assert np.linalg.norm(a @ solution.value - b) <= 1e-6 * np.linalg.norm(b)


def test_quadratic_takes_the_steps_of_linear_conjugate_gradients():
    rng = np.random.default_rng(4)
    q = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    a, b = (q * np.repeat([1.0, 3.0, 7.0, 20.0], 10)) @ q.T, rng.standard_normal(40)
    # a strict line search finds the exact minimiser on every line: four distinct eigenvalues, four steps
    method = ConjugateGradients(slope=1e-8)
    solution = minimise(Quadratic(a, b), Flat(), np.zeros(40), method=method, accuracy=1e-12)
    assert solution.counts["steps"] == 4 and solution.counts["restarts"] == 0
    assert solution.counts["evaluations"] <= 1 + 2 * 4
    np.testing.assert_allclose(solution.value, np.linalg.solve(a, b), atol=1e-6)


def test_inverse_as_preconditioner_takes_one_step_of_one_evaluation():
    rng = np.random.default_rng(5)
    a, b = spd(30, 1e4, rng), rng.standard_normal(30)
    solution = minimise(Quadratic(a, b, np.linalg.inv(a)), Flat(), np.zeros(30), accuracy=1e-9)
    assert solution.counts == {"steps": 1, "evaluations": 2, "restarts": 0}
    exact = np.linalg.solve(a, b)
    assert solution.residual[0] <= 1e-9
    assert solution.extra["value"] == pytest.approx(-0.5 * b @ exact, rel=1e-10)


def test_accuracy_is_the_error_of_the_value_with_the_inverse_hessian():
    """With B close to the inverse Hessian the expected decrease is the error of the value."""
    rng = np.random.default_rng(6)
    a, b = spd(30, 1e3, rng), rng.standard_normal(30)
    root = np.linalg.cholesky(np.linalg.inv(a))
    rough = root @ spd(30, 3.0, rng) @ root.T / np.sqrt(3.0)  # within a factor sqrt(3) of the inverse
    seen = []
    minimise(Quadratic(a, b, rough), Flat(), np.zeros(30), accuracy=1e-8, callback=seen.append)
    exact = -0.5 * b @ np.linalg.solve(a, b)
    errors = np.array([state.energies[0] - exact for state in seen])
    expected = np.array([state.residuals[0] for state in seen])
    assert np.all(np.diff(errors) < 0.0) and len(seen) <= 12
    assert np.all(errors[:-1] <= 3.0 * expected[:-1]) and np.all(errors[:-1] >= expected[:-1] / 3.0)


def chain(n):
    """-u'' on a line with a well: a wide spectrum."""
    x = np.linspace(-1.0, 1.0, n)
    return (2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) * n**2 / 4.0 + np.diag(40.0 * x**2)


@pytest.mark.parametrize("preconditioned, conjugate, most", [(True, True, 16), (True, False, 25), (False, True, 220)])
def test_rayleigh_quotient_on_the_sphere(preconditioned, conjugate, most):
    a = chain(60)
    exact, vectors = np.linalg.eigh(a)
    inverse = np.linalg.inv(a + 5.0 * np.eye(60)) / 2.0 if preconditioned else None
    start = np.random.default_rng(1).standard_normal(60)
    method = ConjugateGradients(conjugate=conjugate)
    solution = minimise(
        Rayleigh(a, inverse), Sphere(), start / np.linalg.norm(start), method=method, accuracy=1e-9, throw=False
    )
    assert solution.status is Status.CONVERGED
    assert solution.extra["value"] == pytest.approx(exact[0], abs=1e-7)
    assert abs(solution.value @ vectors[:, 0]) == pytest.approx(1.0, abs=1e-8)
    assert solution.counts["evaluations"] <= most


def test_conjugate_directions_beat_steepest_descent():
    a, b = spd(50, 300.0, np.random.default_rng(8)), np.ones(50)
    used = {}
    for conjugate in (True, False):
        method = ConjugateGradients(conjugate=conjugate, steps=2000)
        used[conjugate] = minimise(Quadratic(a, b), Flat(), np.zeros(50), method=method, accuracy=1e-8).counts["steps"]
    assert 3 * used[True] <= used[False]


def test_a_proposed_step_is_tried_first():
    @dataclass
    class Exact(Quadratic):
        def first_step(self, x, evaluation, direction):
            return float(-evaluation.gradient @ direction / (direction @ self.a @ direction))

    a, b = spd(20, 50.0, np.random.default_rng(9)), np.ones(20)
    solution = minimise(Exact(a, b), Flat(), np.zeros(20), accuracy=1e-10)
    assert solution.counts["evaluations"] == solution.counts["steps"] + 1


class Banana:
    """Rosenbrock's valley, infinite outside a disc."""

    def evaluate(self, x):
        value = (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2
        gradient = [-2.0 * (1.0 - x[0]) - 400.0 * x[0] * (x[1] - x[0] ** 2), 200.0 * (x[1] - x[0] ** 2)]
        return Evaluation(value if x @ x < 9.0 else math.inf, np.array(gradient))

    def precondition(self, x, evaluation):
        return evaluation.gradient


def test_a_curved_valley_and_steps_out_of_the_domain():
    method = ConjugateGradients(first_step=1e3)  # far outside the disc
    solution = minimise(Banana(), Flat(), np.array([-1.2, 1.0]), method=method, accuracy=1e-14)
    np.testing.assert_allclose(solution.value, [1.0, 1.0], atol=1e-5)
    values = [state.energies[0] for state in solution.history]
    assert np.all(np.diff(values) <= 0.0)


def test_limits_and_refusals():
    a, b = spd(20, 1e4, np.random.default_rng(3)), np.ones(20)
    with pytest.raises(NotConverged) as caught:
        minimise(Quadratic(a, b), Flat(), np.zeros(20), method=ConjugateGradients(steps=3))
    solution = caught.value.solution
    assert solution.status is Status.ITERATION_LIMIT and solution.n_converged == 0
    assert solution.counts["steps"] == len(solution.history) == 3
    assert solution.residual[0] == solution.history[-1].residuals[0] > 1e-8

    with pytest.raises(ValueError, match="accuracy must be positive"):
        minimise(Quadratic(a, b), Flat(), np.zeros(20), accuracy=0.0)
    with pytest.raises(ValueError, match="start elsewhere"):
        minimise(Banana(), Flat(), np.array([9.0, 9.0]))
    with pytest.raises(ValueError, match="not positive"):
        minimise(Quadratic(a, b, -np.eye(20)), Flat(), np.zeros(20))
    with pytest.raises(ValueError, match="slope"):
        ConjugateGradients(slope=1.5)


def test_stagnation_is_told():
    """An accuracy no value in double precision can show."""
    a, b = spd(20, 1e2, np.random.default_rng(2)), np.ones(20)
    solution = minimise(Quadratic(a, b), Flat(), np.zeros(20), accuracy=1e-300, throw=False)
    assert solution.status is Status.STAGNATED
    assert solution.counts["steps"] < 400 and np.linalg.norm(a @ solution.value - b) <= 1e-10


def test_a_preconditioner_that_turns_negative_ends_it_with_what_was_reached():
    @dataclass
    class Turning(Quadratic):
        """Applied with a fixed absolute error, as by truncation: wrong in sign once gradients are small."""

        def precondition(self, x, evaluation):
            g = evaluation.gradient
            return g if np.linalg.norm(g) > 1e-3 else -g

    a, b = spd(10, 10.0, np.random.default_rng(1)), np.ones(10)
    solution = minimise(Turning(a, b), Flat(), np.zeros(10), accuracy=1e-12, throw=False)
    assert solution.status is Status.STAGNATED and solution.residual[0] >= 0.0
    assert np.linalg.norm(a @ solution.value - b) <= 1e-3


def test_an_exception_of_the_callback_ends_it():
    def stop(state):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minimise(Quadratic(np.eye(3) * np.arange(1, 4), np.ones(3)), Flat(), np.zeros(3), callback=stop)
