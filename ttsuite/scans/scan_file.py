"""A scan file: one study, changed point by point.

    name: coupling                     # by default the file's name
    base: oscillators.yaml             # a file, named from this one's folder; or the study itself
    grid:                              # every combination; the last key runs fastest
      problem.force_field.coupling: [0.0, 0.1, 0.2]
      solver.n_states: [10, 20]
    list:                              # single points, after those of the grid
      - {problem.force_field.coupling: 0.5, solver.accuracy: 1.0e-6}

A key may lead into a list: ``problem.terms.1.0`` is the coefficient of the second term. Paths among the values are
named from the folder of the base, as with ``--set``. Every point is checked, and everything wrong in any of them is
told at once, before anything runs. A point that asks clearly for what cannot be computed is refused alone.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from problems.errors import ProblemError
from problems.keys import renamed
from solvers.cards import Card, Fact
from ttsuite.data import Data
from ttsuite.runs.record import plain
from ttsuite.study.config import ConfigError, Source, Study, name_of, read, study_of
from ttsuite.study.faults import guess, key_path
from ttsuite.study.yaml_file import Document, Problem, dotted, override
from ttsuite.study.yaml_file import Path as KeyPath

Change = dict[str, tuple[object, str, str]]  # dotted key -> (value, where the key is written, where the value is)
MOST_POINTS = 10_000
_KEYS = ("name", "base", "grid", "list")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OURS = {"name": "a point has the name of its changes", "solver.workers": "a point runs in one process"}


@dataclass(frozen=True)
class Point:
    """One study of a scan.

    Attributes
    ----------
    number : from 1, in the order of the file.
    changes : dotted key -> value, of the keys that this point changes.
    key : name of its run folder: its changes in words, and a hash of the whole question. The same question has the same
        key in every scan, wherever it stands in the file.
    data : the configuration, as ``make_study`` takes it, paths in it named from ``directory``.
    study : the same, checked and complete.
    """

    number: int
    changes: Data
    key: str
    data: Data
    directory: Path
    study: Study
    source: Source

    def problem(self, message: str, key: str) -> Problem:
        """What the numerics refuse, with the line to blame."""
        (found,) = self.source.error(ProblemError(message, key)).problems
        return replace(found, message=f"{found.message} (point {self.number}: {words(self.changes)})")


@dataclass(frozen=True)
class Refused:
    """A point that cannot be computed: its number, its changes, and what is wrong, a line each."""

    number: int
    changes: Data
    problems: tuple[Problem, ...]

    @property
    def message(self) -> str:
        """What is wrong, in one line."""
        return "; ".join(problem.message for problem in self.problems)


@dataclass(frozen=True)
class Plan(Card):
    """A scan as its file describes it: name, the keys that change, the points, and those that are refused."""

    name: str
    keys: tuple[str, ...]
    points: tuple[Point, ...]
    refused: tuple[Refused, ...] = ()

    def worded(self) -> list[Fact]:
        """How many points, and what changes."""
        told = [("name", self.name), ("points", str(len(self.points))), ("refused", str(len(self.refused)))]
        return [*told, ("what changes", ", ".join(self.keys))]


def load_scan(file: str | Path, overrides: Iterable[str] = ()) -> Plan:
    """Read and check the scan in ``file``; ``overrides`` are texts ``key.path=value`` that change the base.

    Raises ConfigError with everything that is wrong, in the scan, its base and all its points; points that ask for what
    cannot be computed are only listed as ``refused``, unless all of them do. Cost: milliseconds a point.
    """
    file = Path(file)
    document = read(file)
    _check_keys(document)
    base, directory = _base(document, file)
    for assignment in overrides:
        override(base, assignment)
    chosen = _name(document, file)
    changes = list(_changes(document))
    if document.problems or () in base.refused:
        raise ConfigError(_distinct(document.problems + base.problems))
    points: list[Point] = []
    faults: dict[Problem, list[int]] = {}  # with the numbers of the points that have them
    refused: list[Refused] = []
    for number, change in enumerate(changes, start=1):
        try:
            points.append(_point(number, change, base, directory, chosen))
        except ConfigError as error:
            if error.readable:
                values = {key: value for key, (value, _, _) in change.items()}
                refused.append(Refused(number, values, tuple(error.problems)))
                continue
            for problem in error.problems:
                faults.setdefault(problem, []).append(number)
    if not points:
        for point in refused:
            for problem in point.problems:
                faults.setdefault(problem, []).append(point.number)
    problems = base.problems + [_of_points(problem, numbers, changes) for problem, numbers in faults.items()]
    if not problems:
        problems = _repeated(points)
    if problems:
        raise ConfigError(_distinct(problems))
    keys = tuple(dict.fromkeys(key for change in changes for key in change))
    return Plan(chosen, keys, tuple(points), tuple(refused))


def words(changes: Mapping[str, object]) -> str:
    """``coupling = 0.1, n_states = 10``: the changes, the keys as short as they can be told apart."""
    return ", ".join(f"{name} = {value_text(value)}" for name, value in zip(short_names(changes), changes.values()))


def short_names(keys: Iterable[str]) -> list[str]:
    """The last word of each key and the numbers after it; more of it where others end the same."""
    shortest = [re.sub(r"^.*?([^.]+)((\.\d+)*)$", r"\1\2", key) for key in keys]
    return [
        short if shortest.count(short) == 1 else key.removeprefix("problem.").removeprefix("solver.")
        for short, key in zip(shortest, keys)
    ]


def value_text(value: object) -> str:
    """A value of a YAML file as a short text."""
    return value if isinstance(value, str) else json.dumps(plain(value))


def _check_keys(document: Document) -> None:
    """Refuse unknown keys and values of the wrong shape."""
    data = document.data

    def refuse(path: KeyPath, message: str, key: bool = False) -> None:
        if path not in document.refused:
            document.refuse(path, document.where(path, key=key), message)

    for key in data:
        if key not in _KEYS:
            refuse((key,), f"unknown key{guess(key, _KEYS) or ' (known: ' + ', '.join(_KEYS) + ')'}", key=True)
    if "base" not in data:
        refuse(("base",), "missing (a file, or the study itself)")
    elif not isinstance(data["base"], (str, dict)):
        refuse(("base",), "must be the name of a file or a mapping of keys to values")
    grid, points = data.get("grid", {}), data.get("list", [])
    if not grid and not points:
        refuse(("grid",), "a scan needs a grid, a list, or both")
    if not isinstance(grid, dict):
        refuse(("grid",), "must be a mapping of keys to lists of values")
    else:
        for key, values in grid.items():
            if not isinstance(values, list) or not values:
                refuse(("grid", key), "must be a list of values")
    if not isinstance(points, list) or not all(isinstance(point, dict) and point for point in points):
        refuse(("list",), "must be a list of mappings of keys to values")
    else:
        names: list[KeyPath] = [("list", i, key) for i, point in enumerate(points) for key in point]
        names += [("grid", key) for key in grid] if isinstance(grid, dict) else []
        for path in names:
            key = path[-1]
            if not isinstance(key, str) or not all(key.split(".")):
                refuse(path, "must be a key such as problem.coupling", key=True)
            elif key in _OURS:
                refuse(path, f"cannot be changed: {_OURS[key]}", key=True)


def _name(document: Document, file: Path) -> str:
    """The scan's name; with it begins the name of every point."""
    name = document.data.get("name", name_of(file)[:40])
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    document.refuse(("name",), document.where(("name",)), "must be 1 to 40 letters, digits, - and _")
    return "scan"


def _base(document: Document, file: Path) -> tuple[Document, Path]:
    """The study that the points change, and the folder its paths are named from."""
    base = document.data.get("base")
    if isinstance(base, dict):

        def below(table: dict[KeyPath, str]) -> dict[KeyPath, str]:
            return {path[1:]: where for path, where in table.items() if path[:1] == ("base",)}

        refused = {path[1:] for path in document.refused if path[:1] == ("base",)}
        return Document(base, below(document.keys), below(document.values), [], refused), file.parent
    if not isinstance(base, str):
        return Document(), file.parent
    try:
        return read(file.parent / base), (file.parent / base).parent
    except ConfigError as error:
        if str(error).endswith("no such file"):
            document.refuse(("base",), document.where(("base",)), f"no such file: {file.parent / base}")
        else:
            document.problems += error.problems
        return Document(), file.parent


def _changes(document: Document) -> Iterator[Change]:
    """What each point changes."""
    if document.problems:
        return
    grid, points = document.data.get("grid") or {}, document.data.get("list") or []
    axes = [
        [
            (key, (value, document.where(("grid", key), key=True), document.where(("grid", key, i))))
            for i, value in enumerate(values)
        ]
        for key, values in grid.items()
    ]
    total = len(points) + (math.prod(len(axis) for axis in axes) if axes else 0)
    if total > MOST_POINTS:
        document.refuse(("grid",), document.where(("grid",), key=True), f"{total} points: at most {MOST_POINTS}")
        return
    if axes:
        for combination in itertools.product(*axes):
            yield dict(combination)
    for i, point in enumerate(points):
        places = {key: ("list", i, key) for key in point}
        yield {key: (point[key], document.where(path, key=True), document.where(path)) for key, path in places.items()}


def _point(number: int, change: Change, base: Document, directory: Path, scan: str) -> Point:
    """The base with its changes, checked. Raises ConfigError with the problems that the base alone does not have."""
    data = copy.deepcopy(base.data)
    document = Document(data, dict(base.keys), dict(base.values), [], set(base.refused))
    for key, (value, where_key, where) in change.items():
        put(document, key, copy.deepcopy(value), where_key, where)
    changes = {key: value for key, (value, _, _) in change.items()}
    slug = _slug(changes)
    data["name"] = f"{scan}-{slug}"
    solver = data.get("solver")
    if isinstance(solver, dict):
        solver["workers"] = 1
    study = study_of(document, directory, data["name"])
    return Point(number, changes, f"{slug}-{question_hash(study)}", data, directory, study, Source(document, None))


def _of_points(problem: Problem, numbers: list[int], changes: list[Change]) -> Problem:
    """The problem, with the first point that has it where the place alone does not tell."""
    change = changes[numbers[0] - 1]
    if len(numbers) == len(changes) or problem.where in {where for _, *places in change.values() for where in places}:
        return problem
    values = words({key: value for key, (value, _, _) in change.items()})
    return replace(problem, message=f"{problem.message} (point {numbers[0]}: {values})")


def put(document: Document, key: str, value: object, where_key: str, where: str) -> None:
    """Put ``value`` at ``key``; what is wrong goes to ``document.problems``. Mappings on the way are made."""
    path = key_path(key)
    target: Any = document.data
    for depth, part in enumerate(path):
        here, last = path[:depth], depth == len(path) - 1
        if isinstance(target, list):
            if not isinstance(part, int) or part >= len(target):
                size = f"{dotted(here)} is a list of {len(target)}"
                document.refuse(path, where_key, f"{size}: a number from 0 to {len(target) - 1} must follow")
                return
        elif not isinstance(target, dict):
            document.refuse(path, where_key, f"{dotted(here)} is not a mapping")
            return
        elif part not in target and not last:
            document.keys[(*here, part)] = document.values[(*here, part)] = where_key
            target[part] = {}
        if last:
            target[part] = value
        else:
            target = target[part]
    for table, place in ((document.keys, where_key), (document.values, where)):
        for known in [known for known in table if known[: len(path)] == path]:
            del table[known]
        table[path] = place
    document.refused -= {refused for refused in document.refused if refused[: len(path)] == path}


def _slug(changes: Mapping[str, object]) -> str:
    """The changes as part of a file name and of a study's name."""
    parts = []
    for name, value in zip(short_names(changes), changes.values()):
        word = value_text(value).replace(".", "p") if isinstance(value, (str, int, float)) else "changed"
        parts.append("-".join(re.sub(r"[^A-Za-z0-9_-]+", "_", part) for part in (name, word)))
    return "_".join(parts)[:50].rstrip("_-")


def question_hash(study: Study) -> str:
    """Of all that a study asks: files count by what is in them, the name and the number of workers do not."""
    question = plain(study.model_dump(exclude={"name": True, "solver": {"workers"}}))
    for key, path in study.problem.files.items():
        renamed(question["problem"], key, hashlib.sha256(path.read_bytes()).hexdigest())
    if study.problem.companions:
        question["companions"] = [hashlib.sha256(path.read_bytes()).hexdigest() for path in study.problem.companions]
    text = json.dumps(question, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _repeated(points: list[Point]) -> list[Problem]:
    """A problem for each point that asks what an earlier one asks."""
    first: dict[str, Point] = {}
    problems = []
    for point in points:
        other = first.setdefault(point.key.rpartition("-")[2], point)
        if other is not point:
            where = point.source.document.where(key_path(next(iter(point.changes))))
            problems.append(Problem(where, "", f"points {other.number} and {point.number} ask the same"))
    return problems


def _distinct(problems: list[Problem]) -> list[Problem]:
    """Each text once: a value of a grid is wrong in many points."""
    return list({str(problem): problem for problem in problems}.values())
