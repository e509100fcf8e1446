"""Harmonic Ritz vectors in the span V of a few trains: eigenvalues about a number s inside a spectrum.

W^H W c = t W^H V c with W = (A - s) V, that is Ritz values 1/t of (A - s)^-1 in the span of W. Then ||(A - s) V c|| <=
|t| ||V c||: no value beside s comes from a mixture of eigenvectors on all sides of it, as a Ritz value of A may.
Morgan, Linear Algebra Appl. 154, 289 (1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.eigen.spans import between
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

ROUNDED = 1e-15  # of the largest eigenvalue of W^H W: what is below it is rounding errors
CLEAR = 0.1  # of a quotient's distance from s: a residual below it makes the quotient the value


@dataclass(frozen=True)
class Harmonic:
    """``w`` (m,): the quotient of a vector where its residual is small beside the quotient's distance from s
    (``clear``), else s + t: of a mixture about s the quotient is near s and t is large. ``vectors`` (k, m),
    coefficients of norm one in the orthonormal basis; ``t`` (m,)."""

    w: np.ndarray
    vectors: np.ndarray
    t: np.ndarray
    clear: np.ndarray


def harmonic(
    basis: Sequence[TensorTrain], q: np.ndarray, k: np.ndarray, shifted: TTOperator, s: complex, tol: float
) -> Harmonic:
    """Of the span of the trains: ``q`` makes an orthonormal basis of them, in which A is ``k``; ``shifted``: A - s.

    ``tol``: relative rounding of the images (A - s) x. Cost: those images, and m^2 inner products with them.
    """
    images = [(shifted @ x).round(tol, None) for x in basis]
    square = q.conj().T @ between(images, None, images, True) @ q
    mixed = q.conj().T @ between(images, None, basis, False) @ q
    d, u = np.linalg.eigh(0.5 * (square + square.conj().T))
    inverse_root = u / np.sqrt(np.maximum(d, ROUNDED * d[-1]))
    inverse, c = np.linalg.eig(inverse_root.conj().T @ mixed @ inverse_root)
    seen = np.abs(inverse) > 0.0
    t = 1.0 / inverse[seen]
    c = inverse_root @ c[:, seen]
    c = c / np.linalg.norm(c, axis=0)
    quotients = np.einsum("ij,ij->j", c.conj(), k @ c)
    squares = np.real(np.einsum("ij,ij->j", c.conj(), square @ c)) - np.abs(quotients - s) ** 2
    clear = squares < (CLEAR * np.abs(quotients - s)) ** 2
    return Harmonic(np.where(clear, quotients, s + t), c, t, clear)
