"""Trains and blocks of states as arrays and JSON data of a checkpoint, and back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.checkpoint import Content, random_state, restore
from solvers.eigen.blocks import Block
from solvers.eigen.estimates import pad
from solvers.solution import Status
from solvers.trains.sectors import Bond, ModeCharges, SectorTrain, layout

if TYPE_CHECKING:
    from solvers.eigen.inverse_iteration import Passes

NUMBERS = ("energies", "errors", "residuals", "ranks", "next_ranks", "mixed", "quotients", "before")


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


def blocks_content(blocks: Sequence[Block], modes: ModeCharges) -> Content:
    """All blocks; a train that is used twice is stored once."""
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
    for block in blocks:
        elements = [[i, j, h, s] for (i, j), (h, s) in block.elements.items()]
        entries.append(
            {
                "charge": int(block.charge),
                "trains": [place(x) for x in block.trains],
                "basis": [place(x) for x in block.basis],
                "sources": block.sources,
                "weights": block.weights,
                "names": block.names,
                "elements": elements,
                **{name: getattr(block, name) for name in NUMBERS},
            }
        )
    return arrays, {"modes": [list(mode) for mode in modes], "bonds": bonds, "blocks": entries}


def stored_blocks(arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> list[Block]:
    """The blocks of ``blocks_content``."""
    modes = stored_bonds(data["modes"])
    trains = [stored_train(arrays[f"train.{i}"], entry, modes) for i, entry in enumerate(data["bonds"])]
    blocks = []
    for entry in data["blocks"]:
        block = Block(entry["charge"], [trains[i] for i in entry["trains"]], entry["energies"])
        block.basis = [trains[i] for i in entry["basis"]]
        block.sources, block.weights, block.names = entry["sources"], entry["weights"], entry["names"]
        block.elements = {(i, j): (h, s) for i, j, h, s in entry["elements"]}
        for name in NUMBERS:
            setattr(block, name, entry[name])
        blocks.append(block)
    return blocks


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


def passes_content(passes: Passes, at: Stage) -> Content:
    """Everything the passes know."""
    arrays, data = blocks_content(passes.blocks, passes.operator.modes)
    name = next(passes.names)
    passes.names = itertools.count(name)
    stage = {key: value for key, value in vars(at).items() if key != "verdict"}
    verdict = None if at.verdict is None else at.verdict.name
    data |= {"stage": stage, "verdict": verdict, "counts": passes.counts, "ratios": passes.ratios, "name": name}
    data |= {
        "history": passes.history,
        "tolerance": passes.method.local_tolerance,
        "warm": passes.warm,
        "truncation": passes.truncation,
    }
    return arrays, data | {"random": random_state(passes.rng)}


def continued(passes: Passes) -> Stage | None:
    """Put passes into the state of their checkpoint; None where there is none."""
    loaded = passes.checkpoint.load()
    if loaded is None:
        return None
    arrays, data = loaded
    passes.blocks = stored_blocks(arrays, data)
    passes.counts, passes.ratios, passes.history = data["counts"], data["ratios"], data["history"]
    passes.names, passes.warm = itertools.count(data["name"]), data["warm"]
    passes.method = replace(passes.method, local_tolerance=data["tolerance"])
    restore(passes.rng, data["random"])
    verdict = None if data["verdict"] is None else Status[data["verdict"]]
    return Stage(**data["stage"], verdict=verdict)


def begin_with(passes: Passes, content: Content | None) -> None:
    """Take the states of an earlier calculation for the lowest ones of each block, where they fit its modes.

    Modes may have more functions than before, never fewer. Whatever is taken is judged before it is trusted.
    """
    if content is None:
        return
    arrays, data = content
    before, now = [[dict(mode) for mode in stored_bonds(data["modes"])], [dict(mode) for mode in passes.operator.modes]]
    if len(before) != len(now) or any(n.get(c, 0) < size for b, n in zip(before, now) for c, size in b.items()):
        return
    known = {block.charge: block for block in stored_blocks(arrays, data)}
    ground = min((float(b.energies.min()) for b in known.values()), default=0.0)
    shift = ground - min(float(b.energies[0]) for b in passes.blocks)  # the error of the start, about the same for all
    for block in passes.blocks:
        block.energies = block.energies + shift
        old = known.get(block.charge)
        if old is None:
            continue
        order = np.argsort(old.energies, kind="stable")[: len(block.trains)]
        for i, j in enumerate(order):
            block.trains[i] = pad(old.trains[j], passes.operator.modes)
            block.energies[i] = old.energies[j]
            block.ranks[i] = block.trains[i].max_rank
            block.next_ranks[i] = max(block.next_ranks[i], min(block.ranks[i], passes.method.max_rank))
        block.basis = list(block.trains)
    passes.ratios = list(data["ratios"])
    passes.truncation, passes.warm = data["truncation"], True
