"""The way from approximate states of every sector to a Solution: passes or sweeps, the search for missing states, and a
second look at what they left."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.eigen import full_vectors
from solvers.eigen.checks import looked_at
from solvers.eigen.inverse_iteration import InverseIterations
from solvers.eigen.many_states import ManyStates, Outcome
from solvers.eigen.probe import Search
from solvers.eigen.shared_basis import SharedBasis
from solvers.eigen.start import Start
from solvers.eigen.states import EigenStates
from solvers.eigen.stored import VERSION, begin_with
from solvers.formats.trains.operator import TTOperator
from solvers.iteration import drive
from solvers.methods import BlockDMRG, InverseIteration
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import ModeCharges
from solvers.solution import Callback, NotConverged, Solution, Status

MARGIN = 0.75  # of the accuracy is the goal for the estimates; the rest is left to what they cannot see


@dataclass(frozen=True)
class Asking:
    """What a list of lowest states is asked for, and how: see ``eigsolve``; ``begin``: when the question was put;
    ``chosen``: whether a caller named the method."""

    n_states: int
    accuracy: float
    method: InverseIteration | BlockDMRG
    rng: np.random.Generator
    begin: float
    executor: Executor | None = None
    callback: Callback | None = None
    checkpoint: Checkpoint | None = None
    earlier: Checkpoint | None = None
    throw: bool = True
    chosen: bool = True


def driven(
    operator: TTOperator,
    sector: SectorOperator,
    given: Start,
    search: Search,
    scale: float,
    asking: Asking,
    seed: int,
    warm: bool,
    judged: Callable[[Solution], Solution] | None = None,
) -> Solution:
    """The states from a start; ``scale``: the lowest excitation energy; ``warm``: the start is proved; ``judged``: the
    second look, the usual one where None."""
    method, accuracy, modes = asking.method, asking.accuracy, sector.modes
    single = method if isinstance(method, InverseIteration) else InverseIteration()
    if single.local_tolerance is None:  # the energy error is quadratic in that of the state
        single = replace(single, local_tolerance=float(np.clip(0.3 * np.sqrt(accuracy / scale), 1e-8, 1e-2)))
    texts = [repr(asking.n_states), repr(method), repr(accuracy), repr(modes), VERSION]
    store = asking.checkpoint or Checkpoint(None)
    many = ManyStates(
        sector,
        given.sectors,
        asking.n_states,
        scale,
        MARGIN * accuracy,
        single,
        asking.rng,
        executor=asking.executor,
        callback=asking.callback,
        checkpoint=Checkpoint(store.path, Question(operator.cores, texts)),
        warm=warm and isinstance(method, InverseIteration),
    )
    if asking.earlier is not None and not warm:
        begin_with(many, asking.earlier.load())
    first = many.seen("start", 0.05)
    if asking.callback is not None:
        asking.callback(first)
    way: InverseIterations | SharedBasis
    if isinstance(method, InverseIteration):
        way = InverseIterations(many, search)
    else:
        way = SharedBasis(many, search, method, given.gap, seed)

    def usual(solution: Solution) -> Solution:
        reference = search.reference
        return checked(solution, operator, modes, asking.n_states, accuracy, method, asking.rng, reference)

    task = _Task(many, way, accuracy, time.perf_counter() - asking.begin, judged or usual)
    return drive(
        task, callback=asking.callback, checkpoint=many.checkpoint, throw=asking.throw, asked=accuracy, before=[first]
    )


class _Task:
    """One list of states by one method, looked at a second time; ``start_s``: seconds that its start took."""

    def __init__(
        self,
        many: ManyStates,
        way: InverseIterations | SharedBasis,
        accuracy: float,
        start_s: float,
        judged: Callable[[Solution], Solution],
    ) -> None:
        self.many, self.way, self.accuracy, self.start_s, self.judged = many, way, accuracy, start_s, judged
        self.steps, self.content, self.restore = way.steps, way.content, way.restore

    def solution(self) -> Solution:
        """The states as the method left them."""
        assert self.way.outcome is not None
        return self.judged(_solution(self.many, self.way.outcome, self.accuracy, self.start_s))


def _solution(many: ManyStates, outcome: Outcome, accuracy: float, start_s: float) -> Solution:
    listed = [(state, sector.charge) for sector in many.sectors for state in sector.states]
    listed.sort(key=lambda pair: pair[0].energy)
    wanted, buffer = listed[: many.wanted], listed[many.wanted :]
    errors = outcome.safety * np.array([state.error for state, _ in wanted])
    value = EigenStates(
        np.array([state.energy for state, _ in wanted]),
        [state.train for state, _ in wanted],
        [charge for _, charge in wanted],
        errors,
        np.array([state.energy for state, _ in buffer]),
        outcome.probe,
    )
    return Solution(
        value,
        outcome.status,
        int(np.sum(errors <= accuracy)),
        np.array([state.residual for state, _ in wanted]),
        (),
        many.counts,
        {"start_s": start_s},
    )


def checked(
    solution: Solution,
    operator: TTOperator,
    modes: ModeCharges,
    n_states: int,
    accuracy: float,
    method: InverseIteration | BlockDMRG | None,
    rng: np.random.Generator,
    reference: full_vectors.Reference | None = None,
) -> Solution:
    """The solution with its second looks; CONVERGED where every error is within the accuracy and nothing speaks
    against it: no state missing in the last search, no check that failed, no residual above the ``tol`` of a method."""
    exact = None if reference is None else reference.spectrum
    stopped = solution.status
    solution = looked_at(solution, operator, modes, n_states, accuracy, exact, rng)
    tol = method.tol if isinstance(method, BlockDMRG) else None
    if tol is not None and np.any(solution.residual > tol):
        met = int(np.sum((solution.residual <= tol) & (solution.value.errors <= accuracy)))
        status = solution.status if not solution.converged else stopped
        status = Status.STAGNATED if status is Status.CONVERGED else status  # what the rounding of the states left
        solution = replace(solution, n_converged=met, status=status)
    return solution


def raised(solution: Solution) -> Solution:
    if not solution.converged:
        raise NotConverged(solution)
    return solution
