"""Compiled kernels of the local operator in block-sparse form, and MINRES on it.

    y[a',m',b'] = sum_p sum_{alpha'} (sum_alpha C^p[alpha,alpha'] A[alpha,a',a]) Q_p[m',m] x[a,m,b] B[alpha',b',b]

A, B are the environments on either side (A the one whose combinations with C^p are few), Q_p the one-mode matrices
of the operator core, C^p its coefficients. The sum over alpha inside the bracket is formed once a site; what is left
are matrix products: Q_p x (small), then [bracket] x (BLAS, rows (alpha', a')), scattered into the array
S[(a',m'), (b,alpha',b)], and S B (BLAS). Cost O(R r^3 n) with R the operator rank, r the rank, n the mode size;
a quarter of it with one parity. The tables are plans of solvers.sectors.operator.
"""

from __future__ import annotations

import numpy as np

from solvers.kernels.compiled import kernel

# columns of the product table
X, RA, N, RB, Q, N2, COMB, ROWS, RA2, S, K, COL, INDEX, FRESH = range(14)
TABLE_COLUMNS = 14


@kernel
def half_apply(
    x: np.ndarray,
    table: np.ndarray,
    index: np.ndarray,
    matrices: np.ndarray,
    combined: np.ndarray,
    s: np.ndarray,
    xp: np.ndarray,
    tmp: np.ndarray,
) -> None:
    """Fill S from the flat block-sparse core ``x``: everything but the product with the far environment."""
    s[:] = 0.0
    for t in range(table.shape[0]):
        ra, n, rb, n2 = table[t, RA], table[t, N], table[t, RB], table[t, N2]
        q, o = table[t, Q], table[t, X]
        if q < 0:
            source = x[o : o + ra * n * rb].reshape((ra, n * rb))
        else:
            if table[t, FRESH] == 1:
                for a in range(ra):
                    base = o + a * n * rb
                    for i in range(n2):
                        out = (a * n2 + i) * rb
                        xp[out : out + rb] = 0.0
                        for j in range(n):
                            value = matrices[q + i * n + j]
                            if value != 0.0:
                                inp = base + j * rb
                                for b in range(rb):
                                    xp[out + b] += value * x[inp + b]
            source = xp[: ra * n2 * rb].reshape((ra, n2 * rb))
        rows, ra2 = table[t, ROWS], table[t, RA2]
        m = rows * ra2
        c = table[t, COMB]
        left = combined[c : c + m * ra].reshape((m, ra))
        product = tmp[: m * n2 * rb].reshape((m, n2 * rb))
        np.dot(left, source, product)
        base, width, first, position = table[t, S], table[t, K], table[t, COL], table[t, INDEX]
        for i in range(rows):
            column = first + index[position + i] * rb
            for a in range(ra2):
                row = i * ra2 + a
                for j in range(n2):
                    out = base + (a * n2 + j) * width + column
                    inp = j * rb
                    for b in range(rb):
                        s[out + b] += product[row, inp + b]


@kernel
def apply(
    x: np.ndarray,
    y: np.ndarray,
    table: np.ndarray,
    index: np.ndarray,
    matrices: np.ndarray,
    combined: np.ndarray,
    outputs: np.ndarray,
    far: np.ndarray,
    s: np.ndarray,
    xp: np.ndarray,
    tmp: np.ndarray,
) -> None:
    """y = (local operator) x on flat block-sparse cores; ``outputs``: rows (S, rows, K, far, r_b', y)."""
    half_apply(x, table, index, matrices, combined, s, xp, tmp)
    for t in range(outputs.shape[0]):
        so, m, k, fo, n, yo = outputs[t]
        left = s[so : so + m * k].reshape((m, k))
        right = far[fo : fo + k * n].reshape((k, n))
        out = y[yo : yo + m * n].reshape((m, n))
        np.dot(left, right, out)


@kernel
def model_matrix(
    selected: np.ndarray,
    table: np.ndarray,
    index: np.ndarray,
    matrices: np.ndarray,
    combined: np.ndarray,
    outputs: np.ndarray,
    far: np.ndarray,
) -> np.ndarray:
    """The dense block of the local operator between the selected flat indices (ascending), (m, m)."""
    m = selected.shape[0]
    out = np.zeros((m, m))
    for t in range(table.shape[0]):
        ra, n, rb, n2, ra2 = table[t, RA], table[t, N], table[t, RB], table[t, N2], table[t, RA2]
        for o in range(outputs.shape[0]):
            if outputs[o, 0] == table[t, S]:
                break
        rb2, far_at, y_at = outputs[o, 4], outputs[o, 3], outputs[o, 5]
        first = np.searchsorted(selected, table[t, X])
        last = np.searchsorted(selected, table[t, X] + ra * n * rb)
        first2 = np.searchsorted(selected, y_at)
        last2 = np.searchsorted(selected, y_at + ra2 * n2 * rb2)
        q = table[t, Q]
        for j in range(first, last):
            local = selected[j] - table[t, X]
            a, i, b = local // (n * rb), (local // rb) % n, local % rb
            for k in range(first2, last2):
                local = selected[k] - y_at
                a2, i2, b2 = local // (n2 * rb2), (local // rb2) % n2, local % rb2
                if q < 0:
                    if i != i2:
                        continue
                    factor = 1.0
                else:
                    factor = matrices[q + i2 * n + i]
                    if factor == 0.0:
                        continue
                total = 0.0
                for row in range(table[t, ROWS]):
                    column = table[t, COL] + index[table[t, INDEX] + row] * rb + b
                    total += combined[table[t, COMB] + (row * ra2 + a2) * ra + a] * far[far_at + column * rb2 + b2]
                out[k, j] += factor * total
    return out


@kernel
def precondition(
    r: np.ndarray,
    z: np.ndarray,
    inverse_diagonal: np.ndarray,
    selected: np.ndarray,
    inverse_block: np.ndarray,
    part: np.ndarray,
) -> None:
    """z = M r: diagonal outside the selected indices, the dense block inside."""
    for i in range(r.shape[0]):
        z[i] = inverse_diagonal[i] * r[i]
    for i in range(selected.shape[0]):
        part[i] = r[selected[i]]
    for i in range(selected.shape[0]):
        total = 0.0
        for j in range(selected.shape[0]):
            total += inverse_block[i, j] * part[j]
        z[selected[i]] = total


@kernel
def minres(
    b: np.ndarray,
    x: np.ndarray,
    shift: float,
    inverse_diagonal: np.ndarray,
    selected: np.ndarray,
    inverse_block: np.ndarray,
    steps: int,
    tol: float,
    table: np.ndarray,
    index: np.ndarray,
    matrices: np.ndarray,
    combined: np.ndarray,
    outputs: np.ndarray,
    far: np.ndarray,
    s: np.ndarray,
    xp: np.ndarray,
    tmp: np.ndarray,
) -> int:
    """Preconditioned MINRES for (A - shift) x = b from x, A the local operator; x is overwritten.

    The preconditioner is positive: ``inverse_diagonal``, and ``inverse_block`` on the selected indices. Stops after
    ``steps`` or when the preconditioned residual has fallen by ``tol`` relative to that of the right-hand side. Paige
    and Saunders, SIAM J. Numer. Anal. 12, 617 (1975). Returns the number of operator products.
    """
    size = b.size
    y = np.empty(size)
    apply(x, y, table, index, matrices, combined, outputs, far, s, xp, tmp)
    r1 = np.empty(size)
    for i in range(size):
        r1[i] = b[i] - y[i] + shift * x[i]
    z = np.empty(size)
    part = np.empty(selected.shape[0])
    precondition(b, z, inverse_diagonal, selected, inverse_block, part)
    goal = tol * np.sqrt(np.dot(b, z))
    precondition(r1, z, inverse_diagonal, selected, inverse_block, part)
    beta1 = np.dot(r1, z)
    if not beta1 > 0.0:
        return 1
    beta1 = np.sqrt(beta1)
    r2 = r1.copy()
    oldb, beta, dbar, epsln, phibar, cs, sn = 0.0, beta1, 0.0, 0.0, beta1, -1.0, 0.0
    w, w2 = np.zeros(size), np.zeros(size)
    v = np.empty(size)
    products = 1
    for step in range(steps):
        if phibar <= goal:
            break
        for i in range(size):
            v[i] = z[i] / beta
        apply(v, y, table, index, matrices, combined, outputs, far, s, xp, tmp)
        products += 1
        for i in range(size):
            y[i] -= shift * v[i]
        if step > 0:
            ratio = beta / oldb
            for i in range(size):
                y[i] -= ratio * r1[i]
        alfa = np.dot(v, y)
        ratio = alfa / beta
        for i in range(size):
            y[i] -= ratio * r2[i]
        for i in range(size):
            r1[i] = r2[i]
            r2[i] = y[i]
        precondition(r2, z, inverse_diagonal, selected, inverse_block, part)
        oldb = beta
        beta = np.dot(r2, z)
        beta = np.sqrt(beta) if beta > 0.0 else 0.0
        oldeps = epsln
        delta = cs * dbar + sn * alfa
        gbar = sn * dbar - cs * alfa
        epsln = sn * beta
        dbar = -cs * beta
        gamma = np.sqrt(gbar * gbar + beta * beta)
        if gamma < 1e-300:
            break
        cs = gbar / gamma
        sn = beta / gamma
        phi = cs * phibar
        phibar = sn * phibar
        for i in range(size):
            wi = (v[i] - oldeps * w[i] - delta * w2[i]) / gamma
            w[i] = w2[i]
            w2[i] = wi
            x[i] += phi * wi
        if beta <= 1e-14 * beta1:
            break
    return products
