"""Files a computation continues from: plain arrays and a JSON text in an npz archive, whole or not at all.

A file is written beside the one before it, synchronised, and put in its place; the one before is kept as
``<name>.previous`` and read where the newest is missing or damaged. A digest over all entries tells a damaged file;
nothing is ever unpickled. A file belongs to one question: texts and shapes agree exactly, arrays to ``ALIKE`` (the same
sums on another processor differ in the last digits).
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import IterationState

QUIET = 0.03  # share of the time that writing may take
ALIKE = 1e-8  # relative difference of sums over the arrays of one question
FAR = (1e-100, 1e100)  # numbers beyond are brought to scale one
STOP = "stop"  # the file, beside the checkpoints, that asks a computation to stop where it can be continued
Content = tuple[dict[str, np.ndarray], dict[str, Any]]


class Stopped(Exception):
    """A computation ended where it can be continued from, because it was asked to."""


class CheckpointError(ValueError):
    """A file that is damaged, or belongs to another computation; the text is one line."""


class Question:
    """What a file belongs to: a digest of texts, shapes and types, and a sum (2,) of each array, weighted by place."""

    def __init__(self, arrays: Iterable[np.ndarray], texts: Iterable[str]) -> None:
        digest = hashlib.sha256()
        sums = []
        for array in arrays:
            digest.update(repr((array.shape, array.dtype.str)).encode())
            flat = np.ravel(array)
            largest = float(np.abs(flat).max(initial=0.0))
            if largest > 0.0 and not FAR[0] < largest < FAR[1]:  # squares would leave the range of numbers
                exponent = math.frexp(largest)[1]
                digest.update(repr(exponent).encode())
                flat = np.ldexp(flat.real, -exponent) + 1j * np.ldexp(flat.imag, -exponent)
            turned = np.exp(1j * np.arange(flat.size))
            value, size = complex(flat @ turned), float(np.linalg.norm(flat))
            sums.append([value.real, value.imag, size])
        for text in texts:
            digest.update(text.encode() + b"\0")
        self.digest, self.sums = digest.hexdigest(), sums

    def fits(self, stored: Any) -> bool:
        """Whether ``stored``, the ``entry`` of a file, is the same question."""
        if not isinstance(stored, dict) or stored.get("digest") != self.digest:
            return False
        own, other = np.array(self.sums).reshape(-1, 3), np.array(stored.get("sums")).reshape(-1, 3)
        return own.shape == other.shape and bool(np.all(np.abs(own - other) <= ALIKE * (own[:, 2:] + 1e-300)))

    @property
    def entry(self) -> dict[str, Any]:
        return {"digest": self.digest, "sums": self.sums}


class Checkpoint:
    """One file, read once and written now and then; without a ``path`` it does nothing.

    ``question``: what it belongs to; None: the file is trusted to belong here. ``subject``: the part of the question
    that a computation started from this one, with other settings, must share (see ``earlier``).
    """

    def __init__(
        self, path: str | Path | None, question: Question | None = None, subject: Question | None = None
    ) -> None:
        self.path = None if path is None else Path(path).absolute()
        self.question, self.subject = question, subject
        self._written, self._cost = time.perf_counter(), 0.0

    def load(self) -> Content | None:
        """Arrays and JSON data of the newest whole file; None where there is none.

        Raises CheckpointError, with one line, where all are damaged or belong to another question.
        """
        if self.path is None:
            return None
        damaged: CheckpointError | None = None
        for file in (self.path, previous(self.path)):
            if not file.exists():
                continue
            try:
                arrays, data = read(file)
            except CheckpointError as error:
                damaged = damaged or error
                continue
            if self.question is not None and not self.question.fits(data.pop("question", None)):
                raise CheckpointError(
                    f"{file} is the checkpoint of another computation: remove it, or name another file"
                )
            if damaged is not None:  # never put in the place of the one just read
                self.path.unlink()
            return arrays, data
        if damaged is not None:
            raise damaged
        return None

    @property
    def stopping(self) -> bool:
        """Whether the computation is asked to stop."""
        return self.path is not None and (self.path.parent / STOP).exists()

    def save(self, make: Callable[[], Content], last: bool = False) -> None:
        """Write what ``make`` returns, where enough time has passed, where it is the last or a stop is asked for."""
        if self.path is None:
            return
        now = time.perf_counter()
        if not last and now - self._written < self._cost / QUIET and not self.stopping:
            return
        arrays, data = make()
        for name, asked in (("question", self.question), ("subject", self.subject)):
            if asked is not None:
                data = {**data, name: asked.entry}
        write(self.path, arrays, data)
        self._written = time.perf_counter()
        self._cost = self._written - now


def earlier_content(path: str | Path | None, subject: Question) -> Content | None:
    """What an earlier computation on the same subject has left; None where there is nothing, or on another one.

    Raises CheckpointError for a damaged file.
    """
    loaded = Checkpoint(path).load()
    return loaded if loaded is not None and subject.fits(loaded[1].get("subject")) else None


def reachable(path: Path | None) -> Path | None:
    """``path``, or None in a process of another machine that does not see its folder: it computes without."""
    return path if path is not None and path.parent.is_dir() else None


def beside(path: str | Path | None, part: str) -> Path | None:
    """The file of a part of a computation: ``name-part.npz`` for ``name.npz``."""
    if path is None:
        return None
    path = Path(path)
    return path.with_name(f"{path.stem}-{part}{path.suffix}")


def previous(path: Path) -> Path:
    """Where the file before the newest is kept."""
    return path.with_name(f"{path.name}.previous")


def write(path: Path, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
    """Write arrays and JSON data, whole or not at all. Raises OSError where the disk does not take them."""
    content = {name: np.asarray(value) for name, value in arrays.items()}
    if any(array.dtype.hasobject for array in content.values()):
        raise TypeError("a checkpoint holds numbers and texts only")
    text = json.dumps(data, default=_plain)
    manifest = {"data": text, "digest": _digest(content, text)}
    content["manifest"] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **content)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, previous(path))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(path: Path) -> Content:
    """Arrays and data of a file. Raises CheckpointError, with one line, where it is damaged or no checkpoint."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
        manifest = json.loads(content.pop("manifest").tobytes())
        if manifest["digest"] != _digest(content, manifest["data"]):
            raise ValueError("its content has changed")
        return content, json.loads(manifest["data"], object_hook=_revive)
    # whatever a damaged archive makes zipfile, zlib, json or numpy raise means the same here
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"{path} is no checkpoint, or a damaged one: {reason}") from None


def _digest(arrays: Mapping[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(repr((name, array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """What JSON does not know: arrays, numbers of numpy, the states of a history."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "c":
        return {"__array__": [value.real.tolist(), value.imag.tolist()], "type": value.dtype.str}
    if isinstance(value, np.ndarray):
        return {"__array__": value.tolist(), "type": value.dtype.str}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, IterationState):
        return {"__state__": {f.name: getattr(value, f.name) for f in fields(value)}}
    raise TypeError(f"a checkpoint holds no {type(value).__name__}")


def _revive(entry: dict[str, Any]) -> Any:
    if "__array__" in entry and np.dtype(entry["type"]).kind == "c":
        real, imag = entry["__array__"]
        return np.asarray(real, entry["type"]) + 1j * np.asarray(imag)
    if "__array__" in entry:
        return np.array(entry["__array__"], dtype=np.dtype(entry["type"]))
    return IterationState(**entry["__state__"]) if "__state__" in entry else entry


def joined(parts: Mapping[str, Any]) -> Content:
    """The contents of parts under their names; None is left out."""
    arrays: dict[str, np.ndarray] = {}
    data: dict[str, Any] = {}
    for name, part in parts.items():
        if part is not None:
            own, data[name] = part.content()
            arrays |= {f"{name}/{key}": array for key, array in own.items()}
    return arrays, data


def under(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """The arrays of one of the parts that were ``joined``."""
    return {key.removeprefix(f"{name}/"): array for key, array in arrays.items() if key.startswith(f"{name}/")}


def train_arrays(name: str, x: TensorTrain) -> Content:
    """The cores of a train as arrays ``name.k``, and what else it knows."""
    return {f"{name}.{k}": core for k, core in enumerate(x.cores)}, {"cores": x.d, "centre": x.centre}


def stored_train(arrays: Mapping[str, np.ndarray], name: str, entry: Mapping[str, Any]) -> TensorTrain:
    """The train of ``train_arrays``."""
    return TensorTrain(tuple(arrays[f"{name}.{k}"] for k in range(entry["cores"])), entry["centre"])


def random_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a generator as JSON data."""
    return dict(rng.bit_generator.state)


def restore(rng: np.random.Generator, state: Any) -> None:
    """Put a generator into a stored state."""
    rng.bit_generator.state = state


class Journal:
    """Results of one kind by what they belong to, an array: ``name-1.npz``, ``name-2.npz`` and so on.

    A computation that is repeated from its start finds those it computed before. Results are gathered until writing
    them costs little. A damaged file is left out: what it held is computed again.
    """

    def __init__(self, path: str | Path | None, question: Question | None = None) -> None:
        self.path, self.question = path, question
        self.known: dict[bytes, np.ndarray] = {}
        self.waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self.files = 0
        self._written, self._cost = time.perf_counter(), 0.0
        while (file := beside(path, str(self.files + 1))) is not None and file.exists():
            self.files += 1
            try:
                arrays, data = read(file)
            except CheckpointError:
                continue
            if question is not None and not question.fits(data["question"]):
                raise CheckpointError(
                    f"{file} is the checkpoint of another computation: remove it, or name another file"
                )
            for i in range(data["count"]):
                self.known[_key(arrays[f"key.{i}"])] = arrays[f"value.{i}"]

    def get(self, key: np.ndarray) -> np.ndarray | None:
        """The result that belongs to ``key``, if it is known."""
        return self.known.get(_key(key)) if self.known else None

    def put(self, key: np.ndarray, value: np.ndarray) -> None:
        """Keep a result."""
        if self.path is None:
            return
        self.waiting.append((np.array(key), np.array(value)))
        stop = (Path(self.path).parent / STOP).exists()
        if stop or time.perf_counter() - self._written >= self._cost / QUIET:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self.waiting or self.path is None:
            return
        begin = time.perf_counter()
        arrays = {f"key.{i}": key for i, (key, _) in enumerate(self.waiting)}
        arrays |= {f"value.{i}": value for i, (_, value) in enumerate(self.waiting)}
        file = beside(self.path, str(self.files + 1))
        assert file is not None
        question = {} if self.question is None else {"question": self.question.entry}
        write(file, arrays, {"count": len(self.waiting), **question})
        self.files += 1
        self.waiting = []
        self._written = time.perf_counter()
        self._cost = self._written - begin


def _key(array: np.ndarray) -> bytes:
    return repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes()
