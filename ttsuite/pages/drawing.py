"""Figures as files, in the style of ``problems.drawing`` whatever the user's settings are.

The style of a user's matplotlibrc (text.usetex without LaTeX, for one) and the backend of a notebook or a terminal are
left alone and not used: every figure is drawn on a canvas of its own. The pages show SVG at their own width; figures
for a paper, of any width and format, are files beside those.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from ttsuite.data import SavedPicture
from ttsuite.pages.alt_text import alt_text
from ttsuite.pages.render import data_url

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from problems.report_parts import Picture
    from ttsuite.runs.record import Record

_DPI = 300  # what journals ask of images
FOR_PAPER = "figures/paper"  # in a run folder


def imported() -> Any:
    """matplotlib; where MPLBACKEND names a backend that is not there, without it."""
    try:
        import matplotlib
    except (ImportError, ValueError):
        backend = os.environ.pop("MPLBACKEND", None)
        if backend is None:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]  # half imported
        try:
            import matplotlib
        finally:
            os.environ["MPLBACKEND"] = backend
    return matplotlib


@contextmanager
def own_style(width: float | None = None) -> Iterator[None]:
    """The style of all figures in place of the user's settings, which come back; ``width``: inches, the page's own."""
    imported()
    from problems.drawing import WIDTH, style

    with style(WIDTH if width is None else width):
        yield


def save_figure(picture: Picture, record: Record) -> SavedPicture:
    """Draw and save one figure of a page, as PNG and SVG; returns what the page needs of it."""
    if picture.text:
        return told(picture, "")
    with own_style():
        _arranged(picture.figure)
        for suffix in ("png", "svg"):
            _print(picture, f"figures/{picture.name}.{suffix}", suffix, record)
    svg = (record.folder / "figures" / f"{picture.name}.svg").read_bytes()
    return told(picture, data_url(svg, "image/svg+xml"))


def told(picture: Picture, data: str) -> SavedPicture:
    """What a page needs of a picture; ``data``: its SVG as a data URL, empty where a sentence stands in its place."""
    width, height = picture.figure.get_size_inches() if data else (0.0, 0.0)
    return {
        "name": picture.name,
        "caption": picture.caption,
        "alt": picture.alt or (alt_text(picture.figure) if data else ""),
        "text": picture.text,
        "files": ["svg", "png"] if data else [],
        "inches": (float(width), float(height)),
        "data": data,
    }


def save_for_paper(picture: Picture, record: Record, width: float, suffix: str) -> str:
    """Draw and save one figure, not yet drawn, ``width`` inches wide; returns its name in the folder of the run."""
    name = f"{FOR_PAPER}/{picture.name}.{suffix}"
    with own_style(width):
        _arranged(picture.figure)
        _print(picture, name, suffix, record)
    return name


def _arranged(figure: Figure) -> None:
    """Arrange once: savefig would do it twice and draw four times, most of the time of a small run."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    figure.dpi = _DPI  # before the arrangement: a formula is parsed once for each resolution
    arrangement = figure.get_layout_engine()
    if arrangement is not None:
        arrangement.execute(figure)
        figure.set_layout_engine("none")


def _print(picture: Picture, name: str, suffix: str, record: Record) -> None:
    """Write one file: the same figure gives the same one, so that there is a fixed salt and no date."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if suffix == "png":
        record.write_with(name, FigureCanvasAgg(picture.figure).print_png)
    elif suffix == "pdf":
        print_pdf = FigureCanvasPdf(picture.figure).print_pdf
        record.write_with(name, partial(print_pdf, metadata={"CreationDate": None}))
    else:
        with imported().rc_context({"svg.hashsalt": picture.name}):
            record.write_with(name, partial(FigureCanvasSVG(picture.figure).print_svg, metadata={"Date": None}))
