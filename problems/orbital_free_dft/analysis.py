"""What a ground state says besides its energy: parts, virial and sum rule, the cost of the box, smallest density.

    virial    2 (T_w + T_TF) - int rho r.grad v_ext + E_H + E_x + 3 (int v_c rho - E_c) = 0
    sum rule  E = N mu - (2/3) T_TF - E_H - (1/3) E_x + E_c - int v_c rho + E_nuclear

The first follows from stretching the orbital about the origin and is a true test of grid and descent; the second only
of the bookkeeping. For a Gaussian nucleus a at R, with V_H the potential of the electrons,
    int rho r.grad v = -int rho v - (2 pi / a) int rho g + int (R.grad_R g) V_H,
and for a point the middle term is absent and R.grad_R of its short-range potential joins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.orbital_free_dft.electrostatics import gaussian_exponents, gaussians, only, short_range, trap
from problems.orbital_free_dft.energy import Energy, Parts
from problems.orbital_free_dft.fields import Field, Fields
from problems.orbital_free_dft.functionals import C_TF, C_X
from problems.orbital_free_dft.grid import Grid, to_sine
from problems.orbital_free_dft.nuclei import Nuclei
from problems.orbital_free_dft.tucker_fields import TuckerFields
from solvers.formats.tucker.tensor import TuckerTensor, dot, separable

SAMPLES = 64  # points an axis at which the density is looked at
NEAR_FACE = 0.1  # of the box, from each face
HARDNESS = 0.15  # hartree, d mu / d N of neutral systems: 0.05 to 0.12 seen, the more the tighter bound


@dataclass(frozen=True)
class Identities:
    """Parts of the energy, and the residuals of the two identities (hartree)."""

    components: dict[str, float]
    virial: float
    sum_rule: float


def identities(
    energy: Energy, phi: Field, value: float, parts: Parts, nuclei: Nuclei, omega: float | None
) -> Identities:
    """Components, virial and sum rule of an orbital whose energy is ``value``."""
    fields, charges, functional = energy.fields, energy.charges, energy.functional
    density = parts.density
    thomas_fermi = fields.dot(phi, fields.pointwise("7/3", lambda u: C_TF * np.cbrt(u) ** 4 * u, [phi]))
    exchange = correlation = pressure = 0.0
    if functional.exchange:
        exchange = -fields.dot(phi, fields.pointwise("5/3", lambda u: C_X * np.cbrt(u) ** 2 * u, [phi]))
    if functional.correlation is not None:
        correlation, pressure = (
            fields.dot(phi, fields.pointwise(f"correlation {i}", lambda u, i=i: functional.correlated(u)[i] * u, [phi]))
            for i in (0, 1)
        )
    attraction = 0.0
    if charges.nuclear_potential is not None:
        attraction = -fields.dot(charges.nuclear_potential, density)
        potential = fields.combine([(1.0, charges.nuclear_potential), (-1.0, parts.potential)])
    else:
        potential = fields.combine([(-1.0, parts.potential)])
    # electrostatic = hartree + attraction by the Gaussians + nuclear
    hartree = parts.electrostatic - attraction - charges.nuclear_repulsion
    trapped = 0.0 if omega is None else fields.dot(fields.adopt(trap(fields.grid, omega)), density)
    external = attraction + parts.static
    stretched = 2.0 * trapped - (external - trapped)
    stretched += _places(fields, nuclei, density, potential)
    virial = 2.0 * (parts.weizsacker + thomas_fermi) - stretched + hartree + exchange + 3.0 * (pressure - correlation)
    rest = -2.0 / 3.0 * thomas_fermi - hartree - exchange / 3.0 + correlation - pressure + charges.nuclear_repulsion
    components = {
        "weizsacker": parts.weizsacker,
        "thomas_fermi": thomas_fermi,
        "external": external,
        "hartree": hartree,
        "exchange": exchange,
        "correlation": correlation,
        "nuclear": charges.nuclear_repulsion,
    }
    return Identities(components, virial, value - (energy.electrons * parts.chemical_potential + rest))


def _places(fields: Fields, nuclei: Nuclei, density: Field, hartree: Field) -> float:
    """The part of int rho r.grad v_ext that knows where nuclei are and how wide."""
    if not len(nuclei):
        return 0.0
    grid, total = fields.grid, 0.0
    exponents = gaussian_exponents(nuclei, grid.box)
    smeared = ~nuclei.points
    if smeared.any():
        some = only(nuclei, smeared)
        wide = Nuclei(some.charges * 2.0 * np.pi / some.smearings, some.positions, some.smearings)
        total -= fields.dot(fields.adopt(gaussians(grid, wide, some.smearings)), density)
    if np.any(nuclei.positions != 0.0):
        total += fields.dot(fields.adopt(_moved(grid, nuclei, exponents)), hartree)
        if nuclei.points.any():
            builder = TuckerFields(grid, 1e-10, 10_000, np.random.default_rng(0))
            short = short_range(builder, only(nuclei, nuclei.points), exponents[nuclei.points], along=True)
            total += fields.dot(fields.adopt(short), density)
    return total


def _moved(grid: Grid, nuclei: Nuclei, exponents: np.ndarray) -> TuckerTensor:
    """sum_a R_a . grad_R of the Gaussian charges."""
    offsets = [grid.x[:, None] - nuclei.positions[:, m] for m in range(3)]
    plain = [np.sqrt(exponents / np.pi) * np.exp(-exponents * o**2) for o in offsets]
    tilted = [
        2.0 * exponents * o * g * nuclei.positions[:, m] for m, (o, g) in enumerate(zip(offsets, plain, strict=True))
    ]
    factors = [np.hstack([tilted[k] if k == m else plain[k] for m in range(3)]) for k in range(3)]
    return separable(factors, np.tile(nuclei.charges, 3))


def box_error(grid: Grid, orbital: TuckerTensor, weight: float, mu: float, wall: float) -> float:
    """What the energy would fall by in an infinite box, to leading order.

    Moving the faces outwards changes the energy by -(lambda/2) times the integral of (d phi / dn)^2 over them
    (Hadamard), which falls like exp(-2 kappa x), kappa^2 = 2 (wall - mu) / lambda, ``wall`` the potential at the
    faces. Infinite where the electrons are not bound.
    """
    if not wall > mu:
        return float("inf")
    slopes = np.sqrt(2.0 / grid.points) * grid.wave_numbers
    signs = np.where(np.arange(1, grid.points + 1) % 2, -1.0, 1.0)
    waves = [to_sine(u) for u in orbital.factors]
    flux = 0.0
    for axis in range(3):
        for side in (slopes, slopes * signs):
            rows = [side[None] if m == axis else None for m in range(3)]
            face = TuckerTensor(
                orbital.core, tuple(u if r is None else r @ u for u, r in zip(waves, rows, strict=True))
            )
            flux += dot(face, face).real * grid.spacing**2
    return 0.5 * weight * flux / (2.0 * np.sqrt(2.0 * (wall - mu) / weight))


def box_shift(cost: float, grid: Grid, weight: float, mu: float, wall: float) -> float:
    """What the chemical potential changes by in an infinite box, from the ``cost`` of the faces to the energy.

    mu = dE/dN: the cost goes as exp(-kappa B), and kappa changes with N by way of mu, whose own derivative is the
    hardness.
    """
    if not np.isfinite(cost):
        return cost
    kappa = np.sqrt(2.0 * (wall - mu) / weight)
    return float(cost * grid.box / (weight * kappa) * max(HARDNESS, wall - mu))


def sampled_density(grid: Grid, density: TuckerTensor, nuclei: Nuclei) -> tuple[float, float, tuple[int, int, int]]:
    """Smallest and largest density seen on a coarse block and around the nuclei, and the indices of the largest."""
    stride = np.unique(np.linspace(0, grid.points - 1, SAMPLES).astype(int))
    middle = grid.points // 2
    rows = []
    for m in range(3):
        near = np.floor((nuclei.positions[:, m] + 0.5 * grid.box) / grid.spacing).astype(int)
        near = np.clip(np.concatenate([near, near - 1, [middle]]), 0, grid.points - 1)
        rows.append(np.unique(np.concatenate([stride, near[:SAMPLES]])))
    block = density.block(rows)
    at = np.unravel_index(int(np.argmax(block)), block.shape)
    top = tuple(int(rows[m][at[m]]) for m in range(3))
    return float(block.min()), float(block.max()), (top[0], top[1], top[2])


def boundary_charge(grid: Grid, density: TuckerTensor) -> float:
    """Electrons within NEAR_FACE of the box of a face."""
    inner = np.abs(grid.x) < (0.5 - NEAR_FACE) * grid.box
    sums: Sequence[np.ndarray] = [u.sum(axis=0) for u in density.factors]
    inside: Sequence[np.ndarray] = [u[inner].sum(axis=0) for u in density.factors]
    everything, within = (float(np.einsum("abc,a,b,c", density.core, *s)) for s in (sums, inside))
    return (everything - within) * grid.volume
