"""The command ``ttsuite`` as a process that need not import numpy, numba and matplotlib, which take seconds.

``QuickCommand`` puts a ``ttsuite`` into a folder for ``PATH``. It asks a server, a process of its own, that has
imported these packages, and the project, to fork: the command runs in a new process with the arguments,
folder, environment, streams and signals of the caller, whose exit code or signal it ends with. ``quick-python`` beside
it runs a script, as ``python FILE ARGUMENTS`` does. The parts:

    caller's shell ──starts── ttsuite (CLIENT) ──asks── server ──forks── monitor ──forks── the command
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# what each run imports and what it takes long to import or to do first
PACKAGES = ("numpy", "scipy.linalg", "scipy.sparse.linalg", "numba", "matplotlib.pyplot", "pydantic", "jinja2", "yaml")
OPTIONAL = ("torch", "sklearn", "distributed", "dask")
SCRIPTS = "quick-python"  # the command that runs scripts
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# runs with nothing but the standard library, in 15 ms
CLIENT = """\
#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
asked = json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(asked).to_bytes(8, "big")], [0, 1, 2])
server.sendall(asked)
answers = server.makefile()
process = int(answers.readline())
for number in {signals}:
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, lambda number, frame: os.kill(process, number))
status = int(answers.readline())
if os.WIFSIGNALED(status):
    signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(status))
os._exit(os.WEXITSTATUS(status))
"""


class QuickCommand:
    """A server that lives until ``close``, and ``bin``, a folder for ``PATH`` with the ``ttsuite`` that asks it.

    Figures are drawn, not saved (tests/no_figures.py); workers are forked (tests/forked_workers.py).
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ttsuite-")  # the address of a socket must be short
        folder = Path(self._folder.name)
        self.bin = folder / "bin"
        self.bin.mkdir()
        address = folder / "server"
        root = str(Path(__file__).parents[1])
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(address)],
            env={**os.environ, "PYTHONPATH": root, "MPLBACKEND": "Agg"},
            stdin=subprocess.PIPE,  # closed when this process ends, however it ends
            stdout=subprocess.PIPE,
        )
        assert self._server.stdout is not None and self._server.stdout.readline() == b"ready\n"
        signals = [int(number) for number in PASSED_ON]
        for name in ("ttsuite", SCRIPTS):
            client = self.bin / name
            client.write_text(CLIENT.format(python=sys.executable, address=str(address), signals=signals))
            client.chmod(0o755)

    def close(self) -> None:
        """End the server; commands that run go on."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()
        self._folder.cleanup()


def serve(address: str) -> None:
    """Answer until the standard input is closed; returns in the process of each command, ready to run it."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    os.write(1, b"ready\n")
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            os._exit(0)
        connection, _ = listener.accept()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if os.fork():
            connection.close()
            continue
        listener.close()
        size, streams, _, _ = socket.recv_fds(connection, 8, 3)
        asked = connection.makefile("rb").read(int.from_bytes(size, "big"))
        process = os.fork()
        if process:
            for stream in streams:
                os.close(stream)
            monitor(connection, process)
        connection.close()
        become(*json.loads(asked), streams)
        return


def monitor(connection: socket.socket, process: int) -> None:
    """Tell the client the process and how it ended; end the process when the client is killed."""
    connection.sendall(f"{process}\n".encode())
    ended = os.pidfd_open(process)
    ready, _, _ = select.select([connection, ended], [], [])
    if ended not in ready:
        os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def become(arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Take on the arguments, folder, environment and streams of the caller."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments


def warm_up() -> None:
    """Import the packages and use them once.

    The first kernel makes numba read what it can compile, the first figure reads fonts and the grammar of formulas.
    """
    for package in PACKAGES:
        importlib.import_module(package)
    import io

    import numba
    from matplotlib import pyplot

    numba.njit(lambda: 0)()

    figure = pyplot.figure()
    figure.text(0.5, 0.5, "text, $x_1^2$")
    for kind in ("svg", "png"):
        figure.savefig(io.BytesIO(), format=kind)
    pyplot.close(figure)


class Absent:
    """Finds no optional package."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in OPTIONAL:
            raise ImportError(name)


def import_project() -> None:
    """Import the modules of the project, but for those that need an optional package, and compile its templates."""
    root = Path(__file__).parents[1]
    sys.meta_path.insert(0, Absent())
    for floor in ("solvers", "problems", "ttsuite"):
        for file in sorted((root / floor).rglob("*.py")):
            *packages, name = file.relative_to(root).with_suffix("").parts
            if name != "__main__":
                with contextlib.suppress(ImportError):
                    importlib.import_module(".".join(packages if name == "__init__" else [*packages, name]))
    del sys.meta_path[0]
    from ttsuite.pages.render import _environment

    environment = _environment()
    for template in environment.list_templates(["j2"]):
        environment.get_template(template)


if __name__ == "__main__":
    from forked_workers import fork_workers
    from no_figures import draw_only

    sys.path.pop(0)  # this folder, which no command sees
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # as the command has it
    warm_up()
    import_project()
    gc.freeze()  # what is imported stays: no collection of a command walks it
    serve(sys.argv[1])
    from ttsuite.pages import compare_page, report
    from ttsuite.scans import scan_pages

    draw_only(compare_page, report, scan_pages)
    fork_workers()
    if Path(sys.argv[0]).name == SCRIPTS:
        del sys.argv[0]
        sys.path.insert(0, str(Path(sys.argv[0]).parent))
        runpy.run_path(sys.argv[0], run_name="__main__")
        sys.exit()
    from ttsuite.command.cli import main

    sys.exit(main())
