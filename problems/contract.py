"""What a family of problems gives: its models, and where its parts are found."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from problems.keys import Keys


@dataclass(frozen=True)
class Family:
    """A kind of problem: its models, and where its parts are found (module paths, imported when needed).

    ``formula``, ``references`` and ``typical`` (measured time and memory) are what ``ttsuite describe`` prints.
    ``numerics``: has prepare and solve; ``presentation``: results, references, headline, comparison_table, tables,
    csv_table, sections, trains and loading, from which the record and the report are made, and ``quantities(results)``,
    what two records are compared by; ``figures``: its figures;
    ``plan``: has ``plan(prepared)``, a list of (what, value), and ``estimate(prepared, workers)``, the expected Effort.
    ``certify``: other routes to the numbers of a run (problems.route); empty: the module ``certify`` beside ``plan``.
    ``complete(problem, solver)`` returns the solver settings with the defaults that depend on the problem, and raises
    ProblemError for settings that contradict each other.
    """

    kind: str
    summary: str
    formula: str
    references: tuple[str, ...]
    typical: str
    problem: type[Keys]
    solver: type[Keys]
    complete: Callable[[Any, Any], Any]
    numerics: str
    presentation: str
    figures: str
    plan: str
    certify: str = ""

    def module(self, part: str) -> ModuleType:
        """Import ``numerics``, ``presentation``, ``figures``, ``plan`` or ``certify``."""
        path = getattr(self, part) or f"{self.plan.rpartition('.')[0]}.{part}"
        return importlib.import_module(path)


@dataclass(frozen=True)
class Effort:
    """What a run is expected to take: seconds (compiling left out), and peak memory of all processes in megabytes.

    Both from costs measured once, good to a factor of about three; memory counts the interpreter and its libraries.
    """

    seconds: float
    megabytes: float
