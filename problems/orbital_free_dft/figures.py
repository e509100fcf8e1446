"""Figures of an orbital-free calculation. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter

from problems.orbital_free_dft.presentation import reference_of
from problems.report_parts import Picture

if TYPE_CHECKING:
    from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
    from problems.orbital_free_dft.references import GroundState
    from problems.orbital_free_dft.result import OrbitalFreeResult

# Okabe and Ito's palette: told apart by colour-blind readers too
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
WIDTH = 9.0
DECADES = 8  # of the density, below its largest value shown
DENSITY = r"density (bohr$^{-3}$)"


def figures(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    known = reference_of(problem)
    near = _nuclei_near(problem, result)
    marks = "" if not len(near) else " Crosses: nuclei within a spacing of the plane."
    pictures = [
        Picture(
            "slice",
            f"Density on the plane z = {result.plane.height:.4g} bohr; grey: below the colour scale.{marks}",
            partial(density_slice, result, near),
        )
    ]
    if result.profiles:
        text = "Density along lines parallel to the axes. Each line of the legend names a point it goes through."
        pictures.append(Picture("profiles", text, partial(profiles, result)))
    if result.radial is not None:
        text = "Density about the centre against the distance, and how many electrons a shell holds."
        if known is not None and known.orbital_at_centre is not None:
            text += " Circle: the reference at the centre."
        pictures.append(Picture("radial", text, partial(radial, result, known)))
    text = f"TT-ranks on the finest grid, 2^{result.finest.level} points an axis: x, y and z bits, coarsest first."
    pictures.append(Picture("ranks", text, partial(ranks, result)))
    if any(state.energies is not None for state in result.history):
        text = "Energy of every descent step, its distance from the last one on the same grid."
        pictures.append(Picture("descent", text, partial(descent, result)))
    text = "Energy on every grid less the extrapolated one"
    text += "." if known is None else ", and less the reference."
    return [*pictures, Picture("grids", text, partial(grids, result, known, solver.accuracy))]


def _nuclei_near(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> np.ndarray:
    """x and y (m, 2) of the nuclei at the plane shown; none where positions depend on the seed."""
    if problem.displaced:
        return np.zeros((0, 2))
    positions = problem.sites.positions
    return positions[np.abs(positions[:, 2] - result.plane.height) <= result.finest.spacing * (1.0 + 1e-9), :2]


def density_slice(result: OrbitalFreeResult, nuclei: np.ndarray) -> Figure:
    """The density on a plane as colours on a logarithmic scale, nuclei (m, 2) as crosses."""
    plane = result.plane
    high = max(float(plane.density.max()), 1e-300)
    low = high * 10.0**-DECADES
    figure = Figure(figsize=(6.4, 5.2), layout="compressed")
    axes = figure.subplots()
    axes.set_facecolor("0.85")
    shown = np.ma.masked_less(plane.density.T, low)
    # as pixels even in SVG: a mesh of vectors would be megabytes
    image = axes.pcolormesh(plane.x, plane.y, shown, norm=LogNorm(low, high), cmap="viridis", rasterized=True)
    if len(nuclei):
        size = 7.0 if len(nuclei) <= 16 else 4.0
        axes.plot(nuclei[:, 0], nuclei[:, 1], "x", color="white", markersize=size + 1.0, markeredgewidth=2.4)
        axes.plot(nuclei[:, 0], nuclei[:, 1], "x", color="black", markersize=size, markeredgewidth=1.0)
    filled = plane.density >= low
    axes.set(
        xlim=_window(plane.x, np.asarray(filled.any(axis=1))),
        ylim=_window(plane.y, np.asarray(filled.any(axis=0))),
        xlabel="x (bohr)",
        ylabel="y (bohr)",
        aspect="equal",
    )
    figure.colorbar(image, ax=axes, label=DENSITY)
    return figure


def profiles(result: OrbitalFreeResult) -> Figure:
    """One curve a line."""
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    high = max(max(float(p.density.max()) for p in result.profiles), 1e-300)
    low = high * 10.0**-DECADES
    left, right = np.inf, -np.inf
    styles = ["-", "--", ":", "-."]  # equal lines of a symmetric system cover each other
    for k, line in enumerate(result.profiles):
        point = ", ".join(f"{c:.3g}" for c in line.through)
        shown = np.where(line.density >= 0.1 * low, line.density, np.nan)
        axes.semilogy(
            line.position,
            shown,
            color=COLOURS[k % len(COLOURS)],
            linewidth=1.6 - 0.2 * min(k, 3),
            linestyle=styles[k % len(styles)],
            label=f"along {line.axis} through ({point})",
        )
        ends = _window(line.position, line.density >= low)
        left, right = min(left, ends[0]), max(right, ends[1])
    axes.set(xlim=(left, right), ylim=(low, 4.0 * high), xlabel="position along the line (bohr)", ylabel=DENSITY)
    _legend_above(axes, 2)
    _log_grid(axes)
    return figure


def radial(result: OrbitalFreeResult, known: GroundState | None) -> Figure:
    """Left the density, right the electrons of a shell, 4 pi r^2 rho."""
    assert result.radial is not None
    r, density = result.radial
    high = max(float(density.max()), 1e-300)
    centre = None if known is None or known.orbital_at_centre is None else known.orbital_at_centre**2
    low = high * 10.0**-DECADES
    figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    shown = np.where(density >= 0.1 * low, density, np.nan)
    left.semilogy(r, shown, color=COLOURS[0], linewidth=1.5, label="this run")
    if centre is not None:
        left.semilogy(
            [0.0],
            [centre],
            "o",
            color=COLOURS[1],
            mfc="none",
            mew=1.6,
            ms=8,
            clip_on=False,
            zorder=5,
            label=f"reference at the centre, {centre:.5g}",
        )
    end = float(r[density >= low].max(initial=float(r[0])))
    left.set(xlim=(0.0, end), ylim=(low, 4.0 * max(high, centre or 0.0)), xlabel="r (bohr)", ylabel=DENSITY)
    _legend_above(left, 2)
    _log_grid(left)
    shell = 4.0 * np.pi * r**2 * density
    right.plot(r, shell, color=COLOURS[0], linewidth=1.5)
    right.set(xlim=(0.0, 0.7 * end), xlabel="r (bohr)", ylabel=r"$4\pi r^2 \rho$ (electrons per bohr)")
    right.set_ylim(bottom=0.0)
    right.grid(True, color="0.9", linewidth=0.6)
    return figure


def ranks(result: OrbitalFreeResult) -> Figure:
    """Ranks of density and orbital at every bond; the bonds between two axes marked."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    high = 1
    for train, label, colour, marker in (
        (result.density, "density", COLOURS[0], "o-"),
        (result.orbital, "orbital", COLOURS[1], "s--"),
    ):
        inner = train.ranks[1:-1]
        high = max(high, *inner)
        axes.plot(
            range(1, train.d),
            inner,
            marker,
            color=colour,
            markersize=4,
            linewidth=1.2,
            label=f"{label}, largest {max(inner)}",
        )
    level = result.finest.level
    for k, name in enumerate("xyz"):
        if k:
            axes.axvline(k * level, color="0.5", linewidth=0.9, linestyle=":")
        axes.text((k + 0.5) * level, 1.02 * 1.12 * high, name, ha="center", va="bottom", fontsize=10, color="0.3")
    axes.set(xlim=(0, 3 * level), ylim=(0, 1.25 * high), xlabel="bond, after bit", ylabel="TT-rank")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, color="0.92", linewidth=0.6)
    _legend_above(axes, 2)
    return figure


def descent(result: OrbitalFreeResult) -> Figure:
    """Energies of all grids one after the other, as distances from the last of each."""
    figure = Figure(figsize=(WIDTH, 3.7), layout="constrained")
    axes = figure.subplots()
    energies: dict[int, list[tuple[int, float]]] = {}
    for step, state in enumerate(state for state in result.history if state.energies is not None):
        assert state.energies is not None
        energies.setdefault(int(state.extra["level"]), []).append((step + 1, float(state.energies[0])))
    for k, (level, rows) in enumerate(energies.items()):
        steps, values = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        distance = _positive(np.abs(values - values[-1]))
        axes.semilogy(
            steps,
            distance,
            "o-",
            color=COLOURS[k % len(COLOURS)],
            markersize=3,
            linewidth=1.1,
            label=f"$2^{{{level}}}$ points an axis",
        )
        if k:
            axes.axvline(steps[0] - 0.5, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xlabel="descent step, over all grids", ylabel="energy, distance from the\nlast of its grid (hartree)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend_above(axes, 4)
    _log_grid(axes)
    return figure


def grids(result: OrbitalFreeResult, known: GroundState | None, accuracy: float) -> Figure:
    """Deviations of the energies of the grids, and the power of the extrapolation."""
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    points = np.array([level.points for level in result.levels], dtype=float)
    energies = np.array([level.energy for level in result.levels])
    own = _positive(np.abs(energies - result.extrapolated_energy))
    axes.loglog(points, own, "o-", color=COLOURS[0], markersize=6, label="less the extrapolated energy")
    if known is not None:
        deviations = _positive(np.abs(energies - known.energy))
        axes.loglog(
            points, deviations, "s--", color=COLOURS[1], markersize=6, mfc="none", mew=1.5, label="less the reference"
        )
        last = abs(result.extrapolated_energy - known.energy)
        if last > 0.0:
            axes.axhline(last, color=COLOURS[1], linewidth=1.0, label="extrapolated less the reference")
    axes.loglog(
        points[-1:], [result.energy_error], "D", color=COLOURS[2], markersize=6, label="error estimate, finest grid"
    )
    if result.order is not None and np.isfinite(own[-1]):
        fit = own[-1] * (points[-1] / points) ** result.order
        axes.loglog(
            points, fit, ":", color="black", linewidth=1.8, zorder=4, label=f"spacing to the power {result.order}"
        )
    axes.axhline(accuracy, color="black", linewidth=0.8, linestyle="-.", label="accuracy asked")
    axes.xaxis.set_major_locator(FixedLocator(points.tolist()))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.set_xticklabels([f"$2^{{{level.level}}}$" for level in result.levels])
    axes.set(xlabel="grid points an axis", ylabel="deviation of the energy (hartree)")
    axes.set_xlim(points[0] / 1.15, points[-1] * 1.15)
    low, high = np.log10(axes.get_ylim())
    axes.set_ylim(10.0 ** np.floor(low), 10.0 ** np.ceil(high))  # whole decades, so that every axis has two labels
    _legend_above(axes, 3)
    _log_grid(axes)
    return figure


def _positive(values: np.ndarray) -> np.ndarray:
    """Zeros cannot be drawn on a logarithmic axis."""
    return np.where(values > 0.0, values, np.nan)


def _window(position: np.ndarray, filled: np.ndarray) -> tuple[float, float]:
    """What is filled, with a twentieth on either side."""
    inside = position[filled] if filled.any() else position
    margin = 0.05 * float(inside[-1] - inside[0]) or 1.0
    return float(max(inside[0] - margin, position[0])), float(min(inside[-1] + margin, position[-1]))


def _log_grid(axes: Axes) -> None:
    """A grid line a decade, few labels where there are many decades."""
    axes.yaxis.set_major_locator(LogLocator(base=10.0, numticks=12))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(True, which="major", color="0.9", linewidth=0.6)


def _legend_above(axes: Axes, columns: int) -> None:
    """A legend over the axes, where it covers no data."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, fontsize=8, frameon=False, borderaxespad=0.2
    )
