"""The looks at the end of a cross approximation, in the words of its result."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from solvers.cross.sources import FunctionSource
from solvers.cross.train_source import TrainSource
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import amount
from solvers.solution import Checked

AGAIN = 500  # known values looked at entry by entry at the end
ABOVE = 1.01  # times the accuracy: two ways to the same entry differ by rounding errors


def every_entry(error: float, accuracy: float) -> Checked:
    """At a tensor taken whole."""
    how = "all values of the tensor against the train"
    return Checked("every entry", how, f"largest error {amount(error)}", error <= accuracy)


def zeros(count: int, sure: bool) -> Checked:
    """At ``count`` values, all of them zero; ``sure``: nothing else is possible."""
    result = "no other value seen: give points where it lives (starts)"
    return Checked("the function is zero", f"{count} of its values", result, sure)


def one_value(count: int) -> Checked:
    """At ``count`` values, all of them one, of a function that may have others."""
    result = "no other value seen: give points where it changes (starts)"
    return Checked("the function is constant", f"{count} of its values", result, False)


def fresh_points(count: int, error: float, share: float) -> Checked:
    """At ``count`` random points and what was searched from there, none of which missed the accuracy."""
    return Checked(
        "entries not looked at before",
        f"{count} random points, corners, searches along single modes",
        f"largest error {amount(error)}; at most {amount(share)} of all entries can be worse",
        True,
    )


def known_values(count: int, error: float, passed: bool) -> Checked:
    """At all values that are known."""
    how = f"{count} of them against the train, after rounding"
    return Checked("all known values", how, f"largest error {amount(error)}", passed)


def again(source: FunctionSource | TrainSource, train: TensorTrain, accuracy: float) -> Iterator[Checked]:
    """The train that is returned against all values known, whatever led here; some of them entry by entry."""
    allowed, known, rng = ABOVE * accuracy, source.known, np.random.default_rng(source.known.count)
    off = float(known.errors(train).max()) / source.largest
    yield known_values(known.count, off, off <= allowed)
    points = known.indices(rng.integers(0, known.count, AGAIN))
    if points.shape[1] < len(source.shape):  # many outputs: one of them
        points = np.column_stack([points, rng.integers(0, source.shape[-1], AGAIN)])
    off = float(np.abs(train.entries(points) - source.points(points)).max()) / source.largest
    how = f"{AGAIN} of them, the train contracted for each"
    yield Checked("known values", how, f"largest error {amount(off)}", off <= allowed)
