"""Random eigenproblems: never silently wrong, seldom unanswered; by full vectors and by the trains' methods."""

from __future__ import annotations

from collections import Counter

import pytest
from eigenproblems import KINDS, problem, verdict

from solvers.eigen import full_vectors
from solvers.eigen.eigsolve import eigsolve
from solvers.methods import BlockDMRG, InverseIteration

HONEST = 0.05  # the share without an answer that is allowed


def verdicts(seeds, size: int, method=None) -> tuple[Counter, list[str]]:
    """How many problems of ``seeds`` came out how, and what is to be said of those that are not right."""
    found, said = Counter(), []
    for seed in seeds:
        given = problem(seed, size)
        solution = eigsolve(given.operator, given.n_states, method=method, accuracy=given.accuracy, throw=False)
        outcome, why = verdict(given, solution)
        found[outcome] += 1
        if outcome != "right":
            said.append(f"seed {seed}, {given.kind}, {outcome}: {why}")
    return found, said


def test_the_judge_sees_a_list_that_lacks_a_level() -> None:
    given = problem(8 * len(KINDS) + 3)
    solution = eigsolve(given.operator, given.n_states, accuracy=given.accuracy, throw=False)
    assert verdict(given, solution)[0] == "right"
    solution.value.energies[0] += 5.0 * given.unit
    assert verdict(given, solution)[0] == "silent"


def test_small_spaces_are_always_right() -> None:
    found, said = verdicts(range(64), 512)
    assert found["right"] == 64, said


@pytest.mark.parametrize("method", [BlockDMRG(), InverseIteration()])
def test_a_method_asked_for_is_held_against_full_vectors(method) -> None:
    found, said = verdicts(range(100, 120), 64, method)
    assert not found["silent"], said
    assert found["honest"] <= 2, said


def test_the_trains_own_methods_miss_nothing(monkeypatch) -> None:
    monkeypatch.setattr(full_vectors, "LARGEST", 0)
    found, said = verdicts(range(200, 210), 64)
    assert not found["silent"], said
    assert found["honest"] <= 1, said


@pytest.mark.slow
def test_many_small_spaces() -> None:
    found, said = verdicts(range(1000, 2200), 2048)
    assert not found["silent"] and found["honest"] <= HONEST * found.total(), said


@pytest.mark.slow
@pytest.mark.parametrize("method", [None, InverseIteration()])
def test_many_problems_by_the_trains_own_methods(monkeypatch, method) -> None:
    monkeypatch.setattr(full_vectors, "LARGEST", 0)
    found, said = verdicts(range(3000, 3240), 512, method)
    assert found["silent"] <= 0.01 * found.total(), said
    assert found["honest"] <= 2 * HONEST * found.total(), said
