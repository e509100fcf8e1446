"""ALS: one core at a time at fixed ranks (solvers.linear.alternating)."""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.rounding import round_cores
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.alternating import Alternating
from solvers.linear.nearest_sum import start_of
from solvers.linear.system import System
from solvers.methods import ALS

NOISE = 1e-2  # of the start, the random part that fills it up to the rank asked for


def begin(system: System, method: ALS, start: TensorTrain | None, rng: np.random.Generator) -> Alternating:
    """Before the first sweep."""
    x = _of_rank(start_of(system, start), method.rank, rng)
    return Alternating.of(system, x, None, method.local, method.rank, rng)


def _of_rank(x: TensorTrain, rank: int, rng: np.random.Generator) -> TensorTrain:
    """The train filled up with a small random part to ``rank``, or cut to it."""
    if x.max_rank < rank:
        noise = random_train(x.shape, rank, rng)
        x = x + noise * (NOISE * x.norm())
    return TensorTrain(round_cores(x.cores, None, 0.0, rank)[0])
