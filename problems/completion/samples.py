"""Samples of a tensor: read from a CSV file, or drawn from a function.

A CSV file has the header ``i1,...,id,value`` and a row an entry, indices from 0; lines beginning with ``#`` are
comments. Functions live on uniform grids of [0, 1] in every coordinate: index i of n points stands for i / (n - 1).
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from problems.errors import ProblemError

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

    Raises ProblemError, its text starting with ``file:line:``, for anything wrong in the file.
    """
    entries = _entries(path)
    if not cold:
        _require_every_index(entries, path.name)
        if not entries.values.any():
            raise ProblemError(f"{path.name}: all values are zero: there is nothing to complete", KEY)
    return entries


@lru_cache(4)
def _entries(path: Path) -> Entries:
    seen: dict[tuple[int, ...], tuple[int, float]] = {}
    for line, row, names in _rows(path):
        where = f"{path.name}:{line}: "
        index, value = _parse(row, names, where)
        first, before = seen.setdefault(index, (line, value))
        if before != value:
            raise ProblemError(f"{where}entry {_text(index)} is {value:g}, but {before:g} in line {first}", KEY)
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
    for k, (column, n) in enumerate(zip(entries.indices.T, entries.shape), start=1):
        with_samples = len(np.unique(column))
        if n > SPARSEST * with_samples:
            message = f"i{k} goes up to {n - 1}, with samples at {with_samples} indices only: number them from 0 on"
            raise ProblemError(f"{name}: {message}", KEY)


def _require_every_index(entries: Entries, name: str) -> None:
    for k, (column, n) in enumerate(zip(entries.indices.T, entries.shape), start=1):
        present = np.unique(column)
        if len(present) < n:
            missing = int(np.argmax(present != np.arange(len(present))))
            message = f"no sample has i{k} = {missing}, though i{k} goes up to {n - 1}: it cannot be completed"
            raise ProblemError(f"{name}: {message}", KEY)


def _rows(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    """Data rows with line numbers and the names of the columns, the header checked."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", KEY) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ProblemError(f"{path.name}:{line}: not UTF-8 text", KEY) from None
    except OSError as error:
        raise ProblemError(f"cannot read {path}: {error.strerror}", KEY) from None
    names: list[str] = []
    for line, content in enumerate(text.splitlines(), start=1):
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        row = [cell.strip() for cell in next(csv.reader([content]))]
        if not names:
            d = len(row) - 1
            if d < 2 or row != [*(f"i{k}" for k in range(1, d + 1)), "value"]:
                wanted = "i1,i2,...,id,value, with at least two indices"
                raise ProblemError(f"{path.name}:{line}: the header must read {wanted}", KEY)
            names = row
            continue
        yield line, row, names


def _parse(row: list[str], names: list[str], where: str) -> tuple[tuple[int, ...], float]:
    """Multi-index and value of a row; every refusal names ``where``."""
    if len(row) != len(names):
        raise ProblemError(f"{where}expected {len(names)} columns ({','.join(names)}), found {len(row)}", KEY)
    for name, cell in zip(names[:-1], row):
        if _NEGATIVE.fullmatch(cell):
            raise ProblemError(f"{where}{name} is negative ({cell}): indices count from 0", KEY)
        if not _INTEGER.fullmatch(cell):
            raise ProblemError(f"{where}{name} must be a whole number from 0, found {cell!r}", KEY)
    try:
        value = float(row[-1].replace("_", "?"))  # float() would read 1_000
    except ValueError:
        raise ProblemError(f"{where}value must be a number, found {row[-1]!r}", KEY) from None
    if not math.isfinite(value):
        raise ProblemError(f"{where}value must be finite, found {row[-1]}", KEY)
    return tuple(map(int, row[:-1])), value


def _text(index: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, index))})"
