"""Whether two results are the same, for tests of everything that stores or repeats them."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain


def same(a, b):
    """Whether two results are equal to the last bit, with equal types."""
    if isinstance(a, TensorTrain):
        return isinstance(b, TensorTrain) and a.centre == b.centre and same(list(a.cores), list(b.cores))
    if isinstance(a, Sequence) and len(a) and isinstance(a[0], TensorTrain):  # whatever sequences they are
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if type(a) is not type(b):
        return False
    if is_dataclass(a):
        return all(same(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)
