"""Degenerate pairs: which rotation leaves a field as it is, and states of definite angular momentum."""

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.basis import parity_generators
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.pairs import axis_of, circular_functions
from problems.quantum.hamiltonians.oscillator import harmonic_values
from problems.quantum.readers.shipped import load_force_field


def _of(terms, w):
    field = ForceField("made", "cm-1", np.array(w), terms)
    return axis_of(field, parity_generators(field))


def test_acetonitrile_has_a_threefold_axis():
    field = load_force_field("acetonitrile")
    axis = axis_of(field, parity_generators(field))
    assert axis is not None and axis.fold == 3 and axis.pairs == ((4, 5), (6, 7), (8, 9), (10, 11))
    assert axis.mirror == {5, 7, 9, 11} and axis.broken < 1e-6
    # the field itself, turned by 120 degrees
    q = np.random.default_rng(0).standard_normal((5, 12))
    turned = q.copy()
    for s, (a, b) in zip(axis.signs, axis.pairs):
        z = (q[:, a] + 1j * q[:, b]) * np.exp(2j * np.pi / 3 * s)
        turned[:, a], turned[:, b] = z.real, z.imag
    np.testing.assert_allclose(field.potential(turned), field.potential(q), rtol=1e-6)


def test_a_pair_may_turn_the_other_way():
    """Re(z1 z2) and Re z1^3: with z2 conjugate to z1 the signs differ."""
    cubic = {(0, 0, 0): 50.0, (0, 1, 1): -150.0, (2, 2, 2): 50.0, (2, 3, 3): -150.0}
    bilinear = {(0, 0, 0, 2): 10.0, (0, 1, 1, 2): 10.0, (0, 0, 1, 3): -10.0, (1, 1, 1, 3): -10.0}
    axis = _of(cubic | bilinear, [1000.0, 1000.0, 700.0, 700.0])
    assert axis is not None and axis.signs == (1, -1)


def test_linear_fields_turn_by_any_angle_and_others_by_none():
    round_ = {(0, 1, 1): 30.0, (0, 2, 2): 30.0, (1, 1, 1, 1): 4.0, (1, 1, 2, 2): 8.0, (2, 2, 2, 2): 4.0}
    axis = _of(round_, [2000.0, 600.0, 600.0])
    assert axis is not None and axis.fold == 0 and axis.charge([2]) == 2
    assert _of({(0, 1, 1): 30.0, (0, 2, 2): -20.0, (1, 1, 1): 3.0}, [2000.0, 600.0, 600.0]) is None
    assert _of({(0, 0, 0): 3.0}, [2000.0, 600.0]) is None


@pytest.mark.parametrize("n", [1, 2, 5])
def test_circular_functions_are_orthonormal_and_have_their_l(n):
    names, rows = circular_functions(n)
    flat = rows.reshape(len(names), -1)
    np.testing.assert_allclose(flat @ flat.conj().T, np.eye(len(names)), atol=1e-12)
    # a turn of the axes by an angle multiplies each by exp(i l angle): on functions of x, y that is seen on a circle
    angle, rho = 0.7, 1.3

    def at(phi):
        x, y = (harmonic_values(n, np.array([rho * f(phi)]))[:, 0] for f in (np.cos, np.sin))
        return np.einsum("rij,i,j->r", rows.conj(), x, y)

    expected = at(0.2) * np.exp(1j * angle * np.array([l for _, l in names]))
    np.testing.assert_allclose(at(0.2 + angle), expected, atol=1e-12)
