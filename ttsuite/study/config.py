"""From a YAML file to a Study: the checked, complete description of one run.

Keys are fixed: ``name``, ``seed``, ``problem``, ``solver``; the models of the problem's kind say what the
last two hold. Everything wrong in a file is reported at once, a line each,
``file:line:column: key.path: what is wrong``. Neither numerics nor plotting is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from pydantic import Field, ValidationError

from problems.contract import Family
from problems.errors import ProblemError
from problems.families import family, is_kind, kinds
from problems.keys import Keys, ProblemKeys, SolverKeys, shown
from solvers.cards import Card, Fact
from ttsuite.study.faults import collect, guess, key_path, show
from ttsuite.study.plots import Plots
from ttsuite.study.yaml_file import Document, Problem, override, parse
from ttsuite.study.yaml_file import Path as KeyPath

_EXTREME = 1e100
LARGEST = 10_000_000  # bytes of a file: many times what the most terms of a sum take

P = TypeVar("P", bound=ProblemKeys)
S = TypeVar("S", bound=SolverKeys)


class Study(Card, Keys, Generic[P, S]):
    """One run: what is computed, how, and from which seed."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9_-]+$",
        max_length=100,
        description="Name of the run and its folder: letters, digits, - and _; by default the file's name.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of every random number of the run.")
    check: bool = Field(
        default=False,
        description="Whether to fail (exit code 4) where a deviation from the first reference exceeds solver.accuracy.",
    )
    plots: Plots | None = Field(
        default=None, description="Figures for a paper, beside those of the report; may be left out."
    )
    problem: P = Field(description="What is computed; problem.kind decides the other keys.")
    solver: S = Field(description="How it is computed.")

    def worded(self) -> list[Fact]:
        """Name, kind, and the keys that differ from their defaults."""
        told: list[Fact] = [("name", self.name), ("kind", self.problem.kind), ("seed", str(self.seed))]
        for part in ("problem", "solver"):
            keys = getattr(self, part).model_dump(exclude_defaults=True, exclude={"kind"})
            told.append((part, ", ".join(f"{key}: {value}" for key, value in keys.items())))
        return told

    @property
    def family(self) -> Family:
        """The family of the problem's kind."""
        return family(self.problem.kind)


class ConfigError(ValueError):
    """A configuration that cannot be run; ``problems`` holds one entry, and the text one line, a fault.

    ``readable``: the file says what is wanted, and what is wanted cannot be computed; else it says nothing that could.
    """

    def __init__(self, problems: list[Problem], readable: bool = False) -> None:
        self.readable = readable
        self.problems = sorted(problems, key=_position)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _position(problem: Problem) -> tuple[int, int]:
    """Line and column, those without any (overrides) last."""
    place = re.search(r":(\d+):(\d+)$", problem.where)
    return (int(place[1]), int(place[2])) if place else (10**9, 0)


class Source(Card):
    """Where the keys of a study came from, kept to blame the right line later."""

    def __init__(self, document: Document, file: Path | None) -> None:
        self.document = document
        self.file = file

    def worded(self) -> list[Fact]:
        """The file, where there is one."""
        return [("file", "none" if self.file is None else str(self.file))]

    def error(self, error: ProblemError) -> ConfigError:
        """A ProblemError raised by the numerics as a ConfigError with file, line and column."""
        found = [Problem(self.document.where(key_path(key)), key, text) for key, text in error.faults]
        return ConfigError(found, readable=True)


def load_study(file: str | Path, overrides: Iterable[str] = ()) -> tuple[Study, Source]:
    """Read and check the configuration in ``file``; ``overrides`` are texts ``key.path=value``.

    Paths inside the file, and in overrides, are relative to the file's folder. Raises ConfigError with
    everything that is wrong. Cost: milliseconds.
    """
    file = Path(file)
    document = read(file)
    for assignment in overrides:
        override(document, assignment)
    return study_of(document, file.parent, name_of(file)), Source(document, file)


def read(file: Path) -> Document:
    """The keys and values in ``file``. Raises ConfigError where there is nothing to go on."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ConfigError([Problem(str(file), "", f"larger than {LARGEST // 10**6} MB: not a configuration")])
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([Problem(str(file), "", "no such file")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(file), "", "not UTF-8 text")]) from None
    except OSError as error:
        raise ConfigError([Problem(str(file), "", f"cannot be read: {error.strerror}")]) from None
    document = parse(text, str(file))
    if () in document.refused:
        raise ConfigError(document.problems)
    return document


def is_scan(file: str | Path) -> bool:
    """Whether the keys in a YAML file are those of a scan rather than of a study; False where it cannot be read."""
    try:
        with Path(file).open("rb") as stream:
            text = stream.read(LARGEST)
    except OSError:
        return False
    return re.search(rb"^base[ ]*:", text, re.M) is not None and re.search(rb"^problem[ ]*:", text, re.M) is None


def name_of(file: Path) -> str:
    """The name of what a file describes, where it gives none."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem)


def make_study(data: Mapping[str, object], directory: str | Path = ".") -> Study:
    """A Study from a mapping with the keys of the YAML file; paths in it are relative to ``directory``.

    Numbers may be numpy's, lists arrays or tuples; a complex number stands for itself where it is real, and for the
    pair [re, im] as the coefficient of a term. Raises ConfigError.
    """
    return study_of(
        Document(data={str(key): _plain(value, (key,)) for key, value in data.items()}), Path(directory), "study"
    )


def _plain(value: object, path: KeyPath = ()) -> object:
    """``value`` of plain numbers, texts, lists and mappings, wherever there is just one that it can mean."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, complex):
        if value.imag == 0.0:
            return value.real
        coefficient = path[:2] == ("problem", "terms") and len(path) == 4 and path[-1] == 0
        return [value.real, value.imag] if coefficient else value
    if isinstance(value, Mapping):
        return {_plain(key): _plain(entry, (*path, key)) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry, (*path, i)) for i, entry in enumerate(value)]
    return value


def study_of(document: Document, directory: Path, default_name: str) -> Study:
    """Validate by the models of the problem's kind, then complete the defaults that depend on it.

    Raises ConfigError with the document's own problems and everything that is wrong.
    """
    data = {"name": default_name} | document.data
    chosen = _family_of(data, document)
    if chosen is None:
        raise ConfigError(document.problems)
    _refuse_extremes(data, (), document)
    model = _study_model(chosen.kind)
    study, readable = None, False
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused by the models
            try:
                study = model.model_validate(data, context={"directory": directory})
            except ValidationError as error:
                causes = [item.get("ctx", {}).get("error") for item in error.errors()]
                readable = not document.problems and all(isinstance(cause, ProblemError) for cause in causes)
                collect(error, document, model)
            if study is None or document.problems:
                raise ConfigError(document.problems, readable)
            solver = chosen.complete(study.problem, study.solver)
    except ProblemError as error:
        raise Source(document, None).error(error) from None
    except UnicodeError as error:
        raise ConfigError([Problem(document.where(("problem",)), "problem", f"not Unicode text: {error}")]) from None
    except (ArithmeticError, MemoryError, np.linalg.LinAlgError) as error:
        message = f"sizes or numbers are too large, or too small, to be checked ({error})"
        raise ConfigError([Problem(document.where(("problem",)), "problem", message)], readable=True) from None
    return study.model_copy(update={"solver": solver})


@lru_cache
def _study_model(kind: str) -> type[Study]:
    """The model of studies of a kind; made once."""
    chosen = family(kind)
    return Study[chosen.problem, chosen.solver]  # type: ignore[name-defined]


def _refuse_extremes(data: object, path: KeyPath, document: Document) -> None:
    """Note every number whose square could overflow or vanish: no quantity of a problem has such a size."""
    if isinstance(data, (list, tuple)):
        for i, entry in enumerate(data):
            _refuse_extremes(entry, (*path, i), document)
    elif isinstance(data, Mapping):
        for key, entry in data.items():
            _refuse_extremes(entry, (*path, key), document)
    elif isinstance(data, (int, float)) and (abs(data) > _EXTREME or 0 < abs(data) < 1.0 / _EXTREME):
        if data in (float("inf"), -float("inf")):
            return  # the models say that they need a finite number
        message = f"{shown(data)} is out of range: numbers are 0, or from 1e-100 to 1e100 in size"
        document.refuse(path, document.where(path), message)


def _family_of(data: Mapping[str, object], document: Document) -> Family | None:
    """The family that problem.kind names; None, with the problem noted, where it names none."""
    problem = data.get("problem")
    if not isinstance(problem, Mapping):
        message = "must be a mapping with the key kind" if "problem" in data else "missing"
        document.refuse(("problem",), document.where(("problem",)), message)
        return None
    kind = problem.get("kind")
    if isinstance(kind, str) and is_kind(kind):
        return family(kind)
    path: KeyPath = ("problem", "kind")
    if "kind" not in problem:
        document.refuse(path, document.where(path), f"missing (one of: {', '.join(kinds())})")
    else:
        message = f"must be one of: {', '.join(kinds())}; found {show(kind)}{guess(kind, kinds())}"
        document.refuse(path, document.where(path), message)
    return None
