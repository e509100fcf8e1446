"""What is said before a run: sizes, ranks, plan, and estimates that hold to a factor of three."""

from functools import cache
from pathlib import Path

import pytest

from problems.families import family, kinds
from ttsuite.actions.dry_run import dry_run
from ttsuite.study.config import ConfigError, load_study
from ttsuite.study.describe import describe

CONFIGS = Path(__file__).parents[3] / "configs"
FACTOR = 3.0
# configuration -> seconds and megabytes (0: not kept) of runs from start to report: those with two workers that tables
# of the README and comments of the configurations report, and the last three in one process
MEASURED = {
    "vibrational/acetonitrile": (125, 1166),
    "vibrational/coupled-oscillators-6": (10, 600),
    "vibrational/coupled-oscillators-10": (14, 700),
    "vibrational/henon-heiles-4": (6, 600),
    "parametric_pde/affine-1d-10": (6.8, 300),
    "parametric_pde/affine-1d-20": (23, 400),
    "parametric_pde/lognormal-1d-10": (17, 400),
    "parametric_pde/cookie4": (8.9, 300),
    "parametric_pde/cookie4-hi": (11, 300),
    "parametric_pde/cookie9": (17, 400),
    "wave_packet/henon-heiles-2d": (16, 0),
    "wave_packet/henon-heiles-3d": (67, 0),
    "wave_packet/henon-heiles-4d": (73, 634),
    "wave_packet/henon-heiles-6d": (84, 0),
    "wave_packet/henon-heiles-10d": (83, 0),
    "wave_packet/ising-12": (17, 0),
    "wave_packet/heisenberg-12": (21, 0),
    "wave_packet/xx-40": (322, 0),
    "wave_packet/acetonitrile-packet": (84, 0),
    "fokker_planck/ornstein-uhlenbeck-2": (4, 0),
    "fokker_planck/ornstein-uhlenbeck-4": (20, 0),
    "fokker_planck/ornstein-uhlenbeck-6": (41, 0),
    "orbital_free_dft/hydrogen": (6, 263),
    "orbital_free_dft/helium": (25, 253),
    "orbital_free_dft/helium-pw92": (15, 0),
    "orbital_free_dft/beryllium": (60, 0),
    "orbital_free_dft/neon": (180, 0),
    "orbital_free_dft/trap": (7, 258),
    "orbital_free_dft/hydrogen-molecule": (11, 0),
    "orbital_free_dft/cluster-8": (8, 356),
    "orbital_free_dft/cluster-64": (7, 306),
    "orbital_free_dft/cluster-64-displaced": (120, 0),
    "orbital_free_dft/cluster-512": (45, 0),
    "sum_of_products/henon-heiles-terms": (4.7, 250),
    "sum_of_products/henon-heiles-terms-in-time": (31, 0),
    "completion/inverse-sum": (3, 188),
    "embeddings/planted-counts": (2.0, 298),
    "embeddings/planted-text": (2.4, 302),
}


@cache
def told_of(name):
    return dry_run(CONFIGS / f"{name}.yaml", overrides=["solver.workers=2"])


@pytest.mark.parametrize("name", MEASURED)
def test_estimates_hold_to_a_factor_of_three(name):
    effort = told_of(name).effort
    for estimated, measured in zip((effort.seconds, effort.megabytes), MEASURED[name]):
        assert not measured or measured / FACTOR <= estimated <= FACTOR * measured, (estimated, measured)


@pytest.mark.parametrize("file", sorted((CONFIGS / "tiny").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_kind_says_what_it_would_do(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = dry_run(file)
    facts = dict(told.facts)
    assert facts["plan"] and facts["worker processes"] == "1"
    if told.study.problem.kind in ("vibrational", "sum_of_products", "wave_packet", "fokker_planck"):
        assert facts["operator TT-ranks"].startswith("1, ")
    # seconds: the tiny ones are what they are called
    assert 1.0 < told.effort.seconds < 30.0 and 150.0 < told.effort.megabytes < 800.0
    assert all("\n" not in value for value in facts.values()) and "None" not in str(told)
    assert not list(tmp_path.iterdir())


def test_ranks_of_acetonitrile():
    told = told_of("vibrational/acetonitrile")
    assert dict(told.facts)["operator TT-ranks"] == "1, 5, 9, 14, 21, 25, 26, 24, 18, 15, 8, 5, 1"


def test_more_work_takes_longer():
    file = CONFIGS / "vibrational" / "coupled-oscillators-6.yaml"
    few, many = (dry_run(file, overrides=[f"solver.n_states={n}", "solver.workers=1"]).effort for n in (5, 50))
    assert few.seconds < many.seconds and few.megabytes < many.megabytes
    study = load_study(file)[0]
    assert dry_run(study).effort.seconds > 0
    with pytest.raises(ValueError, match="overrides"):
        dry_run(study, overrides=["seed=1"])


def test_bad_input():
    file = CONFIGS / "vibrational" / "coupled-oscillators-6.yaml"
    with pytest.raises(ConfigError, match=r"solver\.n_states"):
        dry_run(file, overrides=["solver.n_states=0"])
    with pytest.raises(ConfigError, match=r"problem\.initial.*holds only|problem\.basis\.functions"):
        dry_run(CONFIGS / "wave_packet" / "henon-heiles-2d.yaml", overrides=["problem.basis.functions=2"])


def test_the_command_writes_nothing(ttsuite, tmp_path):
    command = ["run", CONFIGS / "tiny" / "henon-heiles-4.yaml", "--dry-run", "--set", "solver.n_states=2"]
    done = ttsuite(*command, cwd=tmp_path)
    assert done.returncode == 0 and "operator TT-ranks" in done.stdout and "about" in done.stdout, done.stderr
    assert not list(tmp_path.iterdir())
    done = ttsuite(*command, "solver.n_states=x", cwd=tmp_path)
    assert done.returncode == 2 and "must be an integer" in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_is_described_in_full(kind):
    text, chosen = describe(kind), family(kind)
    for line in (*chosen.formula.splitlines(), *chosen.references, *chosen.typical.split("; ")):
        assert line.strip() in text
    for model in (chosen.problem, chosen.solver):
        for name, info in model.model_fields.items():
            assert f"  {name}:" in text and info.description and info.description in text
    assert "None" not in text and "default: 0\n      Number of modes" not in text
