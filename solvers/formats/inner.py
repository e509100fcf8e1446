"""The inner product of two trains, two operators or two Tucker tensors."""

from __future__ import annotations

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.formats.trains.tensor_train import dot as of_trains
from solvers.formats.tucker.tensor import TuckerTensor
from solvers.formats.tucker.tensor import dot as of_tucker


def dot(x: TensorTrain | TTOperator | TuckerTensor, y: TensorTrain | TTOperator | TuckerTensor) -> float | complex:
    """Inner product: the sum over all entries of conj(x) y; of operators trace(X^H Y).

    Cost 4 d n r^3 for trains, d n r^2 + d r^(d+1) for Tucker tensors. Raises TypeError for two kinds, ValueError for
    different shapes, and for trains where the product is beyond double precision: ``log_dot``.
    """
    if isinstance(x, TensorTrain) and isinstance(y, TensorTrain):
        return of_trains(x, y)
    if isinstance(x, TuckerTensor) and isinstance(y, TuckerTensor):
        return of_tucker(x, y)
    if isinstance(x, TTOperator) and isinstance(y, TTOperator):
        if x.shape != y.shape:
            raise ValueError(f"operators of shapes {x.shape} and {y.shape} do not fit together")
        return of_trains(x.as_train(), y.as_train())
    raise TypeError(f"dot needs two trains, operators or Tucker tensors, not {type(x).__name__}, {type(y).__name__}")
