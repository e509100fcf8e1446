"""Bases at the points of a fit: made orthonormal in the mean over the points, and what that says of the points.

With Phi (m, n) the functions of a coordinate at the points and Phi D = Q R, columns scaled to one by D, the functions
sqrt(m) Phi D R^-1 have a mean of products of one: the normal equations of a fit are as good as the points allow.
Between the points their squares can be large: K(x) = sum_i |phi_i(x)|^2 is how much a value at x hangs on the noise of
all others (the inverse of Christoffel's function).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.regression.bases import Basis, Interval
from solvers.optimisation.samples import FunctionSamples

ALIKE = 1e-8  # smallest singular value of functions of norm one: below they are not told apart, eight digits are lost
NEAR = 10.0  # mean distances of neighbours: points of an even density end nearer to the ends of their interval
AT_MOST = 0.2  # of the range, the same
BEYOND = 0.02  # of the range, the same for the interval that is taken where none was given
LOOKED = 400  # places of an interval where K is looked at
BARE = 30.0  # times the largest K at points, from which on nothing is known there


@dataclass(frozen=True, eq=False)
class Axis:
    """A coordinate: its ``basis``, the matrix ``back`` (n, n) from orthonormal functions to it, and its ``domain``.

    ``bare``: the largest K in the domain over that at the points.
    """

    basis: Basis
    back: np.ndarray
    domain: Interval
    bare: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The orthonormal functions (m, n) at coordinates (m,)."""
        return np.asarray(self.basis.values(x) @ self.back)


def axis(basis: Basis, x: np.ndarray, number: int) -> Axis:
    """Of coordinate ``number`` (from 1) at points (m,). Raises ValueError where functions are not told apart."""
    low, high = float(x.min()), float(x.max())
    name = f"coordinate {number}"
    if basis.ends is None:
        if not low < high:
            raise ValueError(f"{name} is {low:g} at all points: leave it out, or give its basis an interval")
        gap = min(NEAR / len(x), BEYOND) * (high - low)
        basis = basis.on(low - gap, high + gap)
    assert basis.ends is not None
    begin, end = basis.ends
    if (x < begin).any() or (x > end).any():
        j = int(np.argmax((x < begin) | (x > end)))
        raise ValueError(f"{name} of point number {j} is {x[j]:g}, outside its interval [{begin:g}, {end:g}]")
    phi = basis.values(x)
    if not np.isfinite(phi).all():
        raise ValueError(f"{name}: its functions are not finite at all points")
    sizes = np.abs(phi).max(axis=0)
    if not sizes.all():
        raise ValueError(f"{name}: function number {int(np.argmin(sizes))} is zero at all points: leave it out")
    sizes = sizes * np.linalg.norm(phi / sizes, axis=0)
    q, r = np.linalg.qr(phi / sizes)
    singular = np.linalg.svd(r, compute_uv=False) if len(x) >= basis.size else np.zeros(1)
    if singular[-1] < ALIKE * singular[0]:
        different = len(np.unique(x))
        cure = f"give at most {different}" if different < basis.size else "give fewer, or points all over its interval"
        raise ValueError(
            f"{name}: its {basis.size} functions are not told apart by {different} different coordinates: {cure}"
        )
    back = np.sqrt(len(x)) * solve_triangular(r, np.eye(basis.size, dtype=r.dtype)) / sizes[:, None]
    gap = min(NEAR / len(x), AT_MOST) * (high - low)
    domain = begin if low - begin <= gap else low, end if end - high <= gap else high
    at_points = len(x) * float((np.abs(q) ** 2).sum(axis=1).max())
    places = np.linspace(*domain, LOOKED)
    everywhere = float((np.abs(basis.values(places) @ back) ** 2).sum(axis=1).max())
    return Axis(basis, back, domain, everywhere / at_points)


def samples_of(axes: Sequence[Axis], points: np.ndarray) -> FunctionSamples:
    """The orthonormal functions of all coordinates at points (m, d)."""
    return FunctionSamples(points, tuple(one(column) for one, column in zip(axes, points.T, strict=True)))


def in_bases(axes: Sequence[Axis], train: TensorTrain) -> TensorTrain:
    """Coefficients of orthonormal functions as those of the bases themselves."""
    return TensorTrain(tuple(np.einsum("in,anb->aib", one.back, core) for one, core in zip(axes, train.cores)))
