"""How far a run is from what is known from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Deviation:
    """Summary of absolute deviations: how many entries, the largest and the mean (energy unit)."""

    count: int
    max_abs: float
    mean_abs: float

    @classmethod
    def of(cls, deviations: np.ndarray) -> Deviation | None:
        """Summary of the finite entries, or None where there are none."""
        finite = np.abs(deviations[np.isfinite(deviations)])
        if not finite.size:
            return None
        return cls(int(finite.size), float(finite.max()), float(finite.mean()))


@dataclass(frozen=True)
class Agreement:
    """One entry of the ``references`` of report.json: a run beside something known.

    Attributes
    ----------
    name, label : machine-readable, and as a text says it.
    source : where the numbers come from.
    deviation : absolute, over the entries that both have.
    accuracy : of the numbers themselves; None where it is not known.
    relative : the largest deviation as ``solver.accuracy`` counts it, where that is a relative one.
    more : further keys of the entry.
    """

    name: str
    label: str
    source: str
    deviation: Deviation
    accuracy: float | None = None
    relative: float | None = None
    more: Mapping[str, object] = field(default_factory=dict)

    def told(self) -> dict[str, object]:
        """As report.json has it."""
        known = {} if self.accuracy is None else {"accuracy": self.accuracy}
        counted = {} if self.relative is None else {"max_relative_deviation": self.relative}
        return {
            "name": self.name,
            "label": self.label,
            "source": self.source,
            **known,
            "count": self.deviation.count,
            "max_abs_deviation": self.deviation.max_abs,
            "mean_abs_deviation": self.deviation.mean_abs,
            **counted,
            **self.more,
        }


def counted_deviation(reference: Mapping[str, object]) -> object:
    """The largest deviation of an entry of ``references`` in report.json, as ``solver.accuracy`` counts it."""
    return reference.get("max_relative_deviation", reference.get("max_abs_deviation"))
