"""Where to look for eigenvalues that a list lacks, and what was seen there.

The list claims that nothing is wanted more than its last eigenvalue: of largest real part, that nothing lies to the
right of it; nearest to a number, that nothing lies in a disc. What could contradict this lives in the complement of the
pairs found, L^H x = 0, in which an inverse iteration with the fixed shift s converges to the eigenvalues nearest to s,
whatever they are, from trains that the list was not made from: products of mode functions as well as random ones.

1. The places s: the target; or beside the right end of the list on the real axis, and off it as far as imaginary parts
   were seen (in the list, beside it, and in the span of a few powers of A).
2. At each place all eigenvalues within the distance of the farthest that converged are known: a disc. Places follow one
   another until the discs cover the region between the list's last and its right end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solvers.eigen.general.order import Order
from solvers.eigen.spans import Known, between
from solvers.formats.trains.construct import random_train, rank_one, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

WANTED = 2  # eigenvalues that a search has to converge
COARSE = 0.03  # residual of these, over their distance from the place
PLACES = 6  # at most
BESIDE = 0.3  # of the width of the list: the distance of a place from its end
OFF = 1e-3  # of the radius: the place beside a target
POWERS = 8  # of A, that imaginary parts are seen in
POWER_RANK = 20
AHEAD = 0.1  # of the distance to the place: who lies this much behind the last one has no claim
REAL = 1e-9  # of the largest modulus: imaginary parts below are none


class Region:
    """What the list of eigenvalues ``w``, in its order, claims to be empty; ``beyond``: those seen beside them."""

    def __init__(self, order: Order, w: np.ndarray, beyond: np.ndarray, bounded: bool) -> None:
        self.order, self.w = order, w
        self.sign = 1.0 if order.which == "LR" else -1.0
        self.disc = order.target is not None or order.which == "SM"
        self.centre = 0.0 if order.target is None else order.target
        scale = float(np.abs(np.concatenate([w, beyond])).max(initial=0.0)) or 1.0
        self.last = float(order.keys(w).max())
        ends = order.keys(np.concatenate([w, beyond]))
        width = float(np.ptp(ends)) if not self.disc else float(ends.max())
        self.width = max(width, 1e-6 * scale)
        self.edge = 0.0 if bounded else float(np.max(self.sign * w.real))
        self.real = REAL * scale
        self.height = 0.0

    @property
    def depth(self) -> float:
        """From a place to the list's last eigenvalue."""
        return max(self.last if self.disc else self.edge + self.last, 0.0) + 0.3 * self.width

    def raise_to(self, seen: np.ndarray) -> None:
        """Imaginary parts were seen: of those that the region may contain or that lie beside it."""
        keys = self.order.keys(seen)
        near = np.abs(seen.imag[keys <= self.last + BESIDE * self.width])
        high = float(near.max(initial=0.0))
        self.height = max(self.height, high if high > self.real else 0.0)

    def place(self, height: float) -> complex:
        """A shift from which to look."""
        if self.disc:
            return self.centre + OFF * self.width
        real = self.sign * (self.edge + BESIDE * self.width)
        return complex(real, height) if height else real

    def half_height(self, radius: float) -> float:
        """How far up and down a disc about a place covers the region."""
        depth = self.edge + BESIDE * self.width + self.last  # the last key is minus the real part
        return math.sqrt(max(radius**2 - depth**2, 0.0))


def starts(operator: TTOperator, known: Known, count: int, rng: np.random.Generator) -> list[TensorTrain]:
    """Trains for the complement: products of the leading functions of each mode's mean operator, units, random ones."""
    shape = operator.row_shape
    found = [
        rank_one([first + 0.1 / len(first) for first, _ in _leading(operator)]),
        unit(shape, [0] * len(shape)),
        unit(shape, [n - 1 for n in shape]),
        unit(shape, [int(rng.integers(n)) for n in shape]),
    ]
    mixed = random_train(shape, 2, rng)
    total = mixed * (1.0 / mixed.norm())
    found = [x * (1.0 / x.norm()) + total * 0.1 for x in found]  # none may lie in a span that A keeps and nobody wants
    return [mixed, *found][:count]


def smooth(operator: TTOperator, count: int, sign: float) -> list[TensorTrain]:
    """Of each mode the first functions of its mean operator times ``sign``: their product, and waves of one mode in
    its second function, sum_k sin(pi j (k + 1) / (d + 1)) x_k, each of rank two."""
    pairs = _leading(operator, sign)
    found = [rank_one([first for first, _ in pairs])]
    d = operator.d
    for j in range(1, min(count, d + 1)):
        cores = []
        for k, (first, second) in enumerate(pairs):
            core = np.zeros((2, len(first), 2), dtype=np.result_type(first, second))
            core[0, :, 0] = core[1, :, 1] = first
            core[0, :, 1] = np.sin(np.pi * j * (k + 1) / (d + 1)) * second
            cores.append(core)
        cores[0], cores[-1] = cores[0][:1], cores[-1][:, :, 1:]
        found.append(TensorTrain(tuple(cores)))
    return [x * (1.0 / x.norm()) for x in found]


def _leading(operator: TTOperator, sign: float = 1.0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each mode the two functions of the largest ``sign`` times real part, A averaged over all other modes."""
    behind = [np.ones((1, 1))]
    for core in reversed(operator.cores):
        behind.append((np.einsum("aiib->ab", core) / core.shape[1]) @ behind[-1])
    before, vectors = np.ones((1, 1)), []
    for k, core in enumerate(operator.cores):
        own = np.einsum("xa,aijb,by->ij", before, core, behind[operator.d - 1 - k])
        w, v = np.linalg.eig(own)
        best = np.argsort(-sign * w.real, kind="stable")
        chosen = v[:, best[0]], v[:, best[min(1, len(w) - 1)]]
        vectors.append(chosen if operator.dtype.kind == "c" else (chosen[0].real, chosen[1].real))
        before = before @ (np.einsum("aiib->ab", core) / core.shape[1])
    return vectors


def seen_by_powers(operator: TTOperator, known: Known, rng: np.random.Generator) -> np.ndarray:
    """Ritz values in the span of a few powers of A on a random train, cut to small ranks."""
    x = known.without(random_train(operator.row_shape, 2, rng))
    basis: list[TensorTrain] = []
    for _ in range(POWERS):
        size = x.norm()
        if not size > 0.0:
            break
        basis.append(x * (1.0 / size))
        x = (operator @ basis[-1]).round(1e-3, POWER_RANK)
        for y in basis:  # apart from the others, roughly
            x = x - y * between([y], None, [x], False)[0, 0].item()
        x = x.round(1e-3, POWER_RANK)
    return ritz_values(operator, basis)


def ritz_values(operator: TTOperator, basis: Sequence[TensorTrain]) -> np.ndarray:
    """Eigenvalues of A in the span of trains."""
    gram = between(basis, None, basis, False)
    weights, vectors = np.linalg.eigh(0.5 * (gram + gram.conj().T))
    kept = weights > 1e-8 * weights[-1]
    q = vectors[:, kept] / np.sqrt(weights[kept])
    values: np.ndarray = np.linalg.eigvals(q.conj().T @ between(basis, operator, basis, False) @ q)
    return values
