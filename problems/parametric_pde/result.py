"""What a parametric PDE returns; the report is made from this alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from problems.parametric_pde.statistics import Moments
from problems.parametric_pde.surrogate import Distribution
from problems.published import HERE, derived, published
from problems.report_parts import STANDARD, Quantity
from problems.result import Columns, Result, Results
from solvers.formats.trains.tensor_train import TensorTrain

INCLUDED, LEFT_OUT = ("rank", "Gauss points"), ("mesh",)  # of the errors


@dataclass(frozen=True)
class QuantityResult:
    """One quantity: moments, their errors (absolute), and its sampled distribution."""

    name: str
    moments: Moments = published(key=HERE)
    mean_error: float = published()
    variance_error: float = published()
    distribution: Distribution = published(key=HERE)

    @property
    def index_errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Absolute errors (d,) of the first and the total Sobol indices; NaN where nothing varies.

        An index is a share V_m / V: with an error dV of the variance, and of each part of it at most that,
        it errs by (1 + V_m / V) dV / V at most.
        """
        share = self.variance_error / self.moments.variance if self.moments.variance > 0.0 else np.nan
        return (1.0 + self.moments.first) * share, (1.0 + self.moments.total) * share

    @derived(key="sobol_first_error")
    def first_errors(self) -> np.ndarray:
        """Of the first-order indices."""
        return self.index_errors[0]

    @derived(key="sobol_total_error")
    def total_errors(self) -> np.ndarray:
        """Of the total indices."""
        return self.index_errors[1]

    @property
    def standard_deviation(self) -> tuple[float, float | None]:
        """The root of the variance and its error; None where nothing varies."""
        root = float(np.sqrt(self.moments.variance))
        return root, self.variance_error / (2.0 * root) if root > 0.0 else None


class Entry(NamedTuple):
    """One number of a quantity: which statistic, of which parameter (from 0), with its absolute error where known."""

    quantity: str
    statistic: str
    parameter: int | None
    value: float
    error: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ParametricResult(Result):
    """Statistics of the quantities and of the whole field, the surrogate's errors, and the solution as a train.

    ``solution``: (N, n_1, ..., n_d), nodal values at Gauss points, all nodes; ``nodes`` (N, dimensions); ``mean_field``
    and ``deviation_field`` (N,); ``realisations``: parameters (s, d), cell coefficients (s, cells) and nodal solutions
    (s, N); ``held_out_errors``: (points, Q) relative, at parameters the surrogate has not seen, and ``check_errors``
    the same at random grid points; ``tails``: (d,) what higher polynomial degrees would add, relative to the size of
    the quantities, the largest of them; ``unseen_share``: probability of parameters where the solution can be worse
    unseen.
    """

    statistics: list[QuantityResult] = published(key="quantities", by="name")
    distribution: str = published(key="parameters.distribution")
    points: list[int] = published(key="parameters.points")
    pde_solves: int = published()
    held_out_errors: np.ndarray
    check_errors: np.ndarray
    ranks: list[int] = published()
    tails: np.ndarray = published(key="parameters.tails")
    separation_terms: int = published(key="parameters.coefficient_terms")
    separation_error: float = published(key="parameters.coefficient_error")
    nodes: np.ndarray
    midpoints: np.ndarray
    mean_field: np.ndarray
    deviation_field: np.ndarray
    realisations: tuple[np.ndarray, np.ndarray, np.ndarray]
    solution: TensorTrain
    unseen_share: float | None = published(default=None, key="held_out.unseen_share")

    csv_file = "quantities.csv"

    @derived(key="held_out.points")
    def held_out(self) -> int:
        """Number of exact solves at parameters on no grid."""
        return len(self.held_out_errors)

    @derived(key="held_out.max_relative_error")
    def largest_error(self) -> float:
        """Of a quantity at those, relative."""
        return float(self.held_out_errors.max())

    @derived(key="held_out.grid_points")
    def grid_checks(self) -> int:
        """Number of exact solves at random points of the grid."""
        return len(self.check_errors)

    @derived(key="held_out.max_relative_error_on_grid")
    def largest_error_on_grid(self) -> float:
        """Of a quantity at those, relative."""
        return float(self.check_errors.max())

    @derived()
    def solution_megabytes(self) -> float:
        """Memory of the solution train."""
        return sum(core.nbytes for core in self.solution.cores) / 1e6

    @classmethod
    def quantities(cls, results: Results) -> list[Quantity]:
        """What two runs are compared by: moments, indices, the sampled distribution by its standard errors."""
        of = results["quantities"]
        names = list(of)

        def numbers(key: str) -> np.ndarray:
            return np.array([q[key] for q in of.values()], dtype=float)

        found = [
            Quantity(key, "", "quantity", names, numbers(key), numbers(f"{key}_error"), INCLUDED, LEFT_OUT)
            for key in ("mean", "variance")
        ]
        for key in ("sobol_first", "sobol_total"):
            known = all(f"{key}_error" in q for q in of.values())  # not in runs of earlier versions
            errors = numbers(f"{key}_error") if known else None
            contents: tuple[tuple[str, ...], tuple[str, ...]] = (INCLUDED, LEFT_OUT)
            contents = contents if known else ((), (*INCLUDED, *LEFT_OUT))
            what = f"{key.removeprefix('sobol_')} Sobol index"
            found.append(Quantity(what, "", "quantity", names, numbers(key), errors, *contents))
        quantiles, above = [], []
        for name, q in of.items():
            quantiles += [(f"{name} at {e['level']:g}", e["value"], e["standard_error"]) for e in q["quantiles"]]
            if (e := q["exceedance"]) is not None:
                above.append((f"{name} > {e['threshold']:g}", e["probability"], e["standard_error"]))
        contents = (("sampling",), (*INCLUDED, *LEFT_OUT))
        for what, entries in (("quantile", quantiles), ("probability", above)):
            if entries:
                keys, values, spread = ([entry[i] for entry in entries] for i in range(3))
                numbers_of, deviations = np.array(values, dtype=float), np.array(spread, dtype=float)
                found.append(Quantity(what, "", "quantity", keys, numbers_of, deviations, *contents, STANDARD))
        return found

    def entries(self) -> Iterator[Entry]:
        """Every number of the quantities that a reference may know, in the order of the CSV file."""
        for q in self.statistics:
            yield Entry(q.name, "mean", None, q.moments.mean, q.mean_error)
            yield Entry(q.name, "variance", None, q.moments.variance, q.variance_error)
            if q.distribution.exceedance is not None:
                yield Entry(q.name, "exceedance", None, *q.distribution.exceedance[1:])
            for k in range(len(self.points)):
                for what, values, errors in zip(("first", "total"), (q.moments.first, q.moments.total), q.index_errors):
                    yield Entry(q.name, f"sobol_{what}", k, float(values[k]), _known(errors[k]))

    def columns(self) -> Columns:
        """One row a statistic, parameters counted from 1."""
        rows = list(self.entries())
        return [
            ("quantity", [row.quantity for row in rows]),
            ("statistic", [row.statistic for row in rows]),
            ("parameter", ["" if row.parameter is None else row.parameter + 1 for row in rows]),
            ("value", [repr(float(row.value)) for row in rows]),
            ("error_estimate", ["" if row.error is None else f"{row.error:.3e}" for row in rows]),
        ]

    def loading(self, folder: str) -> tuple[str, str]:
        """How to load and evaluate the solution."""
        code = f'import ttsuite\nsolution = ttsuite.surrogate("{folder}")\n'
        code += "u = solution([0.0] * solution.parameters)  # nodal values at any parameters"
        return "Evaluating the solution", code


def _known(error: float) -> float | None:
    return None if np.isnan(error) else float(error)


RESULTS = (ParametricResult,)
