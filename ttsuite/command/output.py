"""Printing that a reader who has gone away does not disturb, as ``head`` does: the rest is written nowhere."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def say(line: str, stream: TextIO | None = None) -> None:
    """Print ``line`` to ``stream``, by default the standard output; where its reader has gone, do nothing."""
    stream = sys.stdout if stream is None else stream
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        silence(stream)


def silence(stream: TextIO) -> None:
    """Let everything more that is written to ``stream``, at the end of the process too, go nowhere."""
    with suppress(OSError, ValueError):  # a stream without a file of the system's
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
