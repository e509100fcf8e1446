"""The packages of the suite beside this one, and that they are its own."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def check_floors() -> None:
    """Raise ImportError, in one clear line, where another folder shadows this suite's packages.

    ``solvers`` and ``problems`` are common names: a folder of that name in the directory a user works in is
    found first when Python is started with ``-m`` or ``-c``.
    """
    home = Path(__file__).resolve().parent.parent
    for name in ("solvers", "problems"):
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ImportError(f"the package {name!r} of ttsuite is missing: install ttsuite again")
        places = [Path(place).resolve() for place in spec.submodule_search_locations or [spec.origin or ""]]
        if home / name not in places:
            raise ImportError(
                f"{places[0]} shadows the package {name!r} of ttsuite: rename it or work in another folder"
            )
