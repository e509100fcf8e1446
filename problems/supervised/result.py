"""What a run on rows with a target returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from problems.published import derived, published
from problems.report_parts import STANDARD, Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.measured import numeral

SHOWN_PAIRS = 10
DEVIATIONS = 2.0  # standard errors from which on one method is called better than another


def standard_error(values: np.ndarray, ratio: float) -> np.ndarray:
    """Of means over random splits (..., S) of the same rows, whose training rows overlap.

    sd sqrt(1 / S + test / train) (Nadeau, Bengio, Mach. Learn. 52, 239 (2003), eq. 9); ``ratio``: test over train.
    """
    count = values.shape[-1]
    return values.std(axis=-1, ddof=1) * np.sqrt(1.0 / count + ratio)


@dataclass(frozen=True)
class Pair:
    """Share of the variance that two fields have together, beyond what either has alone, and its standard error."""

    fields: tuple[str, str] = published()
    share: float = published()
    error: float = published()


@dataclass(frozen=True, eq=False, kw_only=True)
class SupervisedResult(Result):
    """Scores of every learner, noise level and split.

    ``names``: of the L learners, this suite's first; ``levels``: P shares of labels drawn anew; ``scores``,
    ``trained``, ``plain``, ``seconds``: (L, P, S) over S splits; ``metric``: what a score is; ``ratio``: rows that
    judge over rows fitted; ``orders`` (S, d + 1), ``pairs`` (S, d, d): shares of variance of interactions, empty of
    other models; ``chosen_ranks``, ``ridges``, ``numbers``: of this suite's model, (S,); ``fields``: names of the
    columns; ``classes``: how many, 0 for numbers; ``train``: the interactions of the first split, or None.
    """

    names: tuple[str, ...]
    levels: tuple[float, ...]
    scores: np.ndarray
    trained: np.ndarray
    plain: np.ndarray
    seconds: np.ndarray
    metric: str = published()
    ratio: float
    orders: np.ndarray
    pairs: np.ndarray
    chosen_ranks: np.ndarray
    ridges: np.ndarray = published()
    numbers: np.ndarray = published()
    fields: tuple[str, ...]
    classes: int = published()
    rows: int = published()
    judged: int = published(key="rows_judging")
    train: TensorTrain | None

    csv_file = "scores.csv"

    @property
    def means(self) -> np.ndarray:
        """Mean scores (L, P)."""
        return self.scores.mean(axis=2)

    @property
    def errors(self) -> np.ndarray:
        """Their standard errors (L, P); of shares of right answers at least that of so many rows drawn."""
        over_splits = standard_error(self.scores, self.ratio)
        if self.metric != "accuracy":
            return over_splits
        share = np.clip(self.means, 1.0 / self.judged, 1.0 - 1.0 / self.judged)
        return np.maximum(over_splits, np.sqrt(share * (1.0 - share) / (self.judged * self.splits)))

    @property
    def differences(self) -> tuple[np.ndarray, np.ndarray]:
        """This model less each plain one, split by split: means and standard errors (L - 1, P)."""
        paired = self.scores[:1] - self.scores[1:]
        return paired.mean(axis=2), standard_error(paired, self.ratio)

    @property
    def line(self) -> np.ndarray:
        """What the nearest neighbour scores at every noise level (P,), exactly on average: (1 - p) acc0 + p / classes,
        acc0 its score without noise; NaN where that was not computed."""
        if "nearest" not in self.names or 0.0 not in self.levels or not self.classes:
            return np.full(len(self.levels), np.nan)
        p = np.array(self.levels)
        start = self.means[self.names.index("nearest"), self.levels.index(0.0)]
        return (1.0 - p) * start + p / self.classes

    @derived(key="learners")
    def told(self) -> list[dict[str, object]]:
        """Every learner at every noise level."""
        found: list[dict[str, object]] = []
        difference, uncertain = self.differences
        for i, name in enumerate(self.names):
            for j, level in enumerate(self.levels):
                entry: dict[str, object] = {
                    "name": name,
                    "label_noise": level,
                    "score": float(self.means[i, j]),
                    "score_error": float(self.errors[i, j]),
                    "spread": float(self.scores[i, j].std(ddof=1)),
                    "train_score": float(self.trained[i, j].mean()),
                    "plain_score": float(self.plain[i, j].mean()),
                    "seconds": float(self.seconds[i, j].mean()),
                }
                if i:
                    entry |= {
                        "difference": float(difference[i - 1, j]),
                        "difference_error": float(uncertain[i - 1, j]),
                    }
                found.append(entry)
        return found

    @derived()
    def splits(self) -> int:
        """How often the rows were divided."""
        return self.scores.shape[2]

    @derived(key="shares_by_order")
    def shares(self) -> list[float]:
        """Of the variance, by how many fields act together: mean over the splits."""
        return [float(v) for v in self.orders.mean(axis=0)] if self.orders.size else []

    @derived(key="shares_by_order_errors")
    def share_errors(self) -> list[float]:
        """Their standard errors."""
        return [float(v) for v in standard_error(self.orders.T, self.ratio)] if self.orders.size else []

    @derived(key="largest_pairs")
    def largest(self) -> list[Pair]:
        """The pairs of fields with the largest shares beyond what either does alone."""
        if not self.pairs.size:
            return []
        mean, error = self.pairs.mean(axis=0), standard_error(np.moveaxis(self.pairs, 0, -1), self.ratio)
        above = [(i, j) for i in range(len(mean)) for j in range(i + 1, len(mean))]
        best = sorted(above, key=lambda pair: -mean[pair])[:SHOWN_PAIRS]
        return [Pair((self.fields[i], self.fields[j]), float(mean[i, j]), float(error[i, j])) for i, j in best]

    @derived(key="nearest_line")
    def nearest_line(self) -> list[float | None]:
        """See ``line``; null where it is not known."""
        return [float(v) if np.isfinite(v) else None for v in self.line]

    @derived()
    def ranks(self) -> list[int]:
        """TT-ranks of the train of the first split, or the width."""
        return [int(r) for r in self.train.ranks] if self.train is not None else [int(self.chosen_ranks[0])]

    @derived(key="verdict")
    def verdict(self) -> str:
        """Whether a plain method is better, in words; without noise, or at the least of it."""
        if len(self.names) < 2:
            return "no plain method was asked for"
        difference, error = (part[:, 0] for part in self.differences)
        best = int(np.argmin(difference))
        name, gap, sure = self.names[best + 1], difference[best], DEVIATIONS * error[best]
        if -gap > sure:
            return f"a plain method is better: {name} by {numeral(-gap, error[best])} in {self.metric}"
        if gap > sure:
            return f"better than every plain method, by {numeral(gap, error[best])} than {name}"
        return f"not told apart from the best plain method, {name}: {numeral(gap, error[best])}"

    def trains(self) -> Mapping[str, TensorTrain]:
        """The coefficients of the interactions, of the first split; of other models nothing."""
        return {} if self.train is None else {"coefficients": self.train}

    def loading(self, folder: str) -> tuple[str, str]:
        """How to load the trains and the scores of a run."""
        code = f'import ttsuite\nreport, trains = ttsuite.load("{folder}")\n'
        return "Loading the scores", code + 'print(report["results"]["learners"], len(trains))'

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """Scores and shares: errors are those of other splits of the same rows, one standard deviation."""
        entries = list(results["learners"])
        names = [f"{entry['name']}, noise {entry['label_noise']:g}" for entry in entries]
        score = np.array([entry["score"] for entry in entries], dtype=float)
        error = np.array([entry["score_error"] for entry in entries], dtype=float)
        drawn = ("splits", "seeds"), ("other rows",), STANDARD
        found = [Quantity(f"score ({results['metric']})", "", "learner", names, score, error, *drawn)]
        if results["shares_by_order"]:
            shares = np.array(results["shares_by_order"][1:], dtype=float)  # of none the mean is left, without variance
            errors = np.array(results["shares_by_order_errors"][1:], dtype=float)
            keys = [float(k) for k in range(1, len(shares) + 1)]
            found.append(Quantity("share of variance", "", "order", keys, shares, errors, *drawn))
        return found

    def columns(self) -> Columns:
        """A row a learner, noise level and split."""
        places = [
            (i, j, s) for i in range(len(self.names)) for j in range(len(self.levels)) for s in range(self.splits)
        ]
        arrays = {"score": self.scores, "train_score": self.trained, "plain_score": self.plain, "seconds": self.seconds}
        heads: Columns = [
            ("learner", [self.names[i] for i, _, _ in places]),
            ("label_noise", [repr(self.levels[j]) for _, j, _ in places]),
            ("split", [s for _, _, s in places]),
        ]
        return [*heads, *((name, [repr(float(array[place])) for place in places]) for name, array in arrays.items())]


RESULTS = (SupervisedResult,)
