"""The result of a run in one npz file, so that its report and figures can be made again from the record alone.

A result is a tree of the suite's own dataclasses, arrays and plain values. The file holds the arrays and a JSON
manifest: the dataclasses in an order in which every one refers to those before it (an object that stands in two places
is one object again), with their fields by name. Trains are not stored twice: a reference names theirs in states.npz.
Nothing in the file is run: only a result of the run's own kind is made, and the dataclasses that its annotations name,
each found by its name (so that where it is defined may change), and pickle is never used.

Cost: that of the arrays; trains are read when they are asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias, cast, get_args, get_type_hints, overload

import numpy as np

from problems.result import Result
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.storage import load_trains
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import Status
from ttsuite.data import Data

VERSION = 1
_TAG = "~"
# dataclasses of earlier versions -> what they are called now
RENAMED = {"VibrationalResult": "SpectrumResult", "WavePacketResult": "EvolutionResult"}
Train: TypeAlias = TensorTrain | TTOperator
_TRAINS = (TensorTrain, TTOperator)
# class -> the name of a field in runs of earlier versions -> its name now
_RENAMED_FIELDS = {"ParametricResult": {"quantities": "statistics"}}


def save_result(path: str | os.PathLike, result: Result, trains: Mapping[str, Train]) -> None:
    """Write ``result`` to ``path``; ``trains`` is what states.npz holds of it, by name.

    Raises TypeError for a value that is neither plain, an array, a dataclass that the annotations of the result name,
    nor one of ``trains``.
    """
    if not isinstance(result, Result):
        raise TypeError(f"{result!r} is no result of a family")
    writer = _Writer(_classes(type(result)), trains)
    writer.told(result)
    manifest = json.dumps({"version": VERSION, "objects": writer.objects})
    arrays = {f"a{i}": array for i, array in enumerate(writer.arrays)}
    with open(path, "wb") as file:
        np.savez_compressed(file, manifest=np.frombuffer(manifest.encode(), dtype=np.uint8), **arrays)  # type: ignore[arg-type]


def load_result(path: str | os.PathLike, states: str | os.PathLike, kinds: Sequence[type[Result]]) -> Result:
    """The result written by ``save_result``, one of the dataclasses ``kinds``; ``states`` is the file of its trains.

    Raises OSError where a file cannot be opened, ValueError with one line for a truncated or damaged file.
    """
    with open(path, "rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
            manifest = json.loads(archive["manifest"].tobytes())
            if manifest["version"] != VERSION:
                raise ValueError(f"version {manifest['version']!r} of the format, not {VERSION}")
            objects = manifest["objects"]
            name = _now(objects[-1]["class"])
            root = next((kind for kind in kinds if kind.__name__ == name), None)
            if root is None:
                raise ValueError(f"a {name} is no result of this kind of problem")
            arrays = {name: archive[name] for name in archive.files if name != "manifest"}
            reader = _Reader(_classes(root), arrays, Path(states))
            for entry in objects:
                reader.objects.append(reader.made(entry))
            return cast(Result, reader.objects[-1])  # it comes last
        # whatever a damaged archive makes zipfile, zlib, json or numpy raise means the same here
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{os.fspath(path)} is not a readable result: {reason}") from error


def _now(name: str) -> str:
    """The name that a dataclass of a stored result has today."""
    return RENAMED.get(name, name)


def _classes(root: type) -> dict[str, type]:
    """Name -> dataclass, of ``root`` and of everything its annotations name."""
    found: dict[str, type] = {}
    waiting: list[object] = [root]
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        if isinstance(hint, type) and is_dataclass(hint) and hint not in _TRAINS and hint.__name__ not in found:
            found[hint.__name__] = hint
            waiting += get_type_hints(hint).values()
    return found


class StoredTrains(Sequence[Train]):
    """The trains of a states.npz in the order saved, read when the first is asked for."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count
        self._trains: list[Train] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, i: int) -> Train: ...

    @overload
    def __getitem__(self, i: slice) -> list[Train]: ...

    def __getitem__(self, i: int | slice) -> Train | list[Train]:
        if self._trains is None:
            trains = list(load_trains(self._path).values())
            if len(trains) != self._count:
                raise ValueError(f"{self._path} holds {len(trains)} trains, not {self._count}")
            self._trains = trains
        return self._trains[i]


class _Writer:
    """Values as JSON, arrays and dataclasses by their numbers."""

    def __init__(self, classes: Mapping[str, type], trains: Mapping[str, Train]) -> None:
        self.objects: list[Data] = []
        self.arrays: list[np.ndarray] = []
        self._classes, self._trains = classes, trains
        self._known: dict[int, tuple[object, object]] = {}  # id -> the object, kept alive, and how it is told

    def told(self, value: object) -> object:
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, Sequence) and len(value) and isinstance(value[0], _TRAINS):
            if len(value) != len(self._trains):
                raise TypeError(f"a result cannot hold {len(value)} trains where {len(self._trains)} are stored")
            return {_TAG: "trains", "count": len(value)}
        if type(value) is list:
            return [self.told(entry) for entry in value]
        if type(value) is tuple:
            return {_TAG: "tuple", "entries": [self.told(entry) for entry in value]}
        if isinstance(value, Mapping):
            return {_TAG: "dict", "items": [[self.told(key), self.told(entry)] for key, entry in value.items()]}
        if isinstance(value, Status):
            return {_TAG: "status", "name": value.name}
        if isinstance(value, Enum):
            raise TypeError(f"a result cannot hold {value!r}")
        if id(value) not in self._known:
            self._known[id(value)] = (value, self._numbered(value))
        return self._known[id(value)][1]

    def _numbered(self, value: object) -> Data:
        if isinstance(value, np.ndarray | np.generic):
            array = np.asarray(value)
            if array.dtype.hasobject:
                raise TypeError("a result cannot hold an array of objects")
            self.arrays.append(array)
            return {_TAG: "array" if isinstance(value, np.ndarray) else "number", "number": len(self.arrays) - 1}
        if isinstance(value, _TRAINS):
            name = next((name for name, train in self._trains.items() if train is value), None)
            if name is None:
                raise TypeError("a result cannot hold a train that is not among those stored")
            return {_TAG: "train", "name": name}
        cls = type(value)
        if not is_dataclass(value) or isinstance(value, type) or self._classes.get(cls.__name__) is not cls:
            raise TypeError(f"a result cannot hold a {cls.__name__}")
        entries = {field.name: self.told(getattr(value, field.name)) for field in fields(value)}
        self.objects.append({"class": cls.__name__, "fields": entries})
        return {_TAG: "object", "number": len(self.objects) - 1}


class _Reader:
    """The inverse of ``_Writer``."""

    def __init__(self, classes: Mapping[str, type], arrays: Mapping[str, np.ndarray], states: Path) -> None:
        self.objects: list[object] = []
        self._classes = classes
        self._arrays, self._states = arrays, states
        self._trains: dict[str, Train] | None = None

    def made(self, entry: Data) -> object:
        """A dataclass of the suite from its fields."""
        name = _now(entry["class"])
        if name not in self._classes:
            raise ValueError(f"no part of a result is called {name!r}")
        renamed = _RENAMED_FIELDS.get(name, {})
        return self._classes[name](**{renamed.get(key, key): self.read(v) for key, v in entry["fields"].items()})

    def read(self, told: object) -> object:
        if isinstance(told, list):
            return [self.read(entry) for entry in told]
        if not isinstance(told, dict):
            return told
        match told[_TAG]:
            case "tuple":
                return tuple(self.read(entry) for entry in told["entries"])
            case "dict":
                return {self.read(key): self.read(value) for key, value in told["items"]}
            case "status":
                return Status[told["name"]]
            case "array":
                return self._arrays[f"a{told['number']}"]
            case "number":
                return self._arrays[f"a{told['number']}"][()]
            case "object":
                return self.objects[told["number"]]
            case "train":
                if self._trains is None:
                    self._trains = load_trains(self._states)
                return self._trains[told["name"]]
            case "trains":
                return StoredTrains(self._states, int(told["count"]))
            case tag:
                raise ValueError(f"unknown entry {tag!r}")
