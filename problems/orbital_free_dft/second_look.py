"""Second looks at a ground state, by routes that share neither grid nor arithmetic with it.

    electrons, Thomas-Fermi and exchange-correlation energy   the orbital's sine series between the grid points, Gauss
                                                              quadrature on panels that are finer about the nuclei
    electrostatic energy of the whole charge                  1/r as a sum of Gaussians, each a product over the axes:
                                                              no box, no multipoles, no Poisson equation
    virial theorem, sum rule                                  residuals against what the errors allow
Each judge's own error is found too and granted, the quadrature's from two orders. Cost: POINTS^3 values, and for the
Gaussians some 70 (3 n r^2 + r^4).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from problems.orbital_free_dft.functionals import C_TF, C_X, Functional
from problems.orbital_free_dft.grid import Grid, from_sine, to_sine
from problems.orbital_free_dft.nuclei import Nuclei
from solvers.formats.tucker.tensor import TuckerTensor, multiply
from solvers.measured import amount, numeral
from solvers.solution import Checked

if TYPE_CHECKING:
    from problems.orbital_free_dft.result import LevelResult

POINTS, ORDERS = 84, (3, 4)  # about so many an axis, at most; of Gauss and Legendre on a panel
ALLOWED = 3.0  # stated errors
OF_ACCURACY = 0.1  # what is not worth a contradiction
COARSE = 128  # points an axis for Gaussians wider than the spacing of so many
NARROW = 25.0  # over the edge of the box: narrower Gaussians see no image across a face
STEP = 0.24  # of ln t in the sum of Gaussians for 1/r: 1e-9


def quadrature(
    grid: Grid, orbital: TuckerTensor, functional: Functional, nuclei: Nuclei, sharpest: float
) -> dict[str, tuple[float, float]]:
    """Electrons and the local parts of the energy, each with the error of the quadrature."""
    edges = [_edges(grid.box, np.unique(nuclei.positions[:, m].round(6)), sharpest) for m in range(3)]
    found = []
    for order in ORDERS:
        x0, w0 = np.polynomial.legendre.leggauss(order)
        nodes = [((e[1:] + e[:-1])[:, None] + (e[1:] - e[:-1])[:, None] * x0).ravel() / 2.0 for e in edges]
        weights = [((e[1:] - e[:-1])[:, None] * w0).ravel() / 2.0 for e in edges]
        factors = [at_places(grid, u, x) for u, x in zip(orbital.factors, nodes, strict=True)]
        # plane by plane, or a million points take the memory of ten functions
        sums = np.zeros(4)
        for row, weight in zip(factors[0], weights[0], strict=True):
            phi = multiply(orbital.core, [row[None], factors[1], factors[2]])[0]
            square, third = phi * phi, np.cbrt(phi) ** 2
            values = [square, C_TF * square * third**2]
            values += [-C_X * square * third if functional.exchange else 0.0 * phi]
            values += [functional.correlated(phi)[0] * square]
            sums += weight * np.array([weights[1] @ v @ weights[2] for v in values])
        found.append(sums)
    names = ("electrons", "thomas_fermi", "exchange", "correlation")
    return {name: (float(a), abs(float(a - b))) for name, b, a in zip(names, *found, strict=True)}


def at_places(grid: Grid, columns: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Columns (n, r) at other places (p,) by their sine series, (p, r)."""
    waves = to_sine(columns) * np.sqrt(2.0 / grid.points)
    waves[-1] *= np.sqrt(0.5)
    return np.sin(np.outer(x + 0.5 * grid.box, grid.wave_numbers)) @ waves


def _edges(box: float, centres: np.ndarray, sharpest: float) -> np.ndarray:
    """Panels of an axis, as fine about each centre as the distance from it or a tenth of the sharpest feature."""
    if not len(centres) or len(centres) > 8:
        return np.linspace(-0.5 * box, 0.5 * box, POINTS // ORDERS[-1] + 1)
    fine = np.linspace(-0.5 * box, 0.5 * box, 20_001)
    middle = 0.5 * (fine[1:] + fine[:-1])
    density = 4.0 / box + np.sum(1.0 / (np.abs(middle[:, None] - centres) + 0.2 / sharpest), axis=1)
    ends = np.concatenate([[-0.5 * box], centres, [0.5 * box]])
    shares = np.concatenate([[0.0], np.cumsum(density)]) * POINTS / ORDERS[-1] / density.sum()
    at = np.interp(ends, fine, shares)
    pieces = [np.linspace(a, b, max(2, int(np.ceil(b - a)) + 1)) for a, b in itertools.pairwise(at)]
    edges = np.interp(np.unique(np.concatenate(pieces)), shares, fine)
    return np.unique(np.concatenate([edges, ends]))


def coulomb_energy(grid: Grid, charge: TuckerTensor) -> float:
    """(1/2) int int rho rho'/|r - r'| with 1/r = (2/sqrt(pi)) int exp(-t^2 r^2) dt by the trapezoidal rule in ln t.

    Wide Gaussians act on the longest waves at COARSE points, narrow ones on the sine coefficients.
    """
    waves = [to_sine(u) for u in charge.factors]
    few = min(grid.points, COARSE)
    spacing = grid.box / few
    coarse = [from_sine(w[:few]) * np.sqrt(few / grid.points) for w in waves]
    apart = spacing * (np.arange(few)[:, None] - np.arange(few))
    sharp = 4.0 * grid.wave_numbers[-1]
    # what is wider than anything sees the whole charge alone: the rest of the series is geometric
    first = 1e-4 / grid.box
    whole = float(multiply(charge.core, [u.sum(axis=0)[None] for u in charge.factors]).item()) * grid.volume
    total = whole**2 * first / np.expm1(STEP)
    for u in np.arange(np.log(first), np.log(1e3 * sharp), STEP):
        t = float(np.exp(u))
        if t * grid.box <= NARROW:
            kernel = np.exp(-((t * apart) ** 2)) * spacing**2
            grams = [c.T @ (kernel @ c) for c in coarse]
        else:
            kernel = np.exp(-((0.5 * grid.wave_numbers / t) ** 2)) * np.sqrt(np.pi) / t * grid.spacing
            grams = [w.T @ (kernel[:, None] * w) for w in waves]
        total += t * float(np.vdot(charge.core, multiply(charge.core, grams)))
    return total * STEP / np.sqrt(np.pi)


def compared(
    level: LevelResult,
    electrons: float,
    component_errors: dict[str, float],
    local: dict[str, tuple[float, float]],
    virial_error: float,
    accuracy: float,
    order: int | None,
) -> Iterator[Checked]:
    """Every second look at one grid; ``local``: of ``quadrature``, ``order``: the power of the spacing in its error."""
    granted = OF_ACCURACY * accuracy
    count, own = local["electrons"]
    # the orbital is normalised by its own inner product: between the points nothing new may appear
    allowed = 1e-5 * electrons + ALLOWED * own + granted / max(1.0, abs(level.chemical_potential))
    yield Checked(
        "electrons",
        "Gauss quadrature of the orbital between the grid points",
        f"{numeral(count, digits=8)} of {numeral(electrons, digits=8)}, allowed {amount(allowed)}",
        bool(abs(count - electrons) <= allowed),
    )
    names = [name for name in ("thomas_fermi", "exchange", "correlation") if level.components[name] != 0.0]
    excess, worst = max(
        (abs(local[n][0] - level.components[n]) - ALLOWED * (component_errors[n] + local[n][1]) - granted, n)
        for n in names
    )
    value, own = local[worst]
    yield Checked(
        f"{worst.replace('_', '-')} energy",
        "Gauss quadrature of the orbital between the grid points",
        f"{numeral(value, digits=8)} hartree beside {numeral(level.components[worst], digits=8)}, its error "
        f"{amount(own)}, stated {amount(component_errors[worst])}",
        bool(excess <= 0.0),
    )
    if level.electrostatic:
        ours, theirs = level.electrostatic
        allowed = ALLOWED * (level.errors["truncation"] + level.errors["box"]) + granted
        if order == 2:  # of second differences, the potential errs as the square of the spacing
            allowed += ALLOWED * (component_errors["hartree"] + component_errors["external"])
        yield Checked(
            "electrostatic energy",
            "1/r as a sum of Gaussians, without a box",
            f"{numeral(theirs, digits=8)} hartree beside {numeral(ours, digits=8)}, allowed {amount(allowed)}",
            bool(abs(ours - theirs) <= allowed),
        )
    allowed = ALLOWED * virial_error + granted
    yield Checked(
        "virial theorem",
        "the energy does not change when the orbital is stretched",
        f"residual {amount(level.virial)} hartree, allowed {amount(allowed)}",
        bool(abs(level.virial) <= allowed),
    )
    allowed = ALLOWED * (component_errors["hartree"] + component_errors["external"]) + granted
    yield Checked(
        "sum rule",
        "the energy from the chemical potential and the parts",
        f"residual {amount(level.sum_rule)} hartree, allowed {amount(allowed)}",
        bool(abs(level.sum_rule) <= allowed),
    )
