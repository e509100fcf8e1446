"""From Cartesian derivatives to a molecule: the product rule of isotopes, symmetry, what does not fit."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_potential import AMMONIA, WATER, derivatives, packed

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.basis import parity_generators
from problems.quantum.hamiltonians.force_field.cartesian import (
    CartesianField,
    masses_of,
    molecule_from,
    symmetric,
    violations,
)
from problems.quantum.hamiltonians.force_field.elements import SYMBOLS, symbol
from problems.quantum.hamiltonians.force_field.geometry import ELECTRONS, HARTREE
from problems.quantum.hamiltonians.force_field.isotopes import MASSES, mass_of

KEY = "problem.force_field"


def cartesian(shape=WATER, turn=None, noise=0.0) -> CartesianField:
    symbols, positions = shape
    positions = positions if turn is None else positions @ turn.T
    tensors = derivatives(positions)
    if noise:
        rng = np.random.default_rng(7)
        flat = [np.array(packed(t)) + rng.normal(0.0, noise, len(packed(t))) for t in tensors]
        tensors = tuple(symmetric(f, positions.size, n) for n, f in zip((2, 3, 4), flat))
    return CartesianField("made up", symbols, masses_of(symbols), positions, tensors)


def turned(seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


def alike(one, other, digits=1e-5) -> bool:
    """Whether two fields differ by signs of the coordinates only."""
    a, b = dict(one.terms), dict(other.terms)
    for signs in product((1.0, -1.0), repeat=one.d):
        if all(abs(a.get(m, 0.0) * np.prod([signs[k] for k in m]) - b.get(m, 0.0)) < digits for m in {*a, *b}):
            return True
    return False


def test_masses_are_those_of_elements() -> None:
    assert [symbol(z) for z in (1, 6, 26, 54, 83)] == ["H", "C", "Fe", "Xe", "Bi"]
    assert mass_of("c") == 12.0 and mass_of("D") == pytest.approx(2.014101778) and mass_of("Q") is None
    rising = [MASSES[s] for s in SYMBOLS if s in MASSES]
    assert sum(b < a for a, b in pairwise(rising)) <= 4  # K after Ar, Ni after Co, I after Te and the like


def test_a_symmetric_array_has_its_elements_where_they_are_listed() -> None:
    tensor = np.random.default_rng(1).normal(size=(4, 4, 4))
    whole = sum(np.transpose(tensor, p) for p in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
    assert symmetric(np.array(packed(whole)), 4, 3) == pytest.approx(whole)


def test_the_field_is_the_energy_along_the_modes() -> None:
    given_, molecule = cartesian(), molecule_from(cartesian(), KEY)
    field, modes = molecule.field, molecule.vectors
    assert molecule.notes == () and modes is not None
    q = np.array([0.3, -0.2, 0.4])
    scale = np.sqrt(given_.masses[None, :, None] * ELECTRONS * field.frequencies[:, None, None] / HARTREE)
    x = np.tensordot(q, modes / scale, 1).ravel()
    d2, d3, d4 = given_.derivatives
    energy = x @ d2 @ x / 2.0 + x @ (d3 @ x) @ x / 6.0 + x @ (d4 @ x @ x) @ x / 24.0
    assert field.potential(q) == pytest.approx(HARTREE * energy, rel=1e-9)
    assert np.all(np.diff(field.frequencies) < 0.0)


@settings(max_examples=10)
@given(st.lists(st.floats(1.0, 30.0), min_size=3, max_size=3))
def test_isotopologues_obey_the_product_rule(masses: list[float]) -> None:
    # Redlich, Z. Phys. Chem. B 28, 371 (1935)
    light = molecule_from(cartesian(), KEY)
    heavy = molecule_from(cartesian().with_masses(dict(enumerate(masses, start=1)), KEY), KEY)

    def size(molecule) -> float:
        m = molecule.geometry.masses
        moments = np.prod(np.linalg.eigvalsh(molecule.geometry.inertia))
        return float(np.prod(molecule.field.frequencies) ** 2 * np.prod(m) ** 3 / m.sum() ** 3 / moments)

    assert size(heavy) == pytest.approx(size(light), rel=1e-9)
    assert heavy.field.name.startswith("made up, masses 1: ")


@settings(max_examples=4)
@given(st.integers(0, 10**6))
def test_degenerate_modes_point_along_the_symmetry_however_the_molecule_lies(seed: int) -> None:
    straight = molecule_from(cartesian(AMMONIA), KEY)
    turned_ = molecule_from(cartesian(AMMONIA, turned(seed), noise=1e-9), KEY)
    for molecule in (straight, turned_):
        assert len(parity_generators(molecule.field)) == 1  # a mirror plane: of two partners one is odd
    assert turned_.field.frequencies == pytest.approx(straight.field.frequencies, abs=1e-2)
    assert molecule_from(cartesian(AMMONIA, turned(seed), noise=1e-9), KEY).field.terms == turned_.field.terms


def test_pairs_stay_as_they_are_where_round_off_mixes_them() -> None:
    one = molecule_from(cartesian(AMMONIA), KEY)
    other = molecule_from(cartesian(AMMONIA, noise=1e-11), KEY)
    assert alike(one.field, other.field, 1e-3)
    assert one.vectors == pytest.approx(other.vectors, abs=1e-5)


def test_an_energy_that_place_and_direction_leave_alone_is_known_for_one() -> None:
    given_ = cartesian(AMMONIA)
    assert max(max(sizes) for sizes in violations(given_).values()) < 1e-12
    tensors = list(given_.derivatives)
    tensors[1] = tensors[1].copy()
    tensors[1][0, 0, 0] += 0.01 * np.abs(tensors[1]).max()
    worse = CartesianField("worse", given_.symbols, given_.masses, given_.positions, tuple(tensors))
    assert violations(worse)[3][0] == pytest.approx(0.01, rel=0.1)
    assert any("moves or turns" in note for note in molecule_from(worse, KEY).notes)


def test_what_symmetry_forbids_is_left_out_or_kept_and_said() -> None:
    assert any("less symmetric" in note for note in molecule_from(cartesian(noise=1e-4), KEY).notes)


@pytest.mark.parametrize("wrong", ["units", "molecule", "saddle", "masses", "atom"])
def test_what_does_not_fit_is_refused(wrong: str) -> None:
    given_ = cartesian()
    positions, tensors, masses = given_.positions, given_.derivatives, given_.masses
    if wrong == "units":  # derivatives in other axes
        tensors = derivatives(positions @ turned(3).T)
    elif wrong == "molecule":
        positions = positions[::-1].copy()
    elif wrong == "saddle":
        tensors = (-tensors[0], *tensors[1:])
    elif wrong == "masses":
        masses = np.array([np.nan, 1.0, np.nan])
    told = {"saddle": "frequencies are not positive", "masses": "the masses of atoms 1, 3", "atom": "no atom 4"}
    with pytest.raises(ProblemError, match=told.get(wrong, "not those of this geometry")):
        changed = CartesianField("x", given_.symbols, masses, positions, tensors)
        molecule_from(changed.with_masses({4: 2.0} if wrong == "atom" else {}, KEY), KEY)
