"""Other routes to vibrational levels: the other method, more states, larger bases, a grid of points in place of any.

The grid is the judge of the bases. On n_k points of mode k the kinetic energy is the sinc function's matrix, and the
potential is its values (Colbert, Miller, J. Chem. Phys. 96, 1982 (1992), eq. 2.4): no harmonic function, no mean field
and no matrix element of a power of q is in it. Box and spacing follow from the potential and the highest level, and a
second, wider and finer grid says what they cost.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from problems.exact_levels import LARGEST, of_product
from problems.problem import AUTOMATIC, Effort, Quantity
from problems.route import TIGHTER, NotReached, Route
from problems.vibrational.force_field import ForceField
from problems.vibrational.model import VibrationalProblem, VibrationalSolver

GRID_MODES = 3  # modes of a field that a grid of points holds
MORE_FUNCTIONS = 4  # functions a mode, beyond those of the run
FINER, WIDER = 1.15, 1.15  # of the second grid against the first
HEADROOM = 1.0  # of the span of the levels, added to the energy that the grid resolves
QUANTA = 6.0  # of the largest frequency, added too
CAP = 3.0  # of the energies resolved: the potential is cut there, which keeps Lanczos short
GROWN = 1.1  # a step by which the box grows until the potential is above the energy on all of its faces
ROUNDS = 4


def allowed(solver: VibrationalSolver, quantity: Quantity) -> float:
    """What the accuracy asked for allows in every level."""
    return solver.accuracy


def routes(problem: VibrationalProblem, solver: VibrationalSolver, results: Mapping[str, Any]) -> list[Route]:
    """The routes to the levels of a run with these keys."""
    n, sizes = solver.n_states, _sizes(problem, results)
    space = math.prod(sizes)
    method = "inverse_iteration" if solver.method == "block_dmrg" or n > 400 else "block_dmrg"
    found = [Route("method", f"{method}, another seed", {"solver.method": method}, other_seed=True)]
    more = n + max(4, n // 4)
    if more <= space or problem.basis.functions == AUTOMATIC:
        text = f"{more} states, a tenth of the accuracy, another seed"
        changes = {"solver.n_states": more, "solver.accuracy": TIGHTER * solver.accuracy}
        found.append(Route("states", text, changes, other_seed=True))
    larger = [size + MORE_FUNCTIONS for size in sizes]
    text = f"{MORE_FUNCTIONS} functions more in every mode"
    found.append(Route("basis", text, {"problem.basis.functions": larger}))
    if problem.field.d <= GRID_MODES:
        text = "a grid of points in place of all bases, diagonalised without tensor trains"
        found.append(
            Route("grid", text, direct=lambda p, s: on_grid(p.field, n, s.accuracy), effort=Effort(20.0, 600.0))
        )
    return found


def _sizes(problem: VibrationalProblem, results: Mapping[str, Any]) -> list[int]:
    """Functions of each mode of the run, in the order of the field's modes."""
    sizes = [0] * problem.field.d
    for mode, size in zip(results["mode_order"], results["basis_functions"]):
        sizes[int(mode) - 1] = int(size)
    return sizes


def on_grid(field: ForceField, count: int, accuracy: float) -> dict[str, Any]:
    """The ``count`` lowest levels on two grids; the error of a level is what it moved by between them.

    Raises NotReached where the potential is unbounded below, or the grids become too large.
    """
    top = _highest(field, count)
    for _ in range(ROUNDS):
        coarse, _ = _levels(field, count, top, 1.0, 1.0)
        fine, residuals = _levels(field, count, top, FINER, WIDER)
        moved = np.abs(fine - coarse) + residuals
        reached = float(coarse[-1] - coarse[0]) + float(coarse[0])
        if moved.max() <= 0.3 * accuracy and reached <= top:
            return {"energies": fine, "error_estimates": moved, "unit": field.unit}
        top = max(top, reached) + 0.5 * abs(top - coarse[0])
    raise NotReached(f"the grids differ by {moved.max():.2g} {field.unit}, more than the accuracy asked for")


def _highest(field: ForceField, count: int) -> float:
    """An energy above the levels wanted, harmonically."""
    w = field.frequencies
    most = math.ceil((count + 1) ** (1 / len(w))) * 4
    sums = sorted(
        sum((v + 0.5) * x for v, x in zip(n, w)) for n in itertools.product(range(min(most, count + 1)), repeat=len(w))
    )
    return float(sums[min(count, len(sums) - 1)])


def _levels(field: ForceField, count: int, top: float, finer: float, wider: float) -> tuple[np.ndarray, np.ndarray]:
    """Levels up to ``top`` on a grid that is ``finer`` and ``wider`` than needed, and their residuals."""
    resolved = top + HEADROOM * abs(top) * (finer - 1.0) + QUANTA * float(field.frequencies.max())
    half, lowest = _box(field, resolved)
    half = [(-wider * (-a), wider * b) for a, b in half]
    axes, kinetic = [], []
    for (a, b), w in zip(half, field.frequencies):
        momentum = math.sqrt(2.0 * (resolved - lowest) / w)
        n = max(8, math.ceil(finer * (b - a) * momentum / math.pi) + 1)
        axes.append(np.linspace(a, b, n))
        kinetic.append(_sinc(n, (b - a) / (n - 1), 1.0 / w))
    shape = [len(q) for q in axes]
    if math.prod(shape) > 2 * LARGEST:
        raise NotReached(f"a grid of {' x '.join(map(str, shape))} points is too large to diagonalise")
    values = np.minimum(
        field.potential(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)), resolved * CAP + abs(lowest)
    )
    flat = values.ravel()

    def apply(x: np.ndarray) -> np.ndarray:
        y = flat[:, None] * x
        for k, t in enumerate(kinetic):
            y = y + np.matmul(t, x.reshape(math.prod(shape[:k]), shape[k], -1)).reshape(x.shape)
        return y

    return of_product(apply, len(flat), count)


def _sinc(n: int, h: float, mass: float) -> np.ndarray:
    """-1/(2 mass) d^2/dq^2 on n points h apart (Colbert, Miller, eq. 2.4)."""
    i = np.arange(n)
    difference = i[:, None] - i[None, :]
    with np.errstate(divide="ignore"):
        t = np.where(difference == 0, math.pi**2 / 3.0, 2.0 * (-1.0) ** difference / np.square(difference, dtype=float))
    return t / (2.0 * mass * h * h)


def _box(field: ForceField, energy: float) -> tuple[list[tuple[float, float]], float]:
    """A box on all of whose faces the potential is above ``energy``, and the lowest potential in it."""
    half = [[1.0, 1.0] for _ in field.frequencies]
    points = {1: 400, 2: 80, 3: 26}[field.d]
    for _ in range(200):
        axes = [np.linspace(-a, b, points) for a, b in half]
        values = field.potential(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
        grown = False
        for k in range(field.d):
            for side, at in ((0, 0), (1, -1)):
                if np.take(values, at, axis=k).min() <= energy:
                    half[k][side] *= GROWN
                    grown = True
        if not grown:
            return [(-a, b) for a, b in half], float(values.min())
    raise NotReached("the potential is not above the levels on any box: is it unbounded below?")
