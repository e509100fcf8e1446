"""Compiled kernels on plain arrays."""
