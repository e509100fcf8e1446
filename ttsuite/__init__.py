"""Tensor-train solvers for high-dimensional problems, from a YAML file to a report.

Public names are imported when first used, so that importing this package costs next to nothing:

    from ttsuite import run, load
    report, states = load(run("configs/vibrational/coupled-oscillators-6.yaml").folder)

Which names are public, and where each comes from, stands in ``__init__.pyi``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ttsuite.lazy import LazyPackage, public_names
from ttsuite.version import __version__ as __version__

_PUBLIC = public_names(Path(__file__).with_suffix(".pyi"))

__all__ = sorted(_PUBLIC)

sys.modules[__name__].__class__ = LazyPackage
