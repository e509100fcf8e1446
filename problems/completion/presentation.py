"""What a report says about a completion: results, tables, headline numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from problems.report_parts import Quantity, Section, Table

if TYPE_CHECKING:
    from problems.completion.model import CompletionProblem, CompletionSolver
    from problems.completion.result import CompletionResult
    from solvers.riemannian.growth import RankFit

WORST = 10  # entries of a table


def results(result: CompletionResult) -> dict[str, Any]:
    """The ``results`` of report.json; errors are relative, in the 2-norm over the entries named."""
    return {
        "train_error": result.best.train_error,
        "test_error": result.test_error,
        "test_error_uncertainty": result.uncertainty,
        "validation_error": result.best.validation_error,
        "rank": result.best.rank,
        "ranks": result.ranks,
        "by_rank": [_row(fit) for fit in result.by_rank],
        "largest_test_deviation": float(abs(result.predicted - result.true).max()),
        "singular_values": result.singular_values,
        "parameters": result.parameters,
        "samples": {"fitted": result.fitted, "validation": result.validation, "test": len(result.true)},
        "counts": result.counts,
    }


def _row(fit: RankFit) -> dict[str, Any]:
    return {
        "rank": fit.rank,
        "ranks": list(fit.ranks),
        "train_error": fit.train_error,
        "validation_error": fit.validation_error,
        "test_error": fit.test_error,
        "test_error_uncertainty": fit.uncertainty,
        "evaluations": fit.evaluations,
        "seconds": fit.seconds,
    }


def quantities(results: Mapping[str, Any]) -> list[Quantity]:
    """What two runs are compared by, from the ``results`` of report.json: errors, of the test with three deviations.

    The sample is part of the result: another seed gives other test entries.
    """
    test = np.array([results["test_error"]], dtype=float)
    spread = 3.0 * np.array([results["test_error_uncertainty"]], dtype=float)
    fitted = np.array([results["train_error"], results["validation_error"]], dtype=float)
    return [
        Quantity("test error, relative", "", "part", ["test entries"], test, spread),
        Quantity("error of the samples, relative", "", "part", ["fitted", "set aside"], fitted),
    ]


def references(problem: CompletionProblem, result: CompletionResult) -> list[dict[str, Any]]:
    """The ``references`` of report.json: the entries held out, which no fit has seen."""
    deviation = abs(result.predicted - result.true)
    held = "the function at fresh entries" if problem.file is None else "samples held out"
    return [
        {
            "name": "test_entries",
            "label": held,
            "source": held,
            "count": len(deviation),
            "max_abs_deviation": float(deviation.max()),
            "mean_abs_deviation": float(deviation.mean()),
        }
    ]


def comparison_table(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> Table | None:
    """The errors of every rank that was fitted."""
    rows = []
    for fit in result.by_rank:
        chosen = " (chosen)" if fit is result.best else ""
        rows.append(
            [
                f"{fit.rank}{chosen}",
                ", ".join(map(str, fit.ranks[1:-1])),
                f"{fit.train_error:.2e}",
                f"{fit.validation_error:.2e}",
                f"{fit.test_error:.2e}",
                f"{fit.uncertainty:.0e}",
                str(fit.evaluations),
            ]
        )
    columns = ["rank", "TT-ranks", "fitted", "set aside", "test", "uncertainty", "evaluations so far"]
    note = (
        "Relative errors in the 2-norm: over the samples fitted, over those set aside, which choose the rank, and "
        "over the test entries, which only measure; uncertainty: one standard deviation of the test error."
    )
    return Table(columns, rows, text_columns=(0, 1), note=note)


def tables(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[Table]:
    """The test entries that are predicted worst."""
    deviation = abs(result.predicted - result.true)
    rows = []
    for j in sorted(range(len(deviation)), key=lambda j: -deviation[j])[:WORST]:
        index = ", ".join(map(str, result.test_indices[j].tolist()))
        rows.append([index, f"{result.true[j]:.8g}", f"{result.predicted[j]:.8g}", f"{deviation[j]:.1e}"])
    note = f"The {len(rows)} of {len(deviation)} test entries that are predicted worst; indices from 0."
    return [Table(["entry", "true", "predicted", "deviation"], rows, (0,), note, "Worst predictions")]


def csv_table(problem: CompletionProblem, result: CompletionResult) -> tuple[str, list[str], list[list[Any]]]:
    """Name, header and rows of predictions.csv, at full precision: the test entries, indices from 0."""
    header = [*(f"i{k + 1}" for k in range(result.test_indices.shape[1])), "true", "predicted"]
    rows: list[list[Any]] = []
    for index, true, predicted in zip(result.test_indices.tolist(), result.true, result.predicted):
        rows.append([*index, repr(float(true)), repr(float(predicted))])
    return "predictions.csv", header, rows


def headline(problem: CompletionProblem, solver: CompletionSolver, result: CompletionResult) -> list[tuple[str, str]]:
    """The few numbers a reader wants first, as (what, value)."""
    size = math.prod(problem.shape)
    share = 100.0 * problem.known / size
    return [
        ("tensor", f"{' x '.join(map(str, problem.shape))}, {size:.3g} entries"),
        ("samples", f"{problem.known} entries known ({share:.3g} %)"),
        ("test error, relative", f"{result.test_error:.2e} +- {result.uncertainty:.0e} (asked: {solver.accuracy:g})"),
        ("training error, relative", f"{result.best.train_error:.2e}"),
        ("chosen rank", f"{result.best.rank} of up to {solver.max_rank}; TT-ranks {', '.join(map(str, result.ranks))}"),
        ("parameters of the train", f"{result.parameters} ({result.fitted / result.parameters:.3g} samples each)"),
    ]


def sections(problem: CompletionProblem, result: CompletionResult) -> list[Section]:
    """The samples and the work, as short lists of facts."""
    source = problem.file.name if problem.file is not None else f"function {problem.samples.function}"  # type: ignore[union-attr]
    samples = [
        ("source", source),
        ("fitted", str(result.fitted)),
        ("set aside to choose the rank", str(result.validation)),
        ("test entries", str(len(result.true))),
        ("largest deviation of a test entry", f"{abs(result.predicted - result.true).max():.2e}"),
    ]
    work = [(name.replace("_", " "), str(count)) for name, count in result.counts.items()]
    return [Section("Samples", samples), Section("Work", work)]


def trains(result: CompletionResult) -> dict[str, Any]:
    """Name -> train, as stored in states.npz."""
    return {"tensor": result.train}


def loading(folder: str) -> tuple[str, str]:
    """How to load the tensor: a heading and three lines of Python."""
    code = f'import numpy, ttsuite\nreport, (tensor,) = ttsuite.load("{folder}")\n'
    return "Loading the tensor", code + "print(tensor.entries(numpy.zeros((1, tensor.d), dtype=int)), tensor.ranks)"
