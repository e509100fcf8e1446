"""A run as ``load`` gives it: what its folder holds, its figures, and its card in a notebook."""

from __future__ import annotations

from pathlib import Path

from problems.report_parts import Picture
from problems.result import Result
from solvers.cards import Card, Fact
from solvers.formats.trains.tensor_train import TensorTrain
from ttsuite.data import Report
from ttsuite.pages.report import card, figures_of
from ttsuite.runs.layout import CONFIGURATION_FILE
from ttsuite.runs.report_words import report_words
from ttsuite.runs.run_folder import read_result
from ttsuite.study.config import load_study


class LoadedRun(Card, tuple[Report, list[TensorTrain]]):
    """A run from its folder: ``report, trains = loaded``; a notebook shows it as its headline and first figure.

    ``folder``: where it lies; ``report``: the content of report.json; ``trains``: those of states.npz.
    """

    folder: Path

    def __new__(cls, folder: Path, report: Report, trains: list[TensorTrain]) -> LoadedRun:
        loaded = super().__new__(cls, (report, trains))
        loaded.folder = folder
        return loaded

    @property
    def report(self) -> Report:
        """The content of report.json."""
        return self[0]

    @property
    def trains(self) -> list[TensorTrain]:
        """The states in order of energy, or the solution."""
        return self[1]

    def worded(self) -> list[Fact]:
        """How it ended, its first values with errors, what it took."""
        try:
            quantities = (
                load_study(self.folder / CONFIGURATION_FILE)[0]
                .family.result_of(self.report["results"])
                .quantities(self.report["results"])
            )
        except (OSError, ValueError, KeyError, TypeError):  # of another version: the headline is there
            quantities = None
        return report_words(self.report, quantities)

    def result(self) -> Result:
        """The result as the run returned it: arrays, error estimates, history. Raises as ``read_result``."""
        return read_result(self.folder)[2]

    def figures(self) -> list[Picture]:
        """The figures of the report: name, caption and matplotlib figure of each. Raises as ``read_result``."""
        return figures_of(self.folder)

    def _repr_html_(self) -> str:
        return card(self.folder, self.report)
