"""The Ising integrals C_n by cross approximation: nine digits from few values, and modes of which few indices are seen.

C_n = 2^n/n! int_0^inf t K_0(t)^n dt is an integral over the unit cube of n - 1 dimensions (Bailey, Borwein, Crandall,
J. Phys. A 39, 12271 (2006), eqs. 8 and 13); D_n and E_n have squares of (u_j - u_k) / (u_j + u_k) of all pairs in the
integrand, and closed forms for small n there. A greedy cross that takes its modes whole asked for 44,049 values for C_6
and 142,293 for C_16, of 65 points an axis, to nine digits (Savostyanov, Linear Algebra Appl. 458, 217 (2014)).
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import k0, zeta

from solvers.cross.cross import cross
from solvers.cross.modes import Mode
from solvers.methods import Cross

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(65)
POINTS, WEIGHTS = (POINTS + 1.0) / 2.0, WEIGHTS / 2.0


def integrand(t):
    w, v = np.cumprod(t, axis=1), np.cumprod(t[:, ::-1], axis=1)
    return 2.0 / ((1.0 + w.sum(axis=1)) * (1.0 + v.sum(axis=1)))


def exact(n):
    integral, _ = quad(lambda t: t * k0(t) ** n, 0.0, 50.0, limit=400, epsabs=0.0, epsrel=1e-13)
    return 2.0**n / math.factorial(n) * integral


@pytest.mark.parametrize("n, accuracy, most", [(6, 1e-8, 44_049), (16, 3e-8, 100_000)])
def test_nine_digits(n, accuracy, most):
    errors = []
    for seed in range(3):
        asked = []

        def f(t, asked=asked):
            asked.append(len(t))
            return integrand(t)

        grids, rng = [POINTS] * (n - 1), np.random.default_rng(seed)
        solution = cross(f, (65,) * (n - 1), grids=grids, accuracy=accuracy, rng=rng)
        row = np.ones(1)
        for core in solution.value.cores:
            row = row @ np.einsum("anb,n->ab", core, WEIGHTS)
        errors.append(abs(row[0] - exact(n)))
        assert sum(asked) <= most
        assert solution.counts["evaluations"] + solution.counts["check_evaluations"] == sum(asked)
    assert np.median(errors) <= 1e-9 and max(errors) <= 3e-9


def interaction(t):
    """The product over all pairs of ((u_j - u_k) / (u_j + u_k))^2, u_1 = 1 and u_k = t_1 .. t_k-1."""
    u = np.cumprod(np.column_stack([np.ones(len(t)), t]), axis=1)
    j, k = np.triu_indices(u.shape[1], 1)
    return np.prod(((u[:, j] - u[:, k]) / (u[:, j] + u[:, k])) ** 2, axis=1)


CLASSES = {"D": lambda t: integrand(t) * interaction(t), "E": lambda t: 2.0 * interaction(t)}
LOG = math.log(2.0)
CLAUSEN = 0.781302412896486296867  # L_-3(2) = 1 - 1/2^2 + 1/4^2 - 1/5^2 + ...
CLOSED = {
    ("D", 2): 1.0 / 3.0,
    ("D", 3): 8.0 + 4.0 * math.pi**2 / 3.0 - 27.0 * CLAUSEN,
    ("D", 4): 4.0 * math.pi**2 / 9.0 - 1.0 / 6.0 - 3.5 * zeta(3.0),
    ("E", 2): 6.0 - 8.0 * LOG,
    ("E", 3): 10.0 - 2.0 * math.pi**2 - 8.0 * LOG + 32.0 * LOG**2,
    ("E", 4): 22.0
    - 82.0 * zeta(3.0)
    - 24.0 * LOG
    + 176.0 * LOG**2
    - 256.0 * LOG**3 / 3.0
    + 16.0 * math.pi**2 * LOG
    - 22.0 * math.pi**2 / 3.0,
}


def integral(f, d, accuracy):
    """Over the unit cube, and the solution, whose train is of f at the Gauss points."""
    solution = cross(f, (65,) * d, grids=[POINTS] * d, accuracy=accuracy, method=Cross(whole=0))
    row = np.ones(1)
    for core in solution.value.cores:
        row = row @ np.einsum("anb,n->ab", core, WEIGHTS)
    return row[0], solution


@pytest.mark.parametrize("name, n", CLOSED)
def test_the_classes_with_interactions_have_their_closed_forms(name, n):
    value, solution = integral(CLASSES[name], n - 1, 1e-9)
    assert abs(value - CLOSED[name, n]) <= 1e-10
    assert solution.counts["evaluations"] <= 4000


@pytest.mark.parametrize("name", CLASSES)
def test_the_classes_with_interactions_in_four_dimensions(name):
    """Against all 20^4 points of another rule."""
    x, w = np.polynomial.legendre.leggauss(20)
    points = np.stack(np.meshgrid(*[(x + 1.0) / 2.0] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    weights = np.stack(np.meshgrid(*[w / 2.0] * 4, indexing="ij"), axis=-1).reshape(-1, 4).prod(axis=1)
    value, solution = integral(CLASSES[name], 4, 1e-8)
    assert abs(value - weights @ CLASSES[name](points)) <= 1e-9
    assert solution.counts["evaluations"] <= 8000


def test_a_mode_of_few_directions_is_what_its_fibres_span():
    rng = np.random.default_rng(3)
    x, block = np.linspace(0.0, 1.0, 40), rng.standard_normal((3, 6))
    fibres = np.stack([np.exp(-x), np.cos(3.0 * x), x**2])
    mode = Mode(40, 7, fibres[0])
    for fibre in fibres[1:]:
        rest = mode.missing(fibre)
        pivot = mode.pivot(rest)
        if pivot not in mode.rows:
            mode.add_rows(np.array([pivot]), False)
        mode.add_fibre(rest, pivot)
    values = (fibres.T @ block)[None]
    found = mode.spread(values[:, mode.rows])
    assert np.allclose(found, values, rtol=0.0, atol=1e-12)
    assert np.abs(mode.left_over(values[0, mode.rows])).max() <= 1e-12
    assert abs(mode.guessed(values[0, mode.rows, 0], 33) - values[0, 33, 0]) <= 1e-12
    other = np.sin(40.0 * x)
    assert np.abs(mode.missing(other)).max() > 0.1


def test_a_feature_of_one_index_of_a_long_mode_is_seen():
    """Blocks of few indices do not show it; fibres do."""

    def f(p):
        return 1.0 / (1.0 + p.sum(axis=1)) + 0.1 * (p[:, 2] == 41) * np.cos(p[:, 0])

    solution = cross(f, (60,) * 4, method=Cross(whole=0), accuracy=1e-6)
    points = np.random.default_rng(1).integers(0, 60, (5000, 4))
    points[:2500, 2] = 41
    assert np.abs(solution.value.entries(points) - f(points)).max() <= 2e-6 * solution.extra["scale"]
