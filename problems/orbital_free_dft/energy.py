"""The energy of an orbital, its gradient in the Sobolev metric, and the sphere of N electrons.

    E = (lambda/2) int |grad phi|^2 + int e(phi^2) + 1/2 int rho_t V[rho_t] + int v rho + const

    rho_t = nuclei - phi^2,   H phi = -(lambda/2) Laplace phi + F,   F = (de/drho + v - V) phi,   mu = <phi, H phi> / N

With the metric <u, v> = 2 int u (-(lambda/2) Laplace + s) v the gradient of the energy is
    u = phi - (-(lambda/2) Laplace + s)^-1 ((mu + s) phi - F),
a resolvent and no derivative, so that no digit is lost on fine grids, and it is its own preconditioned gradient.
Projection onto phi, scaling back to the sphere and the same projection at the new point are the tangent space,
retraction and transport. Cost of one evaluation: four pointwise functions and two solves of ``fields``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.orbital_free_dft.electrostatics import Electrostatics
from problems.orbital_free_dft.fields import Field, Fields, Terms
from problems.orbital_free_dft.functionals import Functional
from solvers.optimisation.descent import Evaluation


@dataclass(frozen=True, eq=False)
class Parts:
    """What an evaluation found: parts of the energy (hartree), chemical potential, density and potential.

    ``size``: the products of norms behind the parts that are integrals of approximated fields (hartree); times their
    relative tolerance it bounds what rounding does to the energy.
    """

    weizsacker: float
    local: float
    electrostatic: float
    static: float
    chemical_potential: float
    density: Field
    potential: Field
    size: float


class Energy:
    """The objective, on points and tangent vectors that are fields; ``shift``: s of the metric (hartree)."""

    def __init__(
        self,
        fields: Fields,
        charges: Electrostatics,
        functional: Functional,
        electrons: float,
        weight: float,
        shift: float,
    ) -> None:
        self.fields, self.charges, self.functional = fields, charges, functional
        self.electrons, self.weight, self.shift = electrons, weight, shift

    @property
    def size(self) -> float:
        """The norm of the orbital: the scale that errors of tangent vectors are relative to."""
        return float(np.sqrt(self.electrons))

    def evaluate(self, phi: Field) -> Evaluation:
        """Value (hartree), gradient in the metric, and Parts."""
        fields, charges, n = self.fields, self.charges, self.electrons
        density = fields.pointwise("density", np.square, [phi])
        total = charges.total_charge(density)
        potential = charges.potential(total)
        electrostatic = 0.5 * fields.dot(total, potential) + charges.offset
        gas = fields.pointwise("energy", self.functional.energy, [phi])
        local = fields.dot(gas, phi)
        kinetic = self.weight * fields.kinetic(phi, phi)
        static, felt = 0.0, [potential]
        if charges.static is not None:
            static, felt = fields.dot(charges.static, density), [potential, charges.static]
        force = fields.pointwise("force", self.force, [phi, *felt])
        mu = (kinetic + fields.dot(phi, force)) / n
        source = fields.combine([(mu + self.shift, phi), (-1.0, force)])
        solved = self.solved(source)
        gradient = fields.combine([(1.0, phi), (-1.0, solved)], scale=self.size)
        size = self.norm(gas) * self.size + self.norm(total) * self.norm(potential)
        size += self.norm(charges.static) * self.norm(density) if charges.static is not None else 0.0
        parts = Parts(kinetic, local, electrostatic, static, mu, density, potential, size)
        return Evaluation(kinetic + local + electrostatic + static, gradient, parts)

    def norm(self, u: Field) -> float:
        """The root of the integral of the square."""
        return float(np.sqrt(max(self.fields.dot(u, u), 0.0)))

    def force(self, phi: np.ndarray, potential: np.ndarray, static: float | np.ndarray = 0.0) -> np.ndarray:
        """All that H phi is but for the kinetic term, at points."""
        return self.functional.potential(phi) + (static - potential) * phi

    def solved(self, source: Field) -> Field:
        """(-(lambda/2) Laplace + s)^-1."""
        scaled = self.fields.combine([(1.0 / self.weight, source)])
        return self.fields.resolvent(scaled, self.shift / self.weight, scale=self.size)

    def precondition(self, phi: Field, evaluation: Evaluation) -> Field:
        """The gradient without its part along phi."""
        return self.projected(phi, evaluation.gradient)

    def projected(self, phi: Field, u: Field) -> Field:
        return self.fields.combine([(1.0, u), (-self.fields.dot(u, phi) / self.electrons, phi)], scale=self.size)

    # the manifold

    def inner(self, phi: Field, u: Field, v: Field) -> float:
        return 2.0 * (self.weight * self.fields.kinetic(u, v) + self.shift * self.fields.dot(u, v))

    def combine(self, phi: Field, terms: Terms) -> Field:
        return self.projected(phi, self.fields.combine(terms, scale=self.size))

    def retract(self, phi: Field, u: Field, step: float) -> Field:
        return self.normalised(self.fields.combine([(1.0, phi), (step, u)]))

    def transport(self, phi: Field, y: Field, u: Field) -> Field:
        return self.projected(y, u)

    def normalised(self, phi: Field) -> Field:
        """On the sphere of N electrons."""
        return self.fields.combine([(np.sqrt(self.electrons / self.fields.dot(phi, phi)), phi)])
