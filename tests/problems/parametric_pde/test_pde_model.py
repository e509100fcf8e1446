"""What the YAML keys of a parametric PDE accept, and where they put the blame."""

import copy

import numpy as np
import pytest

from problems.parametric_pde.model import ParametricProblem
from ttsuite.study.config import ConfigError, load_study, make_study

GOOD = {
    "problem": {
        "kind": "parametric_pde",
        "domain": "square",
        "mesh": {"cells": 16},
        "field": {"type": "discs", "centres": [[0.25, 0.25], [0.75, 0.75]], "radii": 0.15, "range": [0.5, 1.5]},
        "quantities": [{"name": "Q1", "type": "integral"}, {"name": "Q2", "type": "point", "at": [0.5, 0.5]}],
        "exceedance": {"Q1": 0.03},
    },
    "solver": {"accuracy": 1e-4},
}


NO_VALUES = dict.fromkeys(("left", "right", "bottom", "top"), "neumann")


def changed(path, value):
    """GOOD with the entry at a dotted path replaced."""
    data = copy.deepcopy(GOOD)
    *parents, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
    entry = data
    for parent in parents:
        entry = entry[parent]
    entry[last] = value
    return data


def test_a_good_one_and_its_defaults():
    problem = make_study(GOOD).problem
    assert isinstance(problem, ParametricProblem)
    assert (problem.load, problem.points) == (1.0, "automatic")
    assert (problem.field.background, problem.field.scale) == (1.0, "linear")
    assert problem.boundary.left == problem.boundary.top == 0.0
    assert problem.field.d == 2 and problem.midpoints.shape == (256, 2)


@pytest.mark.parametrize(
    "path, value, key, message",
    [
        ("problem.domain", "cube", "problem.domain", "interval, square"),
        ("problem.mesh.cells", 1, "problem.mesh.cells", "at least 2"),
        ("problem.mesh", {"cells": 4, "cell": 4}, "problem.mesh.cell", "did you mean cells"),
        ("problem.field.type", "disks", "problem.field.type", "did you mean discs"),
        ("problem.field.range", [0.0, 1.0], "problem.field.range", "must stay positive"),
        ("problem.field.range", [-0.5, 1.0], "problem.field.range", "must stay positive"),
        ("problem.field.range", [1.5, 0.5], "problem.field.range", "from the smaller"),
        ("problem.field.background", -1.0, "problem.field.background", "greater than 0"),
        ("problem.field.radii", [0.1], "problem.field.radii", "one a disc"),
        ("problem.field.radii", 0.0, "problem.field.radii", "greater than 0"),
        ("problem.field.radii", 0.01, "problem.field.centres.0", "no midpoint"),
        ("problem.field.radii", 0.5, "problem.field.centres.1", "share cells"),
        ("problem.field.centres", [[0.5, 1.5]], "problem.field.centres.0", r"in \[0, 1\]"),
        ("problem.field.centres", [[0.5]], "problem.field.centres.0", "2 numbers"),
        ("problem.field.scale", "log", "problem.field.scale", "log10"),
        ("problem.field.colour", "red", "problem.field.colour", "unknown key"),
        ("problem.boundary", {"left": "neuman"}, "problem.boundary.left", "or neumann"),
        ("problem.boundary", NO_VALUES, "problem.boundary", "constant"),
        ("problem.points", [3], "problem.points", "2 numbers"),
        ("problem.points", 0, "problem.points", "from 1"),
        ("problem.points", "auto", "problem.points", "automatic"),
        ("problem.quantities", [], "problem.quantities", "at least one"),
        ("problem.quantities.1.name", "Q1", "problem.quantities.1.name", "already"),
        ("problem.quantities.1.at", 0.5, "problem.quantities.1.at", "list of two"),
        ("problem.quantities.1.at", [0.5, 2.0], "problem.quantities.1.at", r"in \[0, 1\]"),
        ("problem.quantities.0", {"name": "Q", "type": "flux", "at": 0.0}, "problem.quantities.0.at", "not on the"),
        ("problem.quantities.0", {"name": "Q", "type": "disc_mean", "disc": 2}, "problem.quantities.0.disc", "2 discs"),
        ("problem.quantities.0", {"name": "Q", "type": "integal"}, "problem.quantities.0.type", "integral"),
        ("problem.quantities.0.att", 1, "problem.quantities.0.att", "unknown key"),
        ("problem.exceedance", {"Q3": 1.0}, "problem.exceedance.Q3", "Q1, Q2"),
        ("problem.load", float("nan"), "problem.load", "finite"),
        ("solver.method", "smolyak", "solver.method", "als_cross"),
        ("solver.accuracy", 0.0, "solver.accuracy", "greater than"),
        ("solver.max_solves", 0, "solver.max_solves", "at least"),
        ("solver.workers", 0, "solver.workers", "at least 1"),
    ],
)
def test_faults_are_blamed_on_their_key(path, value, key, message):
    with pytest.raises(ConfigError, match=message) as caught:
        make_study(changed(path, value))
    assert [problem.key for problem in caught.value.problems] == [key]


def test_a_fault_in_a_list_has_its_line_and_column(tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(
        "problem:\n  kind: parametric_pde\n  domain: interval\n  mesh: {cells: 8}\n"
        "  field: {type: affine, parameters: 2}\n  quantities:\n    - {name: Q1, type: flux, at: 0.5}\n"
    )
    with pytest.raises(ConfigError, match=r"p\.yaml:7:34: problem\.quantities\.0\.at: a flux is computed"):
        load_study(file, ["solver.accuracy=1e-3"])


def test_an_affine_field_that_can_vanish_is_refused():
    interval = {"kind": "parametric_pde", "domain": "interval", "mesh": {"cells": 64}}
    bad = {"problem": interval | {"field": {"type": "affine", "scale": 0.9, "parameters": 6}}, "solver": {}}
    with pytest.raises(ConfigError, match="lower scale below") as caught:
        make_study(bad)
    assert caught.value.problems[0].key == "problem.field.scale"
    # the scale it names is indeed the limit
    limit = float(str(caught.value).split("lower scale below ")[1].split()[0])
    for factor, fine in ((0.999, True), (1.001, False)):
        field = make_study(
            {"problem": interval | {"field": {"type": "affine", "scale": 0.5, "parameters": 6}}, "solver": {}}
        ).problem.field.model_copy(update={"scale": limit * factor})
        x = (np.arange(64)[:, None] + 0.5) / 64
        least = field.mean - np.abs(field.modes(x)).sum(axis=0).max()
        assert (least > 0.0) == fine


def test_the_interval_has_two_sides():
    data = {"kind": "parametric_pde", "domain": "interval", "mesh": {"cells": 8}, "boundary": {"top": 1.0}}
    with pytest.raises(ConfigError, match="only left and right"):
        make_study({"problem": data | {"field": {"type": "lognormal", "parameters": 2}}, "solver": {}})


def test_amen_refuses_what_it_cannot_hold():
    from problems.errors import ProblemError
    from problems.parametric_pde.solve import prepare

    study = make_study(changed("problem.mesh.cells", 512) | {"solver": {"method": "amen"}})
    with pytest.raises(ProblemError, match="use als_cross") as caught:
        prepare(study.problem, study.solver)
    assert caught.value.key == "solver.method"
