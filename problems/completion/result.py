"""What a completion returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from problems.completion.metrics import Metric
from problems.completion.rejected import Rejected
from problems.published import derived, published, stored
from problems.report_parts import STANDARD, Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.optimisation.completion.growth import RankFit


@dataclass(frozen=True, eq=False, kw_only=True)
class CompletionResult(Result):
    """The completed tensor and how well it predicts; errors are relative, in the 2-norm over the entries named.

    ``train``: the tensor (of a logistic loss, the log-odds); ``best``: its rank's fit, one of ``by_rank``;
    ``test_indices`` (t, d), ``true`` and ``predicted`` (t,): the entries that measure the error; ``singular_values``:
    d-1 arrays, of the unfoldings; ``fitted``, ``validation``: numbers of samples fitted, and set aside to choose the
    rank; ``parameters``: of the manifold of trains of that rank, and of the effects; ``metrics``: scores of the test
    entries; ``cold``: how many of these have an index without a sample; ``rejected``: entries that no error has in it.
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
    loss: str = published(default="squares")
    effects_ridge: float = published(default=0.0)
    metrics: list[Metric] = field(default_factory=list)
    cold: int = published(default=0, key="test_without_samples")
    rejected: Rejected = field(default_factory=lambda: Rejected.none(0))

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
        names = ("rank", "ranks", "train_error", "validation_error", "test_error", "ridge", "evaluations", "seconds")
        return [
            {name: getattr(fit, name) for name in names} | {"test_error_uncertainty": fit.uncertainty}
            for fit in self.by_rank
        ]

    @derived()
    def largest_test_deviation(self) -> float:
        """Of the entries that measure the error: those that were not rejected."""
        return float(abs(self.predicted - self.true)[self.judging].max(initial=0.0))

    @derived()
    def ridge(self) -> float:
        """Of the train."""
        return self.best.ridge

    @derived(key="metrics")
    def scores(self) -> dict[str, dict[str, float]]:
        """Each score with its standard deviation, beside those of the effects alone and of a constant."""
        return {m.name: {key: number for key, number in asdict(m).items() if key != "name"} for m in self.metrics}

    @derived(key="rejected")
    def rejections(self) -> dict[str, int]:
        """Of each part."""
        rejected = self.rejected
        return {"fitted": rejected.fitted, "validation": rejected.aside, "test": rejected.tests}

    @property
    def judging(self) -> np.ndarray:
        """Which test entries were not rejected (t,)."""
        out = {tuple(index) for index in self.rejected.indices.tolist()}
        return np.array([tuple(index) not in out for index in self.test_indices.tolist()], dtype=bool)

    @derived(key="samples.test")
    def tests(self) -> int:
        """How many entries measure the error."""
        return len(self.true)

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """Errors, and scores, with one standard deviation: another seed gives other test entries."""
        test = np.array([results["test_error"]], dtype=float)
        spread = np.array([results["test_error_uncertainty"]], dtype=float)
        drawn: tuple[tuple[str, ...], tuple[str, ...], float] = (("sampling",), (), STANDARD)
        fitted = np.array([results["train_error"], results["validation_error"]], dtype=float)
        found = [
            Quantity("test error, relative", "", "part", ["test entries"], test, spread, *drawn),
            Quantity("error of the samples, relative", "", "part", ["fitted", "set aside"], fitted),
        ]
        scores = results.get("metrics") or {}
        if scores:
            values = np.array([score["value"] for score in scores.values()], dtype=float)
            spreads = np.array([score["uncertainty"] for score in scores.values()], dtype=float)
            what = "score of the test entries"
            found.append(Quantity(what, "", "part", list(scores), values, spreads, *drawn))
        return found

    def columns(self) -> Columns:
        """The test entries, indices from 0; of Huber's loss the rejected ones follow, with what they were meant for."""
        indices, true, predicted = self.test_indices, self.true, self.predicted
        parts, told = ["test"] * len(true), ["" for _ in true]
        if self.loss == "huber":
            others = self.rejected.fitted + self.rejected.aside
            out = {tuple(index) for index in self.rejected.indices[others:].tolist()}
            told = ["rejected" if tuple(index) in out else "" for index in indices.tolist()] + ["rejected"] * others
            parts += self.rejected.parts[:others]
            indices = np.concatenate([indices, self.rejected.indices[:others]])
            true = np.concatenate([true, self.rejected.values[:others]])
            predicted = np.concatenate([predicted, self.rejected.predicted[:others]])
        found: Columns = [(f"i{k + 1}", column.tolist()) for k, column in enumerate(indices.T)]
        values = {"true": true, "predicted": predicted}
        found += [(name, [repr(float(v)) for v in array]) for name, array in values.items()]
        return [*found, ("part", parts), ("judged", told)] if self.loss == "huber" else found


RESULTS = (CompletionResult,)
