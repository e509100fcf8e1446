"""Mean energy and residual norm of what a train has outside of others."""

from __future__ import annotations

import numpy as np

from solvers.eigen import tasks
from solvers.sectors.environments import sandwich
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import SectorTrain, inner, linear_combination, truncate

LEAST = 0.1  # of the norm: less is no vector of its own
ROUNDING = 1e-9
SEEN = 1e-9  # overlap with a known state that is taken out


def mean_and_residual(
    operator: SectorOperator, x: SectorTrain, others: list[SectorTrain]
) -> tuple[float, float] | None:
    """<z|H|z> and ||H z - <z|H|z> z|| of the normalised part z of ``x`` outside the span of the orthonormal ``others``;
    None where next to nothing of it is."""
    overlaps = np.array([inner(y, x) for y in others])
    used = [j for j in range(len(others)) if abs(overlaps[j]) > SEEN]
    z = linear_combination([x, *(others[j] for j in used)], [1.0, *(-overlaps[used])]) if used else x
    norm = float(np.sqrt(max(inner(z, z), 0.0)))
    if norm < LEAST:
        return None
    z = truncate(z, 4 * x.max_rank + 8, ROUNDING)[0]
    z = tasks.normalised(z)
    mean = sandwich(operator, z, z)
    ((_, residual),) = tasks.residual_norms(operator, {0: z}, {0: mean}, 0)
    return float(mean), float(residual)
