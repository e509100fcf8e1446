"""Every shipped configuration runs from YAML to report, in its quick variant."""

from pathlib import Path

import numpy as np
import pytest

from ttsuite.config import load_study
from ttsuite.run import load, run, surrogate

TINY = Path(__file__).parents[2] / "configs" / "tiny"


@pytest.mark.parametrize("file", sorted(TINY.glob("*.yaml")), ids=lambda file: file.stem)
def test_tiny_configuration(file, tmp_path):
    done = run(file, out=tmp_path / "out")
    study = load_study(done.folder / "configuration.yaml")[0]
    assert done.status == "finished", done.report["message"]
    CHECKS[study.problem.kind](study, done)


def vibrational(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    assert np.all(np.diff(results["energies"]) >= 0)
    automatic = study.problem.basis.functions == "automatic"  # else the basis is part of the question
    assert np.max(results["error_estimates" if automatic else "rank_errors"]) <= accuracy
    # the first reference is the one to judge by, where there is one
    for reference in done.report["references"][:1]:
        assert reference["max_abs_deviation"] <= accuracy
    report, states = load(done.folder)
    assert len(states) == len(results["energies"]) == len(report["results"]["ranks"])


def parametric_pde(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    for q in results["quantities"].values():
        assert q["mean_error"] <= accuracy * abs(q["mean"]) and q["variance_error"] <= 10 * accuracy * q["variance"]
        assert np.all(np.array(q["sobol_first"]) <= np.array(q["sobol_total"]) + 1e-9)
    assert results["pde_solves"] <= study.solver.max_solves
    solution = surrogate(done.folder)
    u = solution([0.0] * solution.parameters)
    assert u.shape == (done.result.solution.shape[0],) and np.isfinite(u).all()


def wave_packet(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    assert max(results["autocorrelation"]["error"]) <= accuracy
    for reference in done.report["references"]:
        assert reference["max_abs_deviation"] <= accuracy
    assert results["energy_drift"] <= 1e-6 * max(1.0, abs(results["observables"]["energy"][0]))
    assert results["norm_drift"] <= 1e-8 and results["peaks"] and all(peak["trusted"] for peak in results["peaks"])
    assert load(done.folder)[1][0].ranks[1:-1] == tuple(results["ranks_over_time"][-1][1:-1])


def sum_of_products(study, done):
    results = done.report["results"]
    assert (study.problem.task == "spectrum") == ("energies" in results)
    (vibrational_states if study.problem.task == "spectrum" else wave_packet)(study, done)


def vibrational_states(study, done):
    results = done.report["results"]
    assert np.all(np.diff(results["energies"]) >= 0) and np.max(results["error_estimates"]) <= study.solver.accuracy
    states = load(done.folder)[1]
    assert len(states) == len(results["energies"]) == study.solver.n_states
    assert states[0].shape == tuple(study.problem.sizes[k] for k in results["mode_order"])


def fokker_planck(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    assert max(*results["mean_error"], *results["covariance_error"]) <= accuracy
    for reference in done.report["references"]:
        assert reference["max_abs_deviation"] <= accuracy
    assert np.max(np.abs(np.array(results["mass"]) - 1.0)) <= 1e-8
    _, (density,) = load(done.folder)
    assert density.shape == tuple(study.problem.points) and density.max_rank <= results["max_rank"]


CHECKS = {
    "fokker_planck": fokker_planck,
    "vibrational": vibrational,
    "parametric_pde": parametric_pde,
    "wave_packet": wave_packet,
    "sum_of_products": sum_of_products,
}
