"""From samples to a report: the entries drawn or divided, the train fitted, its error measured.

Entries that measure the error are never fitted, nor do they choose the rank (solvers.optimisation.completion
sets others aside for that). So the test error is its own estimate; its uncertainty is that of the sample of entries.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from problems.completion.metrics import Metric, metrics
from problems.completion.model import FRESH, CompletionProblem, CompletionSolver, options
from problems.completion.rejected import Rejected
from problems.completion.result import CompletionResult
from problems.completion.samples import KEY, Entries, draw, evaluate, read_csv
from problems.errors import ProblemError
from solvers.checkpoint import CheckpointError
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.optimisation.completion.completion import complete
from solvers.optimisation.completion.dimension import parameters
from solvers.optimisation.completion.growth import RankFit
from solvers.optimisation.completion.penalised import effects_alone
from solvers.optimisation.losses import probability
from solvers.optimisation.samples import held_out
from solvers.solution import Checked, IterationState, Status

FITS = "fits.npz"  # the file of the fits in a checkpoint folder
MOSTLY = 0.5  # share of zeros among samples from which on they are what stands in the way
SURE = 2.0  # standard deviations by which a test error must meet the accuracy, or a warning says so


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: CompletionProblem
    solver: CompletionSolver
    setup_s: float


def prepare(problem: CompletionProblem, solver: CompletionSolver) -> Prepared:
    """Everything has been checked with the keys; the samples depend on the seed and are drawn later."""
    begin = time.perf_counter()
    return Prepared(problem, solver, time.perf_counter() - begin)


def divide(problem: CompletionProblem, rng: np.random.Generator) -> tuple[Entries, Entries]:
    """Samples to fit and entries that measure the error.

    Of a file, the held-out ones are drawn such that every index of every mode keeps a sample; not with effects, which
    predict an index without one: then they are drawn at random, as they would be met.
    """
    if problem.file is None:
        source = problem.samples
        assert not isinstance(source, str)
        known, fresh = draw(source.shape, source.number, FRESH, rng)
        return evaluate(source.function, source.shape, known), evaluate(source.function, source.shape, fresh)
    entries = read_csv(problem.file, cold=problem.effects)
    if problem.loss == "logistic":
        entries = Entries(entries.indices, (entries.values > 0.0).astype(float))
    if problem.effects:
        held = np.zeros(len(entries), dtype=bool)
        held[rng.permutation(len(entries))[: problem.tests]] = True
    else:
        held = held_out(entries.indices, problem.shape, problem.tests, rng)
    return entries[~held], entries[held]


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> CompletionResult:
    """The completed tensor and its error; one process, ``executor`` is not used.

    ``checkpoint``: the folder it is continued from; ``earlier``: that of a run from whose last rank this one grows on.

    Raises ProblemError where an index of a mode happens to have no sample, and for a test part of zeros.
    """
    problem, solver = prepared.problem, prepared.solver
    method = options(problem, solver)
    begin = time.perf_counter()
    given, tests = divide(problem, np.random.default_rng([seed, 0]))
    setup_s = prepared.setup_s + time.perf_counter() - begin
    try:
        solution = complete(
            given.indices,
            given.values,
            problem.shape,
            method=method,
            test=(tests.indices, tests.values),
            accuracy=solver.accuracy,
            rng=np.random.default_rng([seed, 1]),
            callback=callback,
            throw=False,
            checkpoint=None if checkpoint is None else checkpoint / FITS,
            earlier=None if earlier is None else earlier / FITS,
        )
    except CheckpointError:
        raise
    except ValueError as error:
        raise ProblemError(str(error), KEY) from None
    train, best = solution.value, solution.extra["best"]
    predicted = predictions(problem, train, tests.indices)
    rejected = rejects(problem, train, solution.extra.get("rejected"), given, tests)
    near = ~np.isin(flat(tests.indices, problem.shape), flat(rejected.indices, problem.shape))
    found: list[Metric] = []
    names = scores_of(problem)
    middle = float(np.median(given.values) if problem.loss == "huber" else given.values.mean())
    if names:
        plain = solution.extra.get("baseline")
        if plain is None or not problem.effects:
            plain = effects_alone(given.indices, given.values, problem.shape, problem.loss)
        effects = predictions(problem, plain, tests.indices)
        found = metrics(names, predicted[near], effects[near], middle, tests.values[near], tests.indices[near, 0])
    cold = [np.bincount(column, minlength=n) == 0 for column, n in zip(given.indices.T, problem.shape)]
    unseen = np.any([missing[column] for missing, column in zip(cold, tests.indices.T)], axis=0)
    look = constant_look(predicted[near], tests[near], middle) if near.any() else None
    warnings = warnings_of(
        solver, best, solution.status, len(tests), float(solution.residual[0]), float(np.mean(given.values == 0.0))
    )
    if method.penalised and solution.status is not Status.CONVERGED:
        warnings = noisy(solver, best, solution.status, float(solution.residual[0]))
    return CompletionResult(
        train=train,
        best=best,
        by_rank=solution.extra["by_rank"],
        test_indices=tests.indices,
        true=tests.values,
        predicted=predicted,
        singular_values=singular_values(train),
        fitted=solution.extra["fitted"],
        validation=solution.extra["validation"],
        parameters=parameters(problem.shape, best.rank) + (sum(problem.shape) + 1 if problem.effects else 0),
        loss=problem.loss,
        effects_ridge=solution.extra.get("effects_ridge", 0.0),
        metrics=found,
        cold=int(unseen.sum()),
        rejected=rejected,
        status=solution.status,
        history=list(solution.history),
        counts=solution.counts,
        timing=solution.timing | {"setup_s": setup_s},
        warnings=[*warnings, *rejected.warnings(problem.known + (0 if problem.file is not None else len(tests)))],
        checked=(*solution.checked, *([] if look is None else [look])),
    )


def scores_of(problem: CompletionProblem) -> tuple[str, ...]:
    """The scores asked for, and those of a loss."""
    own = ("log_loss", "accuracy") if problem.loss == "logistic" else ()
    return tuple(dict.fromkeys((*own, *problem.metrics)))


def predictions(problem: CompletionProblem, train: TensorTrain, indices: np.ndarray) -> np.ndarray:
    """Of entries; of a logistic loss the probabilities of a one."""
    found = train.entries(indices)
    return probability(found) if problem.loss == "logistic" else found


def flat(indices: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A number for each multi-index."""
    return np.ravel_multi_index(tuple(indices.T), shape) if len(indices) else np.empty(0, dtype=np.int64)


def rejects(
    problem: CompletionProblem,
    train: TensorTrain,
    parts: tuple[np.ndarray, ...] | None,
    given: Entries,
    tests: Entries,
) -> Rejected:
    """The entries that were rejected, with their values and what is predicted in their place."""
    if problem.loss != "huber" or parts is None:
        return Rejected.none(len(problem.shape))
    indices = np.concatenate(parts)
    where = flat(np.concatenate([given.indices, tests.indices]), problem.shape)
    order = np.argsort(where)
    place = order[np.searchsorted(where, flat(indices, problem.shape), sorter=order)]
    values = np.concatenate([given.values, tests.values])[place]
    return Rejected(indices, values, train.entries(indices) if len(indices) else np.empty(0), *map(len, parts))


def noisy(solver: CompletionSolver, best: RankFit, status: Status, residual: float) -> list[str]:
    """What a fit with effects or a ridge says where the accuracy was missed."""
    if status is Status.CONTRADICTED:
        return ["what was checked speaks against this fit (see there), or nothing tells of some of its indices"]
    what = "the effects alone predict best" if best.rank == 0 else f"rank {best.rank} predicts best"
    cure = "larger ranks may help" if status is Status.RANK_LIMIT else "the rest looks like noise to these models"
    return [f"the accuracy asked for ({solver.accuracy:g}) was missed: {amount(residual)}; {what}, {cure}"]


def constant_look(predicted: np.ndarray, tests: Entries, middle: float) -> Checked:
    """The test error beside that of a constant, the tensor that knows nothing."""
    off = float(np.linalg.norm(predicted - tests.values))
    blank = float(np.linalg.norm(tests.values - middle))
    share = f"{amount(off / blank)} of its error" if blank > 0.0 else "the test entries are all equal"
    return Checked("test entries", "the mean of the samples in the place of the tensor", share, True)


def warnings_of(
    solver: CompletionSolver, best: RankFit, status: Status, tests: int, residual: float = 0.0, zeros: float = 0.0
) -> list[str]:
    """A missed accuracy, or one that ``tests`` entries are too few to be sure of; ``zeros``: share of the samples."""
    found: list[str] = []
    assert best.test_error is not None and best.uncertainty is not None
    if status is Status.CONTRADICTED:
        found.append(
            f"the samples do not determine this tensor, off by up to {amount(residual)} (see what was checked): "
            "give more of them, or a smaller max_rank"
        )
    elif status is not Status.CONVERGED and zeros > MOSTLY:
        found.append(
            f"the accuracy asked for ({solver.accuracy:g}) was missed: {amount(best.error)}; {zeros:.0%} of the "
            "samples are zero, which tell nothing of the entries that are not: give samples where these are, or of a "
            "part alone"
        )
    elif status is not Status.CONVERGED:
        cure = "larger ranks may help" if status is Status.RANK_LIMIT else "larger ranks did not help, more samples may"
        found.append(f"the accuracy asked for ({solver.accuracy:g}) was missed: {amount(best.error)}; {cure}")
    elif best.test_error + SURE * best.uncertainty > solver.accuracy:
        few = f"{tests} test entries tell it to {amount(best.uncertainty)} (one standard deviation) only"
        found.append(f"the test error {amount(best.test_error)} may be above the accuracy asked for: {few}")
    return found


def singular_values(train: TensorTrain) -> list[np.ndarray]:
    """Of the d-1 unfoldings, relative to the norm of the tensor."""
    found = []
    size = max(train.norm(), 1e-300)
    for k in range(train.d - 1):
        train = train.orthogonalise(k)
        core = train.cores[k]
        values = np.linalg.svd(core.reshape(-1, core.shape[2]), compute_uv=False)
        found.append(values / size)
    return found
