"""The JSON Schema: up to date, true of every valid configuration, and of use where one is not."""

import json

import jsonschema
import mutants
import numpy as np
import pytest

from problems.families import kinds
from ttsuite.command.shipped import CONFIGS, SCHEMA_COPY, example
from ttsuite.scans.scan_file import load_scan
from ttsuite.study.config import ConfigError, load_study, study_of
from ttsuite.study.schema import POINTER, SCHEMA, schema, schema_text
from ttsuite.study.yaml_file import parse

OTHERS = {CONFIGS / "scans", CONFIGS / "reproductions"}  # scans and collections
STUDIES = sorted(file for file in CONFIGS.rglob("*.yaml") if not OTHERS & set(file.parents))


def as_json(value):
    """A tree as JSON has it: keys are texts."""
    if isinstance(value, dict):
        return {str(key): as_json(entry) for key, entry in value.items()}
    return [as_json(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def complaints(data, kind=None):
    return list(jsonschema.Draft7Validator(schema(kind)).iter_errors(as_json(data)))


def test_the_shipped_schema_is_up_to_date():
    # after a change of the models: ttsuite schema > ttsuite/study/schema.json
    assert SCHEMA.read_text() == schema_text()
    for kind in (None, *kinds()):
        jsonschema.Draft7Validator.check_schema(schema(kind))


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_shipped_configurations_are_valid_by_it_and_point_to_it(file):
    data = parse(file.read_text(), file.name).data
    assert complaints(data) == complaints(data, data["problem"]["kind"]) == []
    first = file.read_text().partition("\n")[0]
    assert first.startswith(POINTER) and (file.parent / first.removeprefix(POINTER)).resolve() == SCHEMA


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_configuration_a_run_writes_down_is_valid_by_it(file):
    assert complaints(load_study(file)[0].model_dump()) == []


def test_what_is_valid_is_valid_by_it(tmp_path):
    """The schema may be laxer than the models, never stricter."""
    validator, texts, valid = jsonschema.Draft7Validator(schema()), mutants.base_texts(), 0
    for i in range(400):
        name, content = mutants.mutant(texts, np.random.default_rng([11, i]))
        file = CONFIGS / "tiny" / name  # paths of data files are relative to it
        document = parse(content.decode("utf-8", "replace"), name)
        try:
            study_of(document, file.parent, "mutant")
        except ConfigError:
            continue
        valid += 1
        assert list(validator.iter_errors(as_json(document.data))) == [], content
    assert valid > 10


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("solver.n_states", "many"),
        ("solver.n_states", 0),
        ("solver.n_state", 3),
        ("solver.workers", "all"),
        ("problem.basis", {"kind": "harmonic"}),
        ("problem.force_field", {"model": "henon_heils", "dimension": 2}),
        ("problem.kind", "vibrationl"),
        ("name", "two words"),
        ("extra", 1),
    ],
)
def test_mistakes_are_seen(path, value):
    data = parse((CONFIGS / "vibrational" / "acetonitrile.yaml").read_text(), "f").data
    *above, last = path.split(".")
    holder = data
    for part in above:
        holder = holder[part]
    holder[last] = value
    assert complaints(data)


def test_keys_have_their_sentence_default_and_unit():
    definitions = schema("vibrational")["definitions"]
    accuracy = definitions["SpectrumSolver"]["properties"]["accuracy"]
    assert accuracy["default"] == 0.01 and "cm-1" in accuracy["description"] and accuracy["exclusiveMinimum"] == 0
    whole = schema()
    for model in whole["definitions"].values():
        assert model["description"] and all(key["description"] for key in model["properties"].values())
    assert whole["properties"]["problem"]["properties"]["kind"]["enum"] == kinds()


def test_the_command_prints_it(ttsuite):
    assert ttsuite("schema").stdout == schema_text()
    assert json.loads(ttsuite("schema", "completion").stdout) == schema("completion")
    wrong = ttsuite("schema", "complition")
    assert wrong.returncode == 2 and "did you mean completion?" in wrong.stderr


def test_an_example_points_to_the_schema_beside_it(tmp_path):
    example("spin-boson", tmp_path)
    again = example("own-molecule", tmp_path)
    assert SCHEMA_COPY not in [path.name for path in again]  # it is there already
    assert (tmp_path / SCHEMA_COPY).read_text() == schema_text()
    for file in tmp_path.glob("*.yaml"):
        assert file.read_text().splitlines()[0] == f"{POINTER}{SCHEMA_COPY}"
        assert load_study(file)[0].name


def test_an_example_of_a_scan_is_a_scan(tmp_path):
    (file,) = example("scans/oscillators", tmp_path)
    assert len(load_scan(file).points) == 12
