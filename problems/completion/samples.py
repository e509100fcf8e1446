"""Samples of a tensor: read from a CSV file, or drawn from a function.

A CSV file has the header ``i1,...,id,value`` and a row an entry, indices from 0; lines beginning with ``#`` are
comments. Functions live on uniform grids of [0, 1] in every coordinate: index i of n points stands for i / (n - 1).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.tables import FileFaults, rows_of

KEY = "problem.samples"
SPARSEST = 100  # indices for each that has a sample
LISTED = 5_000_000  # entries of a tensor, up to which draws are a permutation of them all
_INTEGER = re.compile(r"[0-9]{1,15}")
_NEGATIVE = re.compile(r"-[0-9]+")


@dataclass(frozen=True, eq=False)
class Entries:
    """Multi-indices (m, d) from 0, and values (m,)."""

    indices: np.ndarray
    values: np.ndarray

    def __getitem__(self, chosen: np.ndarray | slice) -> Entries:
        return Entries(self.indices[chosen], self.values[chosen])

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """The smallest tensor that has all entries."""
        return tuple(int(top) + 1 for top in self.indices.max(axis=0))


def inverse_sum(points: np.ndarray) -> np.ndarray:
    """1 / (1 + x_1 + ... + x_d) at ``points`` (m, d)."""
    return 1.0 / (1.0 + points.sum(axis=1))


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"inverse_sum": inverse_sum}


def evaluate(name: str, shape: tuple[int, ...], indices: np.ndarray) -> Entries:
    """The named function at multi-indices (m, d)."""
    steps = np.array([max(n - 1, 1) for n in shape], dtype=float)
    return Entries(indices, FUNCTIONS[name](indices / steps))


def draw(shape: tuple[int, ...], fitted: int, others: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two lists of multi-indices, all different: ``fitted`` of them, and up to ``others`` where there are as many.

    Uniform without replacement.
    """
    size = math.prod(shape)
    wanted = min(fitted + others, size)
    if size <= LISTED:
        flat = rng.permutation(size)[:wanted]
        drawn = np.stack(np.unravel_index(flat, shape), axis=1)
    else:
        drawn = np.empty((0, len(shape)), dtype=np.int64)
        while len(drawn) < wanted:
            more = rng.integers(0, shape, (2 * (wanted - len(drawn)), len(shape)))
            both = np.concatenate([drawn, more])
            first = np.sort(np.unique(both, axis=0, return_index=True)[1])
            drawn = both[first[:wanted]]
    return drawn[:fitted].astype(np.int64), drawn[fitted:].astype(np.int64)


def read_csv(path: Path, cold: bool = False) -> Entries:
    """The samples of a CSV file, each entry once; ``cold``: indices below the largest may have none.

    Raises ProblemError, a line ``file:line:column: ...`` for each thing that is wrong in the file.
    """
    entries = _entries(path)
    if not cold:
        _require_every_index(entries, path.name)
        if not entries.values.any():
            raise ProblemError(f"{path.name}: all values are zero: there is nothing to complete", KEY)
    return entries


@lru_cache(4)
def _entries(path: Path) -> Entries:
    faults = FileFaults(path.name, KEY)
    seen: dict[tuple[int, ...], tuple[int, float]] = {}
    names: list[str] = []
    for line, row in rows_of(path, KEY):
        if not names:
            names = row
            if len(row) < 3 or row != [*(f"i{k}" for k in range(1, len(row))), "value"]:
                faults.add("the header must read i1,i2,...,id,value, with at least two indices", line)
                break
            continue
        parsed = _parse(row, names, line, faults)
        if parsed is None:
            continue
        index, value = parsed
        first, before = seen.setdefault(index, (line, value))
        if before != value:
            faults.add(f"entry {_text(index)} is {value:g}, but {before:g} in line {first}", line, len(row))
    faults.raise_any()
    if not seen:
        raise ProblemError(f"{path.name}: no samples: expected the header i1,...,id,value and rows below it", KEY)
    return Entries(np.array(list(seen), dtype=np.int64), np.array([value for _, value in seen.values()]))


def require_outcomes(entries: Entries, name: str) -> None:
    """ProblemError unless the values are 0 and 1, or -1 and 1, both of them."""
    found = np.unique(entries.values)
    odd = ~(np.isin(entries.values, (0.0, 1.0)) if -1.0 not in found else np.isin(entries.values, (-1.0, 1.0)))
    wanted = "a logistic loss needs values of 0 and 1, or of -1 and 1"
    if odd.any():
        j = int(np.argmax(odd))
        message = f"{name}: entry {_text(tuple(entries.indices[j].tolist()))} is {entries.values[j]:g}, but {wanted}"
        raise ProblemError(f"{message}; give loss: squares or huber for other numbers", KEY)
    if len(found) < 2:
        raise ProblemError(f"{name}: every value is {found[0]:g}: {wanted}", KEY)


def require_dense(entries: Entries, name: str) -> None:
    """ProblemError where most indices have no sample: names or numbers of another kind in the place of indices."""
    faults = FileFaults(name, KEY)
    for k, (column, n) in enumerate(zip(entries.indices.T, entries.shape), start=1):
        with_samples = len(np.unique(column))
        if n > SPARSEST * with_samples:
            faults.add(f"i{k} goes up to {n - 1}, with samples at {with_samples} indices only: number them from 0 on")
    faults.raise_any()


def _require_every_index(entries: Entries, name: str) -> None:
    faults = FileFaults(name, KEY)
    for k, (column, n) in enumerate(zip(entries.indices.T, entries.shape), start=1):
        present = np.unique(column)
        if len(present) < n:
            missing = int(np.argmax(present != np.arange(len(present))))
            faults.add(f"no sample has i{k} = {missing}, though i{k} goes up to {n - 1}: it cannot be completed")
    faults.raise_any()


def _parse(row: list[str], names: list[str], line: int, faults: FileFaults) -> tuple[tuple[int, ...], float] | None:
    """Multi-index and value of a row; None where it is at fault."""
    if len(row) != len(names):
        faults.add(f"expected {len(names)} columns ({','.join(names)}), found {len(row)}", line)
        return None
    before = faults.count
    for column, (name, cell) in enumerate(zip(names[:-1], row), start=1):
        if _NEGATIVE.fullmatch(cell):
            faults.add(f"{name} is negative ({cell}): indices count from 0", line, column)
        elif not _INTEGER.fullmatch(cell):
            faults.add(f"{name} must be a whole number from 0, found {cell!r}", line, column)
    value = faults.number(row[-1], "value", line, len(row))
    return None if value is None or faults.count > before else (tuple(map(int, row[:-1])), value)


def _text(index: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, index))})"
