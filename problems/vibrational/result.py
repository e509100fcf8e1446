"""What a vibrational calculation returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from solvers.solution import Checked, IterationState, Status
from solvers.trains.tensor_train import TensorTrain


@dataclass(frozen=True)
class VibrationalResult:
    """Energies (n,) absolute and ascending in ``unit``, their error estimates (rank part + basis part), and the states.

    ``symmetry``: signs of the field's parities, one a state; ``ranks``: TT-ranks of each state; ``mode_order``:
    1-based modes along the train; ``basis_functions``: in that order; ``completeness``: buffer energies, gap above the
    last wanted state, result of the probe; ``states``: trains in that mode order, function v of a mode at index v.
    """

    energies: np.ndarray
    unit: str
    error_estimates: np.ndarray
    rank_errors: np.ndarray
    basis_errors: np.ndarray
    residual_norms: np.ndarray
    symmetry: list[str]
    assignments: list[str]
    ranks: list[list[int]]
    operator_ranks: list[int]
    mode_order: list[int]
    basis_functions: list[int]
    states_megabytes: float
    completeness: dict
    state_converged: np.ndarray
    status: Status
    states: Sequence[TensorTrain]
    history: list[IterationState]
    counts: dict[str, int]
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()


RESULTS = (VibrationalResult,)
