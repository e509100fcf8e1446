"""Pages for everyone: the rules of axe-core, the width of the window, light and dark, the keyboard, no script."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from browser import Browser, chromium

from ttsuite.pages.compare import compare_runs
from ttsuite.pages.compare_page import write_comparison
from ttsuite.reproductions.reproduce import reproduce
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_report
from ttsuite.scans.scan_file import load_scan
from ttsuite.scans.scan_pages import write_pages
from ttsuite.scans.scan_table import Outcome, picture

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium is installed"),
    pytest.mark.figures,
]
ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "results" / "reference"
PAGES = ("report", "comparison", "scan", "index", "reproduction")
COLLECTION = """\
title: A paper
items:
  - name: border
    part: table 1
    what: Two terms and the W tensor
    computation: border-rank
    arguments: {modes: [3], steps: [0.1]}
    values:
      - {label: error, quantity: error of two terms, published: 0.1735, tolerance: 0.0001, source: "arXiv:1711.00811"}
      - {label: norm of a term, quantity: norm of a term, published: 10.0, why: rounded there}
  - {name: other, part: table 1, what: The same, computation: border-rank, stand_in: other data, values: []}
  - {name: data, part: table 2, what: Needs data, not_run: nobody here has them}
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A report and an index of those that are shipped, a comparison and a scan of four points."""
    folder = tmp_path_factory.mktemp("pages")
    plan = load_scan(ROOT / "configs" / "scans" / "tiny" / "tunnelling.yaml")
    outcomes = []
    for point in plan.points:
        values = {f"energies[{k}]": (k + 0.1 * point.number, 1e-7) for k in range(4)}
        status = "failed" if point.number == 2 else "finished"
        settings = dict.fromkeys(plan.keys, float(point.number))
        outcomes.append(Outcome(point.number, settings, f"points/{point.number}", status, "why", 1.5, values))
    (folder / "scan").mkdir()
    write_pages(plan, outcomes, "4 points: 3 finished, 1 failed", picture(outcomes), Record(folder / "scan"))
    run = REFERENCE / "spin-boson"
    (folder / "paper.yaml").write_text(COLLECTION)
    reproduced = reproduce(folder / "paper.yaml", out=folder / "reproduced", workers=1).folder
    run_folder = next(reproduced.glob("points/border-*"))  # which is given a figure
    shutil.copytree(ROOT / "docs" / "gallery", run_folder / "figures", ignore=shutil.ignore_patterns("[!a]*", "*.md"))
    record = Record(run_folder)
    record.write_json("report.json", read_report(run_folder) | {"figures": ["acetonitrile-deviations"]})
    reproduce(folder / "paper.yaml", out=folder / "reproduced", workers=1)
    return {
        "report": run / "report.html",
        "comparison": write_comparison(compare_runs(run, run), folder / "compared"),
        "scan": folder / "scan" / "scan.html",
        "index": REFERENCE / "index.html",
        "reproduction": reproduced / "reproduction.html",
    }


@pytest.fixture(scope="module")
def axe():
    """The program of axe-core, which knows the rules."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core-python is not installed")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


WIDTHS, SCHEMES = (1400, 390), ("light", "dark")


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser, pages, axe, name):
    """At a desk and on a phone, light and dark; a page is opened once, and told of both by the browser."""
    browser.open(pages[name], 1400)
    # rows are alike
    browser.value("document.querySelectorAll('tbody').forEach(b => [...b.rows].slice(6).forEach(r => r.remove()))")
    browser.value(f"{axe}; undefined")
    found = {}
    for width in WIDTHS:
        browser.resize(width)
        for scheme in SCHEMES:
            browser.media(scheme=scheme)
            found[width, scheme] = browser.value("""axe.run().then(r => r.violations.filter(v => v.impact !== 'minor')
                .map(v => [v.id, v.impact, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))""")
            assert browser.value("innerWidth") == width
            assert browser.value(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
            assert browser.value("document.documentElement.scrollWidth") <= width
    browser.media()
    assert found == {(width, scheme): [] for width in WIDTHS for scheme in SCHEMES}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_the_dark_is_dark_and_its_figures_are_not(browser, pages, name):
    colour = "getComputedStyle({}).backgroundColor.match(/\\d+/g).map(Number)".format
    browser.media(scheme="dark")
    browser.open(pages[name], 1400)
    dark = browser.value(colour("document.body"))
    figures = browser.value(f"[...document.images].map(e => {colour('e')})")
    browser.media()
    browser.open(pages[name], 1400)
    assert max(dark) < 60 and browser.value(colour("document.body")) == [255, 255, 255]
    assert figures and all(shade == [255, 255, 255] for shade in figures)


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_its_window(browser, pages, name, width):
    browser.open(pages[name], width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("Math.max(...[...document.images].map(i => i.getBoundingClientRect().width))") <= width


@pytest.mark.parametrize("name", PAGES)
def test_structure_and_alternative_texts(browser, pages, name):
    browser.open(pages[name], 1400)
    assert browser.value("document.querySelectorAll('main, h1, header').length") == 3
    # a figure is told by what it shows, which its caption does not repeat
    alts = browser.value("[...document.querySelectorAll('figure img')].map(i => i.alt)")
    captions = browser.value("[...document.querySelectorAll('figcaption')].map(c => c.textContent.trim())")
    assert all(len(alt) > 30 for alt in alts), alts
    assert not set(alts) & set(captions)
    # every cell has a head of its row and of its column
    heads = """[...document.querySelectorAll('table')].every(t => [...t.tBodies[0].rows].every(
        row => row.querySelector('th[scope=row]')) && t.tHead.querySelector('th[scope=col]'))"""
    assert browser.value(heads)


def test_the_first_column_stays_and_tables_sort_by_raw_values(browser, pages):
    browser.open(pages["report"], 1400)
    levels = "document.querySelector('#levels ~ .scroll table')"
    column = f"[...{levels}.tBodies[0].rows].map(r => r.cells[1].dataset.value ?? r.cells[1].textContent)"
    before = [float(value) for value in browser.value(column)]
    browser.value(f"{levels}.tHead.rows[0].cells[1].querySelector('button').click()")
    browser.value(f"{levels}.tHead.rows[0].cells[1].querySelector('button').click()")
    assert [float(value) for value in browser.value(column)] == sorted(before, reverse=True) != before
    assert browser.value(f"{levels}.tHead.rows[0].cells[1].getAttribute('aria-sort')") == "descending"
    browser.open(pages["report"], 390)
    left = f"{levels}.tBodies[0].rows[0].cells[0].getBoundingClientRect().left"
    first = browser.value(left)
    browser.value(f"{levels}.closest('.scroll').scrollLeft = 300")
    assert browser.value(left) == first


def test_a_page_without_script_shows_everything(browser, pages, tmp_path):
    text = pages["report"].read_text()
    start, end = text.index("<script>"), text.index("</script>")
    bare = tmp_path / "bare.html"
    bare.write_text(text[:start] + text[end + len("</script>") :])
    cells = "[...document.querySelectorAll('th, td')].map(c => c.textContent)"
    browser.open(bare, 1400)
    without = browser.value(cells)
    assert browser.value("document.querySelectorAll('button').length") == 0
    browser.open(pages["report"], 1400)
    assert browser.value(cells) == without


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(browser, pages):
    browser.open(pages["report"], 1400)
    seen = []
    for _ in range(12):
        for kind in ("rawKeyDown", "keyUp"):
            browser._call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        seen.append(
            browser.value(
                "[document.activeElement.tagName, document.activeElement.textContent.trim(), "
                "getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    assert seen[0][1] == "Skip to the content" and all(style == "solid" for *_, style in seen)
    assert "report.json" in json.dumps(seen) and "Levels" in json.dumps(seen)
