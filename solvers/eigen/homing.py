"""Eigenvectors of a large symmetric matrix that lie nearest to given ones, wherever their levels stand in its spectrum.

1. Project the matrix on a basis that begins with the given vectors, 2. of its eigenvectors take those with most weight
in the span of the given ones, not the lowest, 3. add their residuals divided by (diagonal - level), until these are
small. Levels below that have nothing to do with the vectors given, as those of a hole, are passed by.

Davidson, J. Comput. Phys. 17, 87 (1975); choice by overlap: Butscher, Kammer, J. Comput. Phys. 20, 313 (1976). Cost: an
iteration a product with at most m vectors, and O(N m^2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MOST_ITERATIONS = 60
LONGEST = 4  # times the vectors asked for: the basis, before it begins again
SMALLEST = 1e-2  # of the scale: denominators of corrections
Product = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Homed:
    """Levels (m,) ascending, vectors (N, m), residual norms (m,), and the products with a vector that it took."""

    levels: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    products: int


def nearest_eigenvectors(
    product: Product, diagonal: np.ndarray, given: np.ndarray, *, tol: float, scale: float
) -> Homed:
    """As many eigenvectors as are given (N, m); ``tol``: residual norm to reach, ``scale``: of the level spacing."""
    home = np.linalg.qr(given)[0]
    m = home.shape[1]
    basis, images, work = home, product(home), m
    for iteration in range(MOST_ITERATIONS):
        small = basis.T @ images
        energies, mixing = np.linalg.eigh(0.5 * (small + small.T))
        at_home = np.sum((home.T @ basis @ mixing) ** 2, axis=0)
        chosen = np.sort(np.argsort(-at_home, kind="stable")[:m])
        levels, vectors = energies[chosen], basis @ mixing[:, chosen]
        rest = images @ mixing[:, chosen] - vectors * levels
        residuals = np.linalg.norm(rest, axis=0)
        open_ = residuals > tol
        if not open_.any() or iteration == MOST_ITERATIONS - 1:
            break
        if basis.shape[1] + int(open_.sum()) > LONGEST * m + 8:
            basis, images = vectors, images @ mixing[:, chosen]
        below = diagonal[:, None] - levels[None, open_]
        below = np.where(np.abs(below) < SMALLEST * scale, SMALLEST * scale, below)
        added = rest[:, open_] / below
        for _ in range(2):
            added = added / np.maximum(np.linalg.norm(added, axis=0), 1e-300)
            added -= basis @ (basis.T @ added)
        added = np.linalg.qr(added)[0]
        added -= basis @ (basis.T @ added)
        added = np.linalg.qr(added)[0]
        basis, images = np.concatenate([basis, added], axis=1), np.concatenate([images, product(added)], axis=1)
        work += added.shape[1]
    return Homed(levels, vectors, residuals, work)
