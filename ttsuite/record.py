"""The run folder: created once, never overwritten, every file written whole or not at all.

``report.json`` says ``running`` from the first moment, so that a run that was killed is recognised by it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ttsuite.data import Data

DEFAULT_PARENT = Path("results") / "runs"


class RecordError(OSError):
    """The run folder cannot be made; the text says why and what to do."""


class Record:
    """The folder of one run.

    Parameters
    ----------
    folder : as made by ``create``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(
        cls, name: str, started: datetime, out: str | Path | None = None, parent: Path = DEFAULT_PARENT
    ) -> Record:
        """Make the folder: ``out``, or ``<name>-<time>`` in ``parent``, by default results/runs here.

        Two runs of the same second get different folders. Raises RecordError where ``out`` is a file or a
        folder that holds anything, or where it cannot be written.
        """
        try:
            if out is None:
                return cls(_fresh(parent, f"{name}-{started:%Y%m%d-%H%M%S}"))
            folder = Path(out)
            folder.mkdir(parents=True, exist_ok=True)
            # whoever creates this file first owns the folder
            (folder / "report.json").open("x").close()
            if len(list(folder.iterdir())) > 1:
                (folder / "report.json").unlink()
                raise RecordError(f"{folder} is not empty: nothing is overwritten, choose another folder")
            return cls(folder)
        except FileExistsError:
            kind = "is not empty" if Path(out or "").is_dir() else "is a file"
            raise RecordError(f"{out} {kind}: nothing is overwritten, choose another folder") from None
        except RecordError:
            raise
        except OSError as error:
            raise RecordError(f"cannot create {error.filename or out}: {error.strerror}") from None

    def path(self, name: str) -> Path:
        """Where ``name`` lies in the folder; its parent is made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file, whole or not at all; texts as UTF-8."""
        data = content.encode() if isinstance(content, str) else content
        self.write_with(name, lambda path: path.write_bytes(data))

    def write_with(self, name: str, writer: Callable[[Path], object]) -> None:
        """Let ``writer`` write to a temporary path with the right suffix, then put it in place."""
        target = self.path(name)
        temporary = target.with_name(f".{target.stem}.partial{target.suffix}")
        try:
            writer(temporary)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def write_json(self, name: str, data: object) -> None:
        """Write strict JSON: arrays as lists, NaN and infinity as null."""
        self.write(name, json.dumps(plain(data), indent=1, allow_nan=False) + "\n")

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a CSV file with one header line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        self.write(name, text.getvalue())

    def write_yaml(self, name: str, data: object) -> None:
        """Write a mapping as YAML in its own order."""
        self.write(name, yaml.safe_dump(plain(data), sort_keys=False, default_flow_style=None, width=100))

    def append_line(self, name: str, data: object) -> None:
        """Add one JSON line to a log and hand it to the operating system at once."""
        with self.path(name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain(data), allow_nan=False) + "\n")

    def read_lines(self, name: str) -> list[Data]:
        """The entries of a log of JSON lines; empty where there is none. Raises ValueError for a damaged one."""
        file = self.folder / name
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    def copy(self, source: Path) -> str:
        """Copy a file into the folder; returns its name there."""
        self.write_with(source.name, lambda path: shutil.copyfile(source, path))
        return source.name


def plain(value: Any) -> Any:
    """``value`` as JSON and YAML know it: arrays as lists, floats that are not finite as None."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def _fresh(parent: Path, name: str) -> Path:
    """A folder that did not exist: ``name``, else ``name-2``, ``name-3`` and so on."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
