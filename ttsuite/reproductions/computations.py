"""The computations that an item may name.

A computation is a function of keyword arguments, all with defaults, that returns quantities (problems.report_parts).
Those of this package are listed here; other packages bring theirs by the entry-point group ``ttsuite.computations``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from problems.report_parts import Quantity

GROUP = "ttsuite.computations"
_ENTRIES = "ttsuite.reproductions.entries"
_OWN = {
    "format-widths": "widths:format_widths",
    "skeleton-bounds": "matrices:skeleton_bounds",
    "border-rank": "matrices:border_rank",
    "cross-of-a-sum": "matrices:cross_of_a_sum",
    "pq-norms": "matrices:pq_norms",
    "text-embeddings": "texts:text_embeddings",
    "tt-layers": "layers:tt_layers",
    "compressed-convolutions": "layers:compressed_convolutions",
    "sad-minima": "layers:sad_minima",
}


@lru_cache
def _brought() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _OWN}


def known() -> list[str]:
    """The names of all computations."""
    return [*_OWN, *sorted(_brought())]


def computation(name: str) -> Callable[..., list[Quantity]]:
    """The function behind a known name; KeyError for any other."""
    if name not in _OWN:
        return _brought()[name].load()
    module, function = _OWN[name].split(":")
    return getattr(importlib.import_module(f"{_ENTRIES}.{module}"), function)


def arguments_of(name: str) -> list[str]:
    """The names of the arguments of a known computation; of one of this package without importing what it needs."""
    if name not in _OWN:
        return list(inspect.signature(computation(name)).parameters)
    module, function = _OWN[name].split(":")
    text = (Path(__file__).parent / "entries" / f"{module}.py").read_text(encoding="utf-8")
    (found,) = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == function)
    return [argument.arg for argument in found.args.args]
