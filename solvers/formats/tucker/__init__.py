"""The Tucker format for few long axes: a small core and one matrix an axis; arithmetic, cross, quantics."""

from solvers.formats.tucker.convert import from_full, from_quantics, to_quantics
from solvers.formats.tucker.cross import tucker_cross
from solvers.formats.tucker.tensor import TuckerTensor, combine, dot, rank_one, separable

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
