"""The page over all runs: what it lists, what it survives, what it leaves alone. How it works is in test_browser."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from matplotlib.figure import Figure

from problems.report_parts import Picture
from solvers.measured import Measured
from ttsuite.actions.run import load
from ttsuite.command.cli import main
from ttsuite.pages import report as report_writer
from ttsuite.pages.index import index_runs
from ttsuite.pages.report import card
from ttsuite.runs.job import Run
from ttsuite.runs.record import RecordError
from ttsuite.runs.run_folder import read_report, runs_below


class Page(HTMLParser):
    """Rows of cell texts, links and images."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self.images, self.tags = [], [], [], []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.links += [values["href"]] if tag == "a" else []
        self.images += [values["src"]] if tag == "img" else []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._open = True

    def handle_endtag(self, tag):
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data):
        if self._open:
            self.rows[-1][-1] += data.strip()


def change(folder, **entries):
    report = json.loads((folder / "report.json").read_text())
    report |= entries
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def test_all_runs_are_listed_with_links_that_lead_there(copied, tmp_path, capsys):
    change(copied("a"), name="first")
    awkward = "scan/50% <b>&\"'#?é"
    (tmp_path / "scan").mkdir()
    change(copied(awkward), name="<script>alert(1)</script>", status="interrupted", headline=[], message="a < b")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "report.json").write_text("{")
    copied(".hidden")
    shutil.rmtree(copied("new") / "figures")
    assert main(["index", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'index.html'}\n"
    text = (tmp_path / "index.html").read_text()
    page = Page(text)
    rows = page.rows[1:]
    assert {row[1].partition("/")[0][:5] for row in rows} == {"first", "<scri", "broke", "faken"}
    assert len(rows) == 4 and page.tags.count("script") == 1
    assert len(page.images) == 2 and all(image.startswith("data:image/png;base64,") for image in page.images)
    assert page.links.pop(0) == "#content"
    assert page.links and all((tmp_path / unquote(link)).is_file() for link in page.links)
    assert any("50%25%20%3Cb%3E" in link for link in page.links)
    by_status = {row[3]: row for row in rows}
    assert by_status["damaged"][1].startswith("broken") and "is damaged" in by_status["damaged"][4]
    assert by_status["interrupted"][4] == "a < b" and by_status["finished"][2] == "vibrational"
    report = read_report(tmp_path / "a")
    largest = max(map(max, report["results"]["ranks"]))
    shown = next(row for row in rows if row[1].startswith("first"))
    # alike for all kinds: the deviation over the accuracy asked, which is 0.01 here
    deviation = report["references"][0]["max_abs_deviation"]
    assert shown[5:8] == [
        f"{Measured(deviation / 0.01, bound=True)} ({Measured(deviation, bound=True)})",
        str(largest),
        f"{report['timing']['wall_s']:.1f}",
    ]
    results = report["results"]
    first = Measured(results["energies"][0], results["error_estimates"][0], "cm-1")
    assert shown[4].startswith(f"energies, state 0{first}") and report["headline"][0][1] in shown[4]
    assert "http" not in text  # nothing is loaded from elsewhere


def test_an_index_is_renewed_and_nothing_else_is_overwritten(copied, tmp_path):
    copied("a")
    first = index_runs(tmp_path).read_text()
    assert index_runs(tmp_path).read_text() == first
    copied("b")
    assert len(Page(index_runs(tmp_path).read_text()).rows) == 3
    (tmp_path / "index.html").write_text("<p>mine")
    with pytest.raises(RecordError, match="not overwritten"):
        index_runs(tmp_path)
    assert (tmp_path / "index.html").read_text() == "<p>mine"


@pytest.mark.figures
@pytest.mark.parametrize("command", ["index", "report", "plot"])
def test_a_full_disk_is_told_in_one_line_and_costs_nothing(copied, tmp_path, capsys, monkeypatch, command):
    folder = copied("a")
    index_runs(tmp_path)
    monkeypatch.setattr(
        "problems.quantum.tasks.spectrum.figures.figures", lambda *arguments: [Picture("spectrum", "", Figure())]
    )
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(source, target):
        raise OSError(28, "No space left on device", str(source), None, str(target))

    monkeypatch.setattr("os.replace", full)
    assert main([command, str(tmp_path if command == "index" else folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(": No space left on device") and "partial" not in line
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_empty_folder_and_none_at_all(tmp_path, capsys):
    assert "0 runs" in index_runs(tmp_path).read_text()
    assert main(["index", str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'nothing'} is no folder\n"


@pytest.mark.parametrize(
    "entries",
    [
        {"references": [], "headline": [["what"]], "figures": ["../../secret", 3]},
        {"results": {"ranks": [["x"], [2]]}, "timing": {"wall_s": "long"}, "peak_rss_mb": True},
        {"provenance": {"started": 5}, "references": [7], "figures": ["deviations/x"]},
        {"results": {"ranks": 4}, "references": [{}]},
        {"headline": 4, "figures": 4},
    ],
)
def test_odd_entries_of_a_record_do_not_stop_the_index(copied, tmp_path, entries):
    change(copied("a"), **entries)
    page = Page(index_runs(tmp_path).read_text())
    assert len(page.rows) == 2 and page.rows[1][1].startswith("fake")


def test_a_picture_that_is_damaged_is_left_out(copied, tmp_path):
    for name in read_report(copied("a"))["figures"]:
        (tmp_path / "a" / "figures" / f"{name}.png").write_bytes(b"\x89PNG no")
    assert Page(index_runs(tmp_path).read_text()).images == []


def test_links_and_runs_inside_runs_are_not_followed(copied, tmp_path):
    copied("a")
    copied("a/inside")
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert runs_below(tmp_path) == [tmp_path / "a"]


def test_a_run_shows_itself_in_a_notebook(complete_run):
    folder, result = complete_run
    report = read_report(folder)
    shown = load(folder)._repr_html_()
    assert shown == Run(folder, report, result, report_writer)._repr_html_() == card(folder, report)
    page = Page(shown)
    assert len(page.images) == 1 and page.images[0].startswith("data:image/png;base64,")
    assert {"script", "style", "link"}.isdisjoint(page.tags)
    assert all(value in "".join(map("".join, page.rows)) for _, value in report["headline"][:2])
    assert str(folder.parent) not in shown  # notebooks are shared


def test_a_notebook_shows_any_report_as_text(tmp_path):
    report = {"name": "<i>", "status": "running", "message": "a & b", "warnings": ["<w>"], "timing": {}}
    shown = card(Path("<f>"), report)
    assert "&lt;i&gt;: running" in shown and "a &amp; b" in shown and "&lt;w&gt;" in shown and "&lt;f&gt;" in shown


def test_what_load_gives_unpacks_as_before(complete_run):
    loaded = load(complete_run[0])
    report, trains = loaded
    assert (
        report is loaded.report and trains is loaded.trains and len(trains) == 16 and loaded.folder == complete_run[0]
    )
