"""Compiled kernels of the local operator of a train and of its preconditioner (iterations: solvers.kernels.iterations).

    y[a',m',b'] = sum_(alpha,a,m,beta,b) L[a',alpha,a] A[alpha,m',m,beta] x[a,m,b] R[beta,b,b']

L, R are the environments, A the operator core, given by its nonzero entries: rows (alpha, m', m, beta) of ``entries``
and ``values``. L x and the product with R are BLAS; between them runs over the nonzeros, each adding a row of length
r. Cost 4 R r^3 n + 2 nnz r^2 with R the operator rank, r the rank, n the mode size. Arrays are of one type, float64
or complex128: ``left`` (a' alpha, a), ``right`` (beta b, b'), ``dims`` (a', R, a, n', n, R', b, b').

The preconditioner is diagonal in a basis of products: z = (1 x V) D (1 x V^H) r, where V acts on the mode alone
(``side`` 0), on the mode and the right bond together (1) or on the left bond and the mode (2); D, of the size of x,
has the inverse diagonal (solvers.sweeping.preconditioner).
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel

SMALL_MODE = 6  # up to here plain loops beat calls of BLAS


@kernel
def half_apply(
    left: np.ndarray,
    entries: np.ndarray,
    values: np.ndarray,
    x: np.ndarray,
    dims: tuple[int, ...],
    t: np.ndarray,
    h: np.ndarray,
) -> None:
    """h[a',m',beta,b] from x (a, m b): everything but the product with the right environment. t: (a' alpha, n b)."""
    _, p, ra, n2, n, p2, rb, _ = dims
    np.dot(left, x.reshape((ra, n * rb)), t)
    h[:] = 0.0
    source = t.reshape(-1)
    # unsigned, so that no index counts from the end: only then do the inner loops become vector instructions
    step_h, step_t, rows, width = np.uint64(n2 * p2 * rb), np.uint64(p * n * rb), np.uint64(dims[0]), np.uint64(rb)
    last = values.shape[0] - 3
    e = 0
    while e < values.shape[0]:
        i, beta = entries[e, 1], entries[e, 3]
        to = np.uint64((i * p2 + beta) * rb)
        from0, v0 = np.uint64((entries[e, 0] * n + entries[e, 2]) * rb), values[e]
        if e < last and (
            entries[e + 1, 1] == i
            and entries[e + 2, 1] == i
            and entries[e + 3, 1] == i
            and entries[e + 1, 3] == beta
            and entries[e + 2, 3] == beta
            and entries[e + 3, 3] == beta
        ):
            from1, v1 = np.uint64((entries[e + 1, 0] * n + entries[e + 1, 2]) * rb), values[e + 1]
            from2, v2 = np.uint64((entries[e + 2, 0] * n + entries[e + 2, 2]) * rb), values[e + 2]
            from3, v3 = np.uint64((entries[e + 3, 0] * n + entries[e + 3, 2]) * rb), values[e + 3]
            for a in range(rows):
                k, k0, k1 = a * step_h + to, a * step_t + from0, a * step_t + from1
                k2, k3 = a * step_t + from2, a * step_t + from3
                for b in range(width):
                    h[k + b] += v0 * source[k0 + b] + v1 * source[k1 + b] + v2 * source[k2 + b] + v3 * source[k3 + b]
            e += 4
        else:
            for a in range(rows):
                k, k0 = a * step_h + to, a * step_t + from0
                for b in range(width):
                    h[k + b] += v0 * source[k0 + b]
            e += 1


@kernel
def apply(
    left: np.ndarray,
    entries: np.ndarray,
    values: np.ndarray,
    right: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    dims: tuple[int, ...],
    t: np.ndarray,
    h: np.ndarray,
) -> None:
    """y = (local operator) x for flat x, y."""
    ra2, _, _, n2, _, p2, rb, rb2 = dims
    half_apply(left, entries, values, x, dims, t, h)
    np.dot(h.reshape((ra2 * n2, p2 * rb)), right, y.reshape((ra2 * n2, rb2)))


@kernel
def rotate_mode(basis: np.ndarray, x: np.ndarray, y: np.ndarray, shape: tuple[int, ...]) -> None:
    """y[a,i,b] = sum_j basis[i,j] x[a,j,b]; by BLAS only where the mode is large enough to pay for the calls."""
    ra, n, rb = shape
    if n > SMALL_MODE:
        for a in range(ra):
            np.dot(
                basis,
                x[a * n * rb : (a + 1) * n * rb].reshape((n, rb)),
                y[a * n * rb : (a + 1) * n * rb].reshape((n, rb)),
            )
        return
    for a in range(ra):
        for i in range(n):
            start = (a * n + i) * rb
            target = y[start : start + rb]
            target[:] = 0.0
            for j in range(n):
                start = (a * n + j) * rb
                source, value = x[start : start + rb], basis[i, j]
                for b in range(rb):
                    target[b] += value * source[b]


@kernel
def precondition(
    side: int,
    basis: np.ndarray,
    adjoint: np.ndarray,
    inverse: np.ndarray,
    r: np.ndarray,
    z: np.ndarray,
    w: np.ndarray,
    shape: tuple[int, ...],
) -> None:
    """z = (1 x V) D (1 x V^H) r; ``basis`` is V, or its transpose where V acts from the right (side 1)."""
    ra, n, rb = shape
    if side == 0:
        rotate_mode(adjoint, r, w, shape)
    elif side == 1:
        np.dot(r.reshape((ra, n * rb)), adjoint, w.reshape((ra, n * rb)))
    else:
        np.dot(adjoint, r.reshape((ra * n, rb)), w.reshape((ra * n, rb)))
    for i in range(w.shape[0]):
        w[i] *= inverse[i]
    if side == 0:
        rotate_mode(basis, w, z, shape)
    elif side == 1:
        np.dot(w.reshape((ra, n * rb)), basis, z.reshape((ra, n * rb)))
    else:
        np.dot(basis, w.reshape((ra * n, rb)), z.reshape((ra * n, rb)))
