"""From rows to a report: every learner on every split at every noise level, each an independent task.

1. Splits are those of the seed, the same for all learners, so that differences are paired.
2. Tasks go to the executor; a checkpoint holds the outcomes that are known, and only the others are computed.
3. A second look: the model of the run on permuted labels must find nothing; the variance of interactions by drawn
   rows must be that of the train.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from problems.learning.data import Data
from problems.learning.learners import OWN, Outcome, Task, evaluate, metric
from problems.supervised.model import SupervisedProblem, SupervisedSolver
from problems.supervised.result import SupervisedResult
from solvers.checkpoint import Checkpoint, Content, Question
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.iteration import drive
from solvers.measured import amount, numeral
from solvers.solution import Checked, IterationState, Solution, Status

FILE = "outcomes.npz"
SURE = 5.0  # standard deviations of a second look
ROUNDING = 1e-9  # of a variance


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: SupervisedProblem
    solver: SupervisedSolver
    setup_s: float


def prepare(problem: SupervisedProblem, solver: SupervisedSolver) -> Prepared:
    """Everything has been checked with the keys."""
    return Prepared(problem, solver, 0.0)


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> SupervisedResult:
    """Scores of every learner with their errors; independent tasks go to the ``executor``."""
    begin = time.perf_counter()
    problem, solver = prepared.problem, prepared.solver
    data = problem.rows
    held = problem.held(len(data.targets))
    names = (OWN, *solver.against)
    tasks = [Task(name, split, level) for level in problem.levels for split in range(problem.splits) for name in names]
    tasks.append(Task(OWN, 0, 0.0, shuffled=True))
    study = problem.study is not None
    constant: Constant = (data, held, problem.patch, solver, study, seed)
    setup_s = time.perf_counter() - begin
    plain = solver.model_copy(update={"workers": 1})
    question = Question(
        [data.rows, data.targets],
        [repr((problem.levels, problem.splits, held, problem.patch)), repr(plain), repr(seed)],
    )
    file = None if checkpoint is None else checkpoint / FILE
    solution = drive(
        _Outcomes(tasks, constant, executor), callback=callback, checkpoint=Checkpoint(file, question), throw=False
    )
    outcomes: list[Outcome] = solution.value

    def array(name: str) -> np.ndarray:
        flat = np.array([getattr(outcome, name) for outcome in outcomes[:-1]], dtype=float)
        return np.ascontiguousarray(flat.reshape(len(problem.levels), problem.splits, len(names)).transpose(2, 0, 1))

    mine = [
        outcome for task, outcome in zip(tasks, outcomes) if task.learner == OWN and task.noise == problem.levels[0]
    ]
    mine = mine[: problem.splits]
    orders = [outcome.orders for outcome in mine if outcome.orders is not None]
    pairs = [outcome.pairs for outcome in mine if outcome.pairs is not None]
    result = SupervisedResult(
        names=names,
        levels=problem.levels,
        scores=array("score"),
        trained=array("trained"),
        plain=array("plain"),
        seconds=array("seconds"),
        metric=metric(data, study),
        ratio=held / (len(data.targets) - held),
        orders=_stacked(orders),
        pairs=_stacked(pairs),
        chosen_ranks=np.array([outcome.rank for outcome in mine]),
        ridges=np.array([outcome.ridge for outcome in mine]),
        numbers=np.array([outcome.numbers for outcome in mine]),
        fields=data.names,
        classes=len(data.classes),
        rows=len(data.targets),
        judged=held,
        train=TensorTrain(mine[0].cores) if mine[0].cores else None,
        status=Status.CONVERGED,
        history=list(solution.history),
        counts=solution.counts,
        timing=solution.timing | {"setup_s": setup_s},
    )
    return _judged(result, solver, data, outcomes, mine)


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    """Shares of every split; where trains of other ranks or categories differ in nothing but values they all fit."""
    return np.stack(arrays) if arrays else np.zeros((0, 0))


def _judged(
    result: SupervisedResult, solver: SupervisedSolver, data: Data, outcomes: list[Outcome], mine: list[Outcome]
) -> SupervisedResult:
    """With its status, second looks and warnings."""
    looks = [_blind(result, data, outcomes[-1])]
    for outcome in mine[:1]:
        if outcome.sampled is not None:
            looks.append(_drawn(*outcome.sampled))
    warnings = []
    largest = float(result.errors[0].max())
    status = Status.CONVERGED
    unsettled = sum(not outcome.settled for outcome in mine)
    if unsettled:
        status = Status.ITERATION_LIMIT
        warnings.append(
            f"{unsettled} of {len(mine)} fits were still improving at their last sweep: give a larger ridge"
        )
    if largest > solver.accuracy:
        status = Status.FEW_SPLITS
        warnings.append(
            f"the mean {result.metric} is known to {amount(largest)} (one standard deviation); {solver.accuracy:g} was "
            "asked for"
        )
    if not all(look.passed for look in looks):
        status = Status.CONTRADICTED
    if "a plain method is better" in result.verdict:
        warnings.append(result.verdict)
    own = {entry.name: getattr(result, entry.name) for entry in fields(result)}
    return SupervisedResult(**own | {"status": status, "warnings": warnings, "checked": tuple(looks)})


def _blind(result: SupervisedResult, data: Data, outcome: Outcome) -> Checked:
    """The model fitted to permuted targets of the first split, judged on true ones."""
    count = result.judged
    if result.metric == "R2":
        # no more than the square of a correlation of so many deviations
        chance, error, found = 0.0, SURE / count, outcome.score
    elif result.metric == "AUC":
        ones = max(1.0, count * float(np.mean(data.targets == 1)))
        chance, found = 0.5, outcome.score
        error = np.sqrt((count + 1.0) / (12.0 * ones * max(1.0, count - ones)))
    else:
        chance = float(np.bincount(data.targets).max()) / len(data.targets)
        error, found = np.sqrt(chance * (1.0 - chance) / count), outcome.score
    passed = bool(found <= chance + SURE * error)
    told = f"{result.metric} {found:.2f}, by chance up to {chance + SURE * error:.2f}"
    return Checked("what is learned", "the same model on permuted targets", told, passed)


def _drawn(exact: float, drawn: float, error: float) -> Checked:
    """The variance of the scores from the train beside that of rows of independent fields."""
    passed = abs(exact - drawn) <= SURE * error + ROUNDING * abs(exact)
    told = f"{numeral(drawn, error)}, from the train {numeral(exact)}"
    return Checked("shares of variance", "the variance over rows of independent fields", told, bool(passed))


# what all tasks share: rows, how many judge, pixels of a patch, settings, whether there is a study, seed
Constant: TypeAlias = tuple[Data, int, tuple[int, int], SupervisedSolver, bool, int]


class _Outcomes:
    """All tasks, those already known apart."""

    def __init__(self, tasks: list[Task], constant: Constant, executor: Executor | None) -> None:
        self.tasks, self.constant, self.executor = tasks, constant, executor
        self.known: dict[int, Outcome] = {}

    def steps(self) -> Iterator[IterationState]:
        """A state each time that a task is done."""
        missing = [number for number in range(len(self.tasks)) if number not in self.known]
        if self.executor is None:
            for number in missing:
                self.known[number] = evaluate(*self.constant, self.tasks[number])
                yield self._state(number)
            return
        futures = {self.executor.submit(evaluate, *self.constant, self.tasks[number]): number for number in missing}
        try:
            for future in as_completed(futures):
                number = futures[future]
                self.known[number] = future.result()
                yield self._state(number)
        finally:
            for future in futures:
                future.cancel()

    def _state(self, number: int) -> IterationState:
        task, outcome = self.tasks[number], self.known[number]
        label = "permuted targets" if task.shuffled else f"{task.learner}, split {task.split + 1}"
        told = {"score": outcome.score, "done": len(self.known), "tasks": len(self.tasks)}
        return IterationState(0, label, outcome.rank, 0.0, fraction=len(self.known) / len(self.tasks), extra=told)

    def content(self) -> Content:
        """The outcomes known: numbers in JSON, arrays by name."""
        arrays: dict[str, np.ndarray] = {}
        entries: dict[str, dict[str, Any]] = {}
        for number, outcome in self.known.items():
            entry: dict[str, Any] = {}
            for part in fields(outcome):
                value = getattr(outcome, part.name)
                if part.name == "cores":
                    entry["cores"] = len(value)
                    arrays |= {f"{number}.core.{k}": core for k, core in enumerate(value)}
                elif isinstance(value, np.ndarray):
                    arrays[f"{number}.{part.name}"] = value
                else:
                    entry[part.name] = value
            entries[str(number)] = entry
        return arrays, {"outcomes": entries}

    def restore(self, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
        """The outcomes of an earlier call."""
        for key, entry in data["outcomes"].items():
            own = dict(entry)
            own["cores"] = tuple(arrays[f"{key}.core.{k}"] for k in range(entry["cores"]))
            for name in ("orders", "pairs"):
                own[name] = arrays.get(f"{key}.{name}", None)
            if own.get("sampled") is not None:
                own["sampled"] = tuple(own["sampled"])
            self.known[int(key)] = Outcome(**own)

    def solution(self) -> Solution:
        outcomes = [self.known[number] for number in range(len(self.tasks))]
        return Solution(
            value=outcomes,
            status=Status.CONVERGED,
            n_converged=len(outcomes),
            residual=np.zeros(0),
            history=(),
            counts={"fits": len(outcomes), "splits": 1 + max(task.split for task in self.tasks)},
            timing={},
        )
