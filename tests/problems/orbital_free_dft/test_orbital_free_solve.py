"""Whole calculations: references within the errors said, formats alike, statuses and warnings, what a seed decides.

Reference energies: the radial equation for atoms and traps, prolate spheroidal coordinates for H2 (data of the family).
"""

from functools import cache

import numpy as np
import pytest

from problems.errors import ProblemError
from problems.orbital_free_dft.keys import OrbitalFreeProblem, OrbitalFreeSolver
from problems.orbital_free_dft.model import complete
from problems.orbital_free_dft.solve import prepare, solve
from solvers.solution import Status

HELIUM = [{"charge": 2.0, "position": [0.0, 0.0, 0.0], "smearing": 1.0}]
POINT = [{"charge": 1.0, "position": [0.0, 0.0, 0.0]}]


def run(solver=None, seed=0, callback=None, **keys):
    problem = OrbitalFreeProblem(**{"kind": "orbital_free_dft", "functional": "TFDW", **keys})
    settings = complete(problem, OrbitalFreeSolver(**{"accuracy": 1e-3, **(solver or {})}))
    return solve(prepare(problem, settings), seed=seed, callback=callback)


@cache
def helium(kind="tucker", box=24.0):
    """Smeared, one grid of 2^6 points beside one of 2^5."""
    return run({"format": kind}, atoms=HELIUM, box=box, levels=[5, 6])


PARTS = ("weizsacker", "thomas_fermi", "external", "hartree", "exchange", "correlation")
KNOWN = {
    "helium TFDW": (
        {"atoms": HELIUM, "box": 28.0, "levels": [5, 6]},
        -0.9139150985,
        (0.2720001621, 0.2551631015, -1.8186138014, 0.6606266543, -0.2830912150, 0.0),
        -0.0887717241,
    ),
    "helium TFDW+pw92": (
        {"functional": "TFDW+pw92", "atoms": HELIUM, "box": 26.0, "levels": [5, 6]},
        -0.9824006950,
        (0.2829423384, 0.2664462679, -1.8511425555, 0.6788689769, -0.2905138087, -0.0690019140),
        -0.1171503458,
    ),
    "helium TFW": (
        {"functional": "TFW", "atoms": HELIUM, "box": 56.0, "levels": [6, 7]},
        -0.6595278867,
        (0.1953429195, 0.1733498360, -1.5443563105, 0.5161356682, 0.0, 0.0),
        -0.0139128306,
    ),
    "hydrogen point TFDW+vwn5": (
        {"functional": "TFDW+vwn5", "atoms": POINT, "box": 20.0, "levels": [5, 6]},
        -0.2924466293,
        (0.1804265423, 0.0973503784, -0.5941944001, 0.1756500586, -0.1206993141, -0.0309798945),
        -0.0975661517,
    ),
    "trap TFDW": (
        {"trap": {"omega": 1.0}, "electrons": 8, "box": 12.0, "levels": [4, 5]},
        35.7023861353,
        (2.7140693831, 5.2386820251, 14.5517125145, 15.9351968459, -2.7372746333, 0.0),
        6.7772015984,
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_references_within_the_errors(name):
    """Energy, its extrapolation, parts and chemical potential: all closer than the report says."""
    keys, energy, parts, mu = KNOWN[name]
    result = run(**keys)
    finest = result.finest
    assert abs(finest.energy - energy) <= result.energy_error
    assert abs(result.extrapolated_energy - energy) <= result.extrapolated_error
    assert result.extrapolated_error <= 5e-3  # and it says something
    assert abs(finest.chemical_potential - mu) <= result.chemical_potential_error
    for part, value in zip(PARTS, parts, strict=True):
        assert abs(finest.components[part] - value) <= result.component_errors[part] + 1e-10
    assert abs(finest.sum_rule) <= 2e-4 and abs(finest.virial) <= result.virial_error
    assert result.energy_error == pytest.approx(sum(result.error_parts.values()))


def test_formats_agree_on_the_same_grid():
    """Same points, same second differences: the energies differ by rounding alone."""
    wide = [{"charge": 1.0, "position": [0.0, 0.0, 0.0], "smearing": 0.2}]
    keys = {"atoms": wide, "box": 20.0, "levels": 4}
    dense, tucker, quantics = (
        run({"format": f, "laplacian": "differences", "accuracy": 1e-2}, **keys)
        for f in ("dense", "tucker", "quantics")
    )
    assert (dense.format, tucker.format, quantics.format) == ("dense", "tucker", "quantics")
    for other in (tucker, quantics):
        assert [level.energy for level in other.levels] == pytest.approx([x.energy for x in dense.levels], abs=2e-6)
        # not stationary: it errs as the root of what the descents left
        left = sum(np.sqrt(2.0 * r.finest.errors["descent"] / r.electrons) for r in (dense, other))
        assert other.finest.chemical_potential == pytest.approx(dense.finest.chemical_potential, abs=left + 1e-6)
        a, b = other.density.full(), dense.density.full()
        assert np.linalg.norm(a - b) <= 2e-3 * np.linalg.norm(b)
    spectral = [helium(kind).finest for kind in ("dense", "tucker")]
    assert spectral[0].energy == pytest.approx(spectral[1].energy, abs=1e-6)
    assert dense.order == 2 and helium().order is None


def test_the_density_is_delivered():
    """As a train of bits, axes in sequence: charge, square of the orbital, and where it is largest."""
    result = helium()
    cell = result.finest.spacing**3
    density, orbital = (x.full().reshape(64, 64, 64) for x in (result.density, result.orbital))
    assert density.sum() * cell == pytest.approx(2.0, abs=1e-4)
    assert np.linalg.norm(density - orbital**2) <= 1e-3 * np.linalg.norm(density)
    assert density.max() == pytest.approx(result.finest.max_density, rel=1e-3)
    # phi0 of the radial equation: 0.2332385173
    assert result.radial is not None
    assert result.radial[1, 0] == pytest.approx(0.2332385173**2, rel=0.1)
    assert result.finest.tucker_ranks and result.finest.ranks == result.density.ranks


def test_hydrogen_molecule_wherever_it_sits():
    """Shifted by a third of a cell, off the symmetric places, and turned: the same energy, and the reference."""
    energies = []
    third = 20.0 / 64 / 3.0
    for shift, axis in ((0.0, 0), (third, 2)):
        places = np.zeros((2, 3))
        places[:, axis] = (-0.7, 0.7)
        atoms = [{"charge": 1.0, "position": list(map(float, p + shift))} for p in places]
        result = run(atoms=atoms, box=20.0, levels=[5, 6])
        energies.append(result.finest.energy)
        assert abs(result.extrapolated_energy + 0.430145075) <= result.extrapolated_error
        assert result.order == 3
    assert energies[0] == pytest.approx(energies[1], abs=2e-3)


def test_the_box_costs_what_is_said():
    """Against a box in which nothing is cut: the same spacing, faces farther away."""
    truth = -0.9139150985
    for box, level in ((12.0, 5), (16.0, 5)):
        result = run({"format": "dense"}, atoms=HELIUM, box=box, levels=level)
        cost = result.finest.energy - truth
        assert cost > 0.0 and 0.5 <= result.error_parts["box"] / cost <= 2.5
        assert result.chemical_potential_error >= abs(result.finest.chemical_potential + 0.0887717241)
        assert result.status is Status.BASIS_LIMIT
        assert any("box is too small" in line for line in result.warnings)


def test_electrons_that_are_not_bound_are_said():
    """An anion: one nucleus of these models binds about half an electron more than it is charged."""
    result = run({"format": "dense"}, atoms=HELIUM, electrons=2.9, box=24.0, levels=[4, 5])
    assert result.status is Status.STAGNATED
    assert len(result.warnings) == 1 and "not bound" in result.warnings[0]
    assert not np.isfinite(result.energy_error)


def test_too_coarse_grids_are_said():
    atoms = [{"charge": 4.0, "position": [0.0, 0.0, 0.0]}]
    result = run({"format": "dense"}, atoms=atoms, box=14.0, levels=[5, 6])
    assert result.status is Status.BASIS_LIMIT
    # levels 7 and 8 still miss the accuracy (by 0.010 and 0.0020 hartree)
    assert any("too few levels" in line and "give level 9" in line for line in result.warnings)
    # radial equation: -8.4921856856
    assert abs(result.extrapolated_energy + 8.4921856856) <= result.extrapolated_error
    assert abs(result.finest.energy + 8.4921856856) <= result.energy_error


def test_a_small_rank_is_said():
    result = run({"max_rank": 3, "accuracy": 1e-4}, atoms=HELIUM, box=24.0, levels=[4, 5])
    assert result.status in (Status.RANK_LIMIT, Status.ITERATION_LIMIT)
    assert any("max_rank" in line for line in result.warnings)
    assert max(result.finest.tucker_ranks) <= 3
    assert abs(result.finest.energy + 0.9139150985) <= result.energy_error


def test_few_steps_are_said():
    result = run({"max_steps": 1, "accuracy": 1e-6}, atoms=HELIUM, box=24.0, levels=[4, 5])
    assert result.status is Status.ITERATION_LIMIT
    assert any("max_steps" in line for line in result.warnings)
    assert abs(result.finest.energy + 0.9139150985) <= result.energy_error


def test_the_seed_decides_where_displaced_nuclei_are_and_nothing_else():
    lattice = {"charge": 1.0, "smearing": 0.5, "shape": [2, 1, 1], "spacing": 3.0, "displacement": 0.4}
    keys = {"lattice": lattice, "box": 20.0, "levels": [4, 5]}
    one, same, other = (run({"format": "dense"}, seed=seed, **keys) for seed in (3, 3, 4))
    assert one.finest.energy == same.finest.energy
    assert all(np.array_equal(a, b) for a, b in zip(one.density.cores, same.density.cores, strict=True))
    assert abs(one.finest.energy - other.finest.energy) > 1e-3
    still = {**keys, "lattice": {**lattice, "displacement": 0.0}}
    three, four = (run({"accuracy": 1e-2}, seed=seed, **still).finest.energy for seed in (3, 4))
    assert three == pytest.approx(four, abs=1e-5)


def test_history_and_counts():
    seen = []
    result = run({"accuracy": 1e-4}, atoms=HELIUM, box=24.0, levels=[5, 6], callback=seen.append)
    assert [state.step for state in result.history] == list(range(1, len(result.history) + 1))
    assert seen == result.history
    levels = [state.extra["level"] for state in result.history]
    assert levels == sorted(levels) and set(levels) <= {5, 6} and levels[-1] == 6
    assert result.counts["steps"] == sum(level.steps for level in result.levels) <= len(result.history)
    assert result.counts["evaluations"] == sum(level.evaluations for level in result.levels)
    assert result.counts["evaluations"] > result.counts["steps"]
    assert result.counts["solves"] >= 2 * result.finest.evaluations > 0 and result.counts["pointwise_evaluations"] > 0
    last = [s for s in result.history if s.extra["level"] == 6][-1]
    assert last.energies[0] == pytest.approx(result.finest.energy, abs=1e-6)
    seconds = [state.seconds for state in result.history]
    assert seconds == sorted(seconds) and result.timing["solve_s"] >= seconds[-1]


def test_the_coarsest_single_level():
    """A grid of 2^3 points stands beside the coarsest that can be asked for."""
    atoms = [{"charge": 1.0, "position": [0.0, 0.0, 0.0], "smearing": 0.2}]
    result = run({"accuracy": 1e-2}, atoms=atoms, box=30.0, levels=4)
    assert [level.level for level in result.levels] == [3, 4]
    # radial equation, by Chebyshev collocation: -0.144468061
    assert abs(result.finest.energy + 0.144468061) <= result.energy_error


def test_nuclei_at_one_place_are_refused():
    with pytest.raises(ProblemError, match="one place"):
        run(atoms=[*HELIUM, *HELIUM], box=24.0, levels=[5, 6])
