"""The energy of an orbital: its parts by plain sums, its gradient by differences, what leaves it unchanged."""

from functools import cache

import numpy as np
import pytest

from problems.orbital_free_dft.electrostatics import electrostatics
from problems.orbital_free_dft.energy import Energy
from problems.orbital_free_dft.fields import DenseFields
from problems.orbital_free_dft.functionals import Functional
from problems.orbital_free_dft.grid import Grid
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.formats.tucker.convert import from_full

BOX, N = 12.0, 2.7
PLACES = np.array([[0.4, -0.3, 0.2], [-0.9, 0.5, 0.3]])
FUNCTIONALS = ("TFW", "TFDW", "TFDW+pw92", "TFDW+vwn5")


def nuclei(places=PLACES):
    return Nuclei(np.array([2.0, 1.3]), places, np.array([np.inf, 0.8]))


@cache
def energy_of(functional="TFDW", kind="dense", box=BOX, level=4):
    grid = Grid(box, level)
    rng = np.random.default_rng(0)
    fields = DenseFields(grid) if kind == "dense" else TuckerFields(grid, 1e-10, 200, rng)
    charges = electrostatics(fields, nuclei(), 0.3, rng)
    return Energy(fields, charges, Functional.named(functional), N, 0.7, 0.5)


def orbital(grid):
    """Positive, no symmetry."""
    x, y, z = np.ix_(grid.x, grid.x, grid.x)
    return np.exp(-np.sqrt(0.4 + (x - 0.2) ** 2 + 1.3 * (y + 0.1) ** 2 + 0.8 * z**2 + 0.3 * x * y))


def tangent(grid, seed):
    """A random polynomial where the density is."""
    x, y, z = np.ix_(grid.x, grid.x, grid.x)
    weights = 0.1 * np.random.default_rng(seed).standard_normal((3, 3, 3))
    return np.polynomial.polynomial.polygrid3d(grid.x, grid.x, grid.x, weights) * np.exp(
        -0.25 * (x * x + y * y + z * z)
    )


def mismatch(energy, seed):
    """Slope of the value along a random direction by differences, and how far the gradient's is from it."""
    phi = energy.normalised(orbital(energy.fields.grid))
    v, step = tangent(energy.fields.grid, seed), 1e-3
    f = [energy.evaluate(energy.retract(phi, v, k * step)).value for k in (-2, -1, 1, 2)]
    slope = (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * step)
    evaluation = energy.evaluate(phi)
    found = energy.inner(phi, evaluation.gradient, v)
    # the part along phi does not count, nor does it for the preconditioned gradient
    assert energy.inner(phi, evaluation.gradient, energy.projected(phi, v)) == pytest.approx(found, rel=1e-9)
    assert energy.fields.dot(energy.precondition(phi, evaluation), phi) == pytest.approx(0.0, abs=1e-10)
    return slope, found - slope


@pytest.mark.parametrize("functional", FUNCTIONALS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gradient_is_that_of_the_value(functional, seed):
    """Along any direction, tangent or not, but for the hexadecapole at the faces, where the potential is not exact."""
    slope, error = mismatch(energy_of(functional), seed)
    assert abs(slope) > 0.02 and abs(error) <= 2e-3
    _, far = mismatch(energy_of(functional, box=2.0 * BOX, level=5), seed)
    assert abs(far) <= abs(error) / 10.0 + 1e-7


@pytest.mark.parametrize("functional", FUNCTIONALS)
def test_the_gradient_without_charges(functional):
    """All terms but the potential of the charges: exact to the differences."""
    fields = DenseFields(Grid(BOX, 4))
    none = Nuclei(np.zeros(0), np.zeros((0, 3)), np.zeros(0))
    charges = electrostatics(fields, none, 0.8, np.random.default_rng(0))
    energy = Energy(fields, NoCharges(charges), Functional.named(functional), N, 0.7, 0.5)
    for seed in range(3):
        slope, error = mismatch(energy, seed)
        assert abs(error) <= 1e-8 * max(1.0, abs(slope))


class NoCharges:
    """The trap alone."""

    def __init__(self, charges):
        self.static, self.offset = charges.static, 0.0

    def total_charge(self, density):
        return 0.0 * density

    def potential(self, charge):
        return 0.0 * charge


def test_the_parts_are_plain_sums():
    energy = energy_of("TFDW+pw92")
    fields = energy.fields
    phi = energy.normalised(orbital(fields.grid))
    evaluation = energy.evaluate(phi)
    parts, volume = evaluation.extra, fields.grid.volume
    assert np.sum(phi**2) * volume == pytest.approx(N)
    functional = Functional.named("TFDW+pw92")
    assert parts.local == pytest.approx(np.sum(functional.energy(phi) * phi) * volume)
    assert parts.weizsacker == pytest.approx(0.7 * fields.kinetic(phi, phi))
    assert parts.static == pytest.approx(np.sum(energy.charges.static * phi**2) * volume)
    total = energy.charges.nuclear_charge - phi**2
    assert parts.electrostatic - energy.charges.offset == pytest.approx(0.5 * np.sum(total * parts.potential) * volume)
    assert evaluation.value == pytest.approx(parts.weizsacker + parts.local + parts.electrostatic + parts.static)
    # mu is the derivative of the energy by the number of electrons, but for the hexadecapole
    step = 1e-4
    f = []
    for n in (N - step, N + step):
        other = Energy(fields, energy.charges, functional, n, 0.7, 0.5)
        f.append(other.evaluate(other.normalised(phi)).value)
    assert parts.chemical_potential == pytest.approx((f[1] - f[0]) / (2.0 * step), abs=1e-4)


def test_sign_and_scale_do_not_count():
    energy = energy_of()
    phi = orbital(energy.fields.grid)
    value = energy.evaluate(energy.normalised(phi)).value
    assert energy.evaluate(energy.normalised(-3.0 * phi)).value == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("order", [(1, 2, 0), (1, 0, 2)])
def test_axes_can_be_exchanged(order):
    energy = energy_of()
    phi = energy.normalised(orbital(energy.fields.grid))
    charges = electrostatics(energy.fields, nuclei(PLACES[:, order]), 0.3, np.random.default_rng(5))
    other = Energy(energy.fields, charges, energy.functional, N, 0.7, 0.5)
    turned = np.ascontiguousarray(phi.transpose(order))
    assert other.evaluate(turned).value == pytest.approx(energy.evaluate(phi).value, abs=1e-8)


def test_a_mirror_image_has_the_same_energy():
    energy = energy_of()
    phi = energy.normalised(orbital(energy.fields.grid))
    charges = electrostatics(energy.fields, nuclei(-PLACES), 0.3, np.random.default_rng(5))
    other = Energy(energy.fields, charges, energy.functional, N, 0.7, 0.5)
    assert other.evaluate(phi[::-1, ::-1, ::-1].copy()).value == pytest.approx(energy.evaluate(phi).value, abs=1e-8)


def test_a_neutral_system_can_be_moved():
    """By two cells, without a trap: only the faces notice."""
    values = []
    for shift in (0, 2):
        fields = DenseFields(Grid(20.0, 5))
        move = shift * fields.grid.spacing
        atoms = Nuclei(np.array([2.0, 1.3]), PLACES * 0.5 + [move, -move, 0.0], np.array([np.inf, 0.8]))
        charges = electrostatics(fields, atoms, None, np.random.default_rng(0))
        energy = Energy(fields, charges, Functional.named("TFDW"), 3.3, 1.0, 0.5)
        x, y, z = np.ix_(fields.grid.x - move, fields.grid.x + move, fields.grid.x)
        phi = energy.normalised(np.exp(-0.4 * (x * x + 1.2 * y * y + z * z + 0.2 * x * z)))
        values.append(energy.evaluate(phi).value)
    assert values[1] == pytest.approx(values[0], abs=2e-5)


def test_tucker_tensors_give_the_same():
    dense, tucker = energy_of("TFDW+vwn5"), energy_of("TFDW+vwn5", kind="tucker")
    phi = dense.normalised(orbital(dense.fields.grid))
    one, other = dense.evaluate(phi), tucker.evaluate(from_full(phi, 1e-13))
    assert other.value == pytest.approx(one.value, rel=1e-8)
    assert other.extra.chemical_potential == pytest.approx(one.extra.chemical_potential, rel=1e-7)
    assert np.linalg.norm(other.gradient.full() - one.gradient) <= 1e-8 * np.linalg.norm(phi)
    v = tangent(dense.fields.grid, 3)
    assert tucker.inner(None, other.gradient, from_full(v)) == pytest.approx(
        dense.inner(None, one.gradient, v), rel=1e-6
    )
