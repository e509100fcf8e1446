"""Compiled exponential of the local operator of a train on a core: exp(s K) x by Lanczos or Arnoldi.

K is the operator of solvers.kernels.linear (environments, nonzero entries); for a Hermitian K the small matrix is real
and tridiagonal, V^H K V = T, and exp(s K) x is close to |x| V exp(s T) e_1. What it misses is

    |x| h_(m+1,m) integral_0^1 s exp(u s K) v_(m+1) [exp((1-u) s T)]_(m,1) du ,

which is estimated by its first term |x| h |s phi_1(s T)_(m,1)|: Saad, SIAM J. Numer. Anal. 29, 209 (1992), section 5.
The space grows until the estimate meets the tolerance; at its limit the step is halved until it does, and the rest
follows from there. Vectors are orthogonalised against all others once more, so that norms are kept to rounding errors.
Plain loops stand for expressions of arrays here and in other kernels: those take seconds to compile.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel
from solvers.kernels.linear import apply

FIRST = 2  # vectors of a space whose error is looked at
SMALLEST_SHARE = 1e-6  # of a step: below, the local problem cannot be solved to the tolerance
ROUNDING = 1e-15  # of the norm: no tolerance is below, since no step however short would meet it


@kernel
def small_exponential(matrix: np.ndarray) -> np.ndarray:
    """exp of a small matrix by scaling, Taylor and squaring."""
    n = matrix.shape[0]
    size = 0.0
    for i in range(n):
        row = 0.0
        for j in range(n):
            row += np.abs(matrix[i, j])
        size = max(size, row)
    halvings = 0
    while size > 0.5:
        size *= 0.5
        halvings += 1
    scaled, out, term, product = matrix.copy(), np.zeros_like(matrix), np.zeros_like(matrix), np.zeros_like(matrix)
    for i in range(n):
        out[i, i] = term[i, i] = 1.0
        for j in range(n):
            scaled[i, j] /= 2.0**halvings
    for k in range(1, 16 + halvings):
        factor = scaled if k < 16 else out
        np.dot(term if k < 16 else out, factor, product)
        for i in range(n):
            for j in range(n):
                if k < 16:
                    term[i, j] = product[i, j] / k
                    out[i, j] += term[i, j]
                else:
                    out[i, j] = product[i, j]
    return out


@kernel
def hermitian_weights(diagonal: np.ndarray, beside: np.ndarray, scale: complex, weights: np.ndarray) -> float:
    """First column of exp(scale T), T real and tridiagonal -> ``weights``; returns |(scale phi_1(scale T))_(m,1)|."""
    m = diagonal.shape[0]
    t = np.zeros((m, m))
    for i in range(m):
        t[i, i] = diagonal[i]
        if i + 1 < m:
            t[i, i + 1] = t[i + 1, i] = beside[i]
    values, vectors = np.linalg.eigh(t)
    for i in range(m):
        weights[i] = 0.0
    missed = 0.0 * scale
    for k in range(m):
        z = scale * values[k]
        e = np.exp(z)
        phi = (e - 1.0) / z if np.abs(z) > 1e-4 else 1.0 + 0.5 * z + z * z / 6.0
        first = vectors[0, k]
        for i in range(m):
            weights[i] += vectors[i, k] * e * first
        missed += vectors[m - 1, k] * phi * scale * first
    return np.abs(missed)


@kernel
def general_weights(h: np.ndarray, m: int, scale: complex, weights: np.ndarray) -> float:
    """The same for the Hessenberg matrix h[:m, :m], by the exponential of an augmented matrix."""
    big = np.zeros((m + 1, m + 1), dtype=h.dtype)
    for i in range(m):
        for j in range(m):
            big[i, j] = scale * h[i, j]
    big[0, m] = scale
    e = small_exponential(big)
    for i in range(m):
        weights[i] = e[i, 0]
    return np.abs(e[m - 1, m])


@kernel
def inner(v: np.ndarray, i: int, j: int) -> complex:
    """The inner product <v_i, v_j> of two rows."""
    s = 0.0 * v[0, 0]
    for k in range(v.shape[1]):
        s += np.conj(v[i, k]) * v[j, k]
    return s


@kernel
def exponential(
    left: np.ndarray,
    entries: np.ndarray,
    values: np.ndarray,
    right: np.ndarray,
    x: np.ndarray,
    scale: complex,
    shift: complex,
    tol: float,
    hermitian: bool,
    dimension: int,
    dims: tuple[int, ...],
) -> tuple[np.ndarray, int, float]:
    """exp(scale (K - shift)) x for a flat core ``x`` (of the dtype of all arrays, ``scale`` and ``shift`` too).

    ``tol``: 2-norm allowed for the error, absolute; ``dimension``: largest space. Returns (y, products, error
    estimate); where no step was small enough, y is of an earlier time and the error at least the norm of x.
    """
    ra2, p, _, n2, n, p2, rb, _ = dims
    size = x.shape[0]
    dimension = min(dimension, size)
    t = np.empty((ra2 * p, n * rb), dtype=x.dtype)
    g = np.empty(ra2 * n2 * p2 * rb, dtype=x.dtype)
    v = np.empty((dimension + 1, size), dtype=x.dtype)
    h = np.zeros((dimension + 1, dimension + 1), dtype=x.dtype)
    diagonal, beside = np.zeros(dimension), np.zeros(dimension)
    weights = np.zeros(dimension + 1, dtype=x.dtype)
    y = x.copy()
    products, error, done = 0, 0.0, 0.0
    while done < 1.0:
        for i in range(size):
            v[0, i] = y[i]
        norm = np.sqrt(inner(v, 0, 0).real)
        if norm == 0.0:
            break
        for i in range(size):
            v[0, i] /= norm
        least = ROUNDING * norm
        m = 0
        share = 1.0 - done
        missed = np.inf
        accepted = False
        while m < dimension and not accepted:
            apply(left, entries, values, right, v[m], v[m + 1], dims, t, g)
            products += 1
            for i in range(size):
                v[m + 1, i] -= shift * v[m, i]
            start = m - 1 if hermitian and m > 0 else 0
            for j in range(start, m + 1):
                s = inner(v, j, m + 1)
                h[j, m] = s
                for i in range(size):
                    v[m + 1, i] -= s * v[j, i]
            for j in range(m + 1):
                s = inner(v, j, m + 1)
                if not hermitian:
                    h[j, m] += s
                for i in range(size):
                    v[m + 1, i] -= s * v[j, i]
            length = np.sqrt(inner(v, m + 1, m + 1).real)
            h[m + 1, m] = length
            diagonal[m] = h[m, m].real
            beside[m] = length
            reach = np.abs(diagonal[m]) + length
            if length <= 1e-14 * reach or length < 1e-290:
                accepted = True
                missed = 0.0
                length = 0.0
            else:
                for i in range(size):
                    v[m + 1, i] /= length
            m += 1
            if accepted or m >= FIRST or m == dimension:
                if hermitian:
                    missed = hermitian_weights(diagonal[:m], beside[:m], share * scale, weights)
                else:
                    missed = general_weights(h, m, share * scale, weights)
                missed *= norm * length
                if missed <= max(tol * share, least):
                    accepted = True
        while not accepted and share > SMALLEST_SHARE:
            share *= 0.5
            if hermitian:
                missed = hermitian_weights(diagonal[:m], beside[:m], share * scale, weights)
            else:
                missed = general_weights(h, m, share * scale, weights)
            missed *= norm * length
            accepted = missed <= max(tol * share, least)
        error += missed
        for i in range(size):
            y[i] = 0.0
        for k in range(m):
            factor = norm * weights[k]
            for i in range(size):
                y[i] += factor * v[k, i]
        if not accepted:
            error += norm
            break
        done = 1.0 if share >= 1.0 - done else done + share
    return y, products, error
