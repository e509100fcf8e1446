"""Counts of pairs: from a CSV file, a sparse matrix of scipy, or planted with a maximum that is known.

Planted: A_ij = B_ij exp(X_ij) with

    X_ij = sum over k = 1..r of (amplitude / k) sin(alpha k i + k) cos(1.3 alpha k j + k / 2),   i, j from 1,
    B_ij = total p_i q_j,   p_i as 1 / (i + 2), q_j as 1 / (j + 3), each of sum one.

Every entry of the objective is largest at X, so that X, of rank r, is the maximum over all matrices.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from problems.embeddings.text import table
from problems.errors import ProblemError
from problems.tables import FileFaults

if TYPE_CHECKING:
    from solvers.optimisation.skip_gram.problem import SkipGram

KEY = "problem.counts"
PARTS = {"data", "indices", "indptr", "row", "col", "offsets", "shape", "format"}


@dataclass(frozen=True, eq=False)
class Counts:
    """``words`` and ``contexts``, by name; entries ``values`` at ``rows`` and ``columns``, each once."""

    words: tuple[str, ...]
    contexts: tuple[str, ...]
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether all are whole numbers, of events that can be divided and drawn again."""
        return bool(np.all(self.values == np.floor(self.values)))


@lru_cache(4)
def read_counts(path: Path, encoding: str) -> Counts:
    """The counts of a file; ProblemError, in one line, for anything wrong with it."""
    found = _of_csv(path, encoding) if path.suffix.lower() == ".csv" else _of_npz(path)
    if min(len(found.words), len(found.contexts)) < 2:
        sizes = f"{len(found.words)} and {len(found.contexts)}"
        raise ProblemError(f"{path.name}: two words and two contexts are the least, found {sizes}", KEY)
    if not found.values.any():
        raise ProblemError(f"{path.name}: all counts are zero: no pair was seen", KEY)
    return found


def _of_csv(path: Path, encoding: str) -> Counts:
    counted: dict[tuple[str, str], float] = {}
    faults = FileFaults(path.name, KEY)
    for line, (word, context, cell), count in table(path, ("word", "context", "count"), encoding, faults):
        if count < 0.0:
            faults.add(f"count is {cell}: how often a pair was seen is not negative", line, 3)
        counted[word, context] = counted.get((word, context), 0.0) + count
    faults.raise_any()
    words = tuple(dict.fromkeys(word for word, _ in counted))
    contexts = tuple(dict.fromkeys(context for _, context in counted))
    row, column = ({name: i for i, name in enumerate(names)} for names in (words, contexts))
    rows = np.array([row[word] for word, _ in counted], dtype=np.int64)
    columns = np.array([column[context] for _, context in counted], dtype=np.int64)
    return Counts(words, contexts, rows, columns, np.array(list(counted.values())))


def _of_npz(path: Path) -> Counts:
    """A file of scipy.sparse.save_npz; it may have the arrays words and contexts of texts beside."""
    import scipy.sparse as sparse

    try:
        raw = io.BytesIO(path.read_bytes())
        with np.load(raw, allow_pickle=False) as file:
            named = {name: file[name] for name in ("words", "contexts") if name in file.files}
            missing = not {"format", "shape", "data"} <= set(file.files)
        if missing:
            raise ValueError("it is no sparse matrix as scipy.sparse.save_npz writes it")
        raw.seek(0)
        matrix = sparse.coo_array(sparse.load_npz(raw))
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", KEY) from None
    # whatever a damaged archive makes zipfile, zlib, numpy or scipy raise means the same here
    except Exception as error:
        raise ProblemError(f"{path.name}: cannot be read: {' '.join(str(error).split())}", KEY) from None
    if matrix.dtype.kind not in "buif":
        raise ProblemError(f"{path.name}: counts must be numbers, not {matrix.dtype}", KEY)
    matrix.sum_duplicates()
    rows, columns = (np.asarray(part, dtype=np.int64) for part in matrix.coords)
    values = np.asarray(matrix.data, dtype=float)
    faults = FileFaults(path.name, KEY)
    for at in np.flatnonzero(~np.isfinite(values) | (values < 0.0)):
        what = "must be finite" if not np.isfinite(values[at]) else "is not negative"
        faults.add(f"count [{rows[at]}, {columns[at]}] is {values[at]:g}: a count {what}")
    names = []
    for axis, name in enumerate(("words", "contexts")):
        given = named.get(name)
        if given is not None and (given.shape != (matrix.shape[axis],) or given.dtype.kind != "U"):
            faults.add(f"{name} must be {matrix.shape[axis]} texts")
            given = None
        names.append(tuple(str(i) for i in range(matrix.shape[axis])) if given is None else tuple(map(str, given)))
    faults.raise_any()
    return Counts(names[0], names[1], rows, columns, values)


def planted_matrix(shape: tuple[int, int], rank: int, amplitude: float, alpha: float) -> np.ndarray:
    """X of the module's formula."""
    i, j = np.arange(1, shape[0] + 1), np.arange(1, shape[1] + 1)
    found = np.zeros(shape)
    for k in range(1, rank + 1):
        found += amplitude / k * np.outer(np.sin(alpha * k * i + k), np.cos(1.3 * alpha * k * j + k / 2))
    return found


def planted_problem(
    shape: tuple[int, int], rank: int, amplitude: float, alpha: float, total: float
) -> tuple[SkipGram, float]:
    """The problem, and the sum of a log sigma(X) + b log sigma(-X) at its known maximum."""
    import scipy.sparse as sparse

    from solvers.optimisation.skip_gram.problem import SkipGram

    x = planted_matrix(shape, rank, amplitude, alpha)
    p, q = 1.0 / (np.arange(1, shape[0] + 1) + 2), 1.0 / (np.arange(1, shape[1] + 1) + 3)
    rows, columns = total * p / p.sum(), q / q.sum()
    weights = np.outer(rows, columns)
    exact = -float(np.sum(weights * (np.exp(x) * np.logaddexp(0.0, -x) + np.logaddexp(0.0, x))))
    return SkipGram(sparse.csr_array(weights * np.exp(x)), rows, columns), exact
