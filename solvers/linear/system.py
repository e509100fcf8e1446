"""A linear system of scale about one, as the methods take it, and the true residuals of its solutions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.linear.full_vectors import apply_full
from solvers.linear.residual import EXACT_RANK, GLANCE_WIDTH, best_multiple, bounded_residual, sketched_residual
from solvers.sweeping.local_operator import OperatorCore

EPSILON = float(np.finfo(float).eps)
SHORT_RANK = 50  # of a residual: QR costs no more than a narrow sketch
LARGEST_FULL = 100_000  # unknowns up to which a residual of large ranks is formed on full vectors


@dataclass(frozen=True)
class System:
    """A x = b of scale about one, ||b|| = 1: ``operator``, ``b``, and the cores of A as the kernels take them."""

    operator: TTOperator
    b: TensorTrain
    dtype: np.dtype
    definite: bool  # may be Hermitian positive definite
    cores: list[OperatorCore]
    mirror: list[OperatorCore]

    @classmethod
    def of(cls, operator: TTOperator, b: TensorTrain, dtype: np.dtype, definite: bool) -> System:
        """With equal operator cores as one object."""
        known: dict[tuple, tuple[OperatorCore, OperatorCore]] = {}
        for core in operator.cores:
            if _key(core) not in known:
                sparse = OperatorCore.of(core, dtype)
                known[_key(core)] = sparse, sparse.mirrored()
        pairs = [known[_key(core)] for core in operator.cores]
        return cls(operator, b, dtype, definite, [pair[0] for pair in pairs], [pair[1] for pair in reversed(pairs)])

    def residual(self, x: TensorTrain, rng: np.random.Generator, accuracy: float = np.inf) -> float:
        """||b - A x||, an estimate only where it is above ``accuracy`` (solvers.linear.residual)."""
        if self.by_full(x):
            left = self.b.full().reshape(-1) - apply_full(self.operator.cores, x.full().reshape(-1))
            return float(np.linalg.norm(left))
        return bounded_residual(self.cores, plain(x, self.dtype), plain(self.b, self.dtype), rng, accuracy)

    def glance(self, x: TensorTrain, rng: np.random.Generator) -> tuple[float, bool]:
        """||b - A x|| by the cheaper way, and whether that is exact: else a narrow sketch, to some 20 per cent."""
        if self._rank(x) < SHORT_RANK:
            return self.residual(x, rng), True
        x_cores, b_cores = plain(x, self.dtype), plain(self.b, self.dtype)
        return sketched_residual(self.cores, x_cores, b_cores, rng, GLANCE_WIDTH), False

    def _rank(self, x: TensorTrain) -> int:
        """Of the residual of x as a train."""
        return max(r * p + q for r, p, q in zip(self.operator.ranks, x.ranks, self.b.ranks))

    def by_full(self, x: TensorTrain) -> bool:
        """Whether the residual of x is formed on full vectors: those are small beside its ranks as a train."""
        return math.prod(x.shape) <= LARGEST_FULL and self._rank(x) > EXACT_RANK

    @cached_property
    def size(self) -> float:
        """A lower bound of the 2-norm of A, close where a random vector is no exception."""
        rng = np.random.default_rng(0)
        probe = random_train(self.b.shape, 1, rng)
        return self.image_norm(probe / probe.norm(), rng)

    def rounding(self, x: TensorTrain) -> float:
        """What rounding errors of A x may add to a residual."""
        return EPSILON * max(self.size * x.norm(), 1.0)

    def image_norm(self, x: TensorTrain, rng: np.random.Generator) -> float:
        """||A x||."""
        zero = [np.zeros((1, n, 1), dtype=self.dtype) for n in x.shape]
        return bounded_residual(self.cores, plain(x, self.dtype), zero, rng)

    def scaled(self, x: TensorTrain, rng: np.random.Generator) -> tuple[TensorTrain, float]:
        """The multiple of x of smallest residual, zero included, and that residual."""
        factor = best_multiple(self.cores, plain(x, self.dtype), plain(self.b, self.dtype), rng)
        if factor == 0.0 or not np.isfinite(factor):
            return x * 0.0, 1.0
        residual = self.residual(x * factor, rng)
        return (x * factor, residual) if residual < 1.0 else (x * 0.0, 1.0)


def plain(x: TensorTrain, dtype: np.dtype) -> list[np.ndarray]:
    """Writable cores of one dtype, as the kernels take them."""
    return [core.astype(dtype) for core in x.cores]


def _key(core: np.ndarray) -> tuple:
    """Equal for equal cores."""
    return core.shape, core.tobytes()
