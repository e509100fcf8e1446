"""The quick command of the tests is a process as any other: streams, exit codes, folder, environment, signals."""

import os
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux only")


@pytest.fixture(scope="module")
def shell(quick_command, tmp_path_factory):
    """Runs a script in a folder of its own, where ``ttsuite`` is the quick one; returns exit code and streams."""
    folder = tmp_path_factory.mktemp("shell")
    environment = {**os.environ, "PATH": f"{quick_command}{os.pathsep}{os.environ['PATH']}"}

    def run(script):
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return run


def test_streams_and_exit_codes(shell):
    code, out, err = shell("echo before; ttsuite list | head -1; ttsuite run --nonsense; echo code $?; exit 7")
    assert code == 7 and out.startswith("before\n") and out.endswith("code 2\n") and len(out.splitlines()) == 3
    assert "usage: ttsuite run" in err and "usage" not in out
    assert shell("ttsuite validate no-file.yaml 2>&1")[:2] == (2, "no-file.yaml: no such file\n")


def test_folder_and_environment(shell):
    code, out, _ = shell("mkdir -p inner && cd inner && ttsuite example own-samples && ls")
    assert code == 0 and "own-samples.yaml" in out
    assert shell("COLUMNS=50 ttsuite run --help")[1] != shell("COLUMNS=150 ttsuite run --help")[1]


def test_scripts(shell):
    script = "import sys\nif __name__ == '__main__':\n    print(sys.argv, sys.stdin.read())\n    sys.exit(5)\n"
    code, out, _ = shell(
        f'cat > script.py <<"END"\n{script}END\necho in | quick-python script.py one two; echo code $?'
    )
    assert (code, out) == (0, "['script.py', 'one', 'two'] in\n\ncode 5\n")


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("KILL", 137)])
def test_a_signal_to_the_command_ends_it(shell, name, code):
    """A command that waits for the text of its file, which nobody writes."""
    script = f"mkfifo {name}.yaml; ttsuite validate {name}.yaml & sleep 0.5; kill -{name} $!; wait $!; echo $?; pwd"
    said, folder = shell(script)[1].splitlines()[-2:]
    assert said == str(code)
    end = time.monotonic() + 60.0
    while reads(Path(folder) / f"{name}.yaml"):
        assert time.monotonic() < end, "the command outlives its caller"
        time.sleep(0.01)


def reads(pipe):
    """Whether a process reads from a named pipe."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
