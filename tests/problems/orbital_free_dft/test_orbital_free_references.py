"""Which problems have independent ground states, and that those obey the exact relations of the model."""

import csv

import numpy as np
import pytest

from problems.orbital_free_dft.references import DATA, references, references_of
from problems.orbital_free_dft.result import COMPONENTS, parts
from ttsuite.command.shipped import CONFIGS
from ttsuite.study.config import load_study, make_study


def problem(**keys):
    given = {"kind": "orbital_free_dft", "functional": "TFDW", "box": 40.0, "levels": 9} | keys
    return make_study({"problem": given, "solver": {}}).problem


def atom(charge, position=(0.0, 0.0, 0.0), **keys):
    return {"charge": charge, "position": list(position)} | keys


def lattice(m, **keys):
    return {"charge": 4, "smearing": 1.0, "shape": [m] * 3, "spacing": 4.0} | keys


def rows(name):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@pytest.mark.parametrize("row", rows("ground_states.csv"), ids=lambda row: "-".join(list(row.values())[:7]))
def test_every_ground_state_obeys_the_model(row):
    value = {name: float(text or 0.0) for name, text in row.items() if name not in ("case", "functional")}
    accuracy = 5.0 * value["accuracy"]
    assert sum(value[name] for name in COMPONENTS) == pytest.approx(value["energy"], abs=accuracy)
    assert (row["functional"] == "TFW") == (value["exchange"] == 0.0)
    assert ("+" in row["functional"]) == (value["correlation"] < 0.0)
    kinetic = 2.0 * (value["weizsacker"] + value["thomas_fermi"])
    if value["correlation"] == 0.0:
        # sum rule E = N mu - (2/3) T_TF - E_H - E_x / 3, without the repulsion of the nuclei
        electronic = value["energy"] - value["nuclear"]
        rule = value["electrons"] * value["chemical_potential"] - 2.0 / 3.0 * value["thomas_fermi"]
        assert rule - value["hartree"] - value["exchange"] / 3.0 == pytest.approx(electronic, abs=accuracy)
        inner = kinetic + value["hartree"] + value["exchange"]
        if row["case"] == "trap":
            # virial: int rho r . grad v = 2 E_ext for a harmonic trap, -E_ext for a Coulomb potential
            assert inner - 2.0 * value["external"] == pytest.approx(0.0, abs=accuracy)
        elif row["case"] == "atom" and not row["smearing"]:
            assert inner + value["external"] == pytest.approx(0.0, abs=accuracy)


def test_every_cluster_adds_up():
    for row in rows("clusters.csv"):
        total = sum(float(row[name]) for name in ("weizsacker", "thomas_fermi", "exchange", "electrostatic"))
        assert total == pytest.approx(float(row["energy"]), abs=5e-8)


@pytest.mark.parametrize(
    "keys, energy",
    [
        ({"atoms": [atom(2)]}, -1.4774505595),
        ({"atoms": [atom(2, (1.0, -2.0, 0.5))]}, -1.4774505595),
        ({"atoms": [atom(2)], "electrons": 2.0}, -1.4774505595),
        ({"atoms": [atom(2)], "functional": "TFDW+vwn5"}, -1.5590042061),
        ({"atoms": [atom(2)], "functional": "TFW", "box": 80.0}, -1.0929105670),
        ({"atoms": [atom(4, smearing=1.0)]}, -4.0914728174),
        ({"atoms": [atom(4, smearing=4.0)], "functional": "TFDW+pw92"}, -5.7955765567),
        ({"lattice": lattice(1)}, -4.0914728174),
        ({"trap": {"omega": 1.0}, "electrons": 8}, 35.7023861353),
        ({"atoms": [atom(1, (0, 0, -0.7)), atom(1, (0, 0, 0.7))]}, -0.430145075),
        ({"atoms": [atom(1, (0.5, 0.84, 0.1)), atom(1, (0.5, 0.0, 1.22))]}, -0.430145075),
        ({"lattice": lattice(2)}, -34.76172238),
        ({"lattice": lattice(4), "box": 48.0}, -285.96953907),
        (
            {"atoms": [atom(4, (x, y, z), smearing=1.0) for z in (1, 5) for y in (3, 7) for x in (0, -4)]},
            -34.76172238,
        ),
    ],
)
def test_found_by_what_a_problem_is(keys, energy):
    (found,) = references_of(problem(**keys))
    assert found.energy == energy and found.accuracy <= 5e-5
    assert set(found.components) <= set(parts(dict.fromkeys(COMPONENTS, 0.0)))


@pytest.mark.parametrize(
    "keys",
    [
        {"atoms": [atom(2)], "electrons": 1.5},
        {"atoms": [atom(2)], "weizsacker": 0.2},
        {"atoms": [atom(3)]},
        {"atoms": [atom(4, smearing=2.0)]},
        {"atoms": [atom(2)], "trap": {"omega": 1.0}},
        {"trap": {"omega": 0.7}, "electrons": 2},
        {"trap": {"omega": 1.0}, "electrons": 3},
        {"atoms": [atom(1, (0, 0, -0.7)), atom(1, (0, 0, 0.71))]},
        {"atoms": [atom(1, (0, 0, -0.7)), atom(1, (0, 0, 0.7), smearing=9.0)]},
        {"lattice": lattice(2, spacing=4.01)},
        {"lattice": lattice(2, displacement=0.4)},
        {"lattice": lattice(2, smearing=1.1)},
        {"lattice": lattice(2), "electrons": 31},
        {"lattice": lattice(2), "functional": "TFDW+pw92"},
        {"lattice": lattice(2, shape=[8, 1, 1], spacing=4.0)},
        {"lattice": lattice(3)},
    ],
)
def test_nothing_else_has_a_reference(keys):
    assert references_of(problem(**keys)) == []


def test_a_displaced_nucleus_of_a_cluster_is_seen():
    regular = problem(lattice=lattice(2))
    assert len(references(regular, regular.sites)) == 1
    moved = problem(lattice=lattice(2, displacement=1e-3)).nuclei(0)
    assert references(regular, moved) == []


def test_shipped_configurations_have_the_references_there_are():
    without = {"beryllium-ion", "cluster-512", "cluster-64-displaced"}
    for file in sorted((CONFIGS / "orbital_free_dft").glob("*.yaml")):
        found = references_of(load_study(file)[0].problem)
        assert len(found) == (0 if file.stem in without else 1), file.stem


def test_shifted_molecule_has_the_reference_of_the_unshifted_one():
    energies = [
        references_of(load_study(CONFIGS / "orbital_free_dft" / f"{name}.yaml")[0].problem)[0].energy
        for name in ("hydrogen-molecule", "hydrogen-molecule-shifted")
    ]
    np.testing.assert_array_equal(energies, [-0.430145075] * 2)
