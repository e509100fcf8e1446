"""Whether a generator has a second stationary state beside p: what a disturbance of p becomes.

1. A product state q of the same mass, apart from the mean one in every mode: a conserved quantity that is a sum over
   modes has another distribution in q than in p.
2. x = q - p holds no mass; sweeps of implicit steps (solvers.eigen.general.projected_generator) divide each of its
   parts by 1 + w / s or more. Where all of x decays, nothing else is stationary, and what decays last says the slowest
   rate, ||A x|| / ||x||; where a part stays, s falls with that rate, until A x is zero.
3. States that are the same in all modes are looked at one by one: such a state may be left by no transition, and would
   be a vanishing part of q.
Stewart, Introduction to the Numerical Solution of Markov Chains (1994), 3.2. Cost: ten to twenty-four sweeps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from solvers.eigen.general.pace import Pace
from solvers.eigen.general.projected_generator import ProjectedGenerator
from solvers.formats.trains.construct import rank_one, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.measured import amount
from solvers.solution import IterationState

SWEEPS = 24
RANK = 60  # cap of the trains
UNSOLVED = 0.2  # share of a right-hand side that systems of a sweep leave, from which on it says nothing of a decay
DECAYED = 0.05  # of x: what is left of it
MEASURED = 6  # sweeps after that, for the slowest rate to be known,
SETTLED = 0.1  # which it is when it changes by less than this share of it
ZERO = 1e-7  # of the mean size of A: ||A x|| / ||x|| of a stationary state
ONE = 1e-14  # rounding of the mass
UNEXAMINED = "not examined"
DECAYS = "searched: a disturbance decayed"
NOT_UNIQUE = (
    "the stationary state is not unique: a search found another (a conserved quantity?); add what decides "
    "between them to the operator"
)


class Another:
    """The search; ``verdict``: how it is known that no other state is stationary, or that it is not decided; ``rate``:
    the slowest one, where it settled."""

    def __init__(
        self,
        operator: TTOperator,
        p: TensorTrain,
        mass: TensorTrain,
        size: float,
        max_rank: int,
        rng: np.random.Generator,
    ) -> None:
        self.operator, self.p, self.mass, self.size = operator, p, mass, size
        self.max_rank, self.rng = min(max_rank, RANK), rng
        self.sweeps = 0
        self.verdict = UNEXAMINED
        self.rate: float | None = None

    def steps(self) -> Iterator[IterationState]:
        """A state a sweep. Raises ValueError where a second stationary state is seen."""
        if any(self._stationary(x) for x in self._uniform()):
            raise ValueError(NOT_UNIQUE)
        x = self._without(disturbed(self.mass, self.rng)).round(ONE)
        first = x.norm()
        generator = ProjectedGenerator(self.operator, self.mass, x / first, self.max_rank, self.rng)
        pace = Pace(self.size or 1.0)
        rates: list[float] = []
        seen, solved = math.inf, True
        for number in range(SWEEPS):
            generator.sweep(pace.shift, pace.cut)
            self.sweeps += 1
            x = generator.train()
            left = x.norm()
            if not left > 0.0:
                break
            rate = (self.operator @ x).norm() / left
            pace.moved(rate)
            seen = min(seen, rate)
            yield IterationState(number + 1, "search for another", x.max_rank, 0.0, residuals=np.array([seen]))
            if rate <= ZERO * self.size:
                raise ValueError(NOT_UNIQUE)
            solved = solved and generator.unsolved <= UNSOLVED
            if solved and left <= DECAYED:
                rates.append(rate)
                self.verdict = DECAYS
                if len(rates) > 1 and abs(rates[-1] - rates[-2]) <= SETTLED * rates[-1]:
                    self.rate = min(rates)
                    self.verdict = f"searched: next eigenvalue about {amount(rates[-1])} from zero"
                if self.rate is not None or len(rates) == MEASURED:
                    return
        if not rates:
            self.verdict = f"not decided: a vector with ||A x|| of {amount(seen)} ||x|| was seen"

    def _without(self, x: TensorTrain) -> TensorTrain:
        """x less p times its mass."""
        return x - self.p * dot(self.mass, x)

    def _uniform(self) -> Iterator[TensorTrain]:
        """States that are the same in all modes."""
        shape = self.operator.row_shape
        return (unit(shape, [j] * len(shape)) for j in range(min(shape)))

    def _stationary(self, x: TensorTrain) -> bool:
        """Whether x is a stationary state apart from p."""
        if (self.operator @ x).norm() > ZERO * self.size:
            return False
        apart = self._without(x).norm()
        return apart > 1e-3


def disturbed(mass: TensorTrain, rng: np.random.Generator) -> TensorTrain:
    """A product state (or one of the mass's ranks) of mass one, by 1 / sqrt(d) of itself apart from ``mass`` in every
    mode."""
    share = 1.0 / math.sqrt(mass.d)
    flat = mass.round(ONE)
    if flat.max_rank > 1:
        found = mass * rank_one([1.0 + share * rng.standard_normal(n) for n in mass.shape])
        return found * (1.0 / dot(mass, found))
    vectors = []
    for core in flat.cores:
        own = core.ravel() / np.linalg.norm(core)
        other = rng.standard_normal(len(own)).astype(own.dtype)
        other = other - own * np.vdot(own, other)
        size = float(np.linalg.norm(other))
        vectors.append(own + (share / size) * other if size > 1e-8 else own)
    found = rank_one(vectors)
    return found * (1.0 / dot(mass, found))
