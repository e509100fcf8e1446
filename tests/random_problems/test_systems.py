"""Random linear systems: never silent, never worse than zero, never falsely singular, and nearly always solved."""

import pytest
import systems

import solvers.linear.task as linear

SHORT, LONG = 6, 60  # of each kind


def _assert(rows, share=0.0):
    assert not [row for row in rows if row.fault]
    missed = [row for row in rows if row.honest and systems.possible(row)]
    assert len(missed) <= share * len(rows), missed


@pytest.mark.parametrize("kind", systems.KINDS)
def test_full_vectors(kind):
    _assert([systems.judge(kind, seed) for seed in range(SHORT)])


@pytest.mark.parametrize("kind", systems.KINDS)
def test_trains(kind, monkeypatch):
    """The same without full vectors: sweeps and residual minimisation alone."""
    monkeypatch.setattr(linear, "DIRECT_FIRST", 0)
    monkeypatch.setattr(linear, "DIRECT_LAST", 0)
    _assert([systems.judge(kind, seed) for seed in range(100, 100 + SHORT)], 0.0 if kind != "graded" else 0.4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", systems.KINDS)
def test_many(kind):
    _assert([systems.judge(kind, seed) for seed in range(1000, 1000 + LONG)], 0.01)


@pytest.mark.slow
@pytest.mark.parametrize("kind", systems.KINDS)
def test_many_trains(kind, monkeypatch):
    monkeypatch.setattr(linear, "DIRECT_FIRST", 0)
    monkeypatch.setattr(linear, "DIRECT_LAST", 0)
    _assert([systems.judge(kind, seed) for seed in range(2000, 2000 + LONG)], 0.05)
