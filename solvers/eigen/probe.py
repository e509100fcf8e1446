"""A search for missing states: random starts in the orthogonal complement of those found.

The start is made orthogonal to the known states of its block and driven down by inverse iteration with a shift just
above the last wanted level; Rayleigh-Ritz with the known states follows each step. A state that had been missed
would be amplified more than anything above it and come out as a new Ritz vector below the shift.
"""

from __future__ import annotations

import numpy as np

from solvers.eigen import tasks
from solvers.eigen.blocks import stable_eigh, step_options
from solvers.eigen.shifted_solve import ShiftedSolve
from solvers.environments import sandwich
from solvers.methods import InverseIteration
from solvers.trains.sectors import SectorTrain, inner, random_train

PROBE_STEPS = 4


def probe_block(
    operator, charge: int, known, shift: float, weights, method: InverseIteration, scale: float, seed: int
) -> tuple[float, float, SectorTrain]:
    """One random start in the complement of the known states of a block.

    Returns the energy of the one Ritz vector that is new, the largest drop it causes in a known energy, and its train.
    """
    operator = tasks.known(operator)
    trains, known_energies = known
    rng = np.random.default_rng(seed)
    z = random_train(operator.modes, charge, 6, weights, rng)
    n, rank = len(trains), min(method.first_rank, method.max_rank)
    options = step_options(method, rank, scale)
    energy, drop = np.inf, 0.0
    for _ in range(PROBE_STEPS):
        overlaps = np.array([inner(x, z) for x in trains])
        used = [j for j in range(n) if abs(overlaps[j]) > 1e-6]
        sources = [z, *(trains[j] for j in used)]
        step = ShiftedSolve(operator, z, sources, [1.0, *(-overlaps[used])], shift, options, rng)
        z = step.solve()[0]
        if inner(z, z) == 0.0:
            return np.inf, 0.0, z  # no complement is left
        z = tasks.normalised(z)
        h, s = np.diag([*known_energies, sandwich(operator, z, z)]), np.eye(n + 1)
        for j, x in enumerate(trains):
            h[n, j] = h[j, n] = sandwich(operator, x, z)
            s[n, j] = s[j, n] = inner(x, z)
        energies, vectors = stable_eigh(h, s)
        if len(energies) <= n:
            return np.inf, 0.0, z  # the start collapsed into the known states: nothing outside them
        new = int(np.argmax(np.abs(vectors[n])))
        energy = float(energies[new])
        drop = float(np.max(known_energies - np.delete(energies, new), initial=0.0))
    return energy, drop, z
