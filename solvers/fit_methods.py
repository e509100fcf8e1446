"""The methods of fits and descents: options only, as in ``methods``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from solvers.method_base import at_least

Losses = Literal["squares", "huber", "logistic"]  # of a completion


@dataclass(frozen=True)
class ConjugateGradients:
    """Nonlinear conjugate gradients on a manifold (solvers.optimisation.descent).

    ``steps``: most steps. ``first_step``: length of the very first trial step, in units of the direction; about one
    where the preconditioner is close to the inverse Hessian. ``conjugate``: False for plain gradient descent.
    ``slope``: a step is accepted when the slope at its end is at most this share of the slope at its start.
    ``corrections``: most corrections of a step that already lowers the value. ``noise``: relative rounding error of a
    value; rises up to this are none.

    Raises ValueError where a value is impossible.
    """

    steps: int = 500
    first_step: float = 1.0
    conjugate: bool = True
    slope: float = 0.2
    corrections: int = 3
    noise: float = 1e-13

    def __post_init__(self) -> None:
        at_least("ConjugateGradients", self, {"steps": 1, "corrections": 0})
        if not (math.isfinite(self.first_step) and self.first_step > 0.0):
            raise ValueError(f"ConjugateGradients: first_step is {self.first_step!r}; give a positive number")
        if not 0.0 < self.slope < 1.0:
            raise ValueError(f"ConjugateGradients: slope is {self.slope!r}; give a number between 0 and 1")
        if not 0.0 <= self.noise < 1e-2:
            raise ValueError(f"ConjugateGradients: noise is {self.noise!r}; give a small number, such as 1e-13")


@dataclass(frozen=True)
class Completion:
    """A train from a few known entries (solvers.optimisation.completion.completion).

    ``max_rank``: the TT-ranks grow one by one up to this cap (alias rmax). ``validation``: share of the entries that is
    not fitted but judges the ranks. ``starts``: random rank-one starts besides a constant. ``descent``: for every fit.

    ``loss``: squares; huber, for values of which some are wrong by any amount; logistic, for values 0 and 1, of which
    the train gives the log-odds. ``effects``: a constant and an effect of every index of every mode are fitted first.
    ``ridge``: lambda of the squared sizes of effects and cores (completion.alternating); None: chosen by the entries
    set aside where there are effects or a logistic loss, and none otherwise.

    Raises ValueError where a value is impossible.
    """

    max_rank: int = 10
    validation: float = 0.05
    starts: int = 8
    descent: ConjugateGradients = ConjugateGradients(steps=200, slope=0.5)
    loss: Losses = "squares"
    effects: bool = False
    ridge: float | None = None

    @property
    def penalised(self) -> bool:
        """Whether samples are noisy ones: there are effects, a ridge or a logistic loss."""
        return self.effects or bool(self.ridge) or self.loss == "logistic"

    def __post_init__(self) -> None:
        at_least("Completion", self, {"max_rank": 1, "starts": 0})
        if self.loss not in ("squares", "huber", "logistic"):
            raise ValueError(f"Completion: loss is {self.loss!r}; give squares, huber or logistic")
        if self.ridge is not None and not (math.isfinite(self.ridge) and self.ridge >= 0.0):
            raise ValueError(f"Completion: ridge is {self.ridge!r}; give a number from 0 on, or None")
        if not 0.0 < self.validation < 1.0:
            raise ValueError(f"Completion: validation is {self.validation!r}; give a share between 0 and 1")


@dataclass(frozen=True)
class Regression:
    """A function of many coordinates from values at scattered points (solvers.optimisation.regression.regress).

    ``max_rank``: the TT-ranks grow one by one up to this cap (alias rmax), and not beyond what the points can tell.
    ``validation``: share of the points (of few a fifth) that is not fitted but judges ranks and ridges. ``ridge``:
    penalty on the squared norm, relative to the sum of the weights, for functions of mean square one; None: chosen by
    those points. ``sweeps``: most of them a fit. ``starts``: random ones where the others learned nothing. ``loss``:
    squares; huber, for values of which some are wrong by any amount.

    Raises ValueError where a value is impossible.
    """

    max_rank: int = 10
    validation: float = 0.1
    ridge: float | None = None
    sweeps: int = 40
    starts: int = 2
    loss: Literal["squares", "huber"] = "squares"

    def __post_init__(self) -> None:
        at_least("Regression", self, {"max_rank": 1, "sweeps": 1, "starts": 0})
        if self.loss not in ("squares", "huber"):
            raise ValueError(f"Regression: loss is {self.loss!r}; give squares or huber")
        if self.ridge is not None and not (math.isfinite(self.ridge) and self.ridge >= 0.0):
            raise ValueError(f"Regression: ridge is {self.ridge!r}; give a number from 0 on, or None")
        if not 0.0 < self.validation < 1.0:
            raise ValueError(f"Regression: validation is {self.validation!r}; give a share between 0 and 1")


@dataclass(frozen=True)
class AlternatingNewton:
    """Damped Newton steps of all words, then of all contexts (solvers.optimisation.skip_gram.alternating).

    ``sweeps``: most of them. ``ridge``: weight of half the sum of squares of both factors, in units of a count: what a
    singular value of the matrix costs.

    Raises ValueError where a value is impossible.
    """

    sweeps: int = 40
    ridge: float = 1.0

    def __post_init__(self) -> None:
        at_least("AlternatingNewton", self, {"sweeps": 1})
        if not (math.isfinite(self.ridge) and self.ridge >= 0.0):
            raise ValueError(f"AlternatingNewton: ridge is {self.ridge!r}; give zero or a positive number, such as 1.0")


@dataclass(frozen=True)
class ShiftedPMI:
    """Truncated singular value decomposition of the positive pointwise mutual information.

    ``shift``: what is subtracted before all below zero is dropped (None: the logarithm of the number of negatives).

    Raises ValueError where a value is impossible.
    """

    shift: float | None = None

    def __post_init__(self) -> None:
        if self.shift is not None and not math.isfinite(self.shift):
            raise ValueError(f"ShiftedPMI: shift is {self.shift!r}; give a number, such as 0.0, or None")
