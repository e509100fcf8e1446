"""The canonical format: sums of rank-one tensors, and their fit to a dense array."""

from solvers.formats.cp.tensor import CPTensor

__all__ = ["CPTensor"]
