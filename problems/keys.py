"""The frozen models behind the YAML keys, and the keys that every family has.

A problem is data with a formula on top. Its fields are the YAML keys, so that the model, the schema and
``ttsuite describe`` are one text. Nothing here imports scipy or numba: a configuration is checked before any numerics
are loaded.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeGuard, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from problems.errors import ProblemError


class Keys(BaseModel):
    """Base of every model behind a YAML mapping: frozen, no unknown key, no conversion of types, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # of a model that stands for one of several, which its keys decide: those
    members: ClassVar[tuple[type[Keys], ...]] = ()

    def __eq__(self, other: object) -> bool:
        """Equal keys make equal models, whatever has been computed from them."""
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).model_fields
        )


AUTOMATIC: Literal["automatic"] = "automatic"


def shown(value: object, longest: int = 60) -> str:
    """``value`` in a message, as the file would show it, cut short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def renamed(problem: dict[str, Any], key: str, name: str) -> None:
    """Put the name of a file under its key, dots between the names of mappings and the places in lists, in the keys of
    a problem."""
    *parents, last = key.split(".")
    at: Any = problem
    for parent in parents:
        if isinstance(at[parent], tuple):
            at[parent] = list(at[parent])
        at = at[parent]
    at[int(last) if isinstance(at, list) else last] = name


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number as YAML has them; neither True and False nor a text are."""
    return type(value) in (int, float) and math.isfinite(cast(float, value))


def located(file: str, directory: Path, key: str) -> Path:
    """A file named from ``directory`` as an absolute path; ProblemError where links lead in a circle."""
    try:
        return (directory / file).resolve()
    except (OSError, RuntimeError) as error:
        raise ProblemError(f"cannot be found: {error}", key) from None


def _automatic_or_count(value: object) -> int | str:
    if (isinstance(value, str) and value == AUTOMATIC) or (type(value) is int and value >= 1):
        return value
    raise ValueError(f"must be automatic or an integer of at least 1, found {shown(value)}")


# a key that is automatic or a whole number of at least 1
AutomaticCount = Annotated[int | Literal["automatic"], PlainValidator(_automatic_or_count)]
MOST_WORKERS = 1000


def _automatic_or_workers(value: object) -> int | str:
    if (isinstance(value, str) and value == AUTOMATIC) or (type(value) is int and 1 <= value <= MOST_WORKERS):
        return value
    raise ValueError(f"must be automatic or an integer of at least 1 and at most {MOST_WORKERS}, found {shown(value)}")


WorkerCount = Annotated[int | Literal["automatic"], PlainValidator(_automatic_or_workers)]
WORKERS: Any = Field(  # the key that every solver has
    default=AUTOMATIC,
    description="Worker processes; automatic: all cores; results do not depend on it.",
    json_schema_extra={
        "values": "automatic or a number",
        "schema": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_WORKERS}, {"const": AUTOMATIC}]},
    },
)


class ProblemKeys(Keys):
    """Base of the keys of ``problem``; each family narrows ``kind`` to its own."""

    kind: str = Field(description="The kind of problem.")

    @property
    def files(self) -> dict[str, Path]:
        """Key -> file that a run must keep beside its configuration so that it can be repeated."""
        return {}

    @property
    def companions(self) -> list[Path]:
        """Files that are read with those of ``files``, from their folder: a run keeps them too, under their names."""
        return []


class SolverKeys(Keys):
    """Base of the keys of ``solver``."""

    if TYPE_CHECKING:  # declared by each family, where they stand among its keys
        accuracy: float | None
        workers: int | Literal["automatic"]
