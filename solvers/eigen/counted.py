"""The lowest eigenpairs of a dense Hermitian matrix, proved complete by a count.

1. Few of many: Lanczos from one random start, with some levels to spare.
2. A shift in the widest gap at or above the last level wanted: by Sylvester's law of inertia, H - shift = L D L* has as
   many negative eigenvalues in D as H has levels below the shift. A count that agrees proves that none is missing (a
   random start cannot see a level twice).
3. Where the count differs, or no gap is wide enough to count in, all of the matrix is diagonalised.

Sylvester's law: Parlett, The Symmetric Eigenvalue Problem (SIAM 1998), sec. 3.3; the factorisation: Bunch and Kaufman,
Math. Comp. 31, 163 (1977). Cost N^3/3 in blocked products, a fifth of LAPACK's reduction to a tridiagonal matrix.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError, eigh, get_lapack_funcs
from scipy.sparse.linalg import ArpackError, eigsh

FEWEST = 500  # rows, below which the whole diagonalisation costs no more than the count: measured
SPARE = 8  # levels beside those wanted, among which the gap is looked for
SPARSE = 0.2  # share of entries up to which products with a sparse copy are cheaper
GAP = 1e-9  # of the norm, at least, for a count to be trusted: the factorisation's backward error is some 1e-13 of it
LANCZOS = 1e-13
MOST_RESTARTS = 100


def lowest_of_dense(h: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` lowest eigenpairs, ascending: (values (count,), vectors (N, count)).

    Raises LinAlgError where LAPACK does not converge, which NaN among the elements can cause.
    """
    n = len(h)
    if n >= FEWEST and count + SPARE <= n // 16:
        found = _counted(h, count)
        if found is not None:
            return found
    if count < n // 4:
        try:
            values, vectors = eigh(h, subset_by_index=[0, count - 1], check_finite=False)
            if _good(h, values, vectors):
                return values, vectors
        except LinAlgError:
            pass
    values, vectors = eigh(h, driver="evd", check_finite=False)
    return values[:count], np.ascontiguousarray(vectors[:, :count])


def _good(h: np.ndarray, values: np.ndarray, vectors: np.ndarray) -> bool:
    scale = float(np.abs(h).max(initial=0.0)) or 1.0
    gram = vectors.conj().T @ vectors - np.eye(len(values))
    residual = np.abs(h @ vectors - vectors * values).max()
    return bool(np.abs(gram).max() < 1e-11 and residual < 1e-12 * scale * len(h))


def _counted(h: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Steps 1 and 2; None where the list is not proved."""
    n, more = len(h), count + SPARE
    own = sp.csr_matrix(h) if np.count_nonzero(h) < SPARSE * h.size else h
    start = np.random.default_rng(n).standard_normal(n).astype(h.dtype)
    try:
        values, vectors = eigsh(
            own, k=more, which="SA", v0=start, ncv=2 * more + 20, tol=LANCZOS, maxiter=MOST_RESTARTS
        )
    except ArpackError:  # no end within the restarts allowed among them
        return None
    order = np.argsort(values)
    values, vectors = values[order], vectors[:, order]
    gaps = np.diff(values)[count - 1 :]
    widest = count - 1 + int(np.argmax(gaps))
    if gaps.max() < GAP * float(np.abs(h).sum(axis=1).max()) or not _good(h, values, vectors):
        return None
    if levels_below(h, 0.5 * float(values[widest] + values[widest + 1])) != widest + 1:
        return None
    return values[:count], np.ascontiguousarray(vectors[:, :count])


def levels_below(h: np.ndarray, shift: float) -> int | None:
    """How many eigenvalues of a Hermitian matrix lie below the shift; None where it is one of them, or overflows."""
    n = len(h)
    shifted = np.array(h, order="F")
    shifted[np.diag_indices(n)] -= shift
    names = ("hetrf", "hetrf_lwork") if np.iscomplexobj(h) else ("sytrf", "sytrf_lwork")
    factorise, work = get_lapack_funcs(names, (shifted,))
    factors, pivots, info = factorise(shifted, lower=1, lwork=int(np.real(work(n, lower=1)[0])), overwrite_a=1)
    diagonal, beside = np.real(np.diagonal(factors)), np.diagonal(factors, -1)
    if info != 0 or not np.all(np.isfinite(diagonal)):
        return None
    single = pivots > 0
    count = int(np.sum(diagonal[single] < 0.0))
    for i in np.flatnonzero(~single)[::2]:  # blocks of two rows have two negative pivots
        pair = np.array([[diagonal[i], np.conj(beside[i])], [beside[i], diagonal[i + 1]]])
        count += int(np.sum(np.linalg.eigvalsh(pair) < 0.0))
    return count
