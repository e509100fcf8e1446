"""report.md and report.html of a run, and its figures as PNG and SVG; made at its end, and again from its record.

The HTML file is complete in itself: the figures are inlined as SVG data, and nothing is loaded from outside. Nothing is
computed for a report that is made again: report.json, the configuration and result.npz hold all it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

from problems.contract import Facts
from problems.report_parts import Picture, Section, Table
from problems.result import Result
from solvers.measured import Cell, Measured, bound, typographic
from ttsuite.data import Data, Report, SavedPicture
from ttsuite.pages.drawing import FOR_PAPER, imported, own_style, save_figure, save_for_paper
from ttsuite.pages.render import moment, provenance_facts, render, typeset
from ttsuite.pages.report_facts import first_picture, headline
from ttsuite.runs.attempt import T, attempt
from ttsuite.runs.layout import CONFIGURATION_FILE
from ttsuite.runs.record import Record
from ttsuite.runs.run_folder import read_result
from ttsuite.runs.spent import spent
from ttsuite.study.config import Study
from ttsuite.study.plots import Plots

_WIDTH = 720  # pixels of the figure of a card
TYPESET = ("kind", "headline", "comparison", "tables", "sections", "checks", "timing")  # what is not quoted from a file
SAID = ("message", "warnings", "certified")  # the texts of report.json


def remake_report(folder: str | Path) -> Path:
    """Make the figures and reports of a run again from its record; returns report.html. The record stays as it is.

    Raises FileNotFoundError where ``folder`` is no run folder or holds no result, ConfigError and ValueError for
    damaged files, OSError where the folder cannot be written. What cannot be drawn is a warning on the page. Cost:
    about a second a figure.
    """
    report, study, result = read_result(folder)
    record = Record(Path(folder))
    report["warnings"] = list(report["warnings"])
    write_reports(study, result, report, write_figures(study, result, record, report["warnings"]), record)
    return record.folder / "report.html"


def plot_run(folder: str | Path, width: float | None = None, suffix: str | None = None) -> list[Path]:
    """Make the figures of a run again from its record; returns the files. Raises as ``remake_report``.

    Without ``width`` and ``suffix`` those of the report, as PNG and SVG, and those of the key ``plots`` where it is
    given; with either, figures for a paper: ``width`` inches wide (3.4), in the format ``suffix`` (pdf, svg or png).
    ``figures_of`` gives them as matplotlib figures, to change.
    """
    _, study, result = read_result(folder)
    record = Record(Path(folder))
    failed: list[str] = []
    if width is None and suffix is None:
        names = [picture["name"] for picture in write_figures(study, result, record, failed) if picture["data"]]
        files = [f"figures/{name}{ending}" for name in names for ending in (".png", ".svg")]
        files += [f"{FOR_PAPER}/{name}.{study.plots.format}" for name in names] if study.plots is not None else []
    else:
        default = study.plots or Plots()
        files = _write_for_paper(study, result, record, failed, width or default.inches, suffix or default.format)
    if failed and not files:
        raise ValueError(failed[0])
    return [record.folder / name for name in files if (record.folder / name).is_file()]


def figures_of(folder: str | Path) -> list[Picture]:
    """The figures of a run from its record: name, caption and matplotlib figure. Raises as ``remake_report``."""
    failed: list[str] = []
    pictures = pictures_of(folder)
    with own_style():
        drawn = [attempt(picture.name, partial(getattr, picture, "figure"), None, failed) for picture in pictures]
    return [picture for picture, figure in zip(pictures, drawn) if figure is not None]


def pictures_of(folder: str | Path) -> list[Picture]:
    """The figures of a run from its record, not yet drawn: each is, at the width of the style in force, when it is
    asked for. Raises as ``remake_report``."""
    _, study, result = read_result(folder)
    return [picture for picture in _pictures(study, result) if not picture.text]


def write_figures(study: Study, result: Result, record: Record, warnings: list[str]) -> list[SavedPicture]:
    """Write ``figures/*.png`` and ``figures/*.svg``, and what the key ``plots`` asks for; returns what the pages need.

    One that cannot be drawn is left out, with a line in ``warnings``. Cost: about a second a figure.
    """
    pictures: list[Picture] = attempt("the figures", partial(_pictures, study, result), [], warnings)
    saved = [
        attempt(f"the figure {picture.name}", partial(save_figure, picture, record), None, warnings)
        for picture in pictures
    ]
    if study.plots is not None:
        _write_for_paper(study, result, record, warnings, study.plots.inches, study.plots.format)
    return [picture for picture in saved if picture is not None]


def _write_for_paper(
    study: Study, result: Result, record: Record, warnings: list[str], width: float, suffix: str
) -> list[str]:
    """Write figures/paper; returns the names of its files. Pictures are made again, for they are drawn once."""
    pictures: list[Picture] = attempt("the figures", partial(_pictures, study, result), [], warnings)
    saved = [
        attempt(
            f"the figure {picture.name} for a paper",
            partial(save_for_paper, picture, record, width, suffix),
            None,
            warnings,
        )
        for picture in pictures
        if not picture.text
    ]
    return [name for name in saved if name is not None]


def _pictures(study: Study, result: Result) -> list[Picture]:
    """The figures of a result, not yet drawn."""
    imported()  # before any module of figures does it its own way
    return study.family.pictures.figures(study.problem, study.solver, result)


def write_reports(study: Study, result: Result, report: Report, pictures: list[SavedPicture], record: Record) -> None:
    """Write ``report.md`` and ``report.html``; ``report`` is the content of report.json.

    What cannot be told is left out, with a line in the report's ``warnings``.
    """
    problem, solver, warnings = study.problem, study.solver, report["warnings"]
    family = study.family
    presentation = family.presentation

    def told(what: str, make: Callable[[], T], otherwise: T) -> T:
        return attempt(what, make, otherwise, warnings)

    nothing: Facts = []
    no_tables: list[Table] = []
    no_sections: list[Section] = []
    shown: Data = {
        "headline": told("the headline", lambda: presentation.headline(problem, solver, result), nothing),
        "comparison": told("the comparison", lambda: family.known.comparison_table(problem, solver, result), None),
        "tables": told("the tables", lambda: presentation.tables(problem, solver, result), no_tables),
        "sections": told("the sections", lambda: presentation.sections(problem, result), no_sections),
        "loading": result.loading(_shown(record.folder)),
        "pictures": [_typeset(picture) for picture in pictures],
    }
    _write(study, report, record, shown)


def _typeset(picture: SavedPicture) -> Data:
    """A figure, its texts as they are printed."""
    texts = {"caption": picture["caption"], "alt": picture["alt"], "text": picture["text"]}
    return {**picture, **{key: typographic(text) for key, text in texts.items()}}


def write_partial(study: Study, report: Report, record: Record) -> None:
    """Write ``report.md`` and ``report.html`` of a run that was interrupted: its last pass, marked as no result."""
    passes = record.read_lines("passes.jsonl")
    count = f"{len(passes)} pass{'' if len(passes) == 1 else 'es'}"
    text = (
        f"The run was interrupted after {count} and has no result. What is shown is as it stood then and carries no "
        f"error estimate. To continue: ttsuite resume {_shown(record.folder)}"
    )
    _write(study, report, record, {"partial": text, "tables": _progress(passes)})


def _progress(passes: Sequence[Data]) -> list[Table]:
    """What the log of a run says: its last values, and all of its passes."""
    tables = []
    last = passes[-1] if passes else {}
    if last.get("energies"):
        residuals = last.get("residuals") or []
        rows: list[list[Cell]] = [
            [str(i), Measured(value), bound(residuals[i]) if i < len(residuals) else ""]
            for i, value in enumerate(last["energies"])
        ]
        note = f"As of the last pass ({last.get('label')}), in the unit of the problem; not converged."
        tables.append(
            Table(["number", "value", "residual norm"], rows, (), note, "Last values, without error estimates")
        )
    rows = [
        [
            str(entry.get("step")),
            str(entry.get("label")),
            Measured(entry.get("max_rank")),
            bound(max(entry["residuals"])) if entry.get("residuals") else "",
            Measured(entry.get("seconds"), digits=3),
        ]
        for entry in passes
    ]
    if rows:
        columns = ["step", "what", "largest TT-rank", "largest residual norm", "time (s)"]
        tables.append(Table(columns, rows, (1,), "", "Passes until the interruption"))
    return tables


def _write(study: Study, report: Report, record: Record, shown: Data) -> None:
    """Fill both templates with what is ``shown`` of the run and what every report has."""
    family = study.family
    checks = [[c["what"], c["how"], c["result"], "yes" if c["passed"] else "no"] for c in report.get("checked", [])]
    defaults: Data = {"partial": "", "headline": [], "comparison": None, "tables": [], "sections": [], "pictures": []}
    context: Data = {
        **defaults,
        "loading": None,
        **shown,
        "kind": family.summary,
        "when": moment(str(report["provenance"].get("started"))),
        "files": _files(record.folder),
        "checks": Table(["what", "how", "result", "passed"], checks, (0, 1, 2, 3)) if checks else None,
        "formula": family.formula,
        "references": [*family.references, *_sources(report)],
        "configuration": (record.folder / CONFIGURATION_FILE).read_text(encoding="utf-8"),
        "provenance": provenance_facts(report["provenance"]),
        "timing": spent(report),
    }
    everything: Data = {"description": "", **report}
    said = {name: everything[name] for name in SAID if name in report}
    context |= {name: typeset(context[name]) for name in TYPESET} | {
        "report": everything | {name: typeset(text) for name, text in said.items()}
    }
    for name in ("report.md", "report.html"):
        text = attempt(name, partial(render, name, context), None, report["warnings"])
        if text is not None:
            record.write(name, text)


def _files(folder: Path) -> list[tuple[str, str]]:
    """(text, link) of the files of numbers that stand beside the report."""
    tables = sorted(path.name for ending in ("csv", "jdx") for path in folder.glob(f"*.{ending}"))
    found = [name for name in ("report.json", *tables, CONFIGURATION_FILE) if (folder / name).is_file()]
    return [(name, quote(name)) for name in found]


def _sources(report: Report) -> list[str]:
    """Where the numbers come from that the run is compared with, each once with all that is from there."""
    labels: dict[str, list[str]] = {}
    for entry in report["references"]:
        if source := str(entry.get("source") or ""):
            labels.setdefault(source, []).append(str(entry.get("label")))
    return [source if names == [source] else f"{source}: {', '.join(names)}" for source, names in labels.items()]


def card(folder: Path, report: Report) -> str:
    """HTML that stands inside another page: style inline, no script, nothing loaded. Cost: some ten milliseconds."""
    facts = headline(report)
    if (seconds := report["timing"].get("wall_s")) is not None:
        facts.append(("time", f"{seconds:.1f} s"))
    picture = first_picture(folder, report, _WIDTH)
    # the folder's name alone: notebooks are shared
    return render("card.html", {"report": report, "facts": facts, "picture": picture, "folder": folder.name})


def _shown(folder: Path) -> str:
    """A run folder as a text says it: nothing of where it lies on this machine."""
    return folder.name if folder.is_absolute() else folder.as_posix()
