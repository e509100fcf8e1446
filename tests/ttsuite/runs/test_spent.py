"""What a run took, alike on the terminal and on its page: parts that add up; and what its step still takes."""

import re

import pytest

from ttsuite.runs.spent import parts, spent, step_left

REPORT = {"timing": {"compile_s": 3.0, "setup_s": None, "solve_s": 90.0, "wall_s": 104.5}, "peak_rss_mb": 260.4}


def test_the_parts_add_up_to_the_whole():
    assert sum(seconds for _, seconds in parts(REPORT)) == pytest.approx(104.5)
    (what, time), (_, memory) = spent(REPORT)
    whole, *told = [float(number) for number in re.findall(r"([\d.]+) s", time)]
    assert what == "time" and whole == pytest.approx(sum(told)) and len(told) == 3  # nothing of what took no time
    assert memory == "260 MB"


def test_what_is_not_known_is_not_told():
    assert spent({"timing": {"wall_s": None}, "peak_rss_mb": None}) == []


def test_a_step_takes_as_long_as_those_before():
    assert step_left([], 5.0) is step_left([1.0], 5.0) is None
    assert step_left([0.0, 10.0, 40.0], 45.0) == 15.0
    assert step_left([0.0, 20.0], 45.0) == 0.0
