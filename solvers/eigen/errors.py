"""Errors and residual norms of the states of a many-state calculation, state by state on the executor.

The second-order estimate of each state (solvers.sectors.estimates) sees what two neighbouring cores could still take
up. Where much of the residual lies within single cores instead, the iteration has not ended at these ranks, and the
Kato-Temple bound of that part is added (T. Kato, J. Phys. Soc. Jpn. 4, 334 (1949)). From pass to pass the gain in
energy over the fall of the estimate is noted, by which the estimates are calibrated (ManyStates.safety).
"""

from __future__ import annotations

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.many_states import ManyStates, Sector

UNSEEN = 0.7  # of the squared residual within single cores: the estimate by rank says little; 0.25 to 0.45 measured
NARROWEST_GAP = 0.02  # of the lowest excitation energy, in error bounds that divide by a gap
FALLEN = 0.3  # share of the estimate that a pass must take away for the ratio to say something,
ABOVE = 0.01  # and share of the goal that the estimate must have been


def estimate(many: ManyStates, label: str, low: float, high: float) -> None:
    """Rank errors and residual norms of the states whose train changed; ``low``, ``high``: fractions of the work."""
    jobs, where = [], []
    for sector in many.sectors:
        changed = [i for i, state in enumerate(sector.states) if not np.isfinite(state.error)]
        for chunk in tasks.chunks(changed, tasks.CHUNK):
            jobs.append((many.operator, {i: sector.states[i].train for i in chunk}, many.scale))
            where.append(sector)
    results = tasks.run_tasks(many.executor, tasks.state_errors, jobs, many.progress(label, low, high))
    for sector, found in zip(where, results):
        for one in found:
            _note(many, sector, one)


def _note(many: ManyStates, sector: Sector, found: tasks.RankError) -> None:
    """The error of one state, and the ratio that calibrates the estimates."""
    state, error, quotient = sector.states[found.state], found.error, found.quotient
    if found.undone > UNSEEN * found.residual**2:
        # orthogonal to all trains of the sector, so that the gap reaches past them (Kato-Temple)
        top = float(np.max(sector.energies))
        error += found.undone / max(top - quotient, NARROWEST_GAP * many.scale, np.sqrt(found.undone))
    state.error, state.residual, state.quotient = error, found.residual, quotient
    fall, gain = state.before[0] - error, state.before[1] - quotient
    if not state.mixed and fall > FALLEN * state.before[0] and state.before[0] > ABOVE * many.goal:
        many.ratios.append(gain / fall)


def true_residuals(many: ManyStates) -> None:
    """||H x - E x|| of every state, E the train's own Rayleigh quotient, independent of how it was found."""
    jobs, where = [], []
    for sector in many.sectors:
        for chunk in tasks.chunks(range(len(sector.states)), 2 * tasks.CHUNK):
            trains = {i: sector.states[i].train for i in chunk}
            energies = {i: sector.states[i].quotient for i in chunk}
            jobs.append((many.operator, trains, energies, int(many.rng.integers(2**31))))
            where.append(sector)
    for sector, found in zip(where, tasks.run_tasks(many.executor, tasks.residual_norms, jobs)):
        for i, norm in found:
            sector.states[i].residual = norm
