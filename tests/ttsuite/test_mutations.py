"""Two thousand broken configurations: an answer in time, in plain lines, and nothing else happens."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mutants
import numpy as np
import pytest

from problems.families import family, kinds
from ttsuite.study.config import ConfigError, load_study, make_study
from ttsuite.study.yaml_file import parse

ROOT = Path(__file__).parents[2]
COUNT = 2000
ANSWER = 1.0  # seconds of this process, for each, on a machine that is as fast as that where UNIT was measured
UNIT = 0.02  # seconds of ``unit`` there, at most
MEASUREMENTS = 4  # the least of them is the cost: a busy machine and the collector of garbage only add
# what must not happen while a configuration is read: events of sys.addaudithook
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.", "socket.", "pickle.", "marshal.")
FORBIDDEN += (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.",
)
FORBIDDEN += ("os.chmod", "os.chown", "os.putenv", "ctypes.", "exec", "compile", "import")


class Watch:
    """Notes the events of the interpreter that a configuration must not cause; hooks stay for good, so it is gated."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.on, self.events = str(folder), False, []
        self.file = folder / "tiny" / "mutant.yaml"
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event == "open":
            file, mode, flags = arguments
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or flags & (
                os.O_WRONLY | os.O_RDWR | os.O_CREAT
            )
            inside = str(file).startswith((self.folder, str(ROOT / "problems")))
            if writes or not inside:
                self.events.append((event, str(file), mode))
        elif event.startswith(FORBIDDEN):
            self.events.append((event, str(arguments)[:200]))


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutants")
    for data in (*mutants.CONFIGS.rglob("*.csv"), *mutants.CONFIGS.rglob("*.txt")):
        (folder / data.parent.name).mkdir(exist_ok=True)
        shutil.copy(data, folder / data.parent.name)
    (folder / "tiny").mkdir(exist_ok=True)
    found = Watch(folder)
    kinds()  # reads what other packages bring
    for text in mutants.base_texts().values():  # everything that is imported when first needed
        found.file.write_text(text)
        load_study(found.file)
    yield found
    found.on = False


def refusal(call: Callable[[], object]) -> tuple[ConfigError | None, float]:
    """What is refused, and the CPU seconds that it takes."""
    least = float("inf")
    for _ in range(MEASUREMENTS):
        error, begin = None, time.process_time()
        try:
            call()
        except ConfigError as refused:
            error = refused
        least = min(least, time.process_time() - begin)
        if least < ANSWER:
            break
    return error, least


def in_time(seconds: float) -> bool:
    """Whether an answer took no longer than it may; a slow or busy machine is measured when it is in question."""
    return seconds < ANSWER or seconds < ANSWER * max(1.0, min(unit() for _ in range(MEASUREMENTS)) / UNIT)


def unit() -> float:
    """CPU seconds of a fixed piece of work in Python."""
    begin = time.process_time()
    sum(len(str(i)) for i in range(100_000))
    return time.process_time() - begin


def answer(watch, content: bytes) -> ConfigError | None:
    """What is said about a file with this content; asserts time and innocence."""
    file = watch.file
    file.write_bytes(content)
    watch.on = True
    try:
        error, seconds = refusal(lambda: load_study(file))
    finally:
        watch.on = False
    assert in_time(seconds) and not watch.events, (seconds, watch.events)
    for line in str(error).splitlines() if error else ():
        assert line.startswith(f"{file}") and line.isprintable() and len(line) < 1000, line
    return error


def test_two_thousand_mutants(watch):
    texts, refused, reached = mutants.base_texts(), 0, set()
    for i in range(COUNT):
        name, content = mutants.mutant(texts, np.random.default_rng([2026, i]))
        try:
            refused += answer(watch, content) is not None
        except BaseException as error:
            raise AssertionError(f"mutant {i} of {name}: {content[:2000]!r}") from error
        reached.add(parse(texts[name], name).data["problem"]["kind"])
    # most are wrong, some are still right, and every kind had its turn
    assert 0.7 * COUNT < refused < COUNT and reached == set(kinds())


def test_a_valid_mutant_is_the_same_study_from_python(watch):
    texts, compared = mutants.base_texts(), 0
    for i in range(300):
        _, content = mutants.mutant(texts, np.random.default_rng([7, i]))
        if answer(watch, content) is None:
            study = load_study(watch.file)[0]
            data = parse(content.decode("utf-8-sig"), "f").data
            again = make_study({"name": study.name} | data, watch.file.parent)
            assert again.model_dump() == study.model_dump()
            compared += 1
    assert compared > 5


NESTED = {
    "flow": "problem: " + "[" * 100_000,
    "mappings": "problem: " + "{a: " * 100_000,
    "blocks": "\n".join(" " * depth + "a:" for depth in range(2000)),
    "entries": "problem:\n  " + "- " * 20_000,
    "keys": "? " * 20_000,
    "quotes": "problem: '" + "x" * 1_000_000,
    "digits": "seed: " + "9" * 1_000_000,
    "spaces": "problem:" + " " * 1_000_000,
    "lines": "\n" * 500_000 + "problem: 1",
    "comments": "#" * 1_000_000 + "\nproblem: 1",
    "unknown keys": "problem: {kind: vibrational}\n" + "".join(f"key{i}: {i}\n" for i in range(5000)),
    "entries of a list": "problem: {kind: completion, samples: {function: inverse_sum, shape: ["
    + "2, " * 50_000
    + "2], fraction: 0.5}}\nsolver: {}",
    "laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nproblem: *c",
    "merge": "a: &a {kind: vibrational}\nproblem: {<<: *a}",
    "python": "problem: !!python/object/apply:os.system [touch pwned]",
    "module": "problem: !!python/module:os",
    "many documents": "problem: 1\n" + "---\nproblem: 1\n" * 10_000,
    "beyond all bounds": "problem: {kind: vibrational, force_field: acetonitrile} #" + "x" * 10_000_000,
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_deep_long_and_clever_files(watch, text):
    error = answer(watch, text.encode())
    assert error is not None and not watch.file.with_name("pwned").exists() and not Path("pwned").exists()


LARGE = {
    "oscillators": {
        "kind": "vibrational",
        "force_field": {"model": "coupled_oscillators", "dimension": 1000, "coupling": 1e-4},
    },
    "mesh": {
        "kind": "parametric_pde",
        "domain": "square",
        "mesh": {"cells": 1047},
        "field": {"type": "affine", "parameters": 200, "scale": 0.01},
    },
    "discs": {
        "kind": "parametric_pde",
        "domain": "square",
        "mesh": {"cells": 300},
        "field": {
            "type": "discs",
            "centres": [[(i + 0.5) / 14, (j + 0.5) / 14] for i in range(14) for j in range(14)],
            "radii": 0.03,
            "range": [0.5, 1.5],
        },
    },
    "coordinates": {
        "kind": "fokker_planck",
        "dimension": 60,
        "drift": {"diagonal": 1.0, "superdiagonal": 0.1},
        "diffusion": 0.5,
        "initial": {"variance": 0.5},
        "grid": {"points": 1024, "half_width": 8.0},
    },
    "nuclei": {
        "kind": "orbital_free_dft",
        "functional": "TFDW",
        "box": 128.0,
        "levels": [12],
        "lattice": {"charge": 4, "smearing": 1.0, "shape": [21, 21, 22], "spacing": 4.0},
    },
    "products": {
        "kind": "sum_of_products",
        "modes": [{"basis": "harmonic", "functions": 400}] * 20,
        "terms": [[1.0, {k % 20: "q p", (k + 1 + k // 20) % 20: "q^2"}] for k in range(299)],
        "task": "spectrum",
    },
    "rows": {"kind": "supervised", "data": {"model": "interactions", "fields": 50, "rows": 10**6}, "splits": 200},
    "samples": {"kind": "completion", "samples": {"function": "inverse_sum", "shape": [20] * 1000, "fraction": 1e-90}},
    "basis": {
        "kind": "wave_packet",
        "model": "henon_heiles",
        "dimension": 1000,
        "basis": {"functions": 1000},
        "initial": {"type": "gaussian"},
    },
}
SOLVERS = {"vibrational": {"n_states": 3}, "sum_of_products": {"n_states": 3}, "fokker_planck": {"t_final": 4.0}}
SOLVERS |= {"wave_packet": {"t_final": 1.0, "accuracy": 1e-3}}


@pytest.mark.parametrize("problem", LARGE.values(), ids=LARGE)
def test_the_largest_problems_are_checked_in_a_second(problem):
    family(problem["kind"])
    error, seconds = refusal(lambda: make_study({"problem": problem, "solver": SOLVERS.get(problem["kind"], {})}))
    assert error is None or all(str(problem) for problem in error.problems)
    assert in_time(seconds), seconds


@pytest.mark.parametrize("seed", range(4))
def test_mutants_at_the_command_line(tmp_path, seed):
    texts = mutants.base_texts()
    for i in range(12):  # in one process: the files of one call
        (tmp_path / f"{i}.yaml").write_bytes(mutants.mutant(texts, np.random.default_rng([seed, i]))[1])
    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "ttsuite", "validate", *(str(path) for path in before)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=300)
    assert done.returncode in (0, 2) and b"Traceback" not in done.stderr and b"Warning" not in done.stderr
    assert done.stdout.count(b": valid\n") + len({line.split(b".yaml")[0] for line in done.stderr.splitlines()}) == 12
    assert sorted(tmp_path.iterdir()) == before
