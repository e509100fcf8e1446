"""YAML keys of assignments: what the modes are called, and measured lines to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, PlainValidator

from problems.errors import ProblemError
from problems.keys import Keys, shown
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.mode_names import ModeName, herzberg, mode_name, numbered
from problems.quantum.readers.measured_lines import Line, read_lines

NAMES = "problem.names"


class Compare(Keys):
    """What the levels are compared with."""

    measured: str = Field(
        description="CSV file of measured levels above the zero-point level, assignment,measured[,uncertainty]; an "
        "assignment is a name (2nu9 + nu12) or the quanta of every mode (0-1-0); without one by order.",
        json_schema_extra={"values": "a path relative to the YAML file"},
    )


def _texts(value: object) -> dict[int, str] | tuple[str, ...]:
    """Names of modes: a list, one a mode, or a mapping from the mode's number."""
    if isinstance(value, Mapping):
        entries: Sequence[tuple[object, object]] = list(value.items())
        if any(type(k) is not int for k, _ in entries):
            raise ValueError(f"modes are called by their numbers, as in 5: nu3, found {shown(dict(value))}")
    elif isinstance(value, list | tuple):
        entries = list(enumerate(value, start=1))
    else:
        raise ValueError(f"must be a list of names or a mapping from modes to names, found {shown(value)}")
    for k, text in entries:
        if not isinstance(text, str):
            raise ValueError(f"the name of mode {k} must be a text like nu5(b2), found {shown(text)}")
        try:
            mode_name(text)
        except ValueError as error:
            raise ValueError(f"the name of mode {k} {error}") from None
    if isinstance(value, Mapping):
        return {int(str(k)): str(text) for k, text in entries}
    return tuple(str(text) for _, text in entries)


NamesKey = Annotated[dict[int, str] | tuple[str, ...], PlainValidator(_texts)]


def checked_names(names: dict[int, str] | tuple[str, ...] | None, d: int) -> None:
    """ProblemError for names of modes that there are not, or for too many or too few in a list."""
    if isinstance(names, dict):
        beyond = [k for k in names if not 1 <= k <= d]
        if beyond:
            raise ProblemError(f"there is no mode {beyond[0]}: the field has modes 1 to {d}", NAMES)
    elif names is not None and len(names) != d:
        raise ProblemError(f"needs {d} names, one a mode, found {len(names)}", NAMES)
    if names is not None:
        texts = names.values() if isinstance(names, dict) else names
        labels = [mode_name(text).label for text in texts]
        often = {label for label in labels if labels.count(label) > 2}
        if often:
            raise ProblemError(f"{', '.join(sorted(often))} names more than the two modes of a degenerate pair", NAMES)


def names_of(
    names: dict[int, str] | tuple[str, ...] | None, irreps: Sequence[str], frequencies: Sequence[float]
) -> list[ModeName]:
    """The names given, one a mode; modes that a mapping leaves out as the file or the field has them. Empty where no
    name is given."""
    if names is None:
        return []
    if not isinstance(names, dict):
        return [mode_name(text) for text in names]
    found = herzberg(irreps, frequencies) if irreps else numbered(len(frequencies))
    for k, text in names.items():
        found[k - 1] = mode_name(text)
    return found


def lines_of(
    compare: Compare, field: ForceField, names: Sequence[ModeName], irreps: Sequence[str], directory: Path
) -> list[Line]:
    """The measured lines; assignments are checked against the names of the modes of ``field``: those given, or what
    its representations or the field itself make them."""
    if not names:
        names = herzberg(irreps, field.frequencies.tolist()) if irreps else _derived(field)
    return read_lines(directory / compare.measured, field.d, frozenset(name.label for name in names))


def _derived(field: ForceField) -> Sequence[ModeName]:
    """Names of the modes that nobody gives; numerics are loaded here."""
    from problems.quantum.hamiltonians.force_field.basis import mode_charges, parity_generators
    from problems.quantum.hamiltonians.force_field.pairs import axis_of
    from problems.quantum.tasks.spectrum.symmetries import names_derived

    generators = parity_generators(field)
    return names_derived(field.frequencies, axis_of(field, generators), mode_charges(generators, field.d))
