"""What a run of either task would do, and what it is expected to take."""

from __future__ import annotations

from problems.quantum.tasks.either.solve import Prepared
from problems.quantum.tasks.evolution import plan as evolution
from problems.quantum.tasks.evolution.solve import Prepared as InTime
from problems.quantum.tasks.spectrum import plan as spectrum
from problems.report_parts import Effort


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    return evolution.plan(prepared) if isinstance(prepared, InTime) else spectrum.plan(prepared)


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    if isinstance(prepared, InTime):
        return evolution.estimate(prepared, workers)
    return spectrum.estimate(prepared, workers)
