"""The command line, in processes of its own: exit codes, one clear line, nothing written, quick to start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}

PROBLEM = "problem: {{kind: vibrational, force_field: {}}}\nsolver: {{n_states: 6}}\n"

# runs the command on made-up numerics; {options} as in made_up.numerics
DRIVER = """
import sys, time
from dataclasses import replace
sys.path[:0] = [{tests!r}]
import made_up
from solvers.solution import Status
numerics = made_up.numerics(made_up.acetonitrile(6, Status.{status}))
if {wait}:
    def solve(prepared, *, executor, seed, callback, **checkpoints):
        callback(replace(made_up.acetonitrile(6).history[0], finished=False))  # its end would end the run
        time.sleep(600)
    numerics.solve = solve
if {broken}:
    def solve(*arguments, **options):
        raise ZeroDivisionError("by zero")
    numerics.solve = solve
sys.modules["problems.quantum.tasks.spectrum.solve"] = numerics
import problems.quantum.tasks.spectrum.figures
problems.quantum.tasks.spectrum.figures.figures = lambda *arguments: []
from ttsuite.command.cli import main
sys.exit(main(sys.argv[1:]))
"""


def installed(*arguments, cwd=None):
    command = [sys.executable, "-m", "ttsuite", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)


@pytest.fixture
def driver(quick_command, tmp_path):
    """The words of a command that runs ``a.yaml`` on made-up numerics."""

    def command(status="CONVERGED", wait=False, broken=False, quick=quick_command):
        script = tmp_path / "driver.py"
        script.write_text(DRIVER.format(tests=str(ROOT / "tests"), status=status, wait=wait, broken=broken))
        python = str(quick / "quick-python") if quick else sys.executable
        return [python, str(script), "run", "a.yaml", "--set", "solver.workers=1"]

    return command


def write(tmp_path, text=None):
    (tmp_path / "a.yaml").write_text(text or PROBLEM.format("acetonitrile"))


def test_help_and_validate_import_nothing_slow():
    slow = "numba scipy matplotlib rich jinja2".split()
    for command in (["--help"], ["validate", str(CONFIGS / "vibrational" / "acetonitrile.yaml")], ["list"]):
        script = (
            "import sys\nfrom ttsuite.command.cli import main\n"
            f"try:\n    main({command!r})\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {slow!r} if name in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
        assert done.stderr.strip() == "[]"


def test_help_imports_no_models_either():
    script = "import sys, ttsuite.command.cli\nprint([m for m in ('pydantic', 'numpy', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_version_list_and_describe(ttsuite):
    import ttsuite as package

    assert ttsuite("--version").stdout == f"ttsuite {package.__version__}\n"
    files = [f for f in CONFIGS.rglob("*.yaml") if f.parent.name != "reproductions"]
    names = {f.relative_to(CONFIGS).with_suffix("").as_posix() for f in files}
    small = {name for name in names if "tiny" in name.split("/")}
    for arguments, shown in ((["list"], names - small), (["list", "--tests"], small)):
        listed = ttsuite(*arguments).stdout
        assert {line.split()[0] for line in listed.splitlines() if "/" in line.split()[0]} == shown
        assert max(map(len, listed.splitlines())) <= 120
    text = ttsuite("describe", "vibrational").stdout
    for key in "name seed kind force_field mode_order basis functions n_states accuracy max_rank workers".split():
        assert f"{key}:" in text
    unknown = ttsuite("describe", "vibration")
    assert unknown.returncode == 2 and "known: vibrational" in unknown.stderr


def test_nothing_asked_is_the_help(ttsuite):
    assert ttsuite().stdout == ttsuite("--help").stdout and ttsuite().returncode == 0


def test_a_wrong_name_is_answered_with_the_nearest(ttsuite, tmp_path):
    for arguments, hint in (
        (["rnu"], "did you mean run?"),
        (["example", "cooky4"], "did you mean cookie4?"),
        (["example", "tunnel"], "did you mean tunnelling?"),
        (["describe", "vibrationl"], "did you mean vibrational?"),
        (["run", "acetonitrile"], "ttsuite example vibrational/acetonitrile"),
    ):
        done = ttsuite(*arguments, cwd=tmp_path)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and hint in done.stderr
    assert not list(tmp_path.iterdir())


def test_one_fault_is_told_once(ttsuite, tmp_path):
    write(tmp_path, PROBLEM.format("acetonitrile").replace("n_states", "n_state"))
    done = ttsuite("validate", "a.yaml", cwd=tmp_path)
    assert done.stderr == "a.yaml:2:10: solver.n_state: unknown key (did you mean n_states?)\n"


def test_example_writes_once(ttsuite, tmp_path):
    done = ttsuite("example", "own-molecule", cwd=tmp_path)
    assert done.returncode == 0
    names = ["own-molecule.csv", "own-molecule.yaml", "ttsuite-schema.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert ttsuite("validate", "own-molecule.yaml", cwd=tmp_path).returncode == 0
    again = ttsuite("example", "own-molecule", cwd=tmp_path)
    assert again.returncode == 2 and "exists" in again.stderr
    wrong = ttsuite("example", "own-molecul", cwd=tmp_path)
    assert wrong.returncode == 2 and "did you mean own-molecule" in wrong.stderr


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (PROBLEM.format("acetonitrile").replace("6", "x"), "a.yaml:2:20: solver.n_states"),
        (PROBLEM.format("b.csv"), "a.yaml:1:43: problem.force_field"),
        (PROBLEM.format("c.csv"), "c.csv:3:2: mode 9 is out of range"),
        ("problem: [\n", "a.yaml:2:1"),
    ],
)
def test_bad_input_gives_one_line_and_writes_nothing(ttsuite, tmp_path, text, line):
    write(tmp_path, text)
    (tmp_path / "c.csv").write_text("order,modes,coefficient_cm-1\n2,1-1,100\n3,1-1-9,5\n")
    before = sorted(tmp_path.rglob("*"))
    for command in ("run", "validate"):
        done = ttsuite(command, "a.yaml", cwd=tmp_path)
        assert done.returncode == 2 and done.stdout == ""
        assert len(done.stderr.splitlines()) == 1 and line in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_missing_file(tmp_path):
    done = installed("run", "none.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "none.yaml: no such file\n")


@pytest.mark.parametrize(("status", "code"), [("CONVERGED", 0), ("RANK_LIMIT", 3)])
def test_run(driver, tmp_path, status, code):
    write(tmp_path)
    done = subprocess.run(driver(status), cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    assert folder.name.startswith("a-20") and (folder / "report.html").exists()
    assert "\x1b" not in done.stdout + done.stderr
    # progress where errors belong, the answer on the standard output
    assert "a: writing to" in done.stderr and "inverse iteration, r = 20: lowest 98" in done.stderr
    lines = done.stdout.splitlines()
    assert "writing to" not in done.stdout and lines[-1] == f"report: {folder.relative_to(tmp_path) / 'report.html'}"
    assert any("energies, state 0" in line and "(" in line for line in lines)


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
@pytest.mark.parametrize("pipe", ["| head -1", "2>&1 | head -1", ">&- 2>&-"])
def test_a_reader_who_goes_away_ends_no_run(driver, tmp_path, pipe):
    write(tmp_path)
    command = " ".join(f"'{word}'" for word in driver(**{"quick": None} if "&-" in pipe else {}))
    shell = f"{command} {pipe}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=300)
    assert done.returncode == 0
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    assert '"status": "finished"' in (folder / "report.json").read_text()


def test_a_failure_is_one_line_and_a_traceback_file(driver, tmp_path):
    write(tmp_path)
    done = subprocess.run(
        driver(broken=True), cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1 and done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if "writing to" not in line]
    assert line.startswith("failed: ZeroDivisionError: by zero (see results")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_a_folder_that_says_so(driver, tmp_path, number):
    write(tmp_path)
    process = subprocess.Popen(
        driver(wait=True),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "inverse iteration" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    while "stopping after this step" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)  # this step takes ten minutes
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130 and errors.startswith("interrupted: ") and "Traceback" not in errors
    (folder,) = (tmp_path / "results" / "runs").iterdir()
    assert '"status": "interrupted"' in (folder / "report.json").read_text()


@pytest.mark.parametrize("name", ["solvers", "problems"])
def test_a_folder_that_shadows_a_floor_is_named(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    done = installed("list", cwd=tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert f"shadows the package {name!r}" in done.stderr
    script = "from ttsuite import TensorTrain"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1 and f"shadows the package {name!r}" in done.stderr.splitlines()[-1]


def test_public_names_are_lazy():
    script = (
        "import sys, ttsuite\nassert not {'numpy', 'solvers', 'problems'} & set(sys.modules)\n"
        "from ttsuite import TensorTrain, TTOperator, run, load, validate\nassert 'run' in dir(ttsuite)\n"
        "try:\n    ttsuite.nothing\nexcept AttributeError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout == "module 'ttsuite' has no attribute 'nothing'\n", done.stderr
