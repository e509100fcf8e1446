"""A number of a report beside the published one, and what the comparison comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solvers.measured import Measured
from ttsuite.data import Data
from ttsuite.reproductions.collection import Task
from ttsuite.reproductions.keys import Value

REPRODUCED, DIFFERS, STAND_IN, NOT_RUN = "reproduced", "differs", "stand-in", "not run here"
NOT_COMPARED = "not compared"  # of a number beside which nothing was published
WHOLE = 1e15  # above, a double does not tell whole numbers apart
_ROUNDING = 1e-12  # relative, of a tolerance: 0.1 + 0.2 is 0.3


class NotTaken(ValueError):
    """The report has no such number; the text says what it has."""


@dataclass(frozen=True)
class Compared:
    """A value of an item.

    ``value``: ours, None where it was not computed; ``error``: its estimate; ``published``: what the publication says;
    ``against``: the number that ours is compared with, None for none; ``deviation``: ours less that, 0 where only a
    bound was to be met and is; ``source``: of the number compared with.
    """

    label: str
    unit: str
    value: float | None
    error: float | None
    published: float | None
    against: float | None
    holds: str
    tolerance: float
    deviation: float | None
    verdict: str
    source: str
    why: str


def compared(task: Task, value: Value, report: Data | None, why: str) -> Compared:
    """The value of an item whose run has this report; None, and ``why``, where there is none."""
    item = task.keys
    own = value.tiny if task.tiny else None
    # 1 what is compared with
    if task.tiny:
        against = None if own is None else own.published
        holds, tolerance, source = (own.holds, own.tolerance, own.source) if own else ("equal", 0.0, "")
    elif item.stand_in:
        against, source = value.expected, value.expected_source
        holds, tolerance = value.holds, value.tolerance
    else:
        against, source = value.published, value.source
        holds, tolerance = value.holds, value.tolerance
    plain = (value.label, value.unit, None, None, value.published, against, holds, tolerance, None)
    if report is None:
        return Compared(*plain, NOT_RUN, value.source, why)
    # 2 ours
    if own is not None and own.at is not None:
        value = value.model_copy(update={"at": own.at})
    try:
        ours, error, unit = taken(report, value)
    except NotTaken as missing:
        if task.tiny and own is None:
            return Compared(*plain, NOT_COMPARED, source, "not in the small variant")
        return Compared(*plain, NOT_RUN, source, str(missing))
    # 3 the comparison
    deviation = None if against is None else off(ours, against, holds)
    stand_in = bool(item.stand_in) or task.tiny
    if deviation is not None and abs(deviation) > tolerance * (1.0 + _ROUNDING):
        verdict = DIFFERS
    elif stand_in:
        verdict = STAND_IN
    else:
        verdict = REPRODUCED if against is not None else NOT_COMPARED
    return Compared(
        value.label,
        unit,
        ours,
        error,
        value.published,
        against,
        holds,
        tolerance,
        deviation,
        verdict,
        source or value.source,
        value.why if verdict in (DIFFERS, NOT_COMPARED) or stand_in else "",
    )


def shown(value: Compared) -> Measured:
    """Our number as it is written: a whole one, known to rounding, as such."""
    assert value.value is not None
    whole = value.value.is_integer() and abs(value.value) < WHOLE
    if whole and (value.error or 0.0) <= _ROUNDING * abs(value.value):
        return Measured(int(value.value))
    return Measured(value.value, value.error)


def off(ours: float, against: float, holds: str) -> float:
    """Ours less the number, 0 where ours is on the right side of a bound."""
    deviation = ours - against
    if (holds == "at_least" and deviation > 0.0) or (holds == "at_most" and deviation < 0.0):
        return 0.0
    return deviation


def overall(values: Sequence[Compared], stand_in: bool, ran: bool) -> str:
    """The verdict of an item: the first that holds of any value: differs, not run here, stand-in; else reproduced."""
    found = {value.verdict for value in values}
    for verdict in (DIFFERS, NOT_RUN, STAND_IN):
        if verdict in found:
            return verdict
    if not ran:
        return NOT_RUN
    if REPRODUCED in found:
        return REPRODUCED
    return STAND_IN if stand_in else NOT_COMPARED


def taken(report: Data, value: Value) -> tuple[float, float | None, str]:
    """Number, error and unit from a report. Raises NotTaken."""
    if value.path is not None:
        error = None if value.error is None else _at(report, value.error)
        return _at(report, value.path), error, value.unit
    quantities = report.get("values") or {}
    if value.quantity not in quantities:
        raise NotTaken(f"its report has no quantity {value.quantity!r} (it has: {', '.join(quantities) or 'none'})")
    told = quantities[value.quantity]
    keys, numbers, errors = told["at"], told["value"], told["error"]
    if value.at is None and len(keys) == 1:
        place = 0
    elif value.at in keys:
        place = keys.index(value.at)
    else:
        named = ", ".join(map(str, keys[:12]))
        raise NotTaken(
            f"{value.quantity} has no entry {value.at!r} (it has: {named}{', ...' if len(keys) > 12 else ''})"
        )
    error = errors[place] if isinstance(errors, list) else errors
    return _real(numbers[place]), None if error is None else _real(error), value.unit or told["unit"]


def _at(report: Data, path: Sequence[str | int]) -> float:
    """The number at a path of keys; a word in a list of mappings is the name of one."""
    target: object = report
    for depth, part in enumerate(path):
        here = ".".join(map(str, path[: depth + 1]))
        if isinstance(target, dict) and str(part) in target:
            target = target[str(part)]
        elif isinstance(target, list) and isinstance(part, int) and -len(target) <= part < len(target):
            target = target[part]
        elif isinstance(target, list) and any(
            isinstance(entry, dict) and entry.get("name") == part for entry in target
        ):
            target = next(entry for entry in target if isinstance(entry, dict) and entry.get("name") == part)
        else:
            raise NotTaken(f"its report has no {here}")
    return _real(target)


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotTaken(f"what stands there is no finite number: {str(value)[:60]}")
    return float(value)
