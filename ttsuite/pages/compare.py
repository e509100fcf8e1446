"""Two runs beside each other: quantities with both error estimates, ranks, work, timings, configurations.

Two values agree where |a - b| is no more than both runs' own errors allow, and rounding, 1e-12 max(|a|, |b|). Bounds
and estimates add up, e_a + e_b. Numbers that each run samples for itself, with standard deviations s_a and s_b, may
differ by c (s_a^2 + s_b^2)^(1/2) with c = 3; where a quantity has n of them, c is so much larger that n lie within as
surely as one does within three (Bonferroni): 3.9 for 25. Of a bound beside a deviation both parts add up.
Everything is read from report.json and configuration.yaml; nothing is computed again. Two runs of one kind of problem
can be compared, whatever their parameters: entries (states, times, parts) are matched by what they are, and those that
only one run has are counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np

from problems.report_parts import Quantity, error_contents
from solvers.cards import Card, Fact, size
from solvers.measured import Cell, Measured, bound, in_ascii
from ttsuite.data import Report
from ttsuite.pages.render import provenance_facts
from ttsuite.runs.layout import CONFIGURATION_FILE
from ttsuite.runs.run_folder import ranks_along_train, read_report
from ttsuite.runs.spent import parts
from ttsuite.study.config import Study, load_study

SUMMARY = ["quantity", "values", "difference", "at", "allowed", "allowed are", "verdict"]
ROUNDING = 1e-12  # relative: what two runs of the same problem may differ by without any error
SIGNIFICANT = 9  # digits of a key (a time) that tell entries apart
WIDEST = 40  # characters of a cell on the terminal


@dataclass(frozen=True, eq=False)
class ComparedQuantity(Card):
    """One quantity of two runs, at the entries both have.

    ``keys`` (m,); ``values``: both runs' values (m, ...); ``errors``: both runs' estimates (m, ...), None where a run
    has none; ``only``: how many entries only the first, only the second run has; ``contents``: what is in the errors
    and what is not, in words; ``coverages``: of both runs' errors, as of a Quantity.
    """

    name: str
    unit: str
    axis: str
    keys: list[float | str]
    values: tuple[np.ndarray, np.ndarray]
    errors: tuple[np.ndarray | None, np.ndarray | None]
    only: tuple[int, int]
    contents: str = ""
    coverages: tuple[float, float] = (1.0, 1.0)

    def worded(self) -> list[Fact]:
        """How many entries both runs have, what they differ by, and how many by more than their errors."""
        count, apart = self.judged
        known = self.difference[np.isfinite(self.difference)]
        told = [("name", self.name), ("unit", self.unit), ("in common", f"{len(self.keys)} along {self.axis}")]
        told.append(("largest difference", size(known.max()) if known.size else "not known"))
        return [*told, ("judged", f"{count} values, {apart} differ by more than both errors")]

    @property
    def difference(self) -> np.ndarray:
        """|a - b|, (m, ...); NaN where a run has no value."""
        return np.abs(self.values[0] - self.values[1])

    @property
    def tolerance(self) -> np.ndarray | None:
        """What |a - b| may be, (m, ...); None where a run has no error estimate."""
        first, second = self.errors
        if first is None or second is None:
            return None
        allowed = ROUNDING * np.maximum(np.abs(self.values[0]), np.abs(self.values[1]))
        variance = np.zeros_like(allowed)
        for error, coverage in zip((first, second), self.coverages):
            if coverage > 1.0:
                variance += error**2
            else:
                allowed += error
        return allowed + self.deviations * np.sqrt(variance)

    @property
    def deviations(self) -> float:
        """How many standard deviations two values may differ by; 1 where no error is one."""
        first, second = self.errors
        if max(self.coverages) <= 1.0 or first is None or second is None:
            return 1.0
        count = int(np.sum(~np.isnan(self.difference + first + second)))
        return widened(max(self.coverages), count)

    @property
    def allowed_are(self) -> str:
        """What it is that two values may differ by, in words."""
        if self.tolerance is None:
            return ""
        if max(self.coverages) <= 1.0:
            return "both errors"
        told = f"{Measured(self.deviations, digits=2)} standard deviations"
        return told if min(self.coverages) > 1.0 else f"an error and {told}"

    @property
    def agrees(self) -> np.ndarray | None:
        """Entries (m, ...) that agree; what only one run knows as a number does not. None where nothing is told."""
        if self.tolerance is None:
            return None
        unknown = np.isnan(self.values[0]) & np.isnan(self.values[1])
        return (self.difference <= self.tolerance) | ~self._estimated | unknown

    @property
    def judged(self) -> tuple[int, int]:
        """How many entries have both estimates, and how many of them differ by more."""
        agrees = self.agrees
        if agrees is None:
            return 0, 0
        return int(np.sum(self._estimated)), int(np.sum(~agrees))

    @property
    def _estimated(self) -> np.ndarray:
        """Entries with both estimates, or with the value of one run alone."""
        assert self.tolerance is not None
        alone = np.isnan(self.values[0]) ^ np.isnan(self.values[1])
        return ~np.isnan(self.tolerance) | alone


def widened(coverage: float, count: int) -> float:
    """Standard deviations within which ``count`` normal numbers all lie as surely as one does within ``coverage``."""
    tail = NormalDist().cdf(-coverage) / max(count, 1)
    return -NormalDist().inv_cdf(tail)


@dataclass(frozen=True)
class Comparison(Card):
    """Two runs beside each other; ``facts``, ``configuration`` and ``provenance`` are (what, first, second) texts.

    ``ranks``: largest TT-ranks along the train of each run; ``configuration``: the keys that differ, ``provenance``:
    what else differs of how they were run.
    """

    folders: tuple[Path, Path]
    kind: str
    quantities: list[ComparedQuantity]
    ranks: tuple[list[int], list[int]]
    facts: list[tuple[str, str, str]]
    configuration: list[tuple[str, str, str]]
    provenance: list[tuple[str, str, str]]

    def worded(self) -> list[Fact]:
        """The verdict, and every quantity in a line."""
        told = [(" and ".join(self.names), self.verdict)]
        for name, values, difference, _, allowed, what, verdict in summary_rows(self):
            apart = f"differ by {difference or 'nothing known'}"
            limit = f"allowed {allowed} ({what})" if allowed else "allowed nothing known"
            told.append((str(name), f"{verdict}: {values} values, {apart}, {limit}"))
        return told

    @property
    def names(self) -> tuple[str, str]:
        """What the runs are called: their folders' names, with those of the folders above where they are the same."""
        first, second = (folder.resolve() for folder in self.folders)
        if first.name != second.name:
            return first.name, second.name
        if first.parent.name != second.parent.name:
            return f"{first.parent.name}/{first.name}", f"{second.parent.name}/{second.name}"
        return f"{first.name} (1)", f"{second.name} (2)"

    @property
    def equal(self) -> bool:
        """Whether both runs agree within their error estimates, wherever both have one."""
        return not any(q.judged[1] for q in self.quantities)

    @property
    def verdict(self) -> str:
        """One sentence."""
        count = sum(q.judged[0] for q in self.quantities)
        apart = sum(q.judged[1] for q in self.quantities)
        if not count:
            return "nothing can be judged: the runs have no entry with two error estimates in common"
        if self.equal:
            return f"the runs agree within their error estimates in all {count} values that have them"
        text = f"the runs differ by more than their error estimates in {apart} of {count} values that have them"
        return text + (
            "; their problems differ" if any(k.startswith("problem.") for k, *_ in self.configuration) else ""
        )


def compare_runs(first: str | Path, second: str | Path) -> Comparison:
    """Compare two runs that ended, given by their folders.

    Raises FileNotFoundError where one is no run folder, ValueError for runs without results, for different kinds of
    problems and for damaged files. Cost: reading the files.
    """
    folders = (Path(first), Path(second))
    reports, studies = [], []
    for folder in folders:
        report = read_report(folder)
        if not report["results"]:
            raise ValueError(f"{folder} holds no results: the run is {report['status'].replace('_', ' ')}")
        reports.append(report)
        studies.append(load_study(folder / CONFIGURATION_FILE)[0])
    kinds = [study.problem.kind for study in studies]
    if kinds[0] != kinds[1]:
        raise ValueError(f"{folders[0]} is of kind {kinds[0]}, {folders[1]} of kind {kinds[1]}: nothing to compare")
    try:
        told = [_quantities(studies[0], report) for report in reports]
        quantities = [beside(a, b) for a in told[0] for b in told[1] if (a.name, a.axis) == (b.name, b.axis)]
        facts = _facts(*reports)
        ranks = (ranks_along_train(reports[0]), ranks_along_train(reports[1]))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(
            f"the results of {folders[0]} or {folders[1]} are damaged or of another version: {error!r}"
        ) from None
    return Comparison(
        folders,
        kinds[0],
        quantities,
        ranks,
        facts,
        _configuration(*studies),
        _different(*(dict(provenance_facts(report["provenance"])) for report in reports)),
    )


def _quantities(study: Study, report: Report) -> list[Quantity]:
    return study.family.result_of(report["results"]).quantities(report["results"])


def beside(a: Quantity, b: Quantity) -> ComparedQuantity:
    """Both quantities at the keys they share; none where their entries are of different shapes."""
    places = [{_key(key): i for i, key in enumerate(q.keys)} for q in (a, b)]
    common = [key for key in places[0] if key in places[1]] if a.values.shape[1:] == b.values.shape[1:] else []
    rows = [np.array([place[key] for key in common], dtype=int) for place in places]
    values, errors = [], []
    for q, chosen in zip((a, b), rows):
        value = q.values[chosen]
        error = None if q.errors is None else q.errors[chosen]
        if error is not None and error.ndim < value.ndim:
            error = np.broadcast_to(error.reshape(error.shape + (1,) * (value.ndim - error.ndim)), value.shape)
        values.append(value)
        errors.append(error)
    keys = [a.keys[i] for i in rows[0]]
    only = (len(a.keys) - len(common), len(b.keys) - len(common))
    contents = "; ".join(dict.fromkeys(filter(None, map(error_contents, (a, b)))))
    pairs = (values[0], values[1]), (errors[0], errors[1])
    return ComparedQuantity(a.name, a.unit, a.axis, keys, *pairs, only, contents, (a.coverage, b.coverage))


def _key(key: float | str) -> float | str:
    return f"{key:.{SIGNIFICANT}g}" if isinstance(key, float) else key


def _facts(first: Report, second: Report) -> list[tuple[str, str, str]]:
    """Status, ranks, time, memory and work of both runs."""
    rows: list[tuple[str, str, str]] = []

    def add(what: str, a: object, b: object, form: str = "{}") -> None:
        if a is not None or b is not None:
            rows.append((what, *("" if value is None else form.format(value) for value in (a, b))))  # type: ignore[arg-type]

    add("name", first["name"], second["name"])
    add("status", first["status"].replace("_", " "), second["status"].replace("_", " "))
    ranks = [max(ranks_along_train(report), default=None) for report in (first, second)]
    add("largest TT-rank", ranks[0], ranks[1])
    for (name, a), (_, b) in zip(parts(first), parts(second)):
        add(f"time, {name}", a, b, "{:.1f} s")
    add("time, in all", first["timing"].get("wall_s"), second["timing"].get("wall_s"), "{:.1f} s")
    add("peak memory", first.get("peak_rss_mb"), second.get("peak_rss_mb"), "{:.0f} MB")
    counts = [report["results"].get("counts") or {} for report in (first, second)]
    for key in dict.fromkeys([*counts[0], *counts[1]]):
        add(f"work, {key.replace('_', ' ')}", counts[0].get(key), counts[1].get(key))
    return rows


def _configuration(first: Study, second: Study) -> list[tuple[str, str, str]]:
    """The keys that differ, defaults filled in; the name of a study is none of them."""
    return _different(*(_texts(study.model_dump(exclude={"name"})) for study in (first, second)))


def _different(first: Mapping[str, str], second: Mapping[str, str]) -> list[tuple[str, str, str]]:
    keys = dict.fromkeys([*first, *second])
    return [(k, first.get(k, ""), second.get(k, "")) for k in keys if first.get(k) != second.get(k)]


def _texts(data: object, path: str = "") -> dict[str, str]:
    """Leaves of nested mappings by their dotted paths; lists are leaves."""
    if isinstance(data, Mapping):
        entries = [_texts(value, f"{path}.{key}" if path else str(key)) for key, value in data.items()]
        return {key: value for entry in entries for key, value in entry.items()}
    if isinstance(data, Path):
        return {path: data.name}
    return {path: "none" if data is None else str(data)}


def summary_rows(comparison: Comparison) -> list[list[Cell]]:
    """A row a quantity: entries, largest difference, where, what it may be there and why, and the verdict."""
    rows: list[list[Cell]] = []
    for q in comparison.quantities:
        name = f"{q.name} ({q.unit})" if q.unit else q.name
        finite = np.where(np.isfinite(q.difference), q.difference, -1.0)
        if not q.keys:
            rows.append([name, Measured(0), "", "", "", "", "nothing in common"])
            continue
        worst = np.unravel_index(int(np.argmax(_excess(q))), finite.shape)
        tolerance, agrees = q.tolerance, q.agrees
        verdict = "not judged: no estimate"
        if agrees is not None:
            count, apart = q.judged
            verdict = f"differ in {apart}" if apart else "agree" if count else verdict
        shown = "" if tolerance is None or math.isnan(tolerance[worst]) else bound(float(tolerance[worst]))
        difference = "" if finite[worst] < 0 else bound(float(finite[worst]))
        place = f"{q.axis} {told_key(q, worst)}"
        rows.append([name, Measured(finite.size), difference, place, shown, q.allowed_are if shown else "", verdict])
    return rows


def _excess(q: ComparedQuantity) -> np.ndarray:
    """What tells how far apart an entry is: the difference over its tolerance, or the difference alone."""
    tolerance = q.tolerance
    excess = q.difference if tolerance is None else q.difference / np.maximum(tolerance, 1e-300)
    if q.agrees is not None:
        excess = np.where(q.agrees, excess, np.fmax(excess, 1.0) + 1e-9)
    return np.where(np.isnan(excess), -1.0, excess)


def told_key(q: ComparedQuantity, place: Sequence[int | np.integer]) -> str:
    """An entry in words: its key, and where it has several components, which (from 1)."""
    key = q.keys[int(place[0])]
    text = f"{key:g}" if isinstance(key, float) else str(key)
    return text + (f" [{', '.join(str(int(i) + 1) for i in place[1:])}]" if len(place) > 1 else "")


def told(comparison: Comparison) -> str:
    """The comparison as a text for a terminal: quantities, what differs, verdict."""
    first, second = comparison.names
    parts = [_aligned([SUMMARY, *([in_ascii(str(cell)) for cell in row] for row in summary_rows(comparison))])]
    for title, rows in (("runs", comparison.facts), ("configuration", comparison.configuration)):
        if rows:
            parts.append(_aligned([[title, first, second], *([key, *map(_cut, texts)] for key, *texts in rows)]))
    return "\n\n".join([*parts, comparison.verdict])


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join("  ".join(f"{text:{width}}" for text, width in zip(row, widths)).rstrip() for row in rows)
