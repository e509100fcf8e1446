"""The key ``check``: a run passes where it agrees with its first reference to both accuracies together."""

import pytest

from ttsuite.runs.reference_check import reference_check
from ttsuite.study.config import make_study


def study(check):
    problem = {"kind": "vibrational", "force_field": "acetonitrile"}
    return make_study({"name": "a", "problem": problem, "solver": {"n_states": 2, "accuracy": 0.25}, "check": check})


def reference(deviation, accuracy=None, label="HCI"):
    return {"label": label, "max_abs_deviation": deviation, "accuracy": accuracy}


@pytest.mark.parametrize(
    "deviation, accuracy, passes",
    [(0.25, None, True), (0.375, 0.125, True), (0.3, None, False), (0.4, 0.125, False), (float("nan"), None, False)],
)
def test_both_accuracies_together_are_allowed(deviation, accuracy, passes):
    found = reference_check(study(True), [reference(deviation, accuracy)])
    assert found["asked"] is True and (found["failed"] == []) is passes


@pytest.mark.parametrize(("relative", "passes"), [(0.2, True), (0.3, False)])
def test_a_relative_accuracy_is_compared_with_a_relative_deviation(relative, passes):
    found = reference_check(study(True), [reference(40.0) | {"max_relative_deviation": relative}])
    assert (found["failed"] == []) is passes


def test_what_failed_is_said():
    found = reference_check(study(True), [reference(0.5, 0.125), reference(9.0, label="other")])
    assert found["failed"] == ["HCI: deviation 0.5, allowed 0.375"]
    assert reference_check(study(True), [reference(None)])["failed"] == ["HCI: deviation unknown, allowed 0.25"]


def test_without_a_reference_the_check_fails():
    assert reference_check(study(True), [])["failed"] == ["there is no reference to compare with"]


@pytest.mark.parametrize("references", [[], [reference(9.0)]])
def test_nothing_fails_where_no_check_was_asked_for(references):
    assert reference_check(study(False), references) == {"asked": False, "failed": []}
