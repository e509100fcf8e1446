"""A second conserved quantity of a generator that is a product over the modes: a parity, or a power of a sum.

Beside l, the mass, any other l' with l'^H A = 0 says that a second state is stationary. Where l' is a product, its
weight in a disturbance of the mean state can be exponentially small in the number of modes, so that no decay shows it.
||A^H w|| is made least over products w of norm one, one mode after the other (the lowest eigenvector of what the others
leave of A A^H), from several products that are orthogonal to l in every mode; what comes to zero is conserved.
Alternating least squares: Holtz, Rohwedder, Schneider, SIAM J. Sci. Comput. 34, A683 (2012). Cost of a sweep
O(d n^2 R^3), R the ranks of A.
"""

from __future__ import annotations

import numpy as np

from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain, dot

STARTS, SWEEPS = 8, 40
CONSERVED = 1e-10  # of the mean size of A: ||A^H w|| of what is conserved
SLOW = 0.9  # a sweep that leaves more than this share of ||A^H w||^2 is one of the last
SAME = 1e-6  # one less the overlap of a product with l that is l itself
MOST_WORK = 2e9  # multiplications of all sweeps: a second


def conserved_product(
    operator: TTOperator, mass: TensorTrain, size: float, rng: np.random.Generator
) -> TensorTrain | None:
    """A product w of norm one with w^H A = 0 that is not ``mass``; None where none is found, or sweeps cost too much.

    ``size``: the mean size of A.
    """
    adjoint = operator.adjoint()
    cores = [core / (np.linalg.norm(core) or 1.0) for core in adjoint.cores]
    work = sum(float(c.size) * (c.shape[0] + c.shape[3] + c.shape[1]) for c in cores)
    flat = mass.round(1e-14)
    if flat.max_rank > 1 or STARTS * SWEEPS * work > MOST_WORK:
        return None
    own = [core.ravel() / np.linalg.norm(core) for core in flat.cores]
    for _ in range(STARTS):
        found = rank_one(_least(cores, [_apart(v, rng) for v in own]))
        if (adjoint @ found).norm() > CONSERVED * size:
            continue
        if abs(dot(found, mass)) < (1.0 - SAME) * mass.norm():
            return found
    return None


def _apart(own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random vector of norm one orthogonal to ``own`` (n,); ``own`` where there is no other."""
    other = rng.standard_normal(len(own)).astype(own.dtype)
    other = other - own * np.vdot(own, other)
    norm = float(np.linalg.norm(other))
    return other / norm if norm > 1e-8 else own


def _least(cores: list[np.ndarray], vectors: list[np.ndarray]) -> list[np.ndarray]:
    """The vectors of modes at which ||B w||^2 stops falling, B of these ``cores``."""
    d = len(cores)
    rights = [np.ones((1, 1))] * (d + 1)
    for k in range(d - 1, 0, -1):
        rights[k] = _unit(_behind(cores[k], vectors[k], rights[k + 1]))
    before = np.inf
    for _ in range(SWEEPS):
        left = np.ones((1, 1))
        for k in range(d):
            part = np.tensordot(np.tensordot(left, cores[k], 1), rights[k + 1], axes=((3,), (1,)))
            form = np.tensordot(cores[k].conj(), part, axes=((0, 1, 3), (0, 1, 3)))
            values, columns = np.linalg.eigh(0.5 * (form + form.conj().T))
            vectors[k] = columns[:, 0]
            left = _unit(_ahead(left, cores[k], vectors[k]))
        for k in range(d - 1, 0, -1):
            rights[k] = _unit(_behind(cores[k], vectors[k], rights[k + 1]))
        now = max(float(values[0]) / max(float(values[-1]), 1e-300), 0.0)
        if now > SLOW * before or now < 1e-28:
            break
        before = now
    return vectors


def _unit(x: np.ndarray) -> np.ndarray:
    return x / (float(np.linalg.norm(x)) or 1.0)


def _behind(core: np.ndarray, vector: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(a', a) of two equal cores in ``vector`` before what is behind them, (b', b)."""
    own = np.tensordot(core, vector, axes=((2,), (0,)))  # a i b
    return np.tensordot(own.conj(), np.tensordot(own, right, axes=((2,), (1,))), axes=((1, 2), (1, 2)))


def _ahead(left: np.ndarray, core: np.ndarray, vector: np.ndarray) -> np.ndarray:
    own = np.tensordot(core, vector, axes=((2,), (0,)))
    return np.tensordot(own.conj(), np.tensordot(left, own, 1), axes=((0, 1), (0, 1)))
