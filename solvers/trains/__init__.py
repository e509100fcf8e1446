"""The tensor-train format: trains, operators, their construction, arithmetic and rounding."""

from solvers.trains import quantics
from solvers.trains.construct import (
    identity_operator,
    kronecker_sum,
    ones,
    operator_tt_svd,
    random_train,
    rank_one,
    rank_one_operator,
    tt_svd,
    unit,
)
from solvers.trains.operator import TTOperator
from solvers.trains.storage import load_trains, save_trains
from solvers.trains.sum_of_products import sum_of_products
from solvers.trains.tensor_train import TensorTrain, dot

__all__ = [
    "TTOperator",
    "TensorTrain",
    "dot",
    "identity_operator",
    "kronecker_sum",
    "load_trains",
    "ones",
    "operator_tt_svd",
    "quantics",
    "random_train",
    "rank_one",
    "rank_one_operator",
    "save_trains",
    "sum_of_products",
    "tt_svd",
    "unit",
]
