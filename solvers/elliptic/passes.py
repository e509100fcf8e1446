"""Galerkin solutions in ever larger trial spaces, coarse to fine, until they agree: the iteration below ``elliptic``.

1. Leaves: graded towards the ends, and halved where a function is rough (solvers.elliptic.resolution).
2. A pass: the solution of degree p, started from that of the pass before, which its space contains.
3. The change from pass to pass, of u in the 2-norm and of the energy, is what is known of the error; it bounds that
   of the last pass where the changes fall by more than a half, and here they fall by powers of ten.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solvers.checkpoint import Content
from solvers.elliptic.bases import along_all
from solvers.elliptic.elements import at_indices, embedding
from solvers.elliptic.galerkin import Found, sampled, solve_on
from solvers.elliptic.grid_error import grid_error
from solvers.elliptic.leaves import Axis, Leaf, axis_of, coarser, deeper, step_of
from solvers.elliptic.mapped import Reference, solve_mapped
from solvers.elliptic.resolution import Feature, around, interfaces, resolved
from solvers.elliptic.rough import Product, product_of
from solvers.elliptic.trains import sums_of
from solvers.formats.quantics.coefficients import Coefficient
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import numeral
from solvers.solution import IterationState, Status

Load = Coefficient | TensorTrain
MOST = {1: 3000, 2: 1600, 3: 170}  # functions an axis: seconds for an axis, for the product in three dimensions
PASSES = {  # degree and halvings towards the ends
    1: [(6, 4), (8, 6), (10, 8), (12, 10), (14, 12)],
    2: [(6, 4), (8, 6), (10, 8), (12, 10), (14, 12)],
    3: [(4, 3), (6, 4), (8, 5), (10, 6), (12, 7)],
}
ON_DOMAINS = [(17, 13), (20, 14)]  # further ones: full tensors in polar coordinates take more
UNRESOLVED = 0.1  # of the accuracy, for coefficients on a leaf
LINEAR = 0.1  # of the accuracy, for the residual of the iteration
CLEAN = 1e-13
SCOUTS = 500  # points for the sizes of coefficients
ANGLE = 3.0  # of a wave across a leaf
FINE = 18  # levels from which on short pieces of an axis have many points
SLOW = 0.5  # a change that is not less than this share of the one before: the space does not suit the problem
SMALLEST_CHANGE = 1e-14  # what rounding errors leave of one


@dataclass(frozen=True)
class Problem:
    """sum_k D_k^T a_k D_k u + c u = f on a grid of 2^levels[k] points; callables take points (m, d) of [0, 1]^d.

    On a domain that is not the square, ``reference`` says the problem, and the other three nothing.
    """

    levels: tuple[int, ...]
    ends: tuple[tuple[str, str], ...]
    diffusion: tuple[Coefficient, ...]
    reaction: Coefficient
    load: Load
    features: tuple[Feature, ...] = ()
    reference: Reference | None = None

    @property
    def d(self) -> int:
        return len(self.levels)

    def moments(self, axes: Sequence[Axis]) -> np.ndarray:
        """h^d sum_i f_i phi_j(i)."""
        if self.reference is not None:
            return self.reference.on_cells(axes).moments(axes)
        if isinstance(self.load, TensorTrain):
            return sums_of(self.load, axes) * float(np.prod([axis.step for axis in axes]))
        values = sampled(self.load, [axis.node_x for axis in axes], "the load")
        weighted = np.broadcast_to(values, [len(axis.node_x) for axis in axes])
        return along_all([(axis.node_weights[:, None] * axis.values).T for axis in axes], weighted)

    @property
    def functions(self) -> list[Callable[[np.ndarray], np.ndarray]]:
        """Those that leaves have to resolve."""
        if self.reference is not None:
            return self.reference.functions()
        unique: list[Callable[[np.ndarray], np.ndarray]] = []
        for one in (*self.diffusion, self.reaction, self.load):
            if callable(one) and one not in unique:
                unique.append(one)
        return unique


@dataclass
class Passes:
    """The passes of one problem, ``accuracy`` the relative change at which they end."""

    problem: Problem
    accuracy: float
    base: list[list[Leaf]] = field(default_factory=list)  # leaves that resolve the functions
    marks: list[list[int]] = field(default_factory=list)  # where a function jumps, as first indices of leaves
    extra_depth: int = 0  # of the leaves at the ends, for layers there
    product: Product | None = None  # of a rough coefficient
    first_energy: float = np.nan
    done: int = 0
    axes: list[Axis] = field(default_factory=list)
    coefficients: np.ndarray = field(default_factory=lambda: np.zeros(0))
    energy: float = np.nan
    change: float = np.inf  # of u, relative
    previous: float = 0.0  # the change before, zero where there was none
    energy_change: float = np.inf  # absolute
    work: dict[str, int] = field(default_factory=lambda: {"passes": 0, "steps": 0, "functions": 0})
    least: float = 1.0
    residual: float = 0.0
    status: Status = Status.ITERATION_LIMIT

    def steps(self) -> Iterator[IterationState]:
        """A state a pass."""
        problem = self.problem
        schedule = PASSES[problem.d] + ([] if problem.reference is None else ON_DOMAINS)
        if not self.base:
            most = MOST[problem.d] // (schedule[1][0] + 1)
            waves, layers = self._scales()
            self.extra_depth = max(
                math.ceil(math.log2(max(layers, 1.0))) - 2, self._corners(PASSES[problem.d][-1][1]), 0
            )
            first = [self._first(levels, schedule[0][1], waves, most) for levels in problem.levels]
            if problem.reference is not None and problem.reference.domain.collapsed:
                first[0] = deeper(first[0], problem.levels[0], problem.levels[0], [0], ())
            try:
                self._resolve(first, most)
            except ValueError:
                self.product = self._product()
                if self.product is None:
                    raise
                self.base = first
        while self.done < len(schedule) and not self.agreed:
            axes = self._spaces(*schedule[self.done])
            slow = self.change > SLOW * self.previous > 0.0
            if slow or max(axis.size for axis in axes) > MOST[problem.d]:
                self.status = Status.BASIS_LIMIT
                return
            self._pass(axes)
            yield IterationState(
                self.done,
                f"pass of degree {schedule[self.done - 1][0]}",
                max(axis.size for axis in axes),
                0.0,
                energies=np.array([self.energy]),
                residuals=np.array([self.change]),
                extra={"functions": [axis.size for axis in axes], "steps": self.work["steps"]},
            )
        self.status = Status.CONVERGED if self.agreed else Status.ITERATION_LIMIT

    def _resolve(self, first: list[list[Leaf]], most: int) -> None:
        """Leaves on which polynomials follow all functions, and where these jump."""
        problem = self.problem
        self.base = [
            resolved(
                problem.functions,
                around(first[k], k, step_of(problem.levels[k], problem.ends[k]), problem.features),
                k,
                problem.levels,
                problem.ends,
                UNRESOLVED * self.accuracy,
                most,
                problem.features,
            )
            for k in range(problem.d)
        ]
        self.marks = [
            interfaces(problem.functions, leaves, k, problem.levels, problem.ends, problem.features)
            for k, leaves in enumerate(self.base)
        ]

    def _product(self) -> Product | None:
        """A rough coefficient that is a product, on grids that are fine enough for short pieces."""
        problem = self.problem
        if problem.reference is not None or min(problem.levels) < FINE:
            return None
        return product_of(problem.diffusion, problem.reaction, problem.load)

    def _scales(self) -> tuple[float, float]:
        """sqrt(-c / a) and sqrt(c / a) at most, waves and inverse widths of layers, at some points."""
        points = np.random.default_rng(0).random((SCOUTS, self.problem.d))
        if self.problem.reference is not None:
            extreme = self.problem.reference.reactivity(points)
            return math.sqrt(max(-float(extreme.min()), 0.0)), math.sqrt(max(float(extreme.max()), 0.0))
        c = self.problem.reaction
        reaction = np.asarray(c(points) if callable(c) else c, dtype=float)
        least = min(float(np.min(a(points) if callable(a) else a)) for a in self.problem.diffusion)
        if not least > 0.0:
            return 0.0, 0.0  # told with the place where the coefficient is taken
        wave, layer = max(-float(reaction.min()), 0.0), max(float(reaction.max()), 0.0)
        return math.sqrt(wave / least), math.sqrt(layer / least)

    def _corners(self, depth: int) -> int:
        """Halvings beyond ``depth`` for what u is at the corners of a domain: r^m errs by the size^(2 m) of a leaf."""
        if self.problem.reference is None:
            return 0
        power = 2.0 * self.problem.reference.domain.exponent(self.problem.ends)
        return math.ceil(math.log2(1.0 / self.accuracy) / power) - depth

    def _first(self, levels: int, depth: int, wave: float, most: int) -> list[Leaf]:
        """Leaves graded towards the ends, none longer than what a polynomial follows of a wave."""
        longest = max(levels - math.ceil(math.log2(max(wave / ANGLE, 1.0))), 0)
        if 2 ** (levels - longest) > most:
            raise ValueError(
                f"the reaction is as negative as a wave number of {numeral(wave)}: more than {most} intervals an axis"
            )
        leaves = [(k << longest, longest) for k in range(2 ** (levels - longest))]
        return deeper(leaves, levels, depth, [])

    @property
    def agreed(self) -> bool:
        """Whether the last two passes agree."""
        return self.change <= self.accuracy and self.energy_change <= self.accuracy * abs(self.energy)

    def _spaces(self, degree: int, depth: int) -> list[Axis]:
        problem = self.problem
        if self.product is not None:
            return self.product.axes(problem.levels, problem.ends, degree, depth, UNRESOLVED * self.accuracy)
        return [
            axis_of(levels, ends, deeper(leaves, levels, depth + self.extra_depth, marks), degree)
            for levels, ends, leaves, marks in zip(problem.levels, problem.ends, self.base, self.marks)
        ]

    def _pass(self, axes: list[Axis]) -> None:
        """One solution, and how far it is from the one before."""
        start = None
        if self.done and self.product is not None:
            return self._compared(axes)
        if self.done:
            start = along_all([embedding(old, new) for old, new in zip(self.axes, axes)], self.coefficients)
        found = self._solved(axes, start)
        if start is not None:
            values = [axis.values for axis in axes]
            weights = [np.sqrt(axis.node_weights) for axis in axes]
            weighted = [v * w[:, None] for v, w in zip(values, weights)]
            norm = float(np.linalg.norm(along_all(weighted, found.coefficients)))
            apart = float(np.linalg.norm(along_all(weighted, found.coefficients - start)))
            self.previous = self.change if np.isfinite(self.change) else 0.0
            # what the iteration leaves is no change: a start that is right to that is not moved
            self.change = max(apart / norm if norm > 0.0 else 0.0, found.residual, SMALLEST_CHANGE)
            least = max(found.residual**2, SMALLEST_CHANGE)
            self.energy_change = max(abs(found.energy - self.energy), least * abs(found.energy))
        self._keep(axes, found)

    def _compared(self, axes: list[Axis]) -> None:
        """One solution in spaces that do not hold each other, compared at random points."""
        rng = np.random.default_rng(0)
        index = [rng.integers(0, 2**n, SCOUTS) for n in self.problem.levels]
        before = at_indices(self.axes, self.coefficients, index)
        energy = self.energy
        found = self._solved(axes, None)
        after = at_indices(axes, found.coefficients, index)
        self.previous = self.change if np.isfinite(self.change) else 0.0
        self.change = max(float(np.linalg.norm(after - before) / np.linalg.norm(after)), SMALLEST_CHANGE)
        self.energy_change = max(abs(found.energy - energy), SMALLEST_CHANGE * abs(found.energy))
        self._keep(axes, found)

    def _keep(self, axes: list[Axis], found: Found) -> None:
        self.axes, self.coefficients, self.energy = axes, found.coefficients, found.energy
        self.least, self.residual = found.least, found.residual
        self.first_energy = found.energy if self.done == 0 else self.first_energy
        self.done += 1
        self.work["passes"] += 1
        self.work["steps"] += found.steps
        self.work["functions"] = int(np.prod([axis.size for axis in axes]))

    def _solved(self, axes: list[Axis], start: np.ndarray | None) -> Found:
        problem = self.problem
        tolerance = max(LINEAR * self.accuracy, CLEAN)
        if self.product is not None:
            return self.product.solved(axes)
        if problem.reference is not None:
            return solve_mapped(problem.reference, axes, tolerance, start)
        return solve_on(axes, problem.diffusion, problem.reaction, problem.moments, tolerance, start)

    def grid_error(self) -> float | None:
        """How far the energy is from that of no grid, from coarser ones; None where none can be said."""
        problem = self.problem
        if isinstance(problem.load, TensorTrain):
            return None
        order = 2.0
        if problem.reference is not None:  # at corners u is no smoother than r^exponent
            order = min(2.0 * problem.reference.domain.exponent(problem.ends, collapsed=True), 2.0)
        energy = self.energy if self.product is None else self.first_energy
        return grid_error(energy, self._on_coarser, problem.levels, problem.ends, order)

    def _on_coarser(self, halvings: int) -> float | None:
        """The energy on a grid of 2^halvings times fewer points an axis, in the spaces of the last pass.

        None where a rough coefficient has too few points there.
        """
        problem = self.problem
        if self.product is not None:  # in those of the first
            levels = [n - halvings for n in problem.levels]
            tolerance = UNRESOLVED * self.accuracy
            try:
                axes = self.product.axes(levels, problem.ends, *PASSES[problem.d][0], tolerance)
            except ValueError:
                return None
            return self._solved(axes, None).energy
        axes = [coarser(axis, halvings) for axis in self.axes]
        alike = [axis.size for axis in axes] == [axis.size for axis in self.axes]
        return self._solved(axes, self.coefficients if alike else None).energy

    def content(self) -> Content:
        """The last pass."""
        data: dict[str, Any] = {name: getattr(self, name) for name in _PLACE}
        data |= {"base": self.base, "marks": self.marks, "status": self.status.name}
        data["leaves"] = [list(axis.leaves) for axis in self.axes]
        data["degree"] = self.axes[0].degree if self.axes else 0
        data["rough"] = self.product is not None
        return {"coefficients": self.coefficients}, data

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name in _PLACE:
            setattr(self, name, data[name])
        self.base = [[(int(s), int(level)) for s, level in leaves] for leaves in data["base"]]
        self.marks = [list(marks) for marks in data["marks"]]
        self.status = Status[data["status"]]
        self.coefficients = arrays["coefficients"]
        if data["rough"]:
            self.product = self._product()
            self.axes = self._spaces(*PASSES[self.problem.d][self.done - 1])
            return
        self.axes = [
            axis_of(levels, ends, [(int(s), int(level)) for s, level in leaves], data["degree"])
            for levels, ends, leaves in zip(self.problem.levels, self.problem.ends, data["leaves"])
        ]


_PLACE = (
    "done",
    "energy",
    "first_energy",
    "change",
    "previous",
    "energy_change",
    "work",
    "least",
    "residual",
    "extra_depth",
)
