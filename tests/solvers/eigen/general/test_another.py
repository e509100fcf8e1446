"""The search for a second stationary state: found where there is one; where there is none, the slowest rate."""

import re

import generators
import numpy as np
import pytest

from solvers.eigen.general import another
from solvers.eigen.general import stationary as module
from solvers.eigen.general.stationary import stationary
from solvers.formats.trains.construct import ones
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.formats.trains.tensor_train import dot


def facilitated(n: int, up: float = 0.3) -> TTOperator:
    """A spin flips next to an excited one only: nothing enters or leaves the state without excited ones."""
    flip = up * (generators.UP - generators.EMPTY) + (1.0 - up) * (generators.DOWN - generators.FULL)
    stack = np.array([generators.ONE, flip, generators.FULL])
    terms = [(1.0, {k: 1, j: 2}) for k in range(n) for j in (k - 1, k + 1) if 0 <= j < n]
    return sum_of_products([stack] * n, terms)


@pytest.mark.parametrize("operator", [facilitated(7), generators.exchange(20), generators.epidemic(5)])
def test_a_second_state_is_found(operator, monkeypatch) -> None:
    """By what a disturbance becomes, without a look at conserved products."""
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    monkeypatch.setattr(another, "conserved_product", lambda *_: None)
    with pytest.raises(ValueError, match="not unique: a search found another"):
        stationary(operator, accuracy=1e-6)


@pytest.mark.parametrize(
    ("operator", "gap"),
    [
        (generators.exclusion(8), 0.10467),
        (generators.glauber(8, 2.0), abs(generators.glauber_eigenvalues(8, 2, 2.0)[1])),
    ],
)
def test_the_slowest_rate_is_about_what_is_said(operator, gap, monkeypatch) -> None:
    monkeypatch.setattr(module, "LARGEST_FACTORS", 0)
    found = stationary(operator)
    said = re.search("next eigenvalue about (.*) from zero", found.extra["unique"])
    assert said and float(said[1]) == pytest.approx(gap, rel=0.3)


def test_a_disturbance_keeps_the_mass_and_is_no_multiple() -> None:
    rng = np.random.default_rng(3)
    mass = ones((3, 2, 4))
    for weights in (mass, mass + ones((3, 2, 4)) * another.rank_one([rng.random(n) for n in (3, 2, 4)])):
        q = another.disturbed(weights, rng)
        assert dot(weights, q) == pytest.approx(1.0, abs=1e-13)
        apart = q - weights * (dot(weights, q) / weights.norm() ** 2)
        assert 0.1 < apart.norm() / q.norm() < 0.95
