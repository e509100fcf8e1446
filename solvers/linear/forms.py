"""Systems whose operator knows that it is -div(a grad) + c on a grid: solved as that, never by its cores.

    1. One axis without c: the flux formula (solvers.elliptic.flux), beside the inverse of a Laplacian in closed form
       (``quantics.inverse_laplacian``), or, where a varies, beside b.x: two routes, and what they differ by is the
       residual.
    2. Otherwise polynomials on dyadic leaves (solvers.elliptic.passes), where these resolve the right-hand side.
    3. A product of such operators, as the biharmonic one: one after the other.
The residual ||b - A x|| of a vector on 2^30 points says nothing: rounding errors of A x exceed b by far, whatever x is.
What is judged is x.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from solvers.elliptic.bases import along_all
from solvers.elliptic.flux import flow
from solvers.elliptic.leaves import GROUND, Axis, step_of
from solvers.elliptic.looks import weak_form
from solvers.elliptic.passes import Passes, Problem
from solvers.elliptic.trains import train_of
from solvers.formats.quantics.axes import reordered
from solvers.formats.quantics.bits import SEQUENTIAL
from solvers.formats.quantics.coefficients import Coefficient
from solvers.formats.quantics.forms import Form, FormOperator
from solvers.formats.quantics.operators import inverse_laplacian
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.measured import amount
from solvers.solution import Callback, Checked, IterationState, Solution, Status

LARGEST_FULL = 1000  # unknowns up to which full vectors answer
CLEAN = 1e-14
SHARE = 0.1  # of the accuracy, for the train of x and for each factor of a product
UNSEEN = 1e-7  # of the right-hand side outside the polynomials: squares of norms tell no less
NEAR = 1e-9  # of an operator without its shift: an eigenvalue of zero
MOST_AXES = 3
SCOUTS = 50  # points for the size and the sign of coefficients


@dataclass
class Solved:
    """x, the relative error seen, and the passes and steps it took."""

    x: TensorTrain
    error: float
    passes: int = 0
    steps: int = 0
    distance: float = 1.0


def solve_form(
    operator: TTOperator, b: TensorTrain, accuracy: float, rng: np.random.Generator, callback: Callback | None
) -> Solution | None:
    """The solution, or None where the operator does not know what it is or this is not the way to solve it.

    ``residual``: (1,) the relative error of x in the 2-norm, as far as it was seen.
    """
    begun = time.perf_counter()
    if not isinstance(operator, FormOperator) or not operator.forms or not _suits(operator.forms, b):
        return None
    share = accuracy if len(operator.forms) == 1 else SHARE * accuracy
    x, error, passes, steps, distance = b, 0.0, 0, 0, 1.0
    for form in operator.forms:
        found = _solved(form, x, share, rng)
        if found is None or not found.error <= share or found.distance < NEAR:
            return None
        x, error = found.x, error + found.error
        passes, steps, distance = passes + found.passes, steps + found.steps, min(distance, found.distance)
    seconds = time.perf_counter() - begun
    state = IterationState(1, "form", x.max_rank, seconds, residuals=np.array([error]))
    if callback is not None:
        callback(state)
    how = "sums of the flux by two routes" if passes == 0 else "the last two spaces of polynomials"
    return Solution(
        x,
        Status.CONVERGED,
        1,
        np.array([error]),
        (state,),
        {"sweeps": passes, "local_solves": 0, "matvecs": steps},
        {"compile_s": 0.0, "solve_s": seconds},
        {
            "max_rank": x.max_rank,
            "hermitian": True,
            "route": "Laplacian" if all(form.constant for form in operator.forms) else "divergence form",
            "distance": distance,
            "forward_error": error,
        },
        (Checked("x, relative", how, f"they differ by {amount(error)}", True),),
        accuracy,
    )


def _suits(forms: Sequence[Form], b: TensorTrain) -> bool:
    """Grids that are large, of up to three axes, and real right-hand sides."""
    if 2.0**b.d <= LARGEST_FULL or b.dtype.kind == "c" or not b.norm() > 0.0:
        return False
    return all(len(form.levels) <= MOST_AXES and form.potential is None and _sign(form) != 0.0 for form in forms)


def _sign(form: Form) -> float:
    """1 or -1 for coefficients of one sign at some points, 0 for others."""
    points = np.random.default_rng(0).random((SCOUTS, len(form.levels)))
    signs = set()
    for k in range(len(form.levels)):
        a = form.diffusion(k)
        signs |= set(np.sign(a(points) if callable(a) else [a]).tolist())
    return float(signs.pop()) if len(signs) == 1 else 0.0


def _solved(form: Form, b: TensorTrain, accuracy: float, rng: np.random.Generator) -> Solved | None:
    if _sign(form) < 0.0:
        return _solved(form.times(-1.0), b * -1.0, accuracy, rng)
    side = b if form.order == SEQUENTIAL or len(form.levels) == 1 else reordered(b, form.levels, SEQUENTIAL, CLEAN)
    alone = len(form.levels) == 1 and form.shift == 0.0 and not form.reaction
    found = _direct(form, side, accuracy, rng) if alone else _passes(form, side, accuracy)
    if found is not None and side is not b:
        found.x = reordered(found.x, form.levels, form.order, SHARE * accuracy)
    return found


def _direct(form: Form, b: TensorTrain, accuracy: float, rng: np.random.Generator) -> Solved | None:
    """One axis by both routes."""
    (levels,), (ends,) = form.levels, form.ends
    if not any(GROUND[end] for end in ends):
        return None
    step = step_of(levels, ends)
    if form.constant:
        x = flow(levels, ends, 1.0, b, CLEAN, rng).u * (1.0 / step**2)
        other = inverse_laplacian(levels, 1.0, *ends) @ b
        size = x.norm()
        return Solved(x * (1.0 / form.scales[0]), (x - other).norm() / size if size > 0.0 else 0.0)
    try:
        found = flow(levels, ends, form.diffusion(0, step**2), b, SHARE * accuracy, rng)
    except ValueError:  # a coefficient that changes sign, or that nothing follows
        return None
    again = step * dot(b, found.u).real
    size = max(abs(again), abs(found.energy))
    # b.x is no look at x where b is nearly orthogonal to it
    apart = abs(again - found.energy) / size if size > 0.0 else 0.0
    return Solved(found.u, max(found.deviation, apart))


def _passes(form: Form, b: TensorTrain, accuracy: float) -> Solved | None:
    plain = not form.reaction and form.shift == 0.0
    if plain and not any(GROUND[end] for pair in form.ends for end in pair):
        return None  # singular
    steps = [step_of(levels, ends) for levels, ends in zip(form.levels, form.ends)]
    # a system of scale one: the load and the operator divided by the largest coefficient
    points = np.random.default_rng(0).random((SCOUTS, len(steps)))
    size = max(step**2 * _largest(form.diffusion(k), points) for k, step in enumerate(steps))
    diffusion = tuple(form.diffusion(k, step**2 / size) for k, step in enumerate(steps))
    norm = b.norm() * float(np.prod(np.sqrt(steps)))
    problem = Problem(form.levels, form.ends, diffusion, form.absorption(1.0 / size), b * (1.0 / norm))
    passes = Passes(problem, accuracy)
    try:
        for _ in passes.steps():
            pass
    except ValueError:  # too many waves, or a coefficient that nothing follows
        return None
    if not passes.agreed or _unseen(passes.axes, problem) > max(accuracy, UNSEEN):
        return None
    if not weak_form(problem, passes, accuracy).passed:
        return None
    x = train_of(passes.axes, passes.coefficients, max(SHARE * accuracy, CLEAN)) * (norm / size)
    return Solved(x, passes.change, passes.done, passes.work["steps"], passes.least)


def _largest(a: Coefficient, points: np.ndarray) -> float:
    return float(np.max(a(points))) if callable(a) else a


def _unseen(axes: Sequence[Axis], problem: Problem) -> float:
    """The share of a right-hand side of norm one that is outside the space, in the 2-norm: Pythagoras."""
    moments = problem.moments(axes)
    back = []
    for axis in axes:
        gram = axis.values.T @ (axis.node_weights[:, None] * axis.values)
        scale = 1.0 / np.sqrt(np.diag(gram))
        factor = cholesky(gram * scale * scale[:, None], check_finite=False)
        back.append(solve_triangular(factor, np.diag(scale), trans="T", check_finite=False))
    inside = float(np.linalg.norm(along_all(back, moments)))
    return float(np.sqrt(max(1.0 - inside**2, 0.0)))
