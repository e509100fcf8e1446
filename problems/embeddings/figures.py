"""Figures of embeddings. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from problems.drawing import COLOURS, THIS_RUN, Style, grid, panel, whole_ticks
from problems.embeddings.model import EmbeddingsProblem, EmbeddingsSolver
from problems.embeddings.result import METHODS, EmbeddingsResult, claimed
from problems.legends import legend_outside
from problems.report_parts import Picture
from solvers.measured import amount, numeral

MARKERS = ("o", "s", "^", "v")


def figures(problem: EmbeddingsProblem, solver: EmbeddingsSolver, result: EmbeddingsResult) -> list[Picture]:
    """All figures, in the order of the report."""
    newton, descent = result.fit("newton"), result.fit("riemannian")
    found = [
        Picture(
            "objective",
            "How far the objective a pair is below the bound of all matrices, on what was fitted, over the sweeps of "
            "Newton and the steps of the descent; the decompositions take no steps.",
            partial(objective, result),
            f"Newton ends {amount(result.bound - newton.value)} below the bound after {newton.steps} sweeps, the "
            f"descent {amount(result.bound - descent.value)} after {descent.steps} steps.",
        ),
        Picture(
            "singular_values",
            "Singular values of the matrix X of every method.",
            partial(singular_values, result),
            f"The largest of Newton is {numeral(newton.singular_values[0])}, that of the shifted information "
            f"{numeral(result.fit('svd').singular_values[0])}.",
        ),
    ]
    lists = [s for s in newton.similarity if claimed(s.pairs)]
    if lists:
        found.append(
            Picture(
                "similarity",
                "Correlation of cosines with the scores of each list, with one standard deviation over its pairs.",
                partial(similarity, result),
                "; ".join(f"{s.list_name}: Newton {s.rho:.2f}" for s in lists),
            )
        )
    return found


def objective(result: EmbeddingsResult) -> Figure:
    """Distances to the bound over steps, logarithmic both ways."""
    figure, axes = panel(2.8)
    least = 1e-15 * abs(result.bound)
    for k, fit in enumerate(result.fits):
        below = np.maximum(result.bound - fit.path, least)
        look: Style = {"color": COLOURS[k % len(COLOURS)], "label": METHODS[fit.name]}
        if len(below) > 1:
            axes.plot(np.arange(1, len(below) + 1), below, marker=MARKERS[k], ms=3, **look)
        else:
            axes.axhline(float(below[0]), ls=":", **look)
    axes.set(xlabel="sweeps or steps", ylabel="below the bound, a pair", yscale="log", xscale="log")
    grid(axes)
    legend_outside(figure, axes)
    return figure


def singular_values(result: EmbeddingsResult) -> Figure:
    """One line a method."""
    figure, axes = panel(2.8)
    for k, fit in enumerate(result.fits):
        values = np.maximum(fit.singular_values, 1e-12 * max(float(fit.singular_values.max()), 1e-300))
        look: Style = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k], "ms": 3, "label": METHODS[fit.name]}
        axes.plot(np.arange(1, len(values) + 1), values, **look)
    axes.set(xlabel="number of the singular value", ylabel="singular value", yscale="log")
    whole_ticks(axes)
    grid(axes)
    legend_outside(figure, axes)
    return figure


def similarity(result: EmbeddingsResult) -> Figure:
    """Correlations with error bars, methods beside each other."""
    figure, axes = panel(2.6)
    chosen = [i for i, s in enumerate(result.fits[0].similarity) if claimed(s.pairs)]
    for k, fit in enumerate(result.fits):
        x = np.arange(len(chosen)) + 0.12 * (k - 1.5)
        scores = [fit.similarity[i] for i in chosen]
        look: Style = {"color": COLOURS[k % len(COLOURS)], "fmt": MARKERS[k], "ms": 4, "capsize": 2}
        bars = [s.error for s in scores]
        axes.errorbar(x, [s.rho for s in scores], yerr=bars, label=METHODS[fit.name], **look)
    axes.axhline(0.0, color=THIS_RUN, lw=0.8)
    axes.set(ylabel="Spearman's correlation", xlim=(-0.6, len(chosen) - 0.4))
    axes.set_xticks(range(len(chosen)), [result.fits[0].similarity[i].list_name for i in chosen])
    grid(axes)
    legend_outside(figure, axes)
    return figure
