"""Compiled conjugate gradients, MINRES and GMRES on the local operator of a train.

The operator and its preconditioner are those of solvers.kernels.linear. Saad, Iterative Methods for Sparse Linear
Systems (SIAM 2003), algorithms 9.1 and 9.5; Paige, Saunders, SIAM J. Numer. Anal. 12, 617 (1975). Cost one product a
step, and in GMRES the orthogonalisation against all steps before.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel
from solvers.kernels.linear import apply, precondition


@kernel
def conjugate_gradients(
    left: np.ndarray,
    entries: np.ndarray,
    values: np.ndarray,
    right: np.ndarray,
    r: np.ndarray,
    x: np.ndarray,
    dims: tuple[int, ...],
    side: int,
    basis: np.ndarray,
    adjoint: np.ndarray,
    inverse: np.ndarray,
    goal: float,
    steps: int,
) -> tuple[int, float, bool]:
    """Preconditioned CG for A x = r, A a Hermitian positive definite local operator, from x = 0.

    ``x`` takes the solution, ``r`` the residual; stops when ||r|| <= goal. Returns (products, ||r||, whether p A p
    stayed positive). Hestenes and Stiefel, J. Res. Natl. Bur. Stand. 49, 409 (1952).
    """
    ra2, p, ra, n2, n, p2, rb, _ = dims
    shape = (ra, n, rb)
    t = np.empty((ra2 * p, n * rb), dtype=x.dtype)
    h = np.empty(ra2 * n2 * p2 * rb, dtype=x.dtype)
    y, z, w = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    products = 0
    norm = np.sqrt(np.vdot(r, r).real)
    if norm <= goal:
        return products, norm, True
    precondition(side, basis, adjoint, inverse, r, z, w, shape)
    q = z.copy()
    rz = np.vdot(r, z).real
    for _ in range(steps):
        apply(left, entries, values, right, q, y, dims, t, h)
        products += 1
        curvature = np.vdot(q, y).real
        if not (curvature > 0.0 and rz > 0.0):
            return products, norm, False
        alpha = rz / curvature
        for i in range(x.shape[0]):
            x[i] += alpha * q[i]
            r[i] -= alpha * y[i]
        norm = np.sqrt(np.vdot(r, r).real)
        if norm <= goal:
            break
        precondition(side, basis, adjoint, inverse, r, z, w, shape)
        new = np.vdot(r, z).real
        beta = new / rz
        rz = new
        for i in range(x.shape[0]):
            q[i] = z[i] + beta * q[i]
    return products, norm, True


@kernel
def minres(
    left: np.ndarray,
    entries: np.ndarray,
    values: np.ndarray,
    right: np.ndarray,
    r: np.ndarray,
    x: np.ndarray,
    dims: tuple[int, ...],
    side: int,
    basis: np.ndarray,
    adjoint: np.ndarray,
    inverse: np.ndarray,
    goal: float,
    steps: int,
) -> tuple[int, float]:
    """Preconditioned MINRES for A x = r, A a Hermitian local operator, definite or not, from the x and r given.

    ``inverse`` positive. ``x`` takes the solution, ``r`` the residual, carried along with A times the directions; stops
    when ||r|| <= goal. Returns (products, ||r||). Paige and Saunders, SIAM J. Numer. Anal. 12, 617 (1975).
    """
    ra2, p, ra, n2, n, p2, rb, _ = dims
    shape = (ra, n, rb)
    size = x.shape[0]
    t = np.empty((ra2 * p, n * rb), dtype=x.dtype)
    h = np.empty(ra2 * n2 * p2 * rb, dtype=x.dtype)
    y, z, work = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    v, image = np.empty_like(x), np.empty_like(x)
    w1, w2, aw1, aw2 = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)  # directions, A on them
    older, old = np.zeros_like(x), r.copy()
    products = 0
    norm = np.sqrt(np.vdot(r, r).real)
    if norm <= goal:
        return products, norm
    precondition(side, basis, adjoint, inverse, old, z, work, shape)
    first = np.sqrt(max(np.vdot(old, z).real, 0.0))
    beta, before = first, 1.0
    delta, epsilon, cs, sn, phi = 0.0, 0.0, -1.0, 0.0, first
    while products < steps and beta > 1e-14 * first:
        for i in range(size):
            v[i] = z[i] / beta
        apply(left, entries, values, right, v, image, dims, t, h)
        products += 1
        alpha = np.vdot(v, image).real
        # 1. the next Lanczos vector
        for i in range(size):
            y[i] = image[i] - (alpha / beta) * old[i] - (beta / before) * older[i]
            older[i] = old[i]
            old[i] = y[i]
        precondition(side, basis, adjoint, inverse, old, z, work, shape)
        before = beta
        beta = np.sqrt(max(np.vdot(old, z).real, 0.0))
        # 2. one more rotation of the tridiagonal matrix
        past = epsilon
        above = cs * delta + sn * alpha
        bar = sn * delta - cs * alpha
        epsilon = sn * beta
        delta = -cs * beta
        gamma = np.sqrt(bar * bar + beta * beta)
        if gamma == 0.0:
            break
        cs = bar / gamma
        sn = beta / gamma
        step = cs * phi
        phi = sn * phi
        # 3. the direction, and A times it
        for i in range(size):
            w = (v[i] - past * w1[i] - above * w2[i]) / gamma
            w1[i] = w2[i]
            w2[i] = w
            aw = (image[i] - past * aw1[i] - above * aw2[i]) / gamma
            aw1[i] = aw2[i]
            aw2[i] = aw
            x[i] += step * w
            r[i] -= step * aw
        norm = np.sqrt(np.vdot(r, r).real)
        if norm <= goal:
            break
    return products, norm


@kernel
def gmres(
    left: np.ndarray,
    entries: np.ndarray,
    values: np.ndarray,
    right: np.ndarray,
    r: np.ndarray,
    x: np.ndarray,
    dims: tuple[int, ...],
    side: int,
    basis: np.ndarray,
    adjoint: np.ndarray,
    inverse: np.ndarray,
    goal: float,
    steps: int,
    restart: int,
) -> tuple[int, float]:
    """Right-preconditioned restarted GMRES for A x = r, A any local operator, beginning with the x and r given.

    ``x`` takes the solution, ``r`` the residual; stops when ||r|| <= goal. Returns (products, ||r||).
    Saad and Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986).
    """
    ra2, p, ra, n2, n, p2, rb, _ = dims
    shape = (ra, n, rb)
    size = x.shape[0]
    t = np.empty((ra2 * p, n * rb), dtype=x.dtype)
    h = np.empty(ra2 * n2 * p2 * rb, dtype=x.dtype)
    y, z, w, total_step = np.empty_like(x), np.empty_like(x), np.empty_like(x), np.empty_like(x)
    v = np.empty((restart + 1, size), dtype=x.dtype)
    m = np.zeros((restart + 1, restart), dtype=x.dtype)
    g = np.zeros(restart + 1, dtype=x.dtype)
    cs = np.zeros(restart)
    sn = np.zeros(restart, dtype=x.dtype)
    products = 0
    before = np.inf
    while True:
        norm = np.sqrt(np.vdot(r, r).real)
        if norm <= goal or products >= steps or not norm < 0.999 * before:
            return products, norm
        before = norm
        for i in range(size):
            v[0, i] = r[i] / norm
        for i in range(restart + 1):
            g[i] = 0.0
        g[0] = norm
        used = 0
        for k in range(restart):
            precondition(side, basis, adjoint, inverse, v[k], z, w, shape)
            apply(left, entries, values, right, z, y, dims, t, h)
            products += 1
            for turn in range(2):  # orthogonalised twice: the basis stays orthonormal to rounding errors
                for j in range(k + 1):
                    s = np.vdot(v[j], y)
                    if turn == 0:
                        m[j, k] = s
                    else:
                        m[j, k] += s
                    for i in range(size):
                        y[i] -= s * v[j, i]
            length = np.sqrt(np.vdot(y, y).real)
            for j in range(k):
                first, second = m[j, k], m[j + 1, k]
                m[j, k] = cs[j] * first + sn[j] * second
                m[j + 1, k] = cs[j] * second - np.conj(sn[j]) * first
            first = m[k, k]
            total = np.sqrt(np.abs(first) ** 2 + length**2)
            used = k + 1
            if total == 0.0:
                used = k
                break
            if np.abs(first) > 0.0:
                cs[k] = np.abs(first) / total
                sn[k] = first / np.abs(first) * length / total
                m[k, k] = first / np.abs(first) * total
            else:
                cs[k] = 0.0
                sn[k] = 1.0
                m[k, k] = total
            g[k + 1] = -np.conj(sn[k]) * g[k]
            g[k] = cs[k] * g[k]
            if np.abs(g[k + 1]) <= goal or length <= 1e-14 * total or products >= steps:
                break
            for i in range(size):
                v[k + 1, i] = y[i] / length
            m[k + 1, k] = 0.0
        for k in range(used - 1, -1, -1):
            s = g[k]
            for j in range(k + 1, used):
                s -= m[k, j] * g[j]
            g[k] = s / m[k, k]
        for i in range(size):
            total_step[i] = 0.0
        for k in range(used):
            for i in range(size):
                total_step[i] += g[k] * v[k, i]
        precondition(side, basis, adjoint, inverse, total_step, z, w, shape)
        apply(left, entries, values, right, z, y, dims, t, h)
        products += 1
        for i in range(size):
            x[i] += z[i]
            r[i] -= y[i]
