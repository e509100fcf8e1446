"""Whether a generator has a second stationary state beside p: what a disturbance of p becomes.

1. A product state q of the same mass, apart from the mean one in every mode: a conserved quantity that is a sum over
   modes has another distribution in q than in p.
2. x = q - p holds no mass; implicit steps of one length, x' = s (s - A)^-1 x, multiply each of its parts by
   s / (s - w). Where all of x decays, nothing else is stationary, and the last factor g says the slowest rate,
   s (1/g - 1); where a part stays, s falls, until that part is seen to decay or A x is zero.
3. States that are the same in all modes are looked at one by one: such a state may be left by no transition, and would
   be a vanishing part of q.
Stewart, Introduction to the Numerical Solution of Markov Chains (1994), 3.2. Cost: two to ten rough linear systems.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from solvers.eigen.swept import swept
from solvers.formats.trains.construct import identity_operator, rank_one, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.measured import amount
from solvers.methods import AMEn
from solvers.solution import IterationState

STEPS = 12
RANK = 60  # cap of the trains
SWEEPS = 8
ROUGH = 2e-2  # accuracy of a step
UNSOLVED = 0.2  # residual of a step, from which its factor says nothing
DECAYED = 0.05  # of x: what is left of it
MEASURED = 4  # steps after that, for the slowest rate to be known,
SETTLED = 0.1  # which it is when it changes by less than this share of it
STAYS = 0.5  # factor of a step, from which the next one is longer
LONGER = 0.1  # the next s over this one
ZERO = 1e-7  # of the mean size of A: ||A x|| / ||x|| of a stationary state
SHORTEST = 0.1 * ZERO  # least s
ONE = 1e-14  # rounding of the mass
UNEXAMINED = "not examined"
DECAYS = "searched: a disturbance decayed"
NOT_UNIQUE = (
    "the stationary state is not unique: a search found another (a conserved quantity?); add what decides "
    "between them to the operator"
)


class Another:
    """The search; ``verdict``: how it is known that no other state is stationary, or that it is not decided."""

    def __init__(
        self,
        operator: TTOperator,
        p: TensorTrain,
        mass: TensorTrain,
        shift: float,
        size: float,
        max_rank: int,
        rng: np.random.Generator,
    ) -> None:
        self.operator, self.p, self.mass, self.shift, self.size = operator, p, mass, shift, size
        self.max_rank, self.rng = min(max_rank, RANK), rng
        self.solves = 0
        self.verdict = UNEXAMINED

    def steps(self) -> Iterator[IterationState]:
        """A state a step. Raises ValueError where a second stationary state is seen."""
        if any(self._stationary(x) for x in self._uniform()):
            raise ValueError(NOT_UNIQUE)
        x = self._without(disturbed(self.mass, self.rng))
        x = x / x.norm()
        left, seen = 1.0, math.inf  # what is left of x; the smallest distance from zero seen
        rates: list[float] = []
        for number in range(STEPS):
            system = identity_operator(self.operator.row_shape) * self.shift - self.operator
            method = AMEn(max_rank=self.max_rank, enrichment=4, sweeps=SWEEPS)
            found = swept(system, x * self.shift, method, x if number else None, ROUGH, False, self.rng)
            self.solves += 1
            y = self._without(found.x)
            factor = y.norm()
            if not factor > 0.0:
                break
            x = (y / factor).round(0.05 * ROUGH, self.max_rank)
            seen = min(seen, (self.operator @ x).norm() / x.norm())
            yield IterationState(number + 1, "search for another", x.max_rank, 0.0, residuals=np.array([seen]))
            if seen <= ZERO * self.size:
                raise ValueError(NOT_UNIQUE)
            left = left * factor if found.residual <= UNSOLVED else math.inf
            if left <= DECAYED and factor < STAYS:
                rates.append(self.shift * (1.0 / factor - 1.0))
                settled = len(rates) > 1 and abs(rates[-1] - rates[-2]) <= SETTLED * rates[-1]
                self.verdict = f"searched: next eigenvalue about {amount(rates[-1])} from zero" if settled else DECAYS
                if settled or len(rates) == MEASURED:
                    return
            if factor >= STAYS:
                self.shift = max(LONGER * self.shift, SHORTEST * self.size)
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
