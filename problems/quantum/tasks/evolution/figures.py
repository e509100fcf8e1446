"""Figures of a motion. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from problems.drawing import (
    ABSENT,
    ASKED,
    COLOURS,
    SMALL,
    THIS_RUN,
    Style,
    accuracy_line,
    colour,
    floored,
    grid,
    label_below,
    log_line,
    map_panel,
    panel,
    panels,
    whole_ticks,
)
from problems.legends import legend_above
from problems.quantum.tasks.evolution.independent import Compared, Moving, compare
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import EvolutionResult, Spectrum, Sticks
from problems.report_parts import Picture
from solvers.measured import Measured, bound, numeral, unit_text

FLOOR = 1e-14  # of errors of a(t)
ROUND_OFF = 1e-16  # what drifts and bounds are drawn as
SPARSE = 120  # times below which deviations are drawn as single points
MARKS = 80  # of a reference, about
VISIBLE = 2e-3  # of the highest value: errors above are drawn where they are more than the value
MAPS = {
    "z": ("$\\langle Z_k \\rangle$", "site", "RdBu_r"),
    "szsz": ("$\\langle Z_k Z_{k+1} \\rangle$", "pair, by its first site", "RdBu_r"),
    "q": ("$\\langle q_k \\rangle$", "mode", "RdBu_r"),
    "q2": ("$\\langle q_k^2 \\rangle$", "mode", "viridis"),
    "n": ("$\\langle n_k \\rangle$", "mode", "viridis"),
}
NAMES = {"z": "⟨Zₖ⟩", "szsz": "⟨Zₖ Zₖ₊₁⟩", "q": "⟨qₖ⟩", "q2": "⟨qₖ²⟩", "n": "⟨nₖ⟩"}  # in captions
MOST_NAMED = 16  # sites that are named


def figures(problem: Moving, solver: WavePacketSolver, result: EvolutionResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    compared = compare(problem, result)
    caption = "Autocorrelation a(t) = ⟨ψ(0)|ψ(t)⟩; below, its error estimate and rigorous bound"
    known = any(c.series.quantity == "autocorrelation" for c in compared)
    caption += ", and the deviation from independent values." if known else "."
    end, a = numeral(result.t[-1]), np.abs(result.autocorrelation)
    alt = f"|a| from 1 at t = 0 to {Measured(a[-1], result.error[-1])} at t = {end}, its error at most "
    alt += f"{bound(result.error.max())}."
    how = partial(autocorrelation, result, compared, float(solver.accuracy or 0.0))
    pictures = [Picture("autocorrelation", caption, how, alt)]
    text = "Spectrum of the wave packet; dots mark its lines, open ones those a second run does not confirm."
    if result.sticks is not None:
        text += " Beneath, the eigenvalues from the block eigensolver, as high as the share of the start they hold."
    lines = ", ".join(str(Measured(peak.energy, digits=5)) for peak in result.spectrum.peaks[:5])
    alt = f"Spectrum with {len(result.spectrum.peaks)} lines, the first at {lines} {unit_text(result.unit)}."
    pictures.append(Picture("spectrum", text, partial(spectrum, result), alt if lines else ""))
    ranks = "TT-ranks and entanglement entropy of every cut of the train over time, and their largest values."
    if result.ranks.shape[1] > 2:
        largest = f"TT-rank at most {result.ranks.max()}, entropy at most {bound(result.entropies.max())} nats."
        pictures.append(Picture("ranks", ranks, partial(ranks_and_entropy, result, solver.max_rank), largest))
    for name in [name for name in MAPS if name in result.observables]:
        what = MAPS[name][1]
        values = result.observables[name]
        caption = f"Space-time map of {NAMES[name]} ({what} against time)."
        if np.isnan(values).any():
            caption += " Grey: modes that do not have it."
        low, high = (Measured(float(edge(values)), digits=3) for edge in (np.nanmin, np.nanmax))
        alt = f"{NAMES[name]} from {low} to {high}, t from 0 to {end}."
        pictures.append(Picture(f"map_{name}", caption, partial(space_time, result, name), alt))
    conserved = "Norm and energy over time (what they drift), and the accumulated parts of the state's error."
    if result.dissipative:
        conserved = "What the absorber leaves of the norm, the energy of what remains, and the parts of the error."
    pictures.append(Picture("conservation", conserved, partial(conservation, result)))
    return pictures


def autocorrelation(result: EvolutionResult, compared: Sequence[Compared], accuracy: float) -> Figure:
    """|a|, Re a, Im a over time, and the errors below."""
    figure, (upper, lower) = panels(4.2, 2, 1, sharex=True, height_ratios=[3, 2])
    t, a = result.t, result.autocorrelation
    upper.plot(t, a.real, color=COLOURS[0], lw=0.9, label="Re a")
    upper.plot(t, a.imag, color=COLOURS[1], lw=0.9, label="Im a")
    upper.plot(t, np.abs(a), color=THIS_RUN, lw=1.4, label="|a|")
    own = next((c for c in compared if c.series.quantity == "autocorrelation"), None)
    if own is not None:
        thin = max(1, len(own.series.times) // MARKS)
        inside = own.series.times <= t[-1] * (1 + 1e-9)
        times, values = own.series.times[inside][::thin], own.series.values[inside][::thin]
        upper.plot(times, np.abs(values), "o", color=COLOURS[2], ms=3, mfc="white", label="|a|, reference", zorder=5)
    lost = (np.abs(a) <= result.error) & (result.error > VISIBLE * np.abs(a).max())
    if lost.any():
        hidden: Style = {"color": "0.85", "lw": 0, "zorder": 0, "label": "|a| below its error"}
        upper.fill_between(t, -result.error, result.error, where=lost, **hidden)
    upper.set_ylabel("a(t) = ⟨ψ(0)|ψ(t)⟩")
    upper.axhline(0.0, color="0.8", lw=0.6, zorder=0)
    legend_above(upper)
    lower.set_yscale("log")
    lower.plot(t, floored(result.error, FLOOR), color=THIS_RUN, lw=1.4, label="error estimate")
    lower.plot(t, floored(result.autocorrelation_bound, FLOOR), color="0.55", lw=1.0, ls="-.", label="bound")
    lowest = [result.error[1:]]
    if result.check is not None:
        label = f"difference to rank {result.check.rank}"
        lower.plot(t, floored(result.check.difference, FLOOR), color=COLOURS[4], lw=1.0, label=label)
    if own is not None:
        few = len(own.times) < SPARSE
        style: Style = {"color": COLOURS[2], "lw": 0.8, "label": "deviation from the reference"}
        if few:  # single points; a line of many has gaps where it falls below the axis
            log_line(lower, own.times, own.deviations, FLOOR, marker="o", ls="", mfc="white", **style)
        else:
            lower.plot(own.times, floored(own.deviations, FLOOR), **style)
        lowest.append(own.deviations[1:])
    if accuracy:
        accuracy_line(lower, accuracy)
    seen = np.concatenate(lowest)
    lower.set_ylim(bottom=0.3 * min(1.0, float(seen[seen >= FLOOR].min(initial=1.0))))
    lower.set_xlim(t[0], t[-1])
    lower.set_ylabel("error of a(t)")
    lower.set_xlabel(f"t ({result.time_in_words})")
    grid(lower)
    legend_above(lower)
    return figure


def spectrum(result: EvolutionResult) -> Figure:
    """S(E) with its lines; eigenvalues as sticks beneath on the same axis of energy."""
    if result.sticks is None:
        figure, upper = panel(2.9)
        bottom = upper
    else:
        figure, (upper, bottom) = panels(4.0, 2, 1, sharex=True, height_ratios=[3, 1.3])
        _sticks(bottom, result.spectrum, result.sticks)
    _lines(upper, result.spectrum)
    upper.set_ylabel(f"S(E) ({_inverse(result.unit)})" if result.unit != "model units" else "S(E)")
    bottom.set_xlabel(f"E ({unit_text(result.unit)})")
    return figure


def _inverse(unit: str) -> str:
    """The inverse of a unit: cm of cm-1."""
    return unit.removesuffix("-1") if unit.endswith("-1") else f"{unit}⁻¹"


def _lines(axes: Axes, s: Spectrum) -> None:
    """S(E), its lines and its resolution."""
    axes.plot(s.energies, s.intensities, color=COLOURS[0], lw=1.1, label=f"spectrum (window: {s.window})")
    for trusted, face, label in ((True, COLOURS[1], "line"), (False, "white", "line, not confirmed")):
        chosen = [peak for peak in s.peaks if peak.trusted == trusted]
        if chosen:
            places, heights = [p.energy for p in chosen], [p.intensity for p in chosen]
            axes.plot(places, heights, "o", color=COLOURS[1], mfc=face, label=label)
    if s.noise > VISIBLE * s.intensities.max():
        axes.axhspan(-s.noise, s.noise, color=ABSENT, lw=0, zorder=0, label="below the error of a(t)")
    axes.set_xlim(s.energies[0], s.energies[-1])
    high = s.intensities.max()
    axes.set_ylim(min(-0.03 * high, 1.05 * s.intensities.min()), 1.16 * high)
    # the resolution as a bar above everything that is drawn
    axes.plot([], [], color=ASKED, lw=3, label=f"resolution {Measured(s.resolution, digits=3)}")
    at = s.energies[0] + 0.02 * (s.energies[-1] - s.energies[0])
    axes.plot([at, at + s.resolution], [1.11 * high] * 2, color=ASKED, lw=3, solid_capstyle="butt")
    grid(axes)
    legend_above(axes)


def _sticks(axes: Axes, s: Spectrum, sticks: Sticks) -> None:
    """The eigenvalues, as high as the share of the start they hold; what lies above the last is not computed."""
    inside = (sticks.energies >= s.energies[0]) & (sticks.energies <= s.energies[-1])
    weights = sticks.weights[inside]
    axes.vlines(sticks.energies[inside], 0.0, weights, color=COLOURS[2], lw=1.2)
    # states the start does not hold are levels all the same
    axes.plot(sticks.energies[inside], np.zeros(inside.sum()), "|", color="0.5", ms=7, mew=0.8)
    axes.set_ylim(-0.06 * max(weights.max(initial=0.0), 1e-12), 1.12 * max(weights.max(initial=0.0), 1e-12))
    axes.axvspan(max(sticks.energies[-1], s.energies[0]), s.energies[-1], color="0.95", lw=0, zorder=0)
    if sticks.energies[-1] < s.energies[-1] - 0.15 * (s.energies[-1] - s.energies[0]):
        middle = 0.5 * (max(sticks.energies[-1], s.energies[0]) + s.energies[-1])
        centred: Style = {"ha": "center", "va": "center", "fontsize": SMALL, "color": "0.45"}
        axes.text(middle, 0.5 * axes.get_ylim()[1], "not computed", **centred)
    axes.set_ylabel("weight of\neigenstates")


def ranks_and_entropy(result: EvolutionResult, cap: int) -> Figure:
    """Maps of rank and entropy over cut and time, and their largest values."""
    ranks = result.ranks[:, 1:-1]
    columns = 2 if ranks.shape[1] > 1 else 1
    figure, places = panels(4.4 if columns > 1 else 3.6, 2, columns, sharex=True)
    rows = ((ranks, "TT-rank", "viridis"), (result.entropies, "entropy (nats)", "magma"))
    for row, (values, name, cmap) in enumerate(rows):
        axes = places[row * columns]
        axes.plot(result.times, values.max(axis=1), color=THIS_RUN, lw=1.4, label="largest of all cuts")
        if columns > 1:
            middle = (values.shape[1] - 1) // 2
            axes.plot(result.times, values[:, middle], color=COLOURS[0], lw=1.0, ls="--", label="middle cut")
            _map(places[row * columns + 1], result.times, values, name, cmap, "cut", {"vmin": 0.0})
        axes.set_ylabel(name)
        axes.set_ylim(0, 1.08 * float(values.max()) or 1.0)
        axes.set_xlim(result.times[0], result.times[-1])
        grid(axes)
    whole_ticks(places[0], "y")
    if ranks.max() >= 0.9 * cap:
        places[0].axhline(cap, color=ASKED, lw=0.9, ls=":", label=f"max_rank {cap}")
    label_below(places, f"t ({result.time_in_words})")
    if columns > 1 or len(places[0].lines) > 1:
        legend_above(places[0])
    return figure


def space_time(result: EvolutionResult, name: str) -> Figure:
    """Map of an observable over site and time."""
    title, what, cmap = MAPS[name]
    values = result.observables[name]
    figure, axes = panel(2.7)
    limits: Style = {}
    if cmap == "RdBu_r":
        high = float(np.nanmax(np.abs(values))) or 1.0
        limits = {"vmin": -high, "vmax": high}
    _map(axes, result.times, values, title, cmap, what, limits)
    names = result.sites
    if names != [str(k + 1) for k in range(len(names))] and values.shape[1] <= MOST_NAMED:
        axes.set_yticks(np.arange(1, values.shape[1] + 1), names[: values.shape[1]], fontsize=SMALL)
    axes.set_xlabel(f"t ({result.time_in_words})")
    return figure


def _map(axes: Axes, t: np.ndarray, values: np.ndarray, title: str, cmap: str, what: str, limits: Style) -> None:
    """Values (times, places) as an image with a colour bar; places counted from 1 along the ordinate."""
    map_panel(axes, values, (t[0], t[-1], 0.5, values.shape[1] + 0.5), title, cmap=cmap, **limits)
    axes.set_ylabel(what)
    whole_ticks(axes, "y")


def conservation(result: EvolutionResult) -> Figure:
    """Norm and energy on the left, the parts of the state's error on the right."""
    figure, (left, right) = panels(2.7, 1, 2)
    t = result.times
    if result.dissipative:
        left.plot(t, result.squared_norms, color=COLOURS[0], lw=1.3, label="squared norm")
        left.set_ylabel("squared norm, of the start's", color=COLOURS[0])
        left.set_ylim(bottom=0)
        twin = left.twinx()
        twin.plot(t, result.energies, color=COLOURS[1], lw=1.1, ls="--")
        twin.set_ylabel(f"mean energy ({unit_text(result.unit)})", color=COLOURS[1])
    else:
        drifts = {
            "norm (relative)": np.abs(result.norms / result.norms[0] - 1.0),
            f"energy ({unit_text(result.unit)})": np.abs(result.energies - result.energies[0]),
        }
        for number, (label, values) in enumerate(drifts.items()):
            left.plot(t[1:], floored(values[1:], ROUND_OFF), color=colour(number), lw=1.1, label=label)
        left.set_yscale("log")
        left.set_ylabel("drift")
        legend_above(left)
    parts = {
        "ranks": result.projection_errors,
        "truncation": result.truncation_errors,
        "time steps": result.step_errors,
        "exponentials": result.krylov_errors,
    }
    for number, (label, values) in enumerate(parts.items()):
        if values.max() > 0.0:
            right.plot(t[1:], floored(values[1:], ROUND_OFF), color=colour(number), lw=1.1, label=label)
    right.set_yscale("log")
    right.set_ylabel("bound of the state's error, relative")
    legend_above(right)
    for axes in (left, right):
        axes.set_xlabel(f"t ({result.time_in_words})")
        axes.set_xlim(t[0], t[-1])
        grid(axes)
    return figure
