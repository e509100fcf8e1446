"""From rows to a report: a learner, its perturbations and the others on every split, each an independent task.

1. Splits are those of the seed, as of ``supervised``; learner, batch and starts have seeds of their own from it.
2. Tasks go to the executor; a checkpoint holds the outcomes that are known, and only the others are computed.
3. A second look: Jacobians beside central differences of the layers; norms beside their bounds from above.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from problems.learning.fits import Fits
from problems.perturbation.attacks import Outcome, evaluate, methods
from problems.perturbation.model import PerturbationProblem, PerturbationSolver, layers_of
from problems.perturbation.result import PerturbationResult
from solvers.checkpoint import Checkpoint, Question
from solvers.iteration import drive
from solvers.measured import amount, numeral
from solvers.solution import Checked, IterationState, Status

FILE = "outcomes.npz"
ALLOWED = 1e-5  # relative, of central differences of a step of 1e-6
ABOVE = 1e-9  # relative, of a norm over its bound: rounding


@dataclass(frozen=True)
class Prepared:
    """A problem ready to be solved."""

    problem: PerturbationProblem
    solver: PerturbationSolver
    setup_s: float


def prepare(problem: PerturbationProblem, solver: PerturbationSolver) -> Prepared:
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
) -> PerturbationResult:
    """Fooling rates with their errors; splits are independent tasks of the ``executor``."""
    del earlier
    begin = time.perf_counter()
    problem, solver = prepared.problem, prepared.solver
    data = problem.rows
    held = problem.held(len(data.targets))
    plain = solver.model_copy(update={"workers": 1})
    texts = [repr((problem.layers, problem.q, problem.eps, problem.splits, held, problem.patch)), repr(plain)]
    question = Question([data.rows, data.targets], [*texts, repr(seed)])
    file = None if checkpoint is None else checkpoint / FILE
    fits = Fits(range(problem.splits), partial(evaluate, data, held, problem, solver, seed), Outcome, _said, executor)
    setup_s = time.perf_counter() - begin
    solution = drive(fits, callback=callback, checkpoint=Checkpoint(file, question), throw=False)
    outcomes: list[Outcome] = solution.value

    def stacked(name: str) -> np.ndarray:
        return np.stack([np.asarray(getattr(outcome, name)) for outcome in outcomes], axis=-1)

    used = methods(problem, solver)
    layers = [method for method in used if method.kind == "layer"]
    result = PerturbationResult(
        names=tuple(method.name for method in used),
        layer_names=tuple(method.layer for method in layers),
        exponents=tuple(method.q for method in layers),
        eps=problem.eps,
        rates=stacked("rates"),
        cut=stacked("cut"),
        right=stacked("right"),
        trained=stacked("trained"),
        norms=stacked("norms"),
        bounds=stacked("bounds"),
        reached=stacked("reached"),
        exact=stacked("exact"),
        differences=stacked("differences"),
        vectors=outcomes[0].vectors,
        vector_names=tuple(method.name for method in used if method.kind not in ("mean", "best")),
        image=data.image,
        fields=tuple(name for name, count in zip(data.names, data.categories) if not count),
        ratio=held / (len(data.targets) - held),
        model=str(solver.model),
        hidden=len(layers_of(solver)) - 1,
        classes=len(data.classes),
        rows=len(data.targets),
        judged=held,
        batch=min(solver.batch, len(data.targets) - held),
        seed=seed,
        status=Status.CONVERGED,
        history=list(solution.history),
        counts={
            "fits": len(outcomes),
            "jacobian_products": sum(outcome.products for outcome in outcomes),
        },
        timing=solution.timing | {"setup_s": setup_s},
    )
    return _judged(result, solver)


def _said(number: int, outcome: Outcome) -> tuple[str, int, float]:
    return f"split {number + 1}", 0, float(outcome.rates[: len(outcome.norms), -1].max())


def _judged(result: PerturbationResult, solver: PerturbationSolver) -> PerturbationResult:
    """With its status, second looks and warnings."""
    differences = result.differences[np.isfinite(result.differences)]
    off = float(differences.max(initial=0.0))
    said = f"off by up to {amount(off)}, relative" if differences.size else "no row without a kink"
    known = np.where(np.isfinite(result.bounds), result.bounds, np.inf)
    share = float(np.max(result.norms / known))
    looks = (
        Checked("Jacobians", "central differences of every layer", said, off <= ALLOWED),
        Checked("norms", "bounds from above", f"up to {numeral(share)} of the bound", share <= 1.0 + ABOVE),
    )
    status, warnings = Status.CONVERGED, []
    own = slice(0, len(result.exponents))
    largest = float(result.errors[own].max())
    if largest > solver.accuracy:
        status = Status.FEW_SPLITS
        warnings.append(
            f"mean fooling rates are known to {amount(largest)} (one standard deviation); "
            f"{solver.accuracy:g} was asked for"
        )
    if not all(look.passed for look in looks):
        status = Status.CONTRADICTED
    if " fools more" in result.verdict or "not told apart" in result.verdict:
        warnings.append(result.verdict)
    return replace(result, status=status, warnings=warnings, checked=looks)
