"""What the YAML keys of an orbital-free calculation accept, and where and how they put the blame."""

import copy
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from problems.errors import ProblemError
from problems.orbital_free_dft.nuclei import Nuclei, check_nuclei
from ttsuite.command.shipped import CONFIGS
from ttsuite.study.config import ConfigError, load_study, make_study

HELIUM = {"charge": 2, "position": [0.0, 0.0, 0.0]}
SMEARED = {"charge": 4, "position": [0, 0, 4.0], "smearing": 1.0}
LATTICE = {"charge": 4, "smearing": 1.0, "shape": [2, 2, 2], "spacing": 4.0}
GOOD = {"kind": "orbital_free_dft", "functional": "TFDW", "atoms": [HELIUM], "box": 40.0, "levels": [8, 9]}


def study(solver=None, **keys):
    """GOOD with keys replaced, None to leave one out."""
    problem = {key: value for key, value in copy.deepcopy(GOOD | keys).items() if value is not None}
    return make_study({"problem": problem, "solver": solver or {}})


def refusal(solver=None, **keys):
    """Key and message of the one fault."""
    with pytest.raises(ConfigError) as caught:
        study(solver, **keys)
    (fault,) = caught.value.problems
    return fault.key, fault.message


def test_a_good_one_and_its_defaults():
    made = study()
    problem, solver = made.problem, made.solver
    assert (problem.count, problem.weizsacker, problem.grids) == (2.0, 1.0, (8, 9))
    assert (solver.accuracy, solver.max_rank, solver.format, solver.laplacian) == (1e-4, 120, "tucker", "spectral")
    assert (problem.exchange, problem.correlation) == (True, None)
    nuclei = problem.nuclei(0)
    assert nuclei.points.tolist() == [True] and nuclei.keys == ("problem.atoms.0",)
    assert study(levels=9).problem.grids == (9,)
    assert study(functional="TFDW+pw92").problem.correlation == "pw92"
    assert not study(functional="TFW", box=80.0).problem.exchange


def test_formats_choose_their_laplacian():
    assert study({"format": "quantics"}).solver.laplacian == "differences"
    assert study({"format": "tucker", "laplacian": "differences"}).solver.laplacian == "differences"
    assert study({"format": "dense"}, levels=[7, 8]).solver.laplacian == "spectral"


def test_electrons_are_the_charges_unless_given():
    problem = study(atoms=[{"charge": 2.5, "position": [0, 0, 0]}, SMEARED], lattice=LATTICE | {"spacing": 5.0}).problem
    assert problem.count == 2.5 + 4 + 32
    assert study(electrons=1.5).problem.count == 1.5
    assert study(atoms=None, trap={"omega": 1.0}, electrons=7).problem.count == 7.0
    assert study(electrons=3).problem.count == 3.0


def test_lattice_is_centred_and_displaced_from_the_seed():
    problem = study(atoms=[SMEARED], lattice=LATTICE | {"shape": [3, 2, 1], "displacement": 0.4}).problem
    sites = problem.sites
    assert len(sites) == 7 and sites.keys[0] == "problem.atoms.0" and set(sites.keys[1:]) == {"problem.lattice"}
    np.testing.assert_allclose(sites.positions[1:].mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_array_equal(sites.positions[1], [-4.0, -2.0, 0.0])
    np.testing.assert_array_equal(sites.positions[2], [-4.0, 2.0, 0.0])
    moved = problem.nuclei(3)
    np.testing.assert_array_equal(moved.positions[0], sites.positions[0])
    shift = np.abs(moved.positions - sites.positions)[1:]
    assert 0.2 < shift.max() <= 0.4 and shift.min() > 0.0
    np.testing.assert_array_equal(moved.positions, problem.nuclei(3).positions)
    assert np.abs(moved.positions - problem.nuclei(4).positions).max() > 0.01
    still = study(lattice=LATTICE).problem
    np.testing.assert_array_equal(still.nuclei(3).positions, still.nuclei(4).positions)


@pytest.mark.parametrize(
    "keys, key, message",
    [
        ({"atoms": [HELIUM | {"charge": -2}]}, "problem.atoms.0.charge", "greater than 0"),
        ({"atoms": [HELIUM, SMEARED | {"charge": 0}]}, "problem.atoms.1.charge", "greater than 0"),
        ({"lattice": LATTICE | {"charge": -1.0}}, "problem.lattice.charge", "greater than 0"),
        ({"atoms": [SMEARED | {"smearing": 0.0}]}, "problem.atoms.0.smearing", "greater than 0"),
        ({"atoms": [HELIUM | {"position": [0.0, 0.0]}]}, "problem.atoms.0.position", "three numbers"),
        ({"atoms": [HELIUM | {"position": [0.0, float("nan"), 0.0]}]}, "problem.atoms.0.position", "finite"),
        ({"atoms": [{"position": [0.0, 0.0, 0.0]}]}, "problem.atoms.0.charge", "missing"),
        ({"atoms": [HELIUM | {"chrage": 1.0}]}, "problem.atoms.0.chrage", "did you mean charge"),
        ({"functional": "LDA"}, "problem.functional", "one of: TFW, TFDW"),
        ({"functional": "TFDW+pw9"}, "problem.functional", "did you mean TFDW+pw92"),
        ({"weizsacker": 0.0}, "problem.weizsacker", "greater than 0"),
        ({"electrons": 0}, "problem.electrons", "positive number"),
        ({"electrons": float("inf")}, "problem.electrons", "positive number"),
        ({"electrons": 5}, "problem.electrons", "at most 3, or a trap"),
        ({"levels": [9, 8]}, "problem.levels", "must ascend"),
        ({"levels": [8, 8, 9]}, "problem.levels", "each level once"),
        ({"levels": []}, "problem.levels", "from 4 to 16"),
        ({"levels": [8, 17]}, "problem.levels", "from 4 to 16"),
        ({"levels": 3}, "problem.levels", "from 4 to 16"),
        ({"levels": 8.0}, "problem.levels", "from 4 to 16"),
        ({"box": -40.0}, "problem.box", "greater than 0"),
        ({"lattice": LATTICE | {"shape": [2, 2]}}, "problem.lattice.shape", "three whole numbers"),
        ({"lattice": LATTICE | {"shape": [2, 2, 0]}}, "problem.lattice.shape", "at least 1 each"),
        ({"lattice": LATTICE | {"shape": [30, 30, 30]}}, "problem.lattice.shape", "10000 nuclei at most"),
        ({"lattice": LATTICE | {"displacement": 2.0}}, "problem.lattice.displacement", "less than 2"),
        ({"atoms": None}, "problem", "give atoms, a lattice or a trap"),
        ({"atoms": None, "trap": {"omega": 1.0}}, "problem.electrons", "a trap alone"),
        ({"atoms": [HELIUM, SMEARED, HELIUM]}, "problem.atoms.2", "numbers 1 and 3"),
        ({"atoms": [SMEARED, SMEARED]}, "problem.atoms.1", "two nuclei at one place"),
        ({"atoms": [SMEARED | {"position": [2.0, -2.0, 2.0]}], "lattice": LATTICE}, "problem.lattice", "at one place"),
        ({"atoms": [HELIUM | {"position": [0.0, 25.0, 0.0]}]}, "problem.box", "outside the box"),
        ({"atoms": [HELIUM | {"position": [0.0, 0.0, -17.0]}]}, "problem.box", "nearer to a face"),
        # moved outwards by its displacement, the outermost nucleus of the long lattice is too near to a face
        (
            {"atoms": None, "lattice": LATTICE | {"shape": [9, 1, 1], "displacement": 0.003}},
            "problem.box",
            "at least 63",
        ),
        ({"box": 6.0}, "problem.box", "too small for the density"),
        ({"atoms": [HELIUM | {"smearing": 0.002}]}, "problem.box", "at least 179"),
        ({"levels": [5, 6], "atoms": [HELIUM | {"charge": 4}]}, "problem.levels", "level 8 or more"),
        ({"levels": 4, "atoms": None, "lattice": LATTICE}, "problem.levels", "smeared nucleus of width 1 bohr"),
        (
            {"levels": 4, "atoms": None, "trap": {"omega": 1.0}, "electrons": 2},
            "problem.levels",
            "trap's length 1 bohr",
        ),
        ({"atoms": None, "trap": {"omega": 0.01}, "electrons": 2}, "problem.box", "and the trap"),
    ],
)
def test_one_clear_message(keys, key, message):
    blamed, text = refusal(**keys)
    assert blamed == key and message in text, (blamed, text)


@pytest.mark.parametrize(
    "solver, keys, key, message",
    [
        ({"format": "dense"}, {}, "solver.format", "2^8 points"),
        ({"format": "quantics", "laplacian": "spectral"}, {}, "solver.laplacian", "take differences"),
        ({"accuracy": 0.0}, {}, "solver.accuracy", "greater than 0"),
        ({"max_rank": 0}, {}, "solver.max_rank", "at least 2"),
        ({"max_steps": 0}, {}, "solver.max_steps", "at least 1"),
        ({"format": "tt"}, {}, "solver.format", "one of: automatic, tucker"),
    ],
)
def test_solver_settings_that_cannot_be(solver, keys, key, message):
    blamed, text = refusal(solver, **keys)
    assert blamed == key and message in text, (blamed, text)


def test_the_box_and_the_level_advised_are_accepted():
    _, text = refusal(atoms=[HELIUM | {"position": [0.0, 0.0, -17.0]}])
    assert study(box=float(text.split()[-1]), atoms=[HELIUM | {"position": [0.0, 0.0, -17.0]}], levels=9)
    _, text = refusal(box=6.0)
    assert study(box=float(text.split()[-1]))
    keys = {"atoms": [HELIUM | {"charge": 30}], "levels": [5, 6]}
    _, text = refusal(**keys)
    level = int(text.split("level ")[1].split()[0])
    assert study(**keys | {"levels": level}) and refusal(**keys | {"levels": level - 1})[0] == "problem.levels"


def test_only_the_hopeless_is_refused():
    # smeared nuclei that overlap, an atom in the middle of a displaced lattice, an ion in a narrow box, traps
    assert study(atoms=[SMEARED, SMEARED | {"position": [0, 0, 4.3]}])
    assert study(lattice=LATTICE | {"displacement": 0.4})
    assert study(atoms=[{"charge": 4, "position": [0, 0, 0]}], electrons=2, box=4.0)
    assert study(atoms=None, trap={"omega": 1.0}, electrons=2, box=8.0, levels=[5, 6])
    assert study(trap={"omega": 1.0}, electrons=20)
    # cusps on coarse grids of a list are a start for the finer ones
    assert study(levels=[4, 7])


def test_a_displaced_lattice_may_cover_an_atom_only_when_it_does():
    problem = study(atoms=[SMEARED | {"position": [2.0, 2.0, 2.0]}], lattice=LATTICE | {"displacement": 0.4}).problem
    check_nuclei(problem.nuclei(0), problem.box)
    with pytest.raises(ProblemError, match="at one place"):
        check_nuclei(problem.sites, problem.box)


def _far_apart(positions):
    return Nuclei(np.ones(len(positions)), np.array(positions, dtype=float), np.full(len(positions), np.inf))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_coincident_nuclei_are_found_wherever_they_are(cells, seed):
    shift = np.random.default_rng(seed).uniform(-1.0, 1.0, 3)
    noise = np.random.default_rng(seed).uniform(-2e-7, 2e-7, (len(cells), 3))
    nuclei = _far_apart(np.array(cells) + shift + noise)
    if len(set(cells)) < len(cells):
        with pytest.raises(ProblemError, match="two nuclei at one place"):
            check_nuclei(nuclei, 40.0)
    else:
        check_nuclei(nuclei, 40.0)


def test_nuclei_of_wrong_shape_or_value():
    one, place = np.ones(1), np.zeros((1, 3))
    for charges, positions, smearings, message in (
        (one, np.zeros((2, 3)), one, "shapes"),
        (-one, place, one, "positive"),
        (one, place, 0.0 * one, "positive"),
        (one, place + np.nan, one, "finite"),
    ):
        with pytest.raises(ValueError, match=message):
            Nuclei(charges, positions, smearings)
    with pytest.raises(ValueError, match="keys"):
        Nuclei(one, place, one, ("a", "b"))


@pytest.mark.parametrize("file", sorted((CONFIGS / "orbital_free_dft").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_configurations_are_valid_and_have_a_quick_variant(file):
    full, tiny = load_study(file)[0], load_study(CONFIGS / "tiny" / file.name)[0]
    assert full.name == file.stem and tiny.name == f"tiny-{file.stem}"
    assert tiny.problem.kind == "orbital_free_dft" and tiny.problem.functional == full.problem.functional
    assert tiny.problem.grids[-1] < full.problem.grids[-1]


def test_the_shifted_molecule_is_shifted_by_a_third_of_a_cell():
    still, moved = (
        load_study(CONFIGS / "orbital_free_dft" / f"hydrogen-molecule{end}.yaml")[0].problem for end in ("", "-shifted")
    )
    shift = (moved.sites.positions - still.sites.positions) * 2 ** moved.grids[-1] / moved.box
    np.testing.assert_allclose(shift, 1 / 3, atol=1e-6)


def test_the_keys_load_no_numerics():
    code = "import sys, problems.orbital_free_dft.model; print([m for m in ('scipy', 'numba') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
