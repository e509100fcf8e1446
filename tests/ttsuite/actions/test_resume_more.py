"""A finished run continued to more states or a tighter accuracy: a run of its own, and nothing is computed twice."""

import json
from pathlib import Path

import numpy as np
import pytest

from ttsuite.actions.resume import resume
from ttsuite.actions.run import run

TINY = Path(__file__).parents[3] / "configs" / "tiny"


def continued(name, tmp_path, monkeypatch, first, more):
    """The run with the settings ``first``, one continued from it with ``more``, and one with these from nothing."""
    monkeypatch.setattr("ttsuite.pages.report.write_figures", lambda *arguments: [])
    file = TINY / f"{name}.yaml"
    begun = run(file, out=tmp_path / "first", overrides=first)
    onward = resume(begun.folder, overrides=more, out=tmp_path / "onward")
    cold = run(file, out=tmp_path / "cold", overrides=[*first, *more])
    assert onward.status == cold.status == "finished" and onward.report["continues"] == "first"
    return begun.report["results"], onward.report["results"], cold.report["results"]


def test_more_vibrational_states(tmp_path, monkeypatch):
    enough = "problem.basis.functions=10"  # for twelve states too
    method = "solver.method=inverse_iteration"  # in place of full vectors, which have nothing to go on from
    first, onward, cold = continued(
        "henon-heiles-4", tmp_path, monkeypatch, [enough, method, "solver.n_states=3"], ["solver.n_states=12"]
    )
    assert len(first["energies"]) == 3 and len(onward["energies"]) == 12
    np.testing.assert_allclose(onward["energies"], cold["energies"], atol=1e-3)
    assert onward["counts"]["state_solves"] <= cold["counts"]["state_solves"] - 3


@pytest.mark.parametrize(
    ("first", "more"), [("solver.n_states=4", "solver.n_states=6"), ("solver.accuracy=1e-4", "solver.accuracy=1e-6")]
)
def test_states_on_a_shared_basis(tmp_path, monkeypatch, first, more):
    method = "solver.method=block_dmrg"
    _, onward, cold = continued("henon-heiles-terms", tmp_path, monkeypatch, [method, first], [more])
    np.testing.assert_allclose(onward["energies"], cold["energies"], atol=1e-6)
    assert onward["counts"]["matvecs"] < cold["counts"]["matvecs"]


def test_no_pde_is_solved_twice(tmp_path, monkeypatch):
    more = ["solver.accuracy=1e-6", "solver.max_solves=100"]
    first, onward, cold = continued("affine-1d-10", tmp_path, monkeypatch, ["solver.accuracy=1e-4"], more)
    assert onward["pde_solves"] <= cold["pde_solves"] - 0.8 * first["pde_solves"]
    for name, quantity in onward["quantities"].items():
        assert quantity["mean"] == pytest.approx(cold["quantities"][name]["mean"], rel=2e-6)


def test_a_density_starts_from_the_orbitals_before(tmp_path, monkeypatch):
    _, onward, cold = continued("trap", tmp_path, monkeypatch, ["solver.accuracy=1e-2"], ["solver.accuracy=1e-3"])
    assert onward["extrapolated_energy"] == pytest.approx(cold["extrapolated_energy"], abs=1e-4)
    assert onward["counts"]["evaluations"] < cold["counts"]["evaluations"]


def test_an_evolution_of_another_accuracy_starts_again(tmp_path, monkeypatch):
    more = ["solver.accuracy=1e-4"]
    _, onward, cold = continued("ornstein-uhlenbeck-2", tmp_path, monkeypatch, ["solver.accuracy=1e-3"], more)
    warnings = json.loads((tmp_path / "onward" / "report.json").read_text())["warnings"]
    assert any("nothing of the run before" in warning for warning in warnings)
    np.testing.assert_allclose(onward["mean"], cold["mean"], atol=1e-12)
