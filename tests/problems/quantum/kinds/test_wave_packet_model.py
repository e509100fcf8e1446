"""The keys: what is refused, where the blame lies, what is filled in, and that a stored configuration reads again."""

import math

import pytest
from packet_cases import HENON_HEILES, ISING, SOLVER, XXZ, study

from problems.families import family
from problems.quantum.kinds.wave_packet import FEMTOSECONDS
from problems.quantum.tasks.evolution.solve import prepare
from ttsuite.config import ConfigError, make_study
from ttsuite.describe import describe

ACETONITRILE = {
    "kind": "wave_packet",
    "model": "force_field",
    "force_field": "acetonitrile",
    "initial": {"type": "gaussian", "centre": 0.3},
    "time_unit": "fs",
}


@pytest.mark.parametrize(
    ("problem", "solver", "changes", "key", "text"),
    [
        (HENON_HEILES, {}, {"model": "henon_heile"}, "problem.model", "did you mean henon_heiles?"),
        (HENON_HEILES, {}, {"couplin": 0.1}, "problem.couplin", "did you mean coupling?"),
        (HENON_HEILES, {}, {"J": 1.0}, "problem.J", "is a key of ising, not of henon_heiles"),
        (ISING, {}, {"basis": {"type": "harmonic", "functions": 4}}, "problem.basis", "not of ising"),
        (ISING, {}, {"initial": {"type": "gaussian", "centre": 1.0}}, "problem.initial.type", "product"),
        (HENON_HEILES, {}, {"initial": {"type": "product", "state": "up"}}, "problem.initial.type", "gaussian"),
        (HENON_HEILES, {}, {"initial": {"type": "gausian"}}, "problem.initial.type", "did you mean gaussian?"),
        (HENON_HEILES, {}, {"initial": {"type": "gaussian", "center": 1.0}}, "problem.initial.center", "centre"),
        (HENON_HEILES, {}, {"initial": {"type": "gaussian", "centre": [1.0] * 3}}, "problem.initial.centre", "2 num"),
        (HENON_HEILES, {}, {"basis": {"type": "harmonic", "functions": [4]}}, "problem.basis.functions", "2 numbers"),
        (HENON_HEILES, {"order": 3}, {}, "solver.order", "must be one of: 1, 2, 4; found 3"),
        (HENON_HEILES, {}, {"basis": {"type": "sinc"}}, "problem.basis.type", "must be one of"),
        (HENON_HEILES, {}, {"observables": ["enrgy"]}, "problem.observables.0", "did you mean energy?"),
        (HENON_HEILES, {}, {"absorber": {"strength": 1.0}}, "problem.absorber.start", "missing"),
        (HENON_HEILES, {}, {"absorber": {"strength": -1.0, "start": 3.0}}, "problem.absorber.strength", "greater"),
        (HENON_HEILES, {}, {"absorber": "nothing"}, "problem.absorber", "must be one of: none"),
        (ISING, {}, {"initial": {"type": "product", "state": [0, 1]}}, "problem.initial.state", "6 numbers"),
        (ISING, {}, {"initial": {"type": "product", "state": [0, 1, 2, 0, 0, 0]}}, "problem.initial.state", "site 3"),
        (ISING, {}, {"initial": {"type": "product", "state": "down"}}, "problem.initial.state", "domain_wall"),
        (ISING, {}, {"dimension": 1}, "problem.dimension", "at least 2"),
        (ISING, {}, {"time_unit": "fs"}, "problem.time_unit", "force_field"),
        (
            ACETONITRILE,
            {},
            {"force_field": {"model": "coupled_oscillators", "dimension": 2}},
            "problem.time_unit",
            "cm-1",
        ),
        (ACETONITRILE, {}, {"force_field": "acetonitril"}, "problem.force_field", "did you mean acetonitrile?"),
        (ACETONITRILE, {}, {"mode_order": [1, 2]}, "problem.mode_order", "1 to 12"),
        (ACETONITRILE, {}, {"dimension": 12}, "problem.dimension", "not of force_field"),
        (HENON_HEILES, {"t_final": -1.0}, {}, "solver.t_final", "greater than 0"),
        (HENON_HEILES, {"accuracy": None}, {}, "solver.accuracy", "time_step or accuracy"),
        (HENON_HEILES, {"output_step": 0.3}, {}, "solver.output_step", "multiple"),
        (HENON_HEILES, {"output_step": 1e-9}, {}, "solver.output_step", "more than a run can hold"),
        (HENON_HEILES, {"time_step": 0.5}, {}, "solver.time_step", "must not exceed output_step"),
        (HENON_HEILES, {"time_step": 1e-7}, {}, "solver.time_step", "steps are more than"),
        (HENON_HEILES, {"method": "bug", "order": 4}, {}, "solver.order", "tdvp and tdvp2"),
        (HENON_HEILES, {"method": "tvdp"}, {}, "solver.method", "did you mean tdvp"),
        (HENON_HEILES, {"order": 4}, {"absorber": {"strength": 1.0, "start": 3.0}}, "solver.order", "order 4"),
        (HENON_HEILES, {"check_rank": 60}, {}, "solver.check_rank", "below max_rank"),
        (HENON_HEILES, {"energy_range": [2.0, 1.0]}, {}, "solver.energy_range", "ascending"),
        (HENON_HEILES, {"window": "han"}, {}, "solver.window", "did you mean hann?"),
    ],
)
def test_refusals(problem, solver, changes, key, text):
    with pytest.raises(ConfigError) as refused:
        study(problem, solver, **changes)
    assert key in [p.key for p in refused.value.problems] and text in str(refused.value), str(refused.value)


def test_missing_dimension_and_force_field():
    for problem, key in ((ISING, "dimension"), (ACETONITRILE, "force_field")):
        rest = {name: value for name, value in problem.items() if name != key}
        with pytest.raises(ConfigError, match=f"problem.{key}: missing"):
            study(rest)


def test_defaults_are_filled_in():
    solver = study(HENON_HEILES, {"output_step": None, "accuracy": None, "time_step": 0.05, "t_final": 6.0}).solver
    assert solver.output_step == pytest.approx(0.1) and solver.accuracy == 1e-3 and solver.outputs == 60
    solver = study(HENON_HEILES, {"output_step": None, "t_final": 6.0}).solver
    assert solver.outputs == 200 and solver.max_rank == 60 and solver.check_rank == "automatic"
    bare = {name: value for name, value in HENON_HEILES.items() if name != "basis"}
    assert study(bare).problem.basis.type == "harmonic"
    assert study(bare, basis={"functions": 5}).problem.basis.type == "harmonic"
    assert study(ACETONITRILE).problem.basis.type == "contracted"


@pytest.mark.parametrize("problem", [HENON_HEILES, ISING, XXZ, ACETONITRILE], ids=lambda p: p["model"])
def test_a_stored_configuration_reads_again(problem):
    first = study(problem)
    data = first.model_dump()
    again = make_study({key: _listed(value) for key, value in data.items()})
    assert again.model_dump() == data
    foreign = {"ising": "coupling", "xxz": "J", "henon_heiles": "Jz", "force_field": "dimension"}[problem["model"]]
    assert foreign not in data["problem"]


def _listed(value):
    """Tuples as the lists that YAML gives back."""
    if isinstance(value, dict):
        return {key: _listed(entry) for key, entry in value.items()}
    return [_listed(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def test_keys_that_say_nothing_are_no_fault():
    assert study(ISING, absorber="none", time_unit="natural").problem == study(ISING).problem


def test_units_of_time():
    assert FEMTOSECONDS == pytest.approx(5308.8374, abs=1e-3)
    problem = study(ACETONITRILE, {"t_final": 100.0, "output_step": 1.0}).problem
    assert problem.time_scale == FEMTOSECONDS and study(ISING).problem.time_scale == 1.0


def test_patterns_of_spins():
    def state(pattern, d=6):
        return study(ISING, initial={"type": "product", "state": pattern}, dimension=d).problem.initial.indices(d)

    assert state("up") == [0] * 6 and state("neel", 5) == [0, 1, 0, 1, 0]
    assert state("domain_wall") == [0, 0, 0, 1, 1, 1] and state([1, 0, 0, 0, 0, 1]) == [1, 0, 0, 0, 0, 1]


def test_a_basis_that_does_not_hold_the_start_is_refused_or_said():
    small = study(HENON_HEILES, initial={"type": "gaussian", "centre": 4.0})
    assert any(
        "squared norm" in text
        for text in prepare(study(HENON_HEILES, basis={"functions": 5}).problem, small.solver).warnings
    )
    with pytest.raises(ValueError, match="allow more functions"):
        prepare(study(HENON_HEILES, initial={"type": "gaussian", "centre": 6.0}).problem, small.solver)


def test_observables_of_another_model_are_left_out_and_said():
    wanted = study(HENON_HEILES, observables=["energy", "norm", "z"])
    assert wanted.problem.measured == ("energy", "norm")
    assert any(text.startswith("z is no observable") for text in prepare(wanted.problem, wanted.solver).warnings)


def test_automatic_basis_holds_the_start():
    wanted = study(HENON_HEILES, basis={"type": "harmonic", "functions": "automatic"})
    prepared = prepare(wanted.problem, wanted.solver)
    assert math.isclose(prepared.system.start.norm(), 1.0, abs_tol=1e-8) and max(prepared.system.start.shape) < 30


def test_description_of_the_keys():
    text = describe("wave_packet")
    for key in ("initial:", "absorber:", "observables:", "t_final:", "check_rank:", "window:", "time_unit:"):
        assert key in text
    assert family("wave_packet").solver.model_fields.keys() >= SOLVER.keys()
