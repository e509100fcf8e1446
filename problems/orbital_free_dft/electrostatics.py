"""Charges and their potentials in free space, from a box with zero values on its faces.

The potential of a charge is that of the sine basis, zero on the faces, and what its multipoles up to l = 6 add to that
in free space (far_field). The charge is the total one, nuclei minus electrons, so what is large cancels before
anything is approximated.

A Gaussian nucleus is a product of three functions, many of them a sum of products. A point nucleus is a Gaussian of
exponent ``aux`` for the potential above, and the difference of the two potentials, which has no far part:
    V_short = sum_a Z_a (1 - erf(sqrt(aux) r_a)) / r_a,      4 pi (1 - exp(-k^2 / 4 aux)) / k^2 in the sine basis,
limited to the waves of the grid, as the orbital is: the energy errs by O(h^3), wherever in a cell the nucleus sits.
With second differences (error O(h^2)) it is averaged over the cells. A Gaussian's potential in closed form is
V = 2 sqrt(a / pi) F_0(a r^2), F_0 the Boys function. All tensors are Tucker; letters: K nuclei, r ranks; cost of a
grid's set-up 3 n K min(n, K).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, gamma, gammainc

from problems.orbital_free_dft.far_field import FarField, far_field
from problems.orbital_free_dft.fields import Field, Fields
from problems.orbital_free_dft.grid import Grid, from_sine
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.tucker import TuckerTensor, combine, rank_one, separable

STATIC = 1e-11  # relative accuracy of what does not depend on the density
OF_TOL = 0.1  # of the tolerance of the fields, for what is only subtracted at the end
VANISHED = 4.7  # erfc of this is 3e-11: how many lengths of the auxiliary Gaussian fit before the nearest face
WIDEST = 1.0  # bohr^-2, smallest exponent of the auxiliary Gaussians


def boys(order: int, w: np.ndarray) -> np.ndarray:
    """The Boys function F_m(w), the integral of t^2m exp(-w t^2) over [0, 1]."""
    half = order + 0.5
    safe = np.maximum(w, 1e-12)
    return np.where(w > 1e-12, gamma(half) * gammainc(half, safe) / (2.0 * safe**half), 1.0 / (2 * order + 1))


def pair_energy(nuclei: Nuclei, exponents: np.ndarray) -> float:
    """The Coulomb energy of all pairs of Gaussian charges of these exponents, infinite for points."""
    distance = np.linalg.norm(nuclei.positions[:, None] - nuclei.positions[None], axis=-1)
    first, second = np.triu_indices(len(nuclei.charges), 1)
    a, b, r = exponents[first], exponents[second], distance[first, second]
    with np.errstate(divide="ignore"):
        joint = np.sqrt(1.0 / (1.0 / a + 1.0 / b))
    return float(np.sum(nuclei.charges[first] * nuclei.charges[second] * erf(joint * r) / r))


@dataclass(frozen=True, eq=False)
class Electrostatics:
    """What electrons feel and what the nuclei have among themselves, on one grid, as fields of one format.

    ``nuclear_charge``: the Gaussians (None without nuclei); ``nuclear_potential``: theirs in free space; ``static``:
    potential energy an electron apart from that: point nuclei beyond their Gaussians, and the trap (None for
    neither); ``offset``: the nuclear repulsion minus the self and pair energies of the Gaussians.
    """

    fields: Fields
    nuclear_charge: Field | None
    nuclear_potential: Field | None
    static: Field | None
    nuclear_repulsion: float
    offset: float
    far: FarField

    def potential(self, charge: Field) -> Field:
        """The potential of a charge in free space."""
        fields, far = self.fields, self.far
        bound = fields.poisson(charge)
        core, _ = far.correction(fields.projected(charge, far.basis))
        core *= 2.0 / fields.grid.box
        size = float(np.linalg.norm(core) * np.linalg.norm(far.basis, axis=0).max() ** 3 * np.sqrt(fields.grid.volume))
        if size <= OF_TOL * fields.tol * np.sqrt(fields.dot(bound, bound)):
            return bound
        return fields.combine([(1.0, bound), (1.0, fields.adopt(TuckerTensor(core, (far.basis,) * 3)))])

    def total_charge(self, density: Field) -> Field:
        """Nuclei minus electrons."""
        if self.nuclear_charge is None:
            return self.fields.combine([(-1.0, density)])
        return self.fields.combine([(1.0, self.nuclear_charge), (-1.0, density)])


def electrostatics(fields: Fields, nuclei: Nuclei, omega: float | None, rng: np.random.Generator) -> Electrostatics:
    """All static fields of a problem on the grid of ``fields``; ``omega``: of a trap, or None."""
    grid = fields.grid
    builder = TuckerFields(grid, STATIC, 10_000, rng)
    static: list[tuple[float, TuckerTensor]] = []
    charge, repulsion, offset = None, 0.0, 0.0
    if len(nuclei.charges):
        exponents = gaussian_exponents(nuclei, grid.box)
        charge = fields.adopt(gaussians(grid, nuclei, exponents))
        if nuclei.points.any():
            points = only(nuclei, nuclei.points)
            static.append((-1.0, short_range(builder, points, exponents[nuclei.points])))
        repulsion = pair_energy(nuclei, nuclei.smearings)
        own = np.sum(nuclei.charges**2 * np.sqrt(exponents / (2.0 * np.pi)))
        offset = repulsion - float(own) - pair_energy(nuclei, exponents)
    if omega is not None:
        static.append((1.0, trap(grid, omega)))
    total = fields.adopt(combine(static, tol=STATIC)) if static else None
    potential = None if charge is None else nuclear_potential(fields, charge, nuclei, rng)
    return Electrostatics(fields, charge, potential, total, repulsion, offset, far_field(grid.points))


def only(nuclei: Nuclei, chosen: np.ndarray) -> Nuclei:
    """The nuclei where ``chosen`` (K,) is true."""
    return Nuclei(nuclei.charges[chosen], nuclei.positions[chosen], nuclei.smearings[chosen])


def gaussian_exponents(nuclei: Nuclei, box: float) -> np.ndarray:
    """The exponents (K,) of the Gaussians: the smearing, or for a point one that has vanished at the nearest face."""
    nearest = 0.5 * box - np.abs(nuclei.positions).max(axis=1, initial=0.0)
    return np.where(np.isinf(nuclei.smearings), np.maximum(WIDEST, (VANISHED / nearest) ** 2), nuclei.smearings)


def nuclear_potential(fields: Fields, charge: Field, nuclei: Nuclei, rng: np.random.Generator) -> Field:
    """The free potential of the Gaussians: wider ones at the same places, in closed form, and the box for the rest.

    A lattice alone has moments of every order; the rest has none, for each pair of Gaussians is spherical about its
    nucleus. One exponent, of the widest Gaussian that has vanished at the nearest face: a smooth sum, of low rank.
    """
    grid = fields.grid
    wide = np.full(len(nuclei), (VANISHED / (0.5 * grid.box - nuclei.reach)) ** 2)
    rest = fields.combine([(1.0, charge), (-1.0, fields.adopt(gaussians(grid, nuclei, wide)))])
    height = 2.0 * np.sqrt(wide[0] / np.pi)

    def closed(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape))
        for z_a, r in zip(nuclei.charges, nuclei.positions, strict=True):
            total += z_a * height * boys(0, wide[0] * ((x - r[0]) ** 2 + (y - r[1]) ** 2 + (z - r[2]) ** 2))
        return total

    builder = TuckerFields(grid, max(STATIC, OF_TOL * fields.tol), 10_000, rng)
    smooth = builder.pointwise("nuclei", closed, [], coordinates=[grid.x] * 3)
    return fields.combine([(1.0, fields.poisson(rest)), (1.0, fields.adopt(smooth))])


def gaussians(grid: Grid, nuclei: Nuclei, exponents: np.ndarray) -> TuckerTensor:
    """sum_a Z_a (a/pi)^(3/2) exp(-a |r - R_a|^2) at the points."""
    factors = [
        np.sqrt(exponents / np.pi) * np.exp(-exponents * (grid.x[:, None] - nuclei.positions[:, m]) ** 2)
        for m in range(3)
    ]
    return separable(factors, nuclei.charges)


def short_range(fields: TuckerFields, nuclei: Nuclei, exponents: np.ndarray, along: bool = False) -> TuckerTensor:
    """V_short of point nuclei; with ``along``, sum_a R_a . grad_a V_short,a: its change when places are stretched."""
    grid = fields.grid
    # point nuclei near different faces have different Gaussians: one cross each
    terms = []
    for aux in np.unique(exponents):
        group = only(nuclei, exponents == aux)
        waves = [grid.point_charge(group.positions[:, m]) for m in range(3)]
        weights = group.charges
        if along:
            tilted = [grid.point_dipole(group.positions[:, m]) for m in range(3)]
            waves = [np.hstack([tilted[k] if k == m else waves[k] for m in range(3)]) for k in range(3)]
            weights = np.concatenate([weights * group.positions[:, m] for m in range(3)])
        squares = [grid.wave_numbers**2] * 3
        delta = separable(waves, weights)
        if grid.laplacian != "spectral":
            cell = np.sinc(grid.wave_numbers * grid.spacing / (2.0 * np.pi))[:, None]
            delta = delta.mapped([times(cell)] * 3)

        def divided(a, x, y, z, aux=aux):
            return -4.0 * np.pi * a * np.expm1(-(x + y + z) / (4.0 * aux)) / (x + y + z)

        terms.append((1.0, fields.pointwise("short range", divided, [delta], coordinates=squares)))
    return combine(terms, tol=STATIC).mapped([from_sine] * 3)


def times(column: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The map of factor columns that multiplies each by ``column`` (n, 1)."""
    return lambda columns: column * columns


def trap(grid: Grid, omega: float) -> TuckerTensor:
    """omega^2 r^2 / 2."""
    square, one = 0.5 * (omega * grid.x) ** 2, np.ones(grid.points)
    return combine([(1.0, rank_one([square if k == m else one for k in range(3)])) for m in range(3)])
