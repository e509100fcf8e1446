"""report.md and report.html of a run, and its figures as PNG and SVG.

The HTML file is complete in itself: the figures are inlined as SVG data, and nothing is loaded from outside.
"""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from matplotlib.backends.backend_agg import FigureCanvasAgg

from problems.problem import Picture
from ttsuite.config import Study
from ttsuite.record import Record

_TEMPLATES = Path(__file__).parent / "templates"
_DPI = 150


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
        "provenance": _facts(report["provenance"]),
        "timing": _timing(report),
    }
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html.j2", "html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    for name in ("report.md", "report.html"):
        record.write(name, environment.get_template(f"{name}.j2").render(context))


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
    data = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    return {"name": picture.name, "caption": picture.caption, "data": data}


def _timing(report: dict[str, Any]) -> list[tuple[str, str]]:
    names = {"compile_s": "compiling", "setup_s": "setting up", "solve_s": "solving", "wall_s": "in all"}
    seconds = report["timing"]
    facts = [(names[key], f"{seconds[key]:.1f} s") for key in names if seconds[key] is not None]
    return [*facts, ("peak memory, all processes", f"{report['peak_rss_mb']:.0f} MB")]


def _facts(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Provenance as texts; nested entries in one line."""
    facts = []
    for key, value in record.items():
        if isinstance(value, list):
            value = "; ".join(", ".join(f"{k} {v}" for k, v in entry.items()) for entry in value)
        facts.append((key.replace("_", " "), "not known" if value is None else str(value)))
    return facts


def _cell(text: str) -> str:
    """A text that cannot end a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")
