"""What every family of problems shares: the frozen models behind the YAML keys, references, and the registry.

A problem is data with a formula on top. Its fields are the YAML keys, so that the model, the schema and
``ttsuite describe`` are one text. This module imports neither scipy nor numba: a configuration is checked
before any numerics are loaded.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainValidator


class ProblemError(ValueError):
    """A problem that cannot be computed as asked: wrong data or impossible settings.

    Parameters
    ----------
    message : one line saying what is wrong and what would cure it.
    key : the YAML key to blame, as in ``problem.force_field``; the application adds file, line and column.
    """

    def __init__(self, message: str, key: str = "problem.force_field") -> None:
        super().__init__(message)
        self.key = key


class Keys(BaseModel):
    """Base of every model behind a YAML mapping: frozen, no unknown key, no conversion of types, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # of a model that stands for one of several, which its keys decide: those
    members: ClassVar[tuple[type[Keys], ...]] = ()

    def __eq__(self, other: object) -> bool:
        """Equal keys make equal models, whatever has been computed from them."""
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).model_fields
        )


AUTOMATIC: Literal["automatic"] = "automatic"


def shown(value: Any, longest: int = 60) -> str:
    """``value`` in a message, as the file would show it, cut short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def located(file: str, directory: Path, key: str) -> Path:
    """A file named from ``directory`` as an absolute path; ProblemError where links lead in a circle."""
    try:
        return (directory / file).resolve()
    except (OSError, RuntimeError) as error:
        raise ProblemError(f"cannot be found: {error}", key) from None


def _automatic_or_count(value: Any) -> Any:
    if (isinstance(value, str) and value == AUTOMATIC) or (type(value) is int and value >= 1):
        return value
    raise ValueError(f"must be automatic or an integer of at least 1, found {shown(value)}")


# a key that is automatic or a whole number of at least 1
AutomaticCount = Annotated[int | Literal["automatic"], PlainValidator(_automatic_or_count)]
MOST_WORKERS = 1000


def _automatic_or_workers(value: Any) -> Any:
    if (isinstance(value, str) and value == AUTOMATIC) or (type(value) is int and 1 <= value <= MOST_WORKERS):
        return value
    raise ValueError(f"must be automatic or an integer of at least 1 and at most {MOST_WORKERS}, found {shown(value)}")


WorkerCount = Annotated[int | Literal["automatic"], PlainValidator(_automatic_or_workers)]
WORKERS: Any = Field(  # the key that every solver has
    default=AUTOMATIC,
    description="Worker processes; automatic: all cores; results do not depend on it.",
    json_schema_extra={
        "values": "automatic or a number",
        "schema": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_WORKERS}, {"const": AUTOMATIC}]},
    },
)


@dataclass(frozen=True)
class Reference:
    """Energies from elsewhere, to compare a vibrational run with.

    Attributes
    ----------
    name : the column's name in the data file (machine-readable).
    label : the name used in texts and figures.
    source : where the numbers come from.
    levels : (m,) entry 0 is the lowest energy, absolute; NaN where nothing was published.
    relative : whether the entries 1.. are relative to entry 0 (spectroscopic levels) or absolute.
    judge : whether this is the column a run is judged against.
    """

    name: str
    label: str
    source: str
    levels: np.ndarray
    relative: bool
    judge: bool = False

    def deviations(self, energies: np.ndarray) -> np.ndarray:
        """Signed deviation of absolute, ascending ``energies`` (n,) from this column, matched by order.

        The lowest energy is compared absolutely. With ``relative`` the others are compared relative to each
        list's own lowest energy, as levels are published. NaN where the column has no entry; shape
        (min(n, m),).
        """
        energies = np.asarray(energies, dtype=float)
        count = min(len(energies), len(self.levels))
        values = energies[:count].copy()
        if self.relative and count:
            values[1:] -= energies[0]
        return values - self.levels[:count]

    def absolute(self) -> np.ndarray:
        """The column as absolute energies (m,)."""
        values = self.levels.copy()
        if self.relative:
            values[1:] += self.levels[0]
        return values


@dataclass(frozen=True)
class Deviation:
    """Summary of absolute deviations: how many entries, the largest and the mean (energy unit)."""

    count: int
    max_abs: float
    mean_abs: float

    @classmethod
    def of(cls, deviations: np.ndarray) -> Deviation | None:
        """Summary of the finite entries, or None where there are none."""
        finite = np.abs(deviations[np.isfinite(deviations)])
        if not finite.size:
            return None
        return cls(int(finite.size), float(finite.max()), float(finite.mean()))


@dataclass(frozen=True)
class Family:
    """A kind of problem: its models, and where its parts are found (module paths, imported when needed).

    ``formula``, ``references`` and ``typical`` (measured time and memory) are what ``ttsuite describe`` prints.
    ``numerics``: has prepare and solve; ``presentation``: results, references, headline, comparison_table, tables,
    csv_table, sections, trains and loading, from which the record and the report are made, and ``quantities(results)``,
    what two records are compared by; ``figures``: its figures;
    ``plan``: has ``plan(prepared)``, a list of (what, value), and ``estimate(prepared, workers)``, the expected Effort.
    ``certify``: other routes to the numbers of a run (problems.route); empty: the module ``certify`` beside ``plan``.
    ``complete(problem, solver)`` returns the solver settings with the defaults that depend on the problem, and raises
    ProblemError for settings that contradict each other.
    """

    kind: str
    summary: str
    formula: str
    references: tuple[str, ...]
    typical: str
    problem: type[Keys]
    solver: type[Keys]
    complete: Callable[[Any, Any], Any]
    numerics: str
    presentation: str
    figures: str
    plan: str
    certify: str = ""

    def module(self, part: str) -> ModuleType:
        """Import ``numerics``, ``presentation``, ``figures``, ``plan`` or ``certify``."""
        path = getattr(self, part) or f"{self.plan.rpartition('.')[0]}.{part}"
        return importlib.import_module(path)


@dataclass(frozen=True)
class Effort:
    """What a run is expected to take: seconds (compiling left out), and peak memory of all processes in megabytes.

    Both from costs measured once, good to a factor of about three; memory counts the interpreter and its libraries.
    """

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Quantity:
    """What a record says of one quantity, with the run's own error estimates; two runs are compared by these.

    Attributes
    ----------
    name : as a text says it.
    unit : of the values; empty for pure numbers.
    axis : what the entries are told apart by: state, t, part.
    keys : (m,) numbers or names along ``axis``.
    values : (m, ...) real or complex; None, as of JSON, becomes NaN.
    errors : (m,) or of the shape of ``values``, absolute; None where the run estimates none.
    """

    name: str
    unit: str
    axis: str
    keys: list[Any]
    values: np.ndarray
    errors: np.ndarray | None = None


@dataclass(frozen=True)
class Table:
    """A table of a report: titles, rows of texts, which columns hold words, a note to read it by, and its heading."""

    columns: list[str]
    rows: list[list[str]]
    text_columns: tuple[int, ...] = ()
    note: str = ""
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A short section of a report: a title, then (what, value) pairs."""

    title: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class Picture:
    """A figure of a report: file stem, caption, and ``draw``, which makes the matplotlib figure, or is one.

    Drawn when it is asked for, so that one that cannot be drawn leaves the others.
    """

    name: str
    caption: str
    draw: Any

    @cached_property
    def figure(self) -> Any:
        """The matplotlib figure; an axis on which nothing is positive is linear, whatever it was meant to be."""
        with warnings.catch_warnings():  # of matplotlib's, on exactly that
            warnings.filterwarnings("ignore", message="Data has no positive values")
            drawn = self.draw() if callable(self.draw) else self.draw
        for axes in drawn.axes:
            for name in "xy":
                if _without_logarithm(axes, name):
                    getattr(axes, f"set_{name}scale")("linear")
        return drawn


def _without_logarithm(axes: Any, name: str) -> bool:
    """Whether a logarithmic axis would have to choose its own ends where nothing drawn is positive."""
    if getattr(axes, f"get_{name}scale")() != "log" or not getattr(axes, f"get_autoscale{name}_on")():
        return False
    together = getattr(axes, f"get_shared_{name}_axes")().get_siblings(axes)
    return not any(math.isfinite(getattr(other.dataLim, f"minpos{name}")) for other in together)


# kind -> module holding FAMILY; named here and not by entry points, so that a checkout needs no installation
_MODULES = {
    "vibrational": "problems.vibrational.model",
    "parametric_pde": "problems.parametric_pde.model",
    "wave_packet": "problems.wave_packet.model",
    "sum_of_products": "problems.sum_of_products.model",
    "fokker_planck": "problems.fokker_planck.model",
    "completion": "problems.completion.model",
    "orbital_free_dft": "problems.orbital_free_dft.model",
}


GROUP = "ttsuite.families"  # of the entry points by which other packages bring families of their own


@lru_cache
def _brought() -> dict[str, EntryPoint]:
    """Kind -> entry point of the families of other packages; one of theirs takes no kind that is known here."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _MODULES}


def kinds() -> list[str]:
    """The known kinds of problems: those of this package, then those that other packages bring."""
    return [*_MODULES, *sorted(_brought())]


def is_kind(kind: str) -> bool:
    """Whether a kind is known; other packages are asked only where this one does not know it."""
    return kind in _MODULES or kind in _brought()


def family(kind: str) -> Family:
    """The family of a known ``kind``; KeyError for any other."""
    if kind in _MODULES:
        return importlib.import_module(_MODULES[kind]).FAMILY
    return _brought()[kind].load()
