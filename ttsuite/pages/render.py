"""What reports, comparisons and the index of runs share: the templates, and images inside the pages.

Every HTML page is complete in itself: style, script and images are inlined, nothing is loaded from elsewhere.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from html import unescape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from problems.report_parts import Section, Table
from solvers.measured import bound, typographic
from ttsuite.data import Data
from ttsuite.pages.page_tables import laid_out

_ADDRESS = r"doi:10\.[^\s;,]+[^\s;,.:)]|arXiv:\d{4}\.\d{4,5}|https?://[^\s;,<>]+[^\s;,.:)<>]"
_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, context: Data) -> str:
    """The text of a template, ``report.html`` for one; what stands in ``context`` is escaped in HTML."""
    return _environment().get_template(f"{template}.j2").render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html.j2", "html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    environment.filters["laid_out"] = laid_out
    environment.filters["sectioned"] = sectioned
    environment.filters["linked"] = linked
    environment.filters["bound"] = bound
    return environment


@dataclass(frozen=True)
class Sections:
    """The body of a page, its headings with anchors, and the contents: (anchor, title) of each."""

    body: Markup
    contents: list[tuple[str, str]]


def sectioned(body: str) -> Sections:
    """Give every ``<h2>`` of a page an anchor of its own, made of its title."""
    contents: list[tuple[str, str]] = []
    taken: set[str] = set()

    def head(found: re.Match[str]) -> str:
        title = unescape(found.group(1))
        stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        contents.append((name, title))
        link = f'<a class="anchor" href="#{name}" aria-label="Link to: {found.group(1)}">#</a>'
        return f'<h2 id="{name}">{found.group(1)}{link}</h2>'

    return Sections(Markup(re.sub(r"<h2>(.*?)</h2>", head, body)), contents)


def linked(text: str) -> Markup:
    """A reference as HTML, its DOI, arXiv number or address a link."""

    def link(found: re.Match[str]) -> str:
        name = found.group()
        address = name
        if name.startswith("doi:"):
            address = f"https://doi.org/{name.removeprefix('doi:')}"
        elif name.startswith("arXiv:"):
            address = f"https://arxiv.org/abs/{name.removeprefix('arXiv:')}"
        return str(Markup('<a href="{}">{}</a>').format(Markup(address), Markup(name)))

    return Markup(re.sub(_ADDRESS, link, str(Markup.escape(text))))


def _cell(content: object) -> str:
    """A text that cannot end a cell of a Markdown table."""
    return str(content).replace("|", "\\|").replace("\n", " ")


def typeset(content: object) -> object:
    """Texts, and all within lists, mappings, tables and sections, as they are printed; numbers know it themselves."""
    if isinstance(content, str):
        return typographic(content)
    if isinstance(content, list | tuple):
        return type(content)(typeset(part) for part in content)
    if isinstance(content, dict):
        return {key: typeset(part) for key, part in content.items()}
    if isinstance(content, Table | Section):
        return type(content)(*(typeset(getattr(content, part.name)) for part in fields(content)))  # type: ignore[arg-type]
    return content


def data_url(data: bytes, kind: str) -> str:
    """Bytes of a media type as a URL that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def thumbnail(file: Path, width: int) -> str | None:
    """An image, at most ``width`` pixels wide, in few colours, as a data URL; None where it cannot be read."""
    from PIL import Image

    small = io.BytesIO()
    try:
        with Image.open(file) as image:
            white = Image.new("RGBA", image.size, "white")
            white.alpha_composite(image.convert("RGBA"))
            white.thumbnail((width, 4 * width))
            white.convert("RGB").quantize(128).save(small, "PNG", optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return data_url(small.getvalue(), "image/png")


def provenance_facts(record: Data) -> list[tuple[str, str]]:
    """Provenance as (what, text); nested entries in one line."""
    facts = []
    for key, value in record.items():
        if isinstance(value, list):
            value = "; ".join(", ".join(f"{k} {v}" for k, v in entry.items()) for entry in value)
        facts.append((key.replace("_", " "), "not known" if value is None else str(value)))
    return facts


def moment(text: str) -> str:
    """``2026-11-25T00:40:58+00:00`` as ``2026-11-25 00:40``; empty for anything else."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
    except (TypeError, ValueError):
        return ""
