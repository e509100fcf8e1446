"""Second looks at a solution of ``elliptic``: the weak form on other nodes, its train at points, a mean."""

from __future__ import annotations

import math

import numpy as np

from solvers.elliptic.bases import along_all, outer
from solvers.elliptic.elements import at_indices, embedding
from solvers.elliptic.galerkin import sampled
from solvers.elliptic.leaves import GROUND, OFFSET, Axis, axis_of
from solvers.elliptic.mapped import Reference, flat, fluxes, products
from solvers.elliptic.passes import Passes, Problem
from solvers.formats.quantics.bits import to_bits
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount, numeral
from solvers.solution import Checked

LOOKS = 200
MORE = 4  # degrees, for other nodes of the weak form
ROUNDING = 1e-12  # what the second looks may differ by in any case
DEGREE = 14  # for the mean of a load
INCOMPATIBLE = 1e-10  # of the load: its mean between mirrors


def check_mean(problem: Problem) -> None:
    """Raise ValueError where u is free everywhere and the load has a mean."""
    axes = [axis_of(levels, ends, [(0, levels)], DEGREE) for levels, ends in zip(problem.levels, problem.ends)]
    mean = float(np.sum(problem.moments(axes) * outer([flat(axis) for axis in axes])))
    if problem.reference is not None:
        cells = problem.reference.on_cells(axes)
        size = float(np.sum(cells.weights * np.abs(cells.load)))
    elif isinstance(problem.load, TensorTrain):
        size = problem.load.norm() * math.sqrt(math.prod(step for step in (axis.step for axis in axes)))
    else:
        size = float(np.abs(sampled(problem.load, [axis.node_x for axis in axes], "the load")).max())
    if abs(mean) > INCOMPATIBLE * size:
        raise ValueError(
            f"there is no flux through any end and no reaction: the load must have mean zero, not {numeral(mean)}"
        )


def weak_form(problem: Problem, passes: Passes, accuracy: float) -> Checked:
    """sum a D phi D u + c phi u against f phi for a product phi of sines, on nodes of a higher degree."""
    if passes.product is not None:
        waves = [_wave(axis) for axis in passes.axes]
        f = passes.product.load
        right = f * float(np.prod([axis.node_weights @ wave[0] for axis, wave in zip(passes.axes, waves)]))
        total = passes.product.side(passes.axes, passes.coefficients, waves)
        return _equation(total, right, abs(f), accuracy, passes.change)
    axes = [axis_of(axis.levels, axis.ends, axis.leaves, axis.degree + MORE) for axis in passes.axes]
    fine = along_all([embedding(old, new) for old, new in zip(passes.axes, axes)], passes.coefficients)
    waves = [_wave(axis) for axis in axes]
    if problem.reference is not None:
        total, right, size = _on_cells(problem.reference, axes, fine)
        return _equation(total, right, size, accuracy, passes.change)
    total = 0.0
    nodes = [axis.node_x for axis in axes]
    for k, a in enumerate(problem.diffusion):
        values = along_all([axis.slopes if j == k else axis.values for j, axis in enumerate(axes)], fine)
        weights = outer([axis.edge_weights if j == k else axis.node_weights for j, axis in enumerate(axes)])
        phi = outer([waves[j][1] if j == k else waves[j][0] for j in range(problem.d)])
        at = [axis.edge_x if j == k else axis.node_x for j, axis in enumerate(axes)]
        total += float(np.sum(weights * values * phi * sampled(a, at, "the coefficient")))
    weights = outer([axis.node_weights for axis in axes])
    phi = outer([wave[0] for wave in waves])
    values = along_all([axis.values for axis in axes], fine)
    total += float(np.sum(weights * values * phi * sampled(problem.reaction, nodes, "the reaction")))
    if isinstance(problem.load, TensorTrain):
        # phi as an element of the space: its error is of the order of the last pass's
        inside = [np.linalg.lstsq(axis.values, wave[0], rcond=None)[0] for axis, wave in zip(axes, waves)]
        right = float(np.sum(problem.moments(axes) * outer(inside)))
        size = abs(right) + 1e-3 * abs(total)
    else:
        load = sampled(problem.load, nodes, "the load")
        right = float(np.sum(weights * phi * load))
        size = math.sqrt(float(np.sum(weights * phi**2)) * float(np.sum(weights * np.asarray(load) ** 2)))
    return _equation(total, right, size, accuracy, passes.change)


def _on_cells(reference: Reference, axes: list[Axis], fine: np.ndarray) -> tuple[float, float, float]:
    """Both sides for cells of a domain, and the size of the right one."""
    cells = reference.on_cells(axes)
    averages, slopes, steps = [a.averages for a in axes], [a.slopes for a in axes], [a.step for a in axes]
    means, rises = zip(*(_wave_on_cells(axis) for axis in axes))
    tests = np.multiply.outer(*means), np.multiply.outer(rises[0], means[1]), np.multiply.outer(means[0], rises[1])
    twist = np.multiply.outer(*rises)
    found = fluxes(cells, steps, products(averages, slopes, fine))
    total = sum(float(np.sum(flux * test)) for flux, test in zip(found, (*tests, twist)))
    volume = cells.weights * cells.volume
    right = float(np.sum(cells.weights * cells.load * tests[0]))
    size = math.sqrt(float(np.sum(volume * tests[0] ** 2)) * float(np.sum(volume * (cells.load / cells.volume) ** 2)))
    return total, right, size


def _equation(total: float, right: float, size: float, accuracy: float, change: float) -> Checked:
    apart = abs(total - right) / size if size > 0.0 else abs(total)
    allowed = 10.0 * max(accuracy, change) + 1e4 * ROUNDING
    how = "the weak form with a sine, by sums over other nodes"
    return Checked("equation", how, f"both sides differ by {amount(apart)}", apart <= allowed)


def at_points(u: TensorTrain, passes: Passes, accuracy: float, rng: np.random.Generator) -> Checked:
    """The train against the polynomials that it was made of."""
    levels = passes.problem.levels
    index = np.column_stack([rng.integers(0, 2**n, LOOKS) for n in levels])
    known = at_indices(passes.axes, passes.coefficients, list(index.T))
    values = u.entries(to_bits(index, levels))
    size = float(np.abs(known).max())
    apart = float(np.abs(values - known).max()) / size if size > 0.0 else float(np.abs(values).max())
    how = f"{LOOKS} random points, from the train and from the polynomials"
    return Checked(
        "u",
        how,
        f"they differ by {amount(apart)}",
        apart <= 100.0 * max(accuracy, passes.change, ROUNDING),
    )


def _wave(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """A sine that vanishes or is even where u does or is: at the nodes, and its slopes at the edges."""
    left, right = (bool(GROUND[end]) for end in axis.ends)
    omega = math.pi if left == right else 0.5 * math.pi
    value, slope = (np.sin, np.cos) if left else (np.cos, lambda x: -np.sin(x))
    half = 0.5 * axis.step
    at_edges = slope(omega * axis.edge_x) * (math.sin(omega * half) / half)
    ground = [
        (inwards * value(omega * abs(at - OFFSET[end] * axis.step)) / axis.step)
        for end, at, inwards in ((axis.ends[0], 0.0, 1.0), (axis.ends[1], 1.0, -1.0))
        if GROUND[end]
    ]
    if ground:
        at_edges[-len(ground) :] = ground
    return value(omega * axis.node_x), at_edges


def _wave_on_cells(axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """Means and slopes on the edges of a sine that vanishes where u does, on an axis of a domain."""
    half = 0.5 * axis.step
    left, right = (bool(GROUND[end]) for end in axis.ends)
    omega = math.pi if left == right else 0.5 * math.pi
    if axis.ends[0] == "periodic":
        omega = 2.0 * math.pi
    value, slope = (np.sin, np.cos) if left else (np.cos, lambda x: -np.sin(x))
    mean = value(omega * axis.edge_x) * math.cos(omega * half)
    return mean, slope(omega * axis.edge_x) * (math.sin(omega * half) / half)
