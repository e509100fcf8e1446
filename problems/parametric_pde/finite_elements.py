"""Finite elements of the diffusion problem: P1 on the interval, bilinear on the square, a constant coefficient a cell.

With a = (a_c) in the cells the stiffness matrix is linear in a, A(a)_ij = sum_c a_c int_c grad phi_i . grad phi_j, so
its sparsity and the map a -> entries are made once (element matrices by scikit-fem), and a matrix costs one sparse
product. Unknowns are the values at the nodes without a Dirichlet value; prescribed values enter by a lift.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array
from skfem import Basis, BilinearForm, ElementLineP1, ElementQuad1, LinearForm, MeshLine, MeshQuad
from skfem.helpers import dot, grad

from problems.parametric_pde.fields import Discs
from problems.parametric_pde.geometry import corners, nodes
from problems.parametric_pde.model import (
    Boundary,
    DiscMean,
    Flux,
    Integral,
    ParametricProblem,
    Point,
    QuantityOfInterest,
)


@dataclass(frozen=True, eq=False)
class Functional:
    """A quantity Q(y, u) = a(cell, y)^p (weights . u) + offset on all nodes: p = 1 for a flux, else 0."""

    name: str
    weights: np.ndarray
    offset: float = 0.0
    cell: int | None = None


class FiniteElements:
    """The mesh of a problem, its matrices and its loads.

    ``nodes``: (n, dimensions); ``free``: the nodes that are unknowns; ``fixed``: (n,) prescribed values, zero
    elsewhere. Cost of the set-up: a second for a million cells.
    """

    def __init__(self, problem: ParametricProblem) -> None:
        domain, cells = problem.domain, problem.mesh.cells
        self.domain, self.cells = domain, cells
        self.nodes, self.corners = nodes(domain, cells), corners(domain, cells)
        arrays = np.ascontiguousarray(self.nodes.T), np.ascontiguousarray(self.corners.T)
        if domain == "interval":
            basis = Basis(MeshLine(*arrays), ElementLineP1())
        else:
            basis = Basis(MeshQuad(*arrays), ElementQuad1())
        self._basis = basis
        self.unit_load = LinearForm(lambda v, w: 1.0 * v).assemble(basis)
        stiffness = BilinearForm(lambda u, v, w: dot(grad(u), grad(v)))
        self._elements = stiffness.coo_data(basis).tolocal()  # (cells, corners, corners)
        self.load = problem.load
        self.free, self.fixed = _dirichlet(self.nodes, problem.boundary)

    @cached_property
    def _pattern(self) -> tuple[csr_array, np.ndarray, np.ndarray]:
        """The map from cell coefficients to the entries on the free nodes, and the CSC structure of those."""
        n, count = len(self.nodes), self.corners.shape[1]
        place = np.full(n, -1)
        place[self.free] = np.arange(len(self.free))
        rows = np.repeat(place[self.corners], count, axis=1).ravel()
        columns = np.tile(place[self.corners], (1, count)).ravel()
        cells = np.repeat(np.arange(len(self.corners)), count * count)
        kept = (rows >= 0) & (columns >= 0)
        size = len(self.free)
        key, entry = np.unique(columns[kept] * size + rows[kept], return_inverse=True)
        values = self._elements.ravel()[kept]
        shape = (len(key), len(self.corners))
        assemble = csr_array(coo_array((values, (entry, cells[kept])), shape=shape))
        starts = np.searchsorted(key, np.arange(size + 1) * size)
        return assemble, (key % size).astype(np.int32), starts.astype(np.int32)

    def matrix(self, a: np.ndarray) -> csc_array:
        """Stiffness matrix on the free nodes for cell coefficients a (cells,)."""
        assemble, rows, starts = self._pattern
        size = len(self.free)
        return csc_array((assemble @ a, rows, starts), shape=(size, size))

    def lift(self, a: np.ndarray) -> np.ndarray:
        """-A(a) u_fixed on the free nodes for cell coefficients a (cells,): what prescribed values add to the load."""
        local = np.einsum("cij,cj->ci", self._elements, self.fixed[self.corners]) * a[:, None]
        total = np.zeros(len(self.nodes))
        np.add.at(total, self.corners.ravel(), local.ravel())
        return -total[self.free]

    @property
    def lifted(self) -> bool:
        """Whether any prescribed value is not zero."""
        return bool(self.fixed.any())

    def all_nodes(self, u: np.ndarray) -> np.ndarray:
        """Values on the free nodes (..., free) with the prescribed ones beside them, (..., n)."""
        full = np.broadcast_to(self.fixed, (*u.shape[:-1], len(self.nodes))).copy()
        full[..., self.free] = u
        return full

    def functionals(self, problem: ParametricProblem) -> list[Functional]:
        """The quantities of a problem, in its order.

        The flux is the consistent one, int (a u' phi' - load phi) with phi the end node's function, which is far more
        accurate than the derivative in the end cell and keeps the balance with the load exactly.
        """
        return [self._functional(quantity, problem) for quantity in problem.wanted]

    def _functional(self, quantity: QuantityOfInterest, problem: ParametricProblem) -> Functional:
        n, name = len(self.nodes), quantity.name
        if isinstance(quantity, Integral):
            return Functional(name, self.unit_load)
        if isinstance(quantity, Point):
            point = np.atleast_1d(np.array(quantity.at, dtype=float))[:, None]
            return Functional(name, np.asarray(self._basis.probes(point).todense()).ravel())
        if isinstance(quantity, Flux):
            h, weights = 1.0 / self.cells, np.zeros(n)
            left = quantity.at == 0.0
            first = 0 if left else n - 2
            weights[first : first + 2] = (-1.0 / h, 1.0 / h)
            # a u' at the left end is a_1 (u_1 - u_0) / h + load h / 2, at the right one the load counts backwards
            return Functional(name, weights, (0.5 if left else -0.5) * h * self.load, 0 if left else self.cells - 1)
        assert isinstance(problem.coefficient, Discs)  # the model has checked it
        assert isinstance(quantity, DiscMean)
        chosen = self.corners[problem.coefficient.inside(problem.midpoints)[quantity.disc]]
        weights = np.bincount(chosen.ravel(), minlength=n) / chosen.size
        return Functional(name, weights)


def _dirichlet(x: np.ndarray, boundary: Boundary) -> tuple[np.ndarray, np.ndarray]:
    """Free nodes, and the prescribed values (n,); left and right come last, so that they win at the corners."""
    fixed, free = np.zeros(len(x)), np.ones(len(x), dtype=bool)
    sides = [(0, 0.0, boundary.left), (0, 1.0, boundary.right)]
    if x.shape[1] == 2:
        sides = [(1, 0.0, boundary.bottom), (1, 1.0, boundary.top), *sides]
    for axis, place, value in sides:
        if value != "neumann":
            on = x[:, axis] == place
            fixed[on], free[on] = value, False
    return np.flatnonzero(free), fixed
