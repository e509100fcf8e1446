"""Figures as files, drawn by matplotlib's own defaults whatever the user's settings are.

The style of a user's matplotlibrc (text.usetex without LaTeX, for one) and the backend of a notebook or a terminal are
left alone and not used: every figure is drawn on an Agg canvas of its own.
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
    from problems.report_parts import Picture
    from ttsuite.runs.record import Record

_DPI = 150


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
def own_style() -> Iterator[None]:
    """Matplotlib's defaults in place of the user's settings; those come back."""
    matplotlib = imported()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def save_figure(picture: Picture, record: Record) -> SavedPicture:
    """Draw and save one figure, as PNG and SVG; returns its name, caption and SVG as a data URL."""
    matplotlib = imported()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with own_style():
        figure = picture.figure
        canvas = FigureCanvasAgg(figure)
        figure.dpi = _DPI  # before the arrangement: a formula is parsed once for each resolution
        # savefig would arrange every figure twice and draw it four times, most of the time of a small run
        arrangement = figure.get_layout_engine()
        if arrangement is not None:
            arrangement.execute(figure)
            figure.set_layout_engine("none")
        record.write_with(f"figures/{picture.name}.png", canvas.print_png)
        # a fixed salt and no date: the same figure gives the same file
        with matplotlib.rc_context({"svg.hashsalt": picture.name}):
            draw = partial(FigureCanvasSVG(figure).print_svg, metadata={"Date": None})
            record.write_with(f"figures/{picture.name}.svg", draw)
    svg = (record.folder / "figures" / f"{picture.name}.svg").read_bytes()
    words, data = alt_text(figure), data_url(svg, "image/svg+xml")
    return {"name": picture.name, "caption": picture.caption, "alt": words, "files": ["svg", "png"], "data": data}
