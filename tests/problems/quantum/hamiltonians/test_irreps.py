"""Representations of modes: as many of each as group theory says, and those of known molecules."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from pair_potential import AMMONIA, WATER

from problems.quantum.hamiltonians.force_field.cartesian import masses_of
from problems.quantum.hamiltonians.force_field.geometry import Geometry
from problems.quantum.hamiltonians.force_field.irreps import named
from problems.quantum.hamiltonians.force_field.orientation import oriented

ETHENE = [[0.0, 0.0, s * 0.67] for s in (1, -1)] + [[0.0, t * 0.92, s * 1.23] for s in (1, -1) for t in (1, -1)]
PEROXIDE = [[0.0, s * 0.7, 0.0] for s in (1, -1)] + [[s * 0.8, s * 0.9, 0.5] for s in (1, -1)]
GLYOXAL = [[s * 0.6, s * 0.45, 0.0] for s in (1, -1)] + [[s * 0.5, s * 1.65, 0.0] for s in (1, -1)]
GLYOXAL += [[s * 1.7, s * 0.4, 0.0] for s in (1, -1)]
FORMALDEHYDE = [[0.0, 0.0, 0.0], [0.0, 0.0, 1.2], [0.0, 0.94, -0.59], [0.0, -0.94, -0.59]]
CHIRAL = [[1.0, 0.1, 0.0], [0.0, 1.1, 0.2], [-0.3, 0.0, 1.2], [0.0, 0.0, 0.0]]
COUNTS = {  # Wilson, Decius and Cross, chapter 6 and appendix
    "ethene": ("CCHHHH", ETHENE, "D2h", "3Ag 2B3g 1B2g 1Au 2B1u 2B2u 1B3u"),
    "peroxide": ("OOHH", PEROXIDE, "C2", "4A 2B"),
    "glyoxal": ("CCOOHH", GLYOXAL, "C2h", "5Ag 1Bg 2Au 4Bu"),
    "formaldehyde": ("CDHH", FORMALDEHYDE, "C2v", "3A1 1B1 2B2"),
    "water": ("".join(WATER[0]), WATER[1], "C2v", "2A1 1B2"),
    "half heavy water": ("ODH", WATER[1], "Cs", "3A'"),
    "half heavy formaldehyde": ("COHD", FORMALDEHYDE, "Cs", "5A' 1A''"),
    "ethyne": ("HCCH", [[0, 0, z] for z in (-1.66, -0.6, 0.6, 1.66)], "D*h", "2Sigmag+ 1Sigmau+ 2Piu 2Pig"),
    "hydrogen cyanide": ("HCN", [[z, 2 * z, -z] for z in (-1.06, 0.0, 1.15)], "C*v", "2Sigma+ 2Pi"),
    "ammonia": ("".join(AMMONIA[0]), AMMONIA[1], "", ""),
    "chiral": ("HFOC", CHIRAL, "", ""),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("seed", [None, 5])
def test_there_are_as_many_of_each_as_group_theory_says(name: str, seed: int | None) -> None:
    symbols, places, group, counts = COUNTS[name]
    turn = np.eye(3) if seed is None else np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    geometry = Geometry(tuple(symbols), masses_of(symbols), np.array(places, dtype=float) @ turn.T)
    still = geometry.still()
    _, _, rows = np.linalg.svd(still)
    modes = rows[len(still) :].reshape(-1, len(symbols), 3)  # all of one frequency: symmetry alone tells them apart
    found = oriented(geometry.masses, geometry.centred, np.full(len(modes), 1000.0), modes)
    said, irreps = named(found, geometry.masses, geometry.centred, len(still) == 5)
    assert said == group
    expected = {part.lstrip("0123456789"): int(part[0]) for part in counts.split()}
    assert dict(Counter(irreps)) == expected


def test_the_antisymmetric_stretch_of_water_is_b2_in_any_axes() -> None:
    # Mulliken: of a planar molecule x is perpendicular to the plane
    geometry = Geometry(WATER[0], masses_of(WATER[0]), WATER[1][:, [1, 2, 0]])
    still = geometry.still()
    _, _, rows = np.linalg.svd(still)
    found = oriented(geometry.masses, geometry.centred, np.full(3, 1000.0), rows[6:].reshape(3, 3, 3))
    irreps = named(found, geometry.masses, geometry.centred, False)[1]
    odd = found.vectors[irreps.index("B2")]
    lengths = [odd[k] @ (WATER[1][k] - WATER[1][0])[[1, 2, 0]] for k in (1, 2)]
    assert lengths[0] == pytest.approx(-lengths[1]) and abs(lengths[0]) > 0.1
