"""The YAML keys of kind sum_of_products: every mistake refused with its place in the file."""

import json

import pytest

from problems.quantum.tasks.either.keys import GivenSpectrum
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from ttsuite.study.config import ConfigError, load_study
from ttsuite.study.describe import describe

GOOD = """\
name: pair
problem:
  kind: sum_of_products
  modes:
    - {basis: harmonic, functions: 12}
    - {basis: sinc, points: 40, interval: [-6.0, 6.0], mass: 1.0}
    - {basis: spin}
  terms:
    - [0.5, {0: p^2}]
    - [0.5, {0: q^2}]
    - [1.0, {1: T}]
    - [0.11, {0: q^2, 1: q}]
    - [2, {}]
    - [0.3, {1: q, 2: X}]
  task: spectrum
solver: {n_states: 3}
"""
IN_TIME = GOOD.replace("task: spectrum", "task: evolution\n  initial: {type: gaussian, centre: 1.0}").replace(
    "{n_states: 3}", "{t_final: 1.0, accuracy: 1.0e-4}"
)


def load(tmp_path, text):
    file = tmp_path / "f.yaml"
    file.write_text(text)
    return load_study(file)[0]


def faults(tmp_path, text):
    """Complaints about a file ``f.yaml`` with this text, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_defaults_and_what_is_derived(tmp_path):
    study = load(tmp_path, GOOD)
    problem, solver = study.problem, study.solver
    assert problem.sizes == [12, 40, 2] and problem.bases[2].s == 0.5 and problem.bases[0].mass == 1.0
    assert isinstance(solver, GivenSpectrum) and (solver.accuracy, solver.method) == (1e-6, "automatic")
    assert problem.products[()] == 2.0 and len(problem.products) == 6
    assert problem.references == [] and problem.files == {}
    assert ("distinct products", "6, of up to 2 modes") in problem.description


def test_an_evolution_takes_the_keys_of_wave_packets(tmp_path):
    study = load(tmp_path, IN_TIME)
    assert isinstance(study.solver, WavePacketSolver) and study.solver.output_step == 1.0 / 200
    assert ("start", "Gaussian") in study.problem.description


def test_what_a_run_writes_down_can_be_read_again(tmp_path):
    for text in (GOOD, IN_TIME):
        study = load(tmp_path, text)
        assert load(tmp_path, json.dumps(study.model_dump())) == study


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("{0: p^2}", "{0: P^2}", "f.yaml:9:17: problem.terms.0.1.0: mode 0 (harmonic) has no operator 'P^2', did"),
        ("{1: T}", "{1: n}", "f.yaml:11:17: problem.terms.2.1.1: mode 1 (sinc) has no operator 'n'"),
        ("2: X}", "2: q}", "f.yaml:14:23: problem.terms.5.1.2: mode 2 (spin 0.5) has no operator 'q'"),
        ("2: X}", "2: sz^2}", "did you mean Sz^2?"),
        ("2: X}", "2: X^9}", "a power must be from 1 to 8"),
        ("2: X}", "2: X^0}", "a power must be from 1 to 8"),
        ("{0: q^2, 1: q}", "{0: q^8 p^8}", "may add up to 12"),
        ("2: X}", "7: X}", "f.yaml:14:23: problem.terms.5.1.7: there is no mode 7: modes are numbered 0 to 2"),
        ("2: X}", "-1: X}", "there is no mode -1"),
        ("2: X}", "a: X}", "f.yaml:14:23: problem.terms.5.1.a: a mode is given by its number"),
        ("2: X}", "1: q}", "f.yaml:14:20: problem.terms.5.1.1: given twice"),
        ("2: X}", "2: [X]}", "must be the name of an operator, found a list"),
        ("2: X}", "2: ''}", "an operator must have a name"),
        ("[2, {}]", "[2]", "f.yaml:13:7: problem.terms.4: must be [coefficient, {mode: operator, ...}]"),
        ("[2, {}]", "{}", "f.yaml:13:7: problem.terms.4: must be [coefficient"),
        ("[2, {}]", "[two, {}]", "f.yaml:13:8: problem.terms.4.0: a coefficient must be a number"),
        ("[2, {}]", "[true, {}]", "a coefficient must be a number, or [re, im] for a complex one, found true"),
        ("[2, {}]", "[[1, 2, 3], {}]", "a coefficient must be a number"),
        ("[2, {}]", "[2, 3]", "f.yaml:13:11: problem.terms.4.1: must be a mapping from modes to operators"),
        ("[2, {}]", "[[0, 1], {}]", "its coefficient must be real, found [0, 1]"),
        (
            "2: X}",
            "2: S+}",
            "f.yaml:14:7: problem.terms.5: the sum is not Hermitian: this term lacks its conjugate,"
            " [0.3, {1: q, 2: S-}]",
        ),
        ("2: X}", "0: q p}", "lacks its conjugate, [0.3, {0: p q, 1: q}]"),
        ("functions: 12", "functions: 0", "f.yaml:5:36: problem.modes.0.functions: must be at least 1"),
        ("functions: 12", "functions: 9999", "must be at most 400"),
        ("points: 40", "points: 1", "problem.modes.1.points: must be at least 2"),
        ("[-6.0, 6.0]", "[6.0, -6.0]", "f.yaml:6:43: problem.modes.1.interval: must ascend: 6 is not below -6"),
        ("[-6.0, 6.0]", "[6.0]", "must be a list of two numbers"),
        ("mass: 1.0", "mass: -1.0", "problem.modes.1.mass: must be greater than 0"),
        ("mass: 1.0", "mas: 1.0", "problem.modes.1.mas: unknown key"),
        ("{basis: spin}", "{basis: spin, s: 0.7}", "must be a positive multiple of 0.5, found 0.7"),
        (
            "{basis: spin}",
            "{basis: sipn}",
            "f.yaml:7:15: problem.modes.2.basis: must be one of: harmonic, sinc, spin,"
            " boson; found 'sipn' (did you mean spin?)",
        ),
        ("{basis: spin}", "{s: 0.5}", "problem.modes.2.basis: missing"),
        ("task: spectrum", "task: spectra", "must be one of: spectrum, evolution; found 'spectra' (did you mean"),
        ("task: spectrum", "task: spectrum\n  mode_order: [0, 1]", "must name each of the modes 0 to 2 once"),
        ("task: spectrum", "task: spectrum\n  initial: {type: gaussian}", "problem.initial: belongs to task"),
        ("task: spectrum", "task: evolution", "problem.initial: missing"),
        ("{n_states: 3}", "{}", "solver.n_states: missing"),
        ("{n_states: 3}", "{n_sates: 3}", "solver.n_sates: unknown key (did you mean n_states?)"),
        ("{n_states: 3}", "{n_states: 1000}", "solver.n_states: 1000 states asked, but the basis has only 960"),
        ("{n_states: 3}", "{n_states: 3, method: tdvp}", "solver.method: must be one of: automatic, block_dmrg"),
        ("{n_states: 3}", "{t_final: 3.0, accuracy: 0.1}", "solver.t_final: belongs to task: evolution"),
        ("{n_states: 3}", "{n_states: 3, t_final: 1.0}", "solver.t_final: belongs to task: evolution, n_states to"),
        ("{n_states: 3}", "{n_states: 3, max_rank: 0}", "must be automatic or an integer of at least 1"),
        ("{n_states: 3}", "{n_states: 500, method: block_dmrg}", "use inverse_iteration"),
    ],
)
def test_refusals(tmp_path, old, new, found):
    assert old in GOOD
    told = faults(tmp_path, GOOD.replace(old, new, 1))
    assert len(told) == 1 and found in told[0], told


def test_refusals_of_an_evolution(tmp_path):
    for old, new, found in [
        ("{t_final: 1.0, accuracy: 1.0e-4}", "{n_states: 3}", "solver.n_states: belongs to task: spectrum"),
        ("{t_final: 1.0, accuracy: 1.0e-4}", "{}", "solver.t_final: missing"),
        ("{type: gaussian, centre: 1.0}", "{type: gaussian, centre: [1.0]}", "needs 3 numbers"),
        ("{type: gaussian, centre: 1.0}", "{type: product, state: [0, 0, 2]}", "problem.initial.state: "),
        ("{type: gaussian, centre: 1.0}", "{type: gausian}", "did you mean gaussian?"),
    ]:
        told = faults(tmp_path, IN_TIME.replace(old, new, 1))
        assert len(told) == 1 and found in told[0], told


def test_all_faults_at_once(tmp_path):
    text = GOOD.replace("{0: p^2}", "{0: x}").replace("{1: T}", "{9: T}").replace("points: 40", "points: 40.5")
    assert len(faults(tmp_path, text)) == 1  # operators are looked at once the modes are known
    assert len(faults(tmp_path, text.replace("40.5", "40").replace("n_states: 3", "n_states: x"))) == 3
    assert (
        "must hold at least one term"
        in faults(
            tmp_path,
            GOOD[: GOOD.index("    - [0.5")].replace(
                "terms:\n", "terms: []\n  task: spectrum\nsolver: {n_states: 1}\n"
            ),
        )[0]
    )
    cancelling = GOOD[: GOOD.index("    - [0.5")] + "    - [1.0, {}]\n  task: spectrum\nsolver: {n_states: 1}\n"
    assert "nothing to solve" in faults(tmp_path, cancelling)[0]


def test_conjugates_may_be_spread_over_terms(tmp_path):
    for terms in (
        "[[1.0, {2: S+}], [1.0, {2: S-}]]",
        "[[[0.0, 1.0], {2: S+}], [[0.0, -1.0], {2: S-}]]",
        "[[1.0, {0: q p}], [1.0, {0: p q}]]",
        "[[[0.0, 1.0], {2: X Y}]]",  # i X Y = -Z
        "[[0.5, {2: S+}], [1.0, {2: X}], [0.5, {2: S-}]]",
    ):
        head, tail = GOOD[: GOOD.index("  terms:")], GOOD[GOOD.index("  task:") :]
        assert load(tmp_path, f"{head}  terms: {terms}\n{tail}").problem.terms
    told = faults(tmp_path, f"{head}  terms: [[1.0, {{2: S+}}], [0.5, {{2: S-}}]]\n{tail}")
    assert "the conjugate of this term has the coefficient 1, which must be 0.5" in told[0]


def test_the_description_lists_the_keys_of_both_tasks():
    text = describe("sum_of_products")
    for word in ("points", "interval", "terms", "n_states", "t_final", "[evolution]", "initial", "with type: product"):
        assert word in text
