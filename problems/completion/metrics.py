"""Scores of a completion on its test entries, beside those of a constant and of the effects alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from problems.report_parts import Table
from solvers.measured import Cell, Measured
from solvers.optimisation.completion.scores import score

HIGHER = ("ndcg", "accuracy")  # the names of scores of which more is better begin so
SURE = 2.0  # standard deviations, within which a difference is told as none


@dataclass(frozen=True)
class Metric:
    """A score of the test entries with one standard deviation; of the completion, the effects alone, and a constant.

    ``gain``: by how much the completion is better than the effects, over the same entries, with its own deviation.
    """

    name: str
    value: float
    uncertainty: float
    effects: float
    effects_uncertainty: float
    constant: float
    constant_uncertainty: float
    gain: float
    gain_uncertainty: float

    @property
    def verdict(self) -> str:
        """In words, whether the train is of use."""
        if abs(self.gain) <= SURE * self.gain_uncertainty:
            return "as the effects alone"
        return "better than the effects alone" if self.gain > 0.0 else "worse than the effects alone"


def metrics(
    names: Sequence[str],
    predicted: np.ndarray,
    effects: np.ndarray,
    constant: float,
    true: np.ndarray,
    rows: np.ndarray,
) -> list[Metric]:
    """Those of ``names`` that the test entries tell."""
    found = []
    for name in names:
        at = [score(name, each, true, rows) for each in (predicted, effects, np.full_like(true, constant))]
        own, other, blank = at
        if own is None or other is None or blank is None:
            continue
        gain, spread = own.less(other)
        gain = gain if name.startswith(HIGHER) else -gain
        both = own.value, own.uncertainty, other.value, other.uncertainty
        found.append(Metric(name, *both, blank.value, blank.uncertainty, gain, spread))
    return found


def metrics_table(found: Sequence[Metric]) -> Table:
    """One row a score."""
    rows: list[list[Cell]] = []
    for metric in found:
        rows.append(
            [
                metric.name,
                Measured(metric.value, metric.uncertainty),
                Measured(metric.effects, metric.effects_uncertainty),
                Measured(metric.constant, metric.constant_uncertainty),
                Measured(metric.gain, metric.gain_uncertainty),
                metric.verdict,
            ]
        )
    note = (
        "Test entries; in parentheses one standard deviation over the choice of them (of rows, for NDCG). Better by: "
        "over the same entries, than the effects; within two standard deviations no difference is claimed. RMSE and "
        "MAE: root mean square and mean size of the deviations. NDCG@k: in each row of the first mode, the true "
        "values of the k entries predicted highest, discounted by 1 / log2(1 + place), over the best possible."
    )
    columns = ["score", "completion", "effects alone", "a constant", "better by", "verdict"]
    return Table(columns, rows, (0, 5), note, "Scores beside plain predictions")
