"""What a run took: times that add up, and memory; and what its present step still takes."""

from __future__ import annotations

from collections.abc import Sequence

from ttsuite.data import Report

PARTS = {"compile_s": "compiling", "setup_s": "setting up", "solve_s": "solving"}
LEAST = 0.05  # seconds that are told


def parts(report: Report) -> list[tuple[str, float]]:
    """(what, seconds) of the parts of a run, which add up to its time in all; the last is what no part counts."""
    seconds = {key: value or 0.0 for key, value in report["timing"].items() if isinstance(value, float | int | None)}
    told = [(name, seconds.get(key, 0.0)) for key, name in PARTS.items()]
    rest = max(seconds.get("wall_s", 0.0) - sum(value for _, value in told), 0.0)
    return [*told, ("the rest (starting, writing)", rest)]


def spent(report: Report) -> list[tuple[str, str]]:
    """(what, value) of time and memory; nothing that is not known."""
    facts = []
    if (wall := report["timing"].get("wall_s")) is not None:
        told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts(report) if seconds >= LEAST)
        facts.append(("time", f"{wall:.1f} s{f': {told}' if told else ''}"))
    if (memory := report.get("peak_rss_mb")) is not None:
        facts.append(("memory, all processes", f"{memory:.0f} MB"))
    return facts


def step_left(ends: Sequence[float], now: float) -> float | None:
    """Seconds until the present step of a run ends, where it takes as long as those before it took on average.

    ``ends``: when the last steps ended, on the clock of ``now``. At least 0; None where fewer than two have ended.
    """
    if len(ends) < 2:
        return None
    step = (ends[-1] - ends[0]) / (len(ends) - 1)
    return max(step - (now - ends[-1]), 0.0)
