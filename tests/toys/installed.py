"""Packages as an installation leaves them: their files on the path, and their entry points."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from problems import families

TOYS = Path(__file__).parent


@contextmanager
def installed(place: Path, files: Mapping[str, str | Path], entries: Mapping[str, Mapping[str, str]]) -> Iterator[Path]:
    """``files``: name -> text, or what it is a copy of; ``entries``: group -> name -> module:object."""
    place.mkdir(exist_ok=True)
    for name, content in files.items():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            target.write_text(content)
        elif content.is_dir():
            shutil.copytree(content, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(content, target)
    info = place / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    with (info / "entry_points.txt").open("w") as file:
        for group, named in entries.items():
            file.write("\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in named.items()), ""]))
    known = set(sys.modules)
    sys.path.insert(0, str(place))
    importlib.invalidate_caches()
    families.brought.cache_clear()
    try:
        yield place
    finally:
        sys.path.remove(str(place))
        families.brought.cache_clear()
        for name in set(sys.modules) - known:
            if str(place) in repr(sys.modules[name]):
                del sys.modules[name]
