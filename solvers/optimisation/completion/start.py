"""A train of rank one through sampled entries, by alternating least squares: where the ranks grow from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.construct import rank_one
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.samples import Samples

SWEEPS, FIRST_SWEEPS = 40, 6  # of the best start, and of each
DAMPED = 1e-9  # of the largest weight of an index, added to all: a mostly-zero tensor has some of no weight at all
GOOD = 0.5  # relative residual of a first start that makes others unnecessary


def rank_one_start(
    samples: Samples,
    values: np.ndarray,
    starts: int,
    rng: np.random.Generator,
    constant: bool = True,
    weights: np.ndarray | None = None,
) -> TensorTrain:
    """A train of rank one fitted from a constant or from a random start, to ``values`` (m,) with ``weights`` (m,).

    Where that ends badly, the best of ``starts`` further random ones. Cost 3 d m a sweep; every index of every mode
    needs a sample.
    """
    weights = np.ones(samples.count) if weights is None else weights

    def random() -> list[np.ndarray]:
        return [rng.standard_normal(n) for n in samples.shape]

    first = [np.ones(n) for n in samples.shape] if constant else random()
    best, least = _sweeps(first, samples, values, weights, FIRST_SWEEPS)
    for _ in range(starts if least > GOOD else 0):
        other, residual = _sweeps(random(), samples, values, weights, FIRST_SWEEPS)
        if residual < least:
            best, least = other, residual
    return rank_one(_sweeps(best, samples, values, weights, SWEEPS)[0])


def _sweeps(
    factors: Sequence[np.ndarray], samples: Samples, values: np.ndarray, weights: np.ndarray, count: int
) -> tuple[list[np.ndarray], float]:
    """Alternating least squares; the factors and the relative residual."""
    vectors = [np.array(vector, dtype=values.dtype) for vector in factors]
    d = len(vectors)
    for _ in range(count):
        after = [np.ones_like(values)]
        for k in range(d - 1, 0, -1):
            after.append(after[-1] * vectors[k][samples.columns[k]])
        before = np.ones_like(values)
        for k, index in enumerate(samples.columns):
            rest = before * after[d - 1 - k]
            size = np.bincount(index, weights * np.abs(rest) ** 2, samples.shape[k])
            # an index whose samples say next to nothing stays near zero instead of becoming anything
            top = index_sums(index, weights * rest.conj() * values, samples.shape[k])
            vectors[k] = top / (size + DAMPED * size.max() + 1e-300)
            if k < d - 1:  # the size of the tensor stays in the last factor
                vectors[k] /= max(float(np.linalg.norm(vectors[k])), 1e-300)
            before = before * vectors[k][index]
    roots = np.sqrt(weights)
    residual = np.linalg.norm(roots * (before - values)) / np.linalg.norm(roots * values)
    return vectors, float(residual)


def index_sums(index: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """The sum of the values (m,), real or complex, of each of n indices."""
    if np.iscomplexobj(values):
        return np.bincount(index, values.real, n) + 1j * np.bincount(index, values.imag, n)
    return np.bincount(index, values, n)
