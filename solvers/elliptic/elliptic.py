"""``elliptic``: -div(a grad u) + c u = f on 2^L points an axis, one to three axes, u and its slopes as quantics trains.

    1. One axis without c: the flux formula (solvers.elliptic.flux).
    2. Otherwise Galerkin solutions in spaces of polynomials on dyadic leaves, exactly for the grid's own matrix, until
       two of them agree (solvers.elliptic.passes); products of coefficients need no iteration.
    3. The grid itself is judged by coarser ones (solvers.elliptic.grid_error).
    4. The weak form is looked at again with a sine, by sums over other nodes, and the trains at random points.
Differences of neighbours on fine grids, in which all digits are lost, are never formed, so nothing depends on L.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Content, Question
from solvers.elliptic.field import EllipticField
from solvers.elliptic.flux import Flow, flow
from solvers.elliptic.grid_error import grid_error
from solvers.elliptic.leaves import GROUND, step_of
from solvers.elliptic.looks import ROUNDING, at_points, check_mean, weak_form
from solvers.elliptic.mapped import Tensor
from solvers.elliptic.passes import LINEAR, Load, Passes, Problem
from solvers.elliptic.problem import checked_problem
from solvers.elliptic.trains import MOST_RANK, train_of
from solvers.formats.quantics.coefficients import Ends, Given
from solvers.formats.quantics.domain import Domain, DomainEnds
from solvers.formats.trains.construct import ones
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.iteration import drive
from solvers.measured import amount
from solvers.solution import Callback, Checked, IterationState, Solution, Status
from solvers.threads import one_blas_thread

MARKS = 50  # points at which functions are told apart
NEAR = 1e-9  # of the operator without c: an eigenvalue nearer to zero says nothing
UNSOLVED = 10.0  # times the tolerance of the iteration: its residual at most


@one_blas_thread
def elliptic(
    levels: Sequence[int],
    *,
    diffusion: Given | Tensor | tuple[Given, ...] = 1.0,
    load: Load | np.ndarray = 1.0,
    reaction: Given = 0.0,
    ends: Ends | DomainEnds = "dirichlet",
    features: Sequence[tuple[Sequence[float], float]] = (),
    domain: Domain | None = None,
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
    of ``quantics.laplacian``.

    ``domain``: a ``quantics.Quadrilateral``, ``Triangle``, ``Ring`` or ``Mapped`` in place of the square; two axes. The
    equation is then that of bilinear finite elements on the image of a grid of equal cells of the square, coefficients
    at the middles of the cells. Functions take points of the domain; ``diffusion`` is a number, a symmetric positive
    matrix (2, 2), or a function returning (m,) or (m, 2, 2). ``ends``: "dirichlet" or "neumann" (no flux a grad u . n;
    the last points are on the edge), one for all edges, a dict by the names of the edges, or axis by axis.

    ``features``: pairs (position, width) of peaks that a few hundred points an axis would
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
    problem = checked_problem(levels, diffusion, load, reaction, ends, features, domain)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    task = _Task(problem, accuracy, rng or np.random.default_rng(0))
    asked = None if checkpoint is None else task.question()
    return drive(task, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)


class _Task:
    """One call: passes or the flux formula, then what is told of the solution."""

    def __init__(self, problem: Problem, accuracy: float, rng: np.random.Generator) -> None:
        self.problem, self.accuracy, self.rng = problem, accuracy, rng
        held = any(GROUND[end] for pair in problem.ends for end in pair)
        reaction = problem.reaction if problem.reference is None else problem.reference.reaction
        plain = not callable(reaction) and reaction == 0.0
        self.free = not held and plain
        self.direct = problem.d == 1 and plain and held
        self.passes = Passes(problem, accuracy)
        self.found: Flow | None = None

    def question(self) -> Question:
        """Functions are known by some of their values."""
        problem = self.problem
        points = np.random.default_rng(0).random((MARKS, problem.d))
        asked = [repr(problem.levels), repr(problem.ends), repr(problem.features), repr(self.accuracy)]
        if problem.reference is not None:
            return Question([problem.reference.marks(points)], [*asked, "domain"])
        arrays = [
            np.broadcast_to(np.asarray(one(points) if callable(one) else one, dtype=float), (MARKS,))
            for one in (
                *problem.diffusion,
                problem.reaction,
                0.0 if isinstance(problem.load, TensorTrain) else problem.load,
            )
        ]
        arrays += list(problem.load.cores) if isinstance(problem.load, TensorTrain) else []
        return Question(arrays, asked)

    def steps(self) -> Iterator[IterationState]:
        if self.direct:
            found = self._flow()
            yield IterationState(1, "flux", found.u.max_rank, 0.0, energies=np.array([found.energy]))
        else:
            if self.free:
                check_mean(self.problem)
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
            grid_error=None
            if isinstance(problem.load, TensorTrain)
            else grid_error(
                found.energy,
                lambda halvings: self._flow_on(problem.levels[0] - halvings).energy,
                problem.levels,
                problem.ends,
            ),
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
        looks = (
            weak_form(problem, passes, self.accuracy),
            at_points(u, passes, self.accuracy, self.rng),
        )
        if status is Status.CONVERGED and passes.residual > UNSOLVED * LINEAR * self.accuracy:
            status = Status.ITERATION_LIMIT
        if status is Status.CONVERGED and looks[0].passed and not looks[1].passed and u.max_rank >= MOST_RANK:
            status = Status.RANK_LIMIT
        if status is Status.CONVERGED and not all(look.passed for look in looks):
            status = Status.CONTRADICTED
        field = EllipticField(
            u=u,
            levels=problem.levels,
            ends=problem.ends,
            energy=passes.energy,
            energy_error=passes.energy_change,
            grid_error=passes.grid_error(),
            _slope=lambda axis: train_of(axes, coefficients, tol, slope=axis),
            domain=None if problem.reference is None else problem.reference.domain,
            _integral=None if problem.reference is None else problem.reference.integral(axes, coefficients),
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
