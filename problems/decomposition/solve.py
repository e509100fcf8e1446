"""From arrays to their formats: unfoldings, approximations within the accuracy, their errors, and conversions.

1. The arrays are read or made; whole numbers have exact ranks, random models generic ones.
2. Each array in each format: trains, trees and Tucker tensors by their singular values, cut to the accuracy; sums of
   terms by solvers.formats.cp, for each number of terms. Every error is measured at all entries.
3. Each result in each other format.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from problems.decomposition.approximate import Made, approximated, coarser, cp_start, cp_terms
from problems.decomposition.model import DecompositionProblem, DecompositionSolver
from problems.decomposition.result import Approximation, Converted, Curve, DecompositionResult, Spectrum, Unfoldings
from problems.decomposition.tensors import made_arrays, unfoldings_of
from solvers.formats.convert import Tensor, allowed_width, convert, width_of
from solvers.formats.cp.fit import Verdict
from solvers.formats.hierarchical.tree import Tree, balanced, modes_of, nodes, text
from solvers.formats.trains.construct import tt_svd
from solvers.formats.trains.factorisations import frobenius
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.solution import Callback, Checked, IterationState, Status

STATUS = {
    Verdict.MINIMUM.value: Status.RANK_LIMIT,
    Verdict.DEGENERATE.value: Status.DEGENERATE,
    Verdict.SWAMP.value: Status.ITERATION_LIMIT,
}
AGAIN = 2000  # random entries, at which a train is looked at a second time
MOST_SPECTRA = 4  # arrays whose singular values are kept for the figure


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: DecompositionProblem
    solver: DecompositionSolver
    setup_s: float


def prepare(problem: DecompositionProblem, solver: DecompositionSolver) -> Prepared:
    """Everything has been checked with the keys; random models depend on the seed and are made later."""
    return Prepared(problem, solver, 0.0)


def solve(
    prepared: Prepared,
    *,
    executor: Executor | None = None,
    seed: int = 0,
    callback: Callable[[IterationState], None] | None = None,
    checkpoint: Path | None = None,
    earlier: Path | None = None,
) -> DecompositionResult:
    """All arrays in all formats; one process. ``checkpoint``: the folder that sums of terms are continued from."""
    del executor, earlier
    problem, solver = prepared.problem, prepared.solver
    begin = time.perf_counter()
    arrays = made_arrays(problem, seed)
    work = _Work(problem, solver, seed, callback, checkpoint, len(arrays) * len(problem.formats))
    setup_s = time.perf_counter() - begin
    begin = time.perf_counter()
    for number, (name, array) in enumerate(arrays.items()):
        work.one(number, name, array)
    timing = {"compile_s": 0.0, "setup_s": setup_s, "solve_s": time.perf_counter() - begin}
    return work.result(arrays, timing)


class _Work:
    """What has been found so far."""

    def __init__(
        self,
        problem: DecompositionProblem,
        solver: DecompositionSolver,
        seed: int,
        callback: Callback | None,
        checkpoint: Path | None,
        total: int,
    ) -> None:
        self.problem, self.solver, self.seed = problem, solver, seed
        self.callback, self.checkpoint, self.total = callback, checkpoint, total
        self.begun = time.perf_counter()
        self.history: list[IterationState] = []
        self.approximations: list[Approximation] = []
        self.conversions: list[Converted] = []
        self.curves: list[Curve] = []
        self.spectra: list[Spectrum] = []
        self.unfoldings: list[Unfoldings] = []
        self.trees: list[str] = []
        self.trains: list[TensorTrain] = []
        self.checked: list[Checked] = []
        self.counts = {"unfoldings": 0, "starts": 0, "steps": 0}
        self.missed: list[Status] = []
        self.label = ""  # of the sum of terms at work

    def one(self, number: int, name: str, array: np.ndarray) -> None:
        """An array in all formats, then each result in the others."""
        given = self.problem.pairs(array.ndim, name)
        tree: Tree = balanced(array.ndim) if given is None else given
        self.trees.append(text(tree))
        self.unfoldings.append(unfoldings_of(self.problem, array, self.solver.accuracy))
        if number < MOST_SPECTRA:
            self.spectra += spectra_of(name, array, tree)
        self.counts["unfoldings"] += 2 * array.ndim - 3
        self.trains.append(tt_svd(array, self.solver.accuracy))
        values: dict[str, Tensor] = {}
        for format in self.problem.formats:
            if format == "cp":
                best = self.terms(number, name, array)
            else:
                found = approximated(name, format, array, self.solver.accuracy, tree)
                self.approximations.append(found.approximation)
                self.curves.append(coarser(found, array, self.solver.accuracy, tree))
                best = found.value
                if found.approximation.error > self.solver.accuracy * (1.0 + 1e-6):
                    self.missed.append(Status.PRECISION)
            values[format] = best
            self.tell(f"{name} {format}", width_of(best), self.approximations[-1].error)
        self.checked.append(looked_again(name, array, self.trains[-1], self.solver.accuracy))
        for source, value in values.items():
            for to in self.problem.formats:
                if to != source:
                    self.conversions.append(converted(name, source, value, to, self.solver.accuracy, tree))

    def terms(self, number: int, name: str, array: np.ndarray) -> Tensor:
        """Sums of terms, of all numbers asked; the best of those that converged, or of all."""
        wanted = cp_terms(self.solver, self.unfoldings[-1], array)
        tried: list[Made] = []
        for terms in wanted:
            self.label = f"{name} {terms} term{'s' if terms > 1 else ''}"
            file = None if self.checkpoint is None else self.checkpoint / f"terms-{number}-{terms}.npz"
            found = cp_start(name, array, terms, self.solver, self.seed, self.within, file)
            tried.append(found)
            self.approximations.append(found.approximation)
            self.counts["starts"] += len(found.approximation.starts)
            self.counts["steps"] += sum(start.steps for start in found.approximation.starts)
            if self.solver.terms == "automatic" and found.approximation.verdict == Verdict.CONVERGED.value:
                break
        good = [one for one in tried if one.approximation.verdict == Verdict.CONVERGED.value]
        best = (good or sorted(tried, key=lambda one: one.approximation.error))[0]
        if not good:
            self.missed.append(STATUS[best.approximation.verdict])
        last = [one.approximation for one in tried if one.approximation.verdict != Verdict.DEGENERATE.value]
        self.curves.append(Curve(name, "cp", tuple(one.numbers for one in last), tuple(one.error for one in last)))
        return best.value

    def within(self, state: IterationState) -> None:
        """A state of a sum of terms on its way."""
        if self.callback is not None:
            fraction = (len(self.history) + (state.fraction or 0.0)) / max(self.total, 1)
            seconds = time.perf_counter() - self.begun
            step = len(self.history) + 1
            self.callback(
                replace(
                    state, step=step, label=self.label, finished=False, seconds=seconds, fraction=min(fraction, 1.0)
                )
            )

    def tell(self, label: str, width: int, error: float) -> None:
        step = len(self.history) + 1
        seconds = time.perf_counter() - self.begun
        state = IterationState(
            step, label, width, seconds, residuals=np.array([error]), fraction=min(step / max(self.total, 1), 1.0)
        )
        self.history.append(state)
        if self.callback is not None:
            self.callback(state)

    def result(self, arrays: dict[str, np.ndarray], timing: dict[str, float]) -> DecompositionResult:
        status = self.missed[0] if self.missed else Status.CONVERGED
        if not all(look.passed for look in self.checked):
            status = Status.CONTRADICTED
        return DecompositionResult(
            states=self.trains,
            names=list(arrays),
            shapes=[array.shape for array in arrays.values()],
            norms=np.array([frobenius(array) for array in arrays.values()]),
            trees=self.trees,
            unfoldings=self.unfoldings,
            approximations=self.approximations,
            conversions=self.conversions,
            curves=self.curves,
            spectra=self.spectra,
            seed=self.seed,
            status=status,
            history=self.history,
            counts=self.counts,
            timing=timing,
            warnings=[*warnings_of(self.approximations, self.solver.accuracy), *larger(arrays, self.approximations)],
            checked=tuple(self.checked),
        )


def looked_again(name: str, array: np.ndarray, train: TensorTrain, accuracy: float) -> Checked:
    """The train at random entries, one by one, beside the array."""
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.integers(0, n, AGAIN) for n in array.shape])
    off = frobenius(train.entries(points) - array[tuple(points.T)])
    allowed = accuracy * frobenius(array) * math.sqrt(max(1.0, AGAIN / array.size)) + 1e-12 * frobenius(array)
    share = off / frobenius(array)
    how, result = f"{AGAIN} random entries, one by one", f"off by {amount(share)} of the norm"
    return Checked(f"{name} as a train", how, result, off <= 3.0 * allowed)


def converted(name: str, source: str, value: Tensor, to: str, accuracy: float, tree: Tree) -> Converted:
    """One result in another format; a refusal is kept as its reason."""
    try:
        found = convert(value, to, tol=accuracy, tree=tree if to == "ht" else None)
    except ValueError as error:
        allowed = allowed_width(source, to, value.shape, width_of(value))
        return Converted(name, source, to, allowed, 0, 0, None, str(error))
    return Converted(name, source, to, found.allowed, found.width, found.numbers, found.error, "")


def spectra_of(name: str, array: np.ndarray, tree: Tree) -> list[Spectrum]:
    """Singular values of the unfoldings of the train and of the tree, over the norm."""
    d = array.ndim
    scaled = array / frobenius(array)
    sets = {tuple(range(k)): None for k in range(1, d)}
    for node in nodes(tree):
        own = tuple(sorted(modes_of(node)))
        rest = tuple(k for k in range(d) if k not in own)
        if own and rest and own not in sets and rest not in sets:
            sets[own] = None
    found = []
    for modes in sets:
        rest = tuple(k for k in range(d) if k not in modes)
        matrix = scaled.transpose([*modes, *rest]).reshape(math.prod(array.shape[k] for k in modes), -1)
        wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        factor = np.linalg.qr(wide.T, mode="r") if wide.shape[1] > 3 * wide.shape[0] else wide
        values = np.linalg.svd(factor, compute_uv=False)
        found.append(Spectrum(name, " ".join(str(k + 1) for k in modes), values))
    return found


def larger(arrays: dict[str, np.ndarray], approximations: list[Approximation]) -> list[str]:
    """Arrays that no format stores in fewer numbers."""
    found = []
    for name, array in arrays.items():
        kept = [one.numbers for one in approximations if one.tensor == name and one.verdict in ("", "converged")]
        if kept and min(kept) >= array.size:
            text_ = f"{name}: no format asked keeps fewer numbers within the accuracy than the array has"
            found.append(f"{text_} ({min(kept)} of {array.size}): keep the array, or relax accuracy")
    return found


def warnings_of(approximations: list[Approximation], accuracy: float) -> list[str]:
    """Sums of terms that are no answer, array by array."""
    found = []
    for name in dict.fromkeys(one.tensor for one in approximations):
        sums = [one for one in approximations if one.tensor == name and one.format == "cp"]
        for one in sums:
            if one.verdict == Verdict.DEGENERATE.value:
                largest = max(start.largest_term for start in one.starts)
                found.append(
                    f"{name}: {one.ranks[0]} terms have no best sum: errors fall while terms grow against each other "
                    f"(to {amount(largest)} times the norm, error {amount(one.error)}): the border rank is below "
                    "the rank"
                )
        if sums and all(one.verdict != Verdict.CONVERGED.value for one in sums):
            best = min(sums, key=lambda one: one.error)
            text_ = f"{name}: no sum of up to {max(one.ranks[0] for one in sums)} terms meets the accuracy {accuracy:g}"
            found.append(
                f"{text_}: {amount(best.error)} with {best.ranks[0]} ({best.verdict}); more terms, or more starts"
            )
    return found
