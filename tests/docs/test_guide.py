"""Every example of the guide is run, page by page, in the order of the page.

A fenced block is what its language says. ``yaml`` and ``csv`` become files, named by their first line (``# NAME``);
``sh`` runs in bash, ``python`` in one session a page; ``text`` right after one of these is its output, where ``...``
stands for anything. ``console`` is not run: what installs, needs another machine, or takes minutes.
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

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FENCE = re.compile(r"^```([a-z{}-]*)[ ]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
FILES, RUN, OUTPUT, NOT_RUN = ("yaml", "csv"), ("sh", "python"), "text", ("console", "{toctree}")


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

    def __init__(self, page: Path, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.output: str | None = None
        binaries = str(Path(sys.executable).parent)
        self.environment = {**os.environ, "PATH": binaries + os.pathsep + os.environ["PATH"], "MPLBACKEND": "Agg"}

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
            timeout=120,
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page, tmp_path):
    session = Session(page, tmp_path)
    for block in blocks_of(page):
        session.take(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_of_a_page_is_used(page):
    blocks = blocks_of(page)
    for number, block in enumerate(blocks):
        if block.language in FILES:
            name = block.text.partition("\n")[0].removeprefix("# ").split()[0].rstrip(":")
            assert any(name in later.text for later in blocks[number + 1 :]), f"{page.name}:{block.line}: {name}"


def test_a_wrong_example_is_found(tmp_path):
    """The collector itself: a failing command, a wrong output and an unnamed file are errors."""
    for text in ("```sh\nfalse\n```\n", "```python\nprint(1)\n```\n```text\n2\n```\n", "```yaml\na: 1\n```\n"):
        page = tmp_path / "page.md"
        page.write_text(text)
        session = Session(page, tmp_path)
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            for block in blocks_of(page):
                session.take(block)


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason="the extra 'docs' is not installed")
    pytest.importorskip("myst_parser", reason="the extra 'docs' is not installed")
    pytest.importorskip("furo", reason="the extra 'docs' is not installed")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.stem for path in (tmp_path / "site").glob("*.html")}
    assert {page.stem for page in PAGES} <= built
    # nothing is loaded from elsewhere: the pages work from the file system, without a network
    for path in (tmp_path / "site").glob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?:)?//", path.read_text(encoding="utf-8"))
        assert not loaded, f"{path.name} loads from another place"
