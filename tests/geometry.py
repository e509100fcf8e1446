"""What is wrong with a drawn figure by matplotlib's own geometry: small type, texts that overlap, legends over data."""

from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLEST = 7.0  # points
TOUCHING = 0.6  # pixels by which the boxes of two texts may overlap: a box is larger than its ink
DPI = 100
STEPS = 20  # points between two of a line


def faults(figure):
    """A line a fault of a figure: none for one that can be printed as it is. Cost: drawing it once."""
    figure.dpi = DPI
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [(text, text.get_window_extent(renderer)) for text in _texts(figure)]
    found = [f"{_named(t)}: {t.get_fontsize():.3g} points" for t, _ in boxes if t.get_fontsize() < SMALLEST - 1e-9]
    page = figure.bbox
    for text, box in boxes:
        if min(box.x0 - page.x0, box.y0 - page.y0, page.x1 - box.x1, page.y1 - box.y1) < -1.0:
            found.append(f"{_named(text)} runs out of the figure")
    for (one, first), (other, second) in combinations(boxes, 2):
        common = Bbox.intersection(first, second)
        if common is not None and min(common.width, common.height) > TOUCHING:
            found.append(f"{_named(one)} overlaps {_named(other)}")
    for legend in figure.findobj(Legend):
        box = legend.get_window_extent(renderer)
        if any(_covered(axes, box) for axes in figure.findobj(Axes) if axes.get_visible()):
            found.append(f"the legend {[text.get_text() for text in legend.get_texts()]} lies over data")
    return found


def _named(text):
    return repr(text.get_text())


def _texts(figure):
    """The texts that are drawn: labels of ticks outside of an axis are none."""
    hidden = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        inside = {True: axis.get_major_ticks(), False: axis.get_minor_ticks()}
        margin = 1e-9 * min(abs(high - low), max(abs(low), abs(high), 1e-300), abs(low) or np.inf)
        for ticks in inside.values():
            for tick in ticks:
                if not low - margin <= tick.get_loc() <= high + margin or not axis.get_visible():
                    hidden |= {tick.label1, tick.label2}
    for axes in figure.findobj(Axes):
        if not axes.get_visible():
            hidden |= set(axes.findobj(Text))
        elif not axes.axison:
            hidden |= set(axes.xaxis.findobj(Text)) | set(axes.yaxis.findobj(Text))
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in texts if text not in hidden]


def _covered(axes, box):
    """Whether something drawn in the axes lies in a box."""
    frame = axes.bbox
    seen = Bbox.intersection(frame, box)
    if seen is None or min(seen.width, seen.height) <= TOUCHING:
        return False
    if axes.images:
        return True
    points = [_along(line.get_transform().transform(line.get_xydata())) for line in axes.lines]
    points += [_edges(patch.get_path(), patch.get_transform()) for patch in axes.patches]
    for collection in axes.findobj(Collection):
        points += [_edges(path, collection.get_transform()) for path in collection.get_paths()]
    return any(((p >= seen.min) & (p <= seen.max)).all(axis=1).any() for p in points if len(p))


def _edges(path, transform):
    return _along(
        transform.transform(path.to_polygons(closed_only=False)[0] if len(path.vertices) > 1 else path.vertices)
    )


def _along(vertices):
    """Points along the segments between vertices, gaps left out."""
    if len(vertices) < 2:
        return vertices
    share = np.linspace(0.0, 1.0, STEPS)[:, None, None]
    points = (vertices[:-1] * (1.0 - share) + vertices[1:] * share).reshape(-1, 2)
    return points[np.isfinite(points).all(axis=1)]
