"""VPT2 against closed forms, printed values of other programs, and sums over states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.quantum.hamiltonians.force_field.basis import harmonic_functions
from problems.quantum.hamiltonians.force_field.effective import Effective, circular_levels, shared
from problems.quantum.hamiltonians.force_field.field import ForceField, of_derivatives
from problems.quantum.hamiltonians.force_field.operators import operator, product_terms
from problems.quantum.hamiltonians.force_field.rotation import INVERSE_INERTIA, Rotation
from problems.quantum.hamiltonians.force_field.vpt2 import fermi, principal, unfit, vpt2
from problems.quantum.readers.shipped import load_force_field

# H2O, MP2/aug-cc-pVDZ: reduced derivatives, rotational constants and zeta as Gaussian 09 prints them (HOH_freq.log of
# the public repository McCoyGroup/Psience), and the transitions that it finds from these
WATER = {
    (1, 1, 2): -1813.7967,
    (1, 1, 3): -254.69741,
    (2, 2, 2): -1830.38899,
    (2, 2, 3): -69.54282,
    (2, 3, 3): 292.28043,
    (3, 3, 3): 258.7102,
    (1, 1, 1, 1): 760.45022,
    (1, 1, 2, 2): 763.20749,
    (1, 1, 2, 3): 119.83872,
    (1, 1, 3, 3): -369.96087,
    (2, 2, 2, 2): 769.13715,
    (2, 2, 2, 3): 55.32828,
    (2, 2, 3, 3): -301.62311,
    (2, 3, 3, 3): -163.3789,
    (3, 3, 3, 3): -28.18202,
}
WATER_B = (14.461581, 9.361167, 26.553255)
PRINTED = {
    (1, 0, 0): 3744.734,
    (0, 1, 0): 3621.994,
    (0, 0, 1): 1572.707,
    (2, 0, 0): 7391.391,
    (0, 2, 0): 7155.881,
    (0, 0, 2): 3117.366,
    (1, 1, 0): 7200.364,
    (1, 0, 1): 5294.379,
    (0, 1, 1): 5174.665,
}


def water():
    return of_derivatives("water", [3937.52464, 3803.29958, 1622.30303], WATER)


def water_rotation():
    zeta = np.zeros((3, 3, 3))
    zeta[1, 0, 1], zeta[1, 0, 2] = 0.00960228, -0.999954
    return Rotation(np.diag(0.5 * INVERSE_INERTIA / np.array(WATER_B)), zeta - zeta.transpose(0, 2, 1))


def test_water_as_gaussian_prints_it():
    found = vpt2(water(), water_rotation())
    levels = found.levels(np.array(list(PRINTED)))
    np.testing.assert_allclose(levels, list(PRINTED.values()), atol=6e-3)
    assert found.zero_point == pytest.approx(4605.953, abs=1e-3) and not found.resonances


def test_one_mode_is_that_of_a_morse_oscillator():
    """V = D (1 - exp(-a q))^2 to fourth order: second order is exact, w (v + 1/2) - x (v + 1/2)^2."""
    w, D = 1000.0, 12000.0
    a = np.sqrt(w / (2.0 * D))
    field = of_derivatives("Morse", [w], {(1, 1, 1): -6.0 * D * a**3, (1, 1, 1, 1): 14.0 * D * a**4})
    found = vpt2(field)
    x = w * w / (4.0 * D)
    v = np.arange(6)
    np.testing.assert_allclose(found.levels(v[:, None]), w * v - x * ((v + 0.5) ** 2 - 0.25), atol=1e-9)
    assert found.zero_point == pytest.approx(w / 2 - x / 4, abs=1e-9)


def _random(seed, d=3, small=0.02):
    rng = np.random.default_rng(seed)
    w = np.sort(rng.uniform(800.0, 3000.0, d))[::-1]
    terms = {}
    for i in range(d):
        for j in range(i, d):
            for k in range(j, d):
                terms[i, j, k] = small * 1000.0 * rng.standard_normal()
                for l in range(k, d):
                    terms[i, j, k, l] = small**2 * 3000.0 * rng.standard_normal()
    return ForceField("random", "cm-1", w, terms)


def _rotation(seed, d=3):
    rng = np.random.default_rng(seed)
    zeta = rng.standard_normal((3, d, d))
    inertia = rng.standard_normal((3, 3))
    return Rotation(inertia @ inertia.T + np.eye(3), 0.3 * (zeta - zeta.transpose(0, 2, 1)))


@given(st.integers(0, 2**20), st.lists(st.integers(0, 3), min_size=3, max_size=3))
@settings(max_examples=6, deadline=None)
def test_formulas_are_the_sums_over_states(seed, quanta):
    field, rotation = _random(seed), _rotation(seed)
    found = vpt2(field, rotation)
    sums = Effective(field, rotation, found.resonances)
    ground, level = (float(sums.matrix([tuple(v)])[0, 0]) for v in ([0, 0, 0], quanta))
    assert level - ground == pytest.approx(found.levels(np.array([quanta]))[0], abs=1e-8)
    if not found.resonances:
        pseudo = 0.25 * sum(b for b, _ in principal(rotation))  # of the pseudo-potential, a constant
        assert ground - pseudo == pytest.approx(found.zero_point, abs=1e-8)


def test_second_order_is_what_a_small_anharmonicity_leaves():
    """Against the exact levels of a weak field: what is missing is of fourth order."""

    def error(small):
        field = _random(3, 2, small)
        bases = harmonic_functions(field, [14, 14], np.zeros(2, dtype=np.int64))
        exact = np.linalg.eigvalsh(operator(product_terms(field, bases, [0, 1])).full())[:4]
        found = vpt2(field)
        quanta = np.array([[0, 0], [0, 1], [1, 0], [0, 2]])
        return np.max(np.abs(exact - np.sort(found.levels(quanta) + found.zero_point)))

    # the cubic terms of first, the quartic ones of second order in ``small``
    assert error(0.004) < 0.05 and 12.0 < error(0.008) / error(0.004) < 20.0


def test_a_resonance_is_taken_out_and_named():
    field = of_derivatives("Fermi", [1300.0, 660.0], {(1, 2, 2): 150.0, (1, 1, 1, 1): 5.0})
    found = vpt2(field)
    (one,) = found.resonances
    assert (one.i, one.j, one.k) == (1, 1, 0) and one.distance == pytest.approx(20.0)
    assert one.touches([1, 0]) and one.touches([0, 2]) and not one.touches([0, 1])
    assert np.abs(found.levels(np.eye(2)) - [1300.0, 660.0]).max() < 20.0
    weak = of_derivatives("weak", [1300.0, 660.0], {(1, 2, 2): 5.0})
    assert not fermi(weak, np.zeros((2, 2, 2))) and not vpt2(weak).resonances


def test_fields_without_normal_coordinates_are_unfit():
    bent = ForceField("bent", "cm-1", np.array([1000.0, 1500.0]), {(0,): 3.0})
    coupled = ForceField("coupled", "cm-1", np.array([1000.0, 1500.0]), {(0, 1): 3.0})
    assert "minimum" in unfit(bent) and "second order" in unfit(coupled) and unfit(water()) == ""
    with pytest.raises(ValueError, match="second order"):
        vpt2(coupled)


def test_degenerate_quanta_split_by_l():
    """Acetonitrile's 2nu8: l = 2 twice and l = 0, and the group of one quantum stays degenerate."""
    field = load_force_field("acetonitrile")
    sums = Effective(field, None, ())
    pairs = ((4, 5), (6, 7), (8, 9), (10, 11))
    bottom = sums.matrix([(0,) * 12])[0, 0]
    one = circular_levels(sums, [0] * 10 + [1, 0], pairs, {5, 7, 9, 11})
    two = circular_levels(sums, [0] * 10 + [2, 0], pairs, {5, 7, 9, 11})
    assert len(shared([0] * 10 + [2, 0], pairs)) == 3
    assert one[0][0] == pytest.approx(one[1][0], abs=1e-6) and one[0][0] - bottom == pytest.approx(361.09, abs=0.01)
    assert [l[3] for _, l, _ in two] == [2, 2, 0]
    assert sorted(even for _, _, even in two) == [False, True, True] and two[2][2]  # xy; x^2 - y^2 and x^2 + y^2
    assert two[0][0] == pytest.approx(two[1][0], abs=1e-6) and two[2][0] - two[1][0] == pytest.approx(0.791, abs=0.01)
