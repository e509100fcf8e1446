"""From a scan file to its points: order, values in lists, files, and every refusal with file, line and column."""

from pathlib import Path

import pytest

from ttsuite.scans.scan_file import load_scan, words
from ttsuite.study.config import ConfigError, is_scan

CONFIGS = Path(__file__).parents[3] / "configs"
BASE = """\
problem:
  kind: vibrational
  force_field: {model: henon_heiles, dimension: 4}
solver: {n_states: 3, accuracy: 1.0e-4}
"""
TERMS = """\
base:
  problem:
    kind: sum_of_products
    modes:
      - {basis: harmonic, functions: 5}
      - {basis: harmonic, functions: 6}
    terms:
      - [0.5, {0: p^2}]
      - [0.5, {0: q^2}]
      - [0.5, {1: p^2}]
      - [0.5, {1: q^2}]
      - [0.1, {0: q, 1: q}]
    task: spectrum
  solver: {n_states: 2}
"""


def write(tmp_path, text, base=BASE):
    (tmp_path / "base.yaml").write_text(base)
    file = tmp_path / "s.yaml"
    file.write_text(text)
    return file


def faults(tmp_path, text, base=BASE, overrides=()):
    with pytest.raises(ConfigError) as caught:
        load_scan(write(tmp_path, text, base), overrides)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize("file", sorted((CONFIGS / "scans").rglob("*.yaml")), ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_shipped_scans_are_valid_and_have_a_quick_variant(file):
    assert is_scan(file) and len(load_scan(file).points) >= 4
    assert (CONFIGS / "scans" / "tiny" / file.name).exists() and file.read_text().startswith("# ")


def test_the_last_key_of_a_grid_runs_fastest_and_the_list_comes_after(tmp_path):
    plan = load_scan(
        write(
            tmp_path,
            """\
base: base.yaml
grid:
  problem.force_field.dimension: [2, 3]
  solver.n_states: [4, 5]
list:
  - {solver.accuracy: 1.0e-6}
  - {problem.force_field.dimension: 5, seed: 7}
""",
        )
    )
    assert plan.name == "s" and [point.number for point in plan.points] == [1, 2, 3, 4, 5, 6]
    assert plan.keys == ("problem.force_field.dimension", "solver.n_states", "solver.accuracy", "seed")
    studies = [point.study for point in plan.points]
    found = [(s.problem.field.d, s.solver.n_states, s.solver.accuracy, s.seed) for s in studies]
    rest = [(4, 3, 1e-6, 0), (5, 3, 1e-4, 7)]
    assert found == [(2, 4, 1e-4, 0), (2, 5, 1e-4, 0), (3, 4, 1e-4, 0), (3, 5, 1e-4, 0), *rest]
    assert studies[0].name == "s-dimension-2_n_states-4" and {s.solver.workers for s in studies} == {1}


def test_changes_in_words_are_short_but_told_apart():
    assert words({"problem.force_field.coupling": 0.1, "solver.method": "tdvp"}) == "coupling = 0.1, method = tdvp"
    assert words({"problem.terms.4.0": -1.5, "seed": 2}) == "terms.4.0 = -1.5, seed = 2"
    sizes = {"problem.modes.0.points": 8, "problem.modes.1.points": 9, "solver.accuracy": 1e-8}
    assert words(sizes) == "modes.0.points = 8, modes.1.points = 9, accuracy = 1e-08"


def test_a_key_may_lead_into_a_list(tmp_path):
    plan = load_scan(
        write(tmp_path, f"{TERMS}grid: {{problem.terms.4.0: [0.2, -0.3], problem.modes.1.functions: [7]}}\n")
    )
    assert [point.data["problem"]["terms"][4][0] for point in plan.points] == [0.2, -0.3]
    assert plan.points[0].data["problem"]["terms"][3] == [0.5, {1: "q^2"}]
    assert plan.points[1].study.problem.sizes[1] == 7
    (fault,) = faults(tmp_path, f"{TERMS}grid: {{problem.terms.5.0: [0.2]}}\n")
    assert fault.startswith("s.yaml:15:8: problem.terms.5.0: problem.terms is a list of 5: a number from 0 to 4 must")


def test_a_question_has_one_key_wherever_it_stands(tmp_path):
    def keys(text, base=BASE):
        return {point.key for point in load_scan(write(tmp_path, f"base: base.yaml\n{text}", base)).points}

    few = keys("grid: {solver.n_states: [4, 5]}\n")
    assert few < keys("name: other\ngrid: {solver.n_states: [6, 5, 4]}\n")
    assert few == keys("list: [{solver.n_states: 5}, {solver.n_states: 4}]\n", BASE.replace("1.0e-4", "0.0001"))
    assert not few & keys("grid: {solver.n_states: [4, 5]}\n", BASE.replace("1.0e-4", "1.0e-5"))


def test_a_data_file_counts_by_what_is_in_it(tmp_path):
    base = "problem: {kind: vibrational, force_field: f.csv}\nsolver: {n_states: 3}\n"

    def key(text):
        (tmp_path / "f.csv").write_text(f"order,modes,coefficient_cm-1\n2,1-1,{text}\n2,2-2,900\n")
        return load_scan(write(tmp_path, "base: base.yaml\nlist: [{solver.n_states: 2}]\n", base)).points[0].key

    assert key("1000") == key("1000") != key("1001")


def test_overrides_change_the_base_and_points_come_after(tmp_path):
    file = write(tmp_path, "base: base.yaml\ngrid: {solver.n_states: [4, 5]}\n")
    plan = load_scan(file, ["solver.n_states=9", "solver.accuracy=1e-3"])
    assert [(p.study.solver.n_states, p.study.solver.accuracy) for p in plan.points] == [(4, 1e-3), (5, 1e-3)]
    (fault,) = faults(tmp_path, file.read_text(), overrides=["solver.acuracy=1"])
    assert fault == "--set solver.acuracy=1: solver.acuracy: unknown key (did you mean accuracy?)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("base: base.yaml\n", ["s.yaml:1:1: grid: a scan needs a grid, a list, or both"]),
        ("grid: {seed: [1]}\n", ["s.yaml:1:1: base: missing (a file, or the study itself)"]),
        (
            "base: 3\ngrid: {seed: [1]}\n",
            ["s.yaml:1:7: base: must be the name of a file or a mapping of keys to values"],
        ),
        (
            "base: base.yaml\ngird: {seed: [1]}\nlist: [{seed: 1}]\n",
            ["s.yaml:2:1: gird: unknown key (did you mean grid?)"],
        ),
        ("base: base.yaml\ngrid: {seed: 1}\n", ["s.yaml:2:14: grid.seed: must be a list of values"]),
        ("base: base.yaml\nlist: {seed: 1}\n", ["s.yaml:2:7: list: must be a list of mappings of keys to values"]),
        (
            "base: base.yaml\ngrid: {name: [a]}\n",
            ["s.yaml:2:8: grid.name: cannot be changed: a point has the name of its"],
        ),
        (
            "base: base.yaml\nlist: [{solver.workers: 2}]\n",
            ["s.yaml:2:9: list.0.solver.workers: cannot be changed: a point"],
        ),
        ("base: base.yaml\ngrid: {seed.: [1]}\n", ["s.yaml:2:8: grid.seed.: must be a key such as problem.coupling"]),
        (
            "name: a b\nbase: base.yaml\ngrid: {seed: [1]}\n",
            ["s.yaml:1:7: name: must be 1 to 40 letters, digits, - and _"],
        ),
        ("base: none.yaml\ngrid: {seed: [1]}\n", ["s.yaml:1:7: base: no such file: none.yaml"]),
        (
            f"base: base.yaml\ngrid: {{seed: [{', '.join(map(str, range(10001)))}]}}\n",
            ["s.yaml:2:1: grid: 10001 points: at most 10000"],
        ),
        # a wrong value of a grid is told once, at the value, and all wrong ones are told
        (
            "base: base.yaml\ngrid: {solver.n_states: [2, x], seed: [1, 2, -3]}\n",
            [
                "s.yaml:2:29: solver.n_states: must be an integer, found 'x'",
                "s.yaml:2:46: seed: must be at least 0, found -3",
            ],
        ),
        (
            "base: base.yaml\nlist: [{solver.n_state: 2}]\n",
            ["s.yaml:2:9: solver.n_state: unknown key (did you mean n_states?)"],
        ),
        (
            "base: base.yaml\ngrid: {solver.n_states.x: [2]}\n",
            ["s.yaml:2:8: solver.n_states.x: solver.n_states is not a map"],
        ),
        ("base: base.yaml\ngrid: {seed: [1, 2, 1]}\n", ["s.yaml:2:21: points 1 and 3 ask the same"]),
        ("base: base.yaml\ngrid: {seed: [1]}\nlist: [{seed: 1}]\n", ["s.yaml:3:15: points 1 and 2 ask the same"]),
        ("base: [\n", ["s.yaml:2:1: not valid YAML: "]),
    ],
)
def test_refusals(tmp_path, text, expected):
    found = faults(tmp_path, text)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_a_fault_of_the_base_is_told_once_in_its_own_file_and_a_fault_of_a_point_names_it(tmp_path):
    text = "base: base.yaml\ngrid: {seed: [1, 2]}\n"
    found = faults(tmp_path, text, BASE.replace("n_states: 3", "n_states: none"))
    assert len(found) == 1 and found[0].startswith("base.yaml:4:20: solver.n_states: must be an integer, found 'none'")
    # a change of one key makes another key wrong
    text = "base: base.yaml\ngrid: {problem.force_field.dimension: [4, 5]}\n"
    found = faults(tmp_path, text, BASE.replace("solver:", "  mode_order: [4, 3, 2, 1]\nsolver:"))
    assert len(found) == 1 and "base.yaml:4:" in found[0] and "(point 2: dimension = 5)" in found[0]
