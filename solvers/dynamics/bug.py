"""The rank-adaptive basis-update and Galerkin (BUG) integrator: no step back in time, so it suits dissipation.

    x = U_{k-1} C_k V_k   for every core k: left interface U_{k-1}, centre core C_k (a, n, b), right interface V_k

One step of length h, from the first core to the last. In the augmented left interface W_{k-1} the core evolves with
the right interface as it was, C_k(h) = exp(h s W^H A W) (W^H U) C_k(0); the new interface W_k is an orthonormal basis
of C_k(h) and of the old U_k together, of at most twice the rank. In the last core this is the Galerkin step in the
augmented basis; a rounding follows, so ranks rise and fall with the tolerance. This is the integrator of Ceruti,
Lubich and Sulz, SIAM J. Numer. Anal. 61, 194 (2023), algorithms 1 to 4, for the tree that a train is, rooted at the
last core; for matrices: Ceruti, Kusch and Lubich, BIT 62, 1149 (2022). A step never evolves backwards.
The papers' bound, order one whatever the singular values, holds up to the part of A x outside the tangent space, and
that is not small at a product state. So before a step the right interfaces take in those of h A x whose weight is
above the tolerance, with coefficients zero (solvers.dynamics.enlarge); then x + h A x lies in the space of the step at
any rank. With that the order measured is two, as long as the step is not stiff.
Cost a step O(d m (R r^3 n + nnz r^2)) with left ranks doubled, Krylov spaces of size m, and O(d n r^3) for rounding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from solvers.dynamics.chain import Chain
from solvers.dynamics.enlarge import enlarge
from solvers.dynamics.implicit import Invariants
from solvers.dynamics.krylov import local_exponential
from solvers.linear.product import multiply
from solvers.local_operator import advance, half
from solvers.methods import BUG
from solvers.trains.factorisations import qr_factors
from solvers.trains.operator import TTOperator
from solvers.trains.tensor_train import TensorTrain

KRYLOV_DIMENSION = 40
TRUNCATION = 2.0  # times the tolerance, for a rounding: little beside the error of steps, which are compared
COMPRESSED = 1e-2  # of A x may be lost: directions matter, not digits
LOOSEST = 0.1
REPEATED = 1e-12  # of a column is rounding error when it lies in the basis already


class BUGStepper:
    """Steps of BUG; a Stepper of solvers.dynamics.evolve.

    ``tol``: relative error a unit of time that the local exponentials may make; ``conserve``: trains v whose <v, x> is
    put right after every step. ``truncation``, ``residual``: what roundings discarded and the exponentials' estimated
    errors, accumulated (absolute 2-norms).
    """

    grows = False  # by itself
    order = 2  # measured

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
        dtype = np.result_type(operator.dtype, start.dtype, complex if complex(factor).imag else float)
        self.operator, self.method, self.hermitian, self.tol = operator, method, hermitian, tol
        self.factor = complex(factor) if dtype.kind == "c" else complex(factor).real
        self.invariants = Invariants(conserve, start)
        self.chain = Chain.of(operator, start, dtype)
        self.truncation = self.residual = 0.0
        self.work: Counter[str] = Counter()

    def train(self) -> TensorTrain:
        """The present state, its centre at the first core."""
        return self.chain.train()

    def load(self, x: TensorTrain) -> None:
        """Replace the state; the invariants keep the values they had."""
        self.chain.load(x)

    def snapshot(self) -> Any:
        """All that a step changes, except the counts of work."""
        return self.chain.snapshot(), self.truncation, self.residual

    def restore(self, saved: Any) -> None:
        """Back to a snapshot."""
        chain, self.truncation, self.residual = saved
        self.chain.restore(chain)

    def defect(self) -> float:
        """Zero: ranks follow the solution, and what a rounding takes is in ``truncation``."""
        return 0.0

    def grow(self, tol: float) -> bool:
        """False: a step doubles the ranks by itself."""
        return False

    def advance(self, h: float) -> None:
        """One step of length ``h``."""
        chain, d = self.chain, len(self.chain.x)
        allowed = self.method.tol if self.method.tol is not None else TRUNCATION * self.tol * abs(h)
        self._enlarge(h, allowed)
        norm = chain.norm()
        tol = self.tol * abs(h) * norm / d
        left = np.ones((1, 1, 1), dtype=chain.dtype)
        overlap = np.ones((1, 1), dtype=chain.dtype)  # W^H U, of the augmented with the old left interface
        centre, cores = chain.x[0], []
        for k in range(d):
            core = chain.core(k)
            begin = _before(overlap, centre)
            found = local_exponential(
                left, core, chain.environments[k + 1], begin, self.factor * h, tol,
                hermitian=self.hermitian, dimension=KRYLOV_DIMENSION,
            )  # fmt: skip
            self.residual += found.error
            self.work["matvecs"] += found.products
            self.work["local_exponentials"] += 1
            if k == d - 1:
                cores.append(found.value)
                break
            a, n, b = centre.shape
            old, rest = qr_factors(centre.reshape(a * n, b))
            old = _before(overlap, old.reshape(a, n, -1)).reshape(len(overlap) * n, -1)
            basis = _joined(old, found.value.reshape(len(overlap) * n, -1))
            overlap = basis.conj().T @ old
            new = basis.reshape(len(left), n, -1)
            left = advance(half(left, core, new), new, core.dims[3])
            following = chain.x[k + 1]
            centre = (rest @ following.reshape(len(following), -1)).reshape(-1, *following.shape[1:])
            cores.append(new)
        self.work["steps"] += 1
        x, cut = TensorTrain(tuple(cores), d - 1).round_with_error(min(allowed, LOOSEST), self.method.max_rank)
        self.truncation += cut * float(np.linalg.norm(cores[-1]))
        chain.load(self.invariants.restore(x)[0])

    def _enlarge(self, h: float, tol: float) -> None:
        """Take the right interfaces of h A x into those of x, by weights above ``tol`` ||x||."""
        x, most = self.chain.train(), 2 * self.method.max_rank
        change = multiply(self.operator, x, tol=COMPRESSED, max_rank=most).value * abs(h * self.factor)
        if x.d > 1 and change.norm() > tol * x.norm():
            self.chain.load(enlarge(x, [change], most, tol))


def _before(matrix: np.ndarray, core: np.ndarray) -> np.ndarray:
    """A matrix multiplied into the left rank of a core."""
    return (matrix @ core.reshape(len(core), -1)).reshape(-1, *core.shape[1:])


def _joined(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """An orthonormal basis (m, r) of the orthonormal columns ``old`` and of ``new``, the old ones kept first."""
    room = len(old) - old.shape[1]
    scale = np.linalg.norm(new)
    for _ in range(2):
        new = new - old @ (old.conj().T @ new)
    u, s, _ = np.linalg.svd(new, full_matrices=False)
    added = u[:, : min(room, int(np.count_nonzero(s > REPEATED * scale)))]
    # a direction of small weight has lost digits: orthogonal once more
    added = added - old @ (old.conj().T @ added)
    return np.ascontiguousarray(np.concatenate([old, qr_factors(added)[0]], axis=1)) if added.size else old
