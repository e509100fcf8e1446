"""Levels of a force field on points in place of any basis: the judge of its bases.

On n_k points of mode k the kinetic energy is the sinc function's matrix, and the potential is its values (Colbert,
Miller, J. Chem. Phys. 96, 1982 (1992), eq. 2.4): no harmonic function, no mean field and no matrix element of a power
of q is in it. Box and spacing follow from the potential and the highest level, and a second, wider and finer grid says
what they cost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from problems.exact_levels import LARGEST, of_product
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.rotation import PARTS, momentum_matrices
from problems.report_parts import Effort
from problems.result import Results
from problems.route import NotReached, Route
from solvers.measured import amount

GRID_MODES = 3  # modes of a field that a grid of points holds
FINER = 1.3  # times the energies, of the second grid: wider and finer by some 14 % in every mode
QUANTA = 6.0  # of each mode, beyond the levels, that the first grid holds
CAP = 3.0  # times all energies held: the potential is cut there, which keeps Lanczos short
SHARE = 0.3  # of the accuracy, between two grids
GROWN, STEPS = 1.1, 200  # the box grows by steps until the potential is high enough on all of its faces
ROUNDS = 6
MORE_FUNCTIONS = 4  # functions a mode, beyond those of the run


def routes(field: ForceField, sizes: Sequence[int], n_states: int, accuracy: float) -> list[Route]:
    """Other routes to the levels of a run with ``sizes`` functions of each mode of the field."""
    larger = [size + MORE_FUNCTIONS for size in sizes]
    text = f"{MORE_FUNCTIONS} functions more in every mode"
    found = [Route("basis", text, {"problem.basis.functions": larger})]
    if field.d <= GRID_MODES:
        text = "a grid of points in place of all bases, diagonalised without tensor trains"

        def direct(problem: object, solver: object) -> Results:
            return on_grid(field, n_states, accuracy)

        found.append(Route("grid", text, direct=direct, effort=Effort(20.0, 600.0)))
    return found


def on_grid(field: ForceField, count: int, accuracy: float) -> Results:
    """The ``count`` lowest levels on two grids; the error of a level is what it moved by between them.

    Raises NotReached where the potential is unbounded below, or the grids become too large.
    """
    excitation, quanta = _highest(field, count), QUANTA
    for _ in range(ROUNDS):
        coarse, _ = _levels(field, count, excitation + (1.0 + quanta) * field.frequencies)
        fine, residuals = _levels(field, count, FINER * (excitation + (1.0 + quanta) * field.frequencies))
        moved = np.abs(fine - coarse) + residuals
        span = float(fine[-1] - fine[0])
        if moved.max() <= SHARE * accuracy and span <= 1.2 * excitation:
            return {"energies": fine, "error_estimates": moved, "unit": field.unit}
        excitation, quanta = max(excitation, span), 1.5 * quanta
    raise NotReached(f"the grids differ by {amount(moved.max())} {field.unit}, more than the accuracy asked for")


def _highest(field: ForceField, count: int) -> float:
    """The excitation of the ``count``-th level, harmonically."""
    sums = np.zeros(1)
    for w in field.frequencies:
        sums = np.sort((sums[:, None] + w * np.arange(count)).ravel())[:count]
    return float(sums[-1])


def _levels(field: ForceField, count: int, energies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels and their residuals on a grid that holds ``energies[k]`` above the minimum in mode k."""
    box, lowest = _box(field, energies)
    axes, kinetic = [], []
    parts: list[np.ndarray] = []  # of every mode, with momenta
    for (a, b), w, energy in zip(box, field.frequencies, energies):
        n = max(8, math.ceil((b - a) * math.sqrt(2.0 * energy / w) / math.pi) + 2)
        axes.append(np.linspace(a, b, n))
        kinetic.append(_sinc(n, (b - a) / (n - 1), 1.0 / w))
        parts.append(momentum_matrices(np.diag(axes[-1]), _slope(n, (b - a) / (n - 1))))
    shape = [len(q) for q in axes]
    if math.prod(shape) > LARGEST:
        raise NotReached(f"a grid of {' x '.join(map(str, shape))} points is too large to diagonalise")
    values = field.potential(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)).ravel()
    values = np.minimum(values, lowest + CAP * float(energies.sum())) + field.rotation.get((), 0.0)

    def apply(x: np.ndarray) -> np.ndarray:
        y = values[:, None] * x
        for k, t in enumerate(kinetic):
            y = y + np.matmul(t, x.reshape(math.prod(shape[:k]), shape[k], -1)).reshape(x.shape)
        for factors, c in field.rotation.items():
            z = c * x if factors else 0.0 * x
            for k, (power, momenta) in factors:
                z = z.reshape(math.prod(shape[:k]), shape[k], -1)
                if momenta:
                    z = np.matmul(parts[k][PARTS.index((power, momenta))], z)
                else:
                    z = axes[k][None, :, None] ** power * z
            y = y + z.reshape(x.shape)
        return y

    return of_product(apply, len(values), count)


def _sinc(n: int, h: float, mass: float) -> np.ndarray:
    """-1/(2 mass) d^2/dq^2 on n points h apart (Colbert, Miller, eq. 2.4)."""
    i = np.arange(n)
    difference = i[:, None] - i[None, :]
    with np.errstate(divide="ignore"):
        t = np.where(difference == 0, math.pi**2 / 3.0, 2.0 * (-1.0) ** difference / np.square(difference, dtype=float))
    return t / (2.0 * mass * h * h)


def _slope(n: int, h: float) -> np.ndarray:
    """d/dq on n points h apart: the derivative of the sinc functions."""
    i = np.arange(n)
    difference = i[:, None] - i[None, :]
    with np.errstate(divide="ignore"):
        return np.where(difference == 0, 0.0, (-1.0) ** difference / (difference * h))


def _box(field: ForceField, energies: np.ndarray) -> tuple[list[tuple[float, float]], float]:
    """A box on whose faces in mode k the potential is ``energies[k]`` above its lowest value, and that value."""
    half = [[1.0, 1.0] for _ in field.frequencies]
    points = {1: 400, 2: 80, 3: 26}[field.d]
    for _ in range(STEPS):
        axes = [np.linspace(-a, b, points) for a, b in half]
        values = field.potential(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
        lowest, grown = float(values.min()), False
        for k, energy in enumerate(energies):
            for side, at in ((0, 0), (1, -1)):
                if np.take(values, at, axis=k).min() <= lowest + energy:
                    half[k][side] *= GROWN
                    grown = True
        if not grown:
            return [(-a, b) for a, b in half], lowest
    raise NotReached("the potential is not above the levels on any box: is it unbounded below?")
