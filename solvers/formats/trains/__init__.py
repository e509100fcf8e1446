"""The tensor-train format: trains, operators, their construction, arithmetic and rounding."""

from solvers.formats.trains.construct import (
    identity_operator,
    kronecker_sum,
    ones,
    operator_tt_svd,
    outer,
    random_operator,
    random_train,
    rank_one,
    rank_one_operator,
    tt_svd,
    unit,
    zeros,
)
from solvers.formats.trains.joining import concatenate, pad, tensordot
from solvers.formats.trains.layouts import from_cores, to_cores
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.storage import load_trains, save_trains
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import TensorTrain, dot, log_dot

__all__ = [
    "TTOperator",
    "TensorTrain",
    "concatenate",
    "dot",
    "from_cores",
    "identity_operator",
    "kronecker_sum",
    "load_trains",
    "log_dot",
    "ones",
    "operator_tt_svd",
    "outer",
    "pad",
    "random_operator",
    "random_train",
    "rank_one",
    "rank_one_operator",
    "save_trains",
    "sum_of_products",
    "tensordot",
    "to_cores",
    "tt_svd",
    "unit",
    "zeros",
]
