"""Eigenvalues of a small operator that is not Hermitian, by vectors over the whole space.

1. The matrix falls apart where its graph does: strongly connected parts that no other part leads to or from (those of
   a conserved number) are solved each by itself.
2. Up to ``DENSE`` rows: LAPACK's QR algorithm with both kinds of vectors; the list is proved.
3. Above: Arnoldi from two random starts, by the factors of A - s where eigenvalues near a number s are wanted, else by
   products; the left vectors by the adjoint. The list is searched.
4. A two-sided Rayleigh-Ritz in the spans of both kinds makes them a pair each, of repeated eigenvalues too.
Golub, Van Loan, Matrix Computations (2013), 7.5; Lehoucq, Sorensen, Yang, ARPACK Users' Guide (SIAM 1998).
Cost 25 N^3 below ``DENSE``; above, a sparse factorisation or some hundred products a start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg as sl
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs, splu

from solvers.eigen.general.order import Order

DENSE = 600  # rows: 2 s with both kinds of vectors, measured
SPARE = 6  # eigenvalues beside those wanted
LARGEST_FACTORS = 30_000  # rows up to which A - s is factorised
LARGEST_DENSE = 1500  # rows up to which the QR algorithm is the way out: 15 s, measured
ARNOLDI = 1e-13
RESTARTS = 200
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Found:
    """``w`` (m,), ``right`` and ``left`` (N, m) of norm one; ``starts``: random ones that searched, 0: proved."""

    w: np.ndarray
    right: np.ndarray
    left: np.ndarray
    starts: int


def eigenpairs(a: Any, n: int, order: Order, rng: np.random.Generator) -> Found | None:
    """The ``n`` eigenvalues first in ``order`` (and some more) of a matrix, dense or sparse; None where no way ends."""
    a = sp.csr_matrix(a)
    parts = _parts(a)
    if len(parts) == 1:
        return _of_part(a, n, order, rng)
    found = [(rows, _of_part(sp.csr_matrix(a[rows][:, rows]), n, order, rng)) for rows in parts]
    w, columns, starts = [], [], 0
    for rows, part in found:
        if part is None:
            return None
        w.append(part.w)
        whole = np.zeros((2, a.shape[0], len(part.w)), dtype=np.result_type(part.right, part.left))
        whole[0, rows], whole[1, rows] = part.right, part.left
        columns.append(whole)
        starts = max(starts, part.starts)
    values, vectors = np.concatenate(w), np.concatenate(columns, axis=2)
    first = order.sorted(values)[: n + SPARE]
    return Found(values[first], vectors[0][:, first], vectors[1][:, first], starts)


def _parts(a: sp.csr_matrix) -> list[np.ndarray]:
    """Rows of the parts that no entry joins."""
    count, labels = connected_components(abs(a), directed=False)
    if count == 1 or count > a.shape[0] // 2:  # next to diagonal: nothing is gained by many tiny ones
        return [np.arange(a.shape[0])]
    by_label = np.argsort(labels, kind="stable")
    return np.split(by_label, np.cumsum(np.bincount(labels))[:-1])


def _of_part(a: sp.csr_matrix, n: int, order: Order, rng: np.random.Generator) -> Found | None:
    size = a.shape[0]
    if size <= DENSE or n + SPARE > size // 8:
        return _dense(a.toarray(), n, order) if size <= LARGEST_DENSE else None
    found = _by_arnoldi(a, n, order, rng)
    if found is None and size <= LARGEST_DENSE:
        return _dense(a.toarray(), n, order)
    return found


def _by_arnoldi(a: sp.csr_matrix, n: int, order: Order, rng: np.random.Generator) -> Found | None:
    """Steps 3 and 4: by factors, where these do not show all or there are none, by products."""
    shift = _shift(a, order, rng)
    factors = None if shift is None else _factors(a, shift)
    extreme = order.target is None and order.which != "SM"
    if factors is not None:
        assert shift is not None
        try:
            w, right = _near(a, factors, shift, 0, n + SPARE, rng)
            more = _near(a, factors, shift, 0, n + SPARE, rng)[1]
            left = _near(a, factors, shift, 1, n + SPARE, rng)[1]
        except ArpackError:
            return None
        if not extreme or _nothing_beyond(a, order, w, shift, n, rng):
            return _paired(a, np.hstack([right, more]), left, n, order)
    if not extreme:
        return None
    try:
        rights = [_by_products(a, order, 0, n + SPARE, rng)[1] for _ in range(2)]
        return _paired(a, np.hstack(rights), _by_products(a, order, 1, n + SPARE, rng)[1], n, order)
    except ArpackError:
        return None


def _dense(a: np.ndarray, n: int, order: Order) -> Found:
    w, left, right = sl.eig(a, left=True, right=True)
    first = order.sorted(w)[: n + SPARE]
    return Found(w[first], right[:, first], left[:, first], 0)


def _shift(a: sp.csr_matrix, order: Order, rng: np.random.Generator) -> complex | None:
    """Where A - s is factorised: the target, next to zero, or to the right (left) of all; None: products."""
    size = float(abs(a).sum(axis=1).max()) or 1.0
    if order.target is not None:
        return complex(order.target) + 1e-10 * size * (1.0 + 0.5 * rng.random())
    if order.which == "SM":
        return 1e-10 * size * (1.0 + rng.random())
    if order.which == "LM":
        return None
    sign = 1.0 if order.which == "LR" else -1.0
    generator = _bounded_by_zero(sign * a)
    if generator:
        return sign * 1e-4 * size * 1.2345
    return None


def _bounded_by_zero(a: sp.csr_matrix) -> bool:
    """Whether Gershgorin's discs, of rows or of columns, lie left of zero: as those of a generator do."""
    diagonal = a.diagonal()
    for axis in (0, 1):
        off = np.asarray(abs(a).sum(axis=axis)).ravel() - np.abs(diagonal)
        if np.all(np.real(diagonal) + off <= 1e-12 * float(np.abs(diagonal).max(initial=0.0))):
            return True
    return False


def _factors(a: sp.csr_matrix, shift: complex) -> Any:
    size = a.shape[0]
    if size > LARGEST_FACTORS:
        return None
    real = np.isrealobj(a.data) and shift.imag == 0.0
    moved = sp.csc_matrix(a - (shift.real if real else shift) * sp.identity(size))
    try:
        return splu(moved)
    except (RuntimeError, MemoryError):
        return None


def _near(
    a: sp.csr_matrix, factors: Any, shift: complex, side: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenpairs nearest to the shift by Arnoldi on (A - s)^-1, or of the adjoint."""
    dtype = factors.L.dtype
    way = ("N", "H")[side] if dtype.kind == "c" else ("N", "T")[side]
    inverse = LinearOperator(a.shape, matvec=lambda x: factors.solve(np.asarray(x, dtype).ravel(), way), dtype=dtype)
    start = rng.standard_normal(a.shape[0])
    mu, vectors = eigs(inverse, k=count, v0=start.astype(dtype), ncv=min(a.shape[0], 3 * count + 20), tol=ARNOLDI)
    return (shift if side == 0 else np.conj(shift)) + 1.0 / mu, vectors


def _by_products(
    a: sp.csr_matrix, order: Order, side: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    own = a if side == 0 else sp.csr_matrix(a.conj().T)
    start = rng.standard_normal(a.shape[0]).astype(a.dtype)
    ncv = min(a.shape[0], 4 * count + 60)
    return eigs(own, k=count, which=order.which, v0=start, ncv=ncv, tol=ARNOLDI, maxiter=RESTARTS)


def _nothing_beyond(
    a: sp.csr_matrix, order: Order, w: np.ndarray, shift: complex, n: int, rng: np.random.Generator
) -> bool:
    """Whether rough Arnoldi steps see nothing wanted outside the disc about the shift in which all were found."""
    radius = 1.05 * float(np.abs(w - shift).max())
    last = order.keys(w[order.sorted(w)])[min(n, len(w)) - 1]
    start = rng.standard_normal(a.shape[0]).astype(a.dtype)
    steps = min(a.shape[0] - 2, 120)
    try:
        rough = eigs(a, k=4, which=order.which, v0=start, ncv=steps, tol=1e-2, maxiter=5, return_eigenvectors=False)
    except ArpackError as error:
        rough = getattr(error, "eigenvalues", np.zeros(0))
    return not np.any((order.keys(rough) < last) & (np.abs(rough - shift) > radius))


def _paired(a: sp.csr_matrix, right: np.ndarray, left: np.ndarray, n: int, order: Order) -> Found | None:
    """Two-sided Rayleigh-Ritz: the pencil (L^H A R, L^H R) in orthonormal bases of both spans."""
    v, u = _basis(right), _basis(left)
    m = min(v.shape[1], u.shape[1])
    x, s, yh = np.linalg.svd(u.conj().T @ v)
    keep = int(np.sum(s[:m] > 1e-10))
    if keep < n:
        return None
    v, u = v @ yh[:keep].conj().T, u @ x[:, :keep]
    scale = 1.0 / s[:keep]
    small = scale[:, None] * (u.conj().T @ (a @ v))
    w, lows, highs = sl.eig(small, left=True, right=True)
    first = order.sorted(w)[: n + SPARE]
    r = v @ highs[:, first]
    l = u @ (scale[:, None] * lows[:, first])
    r, l = r / np.linalg.norm(r, axis=0), l / np.linalg.norm(l, axis=0)
    residuals = np.linalg.norm(a @ r - r * w[first], axis=0)
    order_of_size = float(abs(a).sum(axis=1).max())
    good = residuals <= 1e-6 * order_of_size
    if np.count_nonzero(good[:n]) < n:
        return None
    return Found(w[first][good], r[:, good], l[:, good], 2)


def _basis(vectors: np.ndarray) -> np.ndarray:
    u, s, _ = np.linalg.svd(vectors / np.linalg.norm(vectors, axis=0), full_matrices=False)
    return u[:, s > 1e-9 * s[0]]
