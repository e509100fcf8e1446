"""Parametric systems: what is refused, and the solves at single points."""

from dataclasses import replace

import numpy as np
import pytest
from parametric_cases import dense_solution, diffusion
from scipy.sparse import csr_array


def test_solves_are_those_of_the_dense_system():
    system = diffusion(d=2, loads=2)
    exact = dense_solution(system)
    points = np.array([[0, 0], [3, 1], [2, 2]])
    assert np.allclose(system.solve(points), exact[:, points[:, 0], points[:, 1]].T, rtol=1e-11)


def test_what_is_refused():
    system = diffusion()
    lopsided = system.matrices[0].toarray()
    lopsided[0, 1] += 1.0
    changes = [
        ({"matrices": (csr_array(lopsided), *system.matrices[1:])}, "not symmetric"),
        ({"matrices": (csr_array(np.eye(3)), *system.matrices[1:])}, "must be"),
        ({"factors": system.factors[:2]}, "one entry a parameter"),
        ({"factors": (system.factors[0][:, :2], *system.factors[1:])}, "do not fit"),
        ({"weights": (2 * system.weights[0], *system.weights[1:])}, "sum one"),
        ({"loads": np.full_like(system.loads, np.nan)}, "loads"),
    ]
    for change, message in changes:
        with pytest.raises(ValueError, match=message):
            replace(system, **change)


def test_a_solution_that_is_not_finite_is_refused():
    system = replace(diffusion(), exact=lambda points: np.full((len(points), 11), np.inf))
    with pytest.raises(ValueError, match="solution"):
        system.solve(np.zeros((1, 3), dtype=int))
