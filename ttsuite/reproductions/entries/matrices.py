"""Small matrices and tensors with known answers: the bound of the skeleton, border rank, norms between spaces."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import reduce

import numpy as np

from problems.decomposition.known import w_state
from problems.report_parts import Quantity
from solvers.cross.cross import cross
from solvers.extremal.pq_norm import pq_norm
from solvers.matrices.skeleton import bound_factor, skeleton
from solvers.measured import ROUNDING

INVERSES = ((2, 1.0), (3, 0.1), (5, 0.001), (8, 0.001))  # n and eps of inv(J + eps I): the bound is reached as eps -> 0


def skeleton_bounds(largest: int = 8) -> list[Quantity]:
    """The largest error of the skeleton by the submatrix of maximal volume, over sigma_{r+1}; at most r + 1.

    Of inv(J + eps I), r = n - 1, J of ones, it is (n + eps) / (1 + eps) in closed form; and of three matrices of
    functions. ``largest``: of the sizes n that are taken. All submatrices are looked at.
    """
    i, j = np.meshgrid(np.arange(1.0, largest + 1), np.arange(1.0, largest + 1), indexing="ij")
    cases = [
        (f"inv(J + {eps:g} I), n = {n}", np.linalg.inv(np.ones((n, n)) + eps * np.eye(n)), n - 1)
        for n, eps in INVERSES
        if n <= largest
    ]
    cases += [
        ("cos(i j), rank 2", np.cos(i * j)[:7, :7], 2),
        ("1 / (i + j - 1), rank 3", 1.0 / (i + j - 1.0)[:7, :7], 3),
        ("exp(-|i - j| / 3), rank 3", np.exp(-abs(i - j) / 3.0), 3),
    ]
    names, ratios, shares = [], [], []
    for name, matrix, rank in cases:
        found = skeleton(matrix, rank)
        ratio = found.error / found.singular_value
        names.append(name)
        ratios.append(ratio)
        shares.append(ratio / bound_factor(rank, rank, rank))
    told = np.array(ratios)
    return [
        Quantity("error over sigma", "", "matrix", names, told, 1e-6 * told, ("rounding",)),
        Quantity("error over its bound", "", "matrix", names, np.array(shares), 1e-6 * np.array(shares), ("rounding",)),
    ]


def border_rank(modes: Sequence[int] = (3, 4, 6), steps: Sequence[float] = (0.1, 0.01, 0.001)) -> list[Quantity]:
    """How near two terms come to the W tensor, of rank d: (P(h) - P(0)) / h with P(t) = (b + t a)^(x d).

    The error is measured at all entries; in closed form its square is the sum of C(d, k) h^(2k - 2) over k = 2, ..., d.
    """
    a, b = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    names, errors, norms = [], [], []
    for d, h in itertools.product(modes, steps):
        shifted = reduce(np.multiply.outer, [b + h * a] * d)
        straight = reduce(np.multiply.outer, [b] * d)
        names.append(f"d = {d}, h = {h:g}")
        errors.append(float(np.linalg.norm((shifted - straight) / h - w_state(d))))
        norms.append((1.0 + h * h) ** (d / 2) / h)
    told, grown = np.array(errors), np.array(norms)
    # what cancels between the two terms is lost
    return [
        Quantity("error of two terms", "", "tensor", names, told, ROUNDING * grown, ("rounding",)),
        Quantity("norm of a term", "", "tensor", names, grown, ROUNDING * grown, ("rounding",)),
    ]


def pq_norms(rows: int = 20, columns: int = 12, a: float = 1.7, b: float = 0.9) -> list[Quantity]:
    """Norms max ||A v||_q / ||v||_p of A[i, j] = sin(a i j + b i^2) + 0.3 cos(b j + a i), i and j from 1."""
    i, j = np.meshgrid(np.arange(1.0, rows + 1), np.arange(1.0, columns + 1), indexing="ij")
    matrix = np.sin(a * i * j + b * i * i) + 0.3 * np.cos(b * j + a * i)
    pairs = [(math.inf, q) for q in (1.0, 2.0, 5.0, 10.0)] + [(1.0, 2.0), (2.0, math.inf), (2.0, 2.0)]
    found = [pq_norm(matrix, p, q) for p, q in pairs]
    names = [f"p = {p:g}, q = {q:g}" for p, q in pairs]
    values = np.array([one.value for one in found])
    errors = np.array([max(one.upper - one.value, 1e-12 * one.value) for one in found])
    reached = np.array([one.reached for one in found])
    return [
        Quantity("norm", "", "norm", names, values, errors, ("a bound from above",)),
        Quantity("share of starts that reach it", "", "norm", names, np.where(np.isnan(reached), 1.0, reached)),
    ]


def cross_of_a_sum(modes: int = 10, size: int = 20) -> list[Quantity]:
    """x_1 + ... + x_d on a grid, found from few of its entries: ranks 2, though no sum of two terms is it."""
    solution = cross(lambda x: x.sum(axis=1), (size,) * modes, accuracy=1e-10)
    found = solution.value
    rng = np.random.default_rng(1)
    points = rng.integers(0, size, (1000, modes))
    expected = points.sum(axis=1)
    off = float(np.abs(found.entries(points) - expected).max()) / (modes * (size - 1))
    return [
        Quantity("largest TT-rank", "", "train", ["train"], np.array([float(found.max_rank)]), np.zeros(1)),
        Quantity("relative error", "", "train", ["1000 points"], np.array([off]), np.array([ROUNDING])),
        Quantity("entries evaluated", "", "train", ["train"], np.array([float(solution.counts["evaluations"])])),
    ]
