"""The examples of a Markdown page: its fenced blocks, written, run and compared in the order of the page.

``yaml`` and ``csv`` become files, named by their first line (``# NAME``); ``sh`` runs in bash, ``python`` in one
session a page; ``text`` right after one of these is its output, where ``...`` stands for anything. ``console`` is not
run.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FENCE = re.compile(r"^```([a-z{}-]*)[^`\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
FILES, RUN, OUTPUT, NOT_RUN = (
    ("yaml", "csv"),
    ("sh", "python"),
    "text",
    ("console", "{toctree}", "{eval-rst}", "{literalinclude}"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line of the page where the text starts."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start(2)) + 1) for m in FENCE.finditer(text)]


class Session:
    """What one page has written, run and printed so far."""

    def __init__(self, page: Path, folder: Path, bin: Path | None = None) -> None:
        """``bin`` is a folder with another ``ttsuite`` than the one that is installed."""
        self.page, self.folder = page, folder
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.output: str | None = None
        folders = [*([str(bin)] if bin else []), str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment = {**os.environ, "PATH": os.pathsep.join(folders), "MPLBACKEND": "Agg"}

    def take(self, block: Block) -> None:
        """Write, run or compare a block."""
        if block.language in FILES:
            self.write(block)
        elif block.language == OUTPUT:
            self.compare(block)
        elif block.language in RUN:
            self.output = self.shell(block) if block.language == "sh" else self.python(block)
            return
        elif block.language not in NOT_RUN:
            pytest.fail(f"{self.page.name}:{block.line}: a block of language {block.language!r}")
        self.output = None

    def write(self, block: Block) -> None:
        named = re.match(r"# ([\w-]+\.(?:yaml|csv))\b", block.text)
        assert named, f"{self.page.name}:{block.line}: the first line must be '# NAME.{block.language}'"
        (self.folder / named[1]).write_text(block.text, encoding="utf-8")

    def shell(self, block: Block) -> str:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block.text],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,  # seconds; a page takes a few on a quiet machine
        )
        assert done.returncode == 0, f"{self.page.name}:{block.line}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def python(self, block: Block) -> str:
        # the empty lines make a traceback point into the page
        code = compile("\n" * (block.line - 1) + block.text, str(self.page), "exec")
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)
        return printed.getvalue()

    def compare(self, block: Block) -> None:
        where = f"{self.page.name}:{block.line}"
        assert self.output is not None, f"{where}: output of nothing: a text block follows what prints it"
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        if not doctest.OutputChecker().check_output(block.text, self.output, options):
            pytest.fail(f"{where}: the page shows\n{block.text}\nbut what came out is\n{self.output}")
