"""Widths of one format in another: how wide the other must be, for almost every tensor of the first.

Khrulkov, Novikov and Oseledets, ICLR 2018, for trains; Cohen, Sharir and Shashua, COLT 2016, for trees.
"""

from __future__ import annotations

import numpy as np

from problems.report_parts import Quantity
from solvers.formats.generic_ranks import generic_ranks

# the formats whose width is told, by how the ranks of the unfoldings give it
_MADE = {"tt": ("ht", "cp"), "ht": ("tt", "cp"), "cp": ("tt", "ht")}


def format_widths(modes: int = 8, size: int = 3, width: int = 2) -> list[Quantity]:
    """The width that almost every tensor of ``modes`` modes of ``size``, in a format of ``width``, needs in another.

    Ranks of unfoldings modulo a prime (``generic_ranks``); of a sum of terms a lower bound. Cost size^(1.5 modes).
    """
    names, values = [], []
    for source, targets in _MADE.items():
        ranks = generic_ranks(source, (size,) * modes, width)
        needed = {"tt": max(ranks.tt), "ht": max(ranks.ht), "cp": ranks.cp_at_least}
        for target in targets:
            names.append(f"{source} in {target}")
            values.append(needed[target])
    numbers = np.array(values, dtype=float)
    return [Quantity("width needed", "", "format in format", names, numbers, np.zeros(len(names)), ("nothing: exact",))]
