"""Cores of other packages as plain arrays, and back: the order of their axes, and whether the ends have a rank.

    layout                          train core      operator core            ends
    ttsuite, ttpy, torchtt, teneva  (l, i, r)       (l, row, column, r)      rank 1
    scikit_tt                       (l, i, 1, r)    (l, row, column, r)      rank 1
    tenpy                           (l, i, r)       (l, r, row, column)      rank 1
    quimb                           (l, r, i)       (l, r, row, column)      none
    itensor                         (l, i, r)       (l, row, column, r)      none

TeNPy's legs are vL, p, vR and wL, wR, p, p*. quimb's default orders are "lrp" and "lrud", u (upper) the row, d the
column. ITensor writes no order: here (link, site, link) and (link, site', site, link), site' the row. The order of
entries in memory does not matter: Fortran arrays of ttpy and Julia need nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from solvers.formats.trains.chain import Chain, check_kind
from solvers.formats.trains.factorisations import as_double
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain


@dataclass(frozen=True)
class Layout:
    """``train``, ``operator``: for each axis of an inner core of theirs, which axis of ours it is.

    ``ends``: whether the outer ranks are axes; ``column``: whether a train is written as an operator with one column.
    """

    train: tuple[int, ...]
    operator: tuple[int, ...]
    ends: bool = True
    column: bool = False


PLAIN = Layout((0, 1, 2), (0, 1, 2, 3))
LAYOUTS = {
    "ttsuite": PLAIN,
    "ttpy": PLAIN,
    "torchtt": PLAIN,
    "teneva": PLAIN,
    "scikit_tt": Layout((0, 1, 2), (0, 1, 2, 3), column=True),
    "tenpy": Layout((0, 1, 2), (0, 3, 1, 2)),
    "quimb": Layout((0, 2, 1), (0, 3, 1, 2), ends=False),
    "itensor": Layout((0, 1, 2), (0, 1, 2, 3), ends=False),
}


def from_cores(
    cores: Sequence[np.ndarray], layout: str = "ttsuite", kind: str | None = None
) -> TensorTrain | TTOperator:
    """The train, or the operator, of a plain list of cores as another package has them.

    ``layout``: ttsuite, ttpy, torchtt, teneva, scikit_tt, tenpy, quimb or itensor (the module's table). ``kind``:
    "train" or "operator", else as the axes tell; only scikit_tt's cores with one column can be both (then a train).
    float32 becomes float64. Raises ValueError for another layout or cores of another number of axes.
    """
    found = _layout(layout)
    arrays = [as_double(core, f"core {k}") for k, core in enumerate(cores)]
    if not arrays:
        raise ValueError("a train needs at least one core")
    if kind not in (None, "train", "operator"):
        raise ValueError(f"kind must be 'train' or 'operator', not {kind!r}")
    d = len(arrays)
    missing = [0 if found.ends else (k == 0) + (k == d - 1) for k in range(d)]
    axes = {array.ndim + lacks for array, lacks in zip(arrays, missing)}
    modes = axes.pop() - 2 if len(axes) == 1 else 0
    if modes not in (1, 2) or (found.column and modes == 1):
        shapes = [array.shape for array in arrays]
        raise ValueError(f"cores of shapes {shapes} are neither a train nor an operator in the layout {layout}")
    single = found.column and all(array.shape[2] == 1 for array in arrays)
    as_train = modes == 1 or (single and kind != "operator")
    if kind is not None and kind != ("train" if as_train else "operator"):
        raise ValueError(f"cores of {modes} modes each are no {kind} in the layout {layout}")
    order = found.train if modes == 1 else found.operator
    new = []
    for k, array in enumerate(arrays):
        new.append(_ours(array, order, found.ends or k > 0, found.ends or k < d - 1))
    if as_train:
        return TensorTrain(tuple(core[:, :, 0] if core.ndim == 4 else core for core in new))
    return TTOperator(tuple(new))


@overload
def to_cores(x: TensorTrain, layout: str = "ttsuite") -> list[np.ndarray]: ...


@overload
def to_cores(x: TTOperator, layout: str = "ttsuite") -> list[np.ndarray]: ...


def to_cores(x: TensorTrain | TTOperator, layout: str = "ttsuite") -> list[np.ndarray]:
    """The cores of a train or an operator as writable arrays in the ``layout`` of another package; see ``from_cores``.

    What comes back by ``from_cores(to_cores(x, layout), layout)`` is x. Raises ValueError for another layout.
    """
    found = _layout(layout)
    check_kind("to_cores", Chain, x)
    cores = list(x.cores)
    if isinstance(x, TensorTrain) and found.column:
        cores = [core[:, :, None] for core in cores]
    order = found.operator if cores[0].ndim == 4 else found.train
    new = []
    for k, core in enumerate(cores):
        array = core.transpose(order)
        if not found.ends:
            outer = [axis for axis, ours in enumerate(order) if _outer(ours, core.ndim, k, len(cores))]
            array = array.squeeze(tuple(outer))
        new.append(np.array(array, order="C"))
    return new


def _layout(name: str) -> Layout:
    if name not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {name!r}")
    return LAYOUTS[name]


def _outer(ours: int, axes: int, k: int, d: int) -> bool:
    return (ours == 0 and k == 0) or (ours == axes - 1 and k == d - 1)


def _ours(array: np.ndarray, order: Sequence[int], left: bool, right: bool) -> np.ndarray:
    """A core of theirs as one of ours: missing outer ranks put in, axes in our order."""
    for axis, ours in enumerate(order):
        if (ours == 0 and not left) or (ours == len(order) - 1 and not right):
            array = np.expand_dims(array, axis)
    return array.transpose(np.argsort(order))
