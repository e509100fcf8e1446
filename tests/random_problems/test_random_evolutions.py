"""No evolution and no completion is converged and wrong, whatever was drawn; short here, long where marked slow."""

import pytest
from evolutions import METHODS, completion, evolution

from solvers.dynamics import full_vectors, second_look
from solvers.optimisation.completion import rank_growth

KINDS = ("real", "imaginary", "markov")
FASTER = ("tdvp", "tdvp2", "bug")  # without a linear system a block


def require(verdicts, honest):
    bad = [v.text for v in verdicts if v.kind in ("silent", "understated")]
    assert not bad, "\n".join(bad)
    said = [v.text for v in verdicts if v.kind == "honest"]
    assert len(said) <= honest * len(verdicts), "\n".join(said)


@pytest.mark.parametrize("kind", KINDS)
def test_evolutions(kind):
    """What is not right has a rank cap below what the state needs, whatever the method."""
    verdicts = [evolution(seed, method, kind) for seed in range(5) for method in METHODS]
    require(verdicts, 0.35)
    assert all("RANK_LIMIT" in v.text for v in verdicts if v.kind == "honest")


@pytest.mark.parametrize("kind", KINDS)
def test_evolutions_alone(kind, monkeypatch):
    """The steppers' own bounds, no full vectors in place of or beside them; a rank cap may be below what is needed."""
    monkeypatch.setattr(full_vectors, "LARGEST", 0)
    monkeypatch.setattr(second_look, "LARGEST", 0)
    require([evolution(seed, method, kind) for seed in range(3) for method in FASTER], 0.7)


def test_an_exact_look_finds_what_a_stepper_does_not_say(monkeypatch):
    from solvers.dynamics.bug import BUGStepper

    monkeypatch.setattr(BUGStepper, "_directions", lambda *_: [])
    monkeypatch.setattr(BUGStepper, "_left_out", lambda *_: 0.0)
    monkeypatch.setattr(full_vectors, "LARGEST", 0)
    contradicted = []
    for seed in range(4):
        verdict = evolution(seed, "bug", "real")
        assert verdict.kind != "silent", verdict.text
        contradicted.append("CONTRADICTED" in verdict.text)
    assert any(contradicted)
    monkeypatch.setattr(second_look, "LARGEST", 0)
    assert any(evolution(seed, "bug", "real").kind == "silent" for seed in range(4))


def test_completions():
    require([completion(seed) for seed in range(4)], 0.8)


@pytest.mark.slow
@pytest.mark.parametrize("route", ["defaults", "the methods", "the methods alone"])
def test_many_evolutions(route, monkeypatch):
    if route != "defaults":
        monkeypatch.setattr(full_vectors, "LARGEST", 0)
    if route == "the methods alone":
        monkeypatch.setattr(second_look, "LARGEST", 0)
    honest = 0.35 if route == "defaults" else 0.5
    require([evolution(100 + s, m, k) for s in range(25) for m in METHODS for k in KINDS], honest)


@pytest.mark.slow
def test_many_completions(monkeypatch):
    require([completion(100 + seed) for seed in range(120)], 0.7)
    monkeypatch.setattr(rank_growth, "SECOND_LOOK", 0.0)
    require([completion(100 + seed) for seed in range(120)], 0.7)
