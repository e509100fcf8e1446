"""States in the words of spectroscopy: assignment, symmetry, completeness, and trains indexed by quantum numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from solvers.eigen.states import EigenStates
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.sectors.train import SectorTrain, leading_products


def assignment(x: SectorTrain, labels: Sequence[np.ndarray], order: Sequence[int], count: int = 2) -> str:
    """The leading product configurations, as in "0.97[1v3] ; 0.20[1v1+1v3]" (modes numbered as in the field)."""
    found = []
    for value, functions in leading_products(x, count):
        quanta = {order[k] + 1: int(labels[k][n]) for k, n in enumerate(functions) if labels[k][n]}
        name = "+".join(f"{v}v{mode}" for mode, v in sorted(quanta.items())) or "gs"
        found.append(f"{abs(value):.2f}[{name}]")
    return " ; ".join(found)


def symmetry_label(charge: int, mode_charges: np.ndarray) -> str:
    """One sign for each parity the field conserves; "+" alone where it conserves none."""
    bits = int(np.bitwise_or.reduce(mode_charges)).bit_length() if len(mode_charges) else 0
    return "".join("-" if charge >> bit & 1 else "+" for bit in range(bits)) or "+"


class DenseStates(Sequence[TensorTrain]):
    """The states as dense trains, made when they are asked for: together they take twice the memory."""

    def __init__(self, trains: Sequence[SectorTrain], labels: Sequence[np.ndarray]) -> None:
        self._trains, self._labels = trains, labels

    def __len__(self) -> int:
        return len(self._trains)

    @overload
    def __getitem__(self, i: int) -> TensorTrain: ...

    @overload
    def __getitem__(self, i: slice) -> list[TensorTrain]: ...

    def __getitem__(self, i: int | slice) -> TensorTrain | list[TensorTrain]:
        if isinstance(i, slice):
            return [dense_state(x, self._labels) for x in self._trains[i]]
        return dense_state(self._trains[i], self._labels)


def dense_state(x: SectorTrain, labels: Sequence[np.ndarray]) -> TensorTrain:
    """The train with the functions of every mode in ascending quantum number."""
    return TensorTrain(tuple(core[:, np.argsort(labels[k]), :] for k, core in enumerate(x.to_train().cores)))


def completeness(states: EigenStates) -> dict[str, object]:
    """What says that no state is missing: the buffer, the gap above the last wanted state, and the probe."""
    above = [float(e) for e in states.buffer]
    outside = states.probe.get("lowest_energy_outside")
    last = float(states.energies[-1])
    following = above[0] if above else outside
    return {
        "buffer_states": above,
        "gap_above": None if following is None else float(following) - last,
        "probe": states.probe,
    }
