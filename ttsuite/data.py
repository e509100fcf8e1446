"""The types of what is read and written: report.json, and mappings of JSON and YAML in general."""

from __future__ import annotations

from typing import Any, NotRequired, TypeAlias, TypedDict

Data: TypeAlias = dict[str, Any]  # a mapping of JSON or YAML, by its keys


class Timing(TypedDict):
    """Seconds; None where that was not reached."""

    compile_s: float | None
    setup_s: float | None
    solve_s: float | None
    wall_s: float | None


class Report(TypedDict):
    """The content of report.json (the guide's page on the report says what each key means)."""

    name: str
    description: NotRequired[str]
    status: str
    message: str
    converged: bool
    headline: list[tuple[str, str]]
    ranks: NotRequired[list[int]]
    results: Data
    values: NotRequired[Data]
    references: list[Data]
    check: Data
    warnings: list[str]
    checked: list[Data]
    figures: list[str]
    timing: Timing
    peak_rss_mb: float | None
    provenance: Data
    continues: NotRequired[str]
    sessions: NotRequired[list[Data]]
    certified: NotRequired[Data]


class SavedPicture(TypedDict):
    """A figure as the pages show it: file stem, caption, alternative text, SVG as a data URL.

    Where a sentence stands in its place that is ``text``, and ``data`` is empty; else ``text`` is. ``files``: the
    suffixes of its files in ``figures``, which the pages link to; ``inches``: its width and height.
    """

    name: str
    caption: str
    alt: str
    text: str
    files: list[str]
    inches: tuple[float, float]
    data: str
