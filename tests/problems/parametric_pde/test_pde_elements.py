"""Finite elements, coefficients and Gauss rules against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pde_cases import study

from problems.parametric_pde.fields import Affine, Discs, Lognormal
from problems.parametric_pde.finite_elements import FiniteElements
from problems.parametric_pde.gauss import automatic_points, polynomials, rule
from problems.parametric_pde.geometry import midpoints
from problems.parametric_pde.separation import separate
from problems.parametric_pde.system import Discrete

RNG = np.random.default_rng(4)


def test_constant_coefficient_on_the_interval_is_exact_at_the_nodes():
    problem = study("affine", cells=10, load=2.0, boundary={"left": 1.0, "right": -0.5}).problem
    discrete = Discrete.of(problem, 1e-8, RNG)
    u = discrete.elements.all_nodes(discrete.solve(np.zeros((1, 3))))[0]
    x = discrete.elements.nodes[:, 0]
    assert np.allclose(u, 1.0 - 1.5 * x + x * (1 - x), atol=1e-13)


def test_flux_is_exact_for_a_layered_coefficient():
    # -(a u')' = f: a u' = q - f x with q from u(1) - u(0) = sum_c int_c (q - f x) / a_c
    problem = study("affine", cells=16, load=3.0, boundary={"left": 0.5, "right": 0.2}).problem
    discrete = Discrete.of(problem, 1e-8, RNG)
    y = np.array([[0.9, -0.7, 0.4]])
    a, x = problem.field.values(problem.midpoints, y)[0], problem.midpoints[:, 0]
    q = (0.2 - 0.5 + np.sum(3.0 * x / a) / 16) / (np.sum(1.0 / a) / 16)
    found = discrete.quantities(y, discrete.solve(y))[0]
    assert np.isclose(found[2], q - 3.0, rtol=1e-12)


def test_neumann_sides_on_the_square():
    sides = {"left": 0.0, "right": 1.0, "bottom": "neumann", "top": "neumann"}
    problem = study("discs", "square", cells=12, load=0.0, boundary=sides).problem
    discrete = Discrete.of(problem, 1e-8, RNG)
    same = np.array([[-0.25, -0.25]])  # both discs at 1: no discs
    assert np.allclose(problem.field.values(problem.midpoints, same), 1.0)
    u = discrete.elements.all_nodes(discrete.solve(same))[0]
    assert np.allclose(u, discrete.elements.nodes[:, 0], atol=1e-12)
    found = discrete.quantities(same, discrete.solve(same))[0]
    assert np.allclose(found[:2], [0.5, 0.52], atol=1e-12)


def test_square_against_a_series():
    # -Laplace u = 1 on the unit square: u(1/2, 1/2) = 0.0736713..., bilinear elements converge as h^2
    values = []
    for cells in (16, 32):
        middle = [{"name": "m", "type": "point", "at": [0.5, 0.5]}]
        problem = study("discs", "square", cells=cells, quantities=middle).problem
        discrete = Discrete.of(problem, 1e-8, RNG)
        y = np.array([[-0.25, -0.25]])
        values.append(discrete.quantities(y, discrete.solve(y))[0, 0])
    exact = 0.07367135328
    errors = np.array(values) - exact
    assert abs(errors[1]) < 2e-4 and 3.5 < errors[0] / errors[1] < 4.5


def test_disc_mean_is_the_mean_over_cells_of_the_corner_means():
    problem = study("discs", "square", cells=20).problem
    elements = FiniteElements(problem)
    weights = elements.functionals(problem)[2].weights
    u = RNG.standard_normal(len(elements.nodes))
    inside = problem.field.inside(problem.midpoints)[1]
    assert np.isclose(weights @ u, u[elements.corners[inside]].mean(axis=1).mean())
    assert np.isclose(weights.sum(), 1.0)


@pytest.mark.parametrize(
    "field, domain",
    [
        ("affine", "interval"),
        ("affine", "square"),
        ("discs", "square"),
        ("lognormal", "interval"),
        ("lognormal", "square"),
    ],
)
def test_separated_system_is_the_exact_one(field, domain):
    problem = study(field, domain, cells=8, boundary={"left": 0.3}).problem
    discrete = Discrete.of(problem, 1e-9, RNG)
    rules = [rule(problem.field.distribution, 4) for _ in range(problem.field.d)]
    system = discrete.system([y for y, _ in rules], [w for _, w in rules])
    points = RNG.integers(0, 4, (6, problem.field.d))
    y = np.column_stack([x[points[:, m]] for m, (x, _) in enumerate(rules)])
    c, h = system.coefficients(points), system.load_coefficients(points)
    for k, exact in enumerate(discrete.solve(y)):
        matrix = sum(v * m.toarray() for v, m in zip(c[k], system.matrices))
        assert np.allclose(np.linalg.solve(matrix, h[k] @ system.loads), exact, rtol=1e-6)
    assert np.allclose(system.solve(points), discrete.solve(y), rtol=1e-10)


@pytest.mark.parametrize("domain", ["interval", "square"])
def test_lognormal_separation_reaches_its_tolerance(domain):
    x = midpoints(domain, 64 if domain == "interval" else 12)
    field = Lognormal(type="lognormal", scale=0.8, parameters=4)
    for tol in (1e-3, 1e-6):
        found = separate(field, x, tol, np.random.default_rng(0))
        y = np.random.default_rng(9).standard_normal((200, 4))
        exact = field.values(x, y)
        approximate = field.values(found.points, y) @ found.terms
        error = np.sqrt(np.mean(np.max(np.abs(approximate - exact) / exact, axis=1) ** 2))
        assert found.error <= tol and error <= 3 * tol
        assert len(found.terms) < len(x)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_polynomials_are_orthonormal(distribution):
    y, w = rule(distribution, 12)
    p = polynomials(distribution, 12, y)
    assert np.allclose((p * w[:, None]).T @ p, np.eye(12), atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(ratio=st.floats(0.1, 0.9), digits=st.integers(3, 9))
def test_automatic_points_reach_the_accuracy_for_one_disc(ratio, digits):
    # 1 / mu(y) has the pole the estimate is about
    field = Discs(type="discs", centres=((0.5,),), radii=0.2, range=(1.0 - ratio, 1.0 + ratio))
    x = midpoints("interval", 20)
    (n,) = automatic_points(field, x, 10.0**-digits)
    y, w = rule("uniform", n)
    c = (1.0 / field.conductivity(y) * w) @ polynomials("uniform", n, y)
    z = np.linspace(-1, 1, 101)
    exact = 1.0 / field.conductivity(z)
    assert np.max(np.abs(polynomials("uniform", n, z) @ c - exact)) <= 300 * 10.0**-digits * exact.max()
    assert np.isclose(c[0], np.arctanh(ratio) / ratio, rtol=100 * 10.0 ** (-2 * digits) + 1e-12)


def test_automatic_points_of_small_parameters_are_few():
    x = midpoints("interval", 64)
    for field in (Affine(type="affine", scale=0.5, parameters=8), Lognormal(type="lognormal", parameters=8)):
        counts = automatic_points(field, x, 1e-6)
        assert counts[0] > counts[-1] and sorted(counts, reverse=True) == counts
