"""The formats of tensors: tensor trains, quantics trains and the Tucker format."""

from solvers.formats import quantics

__all__ = ["quantics"]
