"""TDVP by projector splitting: a train follows dx/dt = s A x within its manifold, core by core.

One site. A sweep evolves each core forwards (K-step), splits it into an orthogonal factor and a bond matrix, and
evolves that backwards (S-step) before the next core takes it; there and back with half steps is symmetric, order 2:
Lubich, Oseledets, Vandereycken, SIAM J. Numer. Anal. 53, 917 (2015), section 4; Haegeman et al., Phys. Rev. B 94,
165116 (2016). At full rank the splitting is exact. Norm and energy are conserved to rounding errors: every substep
is unitary in the projected space, whatever the Krylov tolerance. Order 4: five symmetric steps,
p, p, 1 - 4p, p, p with p = 1/(4 - 4^(1/3)), Suzuki, Phys. Lett. A 146, 319 (1990); the middle one goes back in time.
Two sites. Pairs of cores go forwards and single cores backwards; a truncated SVD splits each pair, so ranks grow.
Cost a step O(d m (R r^3 n + nnz r^2)) for Krylov spaces of size m; two sites: n^2 in the place of n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.dynamics.defect import defect
from solvers.dynamics.enlarge import enlarge, krylov_directions
from solvers.dynamics.krylov import bond_core, local_exponential
from solvers.dynamics.stepper import Stepper
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.factorisations import singular_vectors, truncation_rank
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.methods import TDVP
from solvers.sweeping.chain import Chain, Snapshot
from solvers.sweeping.local_operator import OperatorCore

AT_START, LATER = 5, 2  # Krylov vectors that ranks grow by
SMALL = 30_000  # entries of a train of full rank that is evolved as such
SUZUKI = 1.0 / (4.0 - 4.0 ** (1.0 / 3.0))


@dataclass(frozen=True)
class _Saved:
    chain: Snapshot
    truncation: float
    residual: float


class TDVPStepper(Stepper):
    """Steps of TDVP (see solvers.dynamics.driver for what drives them).

    ``tol``: what an exponential may err and a truncation may discard, relative to the norm, a unit of time;
    ``truncation``, ``residual``: what truncations discarded and the exponentials' estimated errors, added up.
    """

    def __init__(
        self,
        operator: TTOperator,
        start: TensorTrain,
        method: TDVP,
        factor: complex,
        tol: float,
        *,
        hermitian: bool,
        conserve: Sequence[TensorTrain] = (),
    ) -> None:
        super().__init__(operator, start, method, factor, tol, hermitian=hermitian)
        self.method = method
        self.sites = min(method.sites, operator.d)
        self.order = method.order
        self.chain = Chain.of(operator, start, self.dtype)
        self.bonds = {rank: bond_core(rank, self.dtype) for rank in set(operator.ranks)}
        self.pairs: dict[tuple[int, int], OperatorCore] = {}
        self._exponentials = 0.0

    def train(self) -> TensorTrain:
        return self.chain.train()

    def load(self, x: TensorTrain) -> None:
        self.chain.load(x)

    def rescale(self, factor: float) -> None:
        """Multiply the state by a number."""
        self.chain.x = [self.chain.x[0] * factor, *self.chain.x[1:]]

    def snapshot(self) -> _Saved:
        return _Saved(self.chain.snapshot(), self.truncation, self.residual)

    def restore(self, saved: Any) -> None:
        self.chain.restore(saved.chain)
        self.truncation, self.residual = saved.truncation, saved.residual

    def defect(self) -> float:
        """||(1 - P) A x||, P the projector on the tangent space of one site or two."""
        return defect(self.chain, self.sites)

    @property
    def grows(self) -> bool:
        """Whether ``grow`` could enlarge a rank; with two sites too, which do not see what couples three modes."""
        return any(rank < most for rank, most in zip(self.chain.ranks, self._most()))

    def _most(self) -> list[int]:
        shape = self.operator.column_shape
        most = [self.method.max_rank] * (len(shape) + 1)
        left = right = 1
        for k in range(len(shape) + 1):
            most[k] = min(most[k], left)
            most[-1 - k] = min(most[-1 - k], right)
            left, right = left * shape[k % len(shape)], right * shape[-1 - k % len(shape)]
        return most

    def _full(self, most: list[int]) -> bool:
        """Whether the ranks may be those of any tensor at little cost: then nothing is missed and no step splits."""
        shape = self.operator.column_shape
        size = sum(a * n * b for a, n, b in zip(most, shape, most[1:]))
        exact = all(r == min(a * n, b * m) for a, n, r, m, b in zip(most, shape, most[1:], shape[1:], most[2:]))
        return exact and size <= SMALL

    def grow(self, tol: float) -> bool:
        """Larger ranks by directions whose loss would cost more than ``tol`` ||x|| a unit of time; whether any were."""
        before = sum(self.chain.ranks)
        x = self.chain.train()
        vectors = LATER if self.work["steps"] else AT_START
        most = self._most()
        if self.sites == 1 and not self.work["steps"] and self._full(most):
            self.chain.load(enlarge(x, [random_train(x.shape, most, np.random.default_rng(0))], max(most), 0.0))
        else:
            directions, reach = krylov_directions(self.operator, x, vectors, self.method.max_rank, tol)
            self.chain.load(enlarge(x, directions, self.method.max_rank, tol * reach))
        return sum(self.chain.ranks) > before

    def advance(self, h: float) -> None:
        """One step of length h."""
        d = self.operator.d
        # exponentials a step, each with its share of the tolerance
        self._exponentials = (4.0 * d if self.order < 4 else 20.0 * d) / abs(h)
        if self.order == 1:
            self._sweep(h, h)
            self._return()
        elif self.order == 2:
            self._symmetric(h)
        else:
            for share in (SUZUKI, SUZUKI, 1.0 - 4.0 * SUZUKI, SUZUKI, SUZUKI):
                self._symmetric(share * h)
        self.work["steps"] += 1

    def _symmetric(self, h: float) -> None:
        self._sweep(0.5 * h, 0.5 * h, last=0.0)
        self._sweep(0.5 * h, h)

    def _sweep(self, h: float, first: float, last: float | None = None) -> None:
        """Evolve all cores by h, the first by ``first`` and the last by ``last``, and turn the train."""
        chain, d = self.chain, len(self.chain.x)
        last = h if last is None else last
        if self.sites == 2:
            self._pair_sweep(h, first, last)
            return
        for k in range(d):
            step = last if k == d - 1 and not (d == 1 and last) else first if k == 0 else h
            if step:
                self._evolve(k, step)
            if k < d - 1:
                right = chain.environments[k + 1]
                rest = chain.move(k)[:, None, :]
                left, core = chain.environments[k + 1], self.bonds[right.shape[0]]
                chain.take(k + 1, self._exponential(left, core, right, rest, -h)[:, 0])
        chain.turn()

    def _return(self) -> None:
        """The centre back to where it began, nothing evolved."""
        chain = self.chain
        for k in range(len(chain.x) - 1):
            chain.take(k + 1, chain.move(k))
        chain.turn()

    def _evolve(self, k: int, step: float) -> None:
        chain = self.chain
        left, right = chain.environments[k], chain.environments[k + 1]
        chain.x[k] = self._exponential(left, chain.core(k), right, chain.x[k], step)

    def _exponential(
        self, left: np.ndarray, core: OperatorCore, right: np.ndarray, x: np.ndarray, step: float
    ) -> np.ndarray:
        tol = self.tol * float(np.linalg.norm(x)) / self._exponentials
        found = local_exponential(
            left,
            core,
            right,
            x,
            self.factor * step,
            tol,
            hermitian=self.hermitian,
            dimension=self.method.krylov_dimension,
            shift=self.shift,
        )
        self.residual += found.error
        self.work["matvecs"] += found.products
        self.work["local_exponentials"] += 1
        return found.value

    def _pair_sweep(self, h: float, first: float, last: float) -> None:
        chain, d = self.chain, len(self.chain.x)
        for k in range(d - 1):
            if k == d - 2 and last == 0.0:
                chain.take(k + 1, chain.move(k))
                continue
            x, y = chain.x[k], chain.x[k + 1]
            (a, n, _), (_, m, b) = x.shape, y.shape
            pair = np.tensordot(x, y, axes=(2, 0)).reshape(a, n * m, b)
            step = first if k == 0 else h
            left, right = chain.environments[k], chain.environments[k + 2]
            pair = self._exponential(left, self._merged(k), right, pair, step)
            u, s, vh = singular_vectors(pair.reshape(a * n, m * b))
            budget = self.tol_of_truncation * float(np.linalg.norm(s))
            rank, lost = truncation_rank(s, budget, self.method.max_rank)
            self.truncation += lost
            chain.x[k] = np.ascontiguousarray(u[:, :rank]).reshape(a, n, rank)
            chain.x[k + 1] = (s[:rank, None] * vh[:rank]).reshape(rank, m, b)
            chain.advance(k, chain.x[k])
            if k < d - 2:
                self._evolve(k + 1, -h)
        chain.turn()

    @property
    def tol_of_truncation(self) -> float:
        """Of one SVD, relative: given, or a share of the tolerance of the step."""
        return self.method.tol if self.method.tol is not None else self.tol / self._exponentials

    def _merged(self, k: int) -> OperatorCore:
        key = (self.chain.side, k)
        if key not in self.pairs:
            self.pairs[key] = self.chain.core(k).merged(self.chain.core(k + 1))
        return self.pairs[key]
