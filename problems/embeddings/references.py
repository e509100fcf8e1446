"""What embeddings are compared with: the known maximum of planted counts, and the methods with each other."""

from __future__ import annotations

import math

import numpy as np

from problems.agreement import Agreement, Deviation
from problems.embeddings.model import EmbeddingsProblem, EmbeddingsSolver
from problems.embeddings.presentation import value_of
from problems.embeddings.result import METHODS, EmbeddingsResult
from problems.report_parts import Table
from problems.result import Columns
from solvers.measured import Cell, Measured, bound, numeral


def agreements(problem: EmbeddingsProblem, result: EmbeddingsResult) -> list[Agreement]:
    """Planted counts: the objective of Newton beside the maximum, in closed form."""
    if problem.planted is None:
        return []
    deviation = Deviation.of(np.array([result.fit("newton").value - result.exact]))
    assert deviation is not None
    return [Agreement("planted_maximum", "the maximum in closed form", "closed form", deviation, 1e-13)]


def comparison_table(problem: EmbeddingsProblem, solver: EmbeddingsSolver, result: EmbeddingsResult) -> Table | None:
    """The methods side by side."""
    rows: list[list[Cell]] = []
    for fit in result.fits:
        rows.append(
            [
                METHODS[fit.name],
                value_of(fit),
                bound(result.bound - fit.value),
                _cell(fit.held_out, fit.held_out_error),
                _cell(fit.difference, fit.difference_error) if fit.name != "newton" else "",
                _cell(fit.stability, fit.stability_error),
                Measured(fit.seconds, digits=2),
            ]
        )
    columns = [
        "method",
        "objective",
        "below the bound",
        "held out",
        "held out, less Newton",
        "neighbours stay",
        "time (s)",
    ]
    note = (
        f"Objective a pair; the bound of all matrices on that is {numeral(result.bound, digits=7)}. In parentheses: "
        "of the objective what is still expected and the deviation over texts drawn again; of what was held out one "
        "standard deviation over its blocks, of differences taken block by block. Neighbours stay: mean share of the "
        f"{solver.neighbours} nearest that are so in a text drawn again."
    )
    return Table(columns, rows, text_columns=(0,), note=note)


def _cell(value: float, error: float) -> Cell:
    return Measured(value, error) if math.isfinite(value) else "not known"


def columns(problem: EmbeddingsProblem, result: EmbeddingsResult) -> Columns:
    """None: neighbours are told of nowhere else."""
    return []
