"""Domains: maps against their Jacobians, points found again, the angles at corners, and what is no domain."""

import math

import numpy as np
import pytest

from solvers.formats.quantics.domain import Domain
from solvers.formats.quantics.domains import Mapped, Quadrilateral, Ring, Triangle


def wavy(x):
    return np.stack([x[:, 0] + 0.1 * np.sin(3.0 * x[:, 1]), x[:, 1] * (1.0 + 0.3 * x[:, 0] ** 2)], axis=1)


DOMAINS = [
    Quadrilateral([(0.0, 0.0), (2.0, 0.3), (1.7, 1.5), (-0.2, 1.0)]),
    Triangle([(0.0, 0.0), (1.0, 0.2), (0.3, 1.0)]),
    Ring(0.5, 2.0, 0.3, 1.9, centre=(1.0, -1.0)),
    Ring(1.0, 3.0),
    Ring(0.0, 1.0),
    Mapped(wavy),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: type(domain).__name__)
def test_jacobians_are_the_derivatives_and_points_are_found_again(domain):
    square = np.random.default_rng(0).uniform(0.05, 0.95, (20, 2))
    for axis in range(2):
        by = 1e-6 * np.eye(2)[axis]
        slope = (domain.points(square + by) - domain.points(square - by)) / 2e-6
        np.testing.assert_allclose(domain.jacobian(square)[:, :, axis], slope, atol=1e-8)
    np.testing.assert_allclose(domain.in_square(domain.points(square)), square, atol=1e-10)
    with pytest.raises(ValueError, match="not in the domain"):
        domain.in_square(np.array([[7.0, 7.0]]))
    assert isinstance(domain, Domain) and len(repr(domain).splitlines()) <= 10


def test_ends_by_name_and_by_axis():
    quadrilateral, triangle, ring = DOMAINS[0], DOMAINS[1], DOMAINS[3]
    assert quadrilateral.ends({"top": "neumann"}) == (("dirichlet", "dirichlet"), ("dirichlet", "free"))
    assert quadrilateral.ends(["neumann", ("neumann", "dirichlet")]) == (("free", "free"), ("free", "dirichlet"))
    # the corner a is held where one of its edges is
    assert triangle.ends({"ab": "neumann"}) == (("dirichlet", "dirichlet"), ("free", "dirichlet"))
    assert triangle.ends({"ab": "neumann", "ca": "neumann"})[0] == ("free", "dirichlet")
    assert ring.ends([("neumann", "dirichlet")]) == (("free", "dirichlet"), ("periodic", "periodic"))


def test_exponents_at_corners():
    square = Quadrilateral([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    assert square.exponent(square.ends("dirichlet")) == pytest.approx(2.0)
    assert square.exponent(square.ends({"top": "neumann"})) == pytest.approx(1.0)
    sector = Ring(0.0, 1.0, 0.0, 1.5 * math.pi)
    assert sector.exponent(sector.ends("dirichlet")) == pytest.approx(2.0)
    assert sector.exponent(sector.ends("dirichlet"), collapsed=True) == pytest.approx(2.0 / 3.0)
    disc = Ring(0.0, 1.0)
    assert disc.exponent(disc.ends("dirichlet"), collapsed=True) == math.inf


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Quadrilateral([(0, 0), (0, 1), (1, 1), (1, 0)]), "counterclockwise"),
        (lambda: Quadrilateral([(0, 0), (1, 0), (0.2, 0.2), (0, 1)]), "angles below pi"),
        (lambda: Quadrilateral([(0, 0), (1, 0), (1, 1)]), "4 corners"),
        (lambda: Triangle([(0, 0), (1, 1), (2, 2)]), "counterclockwise"),
        (lambda: Ring(2.0, 1.0), "radii"),
        (lambda: Ring(0.0, np.nan), "radii"),
        (lambda: Ring(0.0, 1.0, 0.0, 7.0), "angle"),
        (lambda: Mapped(lambda x: x[:, 0]), "the map must return"),
        (lambda: Mapped(lambda x: np.abs(x - 0.3)), "give its derivatives"),
        (lambda: Mapped(lambda x: x, lambda x: x), "the derivatives must return"),
        (lambda: Ring(1.0, 2.0).in_square(np.ones(2)), "points must be"),
    ],
)
def test_what_is_no_domain_is_told(make, text):
    with pytest.raises(ValueError, match=text):
        make()
