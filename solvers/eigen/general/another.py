"""Whether a generator has a second stationary state beside p: what a disturbance of p becomes.

1. A product state q of the same mass, apart from the mean one in every mode: a conserved quantity that is a sum over
   modes has another distribution in q than in the mean.
2. x, q less the mean, holds no mass; implicit steps of one length, x' = s (s - A)^-1 x, multiply each of its parts by
   s / (s - w). Each is solved by sweeps (solvers.eigen.general.projected_generator) and its residual looked at. Where
   all of x decays, nothing else is stationary, and the last factor g says the slowest rate, s (1/g - 1); where a part
   stays, s falls, until that part is seen to decay or A x is zero.
3. States that are the same in all modes are looked at one by one: such a state may be left by no transition, and would
   be a vanishing part of q. So would what a conserved product over the modes tells apart, which is looked for itself
   (solvers.eigen.general.conserved_product).
Stewart, Introduction to the Numerical Solution of Markov Chains (1994), 3.2. Cost: six to forty sweeps of small ranks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from solvers.eigen.general.conserved_product import conserved_product
from solvers.eigen.general.projected_generator import ProjectedGenerator
from solvers.formats.trains.construct import rank_one, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.measured import amount
from solvers.solution import IterationState

STEPS = 12
SWEEPS = 3  # of a step, at most
RANK = 30  # cap of the trains
CUT = 3e-3  # of the trains
ROUGH = 0.05  # residual of a step that is enough,
UNSOLVED = 0.2  # and from which on its factor says nothing
DECAYED = 0.05  # of x: what is left of it
MEASURED = 4  # steps after that, for the slowest rate to be known,
SETTLED = 0.1  # which it is when it changes by less than this share of it
STAYS = 0.5  # factor of a step, from which the next one is longer
FIRST = 0.3  # of the mean size of A: the first s
LONGER = 0.2  # the next s over this one
SHORTEST = 1e-8  # least s, of the mean size of A
ZERO = 1e-7  # of the mean size of A: ||A x|| / ||x|| of a stationary state
ONE = 1e-14  # rounding of the mass
UNEXAMINED = "not examined"
DECAYS = "searched: a disturbance decayed"
NOT_UNIQUE = (
    "the stationary state is not unique: a search found another (a conserved quantity?); add what decides "
    "between them to the operator"
)

CONSERVED = (
    "the stationary state is not unique: a product over the modes is conserved beside the mass (a parity, or a power "
    "of a conserved sum); add what decides between its values to the operator"
)


class Another:
    """The search; ``verdict``: how it is known that no other state is stationary, or that it is not decided; ``rate``:
    the smallest ||A x|| / ||x|| seen, no less than the distance of A from being singular there."""

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
        self.rate = math.inf

    def steps(self) -> Iterator[IterationState]:
        """A state a sweep. Raises ValueError where a second stationary state is seen."""
        if conserved_product(self.operator, self.mass, self.size, np.random.default_rng(0)) is not None:
            raise ValueError(CONSERVED)
        if any(self._stationary(x) for x in self._uniform()):
            raise ValueError(NOT_UNIQUE)
        x = disturbed(self.mass, self.rng) - self.mass * (1.0 / self.mass.norm() ** 2)
        x = x / x.norm()
        shift, left = FIRST * (self.size or 1.0), 1.0
        rates: list[float] = []
        for number in range(STEPS):
            y, unsolved = self._stepped(x, shift)
            factor = y.norm()
            if not factor > 0.0:
                break
            x = y / factor
            self.rate = min(self.rate, (self.operator @ x).norm())
            yield IterationState(number + 1, "search for another", x.max_rank, 0.0, residuals=np.array([self.rate]))
            if self.rate <= ZERO * self.size:
                raise ValueError(NOT_UNIQUE)
            left = left * factor if unsolved <= UNSOLVED else math.inf
            if left <= DECAYED and factor < STAYS:
                rates.append(shift * (1.0 / factor - 1.0))
                settled = len(rates) > 1 and abs(rates[-1] - rates[-2]) <= SETTLED * rates[-1]
                self.verdict = f"searched: next eigenvalue about {amount(rates[-1])} from zero" if settled else DECAYS
                if settled or len(rates) == MEASURED:
                    return
            if factor >= STAYS:
                shift = max(LONGER * shift, SHORTEST * self.size)
        if not rates:
            self.verdict = f"not decided: a vector with ||A x|| of {amount(self.rate)} ||x|| was seen"

    def _stepped(self, x: TensorTrain, shift: float) -> tuple[TensorTrain, float]:
        """y with (s - A) y = s x, roughly, and what is left of that over ||s x||."""
        run = ProjectedGenerator(self.operator, self.mass, x, self.max_rank, self.rng, massless=True, single=True)
        for _ in range(SWEEPS):
            run.sweep(shift, CUT)
            self.sweeps += 1
            y = run.train().round(CUT, self.max_rank)
            unsolved = ((y - x) * shift - self.operator @ y).norm() / (shift * x.norm())
            if unsolved <= ROUGH:
                break
        return self._massless(y), unsolved

    def _massless(self, y: TensorTrain) -> TensorTrain:
        return y - self.mass * (dot(self.mass, y) / self.mass.norm() ** 2)

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
