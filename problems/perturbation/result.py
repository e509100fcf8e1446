"""What a run on perturbations returns; the report is made from this alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from problems.learning.splits import DEVIATIONS, share_error, standard_error
from problems.published import derived, published
from problems.report_parts import STANDARD, Quantity
from problems.result import Columns, Result, Results
from solvers.measured import numeral

MEAN, BEST = "random signs, mean", "random signs, best"  # how the names of two methods begin


@dataclass(frozen=True)
class Rate:
    """How many held-out rows a perturbation of largest change ``eps`` fools: mean share over the splits, standard error
    and standard deviation, and the same with what is moved cut to what a row may be; ``over_random``: over the mean of
    random signs, None where those fool nothing or were not drawn. ``layer`` and ``q`` of singular vectors."""

    method: str = published()
    layer: str = published()
    q: float | None = published()
    eps: float = published()
    rate: float = published()
    rate_error: float = published()
    spread: float = published()
    clipped: float = published()
    clipped_error: float = published()
    over_random: float | None = published()


@dataclass(frozen=True)
class Norm:
    """The largest ||J v||_q over ||v||_inf = 1 that was found: mean over the splits, its standard error and standard
    deviation; ``bound``: from above, the mean; ``exact``: share of the splits in which the norm is known; ``reached``:
    share of the starts that came to it, None where none were needed; ``difference``: largest relative one of J v from
    central differences."""

    layer: str = published()
    q: float = published()
    norm: float = published()
    norm_error: float = published()
    spread: float = published()
    bound: float | None = published()
    exact: float = published()
    reached: float | None = published()
    difference: float | None = published()


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean(values: np.ndarray) -> float | None:
    """Of what is known; None where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


@dataclass(frozen=True, eq=False, kw_only=True)
class PerturbationResult(Result):
    """Fooling rates of M methods at E sizes over S splits.

    ``names``: of the methods, the L singular vectors first; ``layer_names``, ``exponents`` (L,); ``rates``, ``cut``
    (M, E, S); ``right``, ``trained`` (S,): shares of right answers, held out and fitted; ``norms``, ``bounds``,
    ``reached``, ``exact``, ``differences`` (L, S); ``vectors`` (V, n) of the first split and ``vector_names``;
    ``image``: (rows, columns) of pixels, or None; ``fields``: names of the n entries; ``ratio``: rows that judge over
    rows fitted; ``hidden``: hidden layers of the learner.
    """

    names: tuple[str, ...]
    layer_names: tuple[str, ...]
    exponents: tuple[float, ...]
    eps: tuple[float, ...] = published()
    rates: np.ndarray
    cut: np.ndarray
    right: np.ndarray
    trained: np.ndarray
    norms: np.ndarray
    bounds: np.ndarray
    reached: np.ndarray
    exact: np.ndarray
    differences: np.ndarray
    vectors: np.ndarray
    vector_names: tuple[str, ...]
    image: tuple[int, int] | None
    fields: tuple[str, ...]
    ratio: float
    model: str = published()
    hidden: int
    classes: int = published()
    rows: int = published()
    judged: int = published(key="rows_judging")
    batch: int = published()
    seed: int = published()

    csv_file = "fooling_rates.csv"

    @property
    def means(self) -> np.ndarray:
        """Mean rates (M, E)."""
        return self.rates.mean(axis=2)

    @property
    def errors(self) -> np.ndarray:
        """Their standard errors (M, E)."""
        return share_error(self.rates, self.ratio, self.judged)

    @derived()
    def splits(self) -> int:
        """How often the rows were divided."""
        return self.rates.shape[2]

    @derived()
    def accuracy(self) -> float:
        """The learner's mean share of right answers on held-out rows."""
        return float(self.right.mean())

    @derived()
    def accuracy_error(self) -> float:
        """Its standard error."""
        return float(share_error(self.right, self.ratio, self.judged))

    @property
    def random(self) -> int | None:
        """The number of the method that is the mean of random signs."""
        return next((i for i, name in enumerate(self.names) if name.startswith(MEAN)), None)

    @derived(key="fooling")
    def told(self) -> list[Rate]:
        """Every method at every size."""
        cut, off = self.cut.mean(axis=2), share_error(self.cut, self.ratio, self.judged)
        found = []
        for i, name in enumerate(self.names):
            layer, q = (self.layer_names[i], self.exponents[i]) if i < len(self.exponents) else ("", None)
            for j, eps in enumerate(self.eps):
                base = self.means[self.random, j] if self.random is not None else 0.0
                over = float(self.means[i, j] / base) if base > 0.0 else None
                spread = float(self.rates[i, j].std(ddof=1))
                own = float(self.means[i, j]), float(self.errors[i, j]), spread
                found.append(Rate(name, layer, q, eps, *own, float(cut[i, j]), float(off[i, j]), over))
        return found

    @derived(key="singular_values")
    def values_told(self) -> list[Norm]:
        """The norm of every layer."""
        found = []
        for i, (layer, q) in enumerate(zip(self.layer_names, self.exponents)):
            own = self.norms[i]
            found.append(
                Norm(
                    layer,
                    q,
                    float(own.mean()),
                    float(standard_error(own, self.ratio)),
                    float(own.std(ddof=1)),
                    _known(self.bounds[i].mean()),
                    float(self.exact[i].mean()),
                    _mean(self.reached[i]),
                    float(np.nanmax(self.differences[i])) if np.isfinite(self.differences[i]).any() else None,
                )
            )
        return found

    @property
    def best(self) -> int:
        """The singular vector with the largest mean rate at the largest size."""
        return int(np.argmax(self.means[: len(self.exponents), -1]))

    @derived()
    def verdict(self) -> str:
        """What fools best at the largest size, and whether it is told apart from the others, in words."""
        best, eps = self.best, self.eps[-1]
        others = [i for i in range(len(self.exponents), len(self.names))]
        said = f"{self.names[best]} fools most of the layers at {eps:g}"
        if self.random is not None and self.means[self.random, -1] > 0.0:
            ratio = self.means[best, -1] / self.means[self.random, -1]
            said += f", {numeral(ratio, digits=2)} times as many as random signs"
        if not others:
            return said
        paired = self.rates[best, -1] - self.rates[others, -1]
        gap, error = paired.mean(axis=1), standard_error(paired, self.ratio)
        nearest = int(np.argmin(gap))
        name, off, deviation = self.names[others[nearest]], float(gap[nearest]), float(error[nearest])
        if off > DEVIATIONS * deviation:
            return f"{said}; more than anything else that was tried, by {numeral(off, deviation)} than {name}"
        if -off > DEVIATIONS * deviation:
            return f"{said}; {name} fools more, by {numeral(-off, deviation)}"
        return f"{said}; not told apart from {name}: {numeral(off, deviation)}"

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """Rates and norms: errors are those of other splits of the same rows, one standard deviation."""
        rates, norms = list(results["fooling"]), list(results["singular_values"])

        def of(entries: list[dict[str, float]], name: str) -> np.ndarray:
            return np.array([entry[name] for entry in entries], dtype=float)

        at = [f"{entry['method']}, eps {entry['eps']:g}" for entry in rates]
        layers = [f"{entry['layer']}, q = {entry['q']:g}" for entry in norms]
        scatter, out = ("splits", "seeds"), ("other rows",)
        drawn = of(rates, "rate_error"), scatter, out, STANDARD
        best = of(norms, "norm_error"), scatter, (*out, "starts not tried"), STANDARD
        return [
            Quantity("fooling rate", "", "perturbation", at, of(rates, "rate"), *drawn),
            Quantity("singular value", "", "layer", layers, of(norms, "norm"), *best),
        ]

    def columns(self) -> Columns:
        """A row a method, size and split."""
        places = [(i, j, s) for i in range(len(self.names)) for j in range(len(self.eps)) for s in range(self.splits)]
        return [
            ("method", [self.names[i] for i, _, _ in places]),
            ("eps", [repr(self.eps[j]) for _, j, _ in places]),
            ("split", [s for _, _, s in places]),
            ("fooling_rate", [repr(float(self.rates[place])) for place in places]),
            ("clipped_rate", [repr(float(self.cut[place])) for place in places]),
        ]

    def loading(self, folder: str) -> tuple[str, str]:
        """How to load the rates of a run."""
        code = f'import ttsuite\nreport, _ = ttsuite.load("{folder}")\n'
        return "Loading the rates", code + 'print(report["results"]["fooling"][0])'


RESULTS = (PerturbationResult,)
