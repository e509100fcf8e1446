"""What an evolution returns: times, the last state, and everything recorded on the way with its errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.cards import Card, Fact, number, ranks, size
from solvers.formats.trains.tensor_train import TensorTrain


@dataclass(frozen=True, eq=False)
class Evolution(Card):
    """Arrays over the T output times.

    ``state``: the train at the last time. ``norms`` (T,) and their logarithms ``log_norms`` (T,), which are exact where
    a norm is no number of double precision (the state is then divided by it, and so is what an observer sees);
    ``energies`` (T,) the real part of <x|A|x>/<x|x>, ``ranks``
    (T, d+1). Errors, accumulated from the start and relative to the norm: ``projection_errors``, the integral of
    ||(1 - P) A x|| with P the projector on the tangent space that the ranks allow, a bound of what it leaves out of
    the exact solution of a Hermitian or dissipative system; ``truncation_errors``, what truncations discarded;
    ``step_errors``, an estimate of the error of finite steps; ``krylov_errors``, of the local exponentials or solves.
    Where the norm changes they are carried on: an error made early is then larger beside a state that has become
    small. ``observed``: name -> (T, ...) what the observer returned. ``step_sizes`` (steps,): the accepted ones.
    """

    times: np.ndarray
    state: TensorTrain
    norms: np.ndarray
    energies: np.ndarray
    ranks: np.ndarray
    projection_errors: np.ndarray
    truncation_errors: np.ndarray
    step_errors: np.ndarray
    krylov_errors: np.ndarray
    observed: dict[str, np.ndarray]
    step_sizes: np.ndarray
    log_norms: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """The bound (T,) of the relative error of the state: the sum of the four."""
        return self.projection_errors + self.truncation_errors + self.step_errors + self.krylov_errors

    def worded(self) -> list[Fact]:
        """Where it is, the last norm and energy, and the bound of the error."""
        return [
            ("times", f"{self.times[0]:g} to {self.times[-1]:g}, {len(self.times)} outputs"),
            ("error bound", size(self.errors[-1])),
            ("norm", number(self.norms[-1])),
            ("energy", number(self.energies[-1])),
            ("TT-ranks", ranks(self.state.ranks)),
            ("observed", ", ".join(self.observed)),
        ]
