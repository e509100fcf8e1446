"""``als_cross``: the solution of a parametric linear system as a train, from few solves of the full system.

Two nested approximations, each refined until it is good enough for the accuracy: the spatial basis
(solvers.cross.reduced_basis) and, in it, the train over the parameters (solvers.cross.als_sweep). The points where the
full system is solved are chosen among random ones and the index sets of the train; the end is judged by the residual
of the train itself at fresh random points.
"""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

import numpy as np

from solvers.checkpoint import Checkpoint, Journal, Question
from solvers.cross.als_rounds import Rounds
from solvers.cross.als_sweep import random_points
from solvers.cross.parametric_system import ParametricSystem
from solvers.cross.reduced_basis import ReducedBasis
from solvers.cross.sources import PROBES
from solvers.iteration import drive
from solvers.methods import ALSCross
from solvers.solution import Callback, Solution
from solvers.threads import one_blas_thread


@one_blas_thread
def als_cross(
    system: ParametricSystem,
    *,
    method: ALSCross | None = None,
    accuracy: float = 1e-6,
    start: ReducedBasis | None = None,
    executor: Executor | None = None,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    earlier: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """The solution u(x; i_1, ..., i_d) of A(i) u = f(i) on the whole grid, as a train of shape (N, n_1, ..., n_d).

    ``accuracy``: relative error in the energy norm of the mean operator, root mean square over the parameters; no
    checked point is worse than 30 times that. ``start``: a basis from an earlier call on the same full system (its
    solves are not made again), which grows. ``executor``: for the solves of the full system. ``checkpoint``: a file
    written after solves, sweeps and checks; the solutions are beside it, in files of its name with a number, or where
    ``start`` keeps its own. Where it exists the same call goes on from it, with a ``start`` as it was then; where only
    solutions do, these are not made again. Another system (but for ``exact``), grid, method, accuracy or ``start`` is
    told apart. ``earlier``: the name of those of another call for the same full system, from which a new basis begins;
    it does not count beside a ``start``, nor where there are solutions already: what these began with is among them.

    ``value``: the train, spatial core first; ``residual``: (2,) root mean square and largest relative residual of the
    train in the dual norm at fresh random points; ``counts``: solves (distinct points), reduced_solves, sweeps, basis;
    ``extra``: the basis (``start`` of a next call), ``checked`` points and unseen_share, the probability that the
    parameters where the residual is worse can have although none was found (9.2 over ``checked``, but for one case in
    10^4); ``history``: one entry a batch of solves or a sweep, residuals as above, ``extra`` with the solves so far.
    Status CONVERGED, BASIS_LIMIT (max_solves bound), RANK_LIMIT or ITERATION_LIMIT. Raises NotConverged, with the
    solution, when ``throw``; CheckpointError, a ValueError, for a file that is damaged or of another question.
    """
    method, rng = method or ALSCross(), rng or np.random.default_rng(0)
    if not 0.0 < accuracy < 1.0:
        raise ValueError(f"accuracy must lie in (0, 1), not {accuracy!r}")
    arrays = [system.loads, *(matrix.data for matrix in system.matrices)]
    journal = Journal(None) if checkpoint is None else Journal(checkpoint, Question(arrays, []))  # of all grids
    given = [repr((method, float(accuracy)))]
    arrays += [*system.factors, *system.load_factors, *system.weights]
    if start is None:
        start = ReducedBasis(system, executor, journal)
        start.begin_from(Journal(earlier))
    elif checkpoint is not None:
        given.append(repr((start.m, start.solves)))
        arrays.append(start.compliances(random_points(system, PROBES, np.random.default_rng(0))))
        if start.journal.path is None:
            start.journal = journal
    asked = None if checkpoint is None else Question(arrays, given)
    rounds = Rounds(system, method, accuracy, start, rng)
    return drive(rounds, callback=callback, checkpoint=Checkpoint(checkpoint, asked), throw=throw, asked=accuracy)
