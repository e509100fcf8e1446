"""Counts of levels in a window, by each route, with errors that hold."""

import numpy as np
import pytest

from solvers import checkpoint
from solvers.eigen import count_levels as module
from solvers.eigen import explicit
from solvers.eigen.count_levels import count_levels
from solvers.formats.trains.construct import identity_operator, kronecker_sum, operator_tt_svd
from solvers.formats.trains.sum_of_products import sum_of_products

Z, X = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])


def chain(n: int):
    terms: list = [(-1.0, {k: 1, k + 1: 1}) for k in range(n - 1)] + [(-1.2, {k: 2}) for k in range(n)]
    return sum_of_products([np.array([np.eye(2), Z, X])] * n, terms)


def test_by_slicing_and_by_random_vectors(monkeypatch) -> None:
    h = chain(8)
    w = np.linalg.eigvalsh(h.full())
    exact = int(np.sum((w >= -6.0) & (w < 1.03)))
    found = count_levels(h, -6.0, 1.03)
    assert (found.count, found.error) == (exact, 0.0) and found.how.startswith("spectral slicing")
    assert count_levels(h, -np.inf, np.inf).count == 256
    monkeypatch.setattr(explicit, "SMALL", 0)
    monkeypatch.setattr(explicit, "DENSE", 0)
    sampled = count_levels(h, -6.0, 1.03, samples=20)
    assert 0.0 < sampled.error < 0.1 * exact and abs(sampled.count - exact) < 3.0 * sampled.error
    assert count_levels(h, 100.0, 101.0).count == 0
    fewer = count_levels(h, -6.0, 1.03, samples=3, rng=np.random.default_rng(1))
    assert fewer.count != sampled.count
    monkeypatch.setattr(module, "LARGEST", 10)
    with pytest.raises(ValueError, match="cannot be counted"):
        count_levels(h, -6.0, 1.03)


def test_sums_in_a_huge_space() -> None:
    free = kronecker_sum([np.diag([0.0, 1.0])] * 30)
    assert count_levels(free, 0.5, 3.5).count == 30 + 435 + 4060


def test_refusals_are_one_line() -> None:
    h = kronecker_sum([np.diag([0.0, 1.0])] * 3)
    with pytest.raises(ValueError, match=r"1\.0 is an eigenvalue"):
        count_levels(h, 1.0, 2.5)
    with pytest.raises(ValueError, match="empty"):
        count_levels(h, 2.0, 2.0)
    with pytest.raises(ValueError, match="empty"):
        count_levels(h, np.nan, 2.0)
    with pytest.raises(ValueError, match="samples"):
        count_levels(h, 0.5, 2.5, samples=1)
    with pytest.raises(ValueError, match="not Hermitian"):
        count_levels(operator_tt_svd(np.arange(16.0).reshape(2, 2, 2, 2)), 0.0, 1.0)
    assert count_levels(identity_operator((2, 2)), 0.5, 1.5).count == 4


def test_a_count_that_was_stopped_goes_on(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(explicit, "SMALL", 0)
    monkeypatch.setattr(explicit, "DENSE", 0)
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)

    def counted(**options):
        return count_levels(chain(6), -6.0, 1.03, samples=4, **options)

    told: list[int] = []

    def leave(state) -> None:
        told.append(state.step)
        if state.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        counted(callback=leave, checkpoint=tmp_path / "count.npz")
    again = counted(callback=lambda state: told.append(state.step), checkpoint=tmp_path / "count.npz")
    assert told == [1, 2, 3, 4] and again == counted()


def test_an_exact_count_is_told_once() -> None:
    told: list[str] = []
    count_levels(chain(4), -6.0, 1.03, callback=lambda state: told.append(state.label))
    assert len(told) == 1 and told[0].startswith("spectral slicing")
