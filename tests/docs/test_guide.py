"""Every example of the guide is run, page by page, in the order of the page (tests/documents.py).

``console`` is not run: what installs, needs another machine, or takes minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import FILES, Session, blocks_of

import ttsuite

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
# a first run with the files of its figures is of the command as it is installed
INSTALLED = ("first-run",)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page, tmp_path, quick_command):
    session = Session(page, tmp_path, None if page.stem in INSTALLED else quick_command)
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


@pytest.mark.slow  # a minute; .ci/run does it once, when the extra is there
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason="the extra 'docs' is not installed")
    pytest.importorskip("myst_parser", reason="the extra 'docs' is not installed")
    pytest.importorskip("furo", reason="the extra 'docs' is not installed")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.stem for path in (tmp_path / "site").glob("*.html")}
    assert {page.stem for page in PAGES} <= built
    # nothing is loaded from elsewhere: the pages work from the file system, without a network
    for path in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?:)?//", path.read_text(encoding="utf-8"))
        assert not loaded, f"{path.name} loads from another place"
    api = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "site" / "api").glob("*.html"))
    missing = [name for name in set(ttsuite.__all__) - {"quantics"} if f'id="ttsuite.{name}"' not in api]
    assert missing == [] and 'id="module-solvers.formats.quantics"' in api
