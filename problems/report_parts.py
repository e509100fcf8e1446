"""What a report is made of: quantities, tables, sections and pictures; and the effort that a dry run expects."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from solvers.cards import Card, Fact
from solvers.measured import Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


STANDARD = 3.0  # standard deviations that a sampled number may be off by: beyond are 0.3 % of a normal one


@dataclass(frozen=True)
class Quantity:
    """What a record says of one quantity, with the run's own error estimates; two runs are compared by these.

    ``errors`` are those that headline, tables and files show beside the values: a bound or an estimate of a number
    that is computed, one standard deviation of a number that is sampled. ``coverage`` tells which. What two values may
    differ by: bounds add up, whatever made them; standard deviations of runs that draw their own samples add in
    quadrature, and ``coverage`` of the root are allowed. Runs that share samples differ by less.

    Attributes
    ----------
    name : as a text says it.
    unit : of the values; empty for pure numbers.
    axis : what the entries are told apart by: state, t, part.
    keys : (m,) numbers or names along ``axis``.
    values : (m, ...) real or complex; None, as of JSON, becomes NaN.
    errors : (m,) or of the shape of ``values``, absolute; None where the run estimates none.
    coverage : how many of its errors a value may be off by: 1 of bounds and estimates, ``STANDARD`` of one standard
        deviation. Not one number in 370 is further off than that, so that of many a few are (``beside``).
    includes : what the errors have in them: rank, basis, mesh, time step, sampling and the like.
    leaves_out : what moves the values too, and is in no error.
    """

    name: str
    unit: str
    axis: str
    keys: Sequence[float | str]
    values: np.ndarray
    errors: np.ndarray | None = None
    includes: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    coverage: float = 1.0

    @property
    def sampled(self) -> bool:
        """Whether the errors are one standard deviation."""
        return self.coverage > 1.0

    @property
    def over_time(self) -> bool:
        """Whether the entries follow each other in time: the axis is t, with or without a unit."""
        return self.axis == "t" or self.axis.startswith("t (")


@dataclass(frozen=True)
class Table:
    """A table of a report: titles, rows, which columns hold words, a note to read it by, and its heading.

    A cell is a text, or a number with its error that knows how it is written and what it is sorted by.
    """

    columns: list[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: tuple[int, ...] = ()
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A short section of a report: a title, then (what, value) pairs."""

    title: str
    facts: list[tuple[str, str]]


def work(counts: Mapping[str, int], title: str = "Work") -> Section:
    """What was counted, in words; not what this run had nothing of."""
    return Section(title, [(name.replace("_", " "), str(count)) for name, count in counts.items() if count])


def error_contents(quantity: Quantity) -> str:
    """What the errors of a quantity have in them, and what they leave out, in words; empty where nobody says it."""
    if not quantity.includes:
        return f"no errors are estimated; not known: {', '.join(quantity.leaves_out)}" if quantity.leaves_out else ""
    said = f"errors{' (one standard deviation)' if quantity.sampled else ''} include: {', '.join(quantity.includes)}"
    return said + (f"; not: {', '.join(quantity.leaves_out)}" if quantity.leaves_out else "")


@dataclass(frozen=True)
class Picture(Card):
    """A figure of a report: file stem, caption, and ``draw``, which makes the matplotlib figure, or is one.

    Drawn when it is asked for, so that one that cannot be drawn leaves the others. Where there is too little for a
    figure, a constant or one or two points, ``text`` says it in its place, and nothing is drawn. ``alt``: what the
    figure shows, with its numbers, for those who do not see it; empty: the caption says it.
    """

    name: str
    caption: str
    draw: Callable[[], Figure] | Figure
    alt: str = ""
    text: str = ""

    @classmethod
    def sentence(cls, name: str, text: str) -> Picture:
        """A sentence in place of a figure."""
        return cls(name, "", _nothing, text=text)

    def worded(self) -> list[Fact]:
        """Its name and caption; nothing is drawn for that."""
        return [("name", self.name), ("caption", self.caption)]

    @cached_property
    def figure(self) -> Figure:
        """The matplotlib figure, at the width in force; an axis on which nothing is positive is linear."""
        with warnings.catch_warnings():  # of matplotlib's, on exactly that
            warnings.filterwarnings("ignore", message="Data has no positive values")
            drawn = self.draw() if callable(self.draw) else self.draw
        for axes in drawn.axes:
            for name in "xy":
                if _without_logarithm(axes, name):
                    getattr(axes, f"set_{name}scale")("linear")
        return drawn


def _nothing() -> Figure:
    raise ValueError("a picture that is a sentence has no figure")


def _without_logarithm(axes: Axes, name: str) -> bool:
    """Whether a logarithmic axis would have to choose its own ends where nothing drawn is positive."""
    if getattr(axes, f"get_{name}scale")() != "log" or not getattr(axes, f"get_autoscale{name}_on")():
        return False
    together = getattr(axes, f"get_shared_{name}_axes")().get_siblings(axes)
    return not any(math.isfinite(getattr(other.dataLim, f"minpos{name}")) for other in together)


@dataclass(frozen=True)
class Effort:
    """What a run is expected to take: seconds (compiling left out), and peak memory of all processes in megabytes.

    Both from costs measured once, good to a factor of about three; memory counts the interpreter and its libraries.
    """

    seconds: float
    megabytes: float
