"""Two-site DMRG: two neighbouring cores at a time, ranks from the truncation between them (linear.alternating)."""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.alternating import Alternating
from solvers.linear.nearest_sum import start_of
from solvers.linear.system import System
from solvers.methods import DMRG


def begin(system: System, method: DMRG, start: TensorTrain | None, rng: np.random.Generator) -> Alternating:
    """Before the first sweep."""
    return Alternating.of(system, start_of(system, start), None, method.local, method.max_rank, rng, sites=2)
