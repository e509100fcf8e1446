"""The skeleton (CUR) decomposition: a matrix from some of its own columns and rows, chosen by maximal volume.

    A ~ C G^+ R,   C = A[:, J],   R = A[I],   G = A[I, J]

For the r x r submatrix of maximal volume |det G| no entry is off by more than (r + 1) sigma_{r+1}: Goreinov and
Tyrtyshnikov, Contemp. Math. 280, 47 (2001), theorem 2.1. For p rows and q columns of maximal volume of rank r (the
product of the r largest singular values of G), and G^+ of rank r, the factor is
sqrt(1 + r / (p - r + 1)) sqrt(1 + r / (q - r + 1)): Osinsky and Zamarashkin, Linear Algebra Appl. 537, 221 (2018).

    1. Where all submatrices are few, all are looked at: the volume is then the largest, and the bound a theorem.
    2. Otherwise rows and columns in turn by maxvol, from several starts, until neither changes: a volume that no
       exchange of one row or one column increases (``maximal`` is False, and the bound is what to compare with).
    3. Further rows and columns by rectangular maxvol.
Cost O(m n min(m, n)) for the singular values, O((m + n) r^2) a turn of maxvol, memory O(m n).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from solvers.cards import Card, Fact, ends, size
from solvers.cross.maxvol import maxvol, rectangular_maxvol
from solvers.formats.trains.factorisations import EPSILON, as_double, check_finite, power_of_two
from solvers.measured import numeral
from solvers.threads import one_blas_thread

FEW = 20_000  # submatrices that are all looked at: below a second up to rank 8
STARTS = 4  # of the turns of maxvol
MOST_TURNS = 50  # of rows and columns; 3 to 6 were seen
AT_ONCE = 4000  # submatrices whose determinants are computed together


@dataclass(frozen=True, eq=False)
class Skeleton(Card):
    """A matrix by its ``rows`` (p,) and ``columns`` (q,), numbers from 0, and ``core`` = G^+ (q, p).

    ``left``: the columns C (m, q); ``right``: the rows R (p, n). ``error``: the largest deviation of an entry;
    ``bound``: of that, for maximal volume, rounding included; ``singular_value``: sigma_{r+1}; ``log_volume``: the
    natural logarithm of |det G|, or of the product of its r largest singular values; ``maximal``: whether no submatrix
    of this size has a larger volume, all having been looked at.
    """

    rank: int
    rows: np.ndarray
    columns: np.ndarray
    left: np.ndarray
    core: np.ndarray
    right: np.ndarray
    error: float
    bound: float
    singular_value: float
    log_volume: float
    maximal: bool

    def full(self) -> np.ndarray:
        """The approximation, (m, n)."""
        return (self.left @ self.core) @ self.right

    def worded(self) -> list[Fact]:
        """Rank, rows and columns, the error beside its bound."""
        looked = "the largest of all" if self.maximal else "no exchange of a row or column increases it"
        return [
            ("rank", str(self.rank)),
            ("rows", ends([int(i) for i in self.rows])),
            ("columns", ends([int(j) for j in self.columns])),
            ("error", f"{size(self.error)} in the largest entry, bound {size(self.bound)}"),
            ("volume", f"exp({numeral(self.log_volume, digits=6)}): {looked}"),
        ]


@one_blas_thread
def skeleton(
    matrix: np.ndarray, rank: int, *, extra: int = 0, starts: int = STARTS, rng: np.random.Generator | None = None
) -> Skeleton:
    """The skeleton decomposition of ``matrix`` (m, n), real or complex, of ``rank`` r.

    ``extra``: rows and columns beyond r (as many as there are), which lower the bound. ``starts``: of the search where
    submatrices are too many to look at all; the largest volume is taken.

    Raises ValueError for anything but a matrix with entries, a rank outside 1 ... min(m, n), NaN or infinity, a
    negative ``extra`` or no starts; TypeError for entries that are not numbers.
    """
    matrix = as_double(matrix, "the matrix")
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"skeleton needs a matrix with entries, not shape {matrix.shape}")
    if not (isinstance(rank, int | np.integer) and 1 <= rank <= min(matrix.shape)):
        raise ValueError(f"rank must lie in 1 ... {min(matrix.shape)} for shape {matrix.shape}, not {rank!r}")
    if extra < 0 or starts < 1:
        raise ValueError(f"extra must be at least 0 and starts at least 1, not {extra!r} and {starts!r}")
    check_finite(matrix, "the matrix")
    # 1 entries of size one, so that neither volumes nor products leave the range of numbers
    exponent = math.frexp(float(np.abs(matrix).max()))[1]
    scaled = power_of_two(matrix, -exponent)
    if math.comb(matrix.shape[0], rank) * math.comb(matrix.shape[1], rank) <= FEW:
        rows, columns = _of_all(scaled, int(rank))
        maximal = extra == 0
    else:
        rows, columns = _by_turns(scaled, int(rank), starts, rng or np.random.default_rng(0))
        maximal = False
    # 2 more rows of the columns chosen, more columns of the rows chosen
    if extra:
        by_rows = rectangular_maxvol(scaled[:, columns], tol=0.0, most=rank + extra)[0]
        by_columns = rectangular_maxvol(scaled[rows].T, tol=0.0, most=rank + extra)[0]
        rows, columns = by_rows, by_columns
    # 3 the middle matrix, and the error beside its bound
    core, log_volume = _inverse(scaled[np.ix_(rows, columns)], int(rank))
    left, right = scaled[:, columns], scaled[rows]
    values = np.linalg.svd(scaled, compute_uv=False)
    after = float(values[rank]) if rank < len(values) else 0.0
    error = float(np.abs(scaled - (left @ core) @ right).max())
    # singular values are known to a rounding error of the largest, and so is the product
    factor = bound_factor(int(rank), len(rows), len(columns))
    most = factor * (after + EPSILON * float(values[0]))
    return Skeleton(
        int(rank),
        rows,
        columns,
        power_of_two(left, exponent),
        power_of_two(core, -exponent),
        power_of_two(right, exponent),
        math.ldexp(error, exponent),
        math.ldexp(most, exponent),
        math.ldexp(after, exponent),
        log_volume + rank * exponent * math.log(2.0),
        maximal,
    )


def bound_factor(rank: int, rows: int, columns: int) -> float:
    """What sigma_{r+1} is multiplied by in the bound of the largest error; r + 1 for r rows and columns."""
    return math.sqrt((1.0 + rank / (rows - rank + 1.0)) * (1.0 + rank / (columns - rank + 1.0)))


def _of_all(matrix: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the submatrix of the largest volume; of equal ones the first."""
    row_sets = np.array(list(combinations(range(matrix.shape[0]), rank)))
    column_sets = np.array(list(combinations(range(matrix.shape[1]), rank)))
    most, best = -math.inf, (0, 0)
    for i, rows in enumerate(row_sets):
        for begin in range(0, len(column_sets), AT_ONCE):
            chosen = column_sets[begin : begin + AT_ONCE]
            blocks = matrix[rows][:, chosen].transpose(1, 0, 2)
            logarithms = np.linalg.slogdet(blocks)[1]
            j = int(np.argmax(logarithms))
            if logarithms[j] > most:
                most, best = float(logarithms[j]), (i, begin + j)
    return row_sets[best[0]], column_sets[best[1]]


def _by_turns(matrix: np.ndarray, rank: int, starts: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns by maxvol in turn: from the columns that mix all (a random sketch), and from random ones."""
    most, best = -math.inf, None
    for start in range(starts):
        if start == 0:
            sketch = matrix @ rng.standard_normal((matrix.shape[1], rank))
            rows = np.sort(maxvol(sketch)[0])
            columns = np.sort(maxvol(matrix[rows].T)[0])
        else:
            columns = np.sort(rng.choice(matrix.shape[1], rank, replace=False))
            rows = np.sort(maxvol(matrix[:, columns])[0])
        for _ in range(MOST_TURNS):
            before = rows, columns
            rows = np.sort(maxvol(matrix[:, columns])[0])
            columns = np.sort(maxvol(matrix[rows].T)[0])
            if np.array_equal(before[0], rows) and np.array_equal(before[1], columns):
                break
        volume = float(np.linalg.slogdet(matrix[np.ix_(rows, columns)])[1])
        if best is None or volume > most:
            most, best = volume, (rows, columns)
    assert best is not None
    return best


def _inverse(block: np.ndarray, rank: int) -> tuple[np.ndarray, float]:
    """G^+ of at most ``rank``, without what rounding alone leaves, and the logarithm of the volume of that rank."""
    u, s, vh = np.linalg.svd(block, full_matrices=False)
    with np.errstate(divide="ignore"):
        log_volume = float(np.sum(np.log(s[:rank])))
    kept = min(rank, int(np.count_nonzero(s > max(block.shape) * EPSILON * s[0])))
    return (vh[:kept].conj().T / s[:kept]) @ u[:, :kept].conj().T, log_volume
