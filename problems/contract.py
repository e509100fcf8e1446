"""What a family of problems gives, and what the application asks of each of its parts.

A family is a package, or a folder, of modules with fixed names:

    model          FAMILY, and the models behind the keys of ``problem`` and ``solver``
    result         RESULTS: the classes of its results (problems.result)
    solve          prepare, solve                                                             (Numerics)
    presentation   headline, tables, sections                                                 (Presentation)
    figures        figures; may stand in ``presentation``                                     (Figures)
    plan           plan, estimate: what a dry run tells                                       (Planning)
    references     agreements, comparison_table, columns: what is known from elsewhere        (Known)
    certify        routes, allowed, between: other routes to the numbers                      (Routes)
    progress       told: what is said of a state on its way                                   (Progress)

The last five may be missing. All but ``model`` are imported when they are asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from problems.keys import Keys, ProblemKeys, SolverKeys

if TYPE_CHECKING:
    import numpy as np

    from problems.agreement import Agreement
    from problems.progress import Told
    from problems.report_parts import Effort, Picture, Quantity, Section, Table
    from problems.result import Columns, Result, Results
    from problems.route import Route
    from solvers.solution import Callback, IterationState

P = TypeVar("P", bound=ProblemKeys)  # the keys of the problem
S = TypeVar("S", bound=SolverKeys)  # the keys of the solver
PIn = TypeVar("PIn", bound=ProblemKeys, contravariant=True)
SIn = TypeVar("SIn", bound=SolverKeys, contravariant=True)
Q = TypeVar("Q")  # a problem that is prepared
QIn = TypeVar("QIn", contravariant=True)
RIn = TypeVar("RIn", bound="Result", contravariant=True)
ROut = TypeVar("ROut", bound="Result", covariant=True)
Facts = list[tuple[str, str]]  # (what, value)


class Numerics(Protocol[PIn, SIn, Q, ROut]):
    """The module ``solve``."""

    def prepare(self, problem: PIn, solver: SIn) -> Q:
        """Everything before the first iteration. Raises ProblemError for what cannot be computed as asked."""

    def solve(
        self,
        prepared: Q,
        *,
        executor: Executor | None,
        seed: int,
        callback: Callback | None,
        checkpoint: Path | None,
        earlier: Path | None = None,
    ) -> ROut:
        """The result. ``checkpoint``: the folder it is continued from, and written to; ``earlier``: that of a finished
        run which this one starts from."""


class Presentation(Protocol[PIn, SIn, RIn]):
    """The module ``presentation``: what a report says in words."""

    def headline(self, problem: PIn, solver: SIn, result: RIn) -> Facts:
        """The few numbers a reader wants first."""

    def tables(self, problem: PIn, solver: SIn, result: RIn) -> list[Table]:
        """The tables, each with its title."""

    def sections(self, problem: PIn, result: RIn) -> list[Section]:
        """Short lists of facts at the end."""


class Figures(Protocol[PIn, SIn, RIn]):
    """The module ``figures``, or that of the presentation."""

    def figures(self, problem: PIn, solver: SIn, result: RIn) -> list[Picture]:
        """All figures that this result has data for, in the order of the report; drawn when they are asked for."""


class Planning(Protocol[QIn]):
    """The module ``plan``: what a dry run tells."""

    def plan(self, prepared: QIn) -> Facts:
        """Sizes, ranks and the steps to come."""

    def estimate(self, prepared: QIn, workers: int) -> Effort | None:
        """The expected time and memory; None where nobody has measured it."""


class Known(Protocol[PIn, SIn, RIn]):
    """The module ``references``: what is known from elsewhere, beside a run."""

    def agreements(self, problem: PIn, result: RIn) -> list[Agreement]:
        """How far the run is from each; the first is the one that the key ``check`` judges by."""

    def comparison_table(self, problem: PIn, solver: SIn, result: RIn) -> Table | None:
        """The run beside them; None where there is nothing to compare with."""

    def columns(self, problem: PIn, result: RIn) -> Columns:
        """Further columns of the CSV file, of as many rows as ``result.columns()``."""


class Routes(Protocol[PIn, SIn]):
    """The module ``certify``; it may have ``between``, what two runs are compared by beyond their numbers."""

    def routes(self, problem: PIn, solver: SIn, results: Results) -> list[Route]:
        """The routes to the numbers of a run of these keys whose report holds ``results``."""

    def allowed(self, solver: SIn, quantity: Quantity, results: Results) -> float | np.ndarray:
        """What the accuracy asked for allows in each value of a quantity."""


class Progress(Protocol[PIn, SIn]):
    """The module ``progress``; ``problems.progress`` is that of a family which has none."""

    def told(self, problem: PIn, solver: SIn, state: IterationState, before: IterationState | None) -> list[Told]:
        """The numbers of a state, the most important first; ``before``: the finished state before it."""


class Nothing:
    """In the place of the parts that a family does not have."""

    def figures(self, problem: Keys, solver: Keys, result: Result) -> list[Picture]:
        return []

    def plan(self, prepared: object) -> Facts:
        return []

    def estimate(self, prepared: object, workers: int) -> Effort | None:
        return None

    def agreements(self, problem: Keys, result: Result) -> list[Agreement]:
        return []

    def comparison_table(self, problem: Keys, solver: Keys, result: Result) -> Table | None:
        return None

    def columns(self, problem: Keys, result: Result) -> Columns:
        return []

    def routes(self, problem: Keys, solver: Keys, results: Results) -> list[Route]:
        return []

    def allowed(self, solver: Keys, quantity: Quantity, results: Results) -> float:
        return 0.0


def as_it_is(problem: object, solver: S) -> S:
    """The settings of a family whose defaults do not depend on the problem."""
    return solver


@dataclass(frozen=True)
class Family(Generic[P, S]):
    """A kind of problem.

    Attributes
    ----------
    kind : the value of the key ``problem.kind``.
    summary, formula, references, typical : what ``ttsuite describe`` prints; references are papers, typical is measured
        time and memory.
    problem, solver : the models behind the keys.
    package : where the modules of its parts are, as ``problems.completion``; empty: top-level modules.
    complete : (problem, solver) -> the settings with the defaults that depend on the problem; raises ProblemError for
        settings that contradict each other.
    """

    kind: str
    summary: str
    formula: str
    references: tuple[str, ...]
    typical: str
    problem: type[P]
    solver: type[S]
    package: str
    complete: Callable[[P, S], S] = as_it_is

    @property
    def results(self) -> tuple[type[Result], ...]:
        """The classes of its results."""
        return self._part("result").RESULTS

    def result_of(self, results: Results) -> type[Result]:
        """The class that ``results`` of report.json were made from. Raises ValueError where they are of none."""
        for kind in self.results:
            if kind.made(results):
                return kind
        raise ValueError(f"these are no results of kind {self.kind}")

    @property
    def numerics(self) -> Numerics[P, S, object, Result]:
        return cast("Numerics[P, S, object, Result]", self._part("solve"))

    @property
    def presentation(self) -> Presentation[P, S, Result]:
        return cast("Presentation[P, S, Result]", self._part("presentation"))

    @property
    def pictures(self) -> Figures[P, S, Result]:
        own = self._found("figures") or self._part("presentation")
        return cast("Figures[P, S, Result]", own if hasattr(own, "figures") else Nothing())

    @property
    def planning(self) -> Planning[object]:
        return cast("Planning[object]", self._found("plan") or Nothing())

    @property
    def known(self) -> Known[P, S, Result]:
        return cast("Known[P, S, Result]", self._found("references") or Nothing())

    @property
    def routes(self) -> Routes[P, S]:
        return cast("Routes[P, S]", self._found("certify") or Nothing())

    @property
    def progress(self) -> Progress[P, S]:
        own = self._found("progress") or importlib.import_module("problems.progress")
        return cast("Progress[P, S]", own)

    def _part(self, name: str) -> ModuleType:
        return importlib.import_module(self._path(name))

    def _found(self, name: str) -> ModuleType | None:
        """A part that may be missing; what it imports may not."""
        return None if importlib.util.find_spec(self._path(name)) is None else self._part(name)

    def _path(self, name: str) -> str:
        return f"{self.package}.{name}"
