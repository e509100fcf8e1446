"""The first values of a run with their errors, for those who do not open its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from problems.report_parts import Quantity
from solvers.measured import Measured

QUANTITIES, VALUES = 2, 5  # shown, the values of each


def first_values(
    quantities: Sequence[Quantity], headline: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, Measured]]:
    """(name, value with error and unit) of the first quantities; of what goes on in time, the last entry.

    ``headline``: (what, value) that stand before them; what has a name and is said there is not said again. A list of
    numbered values stays whole.
    """
    said, words = {what for what, _ in headline}, [word for _, value in headline for word in value.split()]
    found = []
    for quantity in quantities[:QUANTITIES]:
        named = any(isinstance(key, str) for key in quantity.keys)
        for name, value in _values(quantity):
            number = replace(value, unit="").text.partition(" ")[0]
            if named and value.error is not None and number in words:
                words.remove(number)  # once: another quantity may have the same value
            elif quantity.name not in said:
                found.append((name, value))
    return found


def _values(quantity: Quantity) -> Iterator[tuple[str, Measured]]:
    values = np.asarray(quantity.values)
    if values.dtype == object or not values.size:
        return
    errors = _errors(quantity, values)
    rows = [len(values) - 1] if quantity.over_time else range(len(values))
    places = [(row, *place) for row in rows for place in np.ndindex(values.shape[1:])]
    for place in places[:VALUES]:
        error = None if errors is None else float(errors[place])
        yield _name(quantity, place), Measured(values[place].item(), error=error, unit=quantity.unit)


def _errors(quantity: Quantity, values: np.ndarray) -> np.ndarray | None:
    if quantity.errors is None:
        return None
    errors = np.asarray(quantity.errors, dtype=float)
    return np.broadcast_to(errors.reshape(errors.shape + (1,) * (values.ndim - errors.ndim)), values.shape)


def _name(quantity: Quantity, place: tuple[int, ...]) -> str:
    key = quantity.keys[place[0]]
    where = f" [{', '.join(str(k + 1) for k in place[1:])}]" if len(place) > 1 else ""
    if len(quantity.keys) == 1 and isinstance(key, int):
        return quantity.name + where
    axis = "" if isinstance(key, str) else f"{quantity.axis.partition(' (')[0]} "
    return f"{quantity.name}, {axis}{f'{key:g}' if isinstance(key, float) else key}{where}"
