"""Small random trains and operators for the property tests, drawn as shape, ranks, dtype and seed."""

import numpy as np
from hypothesis import strategies as st

from solvers.formats.trains.construct import random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

DTYPES = st.sampled_from([np.float64, np.complex128])


@st.composite
def shapes(draw):
    return tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))


@st.composite
def trains_of(draw, shape):
    ranks = [1, *(draw(st.integers(1, 5)) for _ in shape[1:]), 1]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_train(shape, ranks, rng, draw(DTYPES))


@st.composite
def operators_of(draw, rows, columns):
    pairs = draw(trains_of(tuple(n * m for n, m in zip(rows, columns))))
    cores = [c.reshape(c.shape[0], n, m, -1) for c, n, m in zip(pairs.cores, rows, columns)]
    return TTOperator(tuple(cores))


@st.composite
def pairs_of_trains(draw):
    shape = draw(shapes())
    return draw(trains_of(shape)), draw(trains_of(shape))


def left_defect(x: TensorTrain, k: int) -> float:
    core = x.cores[k].reshape(-1, x.cores[k].shape[2])
    return float(np.abs(core.conj().T @ core - np.eye(core.shape[1])).max())


def right_defect(x: TensorTrain, k: int) -> float:
    core = x.cores[k].reshape(x.cores[k].shape[0], -1)
    return float(np.abs(core @ core.conj().T - np.eye(core.shape[0])).max())


def centre_defect(x: TensorTrain) -> float:
    """How far the cores around the centre are from orthogonal (0 for a single core)."""
    assert x.centre is not None
    lefts = [left_defect(x, k) for k in range(x.centre)]
    rights = [right_defect(x, k) for k in range(x.centre + 1, x.d)]
    return max([0.0, *lefts, *rights])


def close(result, expected, scale=None) -> bool:
    """Equal within 1e-13 of the largest expected entry (or of ``scale``), entry by entry."""
    expected = np.asarray(expected)
    size = float(np.abs(expected).max()) if scale is None else scale
    fits = np.shape(result) == expected.shape
    return fits and bool(np.abs(result - expected).max() <= 1e-13 * size + 1e-300)
