"""The spectrum of a propagation, the lines a second run confirms, and the eigenvalues beneath them."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.system import System
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.result import Check, Peak, Spectrum, Sticks
from problems.quantum.tasks.evolution.spectrum import (
    energy_grid,
    line_height,
    lines,
    significant_range,
    transform,
    window_values,
)
from solvers.eigen.eigsolve import eigsolve
from solvers.formats.trains.tensor_train import TensorTrain, dot
from solvers.solution import IterationState

STICK_SHARE = 0.02  # of the resolution, for the eigenvalues beneath the spectrum
COUNTS = 0.1  # of the largest weight near a line: eigenvalues with less do not make it

Callback = Callable[[IterationState], None] | None


def spectrum_of(
    system: System,
    solver: WavePacketSolver,
    t: np.ndarray,
    a: np.ndarray,
    error: np.ndarray,
    check: Check | None,
    certain: bool,
) -> Spectrum:
    """Spectrum and lines; a line is trusted when the second run has one within the resolution, above the noise."""
    mean, deviation = energy_moments(system)
    resolution = float(math.pi / t[-1])
    w = window_values(solver.window, t, solver.broadening)
    energies = energy_grid(t, mean, deviation, solver.energy_range)
    values = transform(t, a, w, energies)
    if solver.energy_range is None:
        shown = significant_range(energies, values, resolution)
        energies, values = energies[shown], values[shown]
    whole = line_height(t, w)
    noise = line_height(t, w * error)
    others = None
    if check is not None:
        found = lines(energies, transform(t, check.autocorrelation, w, energies), resolution, solver.window, whole)
        others = np.array([energy for energy, _ in found])
    peaks = []
    for energy, height in lines(energies, values, resolution, solver.window, whole):
        agrees = certain or (others is not None and bool(np.any(np.abs(others - energy) <= resolution)))
        peaks.append(Peak(energy, height, height / whole, resolution, agrees and height > noise))
    return Spectrum(
        energies=energies,
        intensities=values,
        resolution=resolution,
        window=solver.window,
        peaks=peaks,
        noise=noise,
    )


def energy_moments(system: System) -> tuple[float, float]:
    """Mean and standard deviation of the energy in the start (the real part, where something absorbs)."""
    moved = system.operator @ system.start
    square = dot(system.start, system.start).real
    mean = complex(dot(system.start, moved) / square).real
    deviation = (moved - system.start * mean).norm() / math.sqrt(square)
    return mean, float(deviation)


def sticks_of(
    system: System,
    solver: WavePacketSolver,
    resolution: float,
    executor: Executor | None,
    seed: int,
    callback: Callback,
    checkpoint: Path | None = None,
) -> Sticks:
    """The lowest eigenvalues, each with the share of the start it holds."""
    size = math.prod(float(n) for n in system.start.shape)
    count = int(min(solver.eigenstates, size))
    states = eigsolve(
        system.operator,
        count,
        start=system.terms,
        accuracy=STICK_SHARE * resolution,
        executor=executor,
        rng=np.random.default_rng(seed),
        callback=_quiet_sticks(callback),
        throw=False,
        checkpoint=None if checkpoint is None else checkpoint / "eigenvalues.npz",
    ).value
    trains = [x if isinstance(x, TensorTrain) else x.to_train() for x in states.trains]
    weights = np.array([abs(dot(x, system.start)) ** 2 for x in trains])
    return Sticks(np.asarray(states.energies), np.asarray(states.errors), weights)


def _quiet_sticks(callback: Callback) -> Callback:
    if callback is None:
        return None
    return lambda state: callback(replace(state, label=f"eigenvalues: {state.label}", fraction=None, finished=False))


def with_eigenvalue(peak: Peak, sticks: Sticks) -> Peak:
    """The peak with the eigenvalue beneath it: the nearest within the resolution, of those that count there."""
    near = np.flatnonzero(np.abs(sticks.energies - peak.energy) <= peak.resolution)
    if not len(near):
        return peak
    near = near[sticks.weights[near] >= COUNTS * sticks.weights[near].max()]
    return replace(
        peak, eigenvalue=float(sticks.energies[near[np.argmin(np.abs(sticks.energies[near] - peak.energy))]])
    )
