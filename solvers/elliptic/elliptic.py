"""``elliptic``: -div(a grad u) + c u = f on 2^L points an axis, one to three axes, u and its slopes as quantics trains.

    1. One axis without c: the flux formula (solvers.elliptic.flux).
    2. Otherwise Galerkin solutions in spaces of polynomials on dyadic leaves, exactly for the grid's own matrix, until
       two of them agree (solvers.elliptic.passes); products of coefficients need no iteration.
    3. The grid itself is judged by that of half as many points: the error of its energy is a third of the difference.
    4. The weak form is looked at again with a sine, by sums over other nodes, and the trains at random points.
Differences of neighbours on fine grids, in which all digits are lost, are never formed, so nothing depends on L.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question
from solvers.elliptic.bases import along_all, outer
from solvers.elliptic.elements import embedding, values_at
from solvers.elliptic.field import EllipticField
from solvers.elliptic.flux import Flow, flow
from solvers.elliptic.galerkin import Coefficient, sampled
from solvers.elliptic.leaves import GROUND, OFFSET, Axis, axis_of, step_of
from solvers.elliptic.passes import Load, Passes, Problem
from solvers.elliptic.trains import MOST_RANK, train_of
from solvers.formats.quantics.bits import check_levels, to_bits
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.iteration import drive
from solvers.measured import amount, numeral
from solvers.solution import Callback, Checked, IterationState, Solution, Status

Ends = str | Sequence[str | tuple[str, str]]
Given = Coefficient | np.ndarray
MARKS = 50  # points at which functions are told apart
LOOKS = 200
MORE = 4  # degrees, for other nodes of the weak form
ROUNDING = 1e-12  # what the second looks may differ by in any case
DEGREE = 14  # for the mean of a load
NEAR = 1e-9  # of the operator without c: an eigenvalue nearer to zero says nothing
INCOMPATIBLE = 1e-10  # of the load: its mean between mirrors


def elliptic(
    levels: Sequence[int],
    *,
    diffusion: Given | tuple[Given, ...] = 1.0,
    load: Load | np.ndarray = 1.0,
    reaction: Given = 0.0,
    ends: Ends = "dirichlet",
    features: Sequence[tuple[Sequence[float], float]] = (),
    accuracy: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """-div(a grad u) + c u = f on the unit interval, square or cube, by second differences on 2^levels[k] points.

    ``diffusion`` a > 0, ``load`` f, ``reaction`` c (of either sign): a number, a function of points (m, d) -> (m,), or
    an array of values on equal cells; a may be a tuple of d of these, one a direction; f may be a quantics train (bits
    in sequence). ``ends``: one of "dirichlet" (u = 0 one step beyond the last point), "face" (half a step beyond),
    "neumann" (no flux; a mirror half a step beyond), or a list, an axis each, of those or of pairs (left, right).
    Points, and midpoints of edges, where a is taken, are on [0, 1]: x_i = (i + s) h, s = 1 or 1/2; the matrix is that
    of ``quantics.laplacian``. ``features``: pairs (position, width) of peaks that a few hundred points an axis would
    miss. ``accuracy``: relative, of the grid function in the 2-norm and of its energy h^d f.u; what the grid itself
    errs by is stated apart. ``rng``: for random looks.

    ``value``: an ``EllipticField``; ``residual``: (1,) the last change of u, or for one axis the error of 1/a and f;
    ``counts``: passes, steps of the iteration (0 where the coefficients are products), functions; ``extra``: route,
    and ``distance``, the smallest |eigenvalue| beside that without c. Status CONVERGED, BASIS_LIMIT (polynomials on
    few intervals an axis do not suit the coefficients), RANK_LIMIT (u has a rank above 100 between axes),
    ITERATION_LIMIT, PRECISION (1/a is not known to the accuracy), SINGULAR (-c is an eigenvalue, to rounding errors),
    CONTRADICTED. Between mirrors on all sides u has mean zero.

    Cost O(d n^(d + 1)) for n functions an axis, 100 to 300 for smooth coefficients in two dimensions, whatever the
    levels. Raises ValueError for other arguments, a coefficient that is not positive, functions that a few hundred
    intervals an axis do not resolve, and no flux anywhere with a load whose mean is not zero; NotConverged, with the
    solution so far, when ``throw``; CheckpointError, a ValueError, for a file that is damaged or of another problem.
    """
    problem = checked_problem(levels, diffusion, load, reaction, ends, features)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    task = _Task(problem, accuracy, rng or np.random.default_rng(0))
    asked = None if checkpoint is None else task.question()
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


def checked_problem(
    levels: Sequence[int],
    diffusion: Given | tuple[Given, ...],
    load: Load | np.ndarray,
    reaction: Given,
    ends: Ends,
    features: Sequence[tuple[Sequence[float], float]] = (),
) -> Problem:
    """The problem of the arguments of ``elliptic``, or ValueError."""
    sizes = check_levels(levels)
    d = len(sizes)
    if d > 3:
        raise ValueError(f"one to three axes can be solved, not {d}")
    each = [ends] * d if isinstance(ends, str) else list(ends)
    pairs = [(one, one) if isinstance(one, str) else tuple(one) for one in each]
    if len(pairs) != d or any(len(pair) != 2 or any(end not in GROUND for end in pair) for pair in pairs):
        raise ValueError(
            f"ends must be one of {', '.join(map(repr, GROUND))}, or a list of {d} of these or of pairs, not {ends!r}"
        )
    parts = diffusion if isinstance(diffusion, tuple) else (diffusion,) * d
    if len(parts) != d:
        raise ValueError(f"a tuple of coefficients has one a direction, {d}, not {len(parts)}")
    for position, width in features:
        if len(position) != d or not all(0.0 <= x <= 1.0 for x in position) or not width > 0.0:
            raise ValueError(f"a feature is a point of [0, 1]^{d} and a width above zero, not {position!r}, {width!r}")
    known: dict[int, Coefficient] = {id(one): _function(one, d, "the coefficient", positive=True) for one in parts}
    if isinstance(load, TensorTrain):
        if load.shape != (2,) * sum(sizes) or load.dtype.kind == "c":
            raise ValueError(f"a load as a train has {sum(sizes)} modes of size 2, real, not {load.dtype} {load.shape}")
        side: Load = load
    else:
        side = _function(load, d, "the load")
    return Problem(
        sizes,
        tuple((str(left), str(right)) for left, right in pairs),
        tuple(known[id(one)] for one in parts),
        _function(reaction, d, "the reaction"),
        side,
        tuple((tuple(float(x) for x in position), float(width)) for position, width in features),
    )


def _function(given: Given, d: int, what: str, positive: bool = False) -> Coefficient:
    """Arrays as functions that are constant on cells; functions so that all that they return is looked at."""
    if callable(given):

        def looked_at(points: np.ndarray) -> np.ndarray:
            found = np.asarray(given(points))
            if d == 1 and found.shape == points.shape:  # of one axis x is written as it stands
                found = found[:, 0]
            if found.shape != points.shape[:1] or found.dtype.kind not in "iufb":
                said = f"{found.dtype} {found.shape}"
                raise ValueError(f"{what} must return {len(points)} real numbers for points {points.shape}, not {said}")
            bad = ~np.isfinite(found) | (found <= 0.0 if positive else False)
            if bad.any():
                at = ", ".join(numeral(x) for x in points[int(np.argmax(bad))])
                kind = "positive and finite" if positive else "finite"
                raise ValueError(f"{what} must be {kind}: at ({at}) it is {found[bad][0]}")
            return found.astype(float)

        return looked_at
    array = np.asarray(given)
    if array.dtype.kind not in "iufb" or array.ndim not in (0, d) or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{what} must be a number, a function or a finite real array of {d} axes, not {given!r}"[:300])
    if array.ndim == 0:
        return float(array)
    cells = array.astype(float)

    def on_cells(points: np.ndarray) -> np.ndarray:
        places = np.minimum((points * cells.shape).astype(np.int64), np.array(cells.shape) - 1)
        values: np.ndarray = cells[tuple(places.T)]
        return values

    return on_cells


class _Task:
    """One call: passes or the flux formula, then what is told of the solution."""

    def __init__(self, problem: Problem, accuracy: float, rng: np.random.Generator) -> None:
        self.problem, self.accuracy, self.rng = problem, accuracy, rng
        held = any(GROUND[end] for pair in problem.ends for end in pair)
        plain = not callable(problem.reaction) and problem.reaction == 0.0
        self.free = not held and plain
        self.direct = problem.d == 1 and plain and held
        self.passes = Passes(problem, accuracy)
        self.found: Flow | None = None

    def question(self) -> Question:
        """Functions are known by some of their values."""
        problem = self.problem
        points = np.random.default_rng(0).random((MARKS, problem.d))
        arrays = [
            np.broadcast_to(np.asarray(one(points) if callable(one) else one, dtype=float), (MARKS,))
            for one in (
                *problem.diffusion,
                problem.reaction,
                0.0 if isinstance(problem.load, TensorTrain) else problem.load,
            )
        ]
        arrays += list(problem.load.cores) if isinstance(problem.load, TensorTrain) else []
        return Question(arrays, [repr(problem.levels), repr(problem.ends), repr(problem.features), repr(self.accuracy)])

    def steps(self) -> Iterator[IterationState]:
        if self.direct:
            found = self._flow()
            yield IterationState(1, "flux", found.u.max_rank, 0.0, energies=np.array([found.energy]))
        else:
            if self.free:
                self._check_mean()
            yield from self.passes.steps()

    def _flow(self) -> Flow:
        if self.found is None:
            self.found = self._flow_on(self.problem.levels[0])
        return self.found

    def _flow_on(self, levels: int) -> Flow:
        problem = self.problem
        marks = [(position[0], width) for position, width in problem.features]
        return flow(levels, problem.ends[0], problem.diffusion[0], problem.load, self.accuracy, self.rng, marks)

    def content(self) -> Content:
        return ({}, {}) if self.direct else self.passes.content()

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        if not self.direct:
            self.passes.restore(arrays, data)

    def solution(self) -> Solution:
        return self._of_flow(self._flow()) if self.direct else self._of_passes()

    def _of_flow(self, found: Flow) -> Solution:
        problem = self.problem
        step = step_of(problem.levels[0], problem.ends[0])
        coarser = None
        if not isinstance(problem.load, TensorTrain) and problem.levels[0] > 1:
            coarser = self._flow_on(problem.levels[0] - 1).energy
        if isinstance(problem.load, TensorTrain) or not callable(problem.load):
            load = problem.load if isinstance(problem.load, TensorTrain) else ones(found.u.shape) * float(problem.load)
            again = step * dot(load, found.u).real
        else:
            again = found.energy
        size = max(abs(found.energy), abs(again))
        apart = abs(again - found.energy) / size if size > 0.0 else 0.0
        seen = Checked(
            "energy",
            "the load times u beside the flux times the slope",
            f"they differ by {amount(apart)}",
            apart <= 1e-6,
        )
        close = found.deviation <= self.accuracy
        status = Status.CONTRADICTED if not seen.passed else Status.CONVERGED if close else Status.PRECISION
        field = EllipticField(
            u=found.u,
            levels=problem.levels,
            ends=problem.ends,
            energy=found.energy,
            energy_error=max(found.deviation, apart) * abs(found.energy),
            grid_error=None if coarser is None else abs(found.energy - coarser) / 3.0,
            _slope=lambda axis: found.slope,
        )
        counts = {"passes": 1, "steps": 0, "functions": 0}
        return Solution(
            field,
            status,
            int(status is Status.CONVERGED),
            np.array([found.deviation]),
            (),
            counts,
            {},
            {"route": "flux", "distance": 1.0},
            (seen,),
        )

    def _of_passes(self) -> Solution:
        problem, passes = self.problem, self.passes
        axes = passes.axes
        coefficients = passes.coefficients
        tol = min(max(0.1 * self.accuracy, 0.5 * passes.change, ROUNDING), 1e-3)
        u = train_of(axes, coefficients, tol)
        status = passes.status
        if passes.least < NEAR:
            status = Status.SINGULAR
        looks = (self._weak_form(), self._at_points(u))
        if status is Status.CONVERGED and looks[0].passed and not looks[1].passed and u.max_rank >= MOST_RANK:
            status = Status.RANK_LIMIT
        if status is Status.CONVERGED and not all(look.passed for look in looks):
            status = Status.CONTRADICTED
        coarser = passes.coarser_energy()
        field = EllipticField(
            u=u,
            levels=problem.levels,
            ends=problem.ends,
            energy=passes.energy,
            energy_error=passes.energy_change,
            grid_error=None if coarser is None else abs(passes.energy - coarser) / 3.0,
            _slope=lambda axis: train_of(axes, coefficients, tol, slope=axis),
        )
        return Solution(
            field,
            status,
            int(status is Status.CONVERGED),
            np.array([passes.change]),
            (),
            dict(passes.work),
            {},
            {"route": "polynomials on leaves", "distance": passes.least},
            looks,
        )

    def _check_mean(self) -> None:
        """Raise ValueError where u is free everywhere and the load has a mean."""
        problem = self.problem
        axes = [axis_of(levels, ends, [(0, levels)], DEGREE) for levels, ends in zip(problem.levels, problem.ends)]
        flat = [np.linalg.lstsq(axis.values, np.ones(len(axis.node_x)), rcond=None)[0] for axis in axes]
        mean = float(np.sum(problem.moments(axes) * outer(flat)))
        if isinstance(problem.load, TensorTrain):
            size = problem.load.norm() * math.sqrt(math.prod(step for step in (axis.step for axis in axes)))
        else:
            size = float(np.abs(sampled(problem.load, [axis.node_x for axis in axes], "the load")).max())
        if abs(mean) > INCOMPATIBLE * size:
            raise ValueError(
                f"there is no flux through any end and no reaction: the load must have mean zero, not {numeral(mean)}"
            )

    def _weak_form(self) -> Checked:
        """sum a D phi D u + c phi u against f phi for a product phi of sines, on nodes of a higher degree."""
        problem, passes = self.problem, self.passes
        axes = [axis_of(axis.levels, axis.ends, axis.leaves, axis.degree + MORE) for axis in passes.axes]
        fine = along_all([embedding(old, new) for old, new in zip(passes.axes, axes)], passes.coefficients)
        waves = [_wave(axis) for axis in axes]
        total = 0.0
        nodes = [axis.node_x for axis in axes]
        for k, a in enumerate(problem.diffusion):
            values = along_all([axis.slopes if j == k else axis.values for j, axis in enumerate(axes)], fine)
            weights = outer([axis.edge_weights if j == k else axis.node_weights for j, axis in enumerate(axes)])
            phi = outer([waves[j][1] if j == k else waves[j][0] for j in range(problem.d)])
            at = [axis.edge_x if j == k else axis.node_x for j, axis in enumerate(axes)]
            total += float(np.sum(weights * values * phi * sampled(a, at, "the coefficient")))
        weights = outer([axis.node_weights for axis in axes])
        phi = outer([wave[0] for wave in waves])
        values = along_all([axis.values for axis in axes], fine)
        total += float(np.sum(weights * values * phi * sampled(problem.reaction, nodes, "the reaction")))
        if isinstance(problem.load, TensorTrain):
            # phi as an element of the space: its error is of the order of the last pass's
            inside = [np.linalg.lstsq(axis.values, wave[0], rcond=None)[0] for axis, wave in zip(axes, waves)]
            right = float(np.sum(problem.moments(axes) * outer(inside)))
            size = abs(right) + 1e-3 * abs(total)
        else:
            f = sampled(problem.load, nodes, "the load")
            right = float(np.sum(weights * phi * f))
            size = math.sqrt(float(np.sum(weights * phi**2)) * float(np.sum(weights * np.asarray(f) ** 2)))
        apart = abs(total - right) / size if size > 0.0 else abs(total)
        allowed = 10.0 * max(self.accuracy, passes.change) + 1e4 * ROUNDING
        how = "the weak form with a sine, by sums over other nodes"
        return Checked("equation", how, f"both sides differ by {amount(apart)}", apart <= allowed)

    def _at_points(self, u: TensorTrain) -> Checked:
        """The train against the polynomials that it was made of."""
        passes = self.passes
        index = np.column_stack([self.rng.integers(0, 2**levels, LOOKS) for levels in self.problem.levels])
        known = np.broadcast_to(passes.coefficients, (LOOKS, *passes.coefficients.shape))
        for k, axis in enumerate(passes.axes):
            known = np.einsum("m...n,mn->m...", np.moveaxis(known, 1, -1), values_at(axis, index[:, k]))
        values = u.entries(to_bits(index, self.problem.levels))
        size = float(np.abs(known).max())
        apart = float(np.abs(values - known).max()) / size if size > 0.0 else float(np.abs(values).max())
        how = f"{LOOKS} random points, from the train and from the polynomials"
        return Checked(
            "u",
            how,
            f"they differ by {amount(apart)}",
            apart <= 100.0 * max(self.accuracy, self.passes.change, ROUNDING),
        )


def _wave(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """A sine that vanishes or is even where u does or is: at the nodes, and its slopes at the edges."""
    left, right = (bool(GROUND[end]) for end in axis.ends)
    omega = math.pi if left == right else 0.5 * math.pi
    value, slope = (np.sin, np.cos) if left else (np.cos, lambda x: -np.sin(x))
    half = 0.5 * axis.step
    at_edges = slope(omega * axis.edge_x) * (math.sin(omega * half) / half)
    ground = [
        (inwards * value(omega * abs(at - OFFSET[end] * axis.step)) / axis.step)
        for end, at, inwards in ((axis.ends[0], 0.0, 1.0), (axis.ends[1], 1.0, -1.0))
        if GROUND[end]
    ]
    if ground:
        at_edges[-len(ground) :] = ground
    return value(omega * axis.node_x), at_edges
