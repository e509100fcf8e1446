"""Implicit steps towards the stationary state of a generator, at one core of a train after the other.

With W the isometry from the core of mode k to the whole space, G = W^H A W is a generator again where the mass l lies
in the range of W: (W^H l)^H G = l^H A W = 0. So the interfaces of l join every basis: each projected system keeps the
mass, and zero is an eigenvalue of each. A sweep takes an implicit step of the length 1/s at every mode:

1. (s - G) d = G x, and x + d in place of the core x: by LU where the system is small, else by GMRES
   (solvers.eigen.general.sylvester_preconditioned). The right-hand side falls with the residual: few digits are enough.
2. The core is cut at its singular values. Its basis takes in the mass and directions of A p: those of a train z of
   small rank, which follows A p by alternating least squares.

For s to 0 every step is the stationary state within its bases. Steps of Galerkin's projection alone, without the mass,
lead nowhere for operators that are far from normal.
Cui, Cirac, Banuls, Phys. Rev. Lett. 114, 220601 (2015) (sweeps, there for A^H A); Dolgov, Savostyanov, SIAM J. Sci.
Comput. 36, A2248 (2014) (directions of the residual). Cost a sweep: d products of GMRES, ten to sixty, and d Schur
forms of size n r.
"""

from __future__ import annotations

import math

import numpy as np

from solvers.eigen.general.sylvester_preconditioned import solved_by_gmres
from solvers.formats.trains.construct import random_train
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sweeping.chain import Chain
from solvers.sweeping.local_operator import advance, half, mirrored, project, to_right
from solvers.sweeping.local_system import LocalSystem

DIRECTIONS = 8  # of A p that join a basis, or where that is more
MORE = 0.2  # this share of the rank: states of large ranks are reached in fewer sweeps
LARGEST_FACTORS = 400  # unknowns of a system that LU solves: below it is faster
ITERATED = 0.1  # of its right-hand side: residual of a system that is solved by iteration
LARGEST_STEP = 10.0  # norm of a core over that before: more is no step
NEW = 1e-8  # share of a direction outside a basis, from which on it is a new one
ROUNDING = 1e-14


class ProjectedGenerator:
    """A train of the space of ``operator`` in motion (solvers.sweeping.chain).

    ``mass``: the train l, l^H A = 0; its ranks add to those of every basis. ``massless``: the start holds none, and
    rounding errors shall not add any, which would stay while the rest decays. ``single``: all sweeps solve one step,
    (s - A) x = s x0 with x0 the start, instead of one each. ``unsolved``: the largest share of a
    right-hand side that the systems of the last sweep left; ``products``: with the projected operators, in all.
    """

    def __init__(
        self,
        operator: TTOperator,
        mass: TensorTrain,
        start: TensorTrain,
        max_rank: int,
        rng: np.random.Generator,
        massless: bool = False,
        single: bool = False,
    ) -> None:
        dtype = np.result_type(operator.dtype, start.dtype, mass.dtype)
        self.max_rank, self.rng, self.d, self.massless = max_rank, rng, operator.d, massless
        self.chain = Chain.of(operator, start, dtype)
        unit = mass / mass.norm()
        self.mass = [core.astype(dtype) for core in unit.cores]
        self.interfaces = [np.ones((1, 1), dtype=dtype)] * (self.d + 1)  # (r, rank of the mass): W^H l up to a bond
        self.z: list[np.ndarray] = []
        self.z_environments = [np.ones((1, 1, 1), dtype=dtype)] * (self.d + 1)
        self.directions = 0
        self.unsolved, self.products = 0.0, 0
        self.first = [core.astype(dtype) for core in start.cores] if single else None
        self.overlaps = [np.ones((1, 1), dtype=dtype)] * (self.d + 1)  # (r, rank of x0): W^H x0 up to a bond
        for k in range(self.d - 1):
            self._leave(k, self.chain.x[k], 0.0, with_directions=False)
        self._turn()

    def sweep(self, shift: float, tol: float) -> None:
        """A step of the length 1 / ``shift`` at every mode; the train is cut at ``tol`` of its norm on the way."""
        self.unsolved = 0.0
        self._renewed()
        for k in range(self.d):
            x = self._stepped(k, shift)
            if k < self.d - 1:
                self._leave(k, x, tol / math.sqrt(self.d), with_directions=True)
            else:
                self.chain.x[k] = x
        self._turn()

    def train(self) -> TensorTrain:
        """The present train."""
        return self.chain.train()

    def _stepped(self, k: int, shift: float) -> np.ndarray:
        """Step 1."""
        chain, x = self.chain, self.chain.x[k]
        left, core, right = chain.environments[k], chain.core(k), chain.environments[k + 1]
        l = np.einsum("ap,piq,bq->aib", self.interfaces[k], self.mass[k], self.interfaces[k + 1])
        image = project(half(left, core, x), right, x.shape[:2])
        if self.first is not None:
            ahead = np.einsum("ap,piq,bq->aib", self.overlaps[k], self.first[k], self.overlaps[k + 1])
            image = image + shift * (ahead - x)
        image = image - l * np.vdot(l, image)
        self.products += 1
        if x.size > LARGEST_FACTORS:
            step, unsolved, products = solved_by_gmres(left, core, right, shift, image, ITERATED)
            self.products += products
            self.unsolved = max(self.unsolved, unsolved)
        else:
            matrix = -LocalSystem(left, core, right).dense()
            scale = float(np.abs(matrix.diagonal()).max()) or 1.0
            matrix[np.diag_indices(x.size)] += shift
            matrix += scale * np.outer(l, l.conj())  # as the right-hand side holds no mass it changes no solution
            try:
                step = np.linalg.solve(matrix, image.ravel()).reshape(x.shape)
            except np.linalg.LinAlgError:
                return x
        found = x + step
        found += l * ((0.0 if self.massless else np.vdot(l, x)) - np.vdot(l, found))
        grown = np.linalg.norm(found) > LARGEST_STEP * np.linalg.norm(x)
        return x if grown or not np.isfinite(found).all() else found

    def _leave(self, k: int, x: np.ndarray, tol: float, with_directions: bool) -> None:
        """Step 2: core k becomes an isometry, what is left goes into the next core, environments follow."""
        chain, core = self.chain, self.chain.core(k)
        a, n, b = x.shape
        matrix = x.reshape(a * n, b)
        mass = np.tensordot(self.interfaces[k], self.mass[k], 1).reshape(a * n, -1)
        basis = _joined(_cut(matrix, tol, self.max_rank), mass)
        if with_directions:
            beyond = self.z_environments[k + 1].reshape(core.dims[3] * b, -1)
            basis = _joined(basis, half(chain.environments[k], core, x) @ beyond)
            image = half(self.z_environments[k], core, x) @ beyond
            size = float(np.linalg.norm(image)) or 1.0
            noise = self.rng.standard_normal(image.shape)
            rows = self.z[k].shape[0], n
            self.z[k] = np.ascontiguousarray(np.linalg.qr(image / size + ROUNDING * noise)[0]).reshape(*rows, -1)
        self.interfaces[k + 1] = basis.conj().T @ mass
        if self.first is not None:
            ahead = np.tensordot(self.overlaps[k], self.first[k], 1).reshape(a * n, -1)
            self.overlaps[k + 1] = basis.conj().T @ ahead
        chain.x[k] = np.ascontiguousarray(basis).reshape(a, n, -1)
        chain.advance(k, chain.x[k])
        chain.take(k + 1, basis.conj().T @ matrix)
        if with_directions:
            h = half(self.z_environments[k], core, chain.x[k])
            self.z_environments[k + 1] = advance(h, self.z[k], core.dims[3])

    def _renewed(self) -> None:
        """Directions anew, at random, where the rank of x asks for more of them."""
        wanted = max(DIRECTIONS, int(MORE * max(self.chain.ranks)))
        if wanted <= (1.0 + MORE) * self.directions:
            return
        self.directions = wanted
        dtype = self.chain.dtype
        shape = [core.shape[1] for core in self.chain.x]
        self.z = [core.astype(dtype) for core in random_train(shape, wanted, self.rng).orthogonalise(0).cores]
        cores = self.chain.operators[1 - self.chain.side]
        e = np.ones((1, 1, 1), dtype=dtype)
        for k, (core, x, z) in enumerate(zip(cores[:-1], mirrored(self.chain.x), mirrored(self.z))):
            e = advance(half(e, core, x), z, core.dims[3])
            self.z_environments[self.d - 1 - k] = to_right(e)

    def _turn(self) -> None:
        """Mirror everything: what was the last core becomes the first."""
        self.chain.turn()
        self.z, self.mass = mirrored(self.z), mirrored(self.mass)
        self.interfaces = self.interfaces[::-1]
        self.overlaps = self.overlaps[::-1]
        self.first = None if self.first is None else mirrored(self.first)
        self.z_environments = [to_right(e) for e in reversed(self.z_environments)]


def _cut(matrix: np.ndarray, tol: float, max_rank: int) -> np.ndarray:
    """Left singular vectors: those that leave out at most ``tol`` of the norm, at most ``max_rank``."""
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    left_out = np.sqrt(np.cumsum(s[::-1] ** 2))[::-1]
    rank = max(1, int(np.sum(left_out > tol * left_out[0])))
    return u[:, : min(rank, max_rank)]


def _joined(u: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Orthonormal columns ``u`` and those of ``more``, each as far as it is outside the ones before."""
    for v in more.T:
        size = float(np.linalg.norm(v))
        if not 0.0 < size < np.inf or u.shape[1] >= len(u):
            continue
        w = v / size
        w = w - u @ (u.conj().T @ w)
        left = float(np.linalg.norm(w))
        if left <= NEW:
            continue
        w = w / left
        w = w - u @ (u.conj().T @ w)
        u = np.column_stack([u, w / np.linalg.norm(w)])
    return u
