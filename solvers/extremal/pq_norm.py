"""``pq_norm``: the largest ||A v||_q / ||v||_p and the (p, q)-singular vector where it is reached.

    1. A closed form or a count gives the answer where there is one (solvers.extremal.certificates).
    2. Otherwise starts: columns of the identity, right singular vectors, the vector of the best rows, random ones.
    3. From all of them at once, the generalised power method

           u = psi_q(A v),     v = psi_{p*}(A^T u),     psi_r(x) = sign(x) |x|^(r-1),  ||v||_p = 1,

       which never lowers ||A v||_q: it maximises the linear bound of a convex function over the ball.
    4. For p = inf the corner that is best is polished: signs are flipped, one by one and in pairs, while that helps,
       and the power method goes on from there.
    5. The value, and what is known of it: exact, certified (one critical point), or the best of the starts, with a
       bound from above.
Boyd, Linear Algebra Appl. 9, 95 (1974); Higham, Numer. Math. 62, 511 (1992), algorithm 2.1; Khrulkov and Oseledets,
CVPR 2018, algorithm 1. Cost two products with s columns an iteration, s the starts; 2 m n flops a column.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator

from solvers.cards import Card, Fact, number, size
from solvers.extremal.certificates import (
    INF,
    closed,
    dual,
    dual_vectors,
    ratio_bound,
    unique,
    upper_bound,
    vector_norms,
)
from solvers.threads import one_blas_thread

EXACT, CERTIFIED, BEST = "exact", "certified", "best of the starts"
DEFAULT_STARTS = 200
SINGULAR_VECTORS = 20  # of the starts, at most
STILL = 1e-14  # relative increase of a value, below which a start has arrived
STILL_VECTOR = 1e-13  # change of an entry of a vector of length one
CERTAIN = 1e-10  # relative distance of bounds from above and below that make a certificate
ITERATIONS = 2000
NUMBERS = 2**24  # entries of A up to which singular vectors are taken as starts, and bounds from above computed
PAIRS = 400  # signs up to which pairs are flipped


@dataclass(frozen=True, eq=False)
class PQNorm(Card):
    """``value`` = ||A vector||_q, with ||vector||_p = 1.

    ``kind``: exact, certified or best of the starts, and ``how`` that is known; ``upper``: a bound from above (the
    value itself where it is exact or certified, NaN where none was computed); ``reached``: share of the starts that
    came within 1e-8 of the value, NaN where none was needed; ``arrived``: whether every start stopped moving;
    ``products``: with A and with A^T, in columns.
    """

    value: float
    vector: np.ndarray
    p: float
    q: float
    kind: str
    how: str
    upper: float
    reached: float
    arrived: bool
    products: int
    seconds: float

    def worded(self) -> list[Fact]:
        """Value, what is known of it, and the vector's size."""
        return [
            ("norm", f"{number(self.value)} (p = {self.p:g}, q = {self.q:g})"),
            ("known", f"{self.kind}: {self.how}"),
            ("at most", size(self.upper)),
            ("starts that reach it", "" if math.isnan(self.reached) else f"{self.reached:.1%}"),
            ("vector", f"{len(self.vector)} entries"),
            ("work", f"{self.products} products with a vector"),
        ]


@one_blas_thread
def pq_norm(
    matrix: np.ndarray | LinearOperator,
    p: float,
    q: float,
    *,
    starts: int = DEFAULT_STARTS,
    rng: np.random.Generator | None = None,
) -> PQNorm:
    """The norm of a real ``matrix`` (m, n), or of a LinearOperator with its adjoint, from p-norm to q-norm.

    ``starts``: how many the power method sets out from, where no closed form is known; all of them are iterated at
    once. Without a matrix (a LinearOperator) nothing is counted, and only the p = 1 or q = inf forms of few columns or
    rows are made: the answer is then the best of the starts.

    Raises ValueError for p or q below one, entries that are no numbers or not finite, and starts below one.
    Cost 2 m n starts flops an iteration, some tens of iterations; 2^(n-1) m n for p = inf and n up to 20.
    """
    begin = time.perf_counter()
    rng = rng or np.random.default_rng(0)
    p, q = _exponent("p", p), _exponent("q", q)
    if isinstance(starts, bool) or not isinstance(starts, int) or starts < 1:
        raise ValueError(f"starts is {starts!r}; give a whole number of at least 1, such as {DEFAULT_STARTS}")
    product = _Product(matrix)
    a = product.matrix
    if a is not None and not a.any():
        vector = np.eye(a.shape[1])[0]
        return PQNorm(0.0, vector, p, q, EXACT, "the matrix is zero", 0.0, math.nan, True, 0, 0.0)
    known = None if a is None else closed(a, p, q)
    if known is not None:
        value, vector = known.value, known.vector
        seconds = time.perf_counter() - begin
        return PQNorm(value, vector, p, q, EXACT, known.how, value, math.nan, True, 0, seconds)
    only = a is not None and unique(a, p, q)
    if only:
        found, values, arrived = _one_end(product, p, q)
    else:
        found, values, arrived = _iterate(product, _starts(product, p, q, starts, rng), p, q)
    best = int(np.argmax(values))
    reached = float(np.mean(values >= values[best] * (1.0 - 1e-8)))
    vector = found[:, best]
    if p == INF and a is not None:
        vector = _polished(a, vector, product, p, q)
    value = float(vector_norms(product.times(vector[:, None]), q)[0])
    if only:
        assert a is not None
        kind, how, upper = CERTIFIED, "entries of one sign and q <= p: one critical point", value
        if p == q:  # the power method may be slow, and says itself how far it has come
            upper = max(value, ratio_bound(np.abs(a), np.abs(vector), p))
        if not arrived or upper > value * (1.0 + CERTAIN):
            kind, how = BEST, "the power method on entries of one sign has not come to its end"
    else:
        kind, how = BEST, f"{found.shape[1]} starts of the power method"
        upper = upper_bound(a, p, q) if a is not None and a.size <= NUMBERS else math.nan
        if value >= upper * (1.0 - STILL):
            kind, how = CERTIFIED, "it meets a bound from above"
    seconds = time.perf_counter() - begin
    return PQNorm(value, vector, p, q, kind, how, upper, reached, arrived, product.count, seconds)


class _Product:
    """Products with A and its transpose, counted."""

    def __init__(self, matrix: np.ndarray | LinearOperator) -> None:
        self.matrix: np.ndarray | None = None
        self.count = 0
        if isinstance(matrix, LinearOperator):
            self.operator = matrix
            if np.dtype(matrix.dtype).kind == "c":
                raise ValueError("the operator is complex; (p, q)-norms are of real matrices here")
        else:
            given = np.asarray(matrix)
            if given.dtype.kind not in "buif":
                raise ValueError(f"the matrix must be of real numbers, not {given.dtype}")
            if given.ndim != 2 or not given.size:
                raise ValueError(f"the matrix must have rows and columns, not the shape {given.shape}")
            self.matrix = np.asarray(given, dtype=float)
            if not np.isfinite(self.matrix).all():
                row, column = np.argwhere(~np.isfinite(self.matrix))[0]
                raise ValueError(f"entry [{row}, {column}] is {self.matrix[row, column]}: every entry must be finite")
        self.m, self.n = (matrix if self.matrix is None else self.matrix).shape

    def times(self, v: np.ndarray) -> np.ndarray:
        """A v, column by column."""
        self.count += v.shape[1]
        return self._finite(self.operator.matmat(v) if self.matrix is None else self.matrix @ v)

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """A^T u."""
        self.count += u.shape[1]
        return self._finite(self.operator.rmatmat(u) if self.matrix is None else self.matrix.T @ u)

    def _finite(self, x: np.ndarray) -> np.ndarray:
        if not np.isfinite(x).all():
            raise ValueError("a product with the matrix is not finite: NaN, or numbers too large, among its entries")
        return np.asarray(x, dtype=float)


def _exponent(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not float(value) >= 1.0:
        raise ValueError(f"{name} is {value!r}; give a number of at least 1, or math.inf")
    return float(value)


def _starts(product: _Product, p: float, q: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Directions (n, count), one a column: a third of them columns of the identity, then singular vectors, random."""
    n, a = product.n, product.matrix
    parts = []
    chosen = np.arange(n) if n <= count // 3 else rng.choice(n, max(1, count // 3), replace=False)
    columns = np.zeros((n, len(chosen)))
    columns[chosen, np.arange(len(chosen))] = 1.0
    parts.append(columns)
    if a is not None and a.size <= NUMBERS:
        _, _, vt = np.linalg.svd(a, full_matrices=False)
        parts.append(vt[:SINGULAR_VECTORS].T)
        best = np.argsort(-vector_norms(a.T, dual(p)), kind="stable")[:SINGULAR_VECTORS]
        parts.append(dual_vectors(a[best].T, dual(p)))
    else:
        parts.append(product.adjoint(np.sign(rng.standard_normal((product.m, min(count, SINGULAR_VECTORS))))))
    rest = count - sum(part.shape[1] for part in parts)
    parts.append(rng.standard_normal((n, max(rest, 0))))
    return np.hstack(parts)[:, :count]


def _iterate(product: _Product, v: np.ndarray, p: float, q: float) -> tuple[np.ndarray, np.ndarray, bool]:
    """The power method from all columns of ``v``: ends, values, and whether all arrived."""
    sizes = vector_norms(v, p)
    v = v / np.where(sizes > 0.0, sizes, 1.0)
    image = product.times(v)
    values = vector_norms(image, q)
    moving = np.flatnonzero(values > 0.0)
    for _ in range(ITERATIONS):
        if not moving.size:
            break
        back = product.adjoint(dual_vectors(image[:, moving], q))
        new = dual_vectors(back, dual(p))
        new_image = product.times(new)
        new_values = vector_norms(new_image, q)
        better = new_values > values[moving]
        grown = new_values > values[moving] * (1.0 + STILL)
        take = moving[better]
        v[:, take], image[:, take], values[take] = new[:, better], new_image[:, better], new_values[better]
        moving = moving[grown]
    return v, values, not moving.size


def _one_end(product: _Product, p: float, q: float) -> tuple[np.ndarray, np.ndarray, bool]:
    """The power method from a positive vector until the vector itself stands still; as ``_iterate``."""
    v = np.full((product.n, 1), product.n ** (-1.0 / p))
    arrived = False
    for _ in range(ITERATIONS):
        new = np.abs(dual_vectors(product.adjoint(dual_vectors(product.times(v), q)), dual(p)))
        arrived = bool(np.max(np.abs(new - v)) <= STILL_VECTOR)
        v = new
        if arrived:
            break
    return v, vector_norms(product.times(v), q), arrived


def _polished(a: np.ndarray, vector: np.ndarray, product: _Product, p: float, q: float) -> np.ndarray:
    """A corner from which neither one flipped sign nor two lead higher, and neither does the power method."""
    n = a.shape[1]
    signs = np.where(vector < 0.0, -1.0, 1.0)
    image = a @ signs
    value = float(vector_norms(image[:, None], q)[0])
    while True:
        # 1 every single flip
        change = -2.0 * a * signs
        sizes = vector_norms(image[:, None] + change, q)
        best = [int(np.argmax(sizes))]
        # 2 pairs, where no single one helps
        if sizes[best[0]] <= value * (1.0 + STILL) and n <= PAIRS:
            for i in range(n - 1):
                sizes_two = vector_norms((image + change[:, i])[:, None] + change[:, i + 1 :], q)
                j = int(np.argmax(sizes_two))
                if sizes_two[j] > sizes[best[0]] and sizes_two[j] > value * (1.0 + STILL):
                    best, sizes = [i, i + 1 + j], np.full(n, sizes_two[j])
        if sizes[best[0]] <= value * (1.0 + STILL):
            return signs
        signs[best] *= -1.0
        # 3 on from there
        ends, _, _ = _iterate(product, signs[:, None], p, q)
        signs = np.where(ends[:, 0] < 0.0, -1.0, 1.0)
        image = a @ signs
        value = float(vector_norms(image[:, None], q)[0])
