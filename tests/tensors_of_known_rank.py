"""Tensors whose ranks are known."""

import numpy as np


def matrix_multiplication(n):
    """T[(a, b), (b, c), (a, c)] = 1: the product of n x n matrices."""
    tensor = np.zeros((n * n,) * 3)
    for a, b, c in np.ndindex(n, n, n):
        tensor[a * n + b, b * n + c, a * n + c] = 1.0
    return tensor


def w_state(d=3):
    """Sum of the products of d - 1 vectors b and one vector a: of rank d, and of rank 2 to any accuracy."""
    tensor = np.zeros((2,) * d)
    for k in range(d):
        tensor[tuple(int(m == k) for m in range(d))] = 1.0
    return tensor


def theorem_example(d, n, r):
    """Products of the identity of size min(n, r) over the modes 1 and 2, 3 and 4, ...: ones and zeros."""
    tensor = np.zeros((n,) * d)
    for pairs in np.ndindex(*(min(n, r),) * (d // 2)):
        tensor[tuple(np.repeat(pairs, 2))] = 1.0
    return tensor


def random_terms(shape, rank, seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, rank)) for n in shape]
