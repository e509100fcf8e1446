"""One split: the learner, the perturbations of its layers and the others, and how many held-out rows they fool."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from problems.learning.data import Data
from problems.learning.learners import split
from problems.perturbation.learners import Scaled, fitted_learner, scaled
from problems.perturbation.model import PerturbationProblem, PerturbationSolver, layers_of
from solvers.extremal.pq_norm import BEST, PQNorm
from solvers.extremal.universal import (
    deepfool_perturbation,
    fooling_rates,
    gradient_signs,
    shifted,
    singular_perturbation,
)
from solvers.learning.differentiable import Differentiable

STEP = 1e-6  # of central differences, in units of the perturbation
LOOKED = 16  # rows at which they are taken
KINK, ROUNDING = 1e-3, 1e-12  # relative bend over two steps that is a kink, and what rounding may bend


@dataclass(frozen=True)
class Method:
    """A way to a perturbation: ``name`` as told; ``kind``: layer, random, gradient or deepfool; of a layer its name and
    q."""

    name: str
    kind: str
    layer: str = ""
    q: float = 0.0


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one split, methods M in their order, layers and q L, sizes E, entries n of a perturbation.

    ``rates``, ``cut`` (M, E): shares of held-out rows fooled, as they are moved and cut to what a row may be;
    ``right``, ``trained``: the learner's share of right answers, held out and fitted; ``norms``, ``bounds``,
    ``reached``, ``exact`` (L,): as of ``PQNorm``; ``vectors`` (V, n): of layers, gradient and DeepFool (at the largest
    size), entries up to 1; ``differences`` (L,): relative, of J v from central differences of the layer.
    """

    rates: np.ndarray
    cut: np.ndarray
    right: float
    trained: float
    norms: np.ndarray
    bounds: np.ndarray
    reached: np.ndarray
    exact: np.ndarray
    vectors: np.ndarray
    differences: np.ndarray
    products: int
    seconds: float


def methods(problem: PerturbationProblem, solver: PerturbationSolver) -> list[Method]:
    """All of a run: layers from the first, each q, then the others."""
    layers = layers_of(solver) if problem.layers == "automatic" else problem.layers
    found = [Method(f"{layer}, q = {q:g}", "layer", layer, q) for layer in layers for q in problem.q]
    for name in solver.against:
        if name == "random":
            count = solver.random_signs
            found += [
                Method(f"random signs, mean of {count}", "mean"),
                Method(f"random signs, best of {count}", "best"),
            ]
        else:
            found.append(Method({"gradient": "mean gradient", "deepfool": "DeepFool"}[name], name))
    return found


@dataclass(frozen=True, eq=False)
class Fitted:
    """The learner of a split, its rows, and the batch (B, d) at which Jacobians are taken, drawn from those fitted."""

    learner: Differentiable
    scaled: Scaled
    fitted: np.ndarray
    judging: np.ndarray
    batch: np.ndarray


def fit(data: Data, held: int, patch: tuple[int, int], solver: PerturbationSolver, seed: int, number: int) -> Fitted:
    """The learner of split ``number``."""
    fitted, judging = split(data, held, seed + number)
    inputs = scaled(data, fitted)
    learner = fitted_learner(data, inputs.rows[fitted], data.targets[fitted], patch, solver, seed + number)
    drawn = np.random.default_rng([seed, number, 0]).permutation(fitted)[: solver.batch]
    return Fitted(learner, inputs, fitted, judging, drawn)


def evaluate(
    data: Data, held: int, problem: PerturbationProblem, solver: PerturbationSolver, seed: int, number: int
) -> Outcome:
    """Split ``number``: a function that worker processes run."""
    begin = time.perf_counter()
    found = fit(data, held, problem.patch, solver, seed, number)
    learner, inputs, free = found.learner, found.scaled, found.scaled.free
    seen, judged = inputs.rows[found.batch], inputs.rows[found.judging]
    rng = np.random.default_rng([seed, number, 1])
    rates, cuts, vectors = [], [], []
    norms: list[PQNorm] = []
    differences = []

    def rated(v: np.ndarray) -> tuple[float, float]:
        return fooling_rates(learner, judged, v, free=free, low=inputs.low, high=inputs.high)

    signs = rng.choice([-1.0, 1.0], (solver.random_signs, int(free.sum())))
    drawn = np.zeros((0, len(problem.eps), 2))
    for method in methods(problem, solver):
        if method.kind in ("mean", "best"):
            if not len(drawn):
                drawn = np.array([[rated(eps * v) for eps in problem.eps] for v in signs])
            pairs = drawn.mean(axis=0) if method.kind == "mean" else drawn.max(axis=0)
        elif method.kind == "deepfool":
            among = rng.permutation(found.fitted)[: solver.deepfool_rows]
            ways = [
                deepfool_perturbation(
                    learner, inputs.rows[among], eps, free=free, passes=solver.deepfool_passes, rng=rng
                )
                for eps in problem.eps
            ]
            pairs = np.array([rated(v) for v in ways])
            vectors.append(ways[-1] / problem.eps[-1])
        else:
            if method.kind == "layer":
                norms.append(
                    singular_perturbation(
                        learner, seen, method.layer, method.q, free=free, starts=solver.starts, rng=rng
                    )
                )
                v = norms[-1].vector
                differences.append(difference(learner, seen[:LOOKED], method.layer, v, free))
            else:
                v = gradient_signs(learner, seen, data.targets[found.batch], free=free)
            pairs = np.array([rated(eps * v) for eps in problem.eps])
            vectors.append(v)
        rates.append(pairs[:, 0])
        cuts.append(pairs[:, 1])
    return Outcome(
        np.array(rates),
        np.array(cuts),
        float(np.mean(learner.labels(judged) == data.targets[found.judging])),
        float(np.mean(learner.labels(inputs.rows[found.fitted]) == data.targets[found.fitted])),
        np.array([one.value for one in norms]),
        np.array([one.upper for one in norms]),
        np.array([one.reached for one in norms]),
        np.array([float(one.kind != BEST) for one in norms]),
        np.array(vectors),
        np.array(differences),
        sum(one.products for one in norms),
        time.perf_counter() - begin,
    )


def difference(learner: Differentiable, x: np.ndarray, layer: str, v: np.ndarray, free: np.ndarray) -> float:
    """||J v - (f(x + h v) - f(x - h v)) / 2h|| / ||J v|| over the rows x (B, d) that no kink lies near, where slopes to
    both sides agree; NaN where there is none."""
    whole = np.zeros((learner.size, 1))
    whole[free, 0] = v
    exact = learner.forward(x, layer, whole)[:, :, 0]
    before, at, after = (learner.outputs(shifted(x, step * STEP * v, free), layer) for step in (-1.0, 0.0, 1.0))
    change, bend = np.linalg.norm(after - before, axis=1), np.linalg.norm(after + before - 2.0 * at, axis=1)
    smooth = bend <= KINK * change + ROUNDING * np.linalg.norm(at, axis=1)
    if not smooth.any():
        return float("nan")
    off = np.linalg.norm((after - before)[smooth] / (2.0 * STEP) - exact[smooth])
    size = np.linalg.norm(exact[smooth])
    return float(off / size) if size > 0.0 else float(off)
