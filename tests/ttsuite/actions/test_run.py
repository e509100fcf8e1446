"""A whole run on made-up numerics: the folder, the report, and every way a run can end."""

import json
import re
from html.parser import HTMLParser

import made_up
import numpy as np
import pytest

from problems.errors import ProblemError
from solvers.measured import Measured
from solvers.solution import Status
from ttsuite.actions.run import load, run
from ttsuite.runs.job import RunFailed
from ttsuite.runs.record import RecordError
from ttsuite.study.config import ConfigError, load_study

TEXT = """\
name: fake
problem:
  kind: vibrational
  force_field: {field}
  mode_order: frequency
solver:
  n_states: {count}
  workers: 1
"""
FILES = {"configuration.yaml", "report.json", "report.md", "report.html", "levels.csv", "passes.jsonl", "states.npz"}
FILES |= {"result.npz"}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A function that writes a configuration and replaces the numerics; returns the file."""
    import sys

    # drawing takes seconds; the shared run above all these tests draws everything
    monkeypatch.setattr("problems.quantum.tasks.spectrum.figures.figures", lambda *arguments: [])

    def prepare(count=12, field="acetonitrile", **options):
        result = made_up.acetonitrile(count, options.pop("status", Status.CONVERGED))
        monkeypatch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", made_up.numerics(result, **options))
        file = tmp_path / "fake.yaml"
        file.write_text(TEXT.format(count=count, field=field))
        return file

    return prepare


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One complete run of 84 states, shared by the tests that only read it."""
    import sys

    folder = tmp_path_factory.mktemp("finished")
    (folder / "fake.yaml").write_text(TEXT.format(count=84, field="acetonitrile"))
    patch = pytest.MonkeyPatch()
    patch.setitem(sys.modules, "problems.quantum.tasks.spectrum.solve", made_up.numerics(made_up.acetonitrile()))
    done = run(folder / "fake.yaml", out=folder / "out")
    patch.undo()
    return done


def test_the_folder_is_complete(finished):
    assert {path.name for path in finished.folder.iterdir()} == FILES | {"figures"}
    figures = {path.name for path in (finished.folder / "figures").iterdir()}
    stems = ("spectrum", "deviations", "errors", "ranks", "passes")
    assert figures == {stem + suffix for stem in stems for suffix in (".png", ".svg")}


def test_report_json_has_the_fixed_keys(finished):
    report = json.loads((finished.folder / "report.json").read_text())
    common = "name status converged results references warnings timing peak_rss_mb provenance"
    assert set(common.split()) <= set(report)
    assert (report["name"], report["status"], report["converged"]) == ("fake", "finished", True)
    assert set(report["timing"]) == {"compile_s", "setup_s", "solve_s", "wall_s"}
    assert report["timing"]["wall_s"] > 0 and report["peak_rss_mb"] > 20
    assert {"name", "count", "max_abs_deviation", "mean_abs_deviation"} <= set(report["references"][0])
    wanted = "python numpy scipy numba ttsuite git_commit seed blas cpu cores platform started"
    assert set(wanted.split()) <= set(report["provenance"])
    assert len(report["results"]["energies"]) == 84


def test_the_recorded_configuration_runs_again(finished):
    study, _ = load_study(finished.folder / "configuration.yaml")
    assert (study.solver.n_states, study.solver.accuracy, study.solver.workers) == (84, 0.01, 1)
    assert (study.seed, study.problem.basis.type, study.solver.max_rank) == (0, "contracted", "automatic")


def test_what_was_checked_is_in_the_record_and_in_both_reports(finished):
    report = json.loads((finished.folder / "report.json").read_text())
    assert [set(look) for look in report["checked"]] == [{"what", "how", "result", "passed"}]
    for name, bar in (("report.md", r"\|"), ("report.html", "|")):
        text = (finished.folder / name).read_text()
        assert "64 of them, from the table of terms" in text and f"off by 3 × 10⁻¹³ {bar} at most" in text
    assert load(finished.folder).result().checked == finished.result.checked


def test_loading_gives_the_report_and_the_states(finished):
    report, states = load(finished.folder)
    assert report["status"] == "finished" and len(states) == 84
    for i in (0, 41, 83):
        for core, expected in zip(states[i].cores, made_up.train(i).cores, strict=True):
            np.testing.assert_array_equal(core, expected)


def test_levels_csv(finished):
    lines = (finished.folder / "levels.csv").read_text().splitlines()
    assert len(lines) == 85 and lines[0].startswith("state,energy,above_lowest,unit,error_estimate")
    assert "own_HCI+PT2" in lines[0]


class Outside(HTMLParser):
    """Collects everything that would be loaded from somewhere, and unclosed tags."""

    VOID = ("meta", "img", "br", "link", "hr", "input")

    def __init__(self):
        super().__init__()
        self.loaded, self.links, self.open, self.headings = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.loaded += [value for key, value in attributes if key in ("src", "srcset", "action")]
        self.links += [value for key, value in attributes if key == "href"]
        assert tag not in ("iframe", "link", "object")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_report_html_is_complete_in_itself(finished):
    text = (finished.folder / "report.html").read_text()
    parser = Outside()
    parser.feed(text)
    assert parser.open == []
    assert len(parser.loaded) == 5 and all(url.startswith("data:image/svg+xml;base64,") for url in parser.loaded)
    assert "url(" not in text and "@import" not in text
    # the result before its figures, time and memory last
    assert parser.headings[:6] == ["Result", "Warnings", "Levels", "Comparison", "Checked", "Figures"]
    assert {"Provenance", "Loading the states", "Configuration"} <= set(parser.headings)
    assert parser.headings[-1] == "Time and memory"


def test_links_of_a_report_lead_somewhere(finished):
    text = (finished.folder / "report.html").read_text()
    parser = Outside()
    parser.feed(text)
    assert {"report.json", "levels.csv", "configuration.yaml"} <= set(parser.links)
    assert "https://doi.org/10.1063/1.4962420" in parser.links
    anchors = set(re.findall(r' id="([^"]*)"', text))
    for link in parser.links:
        if link.startswith("#"):
            assert link[1:] in anchors
        elif not link.startswith(("https://doi.org/10.", "https://arxiv.org/abs/")):
            assert (finished.folder / link).is_file()
    contents = re.findall(r'<li><a href="#([^"]*)">', text)
    assert len(contents) == len(parser.headings) == len(set(contents))


def test_texts_of_a_report_are_escaped(finished):
    text = (finished.folder / "report.html").read_text()
    assert "&lt;barrier 22000 cm⁻¹&gt;" in text and "<barrier" not in text
    assert "HCI+PT2 (this project)" in text and "own_HCI" not in text


def test_report_md(finished):
    text = (finished.folder / "report.md").read_text()
    assert text.startswith("# fake: ") and "own_HCI" not in text
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert len(re.findall(r"^\| \d+ \|", text, flags=re.M)) == 84
    for name in re.findall(r"!\[.*\]\((.*)\)", text):
        assert (finished.folder / name).exists()
    assert str(finished.folder.parent) not in text


def test_every_pass_is_logged(finished):
    lines = [json.loads(line) for line in (finished.folder / "passes.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1] and len(lines[1]["energies"]) == 84


def test_not_converged_is_written_in_full_and_said(study, tmp_path):
    done = run(study(status=Status.RANK_LIMIT), out=tmp_path / "out")
    assert (done.status, done.report["converged"]) == ("not_converged", False)
    assert "max_rank" in done.report["message"]
    assert FILES <= {path.name for path in done.folder.iterdir()}


@pytest.mark.parametrize("options", [{"error": KeyboardInterrupt()}, {"status": Status.INTERRUPTED}])
def test_an_interrupted_run_says_so(study, tmp_path, options):
    done = run(study(**options), out=tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert done.status == report["status"] == "interrupted" and not report["converged"]
    assert len((tmp_path / "out" / "passes.jsonl").read_text().splitlines()) == 2


def test_an_interrupted_run_has_a_partial_report_marked_so(study, tmp_path):
    done = run(study(error=KeyboardInterrupt()), out=tmp_path / "out")
    last = json.loads((done.folder / "passes.jsonl").read_text().splitlines()[-1])
    for name in ("report.html", "report.md"):
        text = (done.folder / name).read_text()
        assert "Partial report." in text and "interrupted after 2 passes" in text and "ttsuite resume out" in text
        assert "carries no error estimate" in text and "not converged" in text
        words = re.sub(r"<[^>]*>", "", text)  # a number is cut at its point, to be aligned there
        assert str(Measured(last["energies"][0])) in words and "Passes until the interruption" in text
        assert "Figures" not in text and "Loading" not in text


def test_a_report_begins_with_what_the_file_says_of_itself(study, tmp_path):
    file = study()
    file.write_text("# yaml-language-server: $schema=x.json\n# Levels, <quick>\n# more\n" + file.read_text())
    done = run(file, out=tmp_path / "out")
    assert done.report["description"] == "Levels, <quick>"
    head = (done.folder / "report.html").read_text().partition("<main")[0]
    assert "Levels, &lt;quick&gt;" in head and done.report["provenance"]["started"] in head
    assert "Levels, <quick>" in (done.folder / "report.md").read_text()


def test_a_failure_leaves_status_and_traceback(study, tmp_path):
    with pytest.raises(RunFailed, match="RuntimeError: broken"):
        run(study(error=RuntimeError("broken\nin two lines")), out=tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["status"], report["message"]) == ("failed", "RuntimeError: broken")
    assert "Traceback" in (tmp_path / "out" / "traceback.txt").read_text()


def test_a_run_that_was_killed_is_recognised(study, tmp_path):
    class Killed(BaseException):
        pass

    with pytest.raises(Killed):
        run(study(error=Killed()), out=tmp_path / "out")
    assert json.loads((tmp_path / "out" / "report.json").read_text())["status"] == "running"


def test_a_refused_problem_writes_nothing(study, tmp_path):
    file = study(refusal=ProblemError("only 5 states exist", "solver.n_states"))
    with pytest.raises(ConfigError) as caught:
        run(file, out=tmp_path / "out")
    assert str(caught.value) == f"{file}:7:13: solver.n_states: only 5 states exist"
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(study, tmp_path):
    file = study()
    with pytest.raises(RecordError, match="not empty"):
        run(file, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fake.yaml"]


def test_a_field_of_ones_own_travels_with_the_run(study, tmp_path):
    source = made_up.DATA / "acetonitrile.csv"
    (tmp_path / "mine.csv").write_bytes(source.read_bytes())
    done = run(study(field="mine.csv"), out=tmp_path / "out")
    again, _ = load_study(done.folder / "configuration.yaml")
    assert again.problem.field.source == done.folder / "mine.csv" and again.problem.field.d == 12
    assert str(tmp_path) not in (done.folder / "configuration.yaml").read_text()
    # no published levels belong to an unknown field
    assert done.report["references"] == []


def test_overrides_and_listener(study, tmp_path):
    told = []

    class Listener:
        def started(self, study, folder):
            told.append(("started", study.seed))

        def passed(self, state):
            told.append(("passed", state.step))

        def ended(self, report):
            told.append(("ended", report["status"]))

    done = run(study(), out=tmp_path / "out", overrides=["seed=5"], listener=Listener())
    assert told == [("started", 5), ("passed", 0), ("passed", 1), ("ended", "finished")]
    assert done.report["provenance"]["seed"] == 5
    with pytest.raises(ValueError, match="overrides"):
        run(load_study(study())[0], overrides=["seed=5"])
