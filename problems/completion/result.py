"""What a completion returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.published import derived, published, stored
from problems.report_parts import Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.growth import RankFit

DEVIATIONS = 3.0  # standard ones, by which the test errors of two runs may differ


@dataclass(frozen=True, eq=False, kw_only=True)
class CompletionResult(Result):
    """The completed tensor and how well it predicts; errors are relative, in the 2-norm over the entries named.

    ``train``: the tensor; ``best``: its rank's fit, one of ``by_rank``; ``test_indices`` (t, d), ``true`` and
    ``predicted`` (t,): the entries that measure the error; ``singular_values``: d-1 arrays, of the unfoldings;
    ``fitted``, ``validation``: numbers of samples fitted, and set aside to choose the rank; ``parameters``: of the
    manifold of trains of that rank.
    """

    train: TensorTrain = stored("tensor")
    best: RankFit
    by_rank: tuple[RankFit, ...]
    test_indices: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    singular_values: list[np.ndarray] = published()
    fitted: int = published(key="samples.fitted")
    validation: int = published(key="samples.validation")
    parameters: int = published()

    csv_file = "predictions.csv"

    @derived()
    def train_error(self) -> float:
        """Relative error over the samples fitted."""
        return self.best.train_error

    @derived()
    def test_error(self) -> float:
        """Relative error over the test entries."""
        assert self.best.test_error is not None
        return self.best.test_error

    @derived(key="test_error_uncertainty")
    def uncertainty(self) -> float:
        """Standard deviation of ``test_error`` over the choice of the test entries."""
        assert self.best.uncertainty is not None
        return self.best.uncertainty

    @derived()
    def validation_error(self) -> float | None:
        """Relative error over the samples set aside."""
        return self.best.validation_error

    @derived()
    def rank(self) -> int:
        """The rank that was chosen."""
        return self.best.rank

    @derived()
    def ranks(self) -> list[int]:
        """The d+1 TT-ranks."""
        return [int(rank) for rank in self.train.ranks]

    @derived(key="by_rank")
    def fits(self) -> list[dict[str, object]]:
        """The fit of every rank."""
        names = ("rank", "ranks", "train_error", "validation_error", "test_error", "evaluations", "seconds")
        return [
            {name: getattr(fit, name) for name in names} | {"test_error_uncertainty": fit.uncertainty}
            for fit in self.by_rank
        ]

    @derived()
    def largest_test_deviation(self) -> float:
        """Of the entries that measure the error."""
        return float(abs(self.predicted - self.true).max())

    @derived(key="samples.test")
    def tests(self) -> int:
        """How many entries measure the error."""
        return len(self.true)

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """Errors, that of the test with three deviations: another seed gives other test entries."""
        test = np.array([results["test_error"]], dtype=float)
        spread = DEVIATIONS * np.array([results["test_error_uncertainty"]], dtype=float)
        fitted = np.array([results["train_error"], results["validation_error"]], dtype=float)
        return [
            Quantity("test error, relative", "", "part", ["test entries"], test, spread, ("sampling",)),
            Quantity("error of the samples, relative", "", "part", ["fitted", "set aside"], fitted),
        ]

    def columns(self) -> Columns:
        """The test entries, indices from 0."""
        indices = [(f"i{k + 1}", column.tolist()) for k, column in enumerate(self.test_indices.T)]
        values = {"true": self.true, "predicted": self.predicted}
        return [*indices, *((name, [repr(float(v)) for v in array]) for name, array in values.items())]


RESULTS = (CompletionResult,)
