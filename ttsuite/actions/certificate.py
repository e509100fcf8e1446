"""What ``ttsuite certify`` found: a verdict on a run, route by route, and what is written of it.

Every value that both a run and a route state with an error is judged. They agree where they differ by no more than
both errors allow and rounding (``ttsuite.pages.compare``); beyond that, but by no more than the accuracy asked for,
the errors are understated; beyond that too, the route contradicts the run. Only a route that itself reached what it was
asked for judges anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from solvers.cards import Card, Fact
from solvers.measured import amount
from ttsuite.data import Data
from ttsuite.pages.compare import ComparedQuantity, told_key

CONFIRMED, CONTRADICTED, UNKNOWN, LEFT_OUT = "confirmed", "contradicted", "unknown", "left out"
CERTIFY = "certify"  # the folder of the routes, and what stands before the entries in ``checked``


@dataclass(frozen=True)
class Judged:
    """One quantity of a run beside that of a route: how many values were judged, and how many were beyond what.

    ``difference``: the largest, measured by what it may be, ``allowed`` there, ``at`` which entry; ``errors_are``: what
    is allowed there, in words.
    """

    name: str
    unit: str
    values: int
    contradicted: int
    understated: int
    difference: float | None
    allowed: float | None
    at: str
    errors_are: str = ""

    @property
    def worded(self) -> str:
        """The largest difference beside what is allowed there."""
        told = f"{self.name}, {self.at}: differ by {amount(self.difference, self.unit)}"
        allowed = f"allowed {amount(self.allowed, self.unit)}"
        return f"{told}, {allowed}" + (f" ({self.errors_are})" if "deviations" in self.errors_are else "")


@dataclass(frozen=True)
class RouteOutcome:
    """How one route ended: ``verdict`` is confirmed, contradicted, unknown or left out; ``message`` says why."""

    name: str
    what: str
    verdict: str
    message: str
    folder: str = ""
    status: str = ""
    seconds: float | None = None
    quantities: list[Judged] = field(default_factory=list)


@dataclass(frozen=True)
class Certificate(Card):
    """The verdict on the run in ``folder`` after the ``routes`` taken so far."""

    folder: Path
    routes: tuple[RouteOutcome, ...]
    interrupted: bool = False

    def worded(self) -> list[Fact]:
        """The verdict, and every route in a line."""
        return [("verdict", self.message), *((o.name, f"{o.verdict}: {o.message}") for o in self.routes)]

    @property
    def verdict(self) -> str:
        """Contradicted where any route does; else unknown where one came to no answer; else confirmed."""
        found = {outcome.verdict for outcome in self.routes}
        for verdict in (CONTRADICTED, UNKNOWN, CONFIRMED):
            if verdict in found:
                return UNKNOWN if verdict == CONFIRMED and self.interrupted else verdict
        return UNKNOWN

    @property
    def message(self) -> str:
        """The verdict in one sentence."""
        of = {v: [o.name for o in self.routes if o.verdict == v] for v in (CONFIRMED, CONTRADICTED, UNKNOWN)}
        if self.verdict == CONTRADICTED:
            return f"contradicted by {', '.join(of[CONTRADICTED])}: do not trust these numbers"
        understated = sum(q.understated for o in self.routes for q in o.quantities)
        more = f"; the stated errors of {understated} values are too small" if understated else ""
        if self.verdict == CONFIRMED:
            return f"confirmed by {len(of[CONFIRMED])} other routes ({', '.join(of[CONFIRMED])}){more}"
        if of[UNKNOWN]:
            return f"not known: {', '.join(of[UNKNOWN])} came to no answer{more}"
        return "not known: no route was taken to its end"

    def entries(self) -> list[Data]:
        """What the report lists under ``checked``: an entry a route that judged anything."""
        return [
            {
                "what": _names(o),
                "how": f"{CERTIFY}, {o.name}: {o.what}",
                "result": o.message,
                "passed": o.verdict == CONFIRMED,
            }
            for o in self.routes
            if o.verdict in (CONFIRMED, CONTRADICTED)
        ]

    def data(self) -> Data:
        """The content of certify.json."""
        routes = [asdict(outcome) for outcome in self.routes]
        return {"run": self.folder.name, "verdict": self.verdict, "message": self.message, "routes": routes}

    def __str__(self) -> str:
        width = max((len(outcome.name) for outcome in self.routes), default=0)
        lines = [f"{o.name:{width}}  {o.verdict:12}  {o.message}" for o in self.routes]
        return "\n".join([*lines, self.message])


def _names(outcome: RouteOutcome) -> str:
    return ", ".join(q.name for q in outcome.quantities if q.values)


def judge(
    quantities: list[ComparedQuantity], allowed: Callable[[ComparedQuantity], float | np.ndarray]
) -> tuple[str, str, list[Judged]]:
    """Verdict, message and the quantities judged; ``allowed``: what the accuracy asked for allows in each value."""
    judged = [_judged(q, allowed(q)) for q in quantities if q.keys and q.agrees is not None]
    values, apart = sum(q.values for q in judged), sum(q.contradicted for q in judged)
    if not values:
        return UNKNOWN, "nothing to compare: no value has an error estimate in both", judged
    worst = max((q for q in judged if q.difference is not None), key=_excess, default=None)
    seen = "" if worst is None else worst.worded
    if apart:
        return CONTRADICTED, f"{apart} of {values} values differ by more than errors and accuracy allow; {seen}", judged
    small = sum(q.understated for q in judged)
    more = f"; {small} of them by more than the stated errors" if small else ""
    return CONFIRMED, f"{values} values agree{more}; {seen}", judged


def _excess(q: Judged) -> float:
    return (q.difference or 0.0) / max(q.allowed or 0.0, 1e-300)


def _judged(q: ComparedQuantity, accuracy: object) -> Judged:
    assert q.agrees is not None and q.tolerance is not None
    tolerance = np.nan_to_num(q.tolerance, nan=0.0)
    allowed = tolerance + _shaped(accuracy, q.difference.shape)
    beyond = ~q.agrees
    # a value that only one of them has is no matter of accuracy
    contradicted = beyond & ~(q.difference <= allowed)
    estimated = ~np.isnan(q.tolerance) | np.isnan(q.difference)
    ratio = np.where(estimated, np.nan_to_num(q.difference, nan=np.inf) / np.maximum(allowed, 1e-300), -1.0)
    if not q.judged[0]:
        return Judged(q.name, q.unit, 0, 0, 0, None, None, "")
    place = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    difference = float(q.difference[place])
    return Judged(
        q.name,
        q.unit,
        q.judged[0],
        int(contradicted.sum()),
        int((beyond & ~contradicted).sum()),
        difference,
        float(allowed[place]),
        f"{q.axis} {told_key(q, place)}",
        q.allowed_are + (" and the accuracy" if allowed[place] > tolerance[place] else ""),
    )


def _shaped(accuracy: object, shape: tuple[int, ...]) -> np.ndarray:
    value = np.asarray(accuracy, dtype=float)
    return np.broadcast_to(
        value.reshape(value.shape + (1,) * (len(shape) - value.ndim)) if value.ndim else value, shape
    )
