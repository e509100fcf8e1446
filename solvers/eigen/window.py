"""The states of a window of energies, without those below it.

Inverse iteration solves for each state next to its own energy and lets Rayleigh-Ritz tell it from its neighbours
(solvers.eigen.inverse_iteration); states far below never enter. So the window needs its own states and a margin of
them on both sides:

1. They begin as configuration interaction has them (solvers.eigen.window_start).
2. Passes and Rayleigh-Ritz as for the lowest states, shifts towards the middle of the window.
3. A search for missing levels in the complement (solvers.eigen.window_search); what it finds goes through step 2.
4. Errors: the estimates by rank, but never more than the residual allows, |E - level| <= r.
5. A second count: the levels that configuration interaction has in the window, each of them known as well as those of
   the list were by it.

Filtered and shifted subspaces for interior eigenvalues: Saad, Numerical Methods for Large Eigenvalue Problems (SIAM
2011), ch. 8; Rakhuba and Oseledets, J. Chem. Phys. 145, 124101 (2016). Cost as of inverse iteration for the states of
window and margin.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from solvers.checkpoint import Checkpoint, Question
from solvers.eigen.checks import looked_at
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.eigen.driven import MARGIN
from solvers.eigen.inverse_iteration import InverseIterations
from solvers.eigen.many_states import ManyStates
from solvers.eigen.probe import Search
from solvers.eigen.start import excitation_scale
from solvers.eigen.states import EigenStates
from solvers.eigen.stored import VERSION
from solvers.eigen.window_search import look_inside
from solvers.eigen.window_start import WindowStart, window_start
from solvers.formats.trains.operator import TTOperator
from solvers.iteration import drive
from solvers.methods import InverseIteration
from solvers.sectors.operator import SectorOperator
from solvers.solution import Callback, Checked, Solution, Status


def states_between(
    operator: TTOperator,
    terms: ProductTerms,
    lower: float,
    upper: float,
    ground: tuple[float, float],
    *,
    start: WindowStart | None = None,
    method: InverseIteration | None = None,
    accuracy: float = 1e-2,
    executor: Executor | None = None,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
) -> Solution:
    """The states of a real Hermitian TT operator from ``lower`` to ``upper`` above its lowest level.

    ``terms``: the operator as a table of products; ``ground``: its lowest level with its error; ``start``: None where
    configuration interaction shall give it. Energies of the result are absolute. A level that its error, or the
    accuracy, may bring into the window is in the list. ``value`` of the Solution is an EigenStates, empty where no
    level is found; its ``buffer`` has the levels found next to the window, above it. Other options as of ``eigsolve``.
    Raises TooHigh (a ValueError) for a window above too many products.
    """
    rng = rng or np.random.default_rng(0)
    begin = time.perf_counter()
    method = method or InverseIteration()
    scale = excitation_scale(terms)
    if method.local_tolerance is None:
        method = replace(method, local_tolerance=float(np.clip(0.3 * np.sqrt(accuracy / scale), 1e-8, 1e-2)))
    seed = int(rng.integers(2**31))
    if start is None:
        start = window_start(terms, lower, upper, method.configurations, seed)
    if not start.sectors:
        return _empty(ground, accuracy)
    for sector in start.sectors:
        for state in sector.states:
            state.energy += ground[0]
    modes = terms.modes
    texts = [repr((lower, upper, ground)), repr(method), repr(accuracy), repr(modes), VERSION]
    many = ManyStates(
        SectorOperator(operator, modes),
        start.sectors,
        0,
        scale,
        MARGIN * accuracy,
        method,
        rng,
        executor=executor,
        callback=callback,
        checkpoint=Checkpoint(checkpoint, Question(operator.cores, texts)),
        interval=(ground[0] + lower, ground[0] + upper),
    )
    first = many.seen("start", 0.05)
    if callback is not None:
        callback(first)
    weights = [np.exp(-(e - e.min()) / (4.0 * scale + np.ptp(e) * 0.05)) for e in terms.energies]
    task = _Task(many, Search(weights), start, ground, accuracy, time.perf_counter() - begin, operator)
    return drive(task, callback=callback, checkpoint=many.checkpoint, throw=False, asked=accuracy, before=[first])


def _empty(ground: tuple[float, float], accuracy: float) -> Solution:
    """No level in the window nor next to it."""
    none = np.zeros(0)
    probe = {"completeness": "unknown", "missing_states": 0}
    value = EigenStates(none, [], [], none, none, probe, None, ground)
    return Solution(value, Status.CONVERGED, 0, none, (), {}, {}, {}, asked=accuracy)


class _Task:
    """The passes, and the list of the window in the end."""

    def __init__(
        self,
        many: ManyStates,
        search: Search,
        start: WindowStart,
        ground: tuple[float, float],
        accuracy: float,
        start_s: float,
        operator: TTOperator,
    ) -> None:
        self.many, self.start, self.ground, self.accuracy, self.start_s = many, start, ground, accuracy, start_s
        self.operator = operator
        self.way = InverseIterations(many, search, look_inside)
        self.steps, self.content, self.restore = self.way.steps, self.way.content, self.way.restore

    def solution(self) -> Solution:
        """Steps 4 and 5."""
        many, outcome = self.many, self.way.outcome
        assert outcome is not None and many.interval is not None
        listed = [(state, sector.charge) for sector in many.sectors for state in sector.states]
        listed.sort(key=lambda pair: pair[0].energy)
        energies = np.array([state.energy for state, _ in listed])
        residuals = np.array([state.residual for state, _ in listed])
        errors = outcome.safety * np.array([state.error for state, _ in listed])
        errors = np.minimum(np.where(np.isfinite(errors), errors, np.inf), residuals)
        lower, upper = many.interval
        fuzzy = np.maximum(errors, self.accuracy) + self.ground[1]
        inside = np.flatnonzero((energies >= lower - fuzzy) & (energies <= upper + fuzzy))
        above = energies[energies > upper + fuzzy]
        ground = self.ground[0]
        least, most = self.start.expected(lower - ground, upper - ground, energies - ground, float(fuzzy.max()))
        probe: dict[str, Any] = dict(outcome.probe)
        probe["levels_by_configuration_interaction"] = str(least) if least == most else f"{least} to {most}"
        trains: list[Any] = [listed[i][0].train for i in inside]
        charges = [listed[i][1] for i in inside]
        value = EigenStates(energies[inside], trains, charges, errors[inside], above, probe, None, self.ground)
        met = int(np.sum(value.errors <= self.accuracy))
        solution = Solution(value, outcome.status, met, residuals[inside], (), many.counts, {"start_s": self.start_s})
        if len(inside):
            modes = many.operator.modes
            solution = looked_at(solution, self.operator, modes, len(inside), self.accuracy, None, many.rng)
        count = Checked(
            "number of levels in the window",
            f"configuration interaction of {self.start.products} products, without trains",
            f"{probe['levels_by_configuration_interaction']} expected, {len(inside)} listed",
            least <= len(inside) <= most,
        )
        status = solution.status
        if not count.passed and status is Status.CONVERGED:
            status = Status.CONTRADICTED
        return replace(solution, status=status, checked=(*solution.checked, count))
