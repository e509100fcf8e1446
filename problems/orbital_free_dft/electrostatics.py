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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import erf, gamma, gammainc

from problems.orbital_free_dft.far_field import FarField, far_field
from problems.orbital_free_dft.fields import Field, Fields
from problems.orbital_free_dft.grid import Grid, from_sine
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.formats.tucker.tensor import EXACT, TuckerTensor, combine, multiply, rank_one, separable, truncated

STATIC = 1e-11  # relative accuracy of what does not depend on the density
OF_TOL = 0.1  # of the tolerance of the fields, for what is only subtracted at the end
VANISHED = 4.7  # erfc of this is 3e-11: how many lengths of the auxiliary Gaussian fit before the nearest face
PANELS, PANEL = 6, 12  # halvings towards zero and nodes of each, in the potential of wide Gaussians
ROWS, COLUMNS = 512, 24  # points and coordinates of an axis from which its basis is found
FULL = 64.0  # times the nuclei: so many entries of the tensor of distinct coordinates are summed at once
WIDEST = 1.0  # bohr^-2, smallest exponent of the auxiliary Gaussians


def boys(order: int, w: np.ndarray) -> np.ndarray:
    """The Boys function F_m(w), the integral of t^2m exp(-w t^2) over [0, 1]."""
    half = order + 0.5
    safe = np.maximum(w, 1e-12)
    return np.where(w > 1e-12, gamma(half) * gammainc(half, safe) / (2.0 * safe**half), 1.0 / (2 * order + 1))


def pair_energy(nuclei: Nuclei, exponents: np.ndarray) -> float:
    """The Coulomb energy of all pairs of Gaussian charges of these exponents, infinite for points."""
    total = 0.0
    for k in range(1, len(nuclei.charges)):
        r = np.linalg.norm(nuclei.positions[:k] - nuclei.positions[k], axis=1)
        with np.errstate(divide="ignore"):
            joint = np.sqrt(1.0 / (1.0 / exponents[:k] + 1.0 / exponents[k]))
        total += nuclei.charges[k] * float(np.sum(nuclei.charges[:k] * erf(joint * r) / r))
    return total


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
        repulsion = float(pair_energy(nuclei, nuclei.smearings))
        own = np.sum(nuclei.charges**2 * np.sqrt(exponents / (2.0 * np.pi)))
        offset = repulsion - float(own) - pair_energy(nuclei, exponents)
    if omega is not None:
        static.append((1.0, trap(grid, omega)))
    total = fields.adopt(combine(static, tol=STATIC)) if static else None
    potential = None if charge is None else nuclear_potential(fields, charge, nuclei)
    return Electrostatics(fields, charge, potential, total, repulsion, offset, far_field(grid.points))


def only(nuclei: Nuclei, chosen: np.ndarray) -> Nuclei:
    """The nuclei where ``chosen`` (K,) is true."""
    return Nuclei(nuclei.charges[chosen], nuclei.positions[chosen], nuclei.smearings[chosen])


def gaussian_exponents(nuclei: Nuclei, box: float) -> np.ndarray:
    """The exponents (K,) of the Gaussians: the smearing, or for a point one that has vanished at the nearest face."""
    nearest = 0.5 * box - np.abs(nuclei.positions).max(axis=1, initial=0.0)
    return np.where(np.isinf(nuclei.smearings), np.maximum(WIDEST, (VANISHED / nearest) ** 2), nuclei.smearings)


def nuclear_potential(fields: Fields, charge: Field, nuclei: Nuclei) -> Field:
    """The free potential of the Gaussians: wider ones at the same places, in closed form, and the box for the rest.

    A lattice alone has moments of every order; the rest has none, for each pair of Gaussians is spherical about its
    nucleus. One exponent, of the widest Gaussian that has vanished at the nearest face: a smooth sum, of low rank.
    """
    grid = fields.grid
    exponent = (VANISHED / (0.5 * grid.box - nuclei.reach)) ** 2
    wide = gaussians(grid, nuclei, np.full(len(nuclei), exponent))
    rest = fields.combine([(1.0, charge), (-1.0, fields.adopt(wide))])
    smooth = wide_potential(grid, nuclei, exponent, max(STATIC, OF_TOL * fields.tol))
    return fields.combine([(1.0, fields.poisson(rest)), (1.0, fields.adopt(smooth))])


def wide_potential(grid: Grid, nuclei: Nuclei, exponent: float, tol: float) -> TuckerTensor:
    """sum_a Z_a erf(sqrt(exponent) r_a)/r_a within ``tol``: (2/sqrt(pi)) int exp(-t^2 r^2) dt up to sqrt(exponent).

    Gauss and Legendre on panels that halve towards zero, each Gaussian a product over the axes, all of them in one
    basis of an axis, found on few of the points and columns. K nuclei cost some 80 K r^3, a lattice 80 r^4.
    """
    x0, w0 = np.polynomial.legendre.leggauss(PANEL)
    ends = np.concatenate([[0.0], 2.0 ** -np.arange(PANELS, -1.0, -1.0)]) * np.sqrt(exponent)
    t = np.concatenate([a + 0.5 * (b - a) * (x0 + 1.0) for a, b in pairwise(ends)])
    weights = np.concatenate([(b - a) * w0 for a, b in pairwise(ends)]) / np.sqrt(np.pi)
    places, index = distinct(nuclei.positions)
    few = np.unique(np.linspace(0, grid.points - 1, min(grid.points, ROWS)).astype(int))
    bases, shares = [], []
    for at in places:
        some = at[np.unique(np.linspace(0, len(at) - 1, min(len(at), COLUMNS)).astype(int))]

        def columns(x: np.ndarray, at: np.ndarray) -> np.ndarray:
            return np.exp(-((t[:, None, None] * (x[:, None] - at)) ** 2))

        sample = np.concatenate(list(columns(grid.x[few], some)), axis=1)
        _, s, vt = np.linalg.svd(sample, full_matrices=False)
        rank = int(np.sum(s > 1e-2 * tol * s[0]))
        basis = sum(c @ v for c, v in zip(columns(grid.x, some), np.split(vt[:rank].T / s[:rank], len(t)), strict=True))
        bases.append(basis)
        inverse = np.linalg.pinv(basis[few])
        shares.append([inverse @ c for c in columns(grid.x[few], at)])
    core = np.zeros([basis.shape[1] for basis in bases])
    for k, weight in enumerate(weights):
        core += weight * _summed([part[k] for part in shares], index, nuclei.charges)
    pairs = [np.linalg.qr(basis) for basis in bases]
    return truncated(multiply(core, [r for _, r in pairs]), [q for q, _ in pairs], tol=tol)


def distinct(positions: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """The distinct coordinates of each axis, and which of them every nucleus has (K, 3)."""
    found = [np.unique(positions[:, m], return_inverse=True) for m in range(3)]
    return [places for places, _ in found], np.stack([inverse.ravel() for _, inverse in found], axis=1)


def _summed(columns: Sequence[np.ndarray], index: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sum_k weights[k] of the products of the columns index[k] of three matrices (r, u)."""
    if np.prod([float(c.shape[1]) for c in columns]) <= FULL * len(index):
        core = np.zeros([c.shape[1] for c in columns])
        np.add.at(core, tuple(index.T), weights)
        return multiply(core, list(columns))
    a, b, c = (part[:, at] for part, at in zip(columns, index.T, strict=True))
    return np.tensordot((weights * a)[:, None] * b, c, axes=(2, 1))


def product_sum(
    grid: Grid, positions: np.ndarray, weights: np.ndarray, factors: Sequence[Callable[[np.ndarray], np.ndarray]]
) -> TuckerTensor:
    """sum_k weights[k] f_x(X_k) f_y(Y_k) f_z(Z_k), ``factors`` from coordinates (u,) to columns (n, u)."""
    # a lattice has few of them
    places, index = distinct(positions)
    columns = [f(at) for f, at in zip(factors, places, strict=True)]
    if np.prod([float(len(at)) for at in places]) > FULL * len(weights):
        return separable([c[:, at] for c, at in zip(columns, index.T, strict=True)], weights)
    pairs = [np.linalg.qr(c) for c in columns]
    return truncated(_summed([r for _, r in pairs], index, weights), [q for q, _ in pairs], tol=EXACT)


def gaussians(grid: Grid, nuclei: Nuclei, exponents: np.ndarray) -> TuckerTensor:
    """sum_a Z_a (a/pi)^(3/2) exp(-a |r - R_a|^2) at the points."""
    terms = []
    for a in np.unique(exponents):

        def column(at: np.ndarray, a: float = a) -> np.ndarray:
            return np.sqrt(a / np.pi) * np.exp(-a * (grid.x[:, None] - at) ** 2)

        group = only(nuclei, exponents == a)
        terms.append((1.0, product_sum(grid, group.positions, group.charges, [column] * 3)))
    return terms[0][1] if len(terms) == 1 else combine(terms, tol=EXACT)


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

        def divided(a: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, aux: float = aux) -> np.ndarray:
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
