"""From the file of a collection to its items, each with the study or the computation that it runs.

Everything wrong is told at once, a line each with file, line and column: in the collection, and in the configurations
that it names. Cost: milliseconds an item.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from solvers.cards import Card, Fact
from ttsuite.data import Data
from ttsuite.reproductions.computations import arguments_of, known
from ttsuite.reproductions.keys import CollectionKeys, Item
from ttsuite.reproductions.places import SHIPPED
from ttsuite.runs.record import plain
from ttsuite.scans.scan_file import put, question_hash
from ttsuite.study.config import ConfigError, Study, name_of, read, study_of
from ttsuite.study.faults import collect, guess
from ttsuite.study.yaml_file import Document, Problem, dotted


@dataclass(frozen=True)
class Task:
    """An item that is to be run.

    ``keys``: what the file says; ``tiny``: whether its own small variant runs; ``key``: the name of its run folder, its
    name and a hash of the whole question, empty for what is not run; ``data`` and ``directory``: the configuration as
    ``make_study`` takes it; ``study``: the same, checked; ``arguments``: of its computation; ``missing``: modules that
    it needs and that are not installed.
    """

    keys: Item
    tiny: bool
    key: str
    data: Data
    directory: Path
    study: Study | None
    arguments: Data
    missing: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """About how long it takes."""
        return self.keys.tiny_seconds if self.tiny and self.keys.tiny_seconds is not None else self.keys.seconds


@dataclass(frozen=True)
class Collection(Card):
    """A collection as its file describes it; ``small``: its small variant; ``comment``: its first line of comment."""

    name: str
    title: str
    source: str
    comment: str
    small: bool
    tasks: tuple[Task, ...]

    def worded(self) -> list[Fact]:
        """Its title, and what it takes."""
        known_times = [task.seconds for task in self.tasks if task.key and task.seconds is not None]
        return [
            ("collection", self.name + (" (small variant)" if self.small else "")),
            ("title", self.title),
            ("items", f"{len(self.tasks)}, of which {sum(bool(task.key) for task in self.tasks)} can be run"),
            ("expected seconds", f"{sum(known_times):.0f}"),
        ]


def shipped() -> list[Path]:
    """The collections that come with the suite."""
    return sorted(SHIPPED.glob("*.yaml"))


def found(name: str | Path) -> Path:
    """A file, or the shipped collection of that name. Raises ConfigError where there is neither."""
    file = Path(name)
    own = SHIPPED / f"{name}.yaml"
    if file.exists() or not own.is_file():
        if not file.exists() and file.suffix not in (".yaml", ".yml"):
            names = [path.stem for path in shipped()]
            told = guess(str(name), names) or f" (there are: {', '.join(names)})"
            raise ConfigError([Problem(str(name), "", f"no collection is called so, and there is no such file{told}")])
        return file
    return own


def load_collection(file: str | Path, *, tiny: bool = False) -> Collection:
    """Read and check a collection: a file, or the name of a shipped one; ``tiny``: in its small variant.

    Raises ConfigError with everything that is wrong in it and in its configurations.
    """
    file = found(file)
    document = read(file)
    data = {"name": name_of(file)[:40]} | document.data
    keys = None
    try:
        keys = CollectionKeys.model_validate(data)
    except ValidationError as error:
        collect(error, document, CollectionKeys)
    if keys is None or document.problems:
        raise ConfigError(document.problems)
    problems: list[Problem] = []
    tasks = []
    for i, item in enumerate(keys.items):
        try:
            tasks.append(_task(i, item, document, file.parent, keys.name, tiny))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return Collection(keys.name, keys.title or keys.name, keys.source, document.comment, tiny, tuple(tasks))


def chosen(collection: Collection, only: Iterable[str], without: Iterable[str]) -> list[Task]:
    """The items that are to be run, by their names; all but ``without`` where ``only`` names none.

    Raises ConfigError for names that no item has.
    """
    names = [task.keys.name for task in collection.tasks]
    wanted, left = list(only), list(without)
    all_names = f" (there are: {', '.join(names)})"
    problems = [
        Problem("", "", f"{collection.name} has no item {name}{guess(name, names) or all_names}")
        for name in (*wanted, *left)
        if name not in names
    ]
    if problems:
        raise ConfigError(problems)
    return [
        task
        for task in collection.tasks
        if task.key and (not wanted or task.keys.name in wanted) and task.keys.name not in left
    ]


def _task(i: int, item: Item, document: Document, directory: Path, collection: str, tiny: bool) -> Task:
    """The item, with what it runs. Raises ConfigError."""
    missing = tuple(name for name in item.needs if not _is_there(name))
    if item.not_run:
        return Task(item, False, "", {}, directory, None, {}, missing)
    small = tiny and item.tiny is not None
    if item.computation:
        arguments = dict(item.tiny) if small and isinstance(item.tiny, dict) else dict(item.arguments)
        where = ("items", i, "computation")
        if item.computation not in known():
            hint = guess(item.computation, known()) or f" (known: {', '.join(known())})"
            message = f"no computation is called {item.computation!r}{hint}"
            raise ConfigError([Problem(document.where(where), dotted(where), message)])
        key = "tiny" if small else "arguments"
        _check_arguments(item.computation, arguments, document, ("items", i, key))
        text = json.dumps([item.computation, plain(arguments)], sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return Task(item, small, f"{item.name}-{digest}", {}, directory, None, arguments, missing)
    name = item.tiny if small and isinstance(item.tiny, str) else item.configuration
    key = "tiny" if small else "configuration"
    place = document.where(("items", i, key))
    file = directory / name
    try:
        own = read(file)
    except ConfigError as error:
        if str(error).endswith("no such file"):
            raise ConfigError([Problem(place, dotted(("items", i, key)), f"no such file: {file}")]) from None
        raise
    for key, value in ({} if small else item.set).items():
        path = ("items", i, "set", key)
        put(own, key, value, document.where(path, key=True), document.where(path))
    own.data["name"] = f"{collection}-{item.name}"
    if isinstance(own.data.get("solver"), dict):
        own.data["solver"]["workers"] = 1
    study = study_of(own, file.parent, own.data["name"])
    return Task(item, small, f"{item.name}-{question_hash(study)}", own.data, file.parent, study, {}, missing)


def _check_arguments(name: str, arguments: Data, document: Document, path: tuple[str | int, ...]) -> None:
    """Refuse arguments that a computation does not take."""
    known_arguments = arguments_of(name)
    problems = []
    for argument in arguments:
        if argument not in known_arguments:
            here = (*path, argument)
            hint = guess(argument, known_arguments) or f" (known: {', '.join(known_arguments)})"
            problems.append(Problem(document.where(here, key=True), dotted(here), f"unknown argument{hint}"))
    if problems:
        raise ConfigError(problems)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
