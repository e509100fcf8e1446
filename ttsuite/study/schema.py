"""The JSON Schema of the configurations, made from the models that check them.

One schema serves all kinds: ``problem.kind`` decides which keys ``problem`` and ``solver`` have (draft 7, which
editors know best). What a schema cannot say (a file that exists, a box that is large enough) is left to ``validate``:
every file that is valid there is valid by the schema. A copy is shipped as ``ttsuite/study/schema.json``; a comment
``# yaml-language-server: $schema=PATH`` at the top of a file makes an editor complete and check its keys.
"""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic.fields import FieldInfo

from problems.families import family, kinds
from problems.keys import Keys
from ttsuite.data import Data
from ttsuite.study.config import Study

SCHEMA = Path(__file__).with_name("schema.json")
POINTER = "# yaml-language-server: $schema="
_PLAIN = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null", dict: "object"}
_BOUNDS = {Ge: ("ge", "minimum"), Gt: ("gt", "exclusiveMinimum"), Le: ("le", "maximum"), Lt: ("lt", "exclusiveMaximum")}

Schema: TypeAlias = Data


def schema(kind: str | None = None) -> Schema:
    """The JSON Schema of configurations of ``kind``, or of every kind.

    Raises KeyError for an unknown kind. Cost: milliseconds.
    """
    definitions: Schema = {}
    plain = {name: info for name, info in Study.model_fields.items() if name not in ("problem", "solver")}
    properties = {name: _field(info, definitions) for name, info in plain.items()}
    parts = {one: _parts(one, definitions) for one in ([kind] if kind else kinds())}
    top: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"ttsuite: {family(kind).summary}" if kind else "ttsuite: a configuration of any kind",
        "type": "object",
        "properties": properties,
        "required": ["problem", "solver"],
        "additionalProperties": False,
    }
    if kind:
        properties |= parts[kind]
    else:
        choice = {"enum": kinds(), "description": "\n".join(f"{one}: {family(one).summary}" for one in kinds())}
        properties["problem"] = {"type": "object", "properties": {"kind": choice}, "required": ["kind"]}
        properties["solver"] = {"type": "object"}
        for name in ("problem", "solver"):
            properties[name]["description"] = Study.model_fields[name].description
        top["allOf"] = [{"if": _is(one), "then": {"properties": part}} for one, part in parts.items()]
    return top | {"definitions": definitions}


def schema_of(model: type[Keys], title: str, optional: tuple[str, ...] = ()) -> Schema:
    """The JSON Schema of a file with the keys of one model; ``optional``: keys that the file may leave to others."""
    definitions: Schema = {}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "properties": {key: _field(info, definitions) for key, info in model.model_fields.items()},
        "required": [key for key, info in model.model_fields.items() if info.is_required() and key not in optional],
        "additionalProperties": False,
        "definitions": definitions,
    }


def schema_text(kind: str | None = None) -> str:
    """``schema(kind)`` as the text of a JSON file."""
    return json.dumps(schema(kind), indent=1) + "\n"


def _is(kind: str) -> Schema:
    """A condition: the configuration is of this kind."""
    named = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"properties": {"problem": named}, "required": ["problem"]}


def _parts(kind: str, definitions: Schema) -> Schema:
    chosen = family(kind)
    return {"problem": _annotation(chosen.problem, definitions), "solver": _annotation(chosen.solver, definitions)}


def _model(model: type[Keys], definitions: Schema) -> Schema:
    """A reference to the definition of a model, which is made where it is met first."""
    name = model.__name__
    if name not in definitions:
        definitions[name] = {}  # a place is taken, should the model hold itself
        definitions[name] = {
            "type": "object",
            "description": " ".join((model.__doc__ or "").split()),
            "properties": {key: _field(info, definitions) for key, info in model.model_fields.items()},
            "required": [key for key, info in model.model_fields.items() if info.is_required()],
            "additionalProperties": False,
        }
    return {"$ref": f"#/definitions/{name}"}


def _field(info: FieldInfo, definitions: Schema) -> Schema:
    """One key: its values, its bounds, and its sentence with unit and default."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    given = extra.get("schema")
    values: Schema = dict(given) if isinstance(given, dict) else _annotation(info.annotation, definitions)
    bounds: Schema = {}
    for entry in info.metadata:
        for bound, (attribute, word) in _BOUNDS.items():
            if isinstance(entry, bound):
                bounds[word] = getattr(entry, attribute)
        if isinstance(entry, MaxLen):
            bounds["maxLength"] = entry.max_length
        if getattr(entry, "pattern", None):
            bounds["pattern"] = entry.pattern
    if bounds:  # of the number or text among the values
        holders = [
            part for part in values.get("anyOf", [values]) if part.get("type") in ("integer", "number", "string")
        ]
        for part in holders:
            part |= bounds
    if "$ref" in values:  # draft 7 ignores what stands beside a reference
        values = {"allOf": [values]}
    sentence = info.description or ""
    if extra.get("unit"):
        sentence += f" Unit: {extra['unit']}."
    values["description"] = sentence
    if not info.is_required() and "default" not in extra and info.default_factory is None and info.default is not None:
        values["default"] = _plain(info.default)
    return values


def _plain(value: object) -> object:
    """A default as JSON has it."""
    if isinstance(value, Keys):
        return value.model_dump(mode="json")
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value


def _annotation(annotation: object, definitions: Schema) -> Schema:
    """What a type takes."""
    if annotation in (Any, object):
        return {}
    if annotation in _PLAIN:
        return {"type": _PLAIN[annotation]}
    if isinstance(annotation, type) and issubclass(annotation, Keys):
        members = annotation.members
        if members:
            return {"anyOf": [_annotation(member, definitions) for member in members]}
        return _model(annotation, definitions)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotation(parts[0], definitions)
    if origin is Literal:
        return {"const": parts[0]} if len(parts) == 1 else {"enum": list(parts)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_annotation(part, definitions) for part in parts if _documented(part)]}
    if origin is tuple:
        if len(parts) == 2 and parts[1] is ...:
            return {"type": "array", "items": _annotation(parts[0], definitions)}
        items = [_annotation(part, definitions) for part in parts]
        return {"type": "array", "items": items, "minItems": len(items), "maxItems": len(items)}
    if origin is list:
        return {"type": "array", "items": _annotation(parts[0], definitions)}
    if origin is dict:  # keys of a mapping are texts in JSON
        return {"type": "object", "additionalProperties": _annotation(parts[1], definitions)}
    raise TypeError(f"no JSON Schema is known for {annotation}")


def _documented(annotation: object) -> bool:
    """Whether a member of a union is meant for users: models without descriptions only serve error messages."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if not (isinstance(annotation, type) and issubclass(annotation, Keys)):
        return True
    return all(info.description for info in annotation.model_fields.values())
