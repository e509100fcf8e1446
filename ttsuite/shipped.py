"""The configurations that come with the suite: listing them, and writing one beside the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ttsuite.config import load_study

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


class ShippedError(ValueError):
    """No such configuration, or a file is in the way; the text says which."""


@dataclass(frozen=True)
class Shipped:
    """A shipped configuration: ``name`` (folder/stem), its file, its first comment line."""

    name: str
    file: Path
    summary: str


def shipped() -> list[Shipped]:
    """All shipped configurations, by name."""
    return list(_shipped())


def _shipped() -> Iterator[Shipped]:
    for file in sorted(CONFIGS.rglob("*.yaml")):
        first = file.read_text(encoding="utf-8").partition("\n")[0]
        name = file.relative_to(CONFIGS).with_suffix("").as_posix()
        yield Shipped(name, file, first.removeprefix("#").strip())


def find(name: str) -> Shipped:
    """A shipped configuration by ``folder/name``, or by ``name`` alone (one in tiny/ then comes last).

    Raises ShippedError.
    """
    known = shipped()
    name = name.removesuffix(".yaml")
    found = [entry for entry in known if name in (entry.name, entry.file.stem)]
    if not found:
        names = [entry.name for entry in known]
        close = difflib.get_close_matches(name, names + [entry.file.stem for entry in known], n=1)
        hint = f"did you mean {close[0]}?" if close else "see: ttsuite list"
        raise ShippedError(f"no shipped configuration is called {name!r} ({hint})")
    return min(found, key=lambda entry: (entry.name != name, entry.name.startswith("tiny/"), entry.name))


def example(name: str, directory: str | Path = ".") -> list[Path]:
    """Write a shipped configuration, and the data files it names, into ``directory``; returns the paths.

    Raises ShippedError where the name is not known or a file is in the way; nothing is then written.
    """
    entry = find(name)
    study, _ = load_study(entry.file)
    sources = [entry.file, *study.problem.files.values()]
    targets = [Path(directory) / source.name for source in sources]
    for target in targets:
        if target.exists():
            raise ShippedError(f"{target} exists: nothing is overwritten")
    for source, target in zip(sources, targets, strict=True):
        with target.open("xb") as file:
            file.write(source.read_bytes())
    return targets
