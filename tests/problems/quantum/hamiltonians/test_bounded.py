"""Force fields in coordinates that end: their derivatives, matrices, levels, and what these move by."""

from __future__ import annotations

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field import basis as modes_
from problems.quantum.hamiltonians.force_field.bounded import bounded_space, hole_within
from problems.quantum.hamiltonians.force_field.field import ForceField, bounded, with_rotation
from problems.quantum.hamiltonians.force_field.keys import Basis
from problems.quantum.hamiltonians.force_field.on_grid import on_grid
from problems.quantum.hamiltonians.force_field.operators import product_terms
from problems.quantum.hamiltonians.force_field.primitives import Primitive, fitted_bent, sinc_levels_bent
from problems.quantum.hamiltonians.force_field.rotation import Rotation
from solvers.eigen.eigsolve import small_space
from solvers.eigen.states import EigenStates

# of water: a bend that falls with either stretch
FIELD = ForceField(
    "bend",
    "cm-1",
    np.array([3800.0, 1622.0]),
    {(0, 0, 0): -305.0, (0, 1, 1): 146.0, (1, 1, 1): 43.0, (0, 0, 0, 0): 32.0, (0, 0, 1, 1): -75.0, (1,) * 4: -1.2},
)


def test_derivatives_to_fourth_order_are_those_of_the_field(g: float = 0.2) -> None:
    bent = bounded(FIELD, g)
    h = 2e-2
    for u in np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.6, -0.8]]):
        x = np.linspace(-5, 5, 21) * h
        own, other = (np.polynomial.polynomial.polyfit(x, f.potential(np.outer(x, u)), 8)[:5] for f in (FIELD, bent))
        np.testing.assert_allclose(own, other, rtol=2e-4, atol=0.05)
    assert bent.potential(np.array([30.0, -30.0])) > 0.0 > FIELD.potential(np.array([6.0, -12.0]))
    with pytest.raises(ValueError, match="already"):
        bounded(bent, g)


def test_powers_are_those_of_a_quadrature_of_their_own() -> None:
    nodes, weights = np.polynomial.hermite.hermgauss(80)
    functions = [np.pi**-0.25 * np.ones_like(nodes)]
    functions.append(np.sqrt(2.0) * nodes * functions[0])
    for v in range(1, 7):
        functions.append(np.sqrt(2.0 / (v + 1)) * nodes * functions[v] - np.sqrt(v / (v + 1)) * functions[v - 1])
    f, y = np.array(functions), np.tanh(0.2 * nodes) / 0.2
    primitive = Primitive(8, bend=0.2)
    for p, matrix in enumerate(primitive.powers()):
        np.testing.assert_allclose(matrix, (f * weights * y**p) @ f.T, atol=1e-9)
    kinetic = primitive.harmonic(primitive.powers()) - 0.5 * primitive.powers()[2]
    plain = Primitive(8)
    np.testing.assert_allclose(kinetic, plain.harmonic(plain.powers()) - 0.5 * plain.powers()[2], atol=1e-12)


def test_one_mode_levels_agree_with_those_on_points() -> None:
    P = np.array([0.0, 0.0, 811.0, 43.0, 20.0, 0.0, 0.0])
    chosen, levels, changes = fitted_bent(1622.0, P, 0.15, 8, 1e-6)
    other = sinc_levels_bent(1622.0, P, 0.15, float(levels[-1]) + 1e-3)
    assert chosen.bend == 0.15 and changes.max() <= 1e-6
    np.testing.assert_allclose(levels, other, atol=1e-6)


def test_levels_agree_with_a_grid_and_say_what_they_move_by() -> None:
    fields = [bounded(FIELD, g) for g in (0.16, 0.18)]
    space = bounded_space(fields[0], fields[1:], Basis(), "frequency", 4, 1e-3)
    solution = small_space(space.operator, 4, space.modes, accuracy=1e-3)
    assert solution is not None
    states: EigenStates = solution.value
    exact = [on_grid(field, 4, 0.05)["energies"] for field in fields]
    np.testing.assert_allclose(states.energies, exact[0], atol=0.05)
    moved = np.max([np.abs(e - exact[0]) for e in exact[1:]], axis=0)
    np.testing.assert_allclose(space.spread(4), moved, rtol=0.02, atol=0.1)
    judged = space.judge(states, None)
    assert np.all(judged.errors >= 0.9 * moved) and space.limits["other_bends"] == [0.18]
    assert any("what the field does not know" in text for text in judged.warnings)


def test_rotation_terms_stay_in_q() -> None:
    inertia = np.diag([0.6, 1.2, 1.8])
    zeta = np.zeros((3, 2, 2))
    zeta[2, 0, 1], zeta[2, 1, 0] = 0.6, -0.6
    rotation = Rotation(inertia, zeta, np.array([np.diag([0.4, 0.8, 1.2]), np.diag([0.8, -0.3, 0.5])]))
    bent = with_rotation(bounded(FIELD, 0.2), rotation, 1)
    assert bent.terms == bounded(FIELD, 0.2).terms and ((0, (1, 0)),) in bent.rotation
    bases = modes_.harmonic_functions(bent, [8, 8], np.zeros(2, dtype=np.int64))
    table = product_terms(bent, bases, [0, 1])
    plain = product_terms(with_rotation(FIELD, rotation, 1), modes_.harmonic_functions(FIELD, [8, 8], [0, 0]), [0, 1])
    assert table.matrices[0].shape[0] > plain.matrices[0].shape[0]
    np.testing.assert_allclose(bases[0].positions()[1], Primitive(8).powers()[1], atol=1e-12)


def test_a_g_that_leaves_the_hole_is_refused() -> None:
    assert hole_within(bounded(FIELD, 0.01)) is not None and hole_within(bounded(FIELD, 0.3)) is None
    with pytest.raises(ProblemError, match="too small"):
        bounded_space(bounded(FIELD, 0.01), [bounded(FIELD, 0.2)], Basis(functions=24), "frequency", 4, 1e-2)
