"""Reading YAML with the position of every key, and without the traps of YAML 1.1.

Scalars follow the core schema of YAML 1.2 (section 10.3): only true and false are booleans (``on`` is a
string), ``1e-8`` is a number. Beyond it, refused with file, line and column: duplicate keys, integers
with a leading zero (octal to older readers), infinity and NaN, tags, anchors and aliases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MAX_DIGITS = 300
_MAX_DEPTH = 50
_TOO_DEEP = "nested too deeply"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # only its events are used


def _one_line(text: str, longest: int = 1000) -> str:
    """``text`` without line breaks and other characters that a terminal does not print, its middle cut out if long."""
    if len(text) > longest:
        text = f"{text[: longest - 60]} ... {text[-55:]}"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass(frozen=True)
class Problem:
    """One thing wrong: ``where`` reads ``file:line:column``, ``key`` is dotted and may be empty."""

    where: str
    key: str
    message: str

    def __str__(self) -> str:
        parts = (_one_line(self.where), _one_line(self.key, 120), _one_line(self.message, 400))
        return ": ".join(part for part in parts if part)


@dataclass
class Document:
    """A parsed mapping: ``data``, where each key and each value begins, and what was wrong so far.

    ``comment``: the first line of the comment above the keys, which says what the file is; empty where there is none.
    """

    data: dict[Any, Any] = field(default_factory=dict)
    keys: dict[Path, str] = field(default_factory=dict)
    values: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[Path] = field(default_factory=set)
    comment: str = ""

    def refuse(self, path: Path, where: str, message: str) -> None:
        """Note a problem at ``path``; later complaints about the same value are then left out."""
        self.problems.append(Problem(where, dotted(path), message))
        self.refused.add(path)

    def where(self, path: Path, *, key: bool = False) -> str:
        """Position of the value (or the key) at ``path``, or of its nearest known parent."""
        for length in range(len(path), -1, -1):
            table = self.keys if (key or length < len(path)) and length else self.values
            if path[:length] in table:
                return table[path[:length]]
        return ""


def dotted(path: Path) -> str:
    """``('solver', 'n_states')`` as ``solver.n_states``."""
    return ".".join(str(part) for part in path)


def parse(text: str, name: str) -> Document:
    """Parse YAML ``text`` into a Document; ``name`` is the file name shown in positions. Never raises.

    Cost: about a second for a megabyte, with the parser in C that PyYAML brings along nearly everywhere.
    """
    document = Document(comment=_first_comment(text))
    unfit = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if unfit is not None:
        line, column = text.count("\n", 0, unfit.start()) + 1, unfit.start() - text.rfind("\n", 0, unfit.start())
        document.refuse((), f"{name}:{line}:{column}", "not valid YAML: a control character is not allowed")
        return document
    try:
        _Reader(text, name, document).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        deep = error.problem == "exceeded maximum nesting depth"
        document.refuse((), where, _TOO_DEEP if deep else f"not valid YAML: {error.problem or error.context}")
    return document


def _first_comment(text: str) -> str:
    """The first line of comment before anything else; the file's own name and an editor's schema do not count."""
    for line in text.splitlines():
        content = line.strip()
        if content and not content.startswith("#"):
            break
        words = content.lstrip("#").strip()
        if words and not words.startswith("yaml-language-server:") and not words.endswith((".yaml", ".yml")):
            return words
    return ""


class _Reader:
    """Builds the data from the events of the parser: what a node means is decided here, not by YAML 1.1."""

    def __init__(self, text: str, name: str, document: Document) -> None:
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self.name = name
        self.document = document

    def read(self) -> None:
        """Fill the document. Raises MarkedYAMLError."""
        event = self.next()
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            self.document.refuse((), self.name, "the file is empty")
            return
        if isinstance(event, yaml.MappingStartEvent):
            self.document.data = self.value(event, ())
        else:
            self.skip(event)
            what = "the file is empty" if _is_empty(event) else "must be a mapping of keys to values"
            self.document.refuse((), self.at(event), what)
        self.next()  # the end of the document
        event = self.next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise yaml.MarkedYAMLError(problem="a second document begins here", problem_mark=_mark(event))

    def next(self) -> yaml.Event:
        """The next event, once it is known to have neither anchor nor tag."""
        event = next(self.events)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "anchors and aliases (& and *) are not supported"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=_mark(event))
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="tags (!) are not supported", problem_mark=_mark(event))
        return event

    def at(self, event: yaml.Event) -> str:
        """``file:line:column`` of an event."""
        assert event.start_mark is not None
        return f"{self.name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"

    def skip(self, event: yaml.Event) -> None:
        """Read over the node that ``event`` begins."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = self.next()

    def value(self, event: yaml.Event, path: Path) -> Any:
        """The value of the node that ``event`` begins, its position noted, its children's problems collected."""
        document = self.document
        document.values[path] = self.at(event)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, path, self.at(event), document)
        if len(path) >= _MAX_DEPTH:
            document.refuse(path, self.at(event), _TOO_DEEP)
            self.skip(event)
            return None
        if isinstance(event, yaml.SequenceStartEvent):
            entries: list[object] = []
            while not isinstance(event := self.next(), yaml.SequenceEndEvent):
                entries.append(self.value(event, (*path, len(entries))))
            return entries
        mapping: dict[Any, Any] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            where = self.at(event)
            if not isinstance(event, yaml.ScalarEvent):
                document.refuse(path, where, "a key must be a word or a number")
                self.skip(event)
                self.skip(self.next())
                continue
            key = _scalar(event, path, where, document, is_key=True)
            if key in mapping:
                document.refuse((*path, key), where, f"given twice (first at {document.keys[*path, key]})")
                self.skip(self.next())
                continue
            document.keys[*path, key] = where
            mapping[key] = self.value(self.next(), (*path, key))
        return mapping


def _mark(event: yaml.Event) -> yaml.Mark | None:
    return cast("yaml.Mark | None", event.start_mark)  # that of the C parser has the same attributes


def _is_empty(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.style and event.value == ""


def override(document: Document, assignment: str) -> None:
    """Apply one ``key.path=value``, the value read as YAML; what is wrong goes to ``document.problems``."""
    source = f"--set {assignment}"
    key, equals, text = assignment.partition("=")
    parts: Path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(parts):
        document.refuse((), source, "expected key.path=value")
        return
    # a value is parsed as the only entry of a mapping, so that one path serves both
    inner = parse(f"value: {text}", source)
    if inner.problems or set(inner.data) != {"value"}:
        message = inner.problems[0].message if inner.problems else "expected one value"
        document.refuse(parts, source, message)
        return
    target = document.data
    for depth, part in enumerate(parts[:-1]):
        if part not in target:
            document.keys[parts[: depth + 1]] = document.values[parts[: depth + 1]] = source
            target[part] = {}
        target = target[part]
        if not isinstance(target, dict):
            document.refuse(parts, source, f"{dotted(parts[: depth + 1])} is not a mapping")
            return
    target[parts[-1]] = inner.data["value"]
    for table in (document.keys, document.values):
        for path in [path for path in table if path[: len(parts)] == parts]:
            del table[path]
        table[parts] = source


def _scalar(event: yaml.ScalarEvent, path: Path, where: str, document: Document, is_key: bool = False) -> Any:
    """Value of a scalar by the core schema; keys are words or integers only."""
    text = event.value
    if event.style:  # quoted, or a block
        return text
    if _INTEGER.fullmatch(text):
        digits = text.lstrip("+-")
        if len(digits) > 1 and digits[0] == "0":
            plain = digits.lstrip("0") or "0"
            document.refuse(path, where, f"{text} has a leading zero: write {plain}")
            return text
        if len(digits) > _MAX_DIGITS:
            document.refuse(path, where, "number too long")
            return text
        return int(text)
    if is_key:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.fullmatch(text):
        document.refuse(path, where, f"{text} is refused: a finite number is needed")
        return text
    if _FLOAT.fullmatch(text):
        value = float(text)
        if abs(value) == float("inf"):
            document.refuse(path, where, f"{text} is refused: too large for a number")
            return text
        return value
    return text
