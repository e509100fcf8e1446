"""The force fields that come with the suite."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.readers.table import read_csv

DATA = Path(__file__).parents[1] / "data" / "force_fields"


def shipped() -> list[str]:
    """Names of the force fields that come with the suite."""
    return sorted(path.stem for path in DATA.glob("*.csv") if not path.stem.endswith("_levels"))


def load_force_field(name_or_path: str | Path) -> ForceField:
    """A shipped force field by name, or one from a CSV file.

    Raises ProblemError, with file and line, for anything wrong in the file.
    """
    if str(name_or_path) in shipped():
        return _shipped(str(name_or_path))
    return read_csv(Path(name_or_path))


@cache
def _shipped(name: str) -> ForceField:
    """The field of that name, one object, so that what is found out about it is found out once a process."""
    return read_csv(DATA / f"{name}.csv", name=name)
