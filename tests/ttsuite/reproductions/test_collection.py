"""A collection: what its file says, and every fault of it at once, each with its place."""

import json

import jsonschema
import pytest

from ttsuite.command.cli import main
from ttsuite.reproductions.collection import chosen, load_collection
from ttsuite.reproductions.computations import arguments_of, computation, known
from ttsuite.reproductions.places import SHIPPED, is_collection
from ttsuite.reproductions.schema import SCHEMA, collection_schema_text
from ttsuite.study.config import ConfigError
from ttsuite.study.schema import POINTER
from ttsuite.study.yaml_file import parse

STUDY = """\
problem: {kind: decomposition, tensor: {model: w_state, modes: 3}}
solver: {accuracy: 1.0e-6, terms: [2], starts: 1}
"""
FILE = """\
title: A paper
items:
  - {name: one, what: a computation, computation: border-rank, arguments: {modes: [3]}}
  - {name: two, what: a run, configuration: study.yaml, set: {solver.starts: 2}, tiny: study.yaml}
  - {name: three, what: nothing, not_run: no data}
  - {name: four, what: a run, computation: border-rank, needs: [no_such_module], tiny: {modes: [4]}}
"""


def write(tmp_path, text=FILE):
    (tmp_path / "study.yaml").write_text(STUDY)
    file = tmp_path / "paper.yaml"
    file.write_text(text)
    return file


def faults(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        load_collection(write(tmp_path, text))
    return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]


def test_the_items_of_a_file(tmp_path):
    file = write(tmp_path)
    assert is_collection(file) and not is_collection(tmp_path / "study.yaml")
    found = load_collection(file)
    one, two, three, four = found.tasks
    assert (found.name, found.title, found.small) == ("paper", "A paper", False)
    assert one.arguments == {"modes": [3]} and one.key.startswith("one-")
    assert two.study is not None and two.study.name == "paper-two" and two.study.solver.starts == 2
    assert (three.key, four.missing) == ("", ("no_such_module",))
    small = load_collection(file, tiny=True)
    assert [task.tiny for task in small.tasks] == [False, True, False, True]
    # the changes are those of the full variant
    assert small.tasks[1].study.solver.starts == 1 and small.tasks[1].key != two.key
    assert small.tasks[3].arguments == {"modes": [4]}
    assert len(repr(found).splitlines()) <= 10


def test_the_run_of_an_item_is_named_by_its_question(tmp_path):
    key = load_collection(write(tmp_path)).tasks[1].key
    assert load_collection(write(tmp_path, FILE.replace("what: a run", "what: the same run"))).tasks[1].key == key
    assert load_collection(write(tmp_path, FILE.replace("starts: 2", "starts: 3"))).tasks[1].key != key


def test_which_items_are_chosen(tmp_path):
    found = load_collection(write(tmp_path))
    assert [task.keys.name for task in chosen(found, [], [])] == ["one", "two", "four"]  # three cannot be run
    assert [task.keys.name for task in chosen(found, ["two"], [])] == ["two"]
    assert [task.keys.name for task in chosen(found, [], ["two"])] == ["one", "four"]
    with pytest.raises(ConfigError, match=r"paper has no item tow \(did you mean two\?\)"):
        chosen(found, ["tow"], [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("items: []\n", ["paper.yaml:1:8: items: needs at least one item"]),
        ("item: 3\n", ["paper.yaml:1:1: item: unknown key (did you mean items?)"]),
        (
            "items:\n  - {name: a, what: b, computation: border-rnk}\n  - {name: c, what: d, configuration: no.yaml}\n",
            [
                "paper.yaml:2:37: items.0.computation: no computation is called 'border-rnk' (did",
                "paper.yaml:3:39: items.1.configuration: no such file: no.yaml",
            ],
        ),
        (
            "items:\n  - {name: a, what: b, computation: border-rank, arguments: {mode: [3]}}\n",
            ["paper.yaml:2:62: items.0.arguments.mode: unknown argument (did you mean modes?)"],
        ),
        ("items:\n  - {name: a, what: b}\n", ["paper.yaml:2:5: items.0: needs one of configuration, computation"]),
        (
            "items:\n  - {name: a, what: b, not_run: c}\n  - {name: a, what: b, not_run: c}\n",
            ["paper.yaml:1:1: each item needs a name of its own, found twice: a"],
        ),
        (
            "items:\n  - {name: a, what: b, computation: border-rank, values: [{label: x, published: 1}]}\n",
            ["paper.yaml:2:59: items.0.values.0: needs either quantity or path"],
        ),
        (
            "items:\n  - {name: a, what: b, computation: border-rank, values: [{label: x, path: a, published: one}]}\n",
            ["paper.yaml:2:90: items.0.values.0.published: must be a number, found 'one'"],
        ),
        (
            "items:\n  - {name: a, what: b, configuration: study.yaml, set: {solver.acuracy: 1}}\n",
            ["paper.yaml:2:57: solver.acuracy: unknown key (did you mean accuracy?)"],
        ),
        (
            "items:\n  - {name: a, what: b, configuration: study.yaml, tiny: {}}\n",
            ["paper.yaml:2:5: items.0: tiny must"],
        ),
        ("items: 3\n", ["paper.yaml:1:8: items: must be a list, found 3"]),
        (
            "items:\n  - {name: a, what: b, not_run: c, needs: torch, tiny: 3, values: [{label: x, at: []}]}\n",
            [
                "paper.yaml:2:43: items.0.needs: must be a list, found 'torch'",
                "paper.yaml:2:56: items.0.tiny: must be the name of a file",
                "paper.yaml:2:83: items.0.values.0.at: must be text or a number, found []",
            ],
        ),
        (
            "items:\n  - {name: a, what: b, computation: border-rank, values: [{label: x, path: ''}]}\n",
            ["paper.yaml:2:76: items.0.values.0.path: must be keys of report.json such as results.terms.0"],
        ),
        ("items: [1\n", ["paper.yaml:2:1: not valid YAML"]),
    ],
)
def test_faults_are_told_with_their_places(tmp_path, text, told):
    found = faults(tmp_path, text)
    assert len(found) == len(told)
    for problem, start in zip(found, told):
        assert problem.startswith(start), problem


def test_a_wrong_name_is_answered_with_the_known():
    with pytest.raises(ConfigError, match=r"did you mean talk\?"):
        load_collection("tlak")


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda file: file.stem)
@pytest.mark.parametrize("tiny", [False, True])
def test_shipped_collections_are_valid(file, tiny):
    found = load_collection(file, tiny=tiny)
    assert found.name == file.stem and len(found.tasks) > 20
    for task in found.tasks:
        item = task.keys
        assert item.not_run or (task.seconds is not None and item.values), item.name
        for value in item.values:
            compared = value.expected if item.stand_in else value.published
            said = value.expected_source if item.stand_in else value.source
            assert (compared is None) or said, (item.name, value.label)


def test_the_shipped_schema_is_up_to_date_and_true_of_the_shipped_collections(capsys):
    # after a change of the models: ttsuite schema collection > ttsuite/reproductions/schema.json
    assert SCHEMA.read_text() == collection_schema_text()
    assert main(["schema", "collection"]) == 0 and capsys.readouterr().out == collection_schema_text()
    validator = jsonschema.Draft7Validator(json.loads(collection_schema_text()))
    for file in SHIPPED.glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert list(validator.iter_errors(parse(text, file.name).data)) == []
        pointer = text.partition("\n")[0]
        assert pointer.startswith(POINTER) and (file.parent / pointer.removeprefix(POINTER)).resolve() == SCHEMA
    assert list(validator.iter_errors({"items": [{"name": "a", "what": "b", "valeus": []}]}))


def test_arguments_are_those_of_the_function():
    import inspect

    for name in known():
        if name not in ("tt-layers", "compressed-convolutions", "sad-minima"):  # these need PyTorch
            assert arguments_of(name) == list(inspect.signature(computation(name)).parameters), name
    assert arguments_of("tt-layers") == ["seeds", "epochs", "ranks"]


def test_validate_and_the_list_know_collections(tmp_path, capsys):
    assert main(["validate", str(write(tmp_path))]) == 0
    assert "valid, 4 items" in capsys.readouterr().out
    assert main(["reproduce"]) == 0
    shown = capsys.readouterr().out
    assert "talk: Tensor networks and deep learning" in shown and "on one core" in shown
    assert main(["reproduce", "tlak"]) == 2
