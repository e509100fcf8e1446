"""Whom a run tells of its progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ttsuite.config import Study
from ttsuite.data import Report

if TYPE_CHECKING:
    from solvers.solution import IterationState


class Listener(Protocol):
    """Told of a run's progress; ``ttsuite.progress`` has one for terminals and one for plain output.

    One with a method ``stopping()`` is told of the first interrupt too.
    """

    def started(self, study: Study, folder: Path) -> None: ...

    def passed(self, state: IterationState) -> None: ...

    def ended(self, report: Report) -> None: ...
