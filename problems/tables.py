"""Files of rows and arrays that people bring: their text, their rows with line numbers, and all that is wrong in them.

What is wrong is gathered and told at once, a line a fault: ``file:line:column: what, and the cure`` where a file has
lines, the column of a table being the number of its cell.
"""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from problems.errors import ProblemError

SHOWN = 8  # faults of one file that are told; the others are counted
BOM = "\ufeff"


class FileFaults:
    """What is wrong in a file, all of it up to a few."""

    def __init__(self, name: str, key: str) -> None:
        self.name, self.key = name, key
        self.found: list[str] = []
        self.count = 0

    def add(self, text: str, line: int | None = None, column: int = 1, part: str = "") -> None:
        """Note a fault at a line and column, or of a ``part`` of a file that has none."""
        self.count += 1
        if len(self.found) < SHOWN:
            place = f"[{part}]" if part else "" if line is None else f":{line}:{column}"
            self.found.append(f"{self.name}{place}: {text}")

    def raise_any(self) -> None:
        """ProblemError with all of them, if there are any."""
        if self.found:
            more = [f"{self.name}: and {self.count - SHOWN} more faults"] if self.count > SHOWN else []
            raise ProblemError.of_all([ProblemError(text, self.key) for text in [*self.found, *more]])

    def number(self, cell: str, name: str, line: int, column: int) -> float | None:
        """A finite number of a cell; None, and a fault, for anything else."""
        value = number_of(cell)
        if value is None:
            self.add(f"{name} must be a number, found {cell!r}", line, column)
        elif not math.isfinite(value):
            self.add(f"{name} must be finite, found {cell}", line, column)
        else:
            return value
        return None


def raise_all(checks: Iterable[Callable[[], object]]) -> None:
    """Make every check, then raise what they raised together."""
    found = []
    for check in checks:
        try:
            check()
        except ProblemError as error:
            found.append(error)
    if found:
        raise ProblemError.of_all(found)


def number_of(text: str) -> float | None:
    """The number that a cell holds; None where it holds none."""
    try:
        return float(text.replace("_", "?"))  # float() would read 1_000
    except ValueError:
        return None


def decoded(path: Path, key: str, encoding: str | None = None) -> str:
    """The text of a file; ProblemError for one that cannot be read, with the place of the first byte that is wrong.

    ``encoding``: as the user said it; None where there is no key to say another than UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", key) from None
    except OSError as error:
        raise ProblemError(f"cannot read {path}: {error.strerror}", key) from None
    try:
        return raw.decode(encoding or "utf-8").removeprefix(BOM)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        start = before.rfind(b"\n") + 1
        column = len(raw[start : error.start].decode(encoding or "utf-8", errors="replace")) + 1
        found = f"byte 0x{raw[error.start]:02x}" if error.start < len(raw) else "the end"
        other = "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"
        text = f"{found} is not {encoding} text: say its encoding, perhaps {other}"
        if encoding is None:
            text = f"not UTF-8 text: save it as UTF-8 (iconv -f {other} -t utf-8)"
        raise ProblemError(f"{path.name}:{line}:{column}: {text}", key) from None


def rows_of(path: Path, key: str, encoding: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Lines, from 1, and cells of a CSV file, the header among them; empty lines and those with ``#`` are left out."""
    for line, content in enumerate(decoded(path, key, encoding).splitlines(), start=1):
        if content.strip() and not content.lstrip().startswith("#"):
            yield line, [cell.strip() for cell in next(csv.reader([content]))]


def rows_below(
    path: Path, key: str, headers: Sequence[Sequence[str]], faults: FileFaults
) -> Iterator[tuple[int, Sequence[str], list[str]]]:
    """Lines, from 1, the one of ``headers`` that a CSV file has, and the cells of each row below it.

    Another header, or none, is a fault: there are no rows then, since they are of another table.
    """
    wanted = " or ".join(",".join(one) for one in headers)
    header: Sequence[str] | None = None
    for line, row in rows_of(path, key):
        if header is not None:
            yield line, header, row
        elif row in [list(one) for one in headers]:
            header = row
        else:
            faults.add(f"the header must read {wanted}", line)
            return
    if header is None:
        faults.add(f"empty: expected the header {','.join(headers[0])} and rows below it")
