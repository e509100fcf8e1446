"""Rows to learn from: a table of fields, or images, with a target each.

A CSV file has a header and a row an example, UTF-8; lines beginning with ``#`` are comments. A column whose cells are
mostly numbers is one of numbers, any other of categories. An npz file has ``images`` (N, rows, columns), or ``rows``
(N, d), and ``targets`` (N,).
"""

from __future__ import annotations

import math
import zipfile
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.tables import FileFaults, number_of, rows_of

KEY, TARGET = "problem.data", "problem.target"
MOST_CELLS = 50_000_000
FEWEST = 10  # rows
CONSTANT = "a constant tells nothing, leave the column out"
MANY = 50  # different texts a column from which on, where most are different, it is a name and no category


@dataclass(frozen=True, eq=False)
class Data:
    """Rows (N, d) of numbers, categories by number, and targets (N,): numbers, or classes by number.

    ``names``: of the d columns; ``categories``: of each how many it has, 0 for numbers; ``classes``: names of the
    classes, empty where the target is a number; ``image``: (rows, columns) of pixels, or None.
    """

    rows: np.ndarray
    targets: np.ndarray
    names: tuple[str, ...]
    categories: tuple[int, ...]
    classes: tuple[str, ...]
    image: tuple[int, int] | None = None

    @property
    def categorical(self) -> list[int]:
        """The columns that are categories."""
        return [k for k, count in enumerate(self.categories) if count]


@lru_cache(4)
def read_table(path: Path, target: str, as_categories: tuple[str, ...], task: str) -> Data:
    """The table of a CSV file; ``target``: its column, empty for the last; ``as_categories``: columns of numbers that
    are categories; ``task``: automatic, classification, regression.

    Raises ProblemError, a line ``file:line:column: ...`` for each thing that is wrong in the file.
    """
    faults = FileFaults(path.name, KEY)
    header, lines, cells = _cells(path, faults)
    faults.raise_any()
    name = target or header[-1]
    wrong = []
    if name not in header:
        wrong.append(ProblemError(f"{path.name} has no column {name!r}; its columns: {', '.join(header)}", TARGET))
    for column in as_categories:
        if column not in header or column == name:
            wrong.append(ProblemError(f"{path.name} has no field {column!r}", "problem.categorical"))
    if wrong:
        raise ProblemError.of_all(wrong)
    columns: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for k, column in enumerate(header):
        texts = [row[k] for row in cells]
        if column == name:
            continue
        columns[column], counts[column] = _field(texts, column, k, lines, column in as_categories, faults)
    k = header.index(name)
    targets, classes = _targets([row[k] for row in cells], name, [(line, k + 1) for line in lines], task, faults)
    faults.raise_any()
    fields = tuple(column for column in header if column != name)
    rows = np.column_stack([columns[column] for column in fields])
    return Data(rows, targets, fields, tuple(counts[column] for column in fields), classes)


def _cells(path: Path, faults: FileFaults) -> tuple[list[str], list[int], list[list[str]]]:
    header: list[str] = []
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, row in rows_of(path, KEY):
        if not header:
            header = row
            doubled = [column for column, count in Counter(row).items() if count > 1 or not column]
            if doubled or len(row) < 2:
                faults.add("the header must name at least two columns, each once", line)
                return header, lines, cells
        elif len(row) != len(header):
            faults.add(f"expected {len(header)} columns, found {len(row)}", line)
        else:
            lines.append(line)
            cells.append(row)
    if len(cells) < FEWEST:
        faults.add(f"{len(cells)} rows below a header, fewer than {FEWEST}")
    if len(cells) * len(header) > MOST_CELLS:
        faults.add(f"{len(cells)} rows of {len(header)} columns are more than fit")
    return header, lines, cells


def _field(
    texts: list[str], name: str, k: int, lines: list[int], as_categories: bool, faults: FileFaults
) -> tuple[np.ndarray, int]:
    """A column as numbers or codes, and how many categories it has."""
    values = [number_of(text) for text in texts]
    if not as_categories and _mostly(values):
        for line, text, value in zip(lines, texts, values):
            if value is None or not math.isfinite(value):
                cure = (
                    "fill it, or leave the row out" if value is not None or not text else "or put it among categorical"
                )
                faults.add(f"{name} must be a finite number, found {text!r}: {cure}", line, k + 1)
        found = np.array([0.0 if value is None else value for value in values])
        if len(set(texts)) == 1:
            faults.add(f"{name} is {texts[0]} in every row: {CONSTANT}", lines[0], k + 1)
        return found, 0
    for line, text in zip(lines, texts):
        if not text:
            faults.add(f"{name} is empty: give it a category of its own, such as unknown", line, k + 1)
    known = sorted(set(texts))
    if len(known) == 1:
        faults.add(f"{name} is {known[0]!r} in every row: {CONSTANT}", lines[0], k + 1)
    if len(known) > MANY and 2 * len(known) > len(texts):
        what = f"{name} has {len(known)} different texts in {len(texts)} rows: a name is no category"
        faults.add(what, lines[0], k + 1)
    codes = {text: float(number) for number, text in enumerate(known)}
    return np.array([codes[text] for text in texts]), len(known)


def _mostly(values: list[float | None]) -> bool:
    """Whether a column is one of numbers: some texts among many numbers are faults."""
    return sum(value is not None for value in values) > 0.5 * len(values)


def _targets(
    texts: list[str], name: str, places: list[tuple[int, int]], task: str, faults: FileFaults
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Targets, and names of the classes; ``places``: line and column of each, none of an array."""

    def add(number: int, text: str) -> None:
        if places:
            faults.add(text, *places[number])
        else:
            faults.add(f"{text} (row {number}, from 0)", part=name)

    values = [number_of(text) for text in texts]
    if task == "automatic":
        few = len(set(texts)) <= max(2, min(20, len(texts) // 20))
        whole = all(
            value is not None and value == round(value) for value in values if value is None or math.isfinite(value)
        )
        task = "regression" if _mostly(values) and not (few and whole) else "classification"
    if task == "regression":
        for number, (text, value) in enumerate(zip(texts, values)):
            if value is None or not math.isfinite(value):
                add(number, f"the target {name} must be a finite number, found {text!r}")
        if len(set(texts)) == 1:
            add(0, f"the target {name} is {texts[0]} in every row")
        return np.array([0.0 if value is None else value for value in values]), ()
    first: dict[str, int] = {}
    for number, text in enumerate(texts):
        first.setdefault(text, number)
        if not text or text.lower() == "nan":
            add(number, f"the target {name} is missing")
    counts = Counter(texts)
    for text, count in counts.items():
        if count == 1 and len(counts) > 1:
            add(first[text], f"class {text!r} of {name} is seen once: it cannot be learned and judged")
    if len(counts) == 1:
        add(0, f"the target {name} is {texts[0]!r} in every row: one class alone")
    classes = tuple(sorted(counts, key=lambda text: (number_of(text) is None, number_of(text) or 0.0, text)))
    numbers = {text: number for number, text in enumerate(classes)}
    return np.array([numbers[text] for text in texts]), classes


@lru_cache(4)
def read_arrays(path: Path, task: str) -> Data:
    """The images or rows of an npz file. Raises ProblemError for anything wrong in it; nothing is unpickled."""
    try:
        if path.exists() and not zipfile.is_zipfile(path):
            raise ValueError
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", KEY) from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        text = "it holds objects, not arrays of numbers" if "pickle" in str(error) else "no npz file of numpy"
        raise ProblemError(f"{path.name}: {text}: numpy.savez(file, images=..., targets=...)", KEY) from None
    faults = FileFaults(path.name, KEY)
    what = "images" if "images" in arrays else "rows"
    if what not in arrays or "targets" not in arrays:
        raise ProblemError(f"{path.name} has {', '.join(arrays) or 'nothing'}: give images (or rows) and targets", KEY)
    x, y = arrays[what], arrays["targets"]
    if x.ndim != (3 if what == "images" else 2) or y.shape != x.shape[:1]:
        shape = "(N, rows, columns)" if what == "images" else "(N, d)"
        faults.add(f"must be {shape} with targets (N,), found {x.shape} and {y.shape}", part=what)
    elif len(x) < FEWEST:
        faults.add(f"{len(x)} rows, fewer than {FEWEST}", part=what)
    if x.dtype.kind not in "fiub":
        faults.add(f"must be numbers, found {x.dtype}", part=what)
    elif not np.isfinite(x).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        faults.add(f"NaN or infinity, the first at {place}", part=what)
    elif x.size and x.min() == x.max():
        faults.add("all entries are equal: nothing can be learned", part=what)
    targets, classes = np.zeros(0), tuple[str, ...]()
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        faults.add(f"NaN or infinity, the first at {int(np.argmax(~np.isfinite(y)))}", part="targets")
    elif y.ndim == 1 and y.size and y.shape == x.shape[:1]:
        targets, classes = _targets([str(value) for value in y.tolist()], "targets", [], task, faults)
    faults.raise_any()
    flat = np.ascontiguousarray(x.reshape(len(x), -1), dtype=float)
    image = (int(x.shape[1]), int(x.shape[2])) if what == "images" else None
    return Data(flat, targets, tuple(f"x{k + 1}" for k in range(flat.shape[1])), (0,) * flat.shape[1], classes, image)


@lru_cache(1)
def digits() -> Data:
    """1,797 handwritten digits of 8 x 8 pixels in [0, 1] (Alpaydin, Kaynak, UCI repository), as of scikit-learn."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = np.ascontiguousarray(found.images.reshape(len(found.images), -1) / 16.0)
    names = tuple(f"pixel {i},{j}" for i in range(8) for j in range(8))
    return Data(rows, np.asarray(found.target), names, (0,) * 64, tuple(map(str, range(10))), (8, 8))


@lru_cache(1)
def tictactoe() -> Data:
    """All 958 final boards of noughts and crosses, x first: nine fields of blank, x, o; the target: whether x has won.

    By playing all games (the table of the UCI repository, Aha 1991: 626 of them are won by x).
    """
    lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
    found: dict[tuple[int, ...], int] = {}
    seen: set[tuple[int, ...]] = set()

    def play(board: tuple[int, ...], mover: int) -> None:
        if board in seen:
            return
        seen.add(board)
        winner = next((board[a] for a, b, c in lines if board[a] and board[a] == board[b] == board[c]), 0)
        if winner or all(board):
            found[board] = int(winner == 1)
            return
        for place in range(9):
            if not board[place]:
                play((*board[:place], mover, *board[place + 1 :]), 3 - mover)

    play((0,) * 9, 1)
    boards = sorted(found)
    names = tuple(f"{row} {column}" for row in ("top", "middle", "bottom") for column in ("left", "centre", "right"))
    rows, wins = np.array(boards, dtype=float), np.array([found[board] for board in boards])
    return Data(rows, wins, names, (3,) * 9, ("not won", "won"))


@lru_cache(4)
def planted(fields: int, order: int, terms: int, rows: int, noise: float, seed: int) -> Data:
    """Fields of +-1 drawn at random; the target is the sum of ``terms`` products of ``order`` of them, and normal
    noise of ``noise`` times its deviation."""
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 1.0], (rows, fields))
    chosen = [rng.choice(fields, order, replace=False) for _ in range(terms)]
    y = np.sum([x[:, one].prod(axis=1) for one in chosen], axis=0)
    y = y + noise * y.std() * rng.standard_normal(rows)
    return Data(x, y, tuple(f"x{k + 1}" for k in range(fields)), (0,) * fields, ())
