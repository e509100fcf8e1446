"""How the numbers of a result are told: each is declared once, where its field stands.

    energies: np.ndarray = published(unit="cm-1", axis="state", errors="error_estimates", compared="energies")

What report.json holds, what two runs are compared by and the columns of the CSV file follow from that
(``problems.result``). A field that is not declared is kept with the result and told by nobody; a number that is made
from fields is a ``derived`` property.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, cast

import numpy as np

T = TypeVar("T")
W = TypeVar("W")  # a result, or a part of one
_NAME, _STORED = "published", "stored"  # in the metadata of a field
HERE = "."  # the key of a part whose own numbers stand beside those of the whole


@dataclass(frozen=True)
class Published:
    """What is said of one number, or array of numbers, of a result.

    Attributes
    ----------
    key : where it stands in the ``results`` of report.json, dots between the names of mappings; ``HERE``: the numbers
        of this part are told as if they were the whole's. Empty: the name of the field.
    unit : of the values; a name in braces is the key that holds it.
    axis : what the first axis counts: state, t, part.
    along : the key of the numbers or names that tell its entries apart; empty: they are numbered from 0.
    errors : the key of the error estimates, absolute, an entry each or of the shape of the values; empty: none.
    compared : the name under which two runs are compared by it; empty: they are not.
    by : of parts, the attribute that is the key of each in a mapping; empty: they are a list.
    column : its name in the CSV file, before ``real`` and ``imag`` where it is complex (``HERE``: nothing before
        them); empty: not there.
    digits : how the CSV file tells it, as of ``format``; empty: to the last digit.
    includes, leaves_out : what its errors have in them, and what they have not, with commas between.
    """

    key: str = ""
    unit: str = ""
    axis: str = ""
    along: str = ""
    errors: str = ""
    compared: str = ""
    by: str = ""
    column: str = ""
    digits: str = ""
    includes: str = ""
    leaves_out: str = ""


def published(*, default: object = ..., factory: Callable[[], object] | None = None, **told: str) -> Any:
    """A field of a result that is told; ``told``: as of ``Published``; ``default`` or ``factory``: what stands for it
    in results of earlier versions."""
    metadata = {_NAME: Published(**told)}
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


def stored(name: str) -> Any:
    """A field that is a train, under ``name`` in states.npz."""
    return field(metadata={_STORED: name})


def stored_name(entry: Field[object]) -> str:
    """Under what name the train of a field is stored: that of the field, unless said otherwise."""
    return str(entry.metadata.get(_STORED, entry.name))


class _Derived(property):
    told: Published


def derived(**told: str) -> Callable[[Callable[[W], T]], T]:
    """A property of a result that is told; ``told``: as of ``Published``."""

    def declare(function: Callable[[W], T]) -> T:
        made = _Derived(function, doc=function.__doc__)
        made.told = Published(**told)
        return made  # type: ignore[return-value]

    return declare


def declared(kind: type) -> Iterator[tuple[str, Published]]:
    """Attributes of a dataclass that are told, with what is said of them: fields first, each in its order."""
    for entry in fields(kind):
        if (told := entry.metadata.get(_NAME)) is not None:
            yield entry.name, told
    seen: set[str] = set()
    for base in kind.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, _Derived) and name not in seen:
                yield name, value.told
            seen.add(name)


def told(part: object) -> object:
    """A value as report.json says it: parts as mappings, complex arrays as real and imaginary ones."""
    if is_dataclass(part) and not isinstance(part, type):
        return entries(part)
    if isinstance(part, np.ndarray) and np.iscomplexobj(part):
        return {"real": part.real, "imag": part.imag}
    if isinstance(part, Mapping):
        return {key: told(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [told(value) for value in part]
    return part


def entries(part: object) -> dict[str, object]:
    """What is declared of a dataclass, as report.json says it: key -> value."""
    found: dict[str, object] = {}
    for name, how in declared(type(part)):
        value = getattr(part, name)
        _place(found, how.key or name, {getattr(one, how.by): told(one) for one in value} if how.by else told(value))
    return found


def _place(into: dict[str, Any], key: str, value: object) -> None:
    """Put ``value`` under a dotted key; what is there already is added to."""
    *parents, last = key.split(".") if key != HERE else [HERE]
    for name in parents:
        into = into.setdefault(name, {})
    if last == HERE:
        into |= cast(dict[str, object], value or {})
    elif isinstance(value, dict) and isinstance(into.get(last), dict):
        into[last] |= value
    else:
        into[last] = value


def looked_up(results: Mapping[str, Any], key: str) -> Any:
    """What stands under a dotted key of ``results``. Raises KeyError."""
    found: Any = results
    for name in key.split("."):
        found = found[name]
    return found


def listed(words: str) -> tuple[str, ...]:
    """Words with commas between them, each by itself."""
    return tuple(word.strip() for word in words.split(",") if word.strip())


def numbers(value: object) -> np.ndarray:
    """An array of what JSON holds, null as NaN; mappings with real and imag are complex."""
    if isinstance(value, Mapping):
        return np.array(value["real"], dtype=float) + 1j * np.array(value["imag"], dtype=float)
    return np.atleast_1d(np.array(value, dtype=float))


def text(value: object, digits: str) -> object:
    """An entry of a CSV file."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        return format(float(value), digits) if digits else repr(float(value))
    return value


def columns(result: object, told_by: Sequence[tuple[str, Published]]) -> list[tuple[str, Sequence[object]]]:
    """Name and entries of each column of the CSV file; complex ones are two."""
    found: list[tuple[str, Sequence[object]]] = []
    for name, how in told_by:
        if not how.column:
            continue
        values = getattr(result, name)
        if isinstance(values, np.ndarray) and np.iscomplexobj(values):
            pairs = [(part, getattr(values, part)) for part in ("real", "imag")]
            before = "" if how.column == HERE else how.column
            found += [(f"{before}{part}", [text(v, how.digits) for v in cells]) for part, cells in pairs]
        else:
            found.append((how.column, [text(value, how.digits) for value in values]))
    return found
