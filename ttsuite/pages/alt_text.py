"""What a figure shows, in words: the text for those who do not see it, made from what was drawn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from solvers.measured import numeral

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 6  # panels, and curves of a panel, that are told one by one


def alt_text(figure: Figure) -> str:
    """Panels with their titles, axes, ranges and named curves, a sentence each. Cost: a millisecond."""
    panels = [told for axes in figure.axes if (told := _panel(axes))]
    shown = panels[:MOST]
    if len(panels) > len(shown):
        shown.append(f"{len(panels) - len(shown)} more panels")
    text = "; ".join(shown) or "a drawing without axes"
    return f"{'Plot' if len(panels) < 2 else f'{len(panels)} plots'}: {text}."


def _panel(axes: Axes) -> str:
    """One panel; empty for a colour bar, whose scale belongs to another panel, and for axes that are not drawn."""
    if not axes.axison or axes.get_label() == "<colorbar>":
        return ""
    parts = [_plain(axes.get_title())] if axes.get_title() else []
    names = [_plain(axes.get_ylabel()), _plain(axes.get_xlabel())]
    if all(names):
        parts.append(f"{names[0]} over {names[1]}")
    else:
        parts += [name for name in names if name]
    ranges = [f"{name} {_range(axes, name)}" for name in "xy" if len(getattr(axes, f"get_{name}ticks")())]
    named = [_plain(label) for label in axes.get_legend_handles_labels()[1]]
    curves = ", ".join(named[:MOST]) + (f" and {len(named) - MOST} more" if len(named) > MOST else "")
    told = [", ".join(parts), ", ".join(ranges), f"shown: {curves}" if curves else ""]
    return ", ".join(filter(None, told))


def _range(axes: Axes, name: str) -> str:
    low, high = sorted(getattr(axes, f"get_{name}lim")())
    scale = " (logarithmic)" if getattr(axes, f"get_{name}scale")() == "log" else ""
    return f"from {numeral(low, digits=3)} to {numeral(high, digits=3)}{scale}"


def _plain(text: str) -> str:
    """A label without the marks of formulas."""
    text = re.sub(r"\\(?:mathrm|mathbf|mathit|text|operatorname)\b", "", text)
    return re.sub(r"\s+", " ", re.sub(r"[$\\{}]", "", text)).strip()
