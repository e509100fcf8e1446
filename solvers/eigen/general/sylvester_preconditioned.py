"""(s - G) y = f for the operator G of one core between environments, by GMRES preconditioned with a Sylvester equation.

1. The sum X x 1 + 1 x Y, X on left bond and mode, Y on the right bond, that is nearest to G in the Frobenius norm has
   X = tr_right G / r', Y = tr_left G / (r n) - tr G / (r n r'): partial traces, which are small products of those of
   the environments. Where r n is large, X is a sum over left bond and mode in its turn.
2. (s - X) y - y Y^T = f is solved by Schur forms (Bartels, Stewart, Commun. ACM 15, 820 (1972)).
What X and Y leave out couples one bond. Nothing of this needs G to be near symmetric: its spectrum may fill the half
plane up to the imaginary axis, where iterations without such a preconditioner stall.
Nearest sum: Van Loan, Pitsianis, in Linear Algebra for Large Scale and Real-Time Applications (1993). Cost of the two
Schur forms 25 (r n)^3, of a step 2 r^2 n R (r + r') and that of the basis.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.linalg import schur
from scipy.linalg.lapack import get_lapack_funcs

from solvers.sweeping.local_operator import OperatorCore, half, project

STEPS = 60
LARGEST_SCHUR = 500  # size of a Schur form: a larger one costs more than the products that it spares
LEAST_SHIFT = 0.01  # of the norm of X: X and Y are generators themselves, zero is among the sums of their eigenvalues


def solved_by_gmres(
    left: np.ndarray, core: OperatorCore, right: np.ndarray, shift: float, f: np.ndarray, goal: float
) -> tuple[np.ndarray, float, int]:
    """y (a, n, b) with ||f - (s - G) y|| of at most ``goal`` ||f|| or after ``STEPS`` products: y, the share of f that
    is left, and the products."""
    rows = f.shape[:2]
    precondition = _sylvester(left, core, right, shift)

    def apply(y: np.ndarray) -> np.ndarray:
        return shift * y - project(half(left, core, y), right, rows)

    return _gmres(apply, precondition, f, goal)


def _sylvester(
    left: np.ndarray, core: OperatorCore, right: np.ndarray, shift: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Step 2 of the head: f (a, n, b) -> y."""
    a, n, b = left.shape[0], core.dims[1], right.shape[2]
    right_traces = np.einsum("qbb->q", right) / b
    left_traces = np.einsum("apa->p", left) / a
    mode = np.tensordot(core.dense, right_traces, (3, 0))  # p i j
    before = np.tensordot(left, mode, (1, 0)).transpose(0, 2, 1, 3)  # a' i a j
    mean = np.einsum("p,pii->", left_traces, mode) / n
    behind = np.tensordot(left_traces @ core.trace / n, right, (0, 0)).T - np.eye(b) * mean  # b' b
    size = max(float(np.linalg.norm(before)) / math.sqrt(a * n), float(np.linalg.norm(behind)) / math.sqrt(b))
    shift = max(shift, LEAST_SHIFT * size)
    if a * n <= LARGEST_SCHUR:
        return _two_terms(before.reshape(a * n, a * n), behind, shift, (a, n, b))
    bond = np.einsum("aici->ac", before) / n
    own = np.einsum("p,pij->ij", left_traces, mode) - np.eye(n) * mean
    return _three_terms(bond, own, behind, shift, (a, n, b))


def _two_terms(
    x: np.ndarray, y: np.ndarray, shift: float, shape: tuple[int, int, int]
) -> Callable[[np.ndarray], np.ndarray]:
    """(s - X) z - z Y^T = f with X on left bond and mode."""
    a, n, b = shape
    kind, turned = ("complex", "C") if x.dtype.kind == "c" else ("real", "T")
    t, u = schur(shift * np.eye(a * n) - x, output=kind, check_finite=False)
    v, w = schur(-y, output=kind, check_finite=False)
    (trsyl,) = get_lapack_funcs(("trsyl",), (t, v))
    v = np.asfortranarray(v.conj())

    def solve(f: np.ndarray) -> np.ndarray:
        z, scale, _ = trsyl(t, v, u.conj().T @ f.reshape(a * n, b) @ w.conj(), tranb=turned)
        return (u @ (z / scale) @ w.T).reshape(a, n, b)

    return solve


def _three_terms(
    x: np.ndarray, m: np.ndarray, y: np.ndarray, shift: float, shape: tuple[int, int, int]
) -> Callable[[np.ndarray], np.ndarray]:
    """(s - X x 1 x 1 - 1 x M x 1 - 1 x 1 x Y) z = f: the Schur form of M leaves an equation of two terms for each of
    its functions, the last first."""
    t, u = schur(shift * np.eye(shape[0]) - x, output="complex", check_finite=False)
    v, w = schur(-y, output="complex", check_finite=False)
    r, q = schur(m, output="complex", check_finite=False)
    (trsyl,) = get_lapack_funcs(("trsyl",), (t, v))
    v = np.asfortranarray(v.conj())
    real = x.dtype.kind != "c"

    def solve(f: np.ndarray) -> np.ndarray:
        inner = np.einsum("ca,cjd,ji,db->iab", u.conj(), f, q.conj(), w.conj(), optimize=True)
        for i in range(len(r) - 1, -1, -1):
            z, scale, _ = trsyl(t - r[i, i] * np.eye(len(t)), v, inner[i], tranb="C")
            inner[i] = z / scale
            inner[:i] += r[:i, i, None, None] * inner[i]
        found = np.einsum("ac,icd,ji,bd->ajb", u, inner, q, w, optimize=True)
        return np.ascontiguousarray(found.real) if real else found

    return solve


def _gmres(
    apply: Callable[[np.ndarray], np.ndarray],
    precondition: Callable[[np.ndarray], np.ndarray],
    f: np.ndarray,
    goal: float,
) -> tuple[np.ndarray, float, int]:
    """From zero, preconditioned from the right: the residual that falls is the true one."""
    size = float(np.linalg.norm(f))
    if not size > 0.0:
        return np.zeros_like(f), 0.0, 0
    basis = np.empty((STEPS + 1, f.size), dtype=f.dtype)
    basis[0] = f.ravel() / size
    directions = []
    hessenberg = np.zeros((STEPS + 1, STEPS), dtype=f.dtype)
    first = np.zeros(STEPS + 1, dtype=f.dtype)
    first[0] = size
    weights, left = np.zeros(0, dtype=f.dtype), 1.0
    for k in range(STEPS):
        z = precondition(basis[k].reshape(f.shape))
        if not np.isfinite(z).all():
            break
        directions.append(z.ravel())
        w = apply(z).ravel()
        for _ in range(2):
            overlaps = basis[: k + 1].conj() @ w
            w = w - overlaps @ basis[: k + 1]
            hessenberg[: k + 1, k] += overlaps
        norm = float(np.linalg.norm(w))
        hessenberg[k + 1, k] = norm
        weights, _, _, _ = np.linalg.lstsq(hessenberg[: k + 2, : k + 1], first[: k + 2], rcond=None)
        left = float(np.linalg.norm(first[: k + 2] - hessenberg[: k + 2, : k + 1] @ weights)) / size
        if left <= goal or norm <= 1e-14 * size:
            break
        basis[k + 1] = w / norm
    y = np.zeros(f.size, dtype=f.dtype)
    for weight, z in zip(weights, directions):
        y += weight * z
    return y.reshape(f.shape), left, len(directions)
