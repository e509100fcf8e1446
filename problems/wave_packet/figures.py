"""Figures of a wave packet. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from problems.report_parts import Picture
from problems.wave_packet.keys import WavePacketSolver
from problems.wave_packet.presentation import time_text
from problems.wave_packet.references import Compared, compare
from problems.wave_packet.result import WavePacketResult

# Okabe and Ito's palette: told apart by colour-blind readers too
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
THIS_RUN = "#000000"
WIDTH = 9.0
FLOOR = 1e-14
VISIBLE = 2e-3  # of the highest value: errors above are drawn where they are more than the value
MAPS = {
    "z": ("$\\langle Z_k \\rangle$", "site", "RdBu_r"),
    "szsz": ("$\\langle Z_k Z_{k+1} \\rangle$", "pair, by its first site", "RdBu_r"),
    "q": ("$\\langle q_k \\rangle$", "mode", "RdBu_r"),
    "q2": ("$\\langle q_k^2 \\rangle$", "mode", "viridis"),
    "n": ("$\\langle n_k \\rangle$", "mode", "viridis"),
}
NAMES = {"z": "<Z_k>", "szsz": "<Z_k Z_(k+1)>", "q": "<q_k>", "q2": "<q_k^2>", "n": "<n_k>"}  # in captions


def figures(problem: Any, solver: WavePacketSolver, result: WavePacketResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    compared = compare(problem, result)
    caption = "Autocorrelation a(t) = <psi(0)|psi(t)>; below, its error estimate and rigorous bound"
    known = any(c.series.quantity == "autocorrelation" for c in compared)
    caption += ", and the deviation from independent values." if known else "."
    pictures = [
        Picture("autocorrelation", caption, partial(autocorrelation, result, compared, float(solver.accuracy or 0.0)))
    ]
    text = "Spectrum of the wave packet; dots mark its lines, open ones those a second run does not confirm."
    if result.sticks is not None:
        text += " Beneath, the eigenvalues from the block eigensolver, as high as the share of the start they hold."
    pictures.append(Picture("spectrum", text, partial(spectrum, result)))
    ranks = "TT-ranks and entanglement entropy of every cut of the train over time, and their largest values."
    if result.ranks.shape[1] > 2:
        pictures.append(Picture("ranks", ranks, partial(ranks_and_entropy, result, solver.max_rank)))
    for name in [name for name in MAPS if name in result.observables]:
        what = MAPS[name][1]
        caption = f"Space-time map of {NAMES[name]} ({what} against time)."
        pictures.append(Picture(f"map_{name}", caption, partial(space_time, result, name)))
    conserved = "Norm and energy over time (what they drift), and the accumulated parts of the state's error."
    if result.dissipative:
        conserved = "What the absorber leaves of the norm, the energy of what remains, and the parts of the error."
    pictures.append(Picture("conservation", conserved, partial(conservation, result)))
    return pictures


def autocorrelation(result: WavePacketResult, compared: list[Compared], accuracy: float) -> Figure:
    """|a|, Re a, Im a over time, and the errors below."""
    figure = Figure(figsize=(WIDTH, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    t, a = result.t, result.autocorrelation
    upper.plot(t, a.real, color=COLOURS[0], lw=0.9, label="Re a")
    upper.plot(t, a.imag, color=COLOURS[1], lw=0.9, label="Im a")
    upper.plot(t, np.abs(a), color=THIS_RUN, lw=1.4, label="|a|")
    own = [c for c in compared if c.series.quantity == "autocorrelation"]
    for c in own[:1]:
        thin = max(1, len(c.series.times) // 80)
        inside = c.series.times <= t[-1] * (1 + 1e-9)
        times, values = c.series.times[inside][::thin], c.series.values[inside][::thin]
        upper.plot(times, np.abs(values), "o", color=COLOURS[2], ms=3.5, mfc="white", label="|a|, reference", zorder=5)
    lost = (np.abs(a) <= result.error) & (result.error > VISIBLE * np.abs(a).max())
    if lost.any():
        upper.fill_between(
            t, -result.error, result.error, where=lost, color="0.85", lw=0, zorder=0, label="|a| below its error"
        )
    upper.set_ylabel("a(t)")
    upper.axhline(0.0, color="0.8", lw=0.6, zorder=0)
    _legend_above(upper, 4)
    lower.plot(t, np.maximum(result.error, FLOOR), color=THIS_RUN, lw=1.4, label="error estimate")
    lower.plot(t, np.maximum(result.autocorrelation_bound, FLOOR), color="0.55", lw=1.0, ls="-.", label="bound")
    if result.check is not None:
        label = f"difference to rank {result.check.rank}"
        lower.plot(t, np.maximum(result.check.difference, FLOOR), color=COLOURS[4], lw=1.0, label=label)
    for c in own[:1]:
        style = {"marker": "o", "ls": "none" if len(c.times) < 120 else "-", "lw": 0.8}
        size = 3.5 if len(c.times) < 120 else 0
        lower.plot(
            c.times,
            np.maximum(c.deviations, FLOOR),
            color=COLOURS[2],
            ms=size,
            mfc="white",
            label="deviation from the reference",
            **style,
        )
    if accuracy:
        lower.axhline(accuracy, color="0.4", lw=0.9, ls="--", label=f"asked: {accuracy:g}")
    lower.set_yscale("log")
    lower.set_ylim(
        bottom=0.3
        * max(
            FLOOR, min(result.error[1:].min(), *(c.deviations[1:].min() for c in own[:1] if len(c.deviations) > 1), 1.0)
        )
    )
    lower.set_xlim(t[0], t[-1])
    lower.set_ylabel("error of a(t)")
    lower.set_xlabel(f"t ({time_text(result)})")
    lower.grid(True, which="major", color="0.9", lw=0.6)
    _legend_above(lower, 5)
    return figure


def spectrum(result: WavePacketResult) -> Figure:
    """S(E) with its lines; eigenvalues as sticks beneath on the same axis of energy."""
    s, sticks = result.spectrum, result.sticks
    figure = Figure(figsize=(WIDTH, 5.2 if sticks is not None else 3.8), layout="constrained")
    if sticks is not None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.3])
    else:
        upper, lower = figure.subplots(), None
    upper.plot(s.energies, s.intensities, color=COLOURS[0], lw=1.1, label=f"spectrum (window: {s.window})")
    for trusted, face, label in ((True, COLOURS[1], "line"), (False, "white", "line, not confirmed")):
        chosen = [peak for peak in s.peaks if peak.trusted == trusted]
        if chosen:
            upper.plot(
                [p.energy for p in chosen],
                [p.intensity for p in chosen],
                "o",
                color=COLOURS[1],
                mfc=face,
                ms=4,
                label=label,
            )
    if s.noise > VISIBLE * s.intensities.max():
        upper.axhspan(-s.noise, s.noise, color="0.88", lw=0, zorder=0, label="below the error of a(t)")
    upper.set_ylabel(f"S(E) (1 / {result.unit})" if result.unit != "model units" else "S(E)")
    upper.set_xlim(s.energies[0], s.energies[-1])
    high = s.intensities.max()
    upper.set_ylim(min(-0.03 * high, 1.05 * s.intensities.min()), 1.08 * high)
    # the resolution as a bar where nothing is: a twentieth above the axis's end would cover a line
    upper.plot([], [], color="0.4", lw=3, label=f"resolution {s.resolution:.3g}")
    at = s.energies[0] + 0.02 * (s.energies[-1] - s.energies[0])
    upper.plot([at, at + s.resolution], [0.97 * high] * 2, color="0.4", lw=3, solid_capstyle="butt")
    upper.grid(True, color="0.93", lw=0.6)
    _legend_above(upper, 4)
    bottom = upper
    if sticks is not None and lower is not None:
        bottom = lower
        inside = (sticks.energies >= s.energies[0]) & (sticks.energies <= s.energies[-1])
        weights = sticks.weights[inside]
        lower.vlines(sticks.energies[inside], 0.0, weights, color=COLOURS[2], lw=1.2)
        # states the start does not hold are levels all the same
        lower.plot(sticks.energies[inside], np.zeros(inside.sum()), "|", color="0.5", ms=7, mew=0.8)
        lower.set_ylim(-0.06 * max(weights.max(initial=0.0), 1e-12), 1.12 * max(weights.max(initial=0.0), 1e-12))
        lower.axvspan(max(sticks.energies[-1], s.energies[0]), s.energies[-1], color="0.95", lw=0, zorder=0)
        if sticks.energies[-1] < s.energies[-1] - 0.15 * (s.energies[-1] - s.energies[0]):
            middle = 0.5 * (max(sticks.energies[-1], s.energies[0]) + s.energies[-1])
            lower.text(
                middle, 0.5 * lower.get_ylim()[1], "not computed", ha="center", va="center", fontsize=8, color="0.45"
            )
        lower.set_ylabel("weight of\neigenstates")
    bottom.set_xlabel(f"E ({result.unit})")
    return figure


def ranks_and_entropy(result: WavePacketResult, cap: int) -> Figure:
    """Maps of rank and entropy over cut and time, and their largest values."""
    ranks = result.ranks[:, 1:-1]
    maps = ranks.shape[1] > 1
    figure = Figure(figsize=(WIDTH, 6.0 if maps else 4.4), layout="constrained")
    grid = figure.subplots(2, 2 if maps else 1, sharex=True, squeeze=False)
    unit = time_text(result)
    for row, (values, name, cmap) in enumerate(
        ((ranks, "TT-rank", "viridis"), (result.entropies, "entropy (nats)", "magma"))
    ):
        line = grid[row, 0]
        line.plot(result.times, values.max(axis=1), color=THIS_RUN, lw=1.4, label="largest of all cuts")
        middle = (values.shape[1] - 1) // 2
        line.plot(result.times, values[:, middle], color=COLOURS[0], lw=1.0, ls="--", label="middle cut")
        line.set_ylabel(name)
        line.set_ylim(bottom=0)
        line.grid(True, color="0.9", lw=0.6)
        line.set_xlim(result.times[0], result.times[-1])
        if maps:
            _map(figure, grid[row, 1], result.times, values, name, cmap, "cut", vmin=0.0)
    if ranks.max() >= 0.9 * cap:
        grid[0, 0].axhline(cap, color="0.4", lw=0.9, ls=":", label=f"max_rank {cap}")
    for axes in grid[1]:
        axes.set_xlabel(f"t ({unit})")
    _legend_above(grid[0, 0], 3)
    return figure


def space_time(result: WavePacketResult, name: str) -> Figure:
    """Map of an observable over site and time."""
    title, what, cmap = MAPS[name]
    values = result.observables[name]
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    limits = {}
    if cmap == "RdBu_r":
        high = float(np.abs(values).max()) or 1.0
        limits = {"vmin": -high, "vmax": high}
    _map(figure, axes, result.times, values, title, cmap, what, **limits)
    names = result.sites
    if names != [str(k + 1) for k in range(len(names))]:
        axes.set_yticks(np.arange(1, values.shape[1] + 1), names[: values.shape[1]], fontsize=8)
    axes.set_xlabel(f"t ({time_text(result)})")
    return figure


def _map(
    figure: Figure, axes: Axes, t: np.ndarray, values: np.ndarray, title: str, cmap: str, what: str, **limits: Any
) -> None:
    """Values (times, places) as an image with a colour bar; places counted from 1 along the ordinate."""
    extent = (t[0], t[-1], 0.5, values.shape[1] + 0.5)
    image = axes.imshow(
        values.T, origin="lower", aspect="auto", extent=extent, cmap=cmap, interpolation="nearest", **limits
    )
    axes.set_ylabel(what)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.colorbar(image, ax=axes, label=title)


def conservation(result: WavePacketResult) -> Figure:
    """Norm and energy on the left, the parts of the state's error on the right."""
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    t, unit = result.times, time_text(result)
    if result.dissipative:
        left.plot(t, (result.norms / result.norms[0]) ** 2, color=COLOURS[0], lw=1.3, label="squared norm")
        left.set_ylabel("squared norm, of the start's", color=COLOURS[0])
        left.set_ylim(bottom=0)
        twin = left.twinx()
        twin.plot(t, result.energies, color=COLOURS[1], lw=1.1, ls="--")
        twin.set_ylabel(f"mean energy ({result.unit})", color=COLOURS[1])
    else:
        norm = np.abs(result.norms / result.norms[0] - 1.0)
        energy = np.abs(result.energies - result.energies[0])
        left.plot(t[1:], np.maximum(norm[1:], 1e-16), color=COLOURS[0], lw=1.1, label="norm (relative)")
        left.plot(t[1:], np.maximum(energy[1:], 1e-16), color=COLOURS[1], lw=1.1, label=f"energy ({result.unit})")
        left.set_yscale("log")
        left.set_ylabel("drift")
        _legend_above(left, 2)
    parts = (
        (result.projection_errors, "ranks", COLOURS[0]),
        (result.truncation_errors, "truncation", COLOURS[1]),
        (result.step_errors, "time steps", COLOURS[2]),
        (result.krylov_errors, "exponentials", COLOURS[3]),
    )
    for values, label, colour in parts:
        if values.max() > 0.0:
            right.plot(
                t[1:],
                np.where(values[1:] > 0, np.maximum(values[1:], 1e-16), np.nan),
                color=colour,
                lw=1.1,
                label=label,
            )
    right.set_yscale("log")
    right.set_ylabel("bound of the state's error, relative")
    _legend_above(right, 4)
    for axes in (left, right):
        axes.set_xlabel(f"t ({unit})")
        axes.set_xlim(t[0], t[-1])
        axes.grid(True, which="major", color="0.9", lw=0.6)
    return figure


def _legend_above(axes: Axes, columns: int) -> None:
    """A legend over the axes, where it covers no data."""
    if not axes.get_legend_handles_labels()[0]:
        return
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, fontsize=8, frameon=False, borderaxespad=0.2
    )
