"""Texts and lists of word pairs as files: read, decoded, and cut into words. No numerics beyond numpy.

A word is a run of letters, of any alphabet, with apostrophes between them. Every refusal is one line beginning with
``file:line:column`` where a file has lines.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from problems.errors import ProblemError

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
BOM = "\ufeff"


@dataclass(frozen=True, eq=False)
class Corpus:
    """``words``: the vocabulary, the most frequent first; ``ids`` (t,) of the words of the text that are in it;
    ``blocks`` (t,): numbers of the blocks they stand in; ``total``: words of the text, others included."""

    words: tuple[str, ...]
    ids: np.ndarray
    blocks: np.ndarray
    total: int

    @property
    def n_blocks(self) -> int:
        return int(self.blocks[-1]) + 1 if len(self.blocks) else 0


def decoded(path: Path, encoding: str, key: str) -> str:
    """The text of a file; ProblemError for one that cannot be read, with the place of the first byte that is wrong."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", key) from None
    except OSError as error:
        raise ProblemError(f"cannot read {path}: {error.strerror}", key) from None
    try:
        return raw.decode(encoding).removeprefix(BOM)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        start = before.rfind(b"\n") + 1
        column = len(raw[start : error.start].decode(encoding, errors="replace")) + 1
        found = f"byte 0x{raw[error.start]:02x}" if error.start < len(raw) else "the end"
        other = "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"
        text = f"{path.name}:{line}:{column}: {found} is not {encoding} text: say its encoding, perhaps {other}"
        raise ProblemError(text, key) from None


@lru_cache(8)
def tokens(path: Path, encoding: str, lowercase: bool, key: str) -> tuple[str, ...]:
    """The words of a file in their order. Raises ProblemError for one without any."""
    text = decoded(path, encoding, key)
    found = tuple(WORD.findall(text.lower() if lowercase else text))
    if not found:
        what = "is empty" if not text.strip() else "has no words, only signs and digits"
        raise ProblemError(f"{path.name}:1:1: the file {what}: give a text", key)
    return found


@lru_cache(4)
def corpus(
    paths: tuple[Path, ...], encoding: str, lowercase: bool, min_count: int, block: int, keys: tuple[str, ...]
) -> Corpus:
    """The texts, one after the other, with the words seen at least ``min_count`` times, in blocks of ``block`` of them;
    no block reaches from one file into the next."""
    texts = [tokens(path, encoding, lowercase, key) for path, key in zip(paths, keys)]
    seen = Counter(word for text in texts for word in text)
    words = tuple(sorted((w for w, count in seen.items() if count >= min_count), key=lambda w: (-seen[w], w)))
    number = {word: i for i, word in enumerate(words)}
    ids: list[np.ndarray] = []
    blocks: list[np.ndarray] = []
    first = 0
    for text in texts:
        own = np.array([number[word] for word in text if word in number], dtype=np.int64)
        ids.append(own)
        count = max(1, round(len(own) / block))
        blocks.append(first + np.minimum(np.arange(len(own)) // block, count - 1))
        first += count if len(own) else 0
    return Corpus(words, np.concatenate(ids), np.concatenate(blocks), sum(map(len, texts)))


def rows_of(path: Path, names: tuple[str, ...], encoding: str, key: str) -> Iterator[tuple[str, list[str]]]:
    """``file:line: `` and cells of the rows of a CSV file with this header; lines that begin with # are comments."""
    header = False
    for line, content in enumerate(decoded(path, encoding, key).splitlines(), start=1):
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        where = f"{path.name}:{line}: "
        row = [cell.strip() for cell in next(csv.reader([content]))]
        if not header:
            if row != list(names):
                raise ProblemError(f"{where}the header must read {','.join(names)}, found {','.join(row)}", key)
            header = True
            continue
        if len(row) != len(names):
            raise ProblemError(f"{where}expected {len(names)} columns ({','.join(names)}), found {len(row)}", key)
        yield where, row
    if not header:
        raise ProblemError(f"{path.name}:1:1: the file is empty: expected the header {','.join(names)}", key)


def number_in(cell: str, where: str, name: str, key: str) -> float:
    """A finite number of a row."""
    try:
        value = float(cell.replace("_", "?"))  # float() would read 1_000
    except ValueError:
        raise ProblemError(f"{where}{name} must be a number, found {cell!r}", key) from None
    if not math.isfinite(value):
        raise ProblemError(f"{where}{name} must be finite, found {cell}", key)
    return value


@lru_cache(16)
def similarities(path: Path, encoding: str, lowercase: bool, key: str) -> tuple[tuple[str, str, float], ...]:
    """The pairs of a list with the header word1,word2,score."""
    found = []
    for where, (first, second, score) in rows_of(path, ("word1", "word2", "score"), encoding, key):
        pair = (first.lower(), second.lower()) if lowercase else (first, second)
        found.append((*pair, number_in(score, where, "score", key)))
    if len({score for _, _, score in found}) < 2:
        raise ProblemError(f"{path.name}: fewer than two different scores: a correlation needs them", key)
    return tuple(found)
