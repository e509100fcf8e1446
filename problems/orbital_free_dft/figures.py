"""Figures of an orbital-free calculation. Each function returns a matplotlib Figure that no global state knows."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

from problems.drawing import (
    COLOURS,
    DASHES,
    GRID,
    THIS_RUN,
    TYPE,
    Style,
    accuracy_line,
    blank,
    colour,
    colour_bar,
    decades,
    grid,
    page_width,
    panel,
    panels,
    positive,
    rank_panel,
    whole_ticks,
)
from problems.legends import legend_above
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.references import GroundState, reference_of
from problems.orbital_free_dft.result import OrbitalFreeResult
from problems.report_parts import Picture
from solvers.measured import Measured, numeral, raised

SLICE = 4.2  # inches of the slice, at most
FEW_GRIDS = 2  # whose energies a sentence says as well as a figure
FEW = 16  # nuclei whose crosses are large
DECADES = 8  # of the density, below its largest value shown
DENSITY = "density (bohr⁻³)"


def figures(problem: OrbitalFreeProblem, solver: OrbitalFreeSolver, result: OrbitalFreeResult) -> list[Picture]:
    """All figures this result has data for, in the order of the report."""
    known = reference_of(problem)
    near = _nuclei_near(problem, result)
    marks = "" if not len(near) else " Crosses: nuclei within a spacing of the plane."
    pictures = [
        Picture(
            "slice",
            f"Density on the plane z = {numeral(result.plane.height)} bohr; grey: below the colour scale.{marks}",
            partial(density_slice, result, near),
            f"Density from {Measured(float(result.plane.density.max()), digits=3)} bohr⁻³ down over {DECADES} decades.",
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
    points = f"2{raised(result.finest.level)}"
    text = f"TT-ranks on the finest grid, {points} points an axis: x, y and z bits, coarsest first."
    alt = f"TT-ranks of the density at most {max(result.density.ranks)}, of the orbital {max(result.orbital.ranks)}."
    pictures.append(Picture("ranks", text, partial(ranks, result), alt))
    if sum(state.energies is not None for state in result.history) > 1:
        text = "Energy of every descent step, its distance from the last one on the same grid."
        pictures.append(Picture("descent", text, partial(descent, result)))
    text = "Energy on every grid less the extrapolated one"
    text += "." if known is None else ", and less the reference."
    extrapolated = Measured(result.extrapolated_energy, result.extrapolated_error)
    if len(result.levels) <= FEW_GRIDS:
        found = {level.level: Measured(level.energy, digits=8) for level in result.levels}
        found[result.finest.level] = Measured(result.energy, result.energy_error)
        energies = "; ".join(f"2{raised(level)} points an axis: {energy}" for level, energy in found.items())
        said = f"Energies of the grids (hartree): {energies}; extrapolated: {extrapolated}."
        return [*pictures, Picture.sentence("grids", said)]
    alt = f"Energy {extrapolated} hartree, extrapolated from {len(result.levels)} grids."
    return [*pictures, Picture("grids", text, partial(grids, result, known, solver.accuracy), alt)]


def _nuclei_near(problem: OrbitalFreeProblem, result: OrbitalFreeResult) -> np.ndarray:
    """x and y (m, 2) of the nuclei at the plane shown; none where positions depend on the seed."""
    if problem.displaced:
        return np.zeros((0, 2))
    positions = problem.sites.positions
    return positions[np.abs(positions[:, 2] - result.plane.height) <= result.finest.spacing * (1.0 + 1e-9), :2]


def density_slice(result: OrbitalFreeResult, nuclei: np.ndarray) -> Figure:
    """The density on a plane as colours on a logarithmic scale, nuclei (m, 2) as crosses."""
    plane = result.plane
    low, high = _scale(plane.density)
    figure = blank(0.8 * min(SLICE, page_width()), "compressed")
    axes = figure.subplots()
    axes.set_facecolor("0.85")
    shown = np.ma.masked_less(plane.density.T, low)
    # as pixels even in SVG: a mesh of vectors would be megabytes
    image = axes.pcolormesh(plane.x, plane.y, shown, norm=LogNorm(low, high), cmap="viridis", rasterized=True)
    if len(nuclei):
        size = 5.0 if len(nuclei) <= FEW else 3.0
        for paint, larger, width in (("white", 1.0, 2.4), (THIS_RUN, 0.0, 1.0)):
            axes.plot(nuclei[:, 0], nuclei[:, 1], "x", color=paint, ms=size + larger, mew=width)
    filled = plane.density >= low
    axes.set(
        xlim=_window(plane.x, np.asarray(filled.any(axis=1))),
        ylim=_window(plane.y, np.asarray(filled.any(axis=0))),
        xlabel="x (bohr)",
        ylabel="y (bohr)",
        aspect="equal",
    )
    colour_bar(axes, image, DENSITY)
    return figure


def profiles(result: OrbitalFreeResult) -> Figure:
    """One curve a line."""
    figure, axes = panel(2.8)
    low, high = _scale(*(line.density for line in result.profiles))
    left, right = np.inf, -np.inf
    for k, line in enumerate(result.profiles):
        point = ", ".join(numeral(c) for c in line.through).replace("-", "−")
        # equal lines of a symmetric system cover each other
        style: Style = {"color": colour(k), "lw": 1.6 - 0.2 * min(k, 3), "ls": DASHES[k % len(DASHES)]}
        axes.plot(line.position, _above(line.density, low), label=f"along {line.axis} through ({point})", **style)
        ends = _window(line.position, line.density >= low)
        left, right = min(left, ends[0]), max(right, ends[1])
    axes.set(xlabel="position along the line (bohr)", ylabel=DENSITY, yscale="log")
    axes.set(xlim=(left, right), ylim=(low, 4.0 * high))
    legend_above(axes)
    grid(axes)
    return figure


def radial(result: OrbitalFreeResult, known: GroundState | None) -> Figure:
    """Left the density, right the electrons of a shell, 4 pi r^2 rho."""
    assert result.radial is not None
    r, density = result.radial
    low, high = _scale(density)
    centre = None if known is None or known.orbital_at_centre is None else known.orbital_at_centre**2
    figure, (left, right) = panels(2.6, 1, 2)
    left.plot(r, _above(density, low), color=COLOURS[0], lw=1.5, label="this run")
    if centre is not None:
        ring: Style = {"color": COLOURS[1], "mfc": "none", "mew": 1.6, "ms": 8, "clip_on": False, "zorder": 5}
        left.plot([0.0], [centre], "o", label=f"reference at the centre, {Measured(centre, digits=5)}", **ring)
    end = float(r[density >= low].max(initial=float(r[0])))
    left.set(xlabel="r (bohr)", ylabel=DENSITY, yscale="log", xlim=(0.0, end), ylim=(low, 4.0 * max(high, centre or 0)))
    legend_above(left)
    grid(left)
    right.plot(r, 4.0 * np.pi * r**2 * density, color=COLOURS[0], lw=1.5)
    right.set(xlim=(0.0, 0.7 * end), xlabel="r (bohr)", ylabel="4πr²ρ (electrons bohr⁻¹)")
    right.set_ylim(bottom=0.0)
    grid(right)
    return figure


def ranks(result: OrbitalFreeResult) -> Figure:
    """Ranks of density and orbital at every bond; the bonds between two axes marked."""
    figure, axes = panel(2.5)
    trains = (("density", result.density), ("orbital", result.orbital))
    rank_panel(axes, [(f"{name}, largest {max(train.ranks)}", train.ranks) for name, train in trains], "bit")
    level, high = result.finest.level, max(max(train.ranks) for _, train in trains)
    for k, name in enumerate("xyz"):
        if k:
            axes.axvline(k * level, color="0.5", lw=0.9, ls=":")
        axes.text((k + 0.5) * level, 1.14 * high, name, ha="center", va="bottom", fontsize=TYPE, color="0.3")
    axes.set(xlim=(0, 3 * level), ylim=(0, 1.25 * high), xlabel="bond, after bit")
    legend_above(axes)
    return figure


def descent(result: OrbitalFreeResult) -> Figure:
    """Energies of all grids one after the other, as distances from the last of each."""
    figure, axes = panel(2.6)
    energies: dict[int, list[tuple[int, float]]] = {}
    for step, state in enumerate(state for state in result.history if state.energies is not None):
        assert state.energies is not None
        energies.setdefault(int(state.extra["level"]), []).append((step + 1, float(state.energies[0])))
    for k, (level, rows) in enumerate(energies.items()):
        steps, values = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        distance = positive(np.abs(values - values[-1]))
        axes.plot(steps, distance, "o-", color=colour(k), label=f"2{raised(level)} points an axis")
        if k:
            axes.axvline(steps[0] - 0.5, color="0.6", lw=0.8, ls=":")
    axes.set(xlabel="descent step, over all grids", ylabel="energy, distance from the\nlast of its grid (hartree)")
    axes.set_yscale("log")
    whole_ticks(axes)
    legend_above(axes)
    grid(axes)
    return figure


def grids(result: OrbitalFreeResult, known: GroundState | None, accuracy: float) -> Figure:
    """Deviations of the energies of the grids, and the power of the extrapolation."""
    figure, axes = panel(2.8)
    axes.set(xscale="log", yscale="log", xlabel="grid points an axis", ylabel="deviation of the energy (hartree)")
    points = np.array([level.points for level in result.levels], dtype=float)
    energies = np.array([level.energy for level in result.levels])
    own = positive(np.abs(energies - result.extrapolated_energy))
    axes.plot(points, own, "o-", color=COLOURS[0], ms=4, label="less the extrapolated energy")
    if known is not None:
        deviations = positive(np.abs(energies - known.energy))
        hollow: Style = {"color": COLOURS[1], "ms": 4, "mfc": "none", "mew": 1.5}
        axes.plot(points, deviations, "s--", label="less the reference", **hollow)
        last = abs(result.extrapolated_energy - known.energy)
        if last > 0.0:
            axes.axhline(last, color=COLOURS[1], lw=1.0, label="extrapolated less the reference")
    axes.plot(points[-1:], [result.energy_error], "D", color=COLOURS[2], ms=4, label="error estimate, finest grid")
    if result.order is not None and np.isfinite(own[-1]):
        fit = own[-1] * (points[-1] / points) ** result.order
        axes.plot(points, fit, ":", color=THIS_RUN, lw=1.8, zorder=4, label=f"spacing to the power {result.order}")
    accuracy_line(axes, accuracy, "hartree")
    axes.xaxis.set_major_locator(FixedLocator(points.tolist()))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"2{raised(level.level)}" for level in result.levels]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(points[0] / 1.15, points[-1] * 1.15)
    low, high = np.log10(axes.get_ylim())
    axes.set_ylim(10.0 ** np.floor(low), 10.0 ** np.ceil(high))  # whole decades, so that every axis has two labels
    legend_above(axes)
    axes.grid(True, which="major", **GRID)
    axes.set_axisbelow(True)
    decades(axes)
    return figure


def _scale(*densities: np.ndarray) -> tuple[float, float]:
    """The range of densities that is shown: the largest, and some decades below."""
    high = max(1e-300, *(float(density.max()) for density in densities))
    return high * 10.0**-DECADES, high


def _above(density: np.ndarray, low: float) -> np.ndarray:
    """What a line shows of a density; a little below the range, so that it leaves the panel."""
    return np.where(density >= 0.1 * low, density, np.nan)


def _window(position: np.ndarray, filled: np.ndarray) -> tuple[float, float]:
    """What is filled, with a twentieth on either side."""
    inside = position[filled] if filled.any() else position
    margin = 0.05 * float(inside[-1] - inside[0]) or 1.0
    return float(max(inside[0] - margin, position[0])), float(min(inside[-1] + margin, position[-1]))
