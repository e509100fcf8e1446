"""What follows from the declarations of a result: report.json, comparison, CSV, names of trains, how to load them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from problems.published import HERE, derived, numbers, published, stored, told
from problems.result import Result
from solvers.formats.trains.construct import unit
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Solution, Status


@dataclass(frozen=True)
class Part:
    name: str
    size: float = published()


@dataclass(frozen=True)
class Beside:
    depth: int = published(key="shape.depth")


@dataclass(frozen=True, eq=False, kw_only=True)
class Example(Result):
    t: np.ndarray = published(key="signal.t", column="t", digits=".3g")
    values: np.ndarray = published(
        key="signal", unit="{unit}", axis="t", along="signal.t", errors="signal.error", compared="signal", column=HERE
    )
    errors: np.ndarray = published(key="signal.error")
    unit: str = published()
    parts: list[Part] = published(by="name")
    beside: Beside = published(key=HERE)
    levels: np.ndarray = published(axis="state", compared="levels")
    kept: str = "told by nobody"
    train: TensorTrain = stored("tensor")

    csv_file = "signal.csv"
    index = "number"

    @derived(key="shape.width")
    def width(self) -> int:
        """Of the signal."""
        return len(self.t)


@dataclass(frozen=True, eq=False, kw_only=True)
class Spectrum(Result):
    energies: np.ndarray = published(compared="energies")
    states: Sequence[TensorTrain]


def example(**changes):
    found = Solution(None, Status.CONVERGED, 1, np.zeros(1), (), {"steps": 3}, {"solve_s": 1.0})
    own = {"t": np.array([0.0, 0.25]), "values": np.array([1.0 + 2.0j, 3.0]), "errors": np.array([0.1, 0.2])}
    own |= {"unit": "eV", "parts": [Part("a", 1.0), Part("b", 2.0)], "beside": Beside(4), "levels": np.array([5.0])}
    return Example.of(found, **own | {"train": unit((2, 2), (0, 1))} | changes)


def test_report_json_follows_from_what_is_declared():
    results = example().results()
    assert list(results["signal"]) == ["t", "real", "imag", "error"] and results["signal"]["real"].tolist() == [
        1.0,
        3.0,
    ]
    assert results["parts"] == {"a": {"size": 1.0}, "b": {"size": 2.0}}
    assert results["shape"] == {"depth": 4, "width": 2} and results["counts"] == {"steps": 3}
    assert "kept" not in results and "train" not in results
    assert told([{"x": np.array([1j])}])[0]["x"]["imag"].tolist() == [1.0]


def test_two_runs_are_compared_by_what_json_holds():
    results = {"signal": {"t": [0.0, 0.25], "real": [1.0, None], "imag": [2.0, 0.0], "error": [0.1, None]}}
    results |= {"unit": "eV", "levels": [5.0]}
    signal, levels = Example.quantities(results)
    assert (signal.name, signal.unit, signal.axis, list(signal.keys)) == ("signal", "eV", "t", [0.0, 0.25])
    assert signal.values[0] == 1.0 + 2.0j and np.isnan(signal.values[1]) and np.isnan(signal.errors[1])
    assert list(levels.keys) == [0] and levels.errors is None and signal.over_time and not levels.over_time
    assert Example.made(results) and not Example.made({}) and not Spectrum.made(results)
    assert numbers(3.0).tolist() == [3.0]


def test_the_csv_file_has_the_columns_that_are_declared():
    name, header, rows = example().csv_table([("known", [7, 8])])
    assert (name, header) == ("signal.csv", ["number", "t", "real", "imag", "known"])
    assert rows == [[0, "0", "1.0", "2.0", 7], [1, "0.25", "3.0", "0.0", 8]]
    with pytest.raises(ValueError):
        example().csv_table([("too short", [7])])


def test_trains_are_named_and_not_read_before_they_are_asked_for():
    assert list(example().trains()) == ["tensor"]

    class Stored(Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            raise AssertionError("a state was read")

    found = Solution(None, Status.CONVERGED, 1, np.zeros(1), (), {}, {})
    spectrum = Spectrum.of(found, energies=np.zeros(2), states=Stored())
    assert list(spectrum.trains()) == ["state_0000", "state_0001"]
    title, code = spectrum.loading("folder")
    assert title == "Loading the states" and 'report, states = ttsuite.load("folder")' in code
    assert code.endswith('print(report["results"]["energies"], states[0].ranks)')
    assert "report, (tensor,) =" in example().loading("x")[1]


@pytest.mark.parametrize(
    "results, ranks",
    [
        ({"ranks": [1, 3, 1]}, [1, 3, 1]),
        ({"ranks": [[1, 3, 1], [1, 2, 1]]}, [1, 3, 1]),
        ({"ranks_over_time": [[1, 1], [1, 5]]}, [1, 5]),
        ({"max_rank": 7}, [7]),
        ({}, []),
    ],
)
def test_the_largest_ranks_along_the_train(results, ranks):
    assert Result.largest_ranks(results) == ranks
