"""The states of a window without those below it: the ground state alone, then the window.

1. Approximate states of the window and of a margin, by configuration interaction; the space gets the functions that
   they want more of.
2. The ground state, which energies are counted from, with what its own basis costs.
3. The states of the window (solvers.eigen.window).
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.keys import AUTOMATIC
from problems.quantum.hamiltonians.space import Space
from problems.quantum.tasks.spectrum.energy_range import EnergyRange
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from solvers.eigen.eigsolve import eigsolve
from solvers.eigen.start import Start
from solvers.eigen.window import states_between
from solvers.eigen.window_start import TooHigh, window_start
from solvers.methods import BlockDMRG, InverseIteration
from solvers.solution import Callback, Solution

GROUND_SHARE = 0.5  # of the accuracy, asked of the ground state


def by_itself(space: Space, solver: SpectrumSolver) -> bool:
    """Whether a window of this space is found without the states below: from a table of products, a train a state."""
    own_way = type(space).found is not Space.found  # its levels come as a list from below
    return not own_way and space.starts and not space.complex and solver.method in (AUTOMATIC, "inverse_iteration")


def window_states(
    space: Space,
    asked: EnergyRange,
    method: InverseIteration | BlockDMRG,
    accuracy: float,
    *,
    executor: Executor | None,
    rng: np.random.Generator,
    callback: Callback | None,
    checkpoint: Path | None,
) -> tuple[Space, Solution]:
    """The space, maybe enlarged, and the states; ``accuracy``: of the states in it. Raises ProblemError where no level
    lies in the window, or too many below it."""
    single = method if isinstance(method, InverseIteration) else InverseIteration()
    try:
        start = window_start(space.terms, asked.lower, asked.upper, single.configurations, int(rng.integers(2**31)))
    except TooHigh as error:
        raise ProblemError(f"{error}: lower it", asked.key) from None
    if start.sectors:
        space = space.enlarged(Start([*start.sectors, start.ground], None), executor)
    lowest = eigsolve(
        space.operator,
        1,
        start=(space.terms, Start([start.ground], None)),
        method=single,
        accuracy=GROUND_SHARE * accuracy,
        executor=executor,
        rng=rng,
        throw=False,
        checkpoint=None if checkpoint is None else checkpoint.with_name(f"ground-{checkpoint.name}"),
    )
    of_basis = float(space.judge(lowest.value, executor).errors[0])
    ground = (float(lowest.value.energies[0]), float(lowest.value.errors[0]))
    solution = states_between(
        space.operator,
        space.terms,
        asked.lower,
        asked.upper,
        ground,
        start=start,
        method=single,
        accuracy=accuracy,
        executor=executor,
        rng=rng,
        callback=callback,
        checkpoint=checkpoint,
    )
    value = solution.value
    if not len(value.energies):
        raise asked.empty([float(e) - ground[0] for e in value.buffer[:1]], space.unit)
    return space, replace(solution, value=replace(value, ground=(ground[0], ground[1] + of_basis)))
