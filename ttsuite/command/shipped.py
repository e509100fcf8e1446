"""The configurations that come with the suite: listing them, and writing one beside the user."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ttsuite.reproductions.places import SHIPPED as COLLECTIONS
from ttsuite.scans.scan_file import load_scan
from ttsuite.study.config import is_scan, load_study
from ttsuite.study.schema import POINTER, SCHEMA

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SUGGESTED = 3  # names in place of a wrong one
SCHEMA_COPY = "ttsuite-schema.json"  # beside an example


class ShippedError(ValueError):
    """No such configuration, or a file is in the way; the text says which."""


@dataclass(frozen=True)
class Shipped:
    """A shipped configuration: ``name`` (folder/stem), its file, its first line of comment that says what it is."""

    name: str
    file: Path
    summary: str

    @property
    def for_tests(self) -> bool:
        """Whether it is a small version, of whose numbers tests know what is expected."""
        return "tiny" in self.name.split("/")


def shipped() -> list[Shipped]:
    """All shipped configurations, by name."""
    return list(_shipped())


def _shipped() -> Iterator[Shipped]:
    for file in sorted(CONFIGS.rglob("*.yaml")):
        if file.parent == COLLECTIONS:  # ttsuite reproduce lists them
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        first = next((line for line in lines if not line.startswith(POINTER)), "")
        name = file.relative_to(CONFIGS).with_suffix("").as_posix()
        yield Shipped(name, file, first.removeprefix("#").strip())


def listing(tests: bool, width: int) -> list[str]:
    """The lines of ``ttsuite list``: what a user would run, or the small ones that ``tests`` run."""
    known = shipped()
    entries = [entry for entry in known if entry.for_tests is tests]
    column = max(len(entry.name) for entry in entries)
    lines: list[str] = []
    for entry in entries:
        begin, after = f"{entry.name:{column}}  ", " " * (column + 2)
        lines += textwrap.wrap(entry.summary, width, initial_indent=begin, subsequent_indent=after) or [entry.name]
    if not tests:
        small = len(known) - len(entries)
        lines.append(f"and {small} small ones of the tests (ttsuite list --tests); to take one: ttsuite example NAME")
    return lines


def find(name: str) -> Shipped:
    """A shipped configuration by ``folder/name``, or by ``name`` alone (one in tiny/ then comes last).

    Raises ShippedError.
    """
    known = shipped()
    name = name.removesuffix(".yaml")
    found = [entry for entry in known if name in (entry.name, entry.file.stem)]
    if not found:
        raise ShippedError(f"no shipped configuration is called {name!r} ({nearest(name) or 'see: ttsuite list'})")
    return min(found, key=lambda entry: (entry.name != name, entry.name.startswith("tiny/"), entry.name))


def nearest(name: str) -> str:
    """``did you mean ...?`` with the few names that hold ``name`` or come closest to it; empty where none does."""
    stems = list(dict.fromkeys(entry.file.stem for entry in shipped() if not entry.for_tests))
    holding = [stem for stem in stems if name and name.lower() in stem]
    names = [entry.name for entry in shipped()]
    close = holding[:SUGGESTED] or difflib.get_close_matches(name, [*stems, *names], n=1)
    return f"did you mean {' or '.join(close)}?" if close else ""


def example(name: str, directory: str | Path = ".") -> list[Path]:
    """Write a shipped configuration or scan, the data files it names, and the schema it points to, into ``directory``.

    Returns the paths written; a schema that lies there already is left as it is. Raises ShippedError where the name is
    not known or a file is in the way; nothing is then written.
    """
    entry, directory = find(name), Path(directory)
    scan = is_scan(entry.file)
    studies = [point.study for point in load_scan(entry.file).points] if scan else [load_study(entry.file)[0]]
    files = [file for study in studies for file in (*study.problem.files.values(), *study.problem.companions)]
    contents = {file.name: file.read_bytes() for file in files}
    lines = entry.file.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(POINTER))
    contents[entry.file.name] = (text if scan else f"{POINTER}{SCHEMA_COPY}\n{text}").encode()
    for file in contents:
        if (directory / file).exists():
            raise ShippedError(f"{directory / file} exists: nothing is overwritten")
    if not scan and not (directory / SCHEMA_COPY).exists():
        contents[SCHEMA_COPY] = SCHEMA.read_bytes()
    for file, content in contents.items():
        with (directory / file).open("xb") as target:
            target.write(content)
    return [directory / file for file in contents]
