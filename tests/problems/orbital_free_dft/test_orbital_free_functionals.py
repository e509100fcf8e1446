"""The local functionals: derivatives, published correlation energies, limits, and what phi below zero does."""

import numpy as np
import pytest

from problems.orbital_free_dft.functionals import C_TF, C_X, Functional, pw92, vwn5

NAMES = ("TFW", "TFDW", "TFDW+pw92", "TFDW+vwn5")


def test_the_constants():
    """As stated with the reference data (radial equation)."""
    assert pytest.approx(2.871234000188191, rel=1e-15) == C_TF
    assert pytest.approx(0.738558766382022, rel=1e-14) == C_X


@pytest.mark.parametrize(
    "correlation, values",
    [(pw92, (-0.0598, -0.0448, -0.0282, -0.0186)), (vwn5, (-0.0600, -0.0448, -0.02815, -0.01855))],
    ids=["pw92", "vwn5"],
)
def test_published_correlation_energies(correlation, values):
    """The unpolarised gas at rs = 1, 2, 5, 10: Perdew and Wang (1992); Vosko, Wilk, Nusair (1980), in rydberg."""
    energies, _ = correlation(np.array([1.0, 2.0, 5.0, 10.0]))
    assert np.abs(energies - values).max() <= 5e-5


@pytest.mark.parametrize("correlation", [pw92, vwn5], ids=["pw92", "vwn5"])
def test_high_density_limit(correlation):
    """ec -> A ln rs + B with A = (1 - ln 2)/pi^2 = 0.0310907 and B = -0.0466 to -0.0480 of the two fits."""
    rs = np.array([1e-6, 1e-5])
    energies, slopes = correlation(rs)
    assert (energies[1] - energies[0]) / np.log(10.0) == pytest.approx(0.0310907, rel=2e-3)
    assert slopes * rs == pytest.approx(0.0310907, rel=5e-3)
    assert -0.0485 < energies[0] - 0.0310907 * np.log(rs[0]) < -0.0460


@pytest.mark.parametrize("correlation", [pw92, vwn5], ids=["pw92", "vwn5"])
def test_slopes_by_rs(correlation):
    rs = np.geomspace(1e-3, 1e3, 40)
    step = 1e-4 * rs
    f = [correlation(rs + k * step)[0] for k in (-2, -1, 1, 2)]
    differences = (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * step)
    assert np.abs(correlation(rs)[1] / differences - 1.0).max() <= 1e-8


@pytest.mark.parametrize("name", NAMES)
def test_the_potential_is_the_derivative_of_the_energy(name):
    """d(e(rho))/d phi = 2 phi de/drho, over densities of twelve decades and both signs."""
    functional = Functional.named(name)
    phi = np.geomspace(1e-6, 1e2, 60)
    phi = np.concatenate([-phi, phi])
    step = 1e-4 * phi

    def energy(p):
        return functional.energy(p) * p

    f = [energy(phi + k * step) for k in (-2, -1, 1, 2)]
    differences = (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * step)
    assert np.abs(2.0 * functional.potential(phi) / differences - 1.0).max() <= 1e-8


def test_thomas_fermi_and_dirac_by_hand():
    rho = np.array([0.01, 0.3, 7.0])
    phi = np.sqrt(rho)
    thomas_fermi, dirac = C_TF * rho ** (5.0 / 3.0), -C_X * rho ** (4.0 / 3.0)
    assert Functional.named("TFW").energy(phi) * phi == pytest.approx(thomas_fermi, rel=1e-13)
    assert Functional.named("TFDW").energy(phi) * phi == pytest.approx(thomas_fermi + dirac, rel=1e-13)
    ec, vc = Functional.named("TFDW+pw92").correlated(phi)
    rs = (3.0 / (4.0 * np.pi * rho)) ** (1.0 / 3.0)
    energies, slopes = pw92(rs)
    assert ec == pytest.approx(energies) and vc == pytest.approx(energies - rs / 3.0 * slopes)


@pytest.mark.parametrize("name", NAMES)
def test_both_are_odd_and_vanish_without_density(name):
    functional = Functional.named(name)
    phi = np.array([0.0, 1e-200, 1e-40, 1e-8, 0.2])
    for f in (functional.potential, functional.energy):
        assert np.isfinite(f(phi)).all() and f(phi)[0] == 0.0
        assert np.array_equal(f(-phi), -f(phi))
        assert np.abs(f(phi)[1:3]).max() < 1e-30


def test_no_correlation_is_zero():
    ec, vc = Functional.named("TFDW").correlated(np.array([0.0, 1.0]))
    assert not ec.any() and not vc.any()
    ec, vc = Functional.named("TFDW+vwn5").correlated(np.array([0.0, 1e-31]))
    assert not ec.any() and not vc.any()
