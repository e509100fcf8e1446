"""The keys of a kind of problem as text, printed from the models that check them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from problems.families import family
from problems.keys import Keys
from ttsuite.study.config import Study
from ttsuite.study.faults import tag_of

_PLAIN = {int: "an integer", float: "a number", str: "text", bool: "true or false"}


def describe(kind: str) -> str:
    """A kind of problem: formula, all keys with values, default, unit and a sentence each, references, typical runs.

    Raises KeyError for an unknown kind.
    """
    chosen = family(kind)
    lines = [f"{kind}: {chosen.summary}", "", *(f"    {line}" for line in chosen.formula.splitlines()), ""]
    for name, info in Study.model_fields.items():
        if name not in ("problem", "solver"):
            lines += _entry(name, info, 0)
    for section, model in (("problem", chosen.problem), ("solver", chosen.solver)):
        lines += [f"{section}:", *_model(model, 1)]
    lines += ["", "references:", *(f"  {entry}" for entry in chosen.references)]
    lines += ["", "typical time and memory (ttsuite run FILE --dry-run estimates those of a file):"]
    lines += [f"  {entry}" for entry in chosen.typical.split("; ")]
    return "\n".join(lines)


def _model(model: type[Keys], depth: int) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield from _entry(name, info, depth)


def _entry(name: str, info: FieldInfo, depth: int) -> Iterator[str]:
    """One key: its line, its sentence, and the keys below it."""
    pad = "  " * depth
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    below = [model for model in _models(info.annotation)]
    values = extra.get("values") or ("" if below else _values(info.annotation))
    notes = [str(values)] if values else []
    if extra.get("unit"):
        notes.append(str(extra["unit"]))
    if name == "name" and depth == 0:
        notes.append("default: the file's name")
    elif info.is_required():
        notes.append("needed")
    elif "default" in extra:
        notes.append(str(extra["default"]))
    elif info.default is None:
        notes.append("may be left out")
    elif not isinstance(info.default, (Keys, tuple)) and info.default_factory is None:
        notes.append(f"default: {info.default}")
    yield f"{pad}{name}:" + (f"  {'; '.join(notes)}" if notes else "")
    yield f"{pad}    {info.description}"
    for model in below:
        tag = tag_of(model)
        if tag is not None:
            word = _values(model.model_fields[tag].annotation)
            yield f"{pad}    with {tag}: {word}   {(model.__doc__ or '').strip()}"
            yield from (line for key in model.model_fields if key != tag for line in _keys(model, key, depth + 3))
        else:
            yield from _model(model, depth + 1)


def _keys(model: type[Keys], key: str, depth: int) -> Iterator[str]:
    yield from _entry(key, model.model_fields[key], depth)


def _models(annotation: object) -> list[type[Keys]]:
    """Documented models inside an annotation; those without descriptions only serve error messages."""
    if isinstance(annotation, type) and issubclass(annotation, Keys):
        documented = all(info.description for info in annotation.model_fields.values())
        return [annotation] if documented else []
    return [model for part in get_args(annotation) for model in _models(part)]


def _values(annotation: object) -> str:
    """What a key takes, in words."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, parts))
    if origin is Annotated:
        return _values(parts[0])
    if origin in (Union, types.UnionType):
        return " | ".join(_values(part) for part in parts)
    if origin is list or (origin is tuple and parts[1:] == (...,)):
        return "a list, each: " + _values(parts[0])
    return str(annotation)
