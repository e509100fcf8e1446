"""report.md and report.html of a run, and its figures as PNG and SVG; made at its end, and again from its record.

The HTML file is complete in itself: the figures are inlined as SVG data, and nothing is loaded from outside. Nothing is
computed for a report that is made again: report.json, the configuration and result.npz hold all it needs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg

from problems.problem import Picture
from ttsuite.config import Study
from ttsuite.pages import data_url, provenance_facts, render
from ttsuite.record import Record
from ttsuite.run_folder import read_result

_DPI = 150


def remake_report(folder: str | Path) -> Path:
    """Make the figures and reports of a run again from its record; returns report.html. The record stays as it is.

    Raises FileNotFoundError where ``folder`` is no run folder or holds no result, ConfigError and ValueError for
    damaged files, OSError where the folder cannot be written. Cost: about a second a figure.
    """
    report, study, result = read_result(folder)
    record = Record(Path(folder))
    write_reports(study, result, report, write_figures(study, result, record), record)
    return record.folder / "report.html"


def plot_run(folder: str | Path) -> list[Path]:
    """Make the figures of a run again from its record, as PNG and SVG; returns the files. Raises as ``remake_report``.

    ``figures_of`` gives them as matplotlib figures, to change.
    """
    record = Record(Path(folder))
    names = [save_figure(picture, record)["name"] for picture in figures_of(folder)]
    return [record.folder / "figures" / f"{name}{suffix}" for name in names for suffix in (".png", ".svg")]


def figures_of(folder: str | Path) -> list[Picture]:
    """The figures of a run from its record: name, caption and matplotlib figure. Raises as ``remake_report``."""
    _, study, result = read_result(folder)
    return study.family.module("figures").figures(study.problem, study.solver, result)


def write_figures(study: Study, result: Any, record: Record) -> list[dict[str, str]]:
    """Write ``figures/*.png`` and ``figures/*.svg``; returns what ``write_reports`` needs of them.

    Cost: about a second a figure.
    """
    pictures = study.family.module("figures").figures(study.problem, study.solver, result)
    return [save_figure(picture, record) for picture in pictures]


def write_reports(
    study: Study, result: Any, report: dict[str, Any], pictures: list[dict[str, str]], record: Record
) -> None:
    """Write ``report.md`` and ``report.html``; ``report`` is the content of report.json."""
    problem, solver = study.problem, study.solver
    presentation = study.family.module("presentation")
    context = {
        "report": report,
        "kind": study.family.summary,
        "headline": presentation.headline(problem, solver, result),
        "comparison": presentation.comparison_table(problem, solver, result),
        "tables": presentation.tables(problem, solver, result),
        "sections": presentation.sections(problem, result),
        "loading": presentation.loading(_shown(record.folder)),
        "pictures": pictures,
        "configuration": (record.folder / "configuration.yaml").read_text(encoding="utf-8"),
        "provenance": provenance_facts(report["provenance"]),
        "timing": _timing(report),
    }
    for name in ("report.md", "report.html"):
        record.write(name, render(name, context))


def _shown(folder: Path) -> str:
    """A run folder as a text says it: nothing of where it lies on this machine."""
    return folder.name if folder.is_absolute() else folder.as_posix()


def save_figure(picture: Picture, record: Record) -> dict[str, str]:
    """Save one figure twice; returns its name, caption and SVG as a data URL."""
    FigureCanvasAgg(picture.figure)
    # a fixed salt and no date: the same figure gives the same file
    with matplotlib.rc_context({"svg.hashsalt": picture.name}):
        for suffix, options in ((".png", {"dpi": _DPI}), (".svg", {"metadata": {"Date": None}})):
            save = partial(picture.figure.savefig, **options)
            record.write_with(f"figures/{picture.name}{suffix}", save)
    svg = (record.folder / "figures" / f"{picture.name}.svg").read_bytes()
    return {"name": picture.name, "caption": picture.caption, "data": data_url(svg, "image/svg+xml")}


def _timing(report: dict[str, Any]) -> list[tuple[str, str]]:
    names = {"compile_s": "compiling", "setup_s": "setting up", "solve_s": "solving", "wall_s": "in all"}
    seconds = report["timing"]
    facts = [(names[key], f"{seconds[key]:.1f} s") for key in names if seconds[key] is not None]
    return [*facts, ("peak memory, all processes", f"{report['peak_rss_mb']:.0f} MB")]
