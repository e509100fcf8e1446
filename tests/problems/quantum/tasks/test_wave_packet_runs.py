"""Whole wave packets against dense propagation, their error estimates, and what is said where they fall short."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from packet_cases import HENON_HEILES, ISING, XXZ, dense_evolution, study

from problems.quantum.tasks.evolution.independent import compare
from problems.quantum.tasks.evolution.solve import prepare, solve
from problems.quantum.tasks.evolution.spectrum import transform, window_values
from solvers.solution import Status
from ttsuite.actions.run import load, run
from ttsuite.study.config import make_study


def solved(*arguments, executor=None, **changes):
    wanted = study(*arguments, **changes)
    prepared = prepare(wanted.problem, wanted.solver)
    return prepared.system, solve(prepared, executor=executor)


def test_henon_heiles_against_dense():
    system, result = solved(HENON_HEILES, {"accuracy": 1e-7, "max_rank": 10, "eigenstates": 4})
    exact = dense_evolution(system, result.t) @ system.start.full().ravel()
    deviation = np.abs(result.autocorrelation - exact)
    assert result.doubled and result.times[-1] == pytest.approx(0.5 * result.t[-1])
    assert deviation.max() < 1e-7 and (deviation <= result.error + 1e-12).all()
    assert result.status is Status.CONVERGED and result.norm_drift < 1e-10 and result.energy_drift < 1e-10
    levels, vectors = np.linalg.eigh(system.operator.full())
    assert np.allclose(result.sticks.energies, levels[:4], atol=1e-3)
    # of the degenerate pair only the sum is known
    weights = (vectors.T @ system.start.full().ravel()) ** 2
    assert result.sticks.weights.sum() == pytest.approx(weights[:4].sum(), abs=1e-4)


def test_ising_against_dense():
    system, result = solved(ISING, {"accuracy": 1e-5, "max_rank": 8})
    psi = dense_evolution(system, result.times)
    assert np.allclose(result.times, result.t)
    a = psi @ system.start.full().ravel().conj()
    assert np.abs(result.autocorrelation - a).max() < 1e-5
    p = np.abs(psi.reshape(-1, *[2] * 6)) ** 2
    sign = np.array([1.0, -1.0])
    for k in range(6):
        z = np.moveaxis(p, k + 1, 1).reshape(len(p), 2, -1).sum(axis=2) @ sign
        assert np.abs(result.observables["z"][:, k] - z).max() < 1e-5
    zz = np.einsum("tabcdef,c,d->t", p, sign, sign)
    assert np.abs(result.observables["szsz"][:, 2] - zz).max() < 1e-5
    for cut in range(1, 6):
        s = np.linalg.svd(psi.reshape(len(psi), 2**cut, -1), compute_uv=False) ** 2
        entropy = -(s * np.log(np.maximum(s, 1e-300))).sum(axis=1)
        assert np.abs(result.observables["entropy"][:, cut - 1] - entropy).max() < 1e-4
    assert list(result.observables) == ["energy", "norm", "z", "szsz", "entropy"]


def test_absorber_against_dense():
    absorber = {"strength": 0.2, "start": 1.0, "order": 2}
    system, result = solved(HENON_HEILES, {"time_step": 0.05, "max_rank": 10, "window": "none"}, absorber=absorber)
    states = dense_evolution(system, result.t)
    assert np.abs(result.autocorrelation - states @ system.start.full().ravel()).max() < 1e-3
    halves = np.linalg.norm(dense_evolution(system, result.times), axis=1)
    assert np.allclose(result.norms, halves, atol=1e-4) and result.norms[-1] < 0.95


def test_a_molecule_in_femtoseconds(tmp_path):
    """Times in fs, energies in cm-1; the contracted basis and its order do not show."""
    text = "order,modes,coefficient_cm-1\n2,1-1,1000\n2,2-2,1500\n3,1-1-2,120\n4,1-1-1-1,40\n4,2-2-2-2,30\n"
    (tmp_path / "field.csv").write_text(text)
    keys = {
        "kind": "wave_packet",
        "model": "force_field",
        "force_field": "field.csv",
        "time_unit": "fs",
        "basis": {"type": "contracted", "functions": 8},
        "initial": {"type": "gaussian", "centre": [0.4, -0.3]},
    }
    solver = {"t_final": 40.0, "output_step": 1.0, "accuracy": 1e-5, "max_rank": 8}
    wanted = make_study({"name": "m", "problem": keys, "solver": solver}, tmp_path)
    prepared = prepare(wanted.problem, wanted.solver)
    result = solve(prepared)
    levels, vectors = np.linalg.eigh(prepared.system.operator.full())
    weights = (vectors.T @ prepared.system.start.full().ravel()) ** 2
    c = 2.99792458e-5  # cm/fs
    exact = np.exp(-2j * math.pi * c * np.outer(result.t, levels)) @ weights
    assert result.t[-1] == pytest.approx(40.0) and result.time_unit == "fs" and result.unit == "cm-1"
    assert result.doubled and np.abs(result.autocorrelation - exact).max() < 1e-5
    assert result.spectrum.resolution == pytest.approx(1.0 / (2.0 * c * 40.0))
    highest = max(result.spectrum.peaks, key=lambda peak: peak.intensity)
    assert abs(highest.energy - levels[np.argmax(weights)]) < highest.resolution


@pytest.mark.parametrize(("method", "step"), [("tdvp2", 0.05), ("bug", 0.05), ("implicit", 0.25)])
def test_other_methods_agree(method, step):
    solver = {"method": method, "time_step": step, "max_rank": 10, "t_final": 1.0, "output_step": 0.25}
    system, result = solved(HENON_HEILES, solver | {"accuracy": 1e-3})
    exact = dense_evolution(system, result.t) @ system.start.full().ravel()
    assert np.abs(result.autocorrelation - exact).max() < 1e-3


def test_what_the_error_can_make_of_a_spectrum_is_told():
    solver = {"max_rank": 2, "time_step": 0.05, "t_final": 8.0, "check_rank": "none"}
    system, result = solved(HENON_HEILES, solver)
    right = dense_evolution(system, result.t) @ system.start.full().ravel()
    spectrum = result.spectrum
    w = window_values(spectrum.window, result.t)
    off = np.abs(transform(result.t, right, w, spectrum.energies) - spectrum.intensities).max()
    assert 0.0 < off <= spectrum.noise
    assert all(peak.intensity > spectrum.noise for peak in spectrum.peaks if peak.trusted)


def test_a_barrier_that_the_packet_can_pass_is_warned_of():
    steep = {"coupling": 0.25, "basis": {"type": "harmonic", "functions": 14}}  # a barrier of 1/(6 coupling^2) = 2.67

    def told(**changes):
        wanted = study(HENON_HEILES, **changes)
        return [text for text in prepare(wanted.problem, wanted.solver).warnings if "unbounded" in text]

    (text,) = told(**steep, initial={"type": "gaussian", "centre": 1.5})
    assert "barrier of 2.667" in text and "absorber" in text
    assert not told(initial={"type": "gaussian", "centre": 0.2})  # of 13.3, far above
    absorber = {"strength": 0.2, "start": 3.0, "order": 2}
    assert not told(**steep, initial={"type": "gaussian", "centre": 1.5}, absorber=absorber)


def test_a_moving_start_is_not_doubled():
    system, result = solved(
        HENON_HEILES, {"max_rank": 10}, initial={"type": "gaussian", "centre": 1.0, "momentum": 0.5}
    )
    exact = dense_evolution(system, result.t) @ system.start.full().ravel().conj()
    assert not result.doubled and np.abs(result.autocorrelation - exact).max() < 1e-4


def test_too_low_a_rank_is_said_with_the_time_it_is_good_for():
    solver = {"max_rank": 3, "accuracy": 1e-4, "time_step": 0.05, "t_final": 12.0}
    system, result = solved(HENON_HEILES, solver)
    exact = dense_evolution(system, result.t) @ system.start.full().ravel()
    deviation = np.abs(result.autocorrelation - exact)
    assert result.status is Status.RANK_LIMIT and result.check.rank == 2
    assert deviation.max() > 1e-4 and (deviation <= result.error + 1e-9).all()
    text = result.warnings[-2] if "last two" in result.warnings[-1] else result.warnings[-1]
    assert "until t =" in text and "ranks 3 and 2 (the second run with half the time step) differ" in text
    with ThreadPoolExecutor(1) as executor:
        _, again = solved(HENON_HEILES, solver, executor=executor)
    assert np.array_equal(again.error, result.error) and again.counts == result.counts
    _, alone = solved(HENON_HEILES, solver | {"check_rank": "none"})
    assert alone.check is None and not any(peak.trusted for peak in alone.spectrum.peaks)


@pytest.mark.parametrize("rank", [6, 9])
def test_the_estimate_holds_from_first_to_last(rank):
    solver = {"max_rank": rank, "accuracy": 1e-6, "time_step": 0.05, "t_final": 6.0}
    system, result = solved(XXZ, solver, dimension=8, initial={"type": "product", "state": "neel"})
    exact = dense_evolution(system, result.t) @ system.start.full().ravel()
    deviation = np.abs(result.autocorrelation - exact)
    assert result.check is not None and (deviation <= result.error + 1e-12).all()


def test_observables_are_compared_with_the_second_run():
    _, result = solved(ISING, {"max_rank": 3, "accuracy": 1e-4, "time_step": 0.05})
    assert set(result.check.observables) == {"z", "szsz", "entropy"}
    assert result.check.observables["z"].shape == result.times.shape
    assert any(text.startswith("z: the two runs differ") for text in result.warnings)


def test_free_fermions_are_exact():
    problem = {**XXZ, "Jz": 0.0, "dimension": 6, "initial": {"type": "product", "state": [0, 1, 1, 0, 0, 1]}}
    wanted = study(problem, {"accuracy": 1e-6, "max_rank": 8}, observables=["energy", "norm", "z"])
    result = solve(prepare(wanted.problem, wanted.solver))
    found = {c.series.quantity: c for c in compare(wanted.problem, result)}
    assert set(found) == {"autocorrelation", "z"}
    assert max(c.summary.max_abs for c in found.values()) < 1e-5
    assert found["z"].summary.count == len(result.times)


@pytest.mark.parametrize(
    ("problem", "changes", "quantities"),
    [
        (ISING, {"dimension": 12}, ["autocorrelation", "entropy", "z"]),
        (XXZ, {"dimension": 12, "Jxy": 1.0, "Jz": 1.0}, ["autocorrelation", "entropy", "z"]),
        (HENON_HEILES, {"dimension": 4, "basis": {"functions": 16}}, ["autocorrelation"]),
        (
            HENON_HEILES,
            {"dimension": 2, "basis": {"functions": [28, 28]}, "initial": {"type": "gaussian", "centre": [2.0, 2.0]}},
            ["autocorrelation"],
        ),
        (HENON_HEILES, {"dimension": 4, "basis": {"functions": 15}}, []),
        (HENON_HEILES, {"dimension": 4, "basis": {"functions": 16}, "coupling": 0.1}, []),
        (ISING, {"dimension": 12, "h": 0.6}, []),
        (ISING, {"dimension": 11}, []),
    ],
)
def test_references_are_found_by_the_problem(problem, changes, quantities):
    found = study(problem, **changes).problem.known_motion(np.zeros(1), np.zeros(1))
    assert [series.quantity for series in found] == quantities
    for series in found:
        assert len(series.times) == len(series.values) and np.isfinite(series.values).all()


def test_references_of_small_chains_at_their_times():
    """The stored Henon-Heiles values are those of the operator built here (2-D, dense)."""
    problem = study(HENON_HEILES, basis={"functions": 28}, initial={"type": "gaussian", "centre": 2.0}).problem
    series = problem.known_motion(np.zeros(1), np.zeros(1))[0]
    system = problem.system()
    energies, vectors = np.linalg.eigh(system.operator.full())
    weights = (vectors.T @ system.start.full().ravel()) ** 2
    assert np.abs(np.exp(-1j * np.outer(series.times, energies)) @ weights - series.values).max() < 1e-11


@pytest.mark.figures
def test_from_keys_to_report(tmp_path):
    wanted = study(ISING, {"t_final": 1.0, "max_rank": 6, "eigenstates": 3, "accuracy": 1e-2})
    done = run(wanted, out=tmp_path / "out")
    results = done.report["results"]
    assert done.status == "finished" and done.report["converged"]
    keys = {
        "autocorrelation",
        "spectrum",
        "peaks",
        "observables",
        "energy_drift",
        "norm_drift",
        "projection_error",
        "truncation_error",
        "max_rank",
        "ranks_over_time",
        "times",
        "step_error",
        "error_bound",
        "operator_ranks",
        "eigenvalues",
        "check",
    }
    assert keys <= set(results)
    count = len(results["autocorrelation"]["t"])
    assert count == 6 and all(len(results["autocorrelation"][key]) == count for key in ("real", "imag", "error"))
    assert np.shape(results["observables"]["z"]) == (len(results["times"]), 6)
    assert np.shape(results["ranks_over_time"]) == (len(results["times"]), 7)
    assert results["spectrum"]["resolution"] == pytest.approx(math.pi) and len(results["eigenvalues"]) == 3
    report, states = load(done.folder)
    assert report["results"]["peaks"] == results["peaks"] and states[0].shape == (2,) * 6
    names = {path.stem for path in (done.folder / "figures").glob("*.png")}
    assert names == {"autocorrelation", "spectrum", "ranks", "map_z", "map_szsz", "conservation"}
    text = (done.folder / "report.md").read_text()
    assert "transverse-field Ising chain" in text and "Eigenvalues from the block eigensolver" in text
    header, *rows = (done.folder / "autocorrelation.csv").read_text().splitlines()
    assert header.startswith("t,real,imag,error_estimate")
    assert {row.split(",")[header.split(",").index("t_unit")] for row in rows} == {done.report["results"]["time_unit"]}
