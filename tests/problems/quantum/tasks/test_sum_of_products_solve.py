"""States and motion of spelled-out Hamiltonians: against dense matrices, built-in models, and from YAML to report."""

import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from terms_cases import dense, problem
from threadpoolctl import threadpool_limits

from problems.errors import ProblemError
from problems.quantum.kinds.sum_of_products import SumOfProductsProblem, complete
from problems.quantum.kinds.vibrational import VibrationalProblem
from problems.quantum.kinds.wave_packet import WavePacketProblem
from problems.quantum.kinds.wave_packet import complete as complete_packet
from problems.quantum.readers.shipped import load_force_field
from problems.quantum.tasks.either.keys import GivenSpectrum
from problems.quantum.tasks.either.solve import prepare, solve
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.propagate import propagate
from problems.quantum.tasks.spectrum.keys import SpectrumSolver
from problems.quantum.tasks.spectrum.solve import _too_narrow
from problems.quantum.tasks.spectrum.solve import prepare as prepare_field
from solvers.eigen import matrix_levels
from solvers.eigen.block_davidson import TooNarrow
from solvers.formats.trains.tensor_train import dot
from solvers.solution import Status
from ttsuite.actions.run import load, run
from ttsuite.study.config import load_study

COUPLING = 0.111803


@pytest.fixture(autouse=True)
def one_thread():
    """As a run has it: more threads only get in each other's way."""
    with threadpool_limits(1):
        yield


CSV = """order,modes,coefficient_cm-1
2,1-1,1200
2,2-2,800.5
2,3-3,1510
3,1-1-2,-91.5
3,1-2-3,40
3,2-2-2,120.25
4,1-1-1-1,60
4,1-1-3-3,-22
4,2-2-2-2,75
4,1-2-3-3,9.5
4,3-3-3-3,55
"""


def henon_heiles(d, functions):
    terms = [[0.5, {k: power}] for k in range(d) for power in ("p^2", "q^2")]
    for k in range(d - 1):
        terms += [[COUPLING, {k: "q^2", k + 1: "q"}], [-COUPLING / 3.0, {k + 1: "q^3"}]]
    return [{"basis": "harmonic", "functions": functions}] * d, terms


def chain(sites, couplings, field=0.0):
    terms = [[c, {k: f"S{a}", k + 1: f"S{a}"}] for k in range(sites - 1) for a, c in zip("xyz", couplings) if c]
    return [{"basis": "spin"}] * sites, terms + [[field, {k: "Sx"}] for k in range(sites) if field]


def spin_boson(bosons, levels):
    terms = [[0.5, {0: "X"}], [0.05, {0: "Z"}]]
    for k in range(1, bosons + 1):
        terms += [[0.4 * k, {k: "n"}], [0.2, {0: "Z", k: "q"}]]
    return [{"basis": "spin"}] + [{"basis": "boson", "levels": levels}] * bosons, terms


def double_well():
    modes = [{"basis": "sinc", "points": 32, "interval": [-5.0, 5.0]}, {"basis": "harmonic", "functions": 24}]
    return modes, [
        [1.0, {0: "T"}],
        [-2.0, {0: "q^2"}],
        [0.25, {0: "q^4"}],
        [0.5, {1: "p^2"}],
        [0.5, {1: "q^2"}],
        [0.1, {0: "q", 1: "q"}],
    ]


def turning(functions):
    """Two oscillators in a magnetic field: q0 p1 - q1 p0 is imaginary."""
    modes = [{"basis": "harmonic", "functions": functions}] * 2
    return modes, [
        *([0.5, {k: o}] for k in range(2) for o in ("p^2", "q^2")),
        [0.3, {0: "q", 1: "p"}],
        [-0.3, {0: "p", 1: "q"}],
        [0.05, {0: "q^4"}],
        [0.1, {1: "q"}],
    ]


def states(modes, terms, n_states, **keys):
    p = problem(modes, terms)
    return p, solve(prepare(p, complete(p, GivenSpectrum(n_states=n_states, workers=1, **keys))))


def check(p, result, accuracy):
    """Energies and every state against the dense matrix in the functions given."""
    h = dense(p)
    np.testing.assert_allclose(result.energies, np.linalg.eigvalsh(h)[: len(result.energies)], atol=accuracy)
    assert result.status is Status.CONVERGED and result.error_estimates.max() <= accuracy
    assert np.isnan(result.basis_errors).all()  # the basis is part of the question: nobody estimates it
    back = np.argsort(result.mode_order)
    for energy, residual, x in zip(result.energies, result.residual_norms, result.states):
        v = x.full().reshape([p.sizes[k] for k in result.mode_order]).transpose(back).ravel()
        assert np.linalg.norm(v) == pytest.approx(1.0, abs=1e-6)
        # a residual norm is known to half the digits of ||H||
        floor = 3e-8 * np.abs(h).max()
        np.testing.assert_allclose(np.linalg.norm(h @ v - energy * v), residual, rtol=0.2, atol=floor)


@pytest.mark.parametrize(
    ("case", "n_states", "keys"),
    [
        (chain(10, (1.0, 1.0, 0.7)), 6, {}),
        (chain(10, (0.0, 0.0, -4.0), -1.0), 4, {}),
        (spin_boson(3, 8), 6, {}),
        (double_well(), 6, {"accuracy": 1e-8}),
        (double_well(), 4, {"method": "inverse_iteration"}),
        (turning(26), 3, {}),
        (chain(4, (1.0, 1.0, 1.0)), 16, {}),
        (turning(8), 5, {}),
        (([{"basis": "spin", "s": 1.5}], [[1.0, {0: "Sz^2"}], [0.3, {0: "Sy"}]]), 4, {}),
    ],
    ids=["xxz", "ising", "spin-boson", "double-well", "inverse-iteration", "complex", "all", "small-complex", "one"],
)
def test_states_against_dense_matrices(case, n_states, keys):
    p, result = states(*case, n_states, **keys)
    check(p, result, keys.get("accuracy", 1e-6))
    assert len(result.assignments) == len(result.symmetry) == len(result.ranks) == n_states


def test_a_rank_cap_is_told():
    _, result = states(*chain(10, (1.0, 1.0, 0.7)), 2, max_rank=3)
    assert result.status is not Status.CONVERGED and not result.state_converged.all() and result.warnings


def test_small_spaces_are_looked_at_a_second_time(monkeypatch):
    """A diagonalisation that loses a level is found out by the count of negative pivots."""
    case = chain(6, (1.0, 1.0, 0.7), 0.3)
    _, result = states(*case, 4)
    looks = {look.what: look.passed for look in result.checked}
    assert {"number of levels", "orthonormality", "energies", "operator against the terms given"} <= set(looks)
    assert all(looks.values()) and result.status is Status.CONVERGED
    whole = matrix_levels.lowest_of_dense
    monkeypatch.setattr(matrix_levels, "lowest_of_dense", lambda h, n: tuple(x[..., 1:] for x in whole(h, n + 1)))
    _, result = states(*case, 4)
    assert result.status is Status.CONTRADICTED
    assert [look.what for look in result.checked if not look.passed] == ["number of levels"]


def test_a_method_asked_for_is_taken_in_a_small_space_too():
    case = chain(6, (1.0, 1.0, 0.7), 0.3)
    _, direct = states(*case, 4)
    _, asked = states(*case, 4, method="block_dmrg")
    assert [state.label for state in direct.history] == ["full vectors"] and direct.counts["random_starts"] == 0
    assert asked.counts["sweeps"] > 0 and asked.status is Status.CONVERGED
    np.testing.assert_allclose(asked.energies, direct.energies, atol=1e-6)


@pytest.mark.parametrize(("max_rank", "direct"), [(8, True), (4, False)])
def test_ranks_that_cannot_carry_full_vectors_are_left_to_a_method(max_rank, direct):
    _, result = states(*chain(8, (1.0, 1.0, 0.7), 0.3), 2, accuracy=1e-3, max_rank=max_rank)
    assert max(map(max, result.ranks)) <= max_rank
    assert ([state.label for state in result.history] == ["full vectors"]) is direct
    assert (result.status is Status.CONVERGED) is direct


def test_spins_without_a_field_are_no_start():
    """All products of an XX chain are alike; of twenty spins there are too many for configuration interaction."""
    p = problem(*chain(20, (1.0, 1.0, 0.0)))
    assert not prepare(p, complete(p, GivenSpectrum(n_states=1))).space.starts
    p, result = states(*chain(20, (1.0, 1.0, 0.0)), 1, accuracy=1e-5)
    exact = np.linalg.eigvalsh(0.5 * (np.eye(20, k=1) + np.eye(20, k=-1)))  # free fermions
    assert result.energies[0] == pytest.approx(exact[exact < 0].sum(), abs=1e-5)


@pytest.mark.parametrize("method", ["automatic", "block_dmrg"])
def test_a_cap_that_no_shared_basis_fits_is_a_fault_of_the_key(method):
    """Six states on one basis of rank 2 cannot be."""
    with pytest.raises(ProblemError, match=r"do not fit.*raise max_rank, or take") as refused:
        states(*chain(8, (1.0, 1.0, 0.7)), 6, max_rank=2, method=method)
    assert refused.value.key == "solver.max_rank"
    # how many it holds is a matter of rounding
    assert re.match(r"6 states do not fit into one basis of these ranks, which holds [1-5]: ", str(refused.value))
    # states of a complex H are computed twice, and some buffer: that is not what was asked for
    asked = SimpleNamespace(n_states=6)
    assert _too_narrow(asked, TooNarrow(17, 9)).startswith("6 states with the 11 that are computed along do not fit")


def test_the_same_operator_as_the_built_in_henon_heiles():
    keys = {
        "kind": "vibrational",
        "force_field": {"model": "henon_heiles", "dimension": 3, "coupling": COUPLING},
        "mode_order": [1, 2, 3],
        "basis": {"type": "harmonic", "functions": 7},
    }
    built_in = prepare_field(VibrationalProblem.model_validate(keys), SpectrumSolver(n_states=4, accuracy=1e-9))
    p = problem(*henon_heiles(3, 7))
    spelled = prepare(p, complete(p, GivenSpectrum(n_states=4, accuracy=1e-9)))
    assert spelled.space.operator.ranks == built_in.space.operator.ranks and spelled.space.operator.dtype == float
    levels = np.linalg.eigvalsh(built_in.space.operator.full())
    np.testing.assert_allclose(np.linalg.eigvalsh(spelled.space.operator.full()), levels, atol=1e-11 * levels.max())
    np.testing.assert_allclose(solve(spelled).energies, levels[:4], atol=1e-9)


def test_the_same_levels_as_a_force_field_from_a_file(tmp_path):
    (tmp_path / "own.csv").write_text(CSV)
    field = load_force_field(tmp_path / "own.csv")
    keys = {
        "kind": "vibrational",
        "force_field": str(tmp_path / "own.csv"),
        "basis": {"type": "harmonic", "functions": [9, 10, 8]},
    }
    built_in = prepare_field(VibrationalProblem.model_validate(keys), SpectrumSolver(n_states=8, accuracy=1e-6))
    terms = [[w / 2, {k: power}] for k, w in enumerate(field.frequencies.tolist()) for power in ("p^2", "q^2")]
    terms += [[c, {k: f"q^{n}" for k, n in Counter(modes).items()}] for modes, c in field.terms.items()]
    p, result = states([{"basis": "harmonic", "functions": n} for n in (9, 10, 8)], terms, 8, accuracy=1e-7)
    levels = np.linalg.eigvalsh(built_in.space.operator.full())[:8]
    np.testing.assert_allclose(np.linalg.eigvalsh(dense(p).real)[:8], levels, rtol=1e-12)
    np.testing.assert_allclose(result.energies, levels, atol=1e-7)
    assert set(result.symmetry) == {"+"}


GAUSSIAN = {"type": "gaussian", "centre": [1.0, 0.5], "momentum": [0.0, 0.3]}
SOLVER = {"t_final": 4.0, "output_step": 0.5, "accuracy": 1e-10, "max_rank": 12, "workers": 1}


def test_the_same_motion_as_the_built_in_henon_heiles():
    keys = {
        "kind": "wave_packet",
        "model": "henon_heiles",
        "dimension": 2,
        "coupling": COUPLING,
        "initial": GAUSSIAN,
        "basis": {"type": "harmonic", "functions": 12},
    }
    packet = WavePacketProblem.model_validate(keys)
    solver = complete_packet(packet, WavePacketSolver.model_validate(SOLVER))
    p = problem(*henon_heiles(2, 12), task="evolution", initial=GAUSSIAN, observables=["q", "energy"])
    built_in = propagate(packet.system(), solver, ["q", "energy"])
    spelled = solve(prepare(p, complete(p, WavePacketSolver.model_validate(SOLVER))))
    np.testing.assert_allclose(spelled.autocorrelation, built_in.autocorrelation, atol=1e-9)
    np.testing.assert_allclose(spelled.observables["q"], built_in.observables["q"], atol=1e-9)


def test_starts_observables_and_absorbers_of_every_basis():
    modes = [
        {"basis": "harmonic", "functions": 60, "frequency": 0.5, "mass": 2.0},
        {"basis": "boson", "levels": 40},
        {"basis": "sinc", "points": 90, "interval": [-9.0, 9.0]},
        {"basis": "spin", "s": 1.0},
    ]
    terms = [[1.0, {0: "n"}], [1.0, {1: "n"}], [1.0, {2: "T"}], [1.0, {3: "Sz"}]]
    initial = {"type": "gaussian", "centre": [1.0, -0.5, 1.5, 0.0], "momentum": [0.5, 0.25, -1.0, 0.0]}
    system = problem(modes, terms, task="evolution", initial=initial).system()
    assert system.start.norm() == pytest.approx(1.0, abs=1e-10)
    none = np.nan  # a mode without the observable has no value of it, not zero
    for name, values in {"q": [1.0, -0.5, 1.5, none], "q2": [1.5, 0.75, 2.75, none], "z": [none] * 3 + [1.0]}.items():
        for k, (core, one, value) in enumerate(zip(system.start.cores, system.site_operators[name], values)):
            v = core.ravel()
            assert np.vdot(v, one @ v).real == pytest.approx(value, abs=1e-8, nan_ok=True), (name, k)
    # <p> from a spelled-out operator
    for k, value in enumerate([0.5, 0.25, -1.0]):
        momentum = problem(modes, [[1.0, {k: "p"}]], task="evolution", initial=initial, mode_order="given").system()
        start = momentum.start
        assert dot(start, momentum.operator @ start).real == pytest.approx(value, abs=1e-8)
    absorber = {"strength": 0.1, "start": 6.0}
    lossy = problem(modes, terms, task="evolution", initial=initial, absorber=absorber, mode_order="given").system()
    assert lossy.dissipative and lossy.terms is None
    loss = (lossy.operator - lossy.operator.adjoint()) * 0.5j  # sum of W_k, positive
    assert dot(lossy.start, loss @ lossy.start).real >= -1e-12 and loss.norm() > 0


def test_a_start_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="allow more functions"):
        p = problem(*henon_heiles(2, 4), task="evolution", initial={"type": "gaussian", "centre": 6.0})
        prepare(p, complete(p, WavePacketSolver.model_validate(SOLVER)))


YAML = """\
# A spin and two oscillators
name: mixed
problem:
  kind: sum_of_products
  modes: [{basis: spin}, {basis: boson, levels: 4}, {basis: sinc, points: 9, interval: [-4.0, 4.0]}]
  terms:
    - [0.5, {0: X}]
    - [1.0, {1: n}]
    - [1.0, {2: T}]
    - [0.5, {2: q^2}]
    - [0.1, {0: Z, 1: q, 2: q}]
    - [0.1, {0: Y, 1: p}]
    - [3.0, {}]
"""


def test_from_yaml_to_report(tmp_path):
    file = tmp_path / "mixed.yaml"
    file.write_text(YAML + "  task: spectrum\nsolver: {n_states: 3, workers: 1}\n")
    done = run(file, out=tmp_path / "states")
    results = done.report["results"]
    levels = np.linalg.eigvalsh(dense(load_study(file)[0].problem))
    assert done.status == "finished" and np.allclose(results["energies"], levels[:3], atol=1e-9)
    assert results["mode_order"] == [0, 1, 2] and load(done.folder)[1][0].shape == (2, 4, 9)
    assert load_study(done.folder / "configuration.yaml")[0].problem == load_study(file)[0].problem
    assert "distinct products" in (done.folder / "report.md").read_text()
    file.write_text(
        YAML
        + "  task: evolution\n  initial: {type: product, state: [0, 1, 4]}\n  observables: [energy, z, n, entropy]\n"
        "solver: {method: tdvp2, t_final: 1.0, output_step: 0.25, accuracy: 1.0e-5, max_rank: 20, workers: 1}\n"
    )
    done = run(file, out=tmp_path / "motion")
    results = done.report["results"]
    h = dense(load_study(file)[0].problem)
    energies, vectors = np.linalg.eigh(h)
    start = vectors.conj().T[:, np.ravel_multi_index((0, 1, 4), (2, 4, 9))]
    exact = [np.vdot(start, np.exp(-1j * energies * t) * start) for t in results["autocorrelation"]["t"]]
    a = np.array(results["autocorrelation"]["real"]) + 1j * np.array(results["autocorrelation"]["imag"])
    assert done.status == "finished" and np.abs(a - exact).max() < 1e-5
    assert np.shape(results["observables"]["z"])[1] == 3 and results["sites"] == ["0", "1", "2"]
    again = load_study(done.folder / "configuration.yaml")[0]
    assert again == load_study(file)[0].model_copy(update={"solver": again.solver})


def test_states_in_a_hole_of_the_potential_are_not_converged() -> None:
    terms = [
        [1828.55, {0: "p^2"}],
        [1828.55, {0: "q^2"}],
        [797.35, {1: "p^2"}],
        [797.35, {1: "q^2"}],
        [-300.0, {0: "q^3"}],
        [-75.0, {0: "q^2", 1: "q^2"}],
    ]
    for functions, well in ((6, True), (20, False)):
        modes = [{"basis": "harmonic", "functions": functions}] * 2
        problem = SumOfProductsProblem.model_validate(
            {"kind": "sum_of_products", "task": "spectrum", "modes": modes, "terms": terms}
        )
        result = solve(prepare(problem, GivenSpectrum(n_states=3, accuracy=0.01)))
        assert (result.status is Status.CONVERGED) is well and result.state_converged.all() == well
        assert well or any("beyond a barrier" in text for text in result.warnings)
