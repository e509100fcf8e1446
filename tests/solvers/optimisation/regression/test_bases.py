"""Functions of one coordinate: values, slopes and integrals against closed forms, and refusals."""

import numpy as np
import pytest

from solvers.optimisation.regression.bases import Fourier, Functions, Polynomials, Splines

BASES = [
    Polynomials(5, (-1.0, 3.0)),
    Polynomials(0, (-1.0, 3.0)),
    Splines(4, 3, (-1.0, 3.0)),
    Splines(3, 1, (-1.0, 3.0)),
    Fourier(3, (-1.0, 3.0)),
    Functions(np.ones_like, np.exp, np.sin, interval=(-1.0, 3.0)),
    Functions(lambda x: np.exp(1j * x), slopes=(lambda x: 1j * np.exp(1j * x),), interval=(-1.0, 3.0)),
]


@pytest.mark.parametrize("basis", BASES, ids=lambda basis: f"{type(basis).__name__}-{basis.size}")
def test_values_slopes_and_quadrature(basis):
    rng = np.random.default_rng(0)
    x, h = rng.uniform(-0.99, 2.99, 40), 1e-6
    x = x[np.abs(x - np.round(3.0 * x) / 3.0) > 1e-3]  # not at a kink of a broken line
    phi = basis.values(x)
    assert phi.shape == (len(x), basis.size)
    differences = (basis.values(x + h) - basis.values(x - h)) / (2.0 * h)
    np.testing.assert_allclose(basis.slopes(x), differences, atol=1e-7 * max(1.0, float(np.abs(differences).max())))
    # products of two functions, by the quadrature and by many cells
    for low, high in ((-1.0, 3.0), (-0.3, 1.7)):
        nodes, weights = basis.quadrature(low, high)
        assert weights.sum() == pytest.approx(high - low, rel=1e-12)
        found = basis.values(nodes).conj().T @ (weights[:, None] * basis.values(nodes))
        t, w = np.polynomial.legendre.leggauss(8)
        walls = np.unique(np.concatenate([np.linspace(low, high, 61), np.linspace(-1.0, 3.0, 13)]))
        walls = walls[(walls >= low) & (walls <= high)]
        half = 0.5 * np.diff(walls)
        fine = (0.5 * (walls[1:] + walls[:-1])[:, None] + half[:, None] * t).ravel()
        many = (half[:, None] * w).ravel()
        np.testing.assert_allclose(
            found, basis.values(fine).conj().T @ (many[:, None] * basis.values(fine)), atol=1e-10
        )


@pytest.mark.parametrize("basis", [Polynomials(4, (2.0, 7.0)), Fourier(2, (2.0, 7.0))], ids=["polynomials", "fourier"])
def test_they_are_orthonormal_in_the_mean_over_the_interval(basis):
    x, weights = basis.quadrature(2.0, 7.0)
    phi = basis.values(x)
    np.testing.assert_allclose(phi.T @ (weights[:, None] * phi) / 5.0, np.eye(5), atol=1e-13)


def test_splines_are_a_partition_of_one_and_contain_polynomials():
    basis, x = Splines(5, 3, (0.0, 2.0)), np.linspace(0.0, 2.0, 50)
    np.testing.assert_allclose(basis.values(x).sum(axis=1), 1.0, atol=1e-14)
    cubic = x**3 - x
    fitted = basis.values(x) @ np.linalg.lstsq(basis.values(x), cubic, rcond=None)[0]
    np.testing.assert_allclose(fitted, cubic, atol=1e-12)


def test_an_interval_is_taken_where_none_was_given():
    assert Polynomials(2).on(0.0, 4.0).ends == (0.0, 4.0) == Splines(2).on(0.0, 4.0).ends
    assert Polynomials(2, (1.0, 2.0)).on(0.0, 4.0).ends == (1.0, 2.0)
    assert Functions(np.exp).on(0.0, 4.0).ends == (0.0, 4.0)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Polynomials(-1), "degree is -1"),
        (lambda: Polynomials(2.5), "degree is 2.5"),
        (lambda: Polynomials(2, (1.0, 1.0)), "the lower one first"),
        (lambda: Polynomials(2, (0.0, np.inf)), "two finite numbers"),
        (lambda: Splines(0), "pieces is 0"),
        (lambda: Fourier(-1, (0.0, 1.0)), "order is -1"),
        (lambda: Functions(), "give functions"),
        (lambda: Functions(np.exp, slopes=()), "as many slopes"),
        (lambda: Functions(lambda x: x[:2]).values(np.ones(3)), "must give numbers"),
        (lambda: Functions(lambda x: x / 0.0 * 0.0).values(np.zeros(3)), "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
def test_refusals(make, match):
    with pytest.raises(ValueError, match=match):
        make()
