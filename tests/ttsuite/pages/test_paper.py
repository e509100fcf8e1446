"""What a page loses on paper: nothing. In a real browser where one is installed, by the rules of its style anywhere."""

import io
import re
from collections import Counter
from pathlib import Path

import pytest
from browser import Browser, chromium

from ttsuite.pages.render import _TEMPLATES

REFERENCE = Path(__file__).parents[3] / "results" / "reference"
PAGES = sorted(REFERENCE.glob("*/report.html"))
real = pytest.mark.skipif(chromium() is None, reason="no Chromium is installed")
PRINTABLE = 688  # CSS pixels of A4 less the margins of print.css
CELLS = """[...document.querySelectorAll('table')].filter(t => !t.closest('.on-paper'))
    .flatMap(t => [...t.querySelectorAll('th, td')].map(c => c.textContent.replace(/\\s+/g, '')))
    .filter(text => text)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def test_there_are_pages_of_every_kind():
    assert len(PAGES) >= 6


def squeezed(pdf):
    """The text of a PDF without white space."""
    pypdf = pytest.importorskip("pypdf")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    for joined, letters in {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi"}.items():
        text = text.replace(joined, letters)
    return re.sub(r"\s+", "", text)


@real
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_printed_page_holds_every_cell_of_every_table(browser, page):
    browser.open(page, 1400)
    cells = Counter(browser.value(CELLS))
    # the figures keep their places, and are not read line by line for the texts of tables
    browser.value("document.querySelectorAll('img').forEach(i => i.style.visibility = 'hidden')")
    printed = squeezed(browser.paper())
    assert sum(cells.values()) > 10
    lost = {cell: count for cell, count in cells.items() if printed.count(cell) < count}
    assert lost == {}


@real
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_nothing_is_clipped_or_scrolled_on_paper(browser, page):
    browser.media("print")
    browser.open(page, PRINTABLE)
    try:
        outside = """[...document.querySelectorAll('th, td, p, dd, dt, pre, img, h1, h2')].filter(e => {
            const b = e.getBoundingClientRect();
            const beyond = b.right > innerWidth + 1 || b.left < -1;
            return b.width && (beyond || e.scrollWidth > e.clientWidth + 1 && e.clientWidth);
        }).map(e => e.tagName + ': ' + e.textContent.slice(0, 80))"""
        assert browser.value(outside) == []
        clipped = """[...document.querySelectorAll('.scroll, pre')].filter(e => e.getBoundingClientRect().width)
            .filter(e => getComputedStyle(e).overflowX !== 'visible' || e.scrollHeight > e.clientHeight + 2).length"""
        assert browser.value(clipped) == 0
        # the status is black on white, figures are small enough for more than one a sheet
        assert browser.value("getComputedStyle(document.querySelector('.status')).color") == "rgb(0, 0, 0)"
        assert browser.value("Math.max(...[...document.images].map(i => i.getBoundingClientRect().height))") < 575
    finally:
        browser.media()


def rules(css, medium):
    """Selector -> declarations of one ``@media`` block."""
    start = css.index(f"@media {medium} {{") + len(f"@media {medium} {{")
    depth, end = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(css[end], 0)
        end += 1
    found = {}
    for selectors, block in re.findall(
        r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", css[start : end - 1], flags=re.S)
    ):
        told = dict(re.split(r":\s*", entry.strip(), maxsplit=1) for entry in block.split(";") if entry.strip())
        for selector in selectors.split(","):
            found.setdefault(selector.strip(), {}).update(told)
    return found


def test_the_rules_for_print_leave_nothing_behind_a_scroll_bar():
    screen = (_TEMPLATES / "style.css").read_text()
    paper = rules((_TEMPLATES / "print.css").read_text(), "print")
    # whatever scrolls, sticks or has an end on a screen is told otherwise for paper
    for selector in re.findall(r"^(\S[^{}@]*?) \{[^}]*overflow(?:-[xy])?: auto", screen, flags=re.M):
        assert paper[selector]["overflow"] == "visible" or paper[selector].get("display") == "none", selector
    assert paper[".levels"]["max-height"] == "none"
    assert paper["thead"]["display"] == "table-header-group" and paper["tr"]["break-inside"] == "avoid"
    assert paper["thead th"]["position"] == paper["tbody th"]["position"] == "static"
    assert paper["pre"]["white-space"] == "pre-wrap" and paper["figure"]["break-inside"] == "avoid"
    assert paper[".status"]["color"] == "#000" and "solid #000" in paper[".status"]["border"]
    assert paper[".on-screen"]["display"] == "none" and paper[".on-paper"]["display"] == "block"
