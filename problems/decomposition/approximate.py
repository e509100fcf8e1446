"""One array in one format: within the accuracy, coarser ones for the curve, and sums of terms with their verdict."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.decomposition.model import DecompositionSolver
from problems.decomposition.result import Approximation, Curve, Start, Unfoldings
from solvers.formats.convert import Tensor, train_of, tucker_of
from solvers.formats.cp.decomposition import MOST_UNKNOWNS, cp_decomposition
from solvers.formats.cp.methods import CPALS, CPLevenbergMarquardt, CPMethod
from solvers.formats.hierarchical.tensor import HierarchicalTensor
from solvers.formats.hierarchical.tree import Tree
from solvers.formats.hierarchical.truncation import error_bound, truncate, unfolding_values
from solvers.formats.trains.factorisations import frobenius
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.formats.tucker.tensor import TuckerTensor, left_singular
from solvers.solution import Callback

STEPS = 9  # of a curve, from an error of a half to the accuracy
COARSEST = 0.5
AUTOMATIC_TERMS = 32
FEW_TERMS = (1, 2, 4, 8, 16)


@dataclass(frozen=True, eq=False)
class Made:
    """A tensor in its format, and what is told of it."""

    approximation: Approximation
    value: Tensor


def approximated(name: str, format: str, array: np.ndarray, accuracy: float, tree: Tree) -> Made:
    """A train, a tree or a Tucker tensor within the accuracy; its error is measured at all entries."""
    begin = time.perf_counter()
    value = cut(format, array, accuracy, tree)
    seconds = time.perf_counter() - begin
    error = difference_of_all(array, value)
    bound = bound_of(format, array, value, tree)
    ranks = ranks_of(value)
    return Made(Approximation(name, format, ranks, int(value.size), error, bound, seconds, "", ()), value)


def cut(format: str, array: np.ndarray, tol: float, tree: Tree) -> Tensor:
    """The array in a format, within ``tol``."""
    if format == "tt":
        return train_of(array, tol, None)
    return truncate(array, tol, tree=tree).value if format == "ht" else tucker_of(array, tol, None)


def difference_of_all(array: np.ndarray, value: Tensor) -> float:
    """The relative error at all entries."""
    dense = value if isinstance(value, np.ndarray) else value.full(array.size)
    return frobenius(dense - array) / frobenius(array)


def ranks_of(value: Tensor) -> tuple[int, ...]:
    """TT-ranks, ranks of the nodes but the root, or Tucker ranks."""
    if isinstance(value, TensorTrain):
        return value.ranks[1:-1]
    if isinstance(value, HierarchicalTensor):
        return tuple(value.ranks.values())[:-1]
    assert isinstance(value, TuckerTensor)
    return value.ranks


def bound_of(format: str, array: np.ndarray, value: Tensor, tree: Tree) -> float:
    """The guaranteed bound of the relative error at these ranks: the root of the sum of squares of all singular values
    left out, over the unfoldings of the format."""
    scaled = array / frobenius(array)
    if isinstance(value, HierarchicalTensor):
        return error_bound(unfolding_values(scaled, tree), value.ranks, tree)
    d, left_out, ranks = array.ndim, 0.0, ranks_of(value)
    sets = [tuple(range(k)) for k in range(1, d)] if format == "tt" else [(k,) for k in range(d)]
    for modes, rank in zip(sets, ranks, strict=True):
        rest = [k for k in range(d) if k not in modes]
        matrix = scaled.transpose([*modes, *rest]).reshape(math.prod(array.shape[k] for k in modes), -1)
        values = left_singular(matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T)[1]
        left_out += float(np.sum(values[rank:] ** 2))
    return math.sqrt(left_out)


def coarser(found: Made, array: np.ndarray, accuracy: float, tree: Tree) -> Curve:
    """Errors against numbers kept, from an error of a half down to the accuracy."""
    one = found.approximation
    numbers: list[int] = []
    errors: list[float] = []
    for tol in np.geomspace(COARSEST, accuracy, STEPS)[:-1] if accuracy < COARSEST else []:
        value = cut(one.format, array, float(tol), tree)
        if not numbers or value.size > numbers[-1]:
            numbers.append(int(value.size))
            errors.append(difference_of_all(array, value))
    if not numbers or one.numbers > numbers[-1]:
        numbers.append(one.numbers)
        errors.append(one.error)
    return Curve(one.tensor, one.format, tuple(numbers), tuple(errors))


def cp_terms(solver: DecompositionSolver, known: Unfoldings, array: np.ndarray) -> tuple[int, ...]:
    """Numbers of terms to try; automatic: few ones for the curve, then from the rank of the unfoldings on."""
    if solver.terms != "automatic":
        return solver.terms if isinstance(solver.terms, tuple) else (solver.terms,)
    least, most = known.cp_at_least, min(AUTOMATIC_TERMS, array.size // max(array.shape))
    few = [n for n in FEW_TERMS if n < min(least, most)]
    growing = [n for n in (least, least + -(-least // 4), 2 * least) if n <= most]
    return tuple(dict.fromkeys([*few, *(growing or [most])]))


def cp_start(
    name: str,
    array: np.ndarray,
    terms: int,
    solver: DecompositionSolver,
    seed: int,
    callback: Callback,
    file: Path | None,
) -> Made:
    """A sum of ``terms`` terms from all starts, and the verdict."""
    begin = time.perf_counter()
    small = terms * sum(array.shape) <= MOST_UNKNOWNS
    damped = solver.method == "levenberg_marquardt" or (solver.method == "automatic" and small)
    method: CPMethod = CPLevenbergMarquardt(starts=solver.starts) if damped else CPALS(starts=solver.starts)
    found = cp_decomposition(
        array,
        terms,
        method=method,
        accuracy=solver.accuracy,
        rng=np.random.default_rng([seed, 1, terms]),
        callback=callback,
        checkpoint=file,
        throw=False,
    )
    starts = tuple(
        Start(one.verdict.value, one.error, one.largest_term, one.congruence, one.steps)
        for one in found.extra["starts"]
    )
    error = float(found.residual[0])
    seconds, value = time.perf_counter() - begin, found.value
    told = Approximation(
        name, "cp", (terms,), int(value.size), error, None, seconds, found.extra["verdict"].value, starts
    )
    return Made(told, value)
