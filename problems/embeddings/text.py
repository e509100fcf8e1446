"""Texts and lists of word pairs as files: read, decoded, and cut into words. No numerics beyond numpy.

A word is a run of letters, of any alphabet, with apostrophes between them. Every refusal is one line beginning with
``file:line:column`` where a file has lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from problems.errors import ProblemError
from problems.tables import FileFaults, decoded, rows_of

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


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


@lru_cache(8)
def tokens(path: Path, encoding: str, lowercase: bool, key: str) -> tuple[str, ...]:
    """The words of a file in their order. Raises ProblemError for one without any."""
    text = decoded(path, key, encoding)
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


def table(
    path: Path, names: tuple[str, ...], encoding: str, faults: FileFaults
) -> Iterator[tuple[int, list[str], float]]:
    """Lines, cells and the last cell's number of the rows of a CSV file with this header; rows at fault are noted and
    left out."""
    header = False
    for line, row in rows_of(path, faults.key, encoding):
        if not header:
            header = True
            if row != list(names):
                faults.add(f"the header must read {','.join(names)}, found {','.join(row)}", line)
                return
            continue
        if len(row) != len(names):
            faults.add(f"expected {len(names)} columns ({','.join(names)}), found {len(row)}", line)
            continue
        value = faults.number(row[-1], names[-1], line, len(row))
        if value is not None:
            yield line, row, value
    if not header:
        faults.add(f"the file is empty: expected the header {','.join(names)}", 1)


@lru_cache(16)
def similarities(path: Path, encoding: str, lowercase: bool, key: str) -> tuple[tuple[str, str, float], ...]:
    """The pairs of a list with the header word1,word2,score."""
    faults = FileFaults(path.name, key)
    found = []
    for _, (first, second, _), score in table(path, ("word1", "word2", "score"), encoding, faults):
        pair = (first.lower(), second.lower()) if lowercase else (first, second)
        found.append((*pair, score))
    faults.raise_any()
    if len({score for _, _, score in found}) < 2:
        raise ProblemError(f"{path.name}: fewer than two different scores: a correlation needs them", key)
    return tuple(found)
