"""Functions of trains entry by entry, and division, by cross with its judgement.

f(x, y, ...) of trains is a train only approximately: it is found by cross from some of its values, each of which is an
entry of the trains, and judged at entries that were not looked at (solvers.cross.cross). Shapes are broadcast as in
sums; numbers may stand for trains. The error is one in the maximum norm over the largest value, so entries that are
small beside it have fewer digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from solvers.cross.cross import Callback, cross_of_trains
from solvers.formats.trains.cores import aligned, as_scalar
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.methods import Cross
from solvers.solution import NotConverged, Solution
from solvers.threads import one_blas_thread

ACCURACY = 1e-10
FINEST = 1e-12  # what the operator / asks for; it takes no error above ACCURACY


@one_blas_thread
def elementwise(
    f: Callable[..., np.ndarray],
    *operands: TensorTrain | TTOperator | complex,
    method: Cross | None = None,
    starts: np.ndarray | None = None,
    accuracy: float = ACCURACY,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """f(x, y, ...), entry by entry, of trains and numbers whose shapes numpy would broadcast, as a train.

    Or of operators of one shape and numbers, as an operator: ``elementwise(f, multiply(A, B).value)`` is a function of
    a product; ``starts`` (p, 2 d) are then rows, then columns.
    ``f`` takes one array of values an operand, all of one shape, and returns an array of that shape, real or complex.
    Everything else as in ``cross``: ``accuracy`` in the maximum norm over the largest value, the status of the
    judgement, NotConverged when ``throw``. Raises ValueError for no train, shapes that do not fit, and where f gives
    NaN or infinity (with the multi-index); TypeError for operands of other kinds, or of both.
    """
    pair = _modes_of(operands)
    if pair is not None:
        operands = tuple(a.as_train() if isinstance(a, TTOperator) else a for a in operands)
        if starts is not None:
            rows, columns = np.split(np.atleast_2d(starts), 2, axis=1)
            starts = rows * np.array(pair[1]) + columns
    numbers = [as_scalar(x) for x in operands]
    for x, number in zip(operands, numbers):
        if number is None and not isinstance(x, TensorTrain):
            raise TypeError(f"elementwise takes trains, or operators, and numbers, not {type(x).__name__}")
    trains = [x for x in operands if isinstance(x, TensorTrain)]
    if not trains:
        raise ValueError("elementwise needs at least one train")

    def with_numbers(*values: np.ndarray) -> np.ndarray:
        rest = iter(values)
        like = values[0]
        return f(*(next(rest) if number is None else np.full(like.shape, number) for number in numbers))

    solution = cross_of_trains(
        with_numbers,
        _broadcast(trains),
        method=method,
        starts=starts,
        accuracy=accuracy,
        rng=rng,
        callback=callback,
        checkpoint=checkpoint,
        throw=throw and pair is None,
    )
    if pair is None:
        return solution
    solution = replace(solution, value=TTOperator.of_train(solution.value, *pair))
    if throw and not solution.converged:
        raise NotConverged(solution)
    return solution


def _modes_of(operands: Sequence[TensorTrain | TTOperator | complex]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Rows and columns of operators, all of one shape, None without any; raises as ``elementwise``."""
    operators = [a for a in operands if isinstance(a, TTOperator)]
    if not operators:
        return None
    if any(isinstance(x, TensorTrain) for x in operands):
        raise TypeError("elementwise takes trains or operators, not both")
    for a in operators[1:]:
        if a.shape != operators[0].shape:
            raise ValueError(f"operators of shapes {operators[0].shape} and {a.shape} do not fit together")
    return operators[0].shape


@one_blas_thread
def divide(
    x: TensorTrain | complex,
    y: TensorTrain,
    *,
    method: Cross | None = None,
    starts: np.ndarray | None = None,
    accuracy: float = ACCURACY,
    rng: np.random.Generator | None = None,
    callback: Callback | None = None,
    checkpoint: str | Path | None = None,
    throw: bool = True,
) -> Solution:
    """x / y entry by entry, as ``elementwise``; the operators ``x / y`` and ``1 / y`` ask for 1e-12, and take 1e-10.

    A y that is small somewhere makes the quotient large there, and its accuracy is relative to that. Raises
    ZeroDivisionError where an entry of y that was looked at is zero, and as ``elementwise``.
    """

    def ratio(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        if (q == 0.0).any():
            raise ZeroDivisionError(f"division by a train that is zero at {int((q == 0.0).sum())} of the entries seen")
        return p / q

    return elementwise(
        ratio,
        x,
        y,
        method=method,
        starts=starts,
        accuracy=accuracy,
        rng=rng,
        callback=callback,
        checkpoint=checkpoint,
        throw=throw,
    )


def quotient(x: TensorTrain | complex, y: TensorTrain) -> TensorTrain:
    """What ``x / y`` is: NotConverged where the error found is above 1e-10."""
    solution = divide(x, y, accuracy=FINEST, throw=False)
    return solution.value if solution.residual[0] <= ACCURACY else divide(x, y).value


def _broadcast(trains: list[TensorTrain]) -> list[TensorTrain]:
    """All of the shape that they have together."""
    whole = trains[0]
    for x in trains[1:]:
        p, _ = aligned(whole.cores, x.cores)
        whole = TensorTrain(tuple(p))
    # numbers of indices only: each is aligned to the shape of all
    return [x if x.shape == whole.shape else TensorTrain(tuple(aligned(x.cores, whole.cores)[0])) for x in trains]
