"""The known kinds of problems: those of this package, and those that other packages bring."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import TYPE_CHECKING

from problems.contract import Family

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# kind -> module holding FAMILY; named here and not by entry points, so that a checkout needs no installation
_MODULES = {
    "vibrational": "problems.quantum.kinds.vibrational",
    "parametric_pde": "problems.parametric_pde.model",
    "wave_packet": "problems.quantum.kinds.wave_packet",
    "sum_of_products": "problems.quantum.kinds.sum_of_products",
    "fokker_planck": "problems.fokker_planck.model",
    "completion": "problems.completion.model",
    "supervised": "problems.supervised.model",
    "perturbation": "problems.perturbation.model",
    "embeddings": "problems.embeddings.model",
    "orbital_free_dft": "problems.orbital_free_dft.model",
    "decomposition": "problems.decomposition.model",
}


GROUP = "ttsuite.families"  # of the entry points by which other packages bring families of their own


@lru_cache
def brought() -> dict[str, EntryPoint]:
    """Kind -> entry point of the families of other packages; one of theirs takes no kind that is known here."""
    from importlib.metadata import entry_points  # a twentieth of ``validate``, and seldom needed

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _MODULES}


def kinds() -> list[str]:
    """The known kinds of problems: those of this package, then those that other packages bring."""
    return [*_MODULES, *sorted(brought())]


def is_kind(kind: str) -> bool:
    """Whether a kind is known; other packages are asked only where this one does not know it."""
    return kind in _MODULES or kind in brought()


def family(kind: str) -> Family:
    """The family of a known ``kind``; KeyError for any other."""
    if kind in _MODULES:
        return importlib.import_module(_MODULES[kind]).FAMILY
    return brought()[kind].load()
