"""Printing that a reader who has gone away does not disturb, as ``head`` does: the rest is written nowhere."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import textwrap
from contextlib import suppress
from typing import TextIO

WIDE = 120  # characters of a line that goes to no terminal
INDENT = 2  # of what continues a line
NARROW = 30  # a terminal below this is not one


def width_of(stream: TextIO | None) -> int:
    """Characters a line."""
    if stream is None or not stream.isatty():
        return WIDE
    return max(shutil.get_terminal_size().columns, NARROW)


def say(line: str, stream: TextIO | None = None, *, wrap: bool = True) -> None:
    """Print ``line`` to ``stream``, by default the standard output; where that takes no more, do nothing.

    A stream breaks where its reader has gone, its terminal was closed or its disk is full. What its encoding does not
    have is told in ASCII. On a terminal long lines are wrapped at its width, unless ``wrap`` is false.
    """
    stream = sys.stdout if stream is None else stream
    if stream is None:  # closed before this process began
        return
    try:
        if wrap and stream.isatty():
            line = fitted(line, width_of(stream))
        print(written(line, stream), file=stream, flush=True)
    except (OSError, ValueError):
        silence(stream)
    except RuntimeError:  # a signal came while this stream was written to
        return


def fitted(text: str, width: int) -> str:
    """``text`` in lines of at most ``width`` characters, as far as no word is longer: a path stays whole, on its own.

    What follows stands below the second column of a line that has columns, two spaces apart, else two spaces in.
    """
    return "\n".join(_fitted(line, width) for line in text.split("\n"))


def _fitted(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = len(line) - len(line.lstrip())
    columns = re.compile(r"\S {2,}(?=\S)").search(line, indent)
    hanging = indent + INDENT if columns is None or columns.end() > width // 2 else columns.end()
    return textwrap.fill(line, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False)


def written(text: str, stream: TextIO) -> str:
    """``text`` in the letters that ``stream`` can write."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        from solvers.measured import in_ascii

        return in_ascii(text).encode(encoding, "replace").decode(encoding)
    return text


def silence(stream: TextIO) -> None:
    """Let everything more that is written to ``stream``, at the end of the process too, go nowhere."""
    with suppress(OSError, ValueError):  # a stream without a file of the system's
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Unbreakable(io.TextIOBase):
    """A stream that goes on when the one beneath breaks: for displays that write from threads of their own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream beneath."""
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            silence(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            silence(self._stream)
