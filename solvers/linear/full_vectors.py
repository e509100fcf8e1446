"""Small systems on full vectors: sparse or dense LU with iterative refinement, and least squares by pivoted QR.

    1. Above ``FEW`` unknowns Krylov steps of little work: conjugate gradients where A is Hermitian, else GMRES; taken
       where they reach the accuracy, as they do wherever A is well conditioned.
    2. LU of A, refined with residuals formed apart from it: backward stable, ||b - A x|| about eps ||A|| ||x||. Where
       that misses the accuracy the residuals are formed in extended precision, which leaves the rounding of x itself.
    3. Where that misses the accuracy, A P = Q R with pivots: for each numerical rank r of a short list the least-norm
       solution of the first r rows of R P^T; the largest threshold that reaches the accuracy, else the smallest
       residual, is taken. A consistent singular system is solved so, any other one in the least-squares sense.
    4. The vector becomes a train by TT-SVD, its tolerance lowered until the residual of what is kept fits; at last
       without a cut at all, its entries in the middle core between identities, which is exact.

What is singular is proved by w = b - A x, the residual itself: A^H w = 0 says that no x has a smaller one.
Golub and Van Loan, Matrix Computations, 4th ed., sections 3.5.3 (refinement), 5.5.6 (rank by pivoted QR), 11.3 and
11.4 (Krylov methods). Cost N^2 memory and 2/3 N^3 (LU), 4/3 N^3 and more (QR).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import get_lapack_funcs, qr, solve_triangular
from scipy.sparse.linalg import LinearOperator, cg, gmres, splu

from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

SPARSE = 6.0  # nonzeros a row: 1-D and 2-D differences, whose LU stays sparse; more fill up and are faster dense
FEW = 500  # unknowns, up to which an LU costs less than a hundred products
MOST_STEPS, RESTART = 400, 40  # Krylov steps; vectors GMRES keeps
REFINEMENTS = 4
THRESHOLDS = (1e-10, 1e-12, 1e-13, 1e-14, 1e-15, 3e-16)  # of the largest pivot; below, the rest of R counts as zero
WORTH = 0.5  # a smaller threshold makes x larger: it must lower the residual, rounding errors of A x counted, to this
ROUNDING = 4e-16  # of || |A| |x| ||, absolute values in every core
CAREFUL = 0.1  # of a goal: rounding errors of A x above that are kept out of its residual
HOPEFUL = 10.0  # times a goal: residuals in double precision up to that may be rounding errors
Residual = Callable[[np.ndarray], np.ndarray]
LARGEST_QR = 2000  # unknowns; beyond (20 s at 4096) only where the LU solution means nothing:
MEANINGLESS = 0.05  # of ||b|| for rounding errors of A x
SHARE = 0.5  # of the accuracy, for the vector; the rest is for its compression
SINGULAR = 1e-14  # ||A^H w|| / (||A|| ||w||), Frobenius norm, below this: a left null vector to rounding errors


@dataclass(frozen=True)
class FullSolution:
    """``x`` (N,) with its ``residual`` ||b - A x||; ``condition``: an estimate, inf where it is not known.

    ``singular``: ||A^H w|| / (||A|| ||w||) of the part w of b that A does not reach, where that is zero to rounding
    errors, else None: then ||b - A x|| >= ||w|| for every x.
    """

    x: np.ndarray
    residual: float
    singular: float | None
    condition: float
    factorisation: str


def apply_full(cores: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """A x for a full vector (N,), core by core. Cost N R n R' a core, memory N R."""
    y = x.reshape(1, -1)
    for core in cores:
        p, rows, columns, q = core.shape
        y = y.reshape(p * columns, -1)  # (alpha j) (modes to come, modes done)
        block = core.transpose(1, 3, 0, 2).reshape(rows * q, p * columns)
        y = (block @ y).reshape(rows, q, -1).transpose(1, 2, 0).reshape(q, -1)
    return y.reshape(-1)


def rounding_errors(operator: TTOperator, x: np.ndarray) -> float:
    """What rounding may make of ||A x|| in double precision."""
    largest = float(np.abs(x).max(initial=0.0)) or 1.0  # taken out: x may be near the end of the number range
    sums = apply_full([np.abs(core) for core in operator.cores], np.abs(x / largest))
    return ROUNDING * largest * float(np.linalg.norm(sums))


def residual_full(operator: TTOperator, x: np.ndarray | TensorTrain, b: np.ndarray) -> np.ndarray:
    """b - A x (N,) in extended precision, where the machine has it: rounding errors of x itself are what is left.

    Cost as ``apply_full``, but without BLAS.
    """
    if isinstance(x, TensorTrain):
        full = np.ones((1, 1), dtype=np.longdouble)
        for core in x.cores:
            full = (full @ core.reshape(len(core), -1)).reshape(-1, core.shape[2])
        x = full.reshape(-1)
    product = apply_full([core.astype(np.result_type(core.dtype, np.longdouble)) for core in operator.cores], x)
    return np.asarray(b - product, dtype=np.result_type(operator.dtype, b.dtype))


def solve_full(operator: TTOperator, b: np.ndarray, accuracy: float, hermitian: bool = False) -> FullSolution:
    """x of a square system of scale about one with ||b - A x|| <= ``accuracy`` ||b||, or the least residual.

    ``hermitian``: that A is. The elements of A are known to rounding errors of their cores' products only; where x is
    so large that these matter (``rounding``), a small residual means nothing, and the x of the smallest sum of both is
    returned.
    """
    unknowns = len(b)
    size = float(np.linalg.norm(b))
    goal = SHARE * accuracy * size

    def rounding(x: np.ndarray) -> float:
        return rounding_errors(operator, x)

    def exact(x: np.ndarray) -> np.ndarray:
        return residual_full(operator, x, b)

    found = _by_krylov(operator, b, goal, hermitian) if unknowns > FEW else None
    if found is not None and found.residual + rounding(found.x) <= goal:
        return found
    sparse = sparse_matrix(operator)
    found = _by_sparse_lu(sparse, b, goal, exact) if sparse is not None else None
    if found is not None and found.residual + rounding(found.x) <= goal:
        return found
    matrix = operator.full(max_size=unknowns**2)
    if found is None:
        found = _by_lu(matrix, b, goal, exact)
    off, condition = np.inf, 0.0
    if found is not None:
        condition, noise = found.condition, rounding(found.x)
        off = found.residual + noise if noise < MEANINGLESS * size else np.inf
        if off <= goal or (unknowns > LARGEST_QR and off < size):
            return found
    least = _by_qr(matrix, b, goal, rounding)
    if found is None or least.residual + rounding(least.x) < off:
        return replace(least, condition=max(least.condition, condition))
    return found


def _by_krylov(operator: TTOperator, b: np.ndarray, goal: float, hermitian: bool) -> FullSolution | None:
    """Step 1; the residual is formed again at the end. None where the accuracy is not reached."""
    dtype = np.result_type(operator.dtype, b.dtype)
    matrix = LinearOperator((len(b), len(b)), matvec=lambda x: apply_full(operator.cores, x), dtype=dtype)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if hermitian:  # not definite: it may break down
            x, _ = cg(matrix, b, rtol=0.0, atol=0.5 * goal, maxiter=MOST_STEPS)
        else:
            x, _ = gmres(matrix, b, rtol=0.0, atol=0.5 * goal, restart=RESTART, maxiter=MOST_STEPS // RESTART)
        residual = float(np.linalg.norm(b - apply_full(operator.cores, x)))
    return FullSolution(x, residual, None, np.inf, "none: Krylov steps") if residual <= goal else None


def sparse_matrix(operator: TTOperator) -> sp.csc_array | None:
    """The matrix, where it surely has at most ``SPARSE`` nonzeros a row, else None."""
    counts = np.ones(1)
    for core in operator.cores:
        counts = counts @ np.count_nonzero(core, axis=(1, 2))
    if counts[0] > SPARSE * math.prod(operator.row_shape):
        return None
    parts: list[Any] = [sp.csr_array(np.ones((1, 1)))]
    for core in operator.cores:
        blocks = [[sp.csr_array(core[a, :, :, c]) for c in range(core.shape[3])] for a in range(core.shape[0])]
        following: list[Any] = []
        for c in range(core.shape[3]):
            terms = [sp.kron(part, row[c], format="csr") for part, row in zip(parts, blocks) if row[c].nnz]
            shape = (parts[0].shape[0] * core.shape[1], parts[0].shape[1] * core.shape[2])
            total = sp.csr_array(shape, dtype=operator.dtype)
            for term in terms:
                total = total + term
            following.append(total)
        parts = following
    return sp.csc_array(parts[0])


def _by_sparse_lu(matrix: sp.csc_array, b: np.ndarray, goal: float, exact: Residual) -> FullSolution | None:
    try:
        factors = splu(matrix)
    except RuntimeError:  # exactly singular
        return None
    solve = of_its_kind(lambda r: factors.solve(np.asarray(r, dtype=matrix.dtype)), matrix.dtype)
    x, residual = _refined(solve, matrix, b, goal, exact)
    return None if x is None else FullSolution(x, residual, None, np.inf, "sparse LU")


def _by_lu(matrix: np.ndarray, b: np.ndarray, goal: float, exact: Residual) -> FullSolution | None:
    getrf, getrs, gecon = get_lapack_funcs(["getrf", "getrs", "gecon"], (matrix,))
    lu, pivots, info = getrf(matrix)
    if info != 0:
        return None
    inverse, _ = gecon(lu, np.abs(matrix).sum(axis=0).max())
    x, residual = _refined(of_its_kind(lambda r: getrs(lu, pivots, r)[0], matrix.dtype), matrix, b, goal, exact)
    condition = 1.0 / inverse if inverse > 0.0 else np.inf
    return None if x is None else FullSolution(x, residual, None, condition, "LU")


def of_its_kind(solve: Residual, kind: np.dtype) -> Residual:
    """A linear map known for vectors of its own ``kind``, for complex ones too: LAPACK and SuperLU drop their imaginary
    part where the factors are real."""

    def apart(r: np.ndarray) -> np.ndarray:
        if r.dtype.kind != "c" or kind.kind == "c":
            return solve(r)
        parts: np.ndarray = solve(r.real) + 1j * solve(r.imag)
        return parts

    return apart


def _refined(solve: Any, matrix: Any, b: np.ndarray, goal: float, exact: Residual) -> tuple[np.ndarray | None, float]:
    """x and ||b - A x|| after as many refinements as lower it; None where nothing finite comes out."""
    x, residual = _refinements(solve, np.zeros_like(b), b, lambda x: b - matrix @ x, 0.01 * goal)
    if x is None or residual <= goal:
        return x, residual
    rest = exact(x)
    better, lower = _refinements(solve, x, rest, exact, 0.01 * goal)
    residual = float(np.linalg.norm(rest))
    return (better, lower) if lower < residual else (x, residual)


def _refinements(
    solve: Any, x: np.ndarray, rest: np.ndarray, residual_of: Residual, enough: float
) -> tuple[np.ndarray | None, float]:
    best, least = None, np.inf
    for _ in range(REFINEMENTS):
        with np.errstate(over="ignore", invalid="ignore"):
            x = x + solve(rest)
            rest = residual_of(x)
            residual = float(np.linalg.norm(rest))
        if not residual < 0.5 * least:
            break
        best, least = x, residual
        if residual <= enough:
            break
    return best, least


def _by_qr(matrix: np.ndarray, b: np.ndarray, goal: float, rounding: Callable[[np.ndarray], float]) -> FullSolution:
    """Least squares by QR with pivots; see the module's step 3."""
    q, r, order = qr(matrix, mode="economic", pivoting=True, check_finite=False)
    pivots = np.abs(np.diagonal(r))
    top = float(pivots[0])
    size = float(np.linalg.norm(b))
    best = np.zeros_like(b), size, 0
    for threshold in THRESHOLDS if top > 0.0 else ():
        rank = int(np.count_nonzero(pivots > threshold * top))
        if rank == best[2]:
            continue
        # of the solutions of r[:rank] y = c[:rank] the one of least norm: r[:rank]^H = z t
        z, t = qr(r[:rank].conj().T, mode="economic", check_finite=False)
        y = np.zeros_like(best[0])
        for _ in range(3):  # refined twice
            rest = q.conj().T @ (b - matrix @ y)
            y[order] += z @ solve_triangular(t, rest[:rank], trans="C", check_finite=False)
        residual = float(np.linalg.norm(b - matrix @ y))
        noise = rounding(y)
        if noise > MEANINGLESS * size:
            continue
        off = residual + noise
        if off <= goal or off < (WORTH if best[2] else 1.0) * best[1]:
            best = y, off, rank
        if off <= goal:
            break
    x, _, rank = best
    w = b - matrix @ x
    residual = float(np.linalg.norm(w))
    singular = None
    if residual > goal:
        w = w - q[:, :rank] @ (q[:, :rank].conj().T @ w)
        singular = _left_null(matrix, w)
    condition = top / float(pivots[-1]) if pivots[-1] > 0.0 else np.inf
    return FullSolution(x, residual, singular, condition, "QR with pivots")


def _left_null(matrix: np.ndarray, w: np.ndarray) -> float | None:
    """||A^H w|| / (||A|| ||w||) in the Frobenius norm where it is that of rounding errors, else None."""
    size = np.linalg.norm(matrix)
    share = float(np.linalg.norm(matrix.conj().T @ w) / (size * np.linalg.norm(w))) if size > 0.0 else 0.0
    return share if share <= SINGULAR else None


def to_train(
    operator: TTOperator, x: np.ndarray, b: np.ndarray, goal: float, max_rank: int
) -> tuple[TensorTrain, bool]:
    """A train of x, of small rank, with ||b - A x|| <= ``goal`` where it can; True where ``max_rank`` forbids it."""
    tensor = x.reshape(operator.column_shape)
    exact = tt_svd(tensor, 0.0)
    careful = rounding_errors(operator, x) > CAREFUL * goal
    for digit in range(1, 17):
        train = exact.round(10.0**-digit)
        if train.max_rank > max_rank:
            return exact.round(0.0, max_rank), True
        left = b - apply_full(operator.cores, train.full().reshape(-1))
        if careful and np.linalg.norm(left) <= HOPEFUL * goal:
            left = residual_full(operator, train, b)
        if np.linalg.norm(left) <= goal:
            return train, False
    train = between_identities(tensor)
    return (train, False) if train.max_rank <= max_rank else (exact.round(0.0, max_rank), True)


def between_identities(tensor: np.ndarray) -> TensorTrain:
    """The train of a tensor whose middle core holds all entries, between identities: exact, of full ranks."""
    shape = tensor.shape
    sizes = [math.prod(shape[: k + 1]) for k in range(len(shape))]
    k = int(np.argmax([size * size >= tensor.size for size in sizes]))
    cores = []
    before = 1
    for n in shape[:k]:
        cores.append(np.eye(before * n, dtype=tensor.dtype).reshape(before, n, before * n))
        before *= n
    after = math.prod(shape[k + 1 :])
    cores.append(tensor.reshape(before, shape[k], after))
    for n in shape[k + 1 :]:
        cores.append(np.eye(after, dtype=tensor.dtype).reshape(after, n, after // n))
        after //= n
    return TensorTrain(tuple(cores), k)
