"""Potentials and energies of charges against closed forms: Gaussians, ions, dipoles, quadrupoles, point nuclei."""

import numpy as np
import pytest
import scipy.integrate
from scipy.special import erf

from problems.orbital_free_dft import far_field
from problems.orbital_free_dft.electrostatics import boys, electrostatics, gaussians, pair_energy, short_range, trap
from problems.orbital_free_dft.fields import DenseFields
from problems.orbital_free_dft.grid import Grid
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.tucker_fields import TuckerFields

BOX = 14.0


def nuclei_of(*atoms):
    """Of (charge, place, exponent or inf)."""
    charges, places, exponents = zip(*atoms, strict=True)
    return Nuclei(np.array(charges, dtype=float), np.array(places, dtype=float), np.array(exponents, dtype=float))


NOBODY = Nuclei(np.zeros(0), np.zeros((0, 3)), np.zeros(0))


def distance(grid, place):
    x, y, z = np.ix_(*[grid.x - c for c in place])
    return np.sqrt(x * x + y * y + z * z)


def gaussian(grid, q, place, a):
    """Charge density and potential."""
    r = np.maximum(distance(grid, place), 1e-12)
    return q * (a / np.pi) ** 1.5 * np.exp(-a * r * r), q * erf(np.sqrt(a) * r) / r


def system(nuclei=NOBODY, omega=None, level=5, box=BOX):
    fields = DenseFields(Grid(box, level))
    return fields, electrostatics(fields, nuclei, omega, np.random.default_rng(0))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_boys_functions(order):
    w = np.array([0.0, 1e-14, 1e-11, 1e-6, 0.3, 2.0, 30.0, 700.0])
    exact = [
        scipy.integrate.quad(
            lambda t, x=x: t ** (2 * order) * np.exp(-x * t * t), 0.0, 1.0, epsabs=1e-14, points=[0.05, 0.2]
        )[0]
        for x in w
    ]
    assert np.allclose(boys(order, w), exact, rtol=1e-10, atol=0)


def test_energies_of_pairs():
    place = ((0.0, 0.0, 0.0), (1.0, 2.0, 2.0), (-1.0, 0.0, 0.5))
    points = nuclei_of((2, place[0], np.inf), (3, place[1], np.inf), (0.5, place[2], np.inf))
    r02, r12 = np.sqrt(1.25), np.sqrt(4.0 + 4.0 + 2.25)
    assert pair_energy(points, points.smearings) == pytest.approx(6 / 3.0 + 1 / r02 + 1.5 / r12)
    wide = nuclei_of((2, place[0], 0.4), (3, place[1], np.inf), (0.5, place[2], 1.5))
    exact = (
        6 * erf(np.sqrt(0.4) * 3.0) / 3.0 + erf(np.sqrt(0.6 / 1.9) * r02) / r02 + 1.5 * erf(np.sqrt(1.5) * r12) / r12
    )
    assert pair_energy(wide, wide.smearings) == pytest.approx(exact)
    assert pair_energy(nuclei_of((2, place[0], 1.0)), np.ones(1)) == 0.0


def test_gaussians_on_the_grid():
    grid = Grid(BOX, 5)
    atoms = nuclei_of((2, (0.3, -0.2, 1.0), 0.8), (1, (-1.0, 0.5, 0.0), 1.4))
    truth = sum(gaussian(grid, *a)[0] for a in ((2, (0.3, -0.2, 1.0), 0.8), (1, (-1.0, 0.5, 0.0), 1.4)))
    assert np.allclose(gaussians(grid, atoms, atoms.smearings).full(), truth, atol=1e-13)


def test_potential_of_one_gaussian_at_the_centre():
    """Nothing is left but what the monopole carries: exact to the resolution of the grid."""
    fields, charges = system()
    for q, a in ((1.0, 1.0), (-2.5, 0.7)):
        density, potential = gaussian(fields.grid, q, (0.0, 0.0, 0.0), a)
        assert np.abs(charges.potential(density) - potential).max() <= 3e-6 * abs(q)


@pytest.mark.parametrize(
    "charged",
    [
        [(1.0, (0.3, -0.2, 0.4), 1.0)],
        [(1.0, (0.4, 0.1, 0.0), 1.0), (-1.0, (-0.3, 0.0, 0.2), 1.0)],
        [(1.0, (0.0, 0.0, 0.5), 1.0), (1.0, (0.0, 0.0, -0.5), 1.0), (-2.0, (0.0, 0.0, 0.0), 0.9)],
        [
            (1.0, (0.5, 0.5, 0.0), 1.0),
            (1.0, (-0.5, -0.5, 0.0), 1.0),
            (-1.0, (0.5, -0.5, 0.0), 1.0),
            (-1.0, (-0.5, 0.5, 0.0), 1.0),
        ],
        [(3.0, (0.5, 0.2, -0.3), 1.2), (-2.0, (0.1, -0.3, 0.2), 0.6), (-0.5, (-0.6, 0.4, 0.5), 0.8)],
    ],
    ids=["ion off centre", "dipole", "quadrupole zz", "quadrupole xy", "all"],
)
def test_potentials_of_multipoles(charged):
    """Exact but for the multipoles beyond l = 6, which fall as the eighth power of the box."""
    errors = []
    for box, level in ((BOX, 5), (2.0 * BOX, 6)):
        fields, charges = system(box=box, level=level)
        density, potential = (sum(part) for part in zip(*[gaussian(fields.grid, *c) for c in charged], strict=True))
        errors.append(np.abs(charges.potential(density) - potential).max())
    strength = sum(abs(q) * np.linalg.norm(place) ** 7 for q, place, _ in charged)
    assert errors[0] <= 20.0 * strength / (0.5 * BOX) ** 8 + 1e-5
    assert errors[1] <= errors[0] / 8.0 + 1e-5


def test_multipoles_need_their_carriers(monkeypatch):
    """The potential of the box alone is far off, and so is that with dipoles only: the test above can fail."""
    charged = [(1.0, (0.0, 0.0, 0.5), 1.0), (1.0, (0.0, 0.0, -0.5), 1.0), (-2.0, (0.0, 0.0, 0.0), 1.0)]
    fields, charges = system()
    density, potential = (sum(part) for part in zip(*[gaussian(fields.grid, *c) for c in charged], strict=True))
    plain = np.abs(fields.poisson(density) - potential).max()
    whole = np.abs(charges.potential(density) - potential).max()
    assert whole < 1e-3 * plain
    monkeypatch.setattr(far_field, "ORDER", 1)
    fields, charges = system()
    assert np.abs(charges.potential(density) - potential).max() > 100.0 * whole


def attraction(laplacian, level, place, probe, a):
    """Energy of a Gaussian probe of charge -1 and exponent ``a`` in the field of a point nucleus, and the exact one."""
    fields = DenseFields(Grid(BOX, level, laplacian))
    charges = electrostatics(fields, nuclei_of((3, place, np.inf)), None, np.random.default_rng(0))
    assert charges.nuclear_repulsion == 0.0
    density, _ = gaussian(fields.grid, 1.0, probe, a)
    r = np.linalg.norm(np.subtract(place, probe))
    exact = -3.0 * (erf(np.sqrt(a) * r) / r if r > 0.0 else 2.0 * np.sqrt(a / np.pi))
    return fields.dot(charges.static - charges.nuclear_potential, density), exact


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (0.13, -0.41, 0.37), (0.21875, 0.21875, -0.21875)])
def test_point_nuclei_are_seen_as_points(place):
    """-Z/r by a probe, on and away from the nucleus, wherever this sits in its cell: spectrally exact."""
    for probe in (place, (1.5, 0.3, -0.2), (-2.0, 2.0, 1.0)):
        found, exact = attraction("spectral", 5, place, probe, 1.0)
        assert found == pytest.approx(exact, abs=1e-5)
    found, exact = attraction("spectral", 5, (0.0, 0.0, 0.0), (1.5, 0.3, -0.2), 1.0)
    assert found == pytest.approx(exact, abs=1e-4)


def test_second_differences_err_by_the_square_of_the_spacing():
    errors = []
    for level in (5, 6):
        found, exact = attraction("differences", level, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0)
        errors.append(found - exact)
    assert 1e-3 < abs(errors[0]) < 0.05
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_point_nuclei_integrate_to_the_exact_attraction():
    """With a smooth density the waves beyond the grid do not count: -Z N erf(sqrt(b) R)/R to many digits."""
    fields, charges = system(nuclei_of((3, (0.13, -0.41, 0.77), np.inf), (1, (-1.0, 0.2, 0.0), np.inf)), level=5)
    density, _ = gaussian(fields.grid, 2.0, (0.3, 0.0, -0.2), 0.8)
    found = fields.dot(charges.static - charges.nuclear_potential, density)
    exact = 0.0
    for z, place in ((3.0, (0.13, -0.41, 0.77)), (1.0, (-1.0, 0.2, 0.0))):
        r = np.linalg.norm(np.array(place) - (0.3, 0.0, -0.2))
        exact -= 2.0 * z * erf(np.sqrt(0.8) * r) / r
    assert found == pytest.approx(exact, abs=2e-6)


def test_the_whole_electrostatic_energy():
    """Point and smeared nuclei with Gaussian electrons: attraction, repulsions and self energies by closed forms."""
    atoms = ((2.0, (0.4, -0.3, 0.2), np.inf), (1.5, (-0.6, 0.2, 0.3), 0.9))
    clouds = ((1.5, (0.3, 0.1, -0.2), 0.7), (2.0, (-0.4, 0.0, 0.1), 0.5))
    fields, charges = system(nuclei_of(*atoms), box=18.0, level=6)
    density = sum(gaussian(fields.grid, *c)[0] for c in clouds)
    total = charges.total_charge(density)
    found = 0.5 * fields.dot(total, charges.potential(total)) + charges.offset + fields.dot(charges.static, density)

    def pair(one, other):
        (q, a_place, a), (p, b_place, b) = one, other
        r = np.linalg.norm(np.subtract(a_place, b_place))
        return q * p * erf(r / np.sqrt(1.0 / a + 1.0 / b)) / r

    exact = pair(*atoms) + pair(*clouds) - sum(pair(a, c) for a in atoms for c in clouds)
    exact += sum(q * q * np.sqrt(b / (2.0 * np.pi)) for q, _, b in clouds)
    assert found == pytest.approx(exact, abs=2e-5)
    assert charges.nuclear_repulsion == pytest.approx(pair(*atoms))


def test_the_stretched_short_range_potential():
    """``along``: the change when all places are stretched, by differences."""
    grid = Grid(BOX, 5)
    fields = TuckerFields(grid, 1e-11, 200, np.random.default_rng(0))
    exponents = np.array([2.0, 2.0, 3.0])

    def at(stretch):
        places = stretch * np.array([[0.4, -0.3, 0.2], [-0.5, 0.1, 0.3], [1.0, 1.2, 0.0]])
        return Nuclei(np.array([1.0, 2.0, 1.5]), places, np.full(3, np.inf))

    f = [short_range(fields, at(1.0 + k * 1e-3), exponents).full() for k in (-1, 1)]
    found = short_range(fields, at(1.0), exponents, along=True).full()
    differences = (f[1] - f[0]) / 2e-3
    assert np.abs(found - differences).max() <= 1e-4 * np.abs(differences).max()


def test_the_trap():
    fields, charges = system(omega=0.7)
    assert np.allclose(charges.static, 0.5 * 0.49 * distance(fields.grid, (0, 0, 0)) ** 2, atol=1e-9)
    assert np.allclose(trap(fields.grid, 0.7).full(), charges.static, atol=1e-9)
    assert charges.nuclear_charge is None and charges.offset == 0.0
    density, _ = gaussian(fields.grid, 2.0, (0, 0, 0), 1.0)
    assert np.array_equal(charges.total_charge(density), -density)
