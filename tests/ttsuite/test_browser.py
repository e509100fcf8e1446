"""Index, report and comparison in a real headless Chromium; skipped where none is installed."""

import json

import pytest
from browser import Browser, chromium

from ttsuite.pages.compare import compare_runs
from ttsuite.pages.compare_page import write_comparison
from ttsuite.pages.index import index_runs

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium is installed")
WIDTHS = [1280, 390]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def pages(copied, tmp_path):
    """A folder with three runs, one of them changed, and their index; a comparison."""
    for number, name in enumerate(("bb", "aa", "cc")):
        folder = copied(name)
        report = json.loads((folder / "report.json").read_text())
        report["name"] = name
        report["timing"]["wall_s"] = [9.0, 10.0, 1.5][number]
        report["results"]["energies"][0] += number
        if name == "cc":
            report["references"], report["status"] = [], "interrupted"
        (folder / "report.json").write_text(json.dumps(report))
    comparison = write_comparison(compare_runs(tmp_path / "aa", tmp_path / "bb"), tmp_path / "compared")
    return {"index": index_runs(tmp_path), "report": tmp_path / "aa" / "report.html", "comparison": comparison}


@pytest.mark.figures
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_load_without_a_complaint_and_fit(browser, pages, width):
    for name, page in pages.items():
        browser.open(page, width)
        assert browser.complaints == [], name
        assert browser.value("innerWidth") == width
        assert browser.value("document.documentElement.scrollWidth") <= width, name
        assert all(url.startswith(("file:", "data:")) for url in browser.requests)
        # every image is there, and no text is cut off where it cannot be scrolled to
        assert browser.value("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
        assert browser.value("document.images.length") >= 1
        wide = """[...document.querySelectorAll('h1, h2, p, dt, dd, figcaption, .facts > div')]
            .filter(e => !e.closest('.scroll') && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
            .map(e => e.textContent)"""
        assert browser.value(wide) == [], name


def names(browser):
    rows = "[...document.querySelectorAll('#runs tbody tr:not([hidden]) .run > a')]"
    return browser.value(f"{rows}.map(a => a.textContent)")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_index_is_sorted_and_searched(browser, pages, width):
    browser.open(pages["index"], width)
    head = "#runs th:nth-child({}) button".format
    for column, up in ((2, ["aa", "bb", "cc"]), (8, ["cc", "bb", "aa"])):
        browser.click(head(column))
        assert names(browser) == up
        browser.click(head(column))
        assert names(browser) == up[::-1]
    for _ in range(2):  # what is not known comes last, up and down
        browser.click(head(6))
        assert names(browser)[-1] == "cc"
    assert browser.value("document.querySelectorAll('#runs [aria-sort=none]').length") == 8
    browser.value(
        "(e => { e.value = 'Interrupted'; e.dispatchEvent(new Event('input')) })(document.querySelector('#filter'))"
    )
    assert names(browser) == ["cc"] and browser.value("document.querySelector('#count').value") == "1 of 3 runs"
    assert browser.complaints == []


def test_a_link_of_the_index_opens_the_report(browser, pages):
    browser.open(pages["index"], 1280)
    target = browser.value("[...document.querySelectorAll('.run > a')].find(a => a.textContent === 'aa').href")
    assert target == pages["report"].resolve().as_uri()


def test_complaints_are_heard(browser, tmp_path):
    (tmp_path / "bad.html").write_text(
        "<img src='missing.png'><script>console.error('x'); throw new Error('y')</script>"
    )
    browser.open(tmp_path / "bad.html", 1280)
    assert len(browser.complaints) == 3
