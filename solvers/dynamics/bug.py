"""The rank-adaptive basis-update and Galerkin (BUG) integrator: no step back in time, so it suits dissipation.

    x = U_{k-1} C_k V_k   for every core k: left interface U_{k-1}, centre core C_k (a, n, b), right interface V_k

A step of length h is that of Ceruti, Lubich and Sulz, SIAM J. Numer. Anal. 61, 194 (2023), algorithms 1 to 4, for the
tree whose root is the core in the middle (for matrices: Ceruti, Kusch and Lubich, BIT 62, 1149 (2022)):

1. Both kinds of interfaces of x take in those of h A x, with coefficients zero (enlarge): the papers' bound holds up to
   the part of A x outside the tangent space, which is not small at a product state. With that the order measured is
   two at least. (With (h A)^2 x / 2 as well: the same errors at twice the cost, measured.)
2. From each end to the root: in the augmented interface W_{k-1} the core evolves with the interface ahead as it was,
   K_k = exp(h s W^H A W) (W^H U) C_k; the new interface W_k is an orthonormal basis of the old U_k and of K_k.
3. The root evolves between the two new interfaces W and W': y(t) = W exp(t s P A P) (P x) W'. What A y leaves out of
   that space is known, y' = s A y - s (1 - P) A y, and gives the step's error (``_left_out``; measured on spins and
   oscillators in real and imaginary time: 2 to 25 times the true one). At full ranks nothing is left out.
4. A rounding follows, so ranks rise and fall with the tolerance. A step never evolves backwards.

Cost a step O(d m (R r^3 n + nnz r^2)) with interfaces up to three times as wide, Krylov spaces of size m, and
O(d n r^3) for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from solvers.dynamics.defect import beyond, missed_at_root
from solvers.dynamics.enlarge import COMPRESSED, enlarge, krylov_directions
from solvers.dynamics.krylov import local_exponential
from solvers.dynamics.stepper import Stepper
from solvers.formats.trains.factorisations import qr_factors
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.methods import BUG
from solvers.sweeping.chain import Chain
from solvers.sweeping.local_operator import OperatorCore, advance, half, mirrored

KRYLOV_DIMENSION = 40
TRUNCATION = 2.0  # times the tolerance, for a rounding: little beside the error of steps
DIRECTIONS = 0.1  # of what a rounding may discard: directions of a smaller weight do not enter an interface
SMALLEST = 1e-13  # relative error of a compressed product
LOOSEST = 0.1
REPEATED = 1e-14  # of a column is rounding error where it lies in the basis already; what grows from nothing is small


class BUGStepper(Stepper):
    """Steps of BUG.

    ``tol``: relative error a unit of time that the local exponentials may make; ``conserve``: trains v whose <v, x> is
    put right after every step; ``shift`` m: steps are those of A - m. ``truncation``, ``residual``, ``step_error``:
    what roundings discarded, the exponentials' estimated errors and the estimate of step 3, accumulated (absolute
    2-norms).
    """

    estimates_steps = True

    def __init__(
        self,
        operator: TTOperator,
        start: TensorTrain,
        method: BUG,
        factor: complex,
        tol: float,
        *,
        hermitian: bool,
        conserve: Sequence[TensorTrain] = (),
    ) -> None:
        super().__init__(operator, start, method, factor, tol, hermitian=hermitian, conserve=conserve)
        self.method = method
        self.chain = Chain.of(operator, start, self.dtype)
        self.mirror = Chain(self.chain.operators[::-1], [])
        self.root = middle(operator.column_shape)

    def train(self) -> TensorTrain:
        """The present state, its centre at the first core."""
        return self.chain.train()

    def load(self, x: TensorTrain) -> None:
        """Replace the state; the invariants keep the values they had."""
        self.chain.load(x)

    def rescale(self, factor: float) -> None:
        """Multiply the state by a number; the invariants follow."""
        self.chain.x = [self.chain.x[0] * factor, *self.chain.x[1:]]
        self.invariants.values = self.invariants.values * factor

    def snapshot(self) -> Any:
        """All that a step changes, except the counts of work."""
        return self.chain.snapshot(), self.truncation, self.residual, self.step_error

    def restore(self, saved: Any) -> None:
        """Back to a snapshot."""
        chain, self.truncation, self.residual, self.step_error = saved
        self.chain.restore(chain)

    def advance(self, h: float) -> None:
        """One step of length ``h``."""
        x, root = self.chain.train(), self.root
        allowed = self.method.tol if self.method.tol is not None else TRUNCATION * self.tol * abs(h)
        norm = x.norm()
        least = DIRECTIONS * allowed
        directions = self._directions(x, h, least)
        left, inside = self._interface(self.chain, x, directions, root, h, least * norm)
        turned = [_mirror(y) for y in directions]
        right, around = self._interface(self.mirror, _mirror(x), turned, x.d - 1 - root, h, least * norm)
        core, centre = self.chain.core(root), _between(left, x, right)
        ahead = np.ascontiguousarray(around.transpose(1, 2, 0))
        before = beyond(self.chain.operators[0][:root], left, self.chain.dtype)
        behind = beyond(self.mirror.operators[0][: len(right)], right, self.chain.dtype)
        tol = 0.5 * self.tol * abs(h) * norm / x.d
        centres = [centre]
        for _ in range(2):
            centres.append(self._exponential(inside, core, ahead, centres[-1], 0.5 * h, tol))
        centre = centres[-1]
        missed = partial(missed_at_root, inside, ahead, before, behind, core)
        self.step_error += self._left_out(h, directions, norm, missed, centres)
        self.work["steps"] += 1
        y = TensorTrain((*left, centre, *mirrored(right)), root)
        y, cut = y.round_with_error(min(allowed, LOOSEST), self.method.max_rank)
        self.truncation += cut * float(np.linalg.norm(centre))
        self.chain.load(self.invariants.restore(y)[0])

    def _left_out(
        self,
        h: float,
        directions: Sequence[TensorTrain],
        norm: float,
        missed: Callable[[np.ndarray], float],
        centres: Sequence[np.ndarray],
    ) -> float:
        """The norm of what the step leaves out, from its root core at 0, h/2 and h, by Simpson's rule.

        The error is s int (1 - P) A y dt, in which the beginning and the end of a step cancel in part, and what A makes
        of that until the end of the step: s^2 int (h - t) A (1 - P) A y dt, A estimated by what it does to the state.
        """
        first, half_way, last = centres
        size = abs(self.factor * h)
        found = size * missed((first + 4.0 * half_way + last) / 6.0)
        turned = directions[0].norm() / norm if directions else 0.0
        return found + 0.5 * turned * size * (missed(first) + 2.0 * missed(half_way)) / 3.0

    def _directions(self, x: TensorTrain, h: float, tol: float) -> list[TensorTrain]:
        """h A x but for its part along x, if it weighs more than ``tol`` ||x||."""
        if x.d == 1:
            return []
        # what the compression loses is missed from the beginning of the step on, at a rate of its own
        lost = min(COMPRESSED, max(self.tol, SMALLEST))
        step = abs(h * self.factor)
        return krylov_directions(self.operator, x, 1, self.method.max_rank, tol, step=step, compressed=lost)[0]

    def _interface(
        self, chain: Chain, x: TensorTrain, directions: Sequence[TensorTrain], root: int, h: float, least: float
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """The left-orthogonal cores W before the root, and the environment of their interface (a', alpha, a).

        Directions of K whose weight is below ``least`` do not enter.
        """
        ranks, dtype = x.ranks, chain.dtype
        left, overlap = np.ones((1, 1, 1), dtype=dtype), np.ones((1, 1), dtype=dtype)  # overlap: W^H U
        cores: list[np.ndarray] = []
        if root == 0:
            return cores, left
        wide = Chain(chain.operators, [])
        tol = least / max(x.norm(), 1e-300)
        wide.load(enlarge(x, directions, 2 * self.method.max_rank, tol, proper=False))
        centre = wide.x[0]
        tol = self.tol * abs(h) * x.norm() / x.d
        for k in range(root):
            core = wide.core(k)
            moved = self._exponential(left, core, wide.environments[k + 1], _before(overlap, centre), h, tol)
            a, n, _ = centre.shape
            # the columns of the directions are zero in the centre
            old, rest = qr_factors(centre[:, :, : ranks[k + 1]].reshape(a * n, -1))
            old = _before(overlap, old.reshape(a, n, -1)).reshape(len(overlap) * n, -1)
            basis = _joined(old, moved.reshape(len(overlap) * n, -1), least)
            overlap = basis.conj().T @ old
            new = basis.reshape(len(left), n, -1)
            left = advance(half(left, core, new), new, core.dims[3])
            following = wide.x[k + 1][: len(rest)]
            centre = (rest @ following.reshape(len(following), -1)).reshape(-1, *following.shape[1:])
            cores.append(new)
        return cores, left

    def _exponential(
        self, left: np.ndarray, core: OperatorCore, right: np.ndarray, x: np.ndarray, step: float, tol: float
    ) -> np.ndarray:
        found = local_exponential(
            left,
            core,
            right,
            x,
            self.factor * step,
            tol,
            hermitian=self.hermitian,
            dimension=KRYLOV_DIMENSION,
            shift=self.shift,
        )
        self.residual += found.error
        self.work["matvecs"] += found.products
        self.work["local_exponentials"] += 1
        return found.value


def middle(shape: Sequence[int]) -> int:
    """The core with as much on its left as on its right: at full ranks both its interfaces are complete."""
    sizes = np.concatenate([[0.0], np.cumsum(np.log(np.array(shape, dtype=float)))])
    return int(np.argmin(np.abs(sizes[:-1] - (sizes[-1] - sizes[1:]))))


def _mirror(x: TensorTrain) -> TensorTrain:
    return TensorTrain(tuple(mirrored(x.cores)))


def _between(left: Sequence[np.ndarray], x: TensorTrain, right: Sequence[np.ndarray]) -> np.ndarray:
    """The coefficients of x between left-orthogonal cores and, mirrored, those on its right."""

    def overlap(bras: Sequence[np.ndarray], kets: Sequence[np.ndarray]) -> np.ndarray:
        found = np.ones((1, 1), dtype=x.dtype)
        for bra, ket in zip(bras, kets):
            moved = _before(found, ket).reshape(-1, ket.shape[2])
            found = bra.reshape(-1, bra.shape[2]).conj().T @ moved
        return found

    centre = _before(overlap(left, x.cores), x.cores[len(left)])
    return np.ascontiguousarray(centre @ overlap(right, mirrored(x.cores)).T)


def _before(matrix: np.ndarray, core: np.ndarray) -> np.ndarray:
    """A matrix multiplied into the left rank of a core."""
    return (matrix @ core.reshape(len(core), -1)).reshape(-1, *core.shape[1:])


def _joined(old: np.ndarray, new: np.ndarray, least: float) -> np.ndarray:
    """An orthonormal basis (m, r) of the orthonormal columns ``old`` and of ``new``, the old ones kept first.

    Without directions of weight below ``least``.
    """
    room = len(old) - old.shape[1]
    scale = np.linalg.norm(new)
    for _ in range(2):
        new = new - old @ (old.conj().T @ new)
    u, s, _ = np.linalg.svd(new, full_matrices=False)
    added = u[:, : min(room, int(np.count_nonzero(s > max(REPEATED * scale, least))))]
    # a direction of small weight has lost digits: orthogonal once more
    added = added - old @ (old.conj().T @ added)
    return np.ascontiguousarray(np.concatenate([old, qr_factors(added)[0]], axis=1)) if added.size else old
