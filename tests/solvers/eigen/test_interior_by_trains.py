"""Levels nearest to a number where no vector over the whole space is kept: no Ritz value between levels is one."""

import numpy as np
import pytest
from charged_cases import spin_chain

from solvers.eigen import asked
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.sum_of_products import sum_of_products


@pytest.fixture(autouse=True)
def only_trains(monkeypatch):
    monkeypatch.setattr(asked, "_by_vectors", lambda *_: None)
    monkeypatch.setattr(asked, "by_sums", lambda *_: None)


def nearest(w, target, n):
    return np.sort(w[np.argsort(np.abs(w - target))[:n]])


def test_levels_inside_the_spectrum_of_a_chain():
    """Rayleigh-Ritz alone stays at a value 0.02 from any level here."""
    h = spin_chain(6, 1.0, np.random.default_rng(0).standard_normal(6))
    found = eigsolve(h, 3, target=0.3, accuracy=1e-7)
    assert found.status.name == "CONVERGED" and found.value.errors.max() <= 1e-7
    off = np.abs(found.value.energies - nearest(np.linalg.eigvalsh(h.full()), 0.3, 3))
    assert np.all(off <= found.value.errors)


def test_sums_of_parts():
    parts = np.random.default_rng(5).uniform(0, 1, (3, 4))
    h = sum_of_products([np.array([np.eye(4), np.diag(x)]) for x in parts], [(1.0, {k: 1}) for k in range(3)])
    w = np.add.outer(np.add.outer(*parts[:2]), parts[2]).ravel()
    found = eigsolve(h, 2, target=1.4, accuracy=1e-7)
    np.testing.assert_allclose(found.value.energies, nearest(w, 1.4, 2), atol=1e-7)
