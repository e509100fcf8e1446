"""The file an evolution continues from: the state at an output time and everything recorded until then.

An npz archive of plain arrays, replaced as a whole, loaded without pickle. A fingerprint of the question (operator,
start, times, method) keeps a file from being continued with another one.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from solvers.trains.tensor_train import TensorTrain


def fingerprint(arrays: Iterable[np.ndarray], texts: Iterable[str]) -> str:
    """Of arrays and texts, as hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def write(path: Path, question: str, x: TensorTrain, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the state ``x`` and the ``arrays``, whole or not at all."""
    content = {f"core_{k}": core for k, core in enumerate(x.cores)}
    content |= {"question": np.array(question), "centre": np.array(-1 if x.centre is None else x.centre)}
    content |= {f"array_{name}": np.asarray(value) for name, value in arrays.items()}
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.savez(file, **content)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read(path: Path, question: str) -> tuple[TensorTrain, dict[str, np.ndarray]]:
    """The state and the arrays of a file.  Raises ValueError where it is damaged or belongs to another question."""
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
        cores = [content[f"core_{k}"] for k in range(sum(name.startswith("core_") for name in content))]
        centre = int(content["centre"])
        x = TensorTrain(tuple(cores), None if centre < 0 else centre)
        found = str(content["question"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no checkpoint, or a damaged one: {error}") from None
    if found != question:
        raise ValueError(f"{path} is the checkpoint of another evolution: remove it, or name another file")
    return x, {name[6:]: value for name, value in content.items() if name.startswith("array_")}
