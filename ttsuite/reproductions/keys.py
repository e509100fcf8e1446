"""The models behind a collection: a file that lists items, what is taken from each, and what was published.

name: my-paper
title: A paper and its tables
source: A. Author, a journal (2018)
items:
  - name: two-wells
    part: table 2
    what: The lowest level of two coupled wells
    configuration: two-wells.yaml      # named from this file's folder
    values:
      - {label: lowest level, quantity: energies, at: 0, published: 1.2345, tolerance: 1.0e-4, source: "(2018), p. 3"}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, field_validator, model_validator

from problems.keys import Keys, shown

HOLDS = Literal["equal", "at_least", "at_most"]
NAME = r"^[A-Za-z0-9_-]+$"


def _tuple(value: object) -> object:
    """A list of the file as the models have it."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list, found {shown(value)}")
    return tuple(value)


def _path(value: object) -> tuple[str | int, ...]:
    """``results.terms.0`` as its parts; a list is taken as it is, for names with points in them."""
    if isinstance(value, str):
        value = [int(part) if part.lstrip("-").isdecimal() else part for part in value.split(".")]
    parts = tuple(value) if isinstance(value, list | tuple) else ()
    if not parts or not all(type(part) is int or (isinstance(part, str) and part) for part in parts):
        raise ValueError("must be keys of report.json such as results.terms.0, or a list of them")
    return parts


def _place(value: object) -> str | int | float | None:
    """Which entry of a quantity."""
    if value is None or isinstance(value, str) or type(value) in (int, float):
        return value  # type: ignore[return-value]
    raise ValueError(f"must be text or a number, found {shown(value)}")


def _variant(value: object) -> object:
    """The small variant: another file, or other arguments."""
    if value is None or isinstance(value, str | dict):
        return value
    raise ValueError(f"must be the name of a file or a mapping of arguments, found {shown(value)}")


def _number(value: object) -> object:
    return float(value) if type(value) is int else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
KeyPath = Annotated[tuple[str | int, ...], PlainValidator(_path)]
Place = Annotated[str | int | float | None, PlainValidator(_place)]
Number = Annotated[float, BeforeValidator(_number)]
_PATH: dict[str, Any] = {
    "schema": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "integer"]}}]}
}


class Small(Keys):
    """What a value is compared with in the small variant, whose configuration is another."""

    at: Place = Field(default=None, description="Another entry of the quantity.")
    published: Number | None = Field(default=None, description="The number it must come to.")
    tolerance: Number = Field(default=0.0, ge=0.0, description="How far it may be from that.")
    holds: HOLDS = Field(default="equal", description="Whether it must be that number, at least that, or at most that.")
    source: str = Field(default="", description="Where the number is from.")


class Value(Keys):
    """A number of a report beside the published one: ``quantity`` (with ``at``) or ``path`` says which."""

    label: str = Field(min_length=1, max_length=120, description="What the number is.")
    quantity: str = Field(
        default="", description="A quantity of the report by its name (``values`` of report.json); it has its error."
    )
    at: Place = Field(default=None, description="Which entry of the quantity; may be left out where there is one.")
    path: KeyPath | None = Field(
        default=None,
        description="Instead of a quantity: where the number stands in report.json, as results.terms.0 or as a list of "
        "keys; in a list of mappings a word is the ``name`` of one.",
        json_schema_extra=_PATH,
    )
    error: KeyPath | None = Field(
        default=None, description="Where the error of a number by its path stands.", json_schema_extra=_PATH
    )
    unit: str = Field(default="", description="Its unit; a quantity has its own.")
    published: Number | None = Field(default=None, description="What was published.")
    holds: HOLDS = Field(
        default="equal", description="Whether ours must be that number, at least that, or at most that."
    )
    tolerance: Number = Field(
        default=0.0, ge=0.0, description="How far ours may be from it and counts as reproduced, in its unit."
    )
    source: str = Field(default="", description="Where the published number stands.")
    expected: Number | None = Field(
        default=None,
        description="Of a stand-in: what these data gave elsewhere, which is compared instead of the published number.",
    )
    expected_source: str = Field(default="", description="Where that is from.")
    why: str = Field(default="", description="Where ours differs, or no number was published: why.")
    tiny: Small | None = Field(
        default=None, description="What it is compared with in the small variant; left out: nothing."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.quantity) == (self.path is not None):
            raise ValueError("needs either quantity or path, which say where the number stands")
        return self


class Item(Keys):
    """A table or a figure: a ``configuration`` or a ``computation`` of the library, and the numbers taken from it."""

    name: str = Field(
        pattern=NAME, max_length=40, description="Name of the item and its run: letters, digits, - and _."
    )
    part: str = Field(default="", max_length=80, description="The slide, table or section it belongs to.")
    what: str = Field(min_length=1, description="What it shows, in a sentence.")
    configuration: str = Field(default="", description="A YAML file, named from the folder of this one.")
    set: dict[str, Any] = Field(
        default_factory=dict, description="Keys of the configuration that are changed, as solver.n_states: 10."
    )
    computation: str = Field(default="", description="Instead of a configuration: a computation of the library.")
    arguments: dict[str, Any] = Field(default_factory=dict, description="Of the computation.")
    tiny: Annotated[str | dict[str, Any] | None, BeforeValidator(_variant)] = Field(
        default=None,
        description="The small variant: another configuration, or other arguments; left out: the item as it is.",
    )
    seconds: Number | None = Field(default=None, ge=0.0, description="About how long it takes, on one core.")
    tiny_seconds: Number | None = Field(default=None, ge=0.0, description="The same of the small variant.")
    needs: Texts = Field(default=(), description="Python modules without which it is not run, as torch.")
    cure: str = Field(default="", description="How to get these modules, as pip install torch.")
    stand_in: str = Field(
        default="", description="Where other data stand in for those of the publication: which, and why."
    )
    not_run: str = Field(default="", description="Instead of a configuration: why this cannot be run here.")
    values: Annotated[tuple[Value, ...], BeforeValidator(_tuple)] = Field(
        default=(), description="The numbers that are taken from its report."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [name for name in ("configuration", "computation", "not_run") if getattr(self, name)]
        if len(given) != 1:
            found = f", found {' and '.join(given)}" if given else ""
            raise ValueError(f"needs one of configuration, computation and not_run{found}")
        if self.not_run and self.values and any(value.published is None for value in self.values):
            raise ValueError("of what is not run only published numbers can be told")
        if self.set and not self.configuration:
            raise ValueError("set changes a configuration, and there is none")
        if self.arguments and not self.computation:
            raise ValueError("arguments are those of a computation, and there is none")
        if self.tiny is not None and isinstance(self.tiny, str) is not bool(self.configuration):
            wanted = "the name of a file" if self.configuration else "a mapping of arguments"
            raise ValueError(f"tiny must be {wanted}, found {shown(self.tiny)}")
        return self


class CollectionKeys(Keys):
    """A collection: a talk, a paper, or anything else whose numbers are to be met."""

    name: str = Field(pattern=NAME, max_length=40, description="Name of the collection; by default the file's name.")
    title: str = Field(default="", description="Title of the page.")
    source: str = Field(default="", description="What is reproduced: authors, title, year.")
    items: Annotated[tuple[Item, ...], BeforeValidator(_tuple)] = Field(description="Its tables and figures.")

    @field_validator("items")
    @classmethod
    def _some(cls, value: tuple[Item, ...]) -> tuple[Item, ...]:
        if not value:
            raise ValueError("needs at least one item")
        return value

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [item.name for item in self.items]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"each item needs a name of its own, found twice: {', '.join(sorted(twice))}")
        return self
