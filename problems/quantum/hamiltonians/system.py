"""What a propagation needs to know of a problem: operator, start, and what is measured on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from problems.quantum.hamiltonians.force_field.boundedness import Barrier
from solvers.eigen.configuration_interaction import ProductTerms
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Checked

SYMMETRY_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class System:
    """A Hamiltonian and a start as trains.

    ``operator``: Hermitian part and absorber together, real where it is real symmetric. ``start``: may be real.
    ``site_operators``: observable name -> an (n_k, n_k) matrix a mode; ``pair_operators``: name -> matrices that are
    multiplied on neighbouring modes. ``unit``: of energies. ``dissipative``: an absorber is in the operator. ``terms``:
    the table of products, for eigenvalues, where H is real and nothing absorbs. ``description``: facts for the report.
    ``time_unit``, ``time_scale``: the unit of the solver's times, and how many of them make a natural unit.
    ``sites``: name of each mode along the train. ``edge_functions``: of each mode the indices of the last
    functions, whose population says what the cut of the basis costs; empty where nothing was cut. ``looks``: the
    operator compared with what it was built from. ``barrier``: the lowest one within the range of the basis behind
    which the potential falls without end. ``warnings``: what a user must know of the operator. ``lost``: what holds too
    little of a start, as a verb or a sentence up to it, and the key to blame.
    """

    operator: TTOperator
    start: TensorTrain
    site_operators: Mapping[str, Sequence[np.ndarray]]
    pair_operators: Mapping[str, Sequence[np.ndarray]]
    unit: str
    dissipative: bool
    terms: ProductTerms | None
    description: list[tuple[str, str]]
    time_unit: str = "natural"
    time_scale: float = 1.0
    sites: Sequence[str] = ()
    edge_functions: Sequence[Sequence[int]] = field(default=())
    looks: tuple[Checked, ...] = ()
    barrier: Barrier | None = None
    warnings: tuple[str, ...] = ()
    lost: tuple[str, str] = ("holds", "problem.initial")

    @property
    def doubles(self) -> bool:
        """Whether <psi(0)|psi(2t)> = sum_i psi_i(t)^2: the start is real and the operator is its own transpose.

        exp(-iHt) is then symmetric too, an absorber included: psi0^T U(2t) psi0 = (U(t) psi0)^T (U(t) psi0).
        """
        if self.start.dtype.kind == "c":
            return False
        cores = tuple(core.transpose(0, 2, 1, 3) for core in self.operator.cores)
        difference = self.operator - TTOperator(cores)
        return difference.norm() <= SYMMETRY_TOLERANCE * self.operator.norm()

    @property
    def largest_rank(self) -> int:
        """The largest TT-rank a tensor of this shape can have."""
        shape, left, right = self.start.shape, [1.0], [1.0]
        for n in shape:
            left.append(min(left[-1] * n, 1e9))
        for n in reversed(shape):
            right.append(min(right[-1] * n, 1e9))
        return int(max(min(a, b) for a, b in zip(left, reversed(right))))
