"""``run --dry-run``: what a run would do and take. The problem is prepared, nothing is solved, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from problems.errors import ProblemError
from problems.report_parts import Effort
from solvers.cards import Card, Fact
from ttsuite.study.config import ConfigError, Source, Study, load_study
from ttsuite.study.yaml_file import Document, Problem
from ttsuite.workers.executors import available_cores, workers_for

_AROUND = 2.0  # seconds: starting, figures, reports


@dataclass(frozen=True)
class DryRun(Card):
    """What a run would do: ``facts`` as (what, value) and the expected ``effort``; its text is what is printed.

    ``effort`` is None for a kind of which nobody has measured it.
    """

    study: Study
    facts: list[tuple[str, str]]
    effort: Effort | None

    def worded(self) -> list[Fact]:
        """Name, sizes, and what it is expected to take."""
        return [("study", self.study.name), *self._expected(), *self.facts]

    def __str__(self) -> str:
        lines = [f"{self.study.name}: {self.study.family.summary}; nothing is computed or written"]
        facts = [*self.facts, *self._expected()]
        width = max(len(name) for name, _ in facts)
        return "\n".join([*lines, *(f"  {name:{width}}  {value}" for name, value in facts)])

    def _expected(self) -> list[tuple[str, str]]:
        if self.effort is None:
            return [("expected time and memory", "not known for this kind")]
        estimate = "estimated, good to a factor of about 3"
        seconds, memory = duration_text(self.effort.seconds), _memory(self.effort.megabytes)
        return [
            ("expected time", f"about {seconds} ({estimate}); a first run compiles for longer"),
            ("expected memory", f"about {memory} ({estimate})"),
        ]


def dry_run(study: Study | str | Path, *, overrides: Iterable[str] = ()) -> DryRun:
    """Sizes, operator ranks, the plan, and the expected time and memory of a study, given as a YAML file or a Study.

    Raises ConfigError for bad input. Cost: that of preparing the problem, mostly well under a second. Writes nothing.
    """
    if isinstance(study, Study):
        if list(overrides):
            raise ValueError("overrides apply to a file, not to a Study")
        source = Source(Document(), None)
    else:
        study, source = load_study(study, overrides)
    workers = study.solver.workers if study.solver.workers != "automatic" else available_cores()
    planning = study.family.planning
    try:
        with workers_for(1):  # one BLAS thread, as in a run
            prepared = study.family.numerics.prepare(study.problem, study.solver)
    except ProblemError as error:
        raise source.error(error) from None
    except MemoryError as error:
        raise ConfigError([Problem(source.document.where(("problem",)), "problem", f"too large: {error}")]) from None
    facts = [*planning.plan(prepared), ("worker processes", str(workers))]
    effort = planning.estimate(prepared, workers)
    return DryRun(study, facts, None if effort is None else replace(effort, seconds=_AROUND + effort.seconds))


def duration_text(seconds: float) -> str:
    if seconds < 90.0:
        return f"{max(1.0, seconds):.0f} s"
    return f"{seconds / 60.0:.0f} minutes" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} hours"


def _memory(megabytes: float) -> str:
    return f"{megabytes:.0f} MB" if megabytes < 1000.0 else f"{megabytes / 1000.0:.1f} GB"
