"""The verdict on a ground state: its status is that of what prevents the accuracy, each with what would cure it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from orbital_free_cases import made_up

from problems.orbital_free_dft.verdict import judge
from solvers.solution import Checked, Status

TASK = SimpleNamespace(
    solver=SimpleNamespace(accuracy=1e-4, max_steps=50, max_rank=30),
    problem=SimpleNamespace(box=20.0),
    nuclei=SimpleNamespace(points=np.array([True])),
)
LEVELS = made_up(-1.0).levels
PASSED = Checked("energy", "another way", "1e-9", True)


def verdict(error, grid=1e-6, look=PASSED, **last):
    errors = LEVELS[-1].errors | last.pop("errors", {})
    levels = [*LEVELS[:-1], replace(LEVELS[-1], errors=errors, **last)]
    return judge(TASK, levels, 3, SimpleNamespace(error=grid), error, (look,))


def test_what_is_within_the_accuracy_is_converged():
    assert verdict(9e-5) == (Status.CONVERGED, [])
    status, (line,) = verdict(9e-5, look=replace(PASSED, passed=False))
    assert status is Status.CONTRADICTED and "contradicted: energy, by another way" in line


@pytest.mark.parametrize(
    "changes, status, told",
    [
        ({"errors": {"box": np.inf}, "chemical_potential": 0.1}, Status.STAGNATED, "the electrons are not bound"),
        ({"errors": {"box": 3e-4}}, Status.BASIS_LIMIT, "enlarge box (20)"),
        ({"grid": 8e-4}, Status.BASIS_LIMIT, "give level 6"),
        ({"errors": {"truncation": 3e-4}}, Status.RANK_LIMIT, "ask for a smaller accuracy"),
        ({"errors": {"truncation": 3e-4}, "tucker_ranks": (30, 9, 9)}, Status.RANK_LIMIT, "cut at max_rank 30"),
        ({"converged": False, "steps": 50}, Status.ITERATION_LIMIT, "allow more max_steps (50)"),
        ({"converged": False, "steps": 12}, Status.ITERATION_LIMIT, "rounding hides the rest"),
    ],
)
def test_what_falls_short_is_named_with_its_cure(changes, status, told):
    found, lines = verdict(9e-4, **changes)
    assert found is status and len(lines) == 1 and told in lines[0]
