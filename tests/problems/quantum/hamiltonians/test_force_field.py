"""Force fields: the two models and the shipped file."""

import pickle

import numpy as np
import pytest

from problems.quantum.hamiltonians.force_field.field import ForceField, coupled_oscillators, henon_heiles
from problems.quantum.readers.shipped import load_force_field, shipped


def test_acetonitrile_has_the_published_constants():
    field = load_force_field("acetonitrile")
    assert shipped() == ["acetonitrile"]
    assert (field.d, field.order, field.unit) == (12, 4, "cm-1")
    assert sum(len(modes) == 3 for modes in field.terms) == 108
    assert sum(len(modes) == 4 for modes in field.terms) == 191
    assert list(field.frequencies) == [3065, 2297, 1413, 920, 3149, 3149, 1487, 1487, 1061, 1061, 361, 361]
    # phi / product(multiplicity!)
    assert field.terms[0, 0, 0] == pytest.approx(-1056 / 6)
    assert field.terms[0, 0, 1] == pytest.approx(-21.1 / 2)
    assert field.terms[10, 10, 11, 11] == pytest.approx(6.4336 / 4)


def test_acetonitrile_conserves_exactly_one_parity():
    odd = np.array([np.bincount(modes, minlength=12) % 2 for modes in load_force_field("acetonitrile").terms])
    signs = np.zeros(12, dtype=int)
    signs[[5, 7, 9, 11]] = 1
    assert not np.any(odd @ signs % 2)
    # rank over GF(2) of the parities of all terms: 11, so that one solution remains
    rank, rows = 0, [int("".join(map(str, row)), 2) for row in odd]
    while rows:
        pivot = max(rows)
        if pivot == 0:
            break
        rank += 1
        top = pivot.bit_length()
        rows = [row ^ pivot if row.bit_length() == top and row else row for row in rows if row is not pivot]
        rows = [row for row in rows if row]
    assert rank == 11


def test_models():
    field = coupled_oscillators(3, 0.1)
    np.testing.assert_allclose(field.frequencies, np.sqrt([0.5, 1.0, 1.5]))
    assert dict(field.terms) == {(0, 1): 0.1, (0, 2): 0.1, (1, 2): 0.1}
    field = henon_heiles(3, 0.3)
    q = np.array([0.2, -0.4, 0.9])
    cubic = 0.3 * (q[0] ** 2 * q[1] - q[1] ** 3 / 3 + q[1] ** 2 * q[2] - q[2] ** 3 / 3)
    assert field.potential(q) == pytest.approx(0.5 * q @ q + cubic, rel=1e-14)


def test_a_field_travels_to_other_processes_and_cannot_be_changed():
    field = load_force_field("acetonitrile")
    copy = pickle.loads(pickle.dumps(field))
    assert copy.terms == field.terms and np.array_equal(copy.frequencies, field.frequencies)
    with pytest.raises(TypeError):
        copy.terms[(0, 0, 0)] = 1.0
    with pytest.raises(ValueError):
        copy.frequencies[0] = 1.0


@pytest.mark.parametrize(
    ("frequencies", "terms"),
    [
        ([1.0, -1.0], {}),
        ([np.nan], {}),
        ([], {}),
        ([1.0], {(0, 1): 1.0}),
        ([1.0, 1.0], {(1, 0): 1.0}),
        ([1.0], {(0,): np.inf}),
    ],
)
def test_a_field_made_in_python_is_checked(frequencies, terms):
    with pytest.raises(ValueError):
        ForceField("bad", "cm-1", np.array(frequencies), terms)
