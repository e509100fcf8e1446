"""The known kinds of problems: those of this package, and those that other packages bring."""

from __future__ import annotations

import importlib
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from problems.contract import Family

# kind -> module holding FAMILY; named here and not by entry points, so that a checkout needs no installation
_MODULES = {
    "vibrational": "problems.vibrational.model",
    "parametric_pde": "problems.parametric_pde.model",
    "wave_packet": "problems.wave_packet.model",
    "sum_of_products": "problems.sum_of_products.model",
    "fokker_planck": "problems.fokker_planck.model",
    "completion": "problems.completion.model",
    "orbital_free_dft": "problems.orbital_free_dft.model",
}


GROUP = "ttsuite.families"  # of the entry points by which other packages bring families of their own


@lru_cache
def _brought() -> dict[str, EntryPoint]:
    """Kind -> entry point of the families of other packages; one of theirs takes no kind that is known here."""
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _MODULES}


def kinds() -> list[str]:
    """The known kinds of problems: those of this package, then those that other packages bring."""
    return [*_MODULES, *sorted(_brought())]


def is_kind(kind: str) -> bool:
    """Whether a kind is known; other packages are asked only where this one does not know it."""
    return kind in _MODULES or kind in _brought()


def family(kind: str) -> Family:
    """The family of a known ``kind``; KeyError for any other."""
    if kind in _MODULES:
        return importlib.import_module(_MODULES[kind]).FAMILY
    return _brought()[kind].load()
