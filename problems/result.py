"""What every family returns: its own numbers, each declared once, and what all runs have.

report.json, the comparison of two runs, the CSV file and the names of the stored trains follow from the declarations
(``problems.published``); a family says more only where its numbers are no plain table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self, TypeAlias, get_type_hints

import numpy as np

from problems.first_values import first_values
from problems.published import columns, declared, entries, listed, looked_up, numbers, published, stored_name, told
from problems.report_parts import Quantity
from solvers.cards import Card, Fact, ranks
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import ROUNDING
from solvers.solution import Checked, IterationState, Solution, Status

SHOWN = 5  # values that a result says of itself
Results: TypeAlias = Mapping[str, Any]  # the ``results`` of report.json
Columns: TypeAlias = list[tuple[str, Sequence[object]]]  # of a CSV file: names and entries


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(Card):
    """Base of every family's result.

    Attributes
    ----------
    status, history, checked : as of a Solution.
    counts : work, by what was counted.
    timing : seconds: compile_s, setup_s, solve_s.
    warnings : one line each, what a reader must know.
    csv_file, index : the name of the CSV file, and of its first column, which numbers the rows; empty: no numbers.
    """

    status: Status
    history: Sequence[IterationState]
    counts: dict[str, int] = published()
    timing: dict[str, float]
    warnings: list[str] = field(default_factory=list)
    checked: tuple[Checked, ...] = ()

    csv_file: ClassVar[str] = "results.csv"
    index: ClassVar[str] = ""

    @classmethod
    def of(cls, solution: Solution, **own: Any) -> Self:
        """The result of a run that one verb has done all of: what runs have in common is the solution's."""
        counts, timing = dict(solution.counts), dict(solution.timing)
        status, history, checked = solution.status, solution.history, solution.checked
        return cls(status=status, history=history, checked=checked, counts=counts, timing=timing, **own)

    def worded(self) -> list[Fact]:
        """How it ended, its first values with errors, ranks and seconds."""
        results = json.loads(json.dumps(self.results(), default=lambda value: value.tolist()))
        told: list[Fact] = [("status", self.status.value)]
        told += [(name, str(value)) for name, value in first_values(self.quantities(results))[:SHOWN]]
        failed = [look.what for look in self.checked if not look.passed]
        seconds = sum(self.timing.get(part, 0.0) for part in ("compile_s", "setup_s", "solve_s"))
        if failed:
            told.append(("contradicted", ", ".join(failed)))
        return [*told, ("TT-ranks", ranks(self.largest_ranks(results))), ("seconds", f"{seconds:.1f}")]

    def results(self) -> dict[str, Any]:
        """The ``results`` of report.json: everything that is declared."""
        return entries(self)

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """What two runs are compared by, from the ``results`` of report.json. Raises KeyError for other results."""
        found = []
        for name, how in declared(cls):
            if how.compared:
                values = numbers(looked_up(results, how.key or name))
                keys = list(looked_up(results, how.along)) if how.along else list(range(len(values)))
                unit = str(looked_up(results, how.unit[1:-1])) if how.unit.startswith("{") else how.unit
                errors = numbers(looked_up(results, how.errors)) if how.errors else None
                contents = listed(how.includes), listed(how.leaves_out)
                found.append(Quantity(how.compared, unit, how.axis, keys, values, errors, *contents))
        return found

    @classmethod
    def values(cls, results: Results) -> dict[str, Any]:
        """The ``values`` of report.json: every quantity with its errors, and what is in them; see ``quantity_told``."""
        return {quantity.name: quantity_told(quantity) for quantity in cls.quantities(results)}

    @classmethod
    def made(cls, results: Results) -> bool:
        """Whether ``results`` of report.json are those of this class: everything that is compared is there."""
        try:
            cls.quantities(results)
        except (KeyError, TypeError, ValueError):
            return False
        return True

    @classmethod
    def largest_ranks(cls, results: Results) -> list[int]:
        """The largest TT-rank at every bond, over all states or times; one number where no more is known."""
        stored = results.get("ranks") or results.get("ranks_over_time")
        if not stored:
            return [] if results.get("max_rank") is None else [int(results["max_rank"])]
        rows = stored if isinstance(stored[0], list) else [stored]
        return [int(max(column)) for column in zip(*rows)]

    def columns(self) -> Columns:
        """The CSV file, to the last digit."""
        found = columns(self, list(declared(type(self))))
        if self.index and found:
            found.insert(0, (self.index, list(range(len(found[0][1])))))
        return found

    def csv_table(self, further: Columns | None = None) -> tuple[str, list[str], list[list[object]]]:
        """Name, header and rows of the CSV file; ``further``: columns of as many rows beside its own."""
        found = [*self.columns(), *(further or [])]
        return (
            self.csv_file,
            [name for name, _ in found],
            [list(row) for row in zip(*(c for _, c in found), strict=True)],
        )

    def texts(self) -> Mapping[str, str]:
        """Name -> content of further files of text, in formats of other programs."""
        return {}

    def trains(self) -> Mapping[str, TensorTrain]:
        """Name -> train, as stored in states.npz: the fields that are trains, or ``state_0000`` and so on of one that
        is a sequence of them. None is read or made before it is asked for."""
        alone, many = _trains_of(type(self))
        if many:
            return _Numbered(getattr(self, many))
        return {stored: getattr(self, name) for name, stored in alone.items()}

    def loading(self, folder: str) -> tuple[str, str]:
        """How to load the trains of a run, or its report where it has none: a heading and three lines of Python."""
        trains = self.trains()
        many = isinstance(trains, _Numbered)
        names = ["states"] if many else list(trains)
        target = "states" if many else f"({', '.join(names)}{',' if len(names) == 1 else ''})" if names else "_"
        shown = ["states[0].ranks"] if many else [f"{name}.ranks" for name in names]
        first = next((how.key or name for name, how in declared(type(self)) if how.compared), "counts")
        entry = "".join(f'["{part}"]' for part in first.split("."))
        code = f'import ttsuite\nreport, {target} = ttsuite.load("{folder}")\n'
        said = " and ".join([", ".join(names[:-1]), *names[-1:]] if len(names) > 1 else names) or "report"
        told = ", ".join(['report["results"]' + entry, *shown])
        return f"Loading the {said}", f"{code}print({told})"


def _trains_of(kind: type) -> tuple[dict[str, str], str]:
    """Of a class of results: its fields that are trains, with the names under which they are stored, and the one that
    is a sequence of trains, or nothing. Told by the annotations: stored states are read when one is asked for."""
    hints = get_type_hints(kind)
    alone = {entry.name: stored_name(entry) for entry in fields(kind) if hints[entry.name] is TensorTrain}
    many = [entry.name for entry in fields(kind) if hints[entry.name] == Sequence[TensorTrain]]
    return alone, "".join(many[:1])


def quantity_told(quantity: Quantity) -> dict[str, Any]:
    """A quantity as report.json says it: value, error, how many of these it may be off by, and what they mean.

    Of what is followed over time the last entry; an error that is not known is null, and none is below rounding.
    """
    chosen = slice(-1, None) if quantity.over_time else slice(None)
    values, errors = np.asarray(quantity.values)[chosen], quantity.errors
    if errors is not None:
        errors = np.asarray(errors, dtype=float)[chosen]
        shaped = errors.reshape(errors.shape + (1,) * (values.ndim - errors.ndim))
        errors = np.where(np.isfinite(shaped), np.maximum(shaped, ROUNDING * np.abs(values)), np.nan)
    return {
        "value": told(values),
        "error": errors,
        "unit": quantity.unit,
        "axis": quantity.axis,
        "at": list(quantity.keys)[chosen],
        "includes": list(quantity.includes),
        "leaves_out": list(quantity.leaves_out),
        "coverage": quantity.coverage,
    }


class _Numbered(Mapping[str, TensorTrain]):
    """Name -> train of a sequence, each made when it is asked for."""

    def __init__(self, states: Sequence[TensorTrain]) -> None:
        self._states = states
        self._index = {f"state_{i:04d}": i for i in range(len(states))}

    def __getitem__(self, name: str) -> TensorTrain:
        return self._states[self._index[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)
