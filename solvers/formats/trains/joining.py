"""Trains joined along a mode, padded, and contracted with each other.

Joined along mode k, the parts are trains on the long mode that are zero outside their own stretch, and these are added:
ranks add up. Padding with zeros leaves the ranks; another value v is the padding of x - v, plus v: two ranks more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.chain import check_kind
from solvers.formats.trains.contraction import folded, inner_pieces, meeting, modes
from solvers.formats.trains.cores import added_cores, as_scalar
from solvers.formats.trains.tensor_train import TensorTrain, train_or_number

Widths = int | tuple[int, int] | Sequence[tuple[int, int]]


def concatenate(trains: Sequence[TensorTrain], axis: int = 0) -> TensorTrain:
    """The trains one after the other along the mode ``axis``, as ``numpy.concatenate``; ranks add up.

    Raises ValueError for no trains or shapes that differ on another mode, IndexError for a mode that is not there.
    """
    parts = list(trains)
    if not parts or not all(isinstance(x, TensorTrain) for x in parts):
        raise ValueError("concatenate needs a list of trains, at least one")
    shape = parts[0].shape
    (k,) = modes(axis, len(shape))
    for x in parts[1:]:
        if len(x.shape) != len(shape) or any(n != m for j, (n, m) in enumerate(zip(x.shape, shape)) if j != k):
            raise ValueError(f"shapes {shape} and {x.shape} differ on another mode than {k}")
    total = sum(x.shape[k] for x in parts)
    joined: tuple[np.ndarray, ...] | None = None
    at = 0
    for x in parts:
        n = x.shape[k]
        own = [*x.cores[:k], _padded(x.cores[k], at, total - at - n), *x.cores[k + 1 :]]
        joined = tuple(own) if joined is None else added_cores(joined, own)
        at += n
    assert joined is not None
    return TensorTrain(joined)


def pad(x: TensorTrain, widths: Widths, value: complex = 0.0) -> TensorTrain:
    """``x`` with ``value`` around it, as ``numpy.pad`` with ``constant_values``.

    ``widths``: indices added before and after, one number, one pair for all modes, or a pair a mode. Raises ValueError
    for other widths, negative ones, NaN or infinity.
    """
    check_kind("pad", TensorTrain, x)
    pairs = _pairs(widths, x.d)
    number = as_scalar(value)
    if number is None:
        raise ValueError(f"value must be a number, not {value!r}")
    if number != 0.0:
        return pad(x - number, pairs) + number
    cores = tuple(_padded(core, *pair) for core, pair in zip(x.cores, pairs))
    keeps = x.centre is not None  # zeros change no orthogonality
    return TensorTrain(cores, x.centre if keeps else None)


def tensordot(
    x: TensorTrain, y: TensorTrain, axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2, tol: float = 1e-14
) -> TensorTrain | complex:
    """``x`` and ``y`` contracted over modes, as ``numpy.tensordot``: modes of x that are left, then those of y.

    ``axes``: how many last modes of x meet the first ones of y, or a pair (modes of x, modes of y), in order. Nothing
    is conjugated. A number where no mode is left. Where all modes of one train are contracted the result is exact, and
    ranks multiply between the modes contracted; else these are brought together first by exchanges (``transpose``, with
    ``tol``), and the ranks are those of the trains. Cost 2 d n r^4 at most. Raises ValueError where sizes differ,
    IndexError for modes that are not there.
    """
    check_kind("tensordot", TensorTrain, x, y)
    if isinstance(axes, int | np.integer):
        pair: tuple[Sequence[int], Sequence[int]] = (range(x.d - int(axes), x.d), range(int(axes)))
    else:
        pair = (modes(axes[0], x.d), modes(axes[1], y.d))
    p, q = modes(list(pair[0]), x.d), modes(list(pair[1]), y.d)
    if [x.shape[k] for k in p] != [y.shape[k] for k in q]:
        raise ValueError(f"modes {p} of shape {x.shape} and modes {q} of shape {y.shape} do not fit together")
    order = np.argsort(p).tolist()
    p, q = [p[k] for k in order], [q[k] for k in order]
    if len(q) == y.d:
        return train_or_number(folded(inner_pieces(x.cores, y.transpose(q, tol=tol).cores, p)))
    if len(p) == x.d:
        back = np.argsort(q).tolist()
        other = x.transpose([p[k] for k in back], tol=tol)
        return train_or_number(folded(inner_pieces(y.cores, other.cores, [q[k] for k in back])))
    left, right = [k for k in range(x.d) if k not in p], [k for k in range(y.d) if k not in q]
    first, second = x.transpose([*left, *p], tol=tol).cores, y.transpose([*q, *right], tol=tol).cores
    if not p:
        return TensorTrain((*first, *second))
    joint = meeting(first[len(left) :], second[: len(p)])
    return train_or_number(folded([*first[: len(left)], joint, *second[len(p) :]]))


def _padded(core: np.ndarray, before: int, after: int) -> np.ndarray:
    a, n, b = core.shape
    wide = np.zeros((a, before + n + after, b), dtype=core.dtype)
    wide[:, before : before + n] = core
    return wide


def _pairs(widths: Widths, d: int) -> list[tuple[int, int]]:
    array = np.asarray(widths)
    if array.dtype.kind not in "iu" or array.shape not in ((), (1,), (2,), (1, 2), (d, 2)) or (array < 0).any():
        raise ValueError(f"widths are a number, a pair, or {d} pairs of whole numbers from 0, not {widths!r}")
    return [(int(before), int(after)) for before, after in np.broadcast_to(array, (d, 2))]
