"""AMEn: one core at a time, the basis enriched by the residual (solvers.linear.alternating)."""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.alternating import Alternating
from solvers.linear.nearest_sum import start_of
from solvers.linear.system import System
from solvers.methods import AMEn


def begin(system: System, method: AMEn, start: TensorTrain | None, rng: np.random.Generator) -> Alternating:
    """Before the first sweep, the enrichment a random train."""
    z = random_train(system.b.shape, method.enrichment, rng)
    return Alternating.of(system, start_of(system, start), z, method.local, method.max_rank, rng)
