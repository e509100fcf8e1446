"""What a result needs to be believed and repeated: versions, commit, seed, machine, BLAS."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ttsuite.data import Data
from ttsuite.version import __version__
from ttsuite.workers.executors import available_cores

_ROOT = Path(__file__).resolve().parents[2]


def provenance(seed: int, workers: int, started: datetime) -> Data:
    """A JSON-ready record. Neither paths nor the machine's or the user's name are in it."""
    return {
        "ttsuite": __version__,
        "git_commit": git_commit(_ROOT),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("numpy", "scipy", "numba")},
        "seed": seed,
        "workers": workers,
        "blas": blas(),
        "cpu": cpu_model(),
        "cores": available_cores(),
        "platform": f"{platform.system()} {platform.machine()}",
        "started": started.isoformat(timespec="seconds"),
    }


def git_commit(folder: Path) -> str | None:
    """Commit of the checkout with top ``folder``, ``-modified`` where it was changed; None elsewhere."""
    if not (folder / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("-modified" if changed else "")


def blas() -> list[Data]:
    """Every BLAS loaded in this process: name, version, threads."""
    import numpy  # noqa: F401  only what is loaded can be seen
    from threadpoolctl import threadpool_info

    found = [entry for entry in threadpool_info() if entry.get("user_api") == "blas"]
    keys = {
        "internal_api": "name",
        "version": "version",
        "num_threads": "threads",
        "architecture": "architecture",
    }
    shown = [{name: entry.get(key) for key, name in keys.items()} for entry in found]
    return sorted(shown, key=str)  # they are loaded in any order


def cpu_model() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        try:
            return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
        except (OSError, subprocess.SubprocessError):
            pass
    return platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
