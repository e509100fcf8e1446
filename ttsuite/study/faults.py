"""What the models refuse, in the words of the file rather than of the validation library, each with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from problems.errors import ProblemError
from problems.keys import Keys, shown
from ttsuite.study.yaml_file import Document, Problem, dotted
from ttsuite.study.yaml_file import Path as KeyPath


def key_path(key: str) -> KeyPath:
    """``quantities.0.at`` as a path: numbers count entries of a list."""
    return tuple(int(part) if part.isdecimal() else part for part in key.split("."))


def collect(error: ValidationError, document: Document, model: type[Keys]) -> None:
    """Turn every complaint of pydantic into a Problem with a position and a plain text; a fault is told once."""
    items = [(_path_of(item), item) for item in error.errors()]
    misspelt = {
        (*path[:-1], near)
        for path, item in items
        if item["type"] == "extra_forbidden"
        for near in _near(path[-1], _known_keys(model, path[:-1], document.data))
    }
    for path, item in items:
        if item["type"] == "missing" and path in misspelt:
            continue
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, ProblemError):
            _told(cause, document)
            continue
        refused = any(path[:length] in document.refused for length in range(1, len(path) + 1))
        if refused and item["type"] != "extra_forbidden":
            continue
        is_key = item["type"] in ("extra_forbidden", "missing")
        parents = path[:-1] if item["type"] == "missing" else path
        where = document.where(parents, key=is_key)
        message = _message(item, path, document.data, model)
        document.problems.append(Problem(where, dotted(path), message))


def _told(error: ProblemError, document: Document) -> None:
    """Each fault with the place of its own key."""
    for key, text in error.faults:
        path = key_path(key)
        if not any(path[:length] in document.refused for length in range(1, len(path) + 1)):
            document.problems.append(Problem(document.where(path), dotted(path), text))


def _path_of(item: ErrorDetails) -> KeyPath:
    """The key complained of; tags of unions are in parentheses: they are no part of it."""
    return tuple(part for part in item["loc"] if not (isinstance(part, str) and part.startswith("(")))


def _message(item: ErrorDetails, path: KeyPath, data: object, model: type[Keys]) -> str:
    """What is wrong, in the words of the file rather than of the validation library."""
    kind, value, context = item["type"], item["input"], item.get("ctx", {})
    found = show(value)
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        known = _known_keys(model, path[:-1], data)
        return f"unknown key{guess(path[-1], known) or ' (known: ' + ', '.join(known) + ')'}"
    if kind == "literal_error":
        choices = [word or number for word, number in re.findall(r"'([^']*)'|(\d+)", context["expected"])]
        return f"must be one of: {', '.join(choices)}; found {found}{guess(value, choices)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"must consist of letters, digits, - and _, found {found}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"must be a mapping of keys to values, found {found}"
    for part, wanted in (("int", "an integer"), ("float", "a number"), ("string", "text")):
        if kind.startswith(part) and kind.endswith(("_type", "_parsing")):
            return f"must be {wanted}, found {found}"
    bounds = {"greater_than": ("greater than", "gt"), "greater_than_equal": ("at least", "ge")}
    bounds |= {"less_than": ("less than", "lt"), "less_than_equal": ("at most", "le")}
    if kind in bounds:
        words, key = bounds[kind]
        return f"must be {words} {context[key]}, found {found}"
    return f"{item['msg'][0].lower()}{item['msg'][1:]}, found {found}"


def _known_keys(model: type[Keys], path: KeyPath, data: object) -> list[str]:
    """Keys the model knows at ``path``; at a union, those of the member that the data names by its tag."""
    current: type[Keys] | None = model
    field: FieldInfo | None = None
    for part in path:
        if isinstance(part, int):  # an entry of a list: what the list holds is chosen by the entry
            data = data[part] if isinstance(data, (list, tuple)) and part < len(data) else {}
            current = _model_in(field.annotation, data) if field else None
            continue
        data = data.get(part, {}) if isinstance(data, Mapping) else {}
        field = current.model_fields.get(str(part)) if current else None
        current = _model_in(field.annotation, data) if field else None
    return list(current.model_fields) if current else []


def _model_in(annotation: object, data: object) -> type[Keys] | None:
    """The model an annotation stands for, through unions and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, Keys):
        return annotation
    members = [_model_in(argument, data) for argument in getattr(annotation, "__args__", ())]
    candidates = [member for member in members if member is not None]
    for candidate in candidates:
        tag = tag_of(candidate)
        names = get_args(candidate.model_fields[tag].annotation) if tag else ()
        if isinstance(data, Mapping) and tag and data.get(tag) in names:
            return candidate
    return candidates[0] if candidates else None


def tag_of(model: type[Keys]) -> str | None:
    """The key whose one possible value tells a member of a union: model, type or basis."""
    for name in ("model", "type", "basis"):
        field = model.model_fields.get(name)
        if field is not None and len(get_args(field.annotation)) == 1:
            return name
    return None


def guess(word: object, known: Iterable[str]) -> str:
    """A hint at the known word closest to ``word``, or nothing."""
    return "".join(f" (did you mean {near}?)" for near in _near(word, known))


def _near(word: object, known: Iterable[str]) -> list[str]:
    """The known word closest to ``word``, where one is close."""
    return difflib.get_close_matches(str(word), list(known), n=1)


def show(value: object) -> str:
    """``value`` as the file would show it, without what a mapping or a list holds."""
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else shown(value)
