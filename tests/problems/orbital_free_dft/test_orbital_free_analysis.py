"""Virial, sum rule, the cost of the box, extrapolation, and the density that is looked at."""

import numpy as np
import pytest

from problems.orbital_free_dft.analysis import (
    boundary_charge,
    box_error,
    box_shift,
    identities,
    sampled_density,
)
from problems.orbital_free_dft.electrostatics import electrostatics
from problems.orbital_free_dft.energy import Energy
from problems.orbital_free_dft.extrapolation import extrapolate
from problems.orbital_free_dft.fields import DenseFields
from problems.orbital_free_dft.functionals import Functional
from problems.orbital_free_dft.grid import Grid
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.profiles import plane, profiles, radial
from solvers.formats.tucker.convert import from_full
from solvers.formats.tucker.tensor import rank_one

POINT, WIDE = np.inf, 0.9
SYSTEMS = {
    "smeared off centre": ([(2.0, (0.7, -0.4, 0.3), WIDE), (1.2, (-0.8, 0.2, -0.5), 0.7)], None),
    "points off centre": ([(1.0, (0.7, -0.4, 0.3), POINT), (0.7, (-0.8, 0.2, -0.5), POINT)], None),
    "both": ([(1.0, (0.5, -0.4, 0.3), POINT), (1.2, (-0.8, 0.2, -0.5), 0.7)], None),
    "trap": ([], 0.6),
    "trap and nuclei": ([(1.0, (0.5, -0.4, 0.3), POINT), (1.2, (-0.8, 0.2, -0.5), 0.7)], 0.6),
}


def nuclei_of(atoms):
    charges, places, widths = [a[0] for a in atoms], [a[1] for a in atoms], [a[2] for a in atoms]
    return Nuclei(np.array(charges, dtype=float), np.array(places).reshape(-1, 3), np.array(widths, dtype=float))


def stretched(grid, s):
    """s^(3/2) phi(s r) of a smooth orbital without symmetry."""
    x, y, z = (s * c for c in np.ix_(grid.x, grid.x, grid.x))
    wide = np.exp(-0.3 * (x - 0.2) ** 2 - 0.35 * (y + 0.1) ** 2 - 0.3 * z * z)
    narrow = np.exp(-0.8 * (x - 0.6) ** 2 - 0.7 * (y + 0.4) ** 2 - 0.8 * (z - 0.3) ** 2)
    return s**1.5 * (wide + 0.7 * narrow)


def energy_of(atoms, omega, functional="TFDW+pw92", box=16.0, level=5):
    fields = DenseFields(Grid(box, level))
    charges = electrostatics(fields, nuclei_of(atoms), omega, np.random.default_rng(0))
    electrons = sum(a[0] for a in atoms) or 2.0
    return Energy(fields, charges, Functional.named(functional), electrons, 1.0, 0.5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_virial_is_the_change_under_a_stretch(name):
    """Of any orbital, by differences of the energy: zero for a ground state, not for this one."""
    atoms, omega = SYSTEMS[name]
    energy = energy_of(atoms, omega, box=20.0, level=6)
    grid, step = energy.fields.grid, 0.02
    values = [energy.evaluate(energy.normalised(stretched(grid, 1.0 + k * step))).value for k in (-2, -1, 1, 2)]
    slope = (values[0] - 8.0 * values[1] + 8.0 * values[2] - values[3]) / (12.0 * step)
    phi = energy.normalised(stretched(grid, 1.0))
    now = energy.evaluate(phi)
    found = identities(energy, phi, now.value, now.extra, nuclei_of(atoms), omega)
    assert abs(slope) > 0.05
    assert found.virial == pytest.approx(slope, abs=2e-4)


@pytest.mark.parametrize("functional", ["TFW", "TFDW", "TFDW+pw92", "TFDW+vwn5"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_parts_and_sum_rule_of_any_orbital(name, functional):
    atoms, omega = SYSTEMS[name]
    energy = energy_of(atoms, omega, functional)
    phi = energy.normalised(stretched(energy.fields.grid, 1.0))
    now = energy.evaluate(phi)
    found = identities(energy, phi, now.value, now.extra, nuclei_of(atoms), omega)
    assert sum(found.components.values()) == pytest.approx(now.value, abs=1e-9)
    assert found.sum_rule == pytest.approx(0.0, abs=2e-4)  # the resolution of the narrowest Gaussian
    parts = found.components
    assert (parts["exchange"] != 0.0) is (functional != "TFW")
    assert (parts["correlation"] != 0.0) is ("+" in functional)
    assert parts["hartree"] > 0.0 and parts["thomas_fermi"] > 0.0 and (parts["nuclear"] != 0.0) is (len(atoms) > 1)


def test_the_faces_and_their_pull():
    """phi = sinh(kappa (B/2 - |x|)) decays to zero at two faces: the slope there by hand."""
    grid = Grid(16.0, 7)
    kappa = 0.6
    line = np.sinh(kappa * (8.0 - np.abs(grid.x))) / np.sinh(kappa * 8.0)
    inner = np.exp(-0.5 * grid.x**2)
    mu = -0.5 * kappa**2
    slope = kappa / np.sinh(kappa * 8.0)
    area = (np.sum(inner**2) * grid.spacing) ** 2
    found = box_error(grid, rank_one([line, inner, inner]), 1.0, mu, 0.0)
    assert found == pytest.approx(0.5 * 2.0 * slope**2 * area / (2.0 * kappa), rel=0.02)
    # lambda: the same orbital, mu for the same decay
    assert box_error(grid, rank_one([line, inner, inner]), 3.0, 3.0 * mu, 0.0) == pytest.approx(3.0 * found, rel=1e-12)
    assert box_error(grid, rank_one([line, inner, inner]), 1.0, 0.1, 0.0) == np.inf
    assert box_error(grid, rank_one([inner] * 3), 1.0, -0.1, 0.0) < 1e-20


def test_the_change_of_the_chemical_potential():
    """A share of the cost of the faces, times twice the way to them; what cannot be bound stays infinite."""
    grid = Grid(20.0, 4)
    kappa = 0.4
    found = box_shift(1e-5, grid, 1.0, -0.5 * kappa**2, 0.0)
    assert 1e-5 * 20.0 * 0.1 / kappa <= found <= 1e-5 * 20.0 * 0.2 / kappa
    assert box_shift(1e-5, grid, 1.0, -2.0, 0.0) == pytest.approx(1e-5 * 20.0 * 2.0 / 2.0)
    assert box_shift(np.inf, grid, 1.0, 0.1, 0.0) == np.inf


def test_extrapolation_of_exact_powers():
    h = [0.4, 0.2, 0.1]
    for order in (2, 3):
        found = extrapolate([1.0 + 0.3 * s**order for s in h], h, order)
        assert found.value == pytest.approx(1.0, abs=1e-13)
        assert found.error <= 1e-12
        assert found.finest_error == pytest.approx(0.3 * 0.1**order, rel=1e-9)
        two = extrapolate([1.0 + 0.3 * s**order for s in h[1:]], h[1:], order)
        assert two.value == pytest.approx(1.0, abs=1e-13)
        assert two.error == pytest.approx(0.5 * 0.3 * 0.1**order, rel=1e-9)
        # where the finest grid does not show the sharpest feature
        coarse = extrapolate([1.0 + 0.3 * s**order for s in h[1:]], h[1:], order, 0.75)
        assert coarse.value == two.value and 5.0 < coarse.error / two.error < 7.0
        assert extrapolate([1.0, 1.1], h[1:], order, 0.2) == extrapolate([1.0, 1.1], h[1:], order)
    gap = extrapolate([1.0 + 0.3 * s**3 for s in (0.8, 0.1)], (0.8, 0.1), 3)
    assert gap.value == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("order, nexts", [(3, 4), (3, 5), (2, 4)])
def test_extrapolation_covers_what_comes_next(order, nexts):
    """A further power in the error, of either sign: the estimates are not below the errors."""
    for other in (-0.8, -0.2, 0.2, 0.8):
        for first in (0.4, 0.3):
            h = [first, first / 2, first / 4]
            values = [1.0 + s**order + other * s**nexts for s in h]
            for count in (2, 3):
                found = extrapolate(values[:count], h[:count], order)
                assert abs(found.value - 1.0) <= found.error
                assert abs(values[count - 1] - 1.0) <= found.finest_error


def test_extrapolation_without_a_power():
    """The finest value, and a share of the last change: not below the error of exponentially falling ones."""
    for base in (2.0, 4.0, 8.0):
        values = [np.exp(-base * 2.0**k) for k in range(3)]
        found = extrapolate(values, [4.0, 2.0, 1.0], None)
        assert found.value == values[-1] and found.error == found.finest_error
        assert values[-1] <= found.error <= values[-2]
    same = extrapolate([1.0, 1.0, 1.0], [4.0, 2.0, 1.0], None)
    assert same.error == 0.0
    assert extrapolate([1.0, 1.1], [2.0, 1.0], None).error == pytest.approx(0.025)


def test_the_density_is_seen_where_it_is_large():
    grid = Grid(16.0, 8)
    place = (1.9, -2.4, 0.55)
    lines = [np.exp(-30.0 * (grid.x - c) ** 2) for c in place]
    density = rank_one(lines)
    nuclei = nuclei_of([(1.0, place, POINT)])
    smallest, largest, at = sampled_density(grid, density, nuclei)
    assert at == tuple(int(np.argmax(line)) for line in lines)
    assert largest == pytest.approx(density.full(2**24).max()) and 0.0 <= smallest < 1e-12
    for line in profiles(grid, density, at):
        axis = "xyz".index(line.axis)
        assert line.density.max() == pytest.approx(largest)
        assert line.position[np.argmax(line.density)] == pytest.approx(grid.x[at[axis]])
    cut = plane(grid, density, at)
    assert cut.height == pytest.approx(grid.x[at[2]]) and cut.density.shape == (len(cut.x), len(cut.y))
    r, values = radial(grid, density, nuclei, None)
    assert values[0] == pytest.approx(largest, rel=0.2) and (np.diff(r) >= 0.0).all() and values[-1] < 1e-12
    assert radial(grid, density, nuclei_of([]), None) is None
    assert radial(grid, density, nuclei, 0.5) is None


def test_charge_near_the_faces():
    grid = Grid(10.0, 5)
    density = from_full(np.full((32, 32, 32), 0.3))
    # cells whose centre is within one bohr of a face
    inside = np.sum(np.abs(grid.x) < 4.0) * grid.spacing
    assert boundary_charge(grid, density) == pytest.approx(0.3 * (1000.0 - inside**3))
    line = np.exp(-4.0 * grid.x**2)
    assert boundary_charge(grid, rank_one([line] * 3)) < 1e-12
