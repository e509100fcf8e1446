"""The tensor-train format: trains, operators, their construction, arithmetic and rounding."""

from solvers.formats.trains.construct import (
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
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.storage import load_trains, save_trains
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain, dot

__all__ = [
    "TTOperator",
    "TensorTrain",
    "dot",
    "identity_operator",
    "kronecker_sum",
    "load_trains",
    "ones",
    "operator_tt_svd",
    "random_train",
    "rank_one",
    "rank_one_operator",
    "save_trains",
    "sum_of_products",
    "tt_svd",
    "unit",
]
