"""Contraction of modes with vectors, matrices and dense arrays, and of two trains over some of their modes; exact.

A mode contracted with a vector leaves a matrix, which is multiplied into a neighbouring core; a matrix on a mode leaves
a core. The same holds for an index, which is a unit vector, and for a slice (solvers.formats.trains.indexing). A long
product of matrices is carried with an exponent of two of its own, so that it does not end at the range of a double.

Two trains x (modes i, then j) and y (modes j, then k) meet in one matrix

    E[a, b] = sum_j X_j[a] Y_j[b],      (x . y)[i, k] = X_i E Y_k,

at the cost of an inner product for each left rank. Where all modes of y are contracted, they may lie anywhere in x: the
ranks between the first and the last of them are multiplied.
Index letters: a, b, c ranks; n mode size; i, j, k multi-indices.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from solvers.formats.trains.cores import moderate, spread
from solvers.formats.trains.factorisations import as_double, check_finite, freeze


def folded(pieces: Sequence[np.ndarray]) -> tuple[np.ndarray, ...] | complex:
    """Cores and matrices in a row, the matrices multiplied into the cores; a number where there is no core.

    Raises ValueError where that number is beyond double precision.
    """
    cores: list[np.ndarray] = []
    carried: np.ndarray | None = None  # a matrix, None for the identity
    exponent = 0
    for piece in pieces:
        piece, own = moderate(piece)
        piece = piece if carried is None else np.tensordot(carried, piece, axes=(1, 0))
        if piece.ndim > 2:
            cores.append(piece)
            carried = None
        else:
            carried, more = moderate(piece)
            own += more
        exponent += own
    if not cores:
        assert carried is not None
        return scalar(carried[0, 0], exponent, "the result")
    if carried is not None:
        cores[-1] = np.tensordot(cores[-1], carried, axes=(-1, 0))
    return spread(cores, exponent, 0) if exponent else tuple(freeze(core) for core in cores)


def scalar(value: complex, exponent: int, what: str) -> complex:
    """value 2^exponent as a number of Python; ValueError where it is too large for one."""
    parts = [float(np.real(value)), *([float(np.imag(value))] if np.iscomplexobj(value) else [])]
    try:
        scaled = [math.ldexp(part, exponent) for part in parts]
    except OverflowError:
        scaled = [math.inf]
    if not all(map(math.isfinite, scaled)):
        raise ValueError(beyond(what, max(map(abs, parts)), exponent))
    return complex(*scaled) if len(scaled) == 2 else scaled[0]


def beyond(what: str, value: float, exponent: int) -> str:
    """The message where value 2^exponent is no double (value is not zero)."""
    digits = math.log10(value) + exponent * math.log10(2.0) if math.isfinite(value) else math.inf
    size = f"about 1e{round(digits)}" if math.isfinite(digits) else "infinite"
    way = "overflow" if digits > 0.0 else "underflow"
    return f"{what} is {size}, an {way} of double precision: use log_norm, log_dot or normalised"


def mode_pieces(cores: Sequence[np.ndarray], matrices: Mapping[int, np.ndarray]) -> list[np.ndarray]:
    """The cores, those of the modes in ``matrices`` contracted: with a vector (n,), or a matrix (m, n).

    Raises ValueError for other shapes, NaN and infinity, IndexError for a mode that is not there or there twice.
    """
    d = len(cores)
    pieces = list(cores)
    seen = modes(list(matrices), d)
    for k, given in zip(seen, matrices.values()):
        array = as_double(given, f"mode {k}")
        n = cores[k].shape[1]
        if array.ndim not in (1, 2) or array.shape[-1] != n or array.size == 0:
            raise ValueError(f"mode {k} has {n} indices: give a vector ({n},) or a matrix (m, {n}), not {array.shape}")
        check_finite(array, f"what mode {k} is multiplied with")
        product = np.tensordot(cores[k], array, axes=(1, array.ndim - 1))  # a b, or a b m
        pieces[k] = product if array.ndim == 1 else product.transpose(0, 2, 1)
    return pieces


def modes(given: int | Sequence[int], d: int) -> list[int]:
    """Modes from 0, negative ones counted from the end; IndexError for one that is not there or is given twice."""
    listed = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(k, int | np.integer) and not isinstance(k, bool) for k in listed):
        raise IndexError(f"modes are whole numbers, not {given!r}")
    if any(not -d <= k < d for k in listed) or len({k % d for k in listed}) != len(listed):
        raise IndexError(f"modes {listed} are not different ones of the {d} modes")
    return [int(k) % d for k in listed]


def inner_pieces(x: Sequence[np.ndarray], y: Sequence[np.ndarray], places: Sequence[int]) -> list[np.ndarray]:
    """Pieces of x contracted over the modes ``places`` (ascending) with all modes of y: ranks multiply in between."""
    pieces: list[np.ndarray] = []
    at, rank = 0, 1  # how many modes of y are done, the rank of y there
    for k, core in enumerate(x):
        if at < len(places) and k == places[at]:
            other = y[at]
            product = np.tensordot(core, other, axes=(1, 1)).transpose(0, 2, 1, 3)  # a c b e
            pieces.append(product.reshape(core.shape[0] * other.shape[0], core.shape[2] * other.shape[2]))
            at, rank = at + 1, other.shape[2]
        elif rank == 1:
            pieces.append(core)
        else:
            wide = np.einsum("anb,ce->acnbe", core, np.eye(rank))
            pieces.append(wide.reshape(core.shape[0] * rank, core.shape[1], core.shape[2] * rank))
    return pieces


def meeting(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> np.ndarray:
    """E (a, b): cores of x that end in rank 1, contracted mode by mode with cores of y that begin with rank 1."""
    joint = np.eye(x[0].shape[0])[:, :, None]  # left rank of x, rank of x, rank of y
    for p, q in zip(x, y, strict=True):
        half = np.tensordot(joint, p, axes=(1, 0))  # l c n b
        joint = np.tensordot(half, q, axes=((1, 2), (0, 1)))
    return joint[:, 0, :]


def inner(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> tuple[complex, int]:
    """f and e: the inner product of two trains of one shape, the first conjugated, is f 2^e.  Cost 4 d n r^3."""
    environment, exponent = np.ones((1, 1)), 0
    for p, q in zip(x, y, strict=True):
        p, first = moderate(p)
        q, second = moderate(q)
        product, third = moderate((environment @ q.reshape(q.shape[0], -1)).reshape(-1, q.shape[2]))
        environment, fourth = moderate(p.reshape(-1, p.shape[2]).conj().T @ product)
        exponent += first + second + third + fourth
    return environment[0, 0].item(), exponent


def sandwiched(x: Sequence[np.ndarray], a: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> tuple[complex, int]:
    """f and e: the inner product of x, conjugated, with the operator of cores ``a`` applied to y is f 2^e."""
    environment, exponent = np.ones((1, 1, 1)), 0  # ranks of x, of the operator, of y
    for p, w, q in zip(x, a, y, strict=True):
        p, first = moderate(p)
        w, second = moderate(w)
        q, third = moderate(q)
        half, fourth = moderate(np.tensordot(environment, q, axes=(2, 0)))  # a R j c
        half, fifth = moderate(np.tensordot(half, w, axes=((1, 2), (0, 2))))  # a c i S
        joint, sixth = moderate(np.tensordot(p.conj(), half, axes=((0, 1), (0, 2))))  # b c S
        environment = joint.transpose(0, 2, 1)
        exponent += first + second + third + fourth + fifth + sixth
    return environment[0, 0, 0].item(), exponent


def applied(cores: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
    """The product of the operator with a dense array (..., m1, ..., md) or a flat vector -> (..., n1, ..., nd) or flat.

    Mode by mode: the array is (done rows, rank, columns to come). Raises ValueError for another shape.
    """
    x = as_double(x, "the array")
    d, columns, rows = len(cores), tuple(c.shape[2] for c in cores), tuple(c.shape[1] for c in cores)
    flat = x.shape == (math.prod(columns),)
    if not flat and x.shape[max(x.ndim - d, 0) :] != columns:
        wanted = ", ".join(map(str, columns))
        raise ValueError(f"an array {x.shape} does not fit the columns: give (..., {wanted})")
    size = math.prod(columns)
    product = x.reshape(x.size // size, 1, size)
    for core in cores:
        a, n, m, b = core.shape
        done, _, rest = product.shape
        wide = product.reshape(done, a * m, rest // m)
        step = np.matmul(core.transpose(1, 3, 0, 2).reshape(n * b, a * m), wide)
        product = step.reshape(done * n, b, rest // m)
    return product.reshape(-1) if flat and x.ndim == 1 and d > 1 else product.reshape(*x.shape[: x.ndim - d], *rows)
