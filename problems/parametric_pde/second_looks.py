"""Second looks at the statistics of a parametric PDE, by routes that do not go through the train.

1. exact solves at parameters drawn from their distribution, on no grid, against the surrogate,
2. the means from the same solves: surrogate's mean + mean of what it misses, without bias whatever the surrogate,
3. where there are few parameters, the moments by a Gauss rule of other points and a solve at each of them,
4. the energy u . A(y) u of the train's solutions against the work of the load, u . f(y), exact coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from problems.parametric_pde.analysis import Analysis, Exact, size
from problems.parametric_pde.gauss import rule
from problems.parametric_pde.system import Discrete
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.solution import Checked

MORE_POINTS = 2  # of the other rule, a parameter
MOST_SOLVES, MOST_UNKNOWNS = 400, 200_000  # of the other rule, and the unknowns of all its solves
UNDERSTATED = 3.0  # so many times its estimate an error may be found to be
SURPRISE = 10.0  # so many times what grid and degrees explain a new point may be off, root mean square
DEVIATIONS = 4.0  # of a mean of samples
ENERGIES = 10  # points of the energy identity
WORST = 30.0  # times the accuracy: what als_cross allows a single point
ROUNDING = 1e-10


def second_looks(
    discrete: Discrete,
    train: TensorTrain,
    found: Analysis,
    held_out: Exact,
    checks: Exact,
    accuracy: float,
    rng: np.random.Generator,
) -> list[Checked]:
    """All looks that this problem is small enough for; ``train``: (free nodes, n_1, ..., n_d)."""
    looks = [new_parameters(found, held_out, checks, accuracy), unbiased_means(found, held_out, accuracy)]
    other = other_rule(discrete, found, train.shape[1:], accuracy)
    looks += [] if other is None else [other]
    return [*looks, energies(discrete, train, accuracy, rng)]


def new_parameters(found: Analysis, held_out: Exact, checks: Exact, accuracy: float) -> Checked:
    """The surrogates at parameters on no grid: no worse than the grid's errors and the missing degrees explain."""
    worst = largest = 0.0
    for i, (surrogate, m) in enumerate(zip(found.surrogates, found.moments)):
        if not (root := size(m)) > 0.0:
            continue
        off = np.sqrt(np.mean((held_out.quantities[:, i] - surrogate(held_out.y)) ** 2))
        grid = np.sqrt(np.mean((checks.quantities[:, i] - surrogate(checks.y)) ** 2))
        explained = SURPRISE * (grid + root * float(np.linalg.norm(found.tails[i]))) + accuracy * root
        worst, largest = max(worst, off / explained), max(largest, off / root)
    return Checked(
        "surrogates of the quantities",
        f"exact solves at {len(held_out.y)} parameters on no grid",
        f"root mean square error {amount(largest)} of the quantity",
        worst <= 1.0,
    )


def unbiased_means(found: Analysis, held_out: Exact, accuracy: float) -> Checked:
    """The mean of what a surrogate misses, over samples, is the error of its mean, known to a standard error."""
    worst, largest = 0.0, 0.0
    for i, (surrogate, m) in enumerate(zip(found.surrogates, found.moments)):
        missed = held_out.quantities[:, i] - surrogate(held_out.y)
        spread = DEVIATIONS * missed.std(ddof=1) / math.sqrt(len(missed))
        allowed = max(UNDERSTATED * found.mean_errors[i], accuracy * abs(m.mean)) + ROUNDING * size(m)
        off = max(abs(float(missed.mean())) - spread, 0.0)
        if allowed > 0.0:
            worst = max(worst, off / allowed)
            largest = max(largest, abs(float(missed.mean())) / (abs(m.mean) or size(m)))
    return Checked(
        "means",
        f"sampling: what the surrogates miss at {len(held_out.y)} drawn parameters",
        f"means differ by {amount(largest)} (relative)",
        worst <= 1.0,
    )


def other_rule(discrete: Discrete, found: Analysis, points: Sequence[int], accuracy: float) -> Checked | None:
    """Means and variances by a Gauss rule with other points, a solve at every one; None where that is too many."""
    counts = [n + MORE_POINTS for n in points]
    solves = math.prod(counts)
    if solves > MOST_SOLVES or solves * len(discrete.elements.free) > MOST_UNKNOWNS:
        return None
    rules = [rule(discrete.problem.coefficient.distribution, n) for n in counts]
    y = np.stack(np.meshgrid(*[r[0] for r in rules], indexing="ij"), axis=-1).reshape(solves, -1)
    weights = np.ones(1)
    for _, w in rules:
        weights = np.multiply.outer(weights, w).ravel()
    values = discrete.quantities(y, discrete.solve(y))
    worst = [0.0, 0.0]
    largest = 0.0
    for i, m in enumerate(found.moments):
        mean = float(weights @ values[:, i])
        variance = float(weights @ (values[:, i] - mean) ** 2)
        root = size(m)
        allowed = max(UNDERSTATED * found.mean_errors[i], accuracy * abs(m.mean)) + ROUNDING * root
        allowed_variance = max(UNDERSTATED * found.variance_errors[i], accuracy * m.variance) + ROUNDING * (
            root**2 + m.mean**2
        )
        for k, (off, limit) in enumerate(((mean - m.mean, allowed), (variance - m.variance, allowed_variance))):
            worst[k] = max(worst[k], abs(off) / limit if limit > 0.0 else float(off != 0.0))
        largest = max(largest, abs(mean - m.mean) / (abs(m.mean) or root or 1.0))
    return Checked(
        "means and variances",
        f"a Gauss rule of other points, {solves} solves",
        f"means differ by {amount(largest)} (relative)",
        max(worst) <= 1.0,
    )


def energies(discrete: Discrete, train: TensorTrain, accuracy: float, rng: np.random.Generator) -> Checked:
    """The energy of the train's solutions at random grid points and the work of the load."""
    elements, problem = discrete.elements, discrete.problem
    grids = [rule(problem.coefficient.distribution, n) for n in train.shape[1:]]
    chosen = np.column_stack([rng.choice(len(w), size=ENERGIES, p=w / w.sum()) for _, w in grids])
    y = np.column_stack([g[0][i] for g, i in zip(grids, chosen.T)])
    load = elements.load * elements.unit_load[elements.free]
    off = []
    for index, a in zip(chosen, problem.coefficient.values(problem.midpoints, y)):
        v = np.ones(1)
        for core, i in zip(train.cores[:0:-1], index[::-1]):
            v = core[:, i] @ v
        u = train.cores[0][0] @ v
        energy = float(u @ (elements.matrix(a) @ u))
        work = float(u @ (load + elements.lift(a) if elements.lifted else load))
        off.append(abs(energy - work) / (max(energy, abs(work)) or 1.0))
    error = float(np.sqrt(np.mean(np.square(off))))
    return Checked(
        "the whole solution",
        f"energy against the work of the load at {ENERGIES} random grid points",
        f"differ by {amount(error)} (relative)",
        error <= WORST * accuracy,
    )
