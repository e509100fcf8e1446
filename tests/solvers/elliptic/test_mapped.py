"""``elliptic`` on domains: against dense bilinear elements on small grids, and closed forms on 2^20 x 2^20 points."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import jv

from solvers.elliptic.elliptic import elliptic
from solvers.formats import quantics
from solvers.solution import NotConverged, Status

BENT = quantics.Quadrilateral([(0.0, 0.0), (2.0, 0.3), (1.7, 1.5), (-0.2, 1.0)])
EQUILATERAL = quantics.Triangle([(0.0, 0.0), (1.0, 0.0), (0.5, 0.5 * math.sqrt(3.0))])


def curved(x):
    return np.stack([x[:, 0] + 0.1 * np.sin(3.0 * x[:, 1]), x[:, 1] * (1.0 + 0.3 * x[:, 0] ** 2)], axis=1)


def axis_matrices(levels, ends):
    """Slopes, means (cells, n), the middles of the cells and the step."""
    n, (left, right) = 2**levels, ends
    if left == "periodic":
        step, cells = 1.0 / n, [((i - 1) % n, i, i / n) for i in range(n)]
    else:
        first, last = left == "dirichlet", right == "dirichlet"
        step = 1.0 / (n - 1 + first + last)
        cells = [(i, i + 1, (i + first + 0.5) * step) for i in range(-first, n - 1 + last)]
    slopes, means = np.zeros((len(cells), n)), np.zeros((len(cells), n))
    for row, (i, j, _) in enumerate(cells):
        for node, sign in ((i, -1.0), (j, 1.0)):
            if 0 <= node < n:
                slopes[row, node] += sign / step
                means[row, node] += 0.5
    return slopes, means, np.array([cell[2] for cell in cells]), step


def dense(domain, levels, ends, a, f, c):
    """Bilinear elements whose K, c |J| and f |J| are those of the middle of a cell: the matrix and the load."""
    (s1, m1, x1, h1), (s2, m2, x2, h2) = (axis_matrices(*one) for one in zip(levels, domain.ends(ends)))
    square = np.stack(np.meshgrid(x1, x2, indexing="ij"), axis=-1).reshape(-1, 2)
    jacobian, points = domain.jacobian(square), domain.points(square)
    inverse, volume = np.linalg.inv(jacobian), np.linalg.det(jacobian)
    k = volume[:, None, None] * (inverse @ a(points) @ inverse.transpose(0, 2, 1)) * h1 * h2
    mass, load = volume * c * h1 * h2, volume * f(points) * h1 * h2
    mean, one, two, twist = np.kron(m1, m2), np.kron(s1, m2), np.kron(m1, s2), np.kron(s1, s2)
    p, q = h1**2 / 12.0, h2**2 / 12.0
    total = one.T @ ((k[:, 0, 0] + p * mass)[:, None] * one) + two.T @ ((k[:, 1, 1] + q * mass)[:, None] * two)
    total += one.T @ (k[:, 0, 1][:, None] * two) + two.T @ (k[:, 1, 0][:, None] * one)
    total += twist.T @ ((q * k[:, 0, 0] + p * k[:, 1, 1] + p * q * mass)[:, None] * twist)
    return total + mean.T @ (mass[:, None] * mean), mean.T @ load


@pytest.mark.parametrize(
    ("domain", "ends", "c"),
    [
        (BENT, "dirichlet", 0.0),
        (BENT, {"top": "neumann", "left": "neumann"}, -2.0),
        (BENT, [("neumann", "dirichlet"), "neumann"], 1.0),
        (EQUILATERAL, {"ca": "neumann"}, 0.0),
        (EQUILATERAL, {"ab": "neumann", "ca": "neumann"}, 5.0),
        (quantics.Ring(1.0, 2.0), {"inner": "neumann"}, 0.0),
        (quantics.Ring(0.5, 2.0, 0.3, 1.9), {"first": "neumann"}, -1.0),
        (quantics.Ring(0.0, 1.5), "dirichlet", 0.0),
        (quantics.Mapped(curved), ["dirichlet", ("neumann", "dirichlet")], 2.0),
    ],
)
def test_small_grids_are_the_dense_solution(domain, ends, c):
    def a(x):
        tensor = np.array([[2.0, 0.5], [0.5, 1.0]]) + np.zeros((len(x), 2, 2))
        tensor[:, 0, 0] += 0.5 * np.sin(x[:, 0] + x[:, 1])
        return tensor

    def f(x):
        return 1.0 + np.cos(x[:, 0])

    matrix, load = dense(domain, (3, 4), ends, a, f, c)
    exact = np.linalg.solve(matrix, load)
    found = elliptic([3, 4], domain=domain, ends=ends, diffusion=a, load=f, reaction=c, accuracy=1e-9)
    np.testing.assert_allclose(found.value.u.full().ravel(), exact, atol=1e-8 * np.abs(exact).max())
    assert found.value.energy == pytest.approx(load @ exact, rel=1e-11)
    assert found.value.energy_error <= 1e-9 * found.value.energy


def test_the_torsion_of_an_equilateral_triangle():
    """Side one: the integral of u, -Laplace u = 1, is sqrt(3)/320; the error is of second order and known."""
    exact = math.sqrt(3.0) / 320.0
    errors = []
    for levels in (6, 7, 20):
        found = elliptic([levels, levels], domain=EQUILATERAL).value
        errors.append(abs(found.energy - exact))
        assert errors[-1] == pytest.approx(found.grid_error, rel=0.05, abs=1e-10 * exact)
        assert found.integral == pytest.approx(found.energy, rel=1e-8)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.02) and errors[2] < 1e-10 * exact
    assert found.u.max_rank < 20


def test_a_ring_on_2_to_the_60_points_each_way():
    """-Laplace u = 1 between radii 1 and 3, u = 0 there: a parabola and a logarithm."""

    def exact(r):
        return (9.0 - r**2) / 4.0 + 2.0 * np.log(r / 3.0) / math.log(3.0)

    found = elliptic([60, 60], domain=quantics.Ring(1.0, 3.0), accuracy=1e-10)
    energy = 2.0 * math.pi * quad(lambda r: exact(r) * r, 1.0, 3.0)[0]
    assert found.value.energy == pytest.approx(energy, rel=1e-13) and found.counts["steps"] == 0
    points = np.array([[1.5, 0.2], [0.0, -2.5], [-2.0, 1e-4]])
    np.testing.assert_allclose(found.value.at(points), exact(np.linalg.norm(points, axis=1)), atol=1e-10)
    with pytest.raises(ValueError, match="not in the domain"):
        found.value.at(np.array([[0.1, 0.1]]))


@pytest.mark.parametrize("angle", [0.5, 1.5])
def test_sectors_and_their_bessel_functions(angle):
    """u = J_nu(j r) sin(nu phi) with nu = pi / angle; at an angle above pi the order is 2 nu, and told as that."""
    nu = 1.0 / angle
    r = np.linspace(2.0, 7.0, 500)
    k = int(np.flatnonzero(jv(nu, r[1:]) * jv(nu, r[:-1]) <= 0.0)[0])
    j = brentq(lambda z: jv(nu, z), r[k], r[k + 1], xtol=1e-15)
    domain = quantics.Ring(0.0, 1.0, 0.0, angle * math.pi)

    def load(x):
        phi = np.mod(np.arctan2(x[:, 1], x[:, 0]), 2.0 * math.pi)
        return j**2 * jv(nu, j * np.hypot(x[:, 0], x[:, 1])) * np.sin(nu * phi)

    exact = 0.25 * angle * math.pi * j**2 * jv(nu + 1.0, j) ** 2  # j^2 times the integral of u^2
    found = elliptic([12, 12], domain=domain, load=load, accuracy=1e-7).value
    assert abs(found.energy - exact) == pytest.approx(found.grid_error, rel=0.2)
    assert found.grid_error < (1e-6 if angle < 1.0 else 1e-4) * exact


def test_a_quadrilateral_with_a_known_solution():
    """u is the product of the four lines; its Laplacian by hand."""
    c = np.array(BENT.corners)
    lines = []
    for k in range(4):
        along = c[(k + 1) % 4] - c[k]
        normal = np.array([-along[1], along[0]])
        lines.append((normal, -normal @ c[k]))

    def u(x, skip=()):
        return np.prod([x @ n + b for k, (n, b) in enumerate(lines) if k not in skip], axis=0)

    def load(x):
        pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
        return -sum(lines[i][0] @ lines[j][0] * u(x, (i, j)) for i, j in pairs)

    node, weight = np.polynomial.legendre.leggauss(12)
    square = np.stack(np.meshgrid(0.5 + 0.5 * node, 0.5 + 0.5 * node), axis=-1).reshape(-1, 2)
    points, volume = BENT.points(square), np.linalg.det(BENT.jacobian(square))
    exact = float(np.sum(0.25 * np.outer(weight, weight).ravel() * volume * u(points) * load(points)))
    found = elliptic([20, 20], domain=BENT, load=load).value
    assert abs(found.energy - exact) <= 2.0 * found.grid_error + 1e-13 and found.grid_error < 1e-11 * exact
    inside = points[::17]
    np.testing.assert_allclose(found.at(inside), u(inside), atol=1e-8 * np.abs(u(points)).max())


def test_a_whole_ring_without_flux_has_mean_zero():
    domain = quantics.Ring(1.0, 2.0)
    found = elliptic([6, 6], domain=domain, load=lambda x: x[:, 0], ends="neumann").value
    assert abs(found.integral) < 1e-12 and found.energy > 0.0
    with pytest.raises(ValueError, match="mean zero"):
        elliptic([6, 6], domain=domain, ends="neumann")


def test_an_iteration_that_ends_too_early_is_not_claimed(monkeypatch):
    monkeypatch.setattr("solvers.elliptic.galerkin.MOST_STEPS", 1)
    with pytest.raises(NotConverged) as caught:
        elliptic([8, 8], domain=BENT, accuracy=1e-11)
    assert caught.value.solution.status is Status.ITERATION_LIMIT


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"domain": 3}, "a domain is a Quadrilateral"),
        ({"levels": [4, 4, 4]}, "domains are plane"),
        ({"ends": "face"}, "'dirichlet' or 'neumann' for left, right, bottom, top"),
        ({"ends": {"inner": "neumann"}}, "for left, right, bottom, top"),
        ({"ends": ["dirichlet"]}, "for left, right, bottom, top"),
        ({"diffusion": np.array([[1.0, 2.0], [2.0, 1.0]])}, "symmetric positive matrix"),
        ({"diffusion": lambda x: x}, r"or matrices \(\d+, 2, 2\)"),
        ({"diffusion": lambda x: -x[:, 0] - 1.0}, "symmetric and positive: at"),
        ({"diffusion": (1.0, 2.0)}, "not a tuple"),
        ({"load": np.ones((4, 4))}, "not an array of cells"),
        ({"load": quantics.polynomial(8, [1.0])}, "not a train"),
        ({"domain": quantics.Mapped(lambda x: x[:, ::-1])}, "keep orientation"),
        ({"levels": [20, 20], "diffusion": lambda x: 2.0 + np.sin(1e4 * x[:, 0])}, "not resolved"),
    ],
)
def test_refusals_are_one_line(keywords, text):
    with pytest.raises(ValueError, match=text) as caught:
        elliptic(**{"levels": [4, 4], "domain": BENT, **keywords})
    assert "\n" not in str(caught.value)
