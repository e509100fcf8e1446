"""The arrays of a problem, and the ranks of their unfoldings: exact, generic, or by singular values."""

from __future__ import annotations

import math

import numpy as np

from problems.completion.samples import FUNCTIONS
from problems.decomposition.arrays import read_arrays
from problems.decomposition.known import matrix_multiplication, theorem_example, w_state
from problems.decomposition.model import (
    DecompositionProblem,
    Example,
    FunctionModel,
    MatrixMultiplication,
    RandomModel,
    WState,
)
from problems.decomposition.result import Unfoldings
from solvers.formats.cp.tensor import CPTensor
from solvers.formats.generic_ranks import MOST_ENTRIES, UnfoldingRanks, exact_ranks, generic_ranks, ranks_by
from solvers.formats.hierarchical.tensor import random_tree
from solvers.formats.hierarchical.tree import balanced
from solvers.formats.trains.factorisations import frobenius
from solvers.formats.trains.tensor_train import TensorTrain

EXACT_ENTRIES = 100_000  # of whole numbers, whose ranks are proved: below ten seconds
WHOLE = 2**31
FORMATS = {"random_train": "tt", "random_tree": "ht", "random_cp": "cp"}


def made_arrays(problem: DecompositionProblem, seed: int) -> dict[str, np.ndarray]:
    """Name -> array; random ones from ``seed``."""
    given = problem.tensor
    if isinstance(given, str):
        assert problem.file is not None
        return dict(read_arrays(problem.file, problem.names))
    if isinstance(given, RandomModel):
        array = random_array(given, np.random.default_rng([seed, 0]))
    elif isinstance(given, Example):
        array = theorem_example(given.modes, given.size, given.width)
    elif isinstance(given, WState):
        array = w_state(given.modes)
    elif isinstance(given, FunctionModel):
        indices = np.indices(given.shape).reshape(len(given.shape), -1).T
        steps = np.array([max(n - 1, 1) for n in given.shape], dtype=float)
        array = FUNCTIONS[given.function](indices / steps).reshape(given.shape)
    else:
        assert isinstance(given, MatrixMultiplication)
        array = matrix_multiplication(given.size)
    return {given.model: array}


def random_array(given: RandomModel, rng: np.random.Generator) -> np.ndarray:
    """A dense tensor of standard normal parameters, and noise of the relative size asked."""
    shape, width = given.shape, given.width
    if given.model == "random_train":
        ranks = [1, *(width,) * (len(shape) - 1), 1]
        cores = [rng.standard_normal((a, n, b)) for a, n, b in zip(ranks[:-1], shape, ranks[1:])]
        array = TensorTrain(tuple(cores)).full()
    elif given.model == "random_tree":
        array = random_tree(shape, width, balanced(len(shape)), rng).full()
    else:
        array = CPTensor(tuple(rng.standard_normal((n, width)) for n in shape)).full()
    if given.noise > 0.0:
        array = array + given.noise * frobenius(array) / math.sqrt(array.size) * rng.standard_normal(shape)
    return array


def unfoldings_of(problem: DecompositionProblem, array: np.ndarray, accuracy: float) -> Unfoldings:
    """The ranks of the unfoldings, and how they are known."""
    given = problem.tensor
    whole = array.size <= EXACT_ENTRIES and bool((array == np.round(array)).all() and (np.abs(array) < WHOLE).all())
    if isinstance(given, RandomModel) and given.noise == 0.0 and array.size <= MOST_ENTRIES:
        found, how = generic_ranks(FORMATS[given.model], given.shape, given.width), "generic"
    elif whole:
        found, how = exact_ranks(array), "exact"
    else:
        scaled = array / frobenius(array)

        def numerical(matrix: np.ndarray) -> int:
            wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
            factor = np.linalg.qr(wide.T, mode="r") if wide.shape[1] > 3 * wide.shape[0] else wide
            values = np.linalg.svd(factor, compute_uv=False)
            tails = np.sqrt(np.cumsum(values[::-1] ** 2))[::-1]
            return max(1, int(np.count_nonzero(tails > accuracy)))

        found, how = ranks_by(scaled, numerical), "numerical"
    return _told(found, how, theorem_of(problem))


def theorem_of(problem: DecompositionProblem) -> int:
    """q^(d/2), q = min(n, r), of random trains and of the example; 0 where the theorem says nothing."""
    given = problem.tensor
    if isinstance(given, RandomModel) and given.model == "random_train" and given.noise == 0.0:
        even = len(given.shape) % 2 == 0 and len(set(given.shape)) == 1
        return min(given.width, given.shape[0]) ** (len(given.shape) // 2) if even else 0
    if isinstance(given, Example):
        return int(min(given.size, given.width) ** (given.modes // 2))
    return 0


def _told(found: UnfoldingRanks, how: str, theorem: int) -> Unfoldings:
    return Unfoldings(found.tt, found.tucker, found.ht, found.odd_even, found.cp_at_least, how, theorem)
