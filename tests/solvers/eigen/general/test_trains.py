"""``eig`` by trains where the answer is known: what the usual starts do not see, searches, checkpoints."""

import generators
import numpy as np
import pytest

from solvers.eigen import explicit
from solvers.eigen.general import trains
from solvers.eigen.general.eig import eig
from solvers.eigen.general.trains import Trains
from solvers.formats.trains.construct import identity_operator, tt_svd
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.solution import Status


@pytest.fixture(autouse=True)
def by_trains(monkeypatch):
    monkeypatch.setattr(explicit, "SMALL", 0)
    monkeypatch.setattr(explicit, "DENSE", 4)


def one_far_out(n: int, at: float, state: list[int]):
    """Damped spins that are coupled, and one product state raised to the eigenvalue ``at``, alone in its space."""
    loss = np.array([[0.0, 1.0], [0.0, 0.0]])
    stack = np.array([np.eye(2), -np.diag([0.0, 1.0]), loss, np.diag([1.0, 0.0]), np.diag([0.0, 1.0])])
    terms = [(1.0, {k: 1}) for k in range(n)] + [(0.4, {k: 1, k + 1: 2}) for k in range(n - 1)]
    return sum_of_products([stack] * n, [*terms, (at, {k: 3 + s for k, s in enumerate(state)})])


def test_the_list_of_a_chain() -> None:
    found = eig(generators.glauber(5), 2, accuracy=1e-8)
    exact = generators.glauber_eigenvalues(5, 2)
    off = np.abs(found.value.eigenvalues - exact)
    assert np.all(off <= found.value.errors) and found.value.errors.max() <= 1e-8
    assert found.value.completeness == "searched 1 times" and found.counts["searches"] == 1


@pytest.mark.slow  # 75 CPU s
def test_four_eigenvalues_of_fifty_spins_and_the_search_for_others() -> None:
    """Where the conditions are near 10,000 and a search must tell 0.1034 from 0.0924 to 1e-6."""
    found = eig(generators.glauber(50), 4, accuracy=1e-8)
    off = np.abs(found.value.eigenvalues - generators.glauber_eigenvalues(50, 4))
    assert off.max() <= 1e-12 and found.value.errors.max() <= 1e-8
    assert found.value.completeness.startswith("searched") and max(x.max_rank for x in found.value.left) <= 20


def test_trains_of_small_ranks_are_found_at_small_ranks() -> None:
    """Left eigenvectors of one magnon have rank 2, right ones the rank of Gibbs' state, 2, times that: the ranks on the
    way stay near, and the products of both are the right ones at once."""
    found = eig(generators.glauber(8), 2, accuracy=1e-8)
    exact = generators.glauber_eigenvalues(8, 2)
    assert np.all(np.abs(found.value.eigenvalues - exact) <= found.value.errors) and found.converged
    of_list = [state for state in found.history if state.label != "search"]
    assert max(state.max_rank for state in of_list) <= 8 and len(of_list) <= 9
    assert [state.label for state in of_list].count("right pass") <= 1


def test_what_the_first_list_lacks_is_found_by_the_search(monkeypatch) -> None:
    """The right iteration is begun, and kept, without the second pair: the left one, or the search, brings it in."""
    a = generators.glauber(4)
    w, left = np.linalg.eig(a.full().T)
    slow = left[:, np.argsort(-w.real)[1]].real  # the left vector of the second eigenvalue
    plain = Trains._subspace

    def blind(self, start, adjoint=False, pairs=None):
        space = plain(self, start, adjoint, pairs)
        if self.round == 1 and not adjoint:
            space.pairs = kept_off(space, slow)
            ritz = space._ritz

            def without(basis, loose):
                return ritz([off(x, slow) for x in basis], loose)

            space._ritz = without
        return space

    monkeypatch.setattr(Trains, "_subspace", blind)
    found = eig(a, 2, accuracy=1e-7, throw=False)
    assert found.counts["rounds"] > 1
    np.testing.assert_allclose(found.value.eigenvalues.real, generators.glauber_eigenvalues(4, 2), atol=1e-7)


def off(x, left):
    v = x.full().ravel()
    w = v - left * (left @ v) / (left @ left)
    return tt_svd(w.reshape(x.shape), 1e-14) / np.linalg.norm(w)


def kept_off(space, left):
    return space._ritz([off(x, left) for x in space.pairs.trains], 1e-3)


@pytest.mark.parametrize("state", [[1, 0, 1, 0, 1], [0, 0, 0, 1, 1]])
def test_a_state_that_nothing_leads_to_is_not_missed(state: list[int]) -> None:
    a = one_far_out(5, 2.5, state)
    found = eig(a, 2, accuracy=1e-7, throw=False)
    exact = np.linalg.eigvals(a.full())
    first = np.sort(-exact.real)[:2]
    assert np.abs(np.sort(-found.value.eigenvalues.real)[:2] - first).max() < 1e-6 or not found.converged


def test_inside_a_spectrum_that_is_not_normal() -> None:
    """Ritz values lie about a number wherever eigenvalues surround it; harmonic ones do not."""
    rng = np.random.default_rng(7003)
    shape = (3, 3, 2)
    stacks = [np.array([np.eye(n), *(rng.standard_normal((3, n, n, 2)) @ [1.0, 1.0j])]) for n in shape]
    terms = [(1.0, {0: 1}), (0.7, {1: 1}), (1.3, {2: 1}), (0.5, {0: 2, 1: 3}), (0.4, {1: 2, 2: 3})]
    a = sum_of_products(stacks, terms)
    found = eig(a, 1, which="SM", accuracy=1e-7)
    exact = np.linalg.eigvals(a.full())
    nearest = exact[np.argmin(np.abs(exact))]
    assert np.abs(found.value.eigenvalues - nearest).max() <= 1e-7
    assert found.value.completeness == "searched 1 times"


def test_residuals_go_on_to_what_the_conditions_ask_for(monkeypatch) -> None:
    monkeypatch.setattr(trains, "GOAL", 3e4)  # of the accuracy: far from enough
    found = eig(generators.glauber(4), 2, accuracy=1e-8)
    assert np.abs(found.value.eigenvalues - generators.glauber_eigenvalues(4, 2)).max() <= 1e-8


def test_what_was_not_searched_is_not_converged(monkeypatch) -> None:
    monkeypatch.setattr(trains, "MOST_CONDITION", 0.0)  # as of pairs in whose complement nothing can be found
    found = eig(generators.glauber(4), 1, accuracy=1e-7, throw=False)
    assert all(status is Status.CONVERGED for status in found.value.statuses)
    assert found.value.completeness == "not searched" and found.status is Status.ITERATION_LIMIT


def test_stopped_and_continued_to_the_same_pairs(tmp_path) -> None:
    """In every stage: right trains, left trains, search."""
    a = generators.exclusion(4) - identity_operator((2,) * 4) * 0.5  # no generator: no side is there at once
    whole = eig(a, 2, accuracy=1e-7, checkpoint=tmp_path / "whole.npz")
    labels = [state.label for state in whole.history]
    assert {"right pass", "left pass", "search"} == set(labels)

    class Halt(Exception):
        pass

    for stage in set(labels):
        path = tmp_path / f"{stage}.npz".replace(" ", "-")

        def halt(state, stage=stage):
            if state.label == stage:
                raise Halt

        with pytest.raises(Halt):
            eig(a, 2, accuracy=1e-7, checkpoint=path, callback=halt)
        again = eig(a, 2, accuracy=1e-7, checkpoint=path)
        np.testing.assert_array_equal(again.value.eigenvalues, whole.value.eigenvalues)
        assert again.counts == whole.counts and len(again.history) == len(labels)
    told = []
    eig(a, 2, accuracy=1e-7, checkpoint=tmp_path / "whole.npz", callback=told.append)
    assert not told
    with pytest.raises(ValueError, match="another computation"):
        eig(a, 1, accuracy=1e-7, checkpoint=tmp_path / "whole.npz")
