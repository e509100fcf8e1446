"""Every shipped configuration runs from YAML to report, in its quick variant."""

from pathlib import Path

import numpy as np
import pytest
from geometry import faults
from same_results import same

from ttsuite.actions.run import load, run, surrogate
from ttsuite.pages.compare import compare_runs
from ttsuite.pages.drawing import own_style
from ttsuite.pages.report import pictures_of, remake_report
from ttsuite.study.config import load_study

TINY = Path(__file__).parents[2] / "configs" / "tiny"
# whose files of figures are written, too
WRITTEN = {"coupled-oscillators-6", "inverse-sum"}
# one of each kind, whose report is made again
REMADE = WRITTEN | {"cookie4", "henon-heiles-2d", "henon-heiles-terms", "ornstein-uhlenbeck-2", "helium"}
REMADE |= {"theorem-example", "planted-text", "digits-network"}
# those whose figures are looked at: of each kind, with all panels that there are
DRAWN = REMADE | {
    "function",
    "tictactoe",
    "label-noise",
    "heisenberg-12",
    "spin-boson-in-time",
    "water",
}
COLUMN = 3.4  # inches: of a journal of two columns


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.stem, marks=pytest.mark.figures if file.stem in WRITTEN else ())
        for file in sorted(TINY.glob("*.yaml"))
    ],
)
def test_tiny_configuration(file, tmp_path):
    # results do not depend on the workers, which take longer to start than many of these
    overrides = [] if file.stem in REMADE else ["solver.workers=1"]
    done = run(file, out=tmp_path / "out", overrides=overrides)
    study = load_study(done.folder / "configuration.yaml")[0]
    assert done.status == "finished", done.report["message"]
    assert done.report["checked"] and all(look["passed"] for look in done.report["checked"])
    CHECKS[study.problem.kind](study, done)
    recorded(done, file.stem in REMADE)
    if file.stem in DRAWN:
        figures_fit_a_column(done.folder)


def figures_fit_a_column(folder):
    """No small type, no texts that overlap or are cut, no legend over data: see ``geometry``."""
    with own_style(COLUMN):
        found = {picture.name: faults(picture.figure) for picture in pictures_of(folder)}
    assert found and not any(found.values()), found


def recorded(done, remade):
    """The record holds all that the result did, so that comparison and report need nothing else."""
    assert same(done.result, load(done.folder).result())
    comparison = compare_runs(done.folder, done.folder)
    assert comparison.equal and any(q.agrees is not None for q in comparison.quantities)
    if remade:
        before = {path: path.read_bytes() for path in done.folder.rglob("*") if path.is_file()}
        remake_report(done.folder)
        assert {path: path.read_bytes() for path in done.folder.rglob("*") if path.is_file()} == before


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


def orbital_free_dft(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    assert results["extrapolated_error"] <= accuracy
    for reference in done.report["references"][:1]:  # the extrapolated energy
        assert reference["max_abs_deviation"] <= accuracy
    assert abs(sum(results["components"].values()) - results["energy"]) <= 1e-2 * accuracy
    assert abs(results["sum_rule"]) <= accuracy * study.problem.count
    assert results["min_density"] >= -accuracy * results["max_density"]
    level = study.problem.grids[-1]
    assert results["grid_points_per_axis"] == 2**level and len(results["by_level"]) == len(study.problem.grids)
    _, (density, orbital) = load(done.folder)
    assert density.shape == orbital.shape == (2,) * (3 * level) and list(density.ranks) == results["ranks"]
    cell = (study.problem.box / 2**level) ** 3
    assert abs(cell * float(orbital.norm()) ** 2 - study.problem.count) <= accuracy * study.problem.count


def completion(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    (chosen,) = (fit for fit in results["by_rank"] if fit["rank"] == results["rank"])
    assert results["test_error"] <= accuracy and results["ranks"] == chosen["ranks"]
    judging = results["samples"]["test"] - results["rejected"]["test"]
    assert results["samples"]["test"] == study.problem.tests and judging == done.report["references"][0]["count"]
    (tensor,) = load(done.folder)[1]
    assert tensor.shape == study.problem.shape and list(tensor.ranks) == results["ranks"]


def supervised(study, done):
    results = done.report["results"]
    own, *plain = results["learners"][:: len(study.problem.levels)]
    assert own["name"] == "this model" and [entry["name"] for entry in plain] == list(study.solver.against)
    assert own["score"] > 0.3 and own["score_error"] <= study.solver.accuracy  # of ten classes too
    assert not results["shares_by_order"] or abs(sum(results["shares_by_order"]) - 1.0) < 1e-9
    assert sum(1 for _ in (done.folder / "scores.csv").open()) == 1 + len(results["learners"]) * study.problem.splits
    trains = load(done.folder)[1]
    assert (study.solver.model == "interactions") == bool(trains)


def decomposition(study, done):
    accuracy, results = study.solver.accuracy, done.report["results"]
    for one in results["approximations"]:
        assert one["error"] <= accuracy or one["verdict"] in ("degenerate", "minimum")
        assert one["bound"] is None or one["error"] <= one["bound"] + 1e-12
    assert all(one["width"] <= one["allowed"] and one["error"] <= 1.01 * accuracy for one in results["conversions"])
    assert all(one["odd_even"] >= one["theorem"] for one in results["unfoldings"])
    for reference in done.report["references"]:
        assert reference["max_abs_deviation"] == 0.0
    trains = load(done.folder)[1]
    assert [list(train.shape) for train in trains] == results["shapes"]


def embeddings(study, done):
    results = done.report["results"]
    methods = results["methods"]
    assert list(methods) == ["newton", "riemannian", "svd", "pmi"]
    assert results["full_rank_bound"] >= methods["newton"]["value"] - 1e-12
    assert methods["newton"]["value"] > methods["riemannian"]["value"] > methods["svd"]["value"]
    lines = (done.folder / "vectors-newton.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"{results['sizes']['words']} {study.solver.vector_size}"
    assert len(lines) == results["sizes"]["words"] + 1
    if study.problem.planted is not None:
        assert methods["newton"]["value"] == pytest.approx(results["known_maximum"], rel=1e-12)
        return
    assert abs(methods["newton"]["held_out"] - methods["newton"]["value"]) < 0.2
    assert methods["newton"]["similarity"][0]["rho"] > 0.5 and 0.4 < methods["newton"]["stability"] <= 1.0


def perturbation(study, done):
    results = done.report["results"]
    rates, eps = results["fooling"], list(study.problem.eps)
    assert [entry["eps"] for entry in rates] == eps * (len(rates) // len(eps))
    own = [entry for entry in rates if entry["layer"]]
    random = next(
        entry for entry in rates if entry["method"].startswith("random signs, mean") and entry["eps"] == eps[-1]
    )
    best = max(entry["rate"] for entry in own if entry["eps"] == eps[-1])
    assert best > 1.5 * random["rate"] and results["accuracy"] > 0.7
    assert all(entry["norm"] <= entry["bound"] for entry in results["singular_values"])
    assert all(entry["rate_error"] <= study.solver.accuracy for entry in own)
    assert sum(1 for _ in (done.folder / "fooling_rates.csv").open()) == 1 + len(rates) * study.problem.splits


CHECKS = {
    "supervised": supervised,
    "perturbation": perturbation,
    "decomposition": decomposition,
    "embeddings": embeddings,
    "completion": completion,
    "fokker_planck": fokker_planck,
    "orbital_free_dft": orbital_free_dft,
    "vibrational": vibrational,
    "parametric_pde": parametric_pde,
    "wave_packet": wave_packet,
    "sum_of_products": sum_of_products,
}
