"""Trains and operators in one npz file: plain arrays and a JSON manifest, no pickle.

Entries: ``manifest`` (UTF-8 bytes of JSON: version, and a name, kind and centre a train), then for train i
``i.core.k``, and for an operator with factors ``i.coefficients.k`` and ``i.matrices.k``.
"""

from __future__ import annotations

import json
import os
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.tensor_train import TensorTrain

VERSION = 1


def save_trains(path: str | os.PathLike, trains: Mapping[str, TensorTrain | TTOperator]) -> None:
    """Write named trains and operators to ``path`` (the name is used as it is), compressed.

    Atomic: a temporary file in the same folder replaces ``path`` when complete, so a reader sees the old
    file or the new one.  Raises TypeError for names or values of another type, OSError when the folder
    cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            # one array at a time, so that a lazily built mapping is never held as a whole; numbers hardly compress,
            # structural zeros do at the lowest level
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                listed = [_write_train(archive, i, name, train) for i, (name, train) in enumerate(trains.items())]
                manifest = json.dumps({"version": VERSION, "trains": listed})
                _write_array(archive, "manifest", np.frombuffer(manifest.encode(), dtype=np.uint8))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_train(archive: zipfile.ZipFile, i: int, name: str, train: TensorTrain | TTOperator) -> dict[str, Any]:
    if not isinstance(name, str) or not isinstance(train, TensorTrain | TTOperator):
        raise TypeError(f"save_trains takes names and trains, not {name!r}: {type(train).__name__}")
    for k, core in enumerate(train.cores):
        _write_array(archive, f"{i}.core.{k}", core)
    entry: dict[str, Any] = {"name": name, "cores": train.d}
    if isinstance(train, TensorTrain):
        return entry | {"kind": "train", "centre": train.centre}
    for k, (coefficients, matrices) in enumerate(train.factors or ()):
        _write_array(archive, f"{i}.coefficients.{k}", coefficients)
        _write_array(archive, f"{i}.matrices.{k}", matrices)
    return entry | {"kind": "operator", "factors": train.factors is not None}


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def load_trains(path: str | os.PathLike) -> dict[str, TensorTrain | TTOperator]:
    """Read what ``save_trains`` wrote: {name: train}, in the order saved.

    Raises OSError when the file cannot be opened, and ValueError with one line for a truncated or damaged
    file, an unknown version, object arrays, or anything that is no train.
    """
    with open(path, "rb") as file:
        try:
            return _read(np.load(file, allow_pickle=False))
        # whatever a damaged archive makes zipfile, zlib, json or numpy raise means the same here
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{os.fspath(path)} is not a readable file of trains: {reason}") from error


def _read(archive: Any) -> dict[str, TensorTrain | TTOperator]:
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError("not an npz archive")
    manifest = json.loads(archive["manifest"].tobytes())
    if manifest["version"] != VERSION:
        raise ValueError(f"version {manifest['version']!r} of the format, not {VERSION}")
    trains: dict[str, TensorTrain | TTOperator] = {}
    for i, entry in enumerate(manifest["trains"]):
        numbers = range(entry["cores"])
        cores = tuple(archive[f"{i}.core.{k}"] for k in numbers)
        if entry["kind"] == "train":
            trains[entry["name"]] = TensorTrain(cores, entry["centre"])
        else:
            names = [(f"{i}.coefficients.{k}", f"{i}.matrices.{k}") for k in numbers if entry["factors"]]
            factors = tuple((archive[coefficients], archive[matrices]) for coefficients, matrices in names)
            trains[entry["name"]] = TTOperator(cores, factors or None)
    return trains
