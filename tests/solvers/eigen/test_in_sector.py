"""States in a sector against dense matrices and free fermions, by vectors over it and by block-sparse trains."""

import numpy as np
import pytest
from charged_cases import bosons, clock, free_fermions, levels, members, spin_chain, twisted_chain

from solvers.eigen import in_sector
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot
from solvers.methods import BlockDMRG, InverseIteration
from solvers.sectors.charges import Charge
from solvers.solution import NotConverged, Status

FIELDS = np.random.default_rng(3).standard_normal(8)
SPIN_Z = [0.5, -0.5]
CASES = {
    "spins": (lambda: spin_chain(5, 0.7, FIELDS[:5]), SPIN_Z, 0.5, None),
    "rounded": (lambda: spin_chain(5, 0.7, FIELDS[:5]).round(1e-14), SPIN_Z, -0.5, None),
    "complex": (lambda: twisted_chain(4, FIELDS[:4]), SPIN_Z, 0, None),
    "bosons": (lambda: bosons(4, 3, 2.0), range(3), 3, None),
    "clock": (lambda: clock(4, 0.6), range(3), 2, 3),
    "parity": (lambda: spin_chain(4, 0.7), [0, 1], 1, 2),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", [None, BlockDMRG()])
def test_the_levels_of_the_sector_alone(name, method):
    make, charges, value, modulus = CASES[name]
    h = make()
    own = members(charges, h.row_shape, value, modulus)
    exact = levels(h, own)[:2]
    found = eigsolve(h, 2, sector=Charge(charges, value, modulus), accuracy=1e-8, method=method)
    assert found.status is Status.CONVERGED and found.checked[-1].what == "charge"
    assert np.all(np.abs(found.value.energies - exact) <= np.maximum(found.value.errors, 1e-13))
    for x, energy, residual in zip(found.value.trains, found.value.energies, found.residual):
        vector = x.full().ravel()
        assert np.linalg.norm(np.delete(vector, own)) <= 1e-13
        off = np.linalg.norm(h.full() @ vector - energy * vector)
        assert abs(off - residual) <= 0.02 * residual + 1e-12
    assert found.value.probe["completeness"].startswith("proved" if method is None else "searched")


def test_two_charges_at_once():
    up, down = [0, 1, 0, 1], [0, 0, 1, 1]
    c, one, sign = np.array([[0, 1.0], [0, 0]]), np.eye(2), np.diag([1.0, -1])
    a, b, p = np.kron(one, c), np.kron(c, sign), np.kron(sign, sign)  # up is the second factor
    n = np.diag(np.array(up) * np.array(down)).astype(float)
    stack = np.array([np.eye(4), a.T @ p, a, b.T @ p, b, p @ a, a.T, p @ b, b.T, n])
    terms = [(3.0, {k: 9}) for k in range(4)]
    for k in range(3):
        terms += [(-1.0, {k: i, k + 1: i + 1}) for i in (1, 3)] + [(-1.0, {k: i, k + 1: i + 1}) for i in (5, 7)]
    h = sum_of_products([stack] * 4, terms)
    codes = np.array(up) + 10 * np.array(down)
    exact = levels(h, members(codes, h.row_shape, 12))[:3]
    found = eigsolve(h, 3, sector=[Charge(up, 2), Charge(down, 1)], accuracy=1e-9)
    np.testing.assert_allclose(found.value.energies, exact, atol=1e-12)
    assert [look.what for look in found.checked][-2:] == ["charge", "charge"]


def test_the_upper_end_and_levels_near_a_number():
    h = spin_chain(8, 0.7, FIELDS)
    w = levels(h, members(SPIN_Z, h.row_shape, 1))
    sector = Charge(SPIN_Z, 1)
    top = eigsolve(h, 3, which="largest", sector=sector, accuracy=1e-9)
    np.testing.assert_allclose(top.value.energies, w[::-1][:3], atol=1e-12)
    near = eigsolve(h, 3, target=0.3, sector=sector, accuracy=1e-9)
    np.testing.assert_allclose(near.value.energies, np.sort(w[np.argsort(np.abs(w - 0.3))[:3]]), atol=1e-12)
    assert near.value.probe["completeness"] == "proved"


def test_free_fermions_where_no_vector_of_the_whole_space_fits():
    """40 sites with two spins up: 780 product functions of 2^40."""
    found = eigsolve(spin_chain(40, 0.0), 4, sector=Charge(SPIN_Z, -18), accuracy=1e-10)
    np.testing.assert_allclose(found.value.energies, free_fermions(40, 2, 4), atol=1e-12)
    assert found.value.probe["completeness"] == "proved" and found.counts["functions"] == 780


@pytest.mark.slow
@pytest.mark.parametrize(("sites", "sz", "n"), [(20, 0, 3), (24, 2, 2), (40, 1, 2)])
def test_free_fermions_by_trains(sites, sz, n):
    found = eigsolve(spin_chain(sites, 0.0), n, sector=Charge(SPIN_Z, sz), accuracy=1e-8)
    np.testing.assert_allclose(found.value.energies, free_fermions(sites, sites // 2 + sz, n), atol=1e-8)


def test_states_are_orthonormal_and_in_the_functions_of_the_operator():
    h = bosons(4, 4, 2.0)
    found = eigsolve(h, 3, sector=Charge(range(4), 4), accuracy=1e-9)
    gram = np.array([[dot(x, y) for y in found.value.trains] for x in found.value.trains])
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-6)
    assert found.value.trains[0].shape == h.row_shape


def test_what_a_sector_cannot_be_asked(monkeypatch):
    h = spin_chain(4)
    sector = Charge(SPIN_Z, 1)
    refused = [
        ({"sector": Charge(SPIN_Z, 0.5)}, "no product function has the charge 0.5"),
        ({"sector": Charge([0, 1, 2], 1)}, "mode 0 has 2 functions"),
        ({"sector": "Sz"}, "give a Charge"),
        ({"sector": []}, "0 charges are given"),
        ({"sector": sector, "mass": h}, "excludes mass"),
        ({"sector": sector, "method": InverseIteration()}, "BlockDMRG"),
        ({"sector": sector, "n_states": 5}, "the sector has 4 product functions"),
    ]
    for options, told in refused:
        n = options.pop("n_states", 1)
        with pytest.raises(ValueError, match=told) as caught:
            eigsolve(h, n, **options)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr(in_sector, "FACTORS", 2)
    with pytest.raises(ValueError, match="up to 2 product functions; this has 4"):
        eigsolve(h, 1, target=0.0, sector=sector)


def test_what_does_not_meet_the_accuracy_says_so():
    with pytest.raises(NotConverged):
        method = BlockDMRG(max_rank=3, sweeps=3)
        eigsolve(spin_chain(7, 0.7, FIELDS[:7]), 1, sector=Charge(SPIN_Z, 0.5), method=method, accuracy=1e-8)


def test_it_goes_on_from_its_checkpoint(tmp_path):
    told, h = [], spin_chain(4, 0.7, FIELDS[:4])
    question = {"sector": Charge(SPIN_Z, 0), "method": BlockDMRG(), "accuracy": 1e-6, "checkpoint": tmp_path / "c"}
    first = eigsolve(h, 1, callback=told.append, **question)
    again = eigsolve(h, 1, **question)
    assert told and np.array_equal(first.value.energies, again.value.energies)
