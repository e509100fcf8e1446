"""From YAML to a Study: every trap of the loader, every refusal with file, line and column."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.errors import ProblemError
from ttsuite.study.config import ConfigError, load_study, make_study
from ttsuite.study.yaml_file import parse

CONFIGS = Path(__file__).parents[3] / "configs"
OTHERS = {CONFIGS / "scans", CONFIGS / "reproductions"}  # scans and collections
STUDIES = sorted(file for file in CONFIGS.rglob("*.yaml") if not OTHERS & set(file.parents))
GOOD = """\
name: small
problem:
  kind: vibrational
  force_field: {model: henon_heiles, dimension: 4}
solver:
  n_states: 3
"""


def faults(tmp_path, text, overrides=()):
    """Complaints about a file ``f.yaml`` with this text, without the folder."""
    file = tmp_path / "f.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_study(file, overrides)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def load(tmp_path, text, overrides=()):
    file = tmp_path / "f.yaml"
    file.write_text(text)
    return load_study(file, overrides)[0]


@pytest.mark.parametrize("file", STUDIES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_shipped_configurations_are_valid_and_have_a_quick_variant(file):
    study, _ = load_study(file)
    assert study.name
    assert (CONFIGS / "tiny" / file.name).exists()
    assert file.read_text().startswith("# ")


def test_the_main_job():
    study, _ = load_study(CONFIGS / "vibrational" / "acetonitrile.yaml")
    assert (study.name, study.seed, study.problem.mode_order) == ("acetonitrile-84", 0, "frequency")
    solver = study.solver
    assert (solver.n_states, solver.accuracy, solver.workers, solver.method) == (84, 0.01, 2, "automatic")


def test_nothing_but_force_field_and_states_is_needed(tmp_path):
    text = "problem: {kind: vibrational, force_field: acetonitrile}\nsolver: {n_states: 2}\n"
    study = load(tmp_path, text)
    assert (study.name, study.seed, study.solver.accuracy) == ("f", 0, 0.01)


def test_the_same_study_from_python(tmp_path):
    data = {
        "name": "small",
        "problem": {"kind": "vibrational", "force_field": {"model": "henon_heiles", "dimension": 4}},
        "solver": {"n_states": 3},
    }
    assert make_study(data) == load(tmp_path, GOOD)
    with pytest.raises(ConfigError, match=r"solver\.n_states: must be at least 1"):
        make_study(data | {"solver": {"n_states": 0}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-8", 1e-8),
        ("1.0E+3", 1000.0),
        (".5", 0.5),
        ("-3", -3),
        ("0", 0),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("2001-01-01", "2001-01-01"),
        ("[1, 2.5, a]", [1, 2.5, "a"]),
        ("{0: p^2}", {0: "p^2"}),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    document = parse(f"key: {text}\n", "f.yaml")
    assert document.problems == [] and document.data == {"key": value}
    assert type(document.data["key"]) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back(value):
    assert parse(f"key: {value!r}", "f.yaml").data == {"key": value}


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: 1\na: 2\n", "f:2:1: a", "given twice (first at f:1:1)"),
        ("a: {b: 1, b: 2}\n", "f:1:11: a.b", "given twice"),
        ("a: 010\n", "f:1:4: a", "leading zero: write 10"),
        ("a: .nan\n", "f:1:4: a", "finite"),
        ("a: [1, -.inf]\n", "f:1:8: a.1", "finite"),
        ("a: 1e400\n", "f:1:4: a", "too large"),
        ("a: " + "9" * 5000 + "\n", "f:1:4: a", "too long"),
        ("? [1]\n: 2\n", "f:1:3", "a key must be"),
        ("a: !!python/object/apply:os.system [ls]\n", "f:1:4", "tags"),
        ("a: !!int 3\n", "f:1:4", "tags"),
        ("a: &x 1\nb: *x\n", "f:1:4", "anchors and aliases"),
        ("a: 1\n b: 2\n", "f:2:3", "not valid YAML"),
        ("a: [1\n", "f:2:1", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "f:2:1", "not valid YAML"),
        ("- 1\n", "f:1:1", "must be a mapping"),
        ("", "f", "empty"),
        ("# only a comment\n", "f", "empty"),
        ("a: \x07\n", "f:1:4", "control character"),
        ("a: " + "[" * 60 + "]" * 60, "f:1:53: " + "a" + ".0" * 49, "nested too deeply"),
    ],
)
def test_loader_refusals(text, where, words):
    found = [str(problem) for problem in parse(text, "f").problems]
    assert len(found) == 1 and found[0].startswith(f"{where}: ") and words in found[0], found


def change(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (change("solver:", "solve:"), "f.yaml:7", ""),
        (change("n_states: 3", "n_state: 3"), "f.yaml:6:3: solver.n_state", "did you mean n_states?"),
        (change("n_states: 3", "n_states: three"), "f.yaml:6:13: solver.n_states", "must be an integer, found 'three'"),
        (change("n_states: 3", "n_states: 3.0"), "f.yaml:6:13: solver.n_states", "must be an integer"),
        (change("n_states: 3", "n_states: true"), "f.yaml:6:13: solver.n_states", "found true"),
        (change("n_states: 3", "n_states: -3"), "f.yaml:6:13: solver.n_states", "at least 1"),
        (change("n_states: 3", "n_states:"), "f.yaml:6:12: solver.n_states", "found nothing"),
        (change("n_states: 3", "{n_states: 3, accuracy: small}"), "f.yaml:6:27: solver.accuracy", "must be a number"),
        (change("n_states: 3", "{n_states: 3, accuracy: 0}"), "f.yaml:6:27: solver.accuracy", "greater than 0"),
        (change("n_states: 3", "{n_states: 3, method: dmrg}"), "f.yaml:6:25: solver.method", "block_dmrg"),
        (change("kind: vibrational", "kind: vibrationl"), "f.yaml:3:9: problem.kind", "did you mean vibrational?"),
        (change("  kind: vibrational\n", ""), "f.yaml:2:1: problem.kind", "missing"),
        (change("henon_heiles", "henon_heils"), "f.yaml:4:24: problem.force_field.model", "mean henon_heiles?"),
        (change("dimension: 4", "dimensions: 4"), "f.yaml:4:38: problem.force_field.dimensions", "mean dimension?"),
        (change("dimension: 4", "coupling: 1"), "f.yaml:4:3: problem.force_field.dimension", "missing"),
        (change("{model: henon_heiles, dimension: 4}", "none.csv"), "f.yaml:4:16: problem.force_field", "no such file"),
        (
            change("{model: henon_heiles, dimension: 4}", "[1]"),
            "f.yaml:4:16: problem.force_field",
            "text, found a list",
        ),
        (change("name: small", "name: a b"), "f.yaml:1:7: name", "letters, digits"),
        (change("name: small", "name: ../up"), "f.yaml:1:7: name", "letters, digits"),
        (change("name: small", "seed: -1"), "f.yaml:1:7: seed", "at least 0"),
        (change("name: small", "seed: 1e3"), "f.yaml:1:7: seed", "must be an integer"),
        (change("solver:\n  n_states: 3", "solver: 3"), "f.yaml:5:9: solver", "must be a mapping"),
        ("problem: 3\n", "f.yaml:1:10: problem", "must be a mapping"),
        ("name: x\n", "f.yaml:1:1: problem", "missing"),
    ],
)
def test_one_clear_line_with_its_place(tmp_path, text, where, words):
    found = faults(tmp_path, text)
    if "solve:" in text:
        assert found == ["f.yaml:5:1: solve: unknown key (did you mean solver?)"]  # one fault, told once
        return
    assert any(line.startswith(f"{where}: ") and words in line for line in found), found
    assert all("\n" not in line for line in found)


def test_everything_wrong_is_said_at_once(tmp_path):
    text = """\
name: two words
seed: on
problem:
  kind: vibrational
  force_field: field.csv
  mode_order: fast
  basis: {type: contracted, type: harmonic, functons: 3}
solver:
  n_states: 010
  accuracy: .inf
  metod: automatic
"""
    (tmp_path / "field.csv").write_text("order,modes,coefficient_cm-1\n2,1-1,100\n3,1-1-2,5\n")
    found = faults(tmp_path, text)
    places = [line.partition(": ")[0] for line in found]
    assert places == [f"f.yaml:{p}" for p in "1:7 2:7 5:16 6:15 7:29 7:45 9:13 10:13 11:3".split()]
    assert "field.csv:3:2: mode 2 is out of range" in found[2]


def test_overrides(tmp_path):
    study = load(
        tmp_path, GOOD, ["solver.n_states=7", "solver.accuracy=1e-8", "seed=4", "problem.basis.functions=[2, 3, 2, 2]"]
    )
    assert (study.solver.n_states, study.solver.accuracy, study.seed) == (7, 1e-8, 4)
    assert study.problem.basis.functions == (2, 3, 2, 2)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("solver.n_states=many", "--set solver.n_states=many: solver.n_states: must be an integer"),
        ("solver.n_state=3", "--set solver.n_state=3: solver.n_state: unknown key (did you mean n_states?)"),
        ("solver.n_states", "expected key.path=value"),
        ("=3", "expected key.path=value"),
        ("name.x=3", "name is not a mapping"),
        ("solver.accuracy=.nan", "finite"),
        ("solver.n_states=[", "not valid YAML"),
        ("solver.n_states=3\nb: 4", "expected one value"),
    ],
)
def test_bad_overrides(tmp_path, assignment, words):
    found = faults(tmp_path, GOOD, [assignment])
    assert len(found) == 1 and words in found[0], found


def test_an_override_replaces_a_fault_of_the_file(tmp_path):
    assert load(tmp_path, change("n_states: 3", "n_states: x"), ["solver.n_states=2"]).solver.n_states == 2


def test_equal_keys_make_equal_studies(tmp_path):
    one, two = load(tmp_path, GOOD), load(tmp_path, GOOD)
    assert one.problem.field.d == 4  # computed and kept, in one of them only
    assert one == two and hash(one) == hash(two) and one != load(tmp_path, change("n_states: 3", "n_states: 4"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1.0e+101", "out of range"),
        ("1.0e-101", "out of range"),
        ("-1.0e+200", "out of range"),
        ("0.0", "greater than 0"),
    ],
)
def test_numbers_no_quantity_has(tmp_path, value, words):
    (line,) = faults(tmp_path, change("n_states: 3", f"{{n_states: 3, accuracy: {value}}}"))
    assert line.startswith("f.yaml:6:27: solver.accuracy: ") and words in line


def test_more_workers_than_any_machine_has(tmp_path):
    (line,) = faults(tmp_path, change("n_states: 3", "{n_states: 3, workers: 100000}"))
    assert "at most 1000" in line


def test_data_files_that_cannot_be_reached(tmp_path):
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "folder.csv").mkdir()
    field = "{model: henon_heiles, dimension: 4}"
    for name in ("loop.csv", "folder.csv", "a" * 5000 + ".csv", '"a\\0.csv"', "none.csv"):
        for text in (change(field, name), f"problem: {{kind: completion, samples: {name}}}\nsolver: {{}}\n"):
            (line,) = faults(tmp_path, text)
            assert line.startswith("f.yaml:") and line.isprintable() and len(line) < 1000
    with pytest.raises(ConfigError, match="Unicode"):
        make_study({"problem": {"kind": "completion", "samples": "\udcff.csv"}, "solver": {}})


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device")
def test_a_file_that_never_ends_is_no_configuration():
    with pytest.raises(ConfigError, match="larger than 10 MB"):
        load_study("/dev/zero")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_study(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_study(tmp_path)
    assert faults(tmp_path, b"name: \xff\n") == ["f.yaml: not UTF-8 text"]


def test_more_states_than_the_basis_has_functions(tmp_path):
    text = change("solver:", "  basis: {functions: 2}\nsolver:").replace("n_states: 3", "n_states: 17")
    (line,) = faults(tmp_path, text)
    assert line == "f.yaml:7:13: solver.n_states: 17 states asked, but the basis has only 16 functions"


def test_a_refusal_of_the_numerics_gets_its_place(tmp_path):
    file = tmp_path / "f.yaml"
    file.write_text(GOOD)
    _, source = load_study(file)
    error = source.error(ProblemError("too large", "solver.n_states"))
    assert str(error) == f"{file}:6:13: solver.n_states: too large"
    # a key that the file leaves out is blamed on the mapping it belongs to
    error = source.error(ProblemError("too small", "problem.basis.functions"))
    assert str(error) == f"{file}:2:1: problem.basis.functions: too small"


SPINS = {"basis": "spin"}


def numbers(coefficient, n=2, **problem):
    problem = {
        "kind": "sum_of_products",
        "modes": [SPINS] * 2,
        "task": "spectrum",
        "terms": [[coefficient, {0: "Z", 1: "Z"}]],
    } | problem
    return make_study({"name": "n", "problem": problem, "solver": {"n_states": n}})


@pytest.mark.parametrize(
    ("coefficient", "n"),
    [
        (np.float64(0.3), 2),
        (0.3, np.int64(2)),
        (0.3 + 0j, 2),
        ([np.float64(0.3), 0.0], 2),
        (np.complex128(0.3), 2),
        (np.float32(0.5), 2),
        (np.array([0.3, 0.0]), 2),
        ((0.3, 0.0), np.array(2)),
    ],
)
def test_numbers_of_numpy_are_numbers(coefficient, n):
    study = numbers(coefficient, n)
    assert type(study.solver.n_states) is int and study.solver.n_states == 2
    (value,) = study.problem.products.values()
    assert type(value) is complex and value == complex(np.ravel(coefficient)[0])


def test_arrays_and_complex_numbers_stand_for_what_they_can_only_mean(tmp_path):
    terms = [[0.5 + 0.25j, {0: "S+", 1: "S-"}], [np.complex128(0.5 - 0.25j), {0: "S-", np.int64(1): "S+"}]]
    pairs = [[[0.5, 0.25], {0: "S+", 1: "S-"}], [[0.5, -0.25], {0: "S-", 1: "S+"}]]
    assert numbers(0.0, terms=terms) == numbers(0.0, terms=pairs)
    data = {
        "kind": "vibrational",
        "force_field": {"model": "coupled_oscillators", "dimension": np.int32(3), "coupling": np.float32(0.25)},
        "mode_order": np.array([3, 1, 2]),
    }
    study = make_study({"name": "n", "problem": data, "solver": {"n_states": 2, "accuracy": np.float64(1e-3)}})
    assert study.problem.mode_order == (3, 1, 2) and study.problem.force_field.coupling == 0.25
    # what could mean two things is refused, and so is what is no number
    for bad in (0.3 + 0.1j, np.array([0.1, 0.2]), np.str_("0.3"), np.nan, np.bool_(True)):
        with pytest.raises(ConfigError, match=r"solver\.accuracy"):
            make_study({"name": "n", "problem": data, "solver": {"n_states": 2, "accuracy": bad}})
