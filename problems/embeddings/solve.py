"""From a text to a report: what is held out, the vectors of three methods, and how they are judged.

    1. The text is divided, its pairs are counted (problems.embeddings.data).
    2. Each method finds its vectors (solvers.optimisation.skip_gram.embed), from one start.
    3. The same for texts of blocks drawn again: which neighbours stay, how much the values move.
    4. Held-out pairs, neighbours, and lists of similar words judge all methods alike (problems.embeddings.judges).
A checkpoint folder has a file a method, and one of the texts drawn again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.embeddings.data import Divided, divide, drawn_again
from problems.embeddings.judges import held_out_values, kept_shares, ratio_error
from problems.embeddings.model import EmbeddingsProblem, EmbeddingsSolver
from problems.embeddings.result import EXACT, METHODS, EmbeddingsResult, MethodFit, Neighbour
from problems.embeddings.verdicts import similarity_of, verdicts
from solvers.checkpoint import Checkpoint, Question, Stopped
from solvers.fit_methods import AlternatingNewton, ConjugateGradients, ShiftedPMI
from solvers.measured import amount
from solvers.optimisation.skip_gram.embed import Method, embed
from solvers.optimisation.skip_gram.embedding import Embedding, directions, neighbours
from solvers.optimisation.skip_gram.problem import SkipGram
from solvers.solution import Checked, IterationState, Solution, Status

WATCHED = 300  # words, the most frequent, whose neighbours are looked at in texts drawn again
SHOWN = 8  # words whose neighbours are shown where no queries are given
FLATTER = 0.9  # a step of the descent is taken where the slope is so much flatter: fewer corrections, and further down
COARSER = 10.0  # times the accuracy, for the second start
RANDOM = 0.1  # size of the entries of a random start
AGREE = 30.0  # times the accuracy, by which two starts may differ
Callback = Callable[[IterationState], None]


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: EmbeddingsProblem
    solver: EmbeddingsSolver
    setup_s: float


def prepare(problem: EmbeddingsProblem, solver: EmbeddingsSolver) -> Prepared:
    """Everything has been checked with the keys; what is held out depends on the seed and is drawn later."""
    return Prepared(problem, solver, 0.0)


def methods_of(solver: EmbeddingsSolver) -> dict[str, Method]:
    """Name -> method."""
    return {
        "newton": AlternatingNewton(sweeps=solver.max_sweeps, ridge=float(solver.ridge)),
        "riemannian": ConjugateGradients(conjugate=False, steps=solver.riemannian_steps, slope=FLATTER),
        "svd": ShiftedPMI(),
        "pmi": ShiftedPMI(shift=0.0),
    }


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> EmbeddingsResult:
    """Vectors by every method and their judgement; one process, ``executor`` is not used.

    ``checkpoint``: the folder it is continued from. Raises ProblemError where nothing is left to fit.
    """
    problem, solver = prepared.problem, prepared.solver
    begin = time.perf_counter()
    divided = divide(problem, np.random.default_rng([seed, 0]))
    setup_s = prepared.setup_s + time.perf_counter() - begin
    found = {}
    history: list[IterationState] = []
    for name in METHODS:
        file = None if checkpoint is None else checkpoint / f"{name}.npz"
        found[name] = fitted(divided.fitted, name, solver, seed, _named(name, solver.vector_size, callback), file)
        history += [replace(state, label=f"{name} {state.label}") for state in found[name].history]
    again = bootstraps(problem, solver, divided, found, seed, callback, checkpoint)
    second = second_start(divided.fitted, solver, seed, found["newton"])
    fits = judged(problem, divided, found, again, seed)
    newton = found["newton"]
    status = newton.status if all(look.passed for look in (*newton.checked, second)) else Status.CONTRADICTED
    solve_s = time.perf_counter() - begin - setup_s
    trains = {name: solution.value.train for name, solution in found.items()}
    counts = {"sweeps": newton.counts["sweeps"], "row_solves": newton.counts["row_solves"]}
    counts |= {"descent_steps": found["riemannian"].counts["steps"], "texts_drawn_again": len(again.values)}
    source = divided.source
    return EmbeddingsResult(
        **trains,
        fits=fits,
        bound=divided.fitted.bound / divided.fitted.pairs,
        exact=np.nan if divided.exact is None else divided.exact / divided.fitted.pairs,
        words=divided.words,
        contexts=divided.contexts,
        pairs=divided.fitted.pairs,
        held_out_pairs=0.0 if divided.held_out is None else float(divided.held_out.counts.sum()),
        vocabulary=len(divided.words),
        context_words=len(divided.contexts),
        text_words=int(getattr(source, "total", 0)),
        rank=solver.vector_size,
        neighbours=neighbours_of(problem, solver, divided, found, again),
        verdicts=verdicts(fits, divided.fitted.bound / divided.fitted.pairs),
        status=status,
        history=history,
        counts=counts,
        timing={"compile_s": 0.0, "setup_s": setup_s, "solve_s": solve_s},
        warnings=warnings_of(problem, solver, found, divided),
        checked=(*newton.checked, second),
    )


def fitted(
    given: SkipGram,
    name: str,
    solver: EmbeddingsSolver,
    seed: int,
    callback: Callback | None = None,
    file: Path | None = None,
) -> Solution:
    """The vectors of one method; of texts drawn again to the same accuracy, or neighbours would move by that too."""
    rng = np.random.default_rng([seed, 1])
    start = None
    if solver.start == "random":
        start = _random(given, solver.vector_size, np.random.default_rng([seed, 2]))
    return embed(
        given,
        solver.vector_size,
        method=methods_of(solver)[name],
        start=start,
        accuracy=solver.accuracy,
        rng=rng,
        callback=callback,
        checkpoint=file,
        throw=False,
    )


def _random(given: SkipGram, rank: int, rng: np.random.Generator) -> Embedding:
    return Embedding(*(RANDOM * rng.standard_normal((size, rank)) for size in given.shape))


def _named(name: str, rank: int, callback: Callback | None) -> Callback | None:
    """The callback, told the method of each state, and the rank, which matrices on their way do not say."""
    if callback is None:
        return None
    return lambda state: callback(replace(state, label=f"{name} {state.label}", fraction=None, max_rank=rank))


def second_start(given: SkipGram, solver: EmbeddingsSolver, seed: int, first: Solution) -> Checked:
    """Newton from random vectors: where a far better maximum is found the first is no answer."""
    start = _random(given, solver.vector_size, np.random.default_rng([seed, 3]))
    method = methods_of(solver)["newton"]
    accuracy = min(COARSER * solver.accuracy, 0.5)
    other = embed(given, solver.vector_size, method=method, start=start, accuracy=accuracy, throw=False)
    value, best = other.extra["value_per_pair"], first.extra["value_per_pair"]
    more = (value - best) / abs(best)
    limit = AGREE * solver.accuracy if first.converged else np.inf
    text = f"{value:.6f} a pair, {amount(abs(more))} {'above' if more > 0 else 'below'}, relative"
    return Checked("maximum", "Newton steps from random vectors", text, bool(more <= limit))


@dataclass
class Again:
    """Texts drawn again: values (b, methods) a pair, and of the words watched the shares of neighbours that stay
    (b, methods, words, k)."""

    watched: np.ndarray
    values: np.ndarray
    stays: np.ndarray


def bootstraps(
    problem: EmbeddingsProblem,
    solver: EmbeddingsSolver,
    divided: Divided,
    found: dict[str, Solution],
    seed: int,
    callback: Callback | None,
    folder: Path | None,
) -> Again:
    """All methods on texts drawn again."""
    words = len(divided.words)
    k = min(solver.neighbours, words - 1)
    extra = [divided.words.index(word) for word in _queries(problem)]
    watched = np.array(sorted({*range(min(WATCHED, words)), *extra}))
    count = solver.bootstraps if problem.divisible else 0
    again = Again(watched, np.empty((0, len(METHODS))), np.empty((0, len(METHODS), len(watched), k)))
    here = [neighbours(solution.value.words, watched, k) for solution in found.values()]
    arrays = [divided.fitted.counts.data, *(solution.value.words for solution in found.values())]
    file = Checkpoint(None if folder is None else folder / "bootstraps.npz", Question(arrays, [repr(solver)]))
    if (loaded := file.load()) is not None:
        again = Again(watched, loaded[0]["values"], loaded[0]["stays"])
    for b in range(len(again.values), count):
        begin = time.perf_counter()
        text = drawn_again(problem, divided, np.random.default_rng([seed, 4, b]))
        solutions = [fitted(text, name, solver, seed) for name in METHODS]
        values = [solution.extra["value_per_pair"] for solution in solutions]
        stay = [kept_shares(a, neighbours(s.value.words, watched, k)) for a, s in zip(here, solutions)]
        again.values = np.concatenate([again.values, [values]])
        again.stays = np.concatenate([again.stays, [stay]])
        file.save(lambda: ({"values": again.values, "stays": again.stays}, {}), last=True)
        if callback is not None:
            seconds, energies = time.perf_counter() - begin, np.array(values[:1])
            callback(IterationState(b + 1, "text drawn again", solver.vector_size, seconds, energies=energies))
        if file.stopping:
            raise Stopped
    return again


def judged(
    problem: EmbeddingsProblem, divided: Divided, found: dict[str, Solution], again: Again, seed: int
) -> tuple[MethodFit, ...]:
    """Every method by the same pairs, neighbours and lists."""
    held = divided.held_out
    sums = {}
    if held is not None:
        sums = {name: held_out_values(s.value, divided.fitted, held) for name, s in found.items()}
    fits = []
    for place, (name, solution) in enumerate(found.items()):
        value, nothing = solution.extra["value_per_pair"], float("nan")
        out = error = difference = paired = nothing
        if sums:
            total, counts = sums[name]
            out, error = float(total.sum() / counts.sum()), ratio_error(total, counts)
            apart = total - sums["newton"][0]
            difference, paired = float(apart.sum() / counts.sum()), ratio_error(apart, counts)
        several = len(again.values) > 1
        means = again.stays[:, place].mean(axis=(1, 2)) if len(again.values) else np.array([])
        fits.append(
            MethodFit(
                name=name,
                value=value,
                remaining=abs(value) * float(solution.residual[0]) if solution.converged else nothing,
                text_error=float(again.values[:, place].std(ddof=1)) if several else nothing,
                held_out=out,
                held_out_error=error,
                difference=difference,
                difference_error=paired,
                stability=float(means.mean()) if len(means) else nothing,
                stability_error=float(means.std(ddof=1) / np.sqrt(len(means))) if several else nothing,
                steps=max(solution.counts.get(key, 0) for key in ("sweeps", "steps", "decompositions")),
                seconds=solution.timing["solve_s"],
                status=solution.status.name.lower().replace("_", " ") if name in ("newton", "riemannian") else EXACT,
                similarity=similarity_of(problem, divided.words, solution.value, seed),
                singular_values=solution.value.singular_values,
                path=np.array([-abs(state.energies[0]) for state in solution.history if state.energies is not None]),
            )
        )
    return tuple(fits)


def _queries(problem: EmbeddingsProblem) -> list[str]:
    return [word.lower() if problem.lowercase else word for word in problem.queries]


def neighbours_of(
    problem: EmbeddingsProblem, solver: EmbeddingsSolver, divided: Divided, found: dict[str, Solution], again: Again
) -> tuple[Neighbour, ...]:
    """Of the words asked for, or of the most frequent, by every method."""
    words = divided.words
    asked = [words.index(word) for word in _queries(problem)] or list(range(min(SHOWN, len(words))))
    k = min(solver.neighbours, len(words) - 1)
    entries = []
    for i in asked:
        row = int(np.searchsorted(again.watched, i))
        for place, (name, solution) in enumerate(found.items()):
            unit = directions(solution.value.words)
            stays = again.stays[:, place, row].mean(axis=0) if len(again.values) else np.full(k, np.nan)
            for number, j in enumerate(neighbours(solution.value.words, np.array([i]), k)[0]):
                entries.append(
                    Neighbour(
                        word=words[i],
                        method=name,
                        place=number + 1,
                        neighbour=words[j],
                        cosine=float(unit[i] @ unit[j]),
                        stays=float(stays[number]),
                    )
                )
    return tuple(entries)


def warnings_of(
    problem: EmbeddingsProblem, solver: EmbeddingsSolver, found: dict[str, Solution], divided: Divided
) -> list[str]:
    """What was not reached, or could not be judged."""
    told = []
    if found["riemannian"].status is Status.ITERATION_LIMIT:
        told.append(
            f"the Riemannian descent had not arrived after {solver.riemannian_steps} steps: its values are on the way"
        )
    if not problem.divisible and problem.planted is None:
        told.append("the counts are no whole numbers: nothing was set aside, and no errors over texts are known")
    elif problem.planted is None and not solver.bootstraps:
        told.append("no texts were drawn again (bootstraps: 0): how far values and neighbours would move is not known")
    if divided.held_out is not None and problem.text is None:
        told.append(
            "pairs were set aside one by one: if the counts hold each pair in both orders, both parts share them"
        )
    return told
