"""Tensor-train numerics: the format, the compiled kernels, and the methods that work on them."""
