"""Trains and many-state calculations as arrays and JSON data of a checkpoint, and back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.eigen.many_states import ManyStates, Ritz, Sector, State
from solvers.sectors.estimates import pad
from solvers.sectors.group import Bond
from solvers.sectors.train import ModeCharges, SectorTrain, layout
from solvers.solution import Status

VERSION = "sectors 1"  # of what a checkpoint holds; others are not read
NUMBERS = tuple(f.name for f in fields(State) if f.name != "train")


def train_content(x: SectorTrain) -> tuple[np.ndarray, list[Any]]:
    """All cores in one array, and the bonds."""
    return np.concatenate(x.cores), [list(bond) for bond in x.bonds]


def stored_bonds(entry: Sequence[Any]) -> tuple[Bond, ...]:
    """Bonds from JSON data."""
    return tuple(tuple((int(c), int(r)) for c, r in bond) for bond in entry)


def stored_train(values: np.ndarray, entry: Sequence[Any], modes: ModeCharges) -> SectorTrain:
    """The train of ``train_content``. Raises ValueError where the sizes do not fit."""
    bonds, cores, offset = stored_bonds(entry), [], 0
    for k, mode in enumerate(modes):
        size = layout(bonds[k], mode, bonds[k + 1])[1]
        cores.append(np.ascontiguousarray(values[offset : offset + size]))
        offset += size
    if offset != len(values):
        raise ValueError("a stored train does not fit its modes")
    return SectorTrain(modes, bonds, tuple(cores))


def sectors_content(sectors: Sequence[Sector], modes: ModeCharges) -> Content:
    """All sectors; a train that is used twice is stored once."""
    places: dict[int, int] = {}
    arrays: dict[str, np.ndarray] = {}
    bonds: list[Any] = []

    def place(x: SectorTrain) -> int:
        if id(x) not in places:
            places[id(x)] = len(bonds)
            arrays[f"train.{len(bonds)}"], entry = train_content(x)
            bonds.append(entry)
        return places[id(x)]

    entries = []
    for sector in sectors:
        ritz = sector.ritz
        entries.append(
            {
                "charge": int(sector.charge),
                "trains": [place(x) for x in sector.trains],
                "numbers": {name: sector.numbers(name) for name in NUMBERS},
                "basis": [place(x) for x in ritz.basis],
                "sources": ritz.sources,
                "weights": ritz.weights,
                "elements": [[i, j, h, s] for (i, j), (h, s) in ritz.elements.items()],
            }
        )
    return arrays, {"modes": [list(mode) for mode in modes], "bonds": bonds, "sectors": entries}


def stored_sectors(arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> list[Sector]:
    """The sectors of ``sectors_content``."""
    modes = stored_bonds(data["modes"])
    trains = [stored_train(arrays[f"train.{i}"], entry, modes) for i, entry in enumerate(data["bonds"])]
    sectors = []
    for entry in data["sectors"]:
        columns = {name: values.tolist() for name, values in entry["numbers"].items()}
        rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
        states = [State(trains[i], **row) for i, row in zip(entry["trains"], rows)]
        for state in states:
            state.before = (state.before[0], state.before[1])
        elements = {(i, j): (h, s) for i, j, h, s in entry["elements"]}
        ritz = Ritz([trains[i] for i in entry["basis"]], entry["sources"], entry["weights"], elements)
        sectors.append(Sector(entry["charge"], states, ritz))
    return sectors


@dataclass
class Stage:
    """Where the passes are: the states ``wanted`` next, how often the search for missing ones led back (``round``).

    ``done``: share of the work; ``least``: lowest rank of the last pass; ``previous``: its energies; ``stalled``:
    passes without change; ``verdict``: how the passes ended, None before.
    """

    wanted: list[list[int]]
    round: int = 0
    done: float = 0.05
    stalled: int = 0
    least: int = 0
    previous: np.ndarray | None = None
    verdict: Status | None = None


def content(many: ManyStates, at: Stage) -> Content:
    """Everything a calculation knows."""
    arrays, data = sectors_content(many.sectors, many.operator.modes)
    name = next(many.names)
    many.names = itertools.count(name)
    stage = {key: value for key, value in vars(at).items() if key != "verdict"}
    verdict = None if at.verdict is None else at.verdict.name
    data |= {"version": VERSION, "stage": stage, "verdict": verdict, "name": name}
    data |= {"counts": many.counts, "ratios": many.ratios}
    data |= {"tolerance": many.method.local_tolerance, "warm": many.warm, "truncation": many.truncation}
    return arrays, data | {"random": random_state(many.rng)}


def restored(many: ManyStates, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> Stage:
    """Put a calculation into the state of ``content``."""
    many.sectors = stored_sectors(arrays, data)
    many.counts, many.ratios, many.truncation = data["counts"], data["ratios"], data["truncation"]
    many.names, many.warm = itertools.count(data["name"]), data["warm"]
    many.method = replace(many.method, local_tolerance=data["tolerance"])
    restore(many.rng, data["random"])
    verdict = None if data["verdict"] is None else Status[data["verdict"]]
    return Stage(**data["stage"], verdict=verdict)


def begin_with(many: ManyStates, loaded: Content | None) -> None:
    """Take the states of an earlier calculation for the lowest ones of each sector, where they fit its modes.

    Modes may have more functions than before, never fewer. Whatever is taken is judged before it is trusted. A file of
    another version of this program is left aside.
    """
    if loaded is None or loaded[1].get("version") != VERSION:
        return
    arrays, data = loaded
    before, now = [[dict(mode) for mode in stored_bonds(data["modes"])], [dict(mode) for mode in many.operator.modes]]
    if len(before) != len(now) or any(n.get(c, 0) < size for b, n in zip(before, now) for c, size in b.items()):
        return
    known = {sector.charge: sector for sector in stored_sectors(arrays, data)}
    ground = min((float(sector.energies.min()) for sector in known.values()), default=0.0)
    # the error of the start, about the same for all
    shift = ground - min(sector.states[0].energy for sector in many.sectors)
    for sector in many.sectors:
        for state in sector.states:
            state.energy += shift
        earlier = known.get(sector.charge)
        if earlier is None:
            continue
        for state, old in zip(sector.states, sorted(earlier.states, key=lambda state: state.energy)):
            state.train, state.energy = pad(old.train, many.operator.modes), old.energy
            state.rank = state.train.max_rank
            state.next_rank = max(state.next_rank, min(state.rank, many.method.max_rank))
        sector.ritz.basis = sector.trains
    many.ratios = list(data["ratios"])
    many.truncation, many.warm = data["truncation"], True
