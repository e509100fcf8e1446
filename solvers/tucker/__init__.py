"""The Tucker format for few long axes: a small core and one matrix an axis; arithmetic, cross, quantics."""

from solvers.tucker.convert import from_full, from_quantics, to_quantics
from solvers.tucker.cross import tucker_cross
from solvers.tucker.tensor import TuckerTensor, combine, dot, rank_one, separable

__all__ = [
    "TuckerTensor",
    "combine",
    "dot",
    "from_full",
    "from_quantics",
    "rank_one",
    "separable",
    "to_quantics",
    "tucker_cross",
]
