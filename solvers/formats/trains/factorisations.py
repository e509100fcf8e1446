"""Small dense factorisations shared by orthogonalisation, TT-SVD and rounding, straight on LAPACK.

A train is swept by triangular factors and left singular vectors only, so the orthogonal factor of a QR is
formed solely where it becomes a core.  Costs are for an m x n matrix.
"""

from __future__ import annotations

import cmath
import math
from functools import cache, lru_cache
from typing import Any

import numpy as np
from scipy.linalg import get_lapack_funcs, svd
from scipy.linalg.blas import idamax, izamax

EPSILON = float(np.finfo(np.float64).eps)
BLOCK = 64  # columns of LAPACK workspace; the wrappers' default workspace would select unblocked code
NARROW = 16  # columns of a block of geqrt: geqrf has no blocks below 128 columns, and takes up to three times as long
NARROW_FROM = {"f": (8_192, 20), "c": (100_000, 60)}  # entries and columns from which it pays, measured
NARROW_TO = 256  # columns, to which it pays


def check_finite(array: np.ndarray, what: str) -> None:
    """Raise ValueError unless every entry is finite (one pass; the full test only where the squares are not)."""
    flat = array.ravel(order="K")
    if not cmath.isfinite(np.vdot(flat, flat)) and not np.isfinite(flat).all():
        raise ValueError(f"{what} contains NaN or infinity")


def largest(array: np.ndarray) -> float:
    """The largest entry; of complex ones the largest part of that whose parts add up to most.  Not for empty arrays."""
    flat = array.ravel(order="K")
    if flat.dtype.kind == "c":
        top = flat[izamax(flat)]
        return max(abs(float(top.real)), abs(float(top.imag)))
    return abs(float(flat[idamax(flat)]))


def as_double(array: np.ndarray, what: str) -> np.ndarray:
    """``array`` as float64 or complex128.  Raises TypeError for wider numbers and for anything else."""
    array = np.asarray(array)
    if array.dtype.kind not in "biufc" or array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):
        raise TypeError(f"{what}: entries of type {array.dtype} are not float64 or complex128")
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64, copy=False)


def freeze(array: np.ndarray) -> np.ndarray:
    """A C-ordered, read-only array of the entries of ``array``; a fresh C-ordered one is marked in place."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def frozen(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """``array`` itself when it is read-only, C-ordered and of ``dtype``, else such a copy."""
    if array.dtype == dtype and array.flags.c_contiguous and not array.flags.writeable:
        return array
    return freeze(np.array(array, dtype=dtype, order="C"))


def power_of_two(array: np.ndarray, exponents: np.ndarray | int) -> np.ndarray:
    """array * 2^exponents, exactly (but for what leaves the range of double precision)."""
    if array.dtype.kind == "c":
        return np.ldexp(array.real, exponents) + 1j * np.ldexp(array.imag, exponents)
    return np.ldexp(array, exponents)


def frobenius(array: np.ndarray) -> float:
    """The Frobenius norm without overflow or underflow of the squares."""
    top = float(np.abs(array).max(initial=0.0))
    return top * float(np.linalg.norm(array / top)) if top > 0.0 else 0.0


def qr_factors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduced QR, ``matrix = Q @ R`` with Q (m, min(m, n)).  Cost 4 m n min(m, n)."""
    m, n = matrix.shape
    geqrf, orgqr = _lapack("geqrf", matrix.dtype), _lapack("orgqr", matrix.dtype)
    packed, tau, _, info = geqrf(matrix, lwork=BLOCK * n)
    _require(info == 0, "geqrf")
    k = min(m, n)
    r = _upper(packed[:k])
    q, _, info = orgqr(packed[:, :k], tau, lwork=BLOCK * n, overwrite_a=True)
    _require(info == 0, "orgqr")
    return q, r


def _upper(packed: np.ndarray) -> np.ndarray:
    """The upper triangle, zeros below (np.triu spends more on its mask than on the copy)."""
    return np.where(_mask(*packed.shape), packed, 0.0)


@lru_cache(64)
def _mask(m: int, n: int) -> np.ndarray:
    return np.tri(n, m, dtype=bool).T


def triangular_factor(matrix: np.ndarray) -> np.ndarray:
    """R of the QR of ``matrix``, shape (min(m, n), n), without Q.  Overwrites a Fortran-ordered ``matrix``.

    Cost 2 m n min(m, n).  Raises ValueError when products overflowed before.
    """
    r = _upper(_reflectors(matrix)[0][: matrix.shape[1]])
    check_finite(r, "a product of cores (overflow: rescale the train)")
    return r


def _reflectors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """The QR of ``matrix`` as LAPACK packs it, which is overwritten, and whether geqrt made it."""
    m, n = matrix.shape
    entries, columns = NARROW_FROM[matrix.dtype.kind]
    if m >= n and columns <= n <= NARROW_TO and m * n >= entries:
        packed, factors, info = _lapack("geqrt", matrix.dtype)(NARROW, matrix, overwrite_a=True)
        _require(info == 0, "geqrt")
        return packed, factors, True
    packed, factors, _, info = _lapack("geqrf", matrix.dtype)(matrix, lwork=BLOCK * n, overwrite_a=True)
    _require(info == 0, "geqrf")
    return packed, factors, False


def row_compress(matrix: np.ndarray) -> np.ndarray:
    """``L`` with ``L @ L^H = matrix @ matrix^H`` and as many columns as ``matrix`` has independent rows.

    Rows are scaled to largest entry one first, so what is dropped (below 8 sqrt(n) machine epsilons) is
    small against each row by itself, as are the errors a QR makes anyway.  Pivoted QR; cost 4 m n rank.
    """
    m, n = matrix.shape
    largest = np.abs(matrix).max(axis=1)
    scale = np.where(largest > 0.0, largest, 1.0)
    scaled = np.asfortranarray((matrix / scale[:, None]).T)
    geqp3 = _lapack("geqp3", scaled.dtype)
    packed, pivots, _, _, info = geqp3(scaled, lwork=BLOCK * (m + 1), overwrite_a=True)
    _require(info == 0, "geqp3")
    r = _upper(packed[:m])
    # left[k] = largest column norm of the rows from k on: what stays out at rank k
    left = np.sqrt(np.cumsum(np.abs(r[::-1]) ** 2, axis=0)[::-1].max(axis=1))
    rank = max(1, int(np.count_nonzero(left > 8.0 * np.sqrt(n) * EPSILON)))
    if rank >= n:
        return matrix
    compressed = np.empty((m, rank), dtype=matrix.dtype)
    compressed[pivots - 1] = r[:rank].T
    return scale[:, None] * compressed


def singular_vectors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Reduced SVD ``U, s, V^H``; falls back to the slower QR iteration where divide and conquer fails."""
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        return svd(matrix, full_matrices=False, check_finite=False, lapack_driver="gesvd")


def truncation_rank(s: np.ndarray, budget: float, max_rank: int | None) -> tuple[int, float]:
    """Smallest rank >= 1 whose discarded singular values have 2-norm <= ``budget``; also that 2-norm."""
    top = s[0] if s.size and s[0] > 0.0 else 1.0
    squares = s[::-1] / top
    tails = np.add.accumulate(squares * squares)  # [k]: what is lost with the last k + 1
    rank = max(1, len(s) - int(tails.searchsorted((budget / top) ** 2, side="right")))
    if max_rank is not None:
        rank = min(rank, max_rank)
    return rank, float(math.sqrt(tails[len(s) - 1 - rank]) * top) if rank < len(s) else 0.0


class LeftSVD:
    """Left singular vectors and singular values of a matrix, the vectors formed only up to the rank kept.

    ``matrix`` (m, n), best Fortran-ordered, is overwritten.  Tall: QR, SVD of the (n, n) factor, then Q
    applied to the kept vectors.  Wide: the triangular factor of the transpose, and its SVD. Cost 2 m n
    min(m, n) + O(min(m, n)^3), and 4 m n k for k vectors.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        m, n = matrix.shape
        self._reflectors: tuple[np.ndarray, np.ndarray, bool] | None = None
        self._rows = m
        if m > n:
            self._reflectors = _reflectors(matrix)
            small = _upper(self._reflectors[0][:n])
        elif m < n:
            small = triangular_factor(np.asfortranarray(matrix.T)).T
        else:
            small = matrix
        check_finite(small, "a product of cores (overflow: rescale the train)")
        self._u, self.s, _ = singular_vectors(small)

    def vectors(self, rank: int) -> np.ndarray:
        """The first ``rank`` left singular vectors, (m, rank)."""
        if self._reflectors is None:
            return self._u[:, :rank]
        packed, factors, narrow = self._reflectors
        u = np.zeros((self._rows, rank), dtype=packed.dtype, order="F")
        u[: self._u.shape[0]] = self._u[:, :rank]
        if narrow:
            u, info = _lapack("gemqrt", packed.dtype)(packed, factors, u, overwrite_c=True)
        else:
            multiply = _lapack("ormqr", packed.dtype)
            u, _, info = multiply("L", "N", packed, factors, u, lwork=BLOCK * rank, overwrite_c=True)
        _require(info == 0, "ormqr")
        return u


@cache
def _lapack(routine: str, dtype: np.dtype) -> Any:
    """The LAPACK routine for entries of ``dtype``; looked up once, for small trains spend their time here."""
    found: Any = get_lapack_funcs([routine], dtype=dtype)
    return found[0]


def _require(succeeded: bool, routine: str) -> None:
    if not succeeded:
        raise np.linalg.LinAlgError(f"LAPACK {routine} refused its arguments")
