"""Reading YAML with the position of every key, and without the traps of YAML 1.1.

Scalars follow the core schema of YAML 1.2 (section 10.3): only true and false are booleans (``on`` is a
string), ``1e-8`` is a number. Beyond it, refused with file, line and column: duplicate keys, integers
with a leading zero (octal to older readers), infinity and NaN, tags, anchors and aliases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MAX_DIGITS = 300


@dataclass(frozen=True)
class Problem:
    """One thing wrong: ``where`` reads ``file:line:column``, ``key`` is dotted and may be empty."""

    where: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


@dataclass
class Document:
    """A parsed mapping: ``data``, where each key and each value begins, and what was wrong so far."""

    data: dict[Any, Any] = field(default_factory=dict)
    keys: dict[Path, str] = field(default_factory=dict)
    values: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[Path] = field(default_factory=set)

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


class _Loader(yaml.SafeLoader):
    """The safe loader up to the node tree; what nodes mean is decided below."""

    # every plain scalar arrives as a string
    yaml_implicit_resolvers = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases (& and *) are not supported", problem_mark=event.start_mark
            )
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem="tags (!) are not supported", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def parse(text: str, name: str) -> Document:
    """Parse YAML ``text`` into a Document; ``name`` is the file name shown in positions. Never raises."""
    document = Document()
    loader = None
    try:
        loader = _Loader(text)  # refuses control characters
        node = loader.get_single_node()
        if node is None:
            document.refuse((), name, "the file is empty")
        elif not isinstance(node, yaml.MappingNode):
            document.refuse((), _at(node, name), "must be a mapping of keys to values")
        else:
            document.data = _construct(node, (), name, document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        document.refuse((), where, f"not valid YAML: {error.problem or error.context}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.refuse((), f"{name}:{line}", "not valid YAML: a control character is not allowed")
    except RecursionError:
        document.refuse((), name, "nested too deeply")
    finally:
        if loader is not None:
            loader.dispose()
    return document


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


def _construct(node: yaml.Node, path: Path, name: str, document: Document) -> Any:
    """The value of ``node``, its position noted, its children's problems collected."""
    document.values[path] = _at(node, name)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            where = _at(key_node, name)
            if not isinstance(key_node, yaml.ScalarNode):
                document.refuse(path, where, "a key must be a word or a number")
                continue
            key = _scalar(key_node, path, name, document, is_key=True)
            if key in mapping:
                document.refuse((*path, key), where, f"given twice (first at {document.keys[*path, key]})")
                continue
            document.keys[*path, key] = where
            mapping[key] = _construct(value_node, (*path, key), name, document)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, i), name, document) for i, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, path, name, document)


def _scalar(node: yaml.ScalarNode, path: Path, name: str, document: Document, is_key: bool = False) -> Any:
    """Value of a scalar by the core schema; keys are words or integers only."""
    text = node.value
    if node.style is not None:
        return text
    if _INTEGER.fullmatch(text):
        digits = text.lstrip("+-")
        if len(digits) > 1 and digits[0] == "0":
            plain = digits.lstrip("0") or "0"
            document.refuse(path, _at(node, name), f"{text} has a leading zero: write {plain}")
            return text
        if len(digits) > _MAX_DIGITS:
            document.refuse(path, _at(node, name), "number too long")
            return text
        return int(text)
    if is_key:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.fullmatch(text):
        document.refuse(path, _at(node, name), f"{text} is refused: a finite number is needed")
        return text
    if _FLOAT.fullmatch(text):
        value = float(text)
        if abs(value) == float("inf"):
            document.refuse(path, _at(node, name), f"{text} is refused: too large for a number")
            return text
        return value
    return text


def _at(node: yaml.Node, name: str) -> str:
    return f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
