"""Larger TT-ranks for the same tensor: the basis of a train enriched by directions of a Krylov space.

One-site TDVP cannot leave its manifold, so a start of low rank would stay there. From the right, each core keeps its
rows and adds the directions of the Krylov vectors t^j/j! (A - E)^j x that stand out of them, the heaviest first, with
coefficients zero: the tensor does not change, the tangent space grows. The time t = ||x|| / ||(A - E) x|| is that in
which the state becomes another one, so that what is added does not depend on the step. Deterministic: the vectors are
compressed with a fixed seed. Yang and White, Phys. Rev. B 102, 094315 (2020).
Cost of the compressed products O(d n R r^2 (R + r)) and O(d n r^3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.construct import identity_operator
from solvers.formats.trains.factorisations import singular_vectors
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.linear.product import multiply

COMPRESSED = 1e-6  # of a Krylov vector may be lost
NULL = 1e-14  # of the largest singular value: directions the train does not use


def krylov_directions(
    operator: TTOperator,
    x: TensorTrain,
    vectors: int,
    max_rank: int,
    tol: float,
    step: float | None = None,
    compressed: float = COMPRESSED,
) -> tuple[list[TensorTrain], float]:
    """t^j/j! (A - E)^j x for j = 1 .. ``vectors``, compressed, as far as they are larger than ``tol`` ||x||; and t.

    ``step``: t, where it is not to be the time in which x becomes another state; ``compressed``: share of a vector that
    may be lost.
    """
    found: list[TensorTrain] = []
    least, reach = tol * x.norm(), step or 0.0
    # by the mean energy of the start: a large part along x would take its digits in the compression
    mean = rayleigh(operator, x)
    operator = shifted(operator, mean)
    vector = x
    for j in range(1, vectors + 1):
        size = vector.norm()
        product = multiply(operator, vector, tol=compressed, max_rank=2 * max_rank).value
        vector = product - (dot(vector, product) / size**2) * vector
        if j == 1:
            if not vector.norm() > NULL * (product.norm() + abs(mean) * size):
                break
            reach = step or x.norm() / vector.norm()
        vector = vector * (reach / j)
        if not vector.norm() > least:
            break
        found.append(vector)
    return found, reach


def rayleigh(operator: TTOperator, x: TensorTrain) -> complex:
    """<x|A|x> / <x|x>; real where it is real to rounding errors."""
    environment = np.ones((1, 1, 1), dtype=np.result_type(operator.dtype, x.dtype))
    for a, core in zip(operator.cores, x.cores):
        t = np.tensordot(environment, core, axes=(2, 0))  # x' alpha j b
        t = np.tensordot(t, a, axes=([1, 2], [0, 2]))  # x' b i beta
        environment = np.tensordot(core.conj(), t, axes=([0, 1], [0, 2])).transpose(0, 2, 1)
    value = complex(environment[0, 0, 0]) / x.norm() ** 2
    return value.real if abs(value.imag) <= 1e-14 * abs(value) else value


def energy(operator: TTOperator, x: TensorTrain) -> float:
    """Real part of <x|A|x> / <x|x>."""
    return float(np.real(rayleigh(operator, x)))


def shifted(operator: TTOperator, value: complex) -> TTOperator:
    """A - value."""
    return operator if value == 0.0 else operator - value * identity_operator(operator.column_shape)


def enlarge(
    x: TensorTrain, directions: Sequence[TensorTrain], max_rank: int, tol: float, *, proper: bool = True
) -> TensorTrain:
    """The same tensor, centre first, with the ``directions`` of weight above ``tol`` ||x|| in its right interfaces.

    Its own interfaces stay, also where nothing is in them yet. Ranks stay within ``max_rank`` and what the mode sizes
    allow; those of x that are larger are kept. Without ``proper`` a right interface may have more directions than the
    modes on its left, which single cores evolve between but a train cannot use.
    """
    d, least = x.d, tol * x.norm()
    x = x.orthogonalise(0)
    cores = list(x.cores)
    trains = [y.orthogonalise(d - 1) for y in directions]
    carried = [train.cores[-1] for train in trains]
    room = [math.prod(x.shape[:k]) for k in range(d)]
    added = 0  # to the bond behind the core at hand
    for k in range(d - 1, 0, -1):
        a, n, b = cores[k].shape
        own = np.zeros((a, n, b + added), dtype=cores[k].dtype)
        own[:, :, :b] = cores[k]
        own = own.reshape(a, -1)
        rows = [core.reshape(core.shape[0], -1) for core in carried]
        basis, free = own, min(max_rank, room[k] if proper else max_rank, own.shape[1]) - a
        if free > 0 and rows:
            new = np.concatenate(rows)
            for _ in range(2):
                new = new - (new @ own.conj().T) @ own
            _, s, vh = singular_vectors(new)
            basis = np.concatenate([own, vh[: min(free, int(np.count_nonzero(s > least)))]])
        added = len(basis) - a
        cores[k] = basis.reshape(len(basis), n, -1)
        adjoint = basis.conj().T
        carried = [np.tensordot(train.cores[k - 1], row @ adjoint, axes=(2, 0)) for train, row in zip(trains, rows)]
    cores[0] = np.concatenate([cores[0], np.zeros((*cores[0].shape[:2], added), dtype=cores[0].dtype)], axis=2)
    return TensorTrain(tuple(cores), 0)
