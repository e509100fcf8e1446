"""Polynomial force fields in dimensionless normal coordinates.

    H = sum_i (w_i / 2) (p_i^2 + q_i^2) + sum_t c_t prod_{i in t} q_i ,

where t runs over unique multisets of modes. A CSV file lists full derivatives phi, each multiset once;
the Taylor expansion with unrestricted sums (1/n!) sum phi_{i1..in} q_i1 ... q_in collects every
permutation of a multiset, hence c = phi / prod_i m_i! with m_i the multiplicity of mode i in it.

Files count modes from 1, this module's arrays and terms from 0.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from problems.errors import ProblemError

DATA = Path(__file__).parent / "data"
KEY = "problem.force_field"
HEADER = ["order", "modes", "coefficient_cm-1"]
MAX_ORDER = 6
_INTEGER = re.compile(r"[0-9]{1,4}")
_MODES = re.compile(r"[0-9]{1,4}(-[0-9]{1,4})*")


@dataclass(frozen=True, eq=False)
class ForceField:
    """A polynomial force field.

    Attributes
    ----------
    name : shown in reports.
    unit : of all energies, ``cm-1`` or ``model units``.
    frequencies : (d,) harmonic frequencies w, read-only, positive.
    terms : sorted 0-based modes with repetition -> coefficient c of their product (see the module's formula);
        without the harmonic w_i q_i^2 / 2.
    source : the file it came from, or None.

    Raises ValueError for NaN, infinity, frequencies that are not positive, or modes out of range.
    """

    name: str
    unit: str
    frequencies: np.ndarray
    terms: Mapping[tuple[int, ...], float]
    source: Path | None = None

    def __post_init__(self) -> None:
        frequencies = np.array(self.frequencies, dtype=float)
        if frequencies.ndim != 1 or not frequencies.size:
            raise ValueError("frequencies must be a vector with at least one entry")
        if not np.all(np.isfinite(frequencies)) or np.any(frequencies <= 0):
            raise ValueError("frequencies must be positive and finite")
        for modes, coefficient in self.terms.items():
            if list(modes) != sorted(modes) or not modes or modes[0] < 0 or modes[-1] >= frequencies.size:
                raise ValueError(f"term {modes} must be sorted modes from 0 to {frequencies.size - 1}")
            if not math.isfinite(coefficient):
                raise ValueError(f"the coefficient of term {modes} is not finite")
        frequencies.flags.writeable = False
        object.__setattr__(self, "frequencies", frequencies)
        object.__setattr__(self, "terms", MappingProxyType(dict(self.terms)))

    def __reduce__(self) -> tuple:
        # a read-only mapping does not travel to worker processes as it is
        return ForceField, (self.name, self.unit, np.array(self.frequencies), dict(self.terms), self.source)

    @property
    def d(self) -> int:
        """Number of modes."""
        return self.frequencies.size

    @property
    def order(self) -> int:
        """Highest power in the potential, at least 2."""
        return max((len(modes) for modes in self.terms), default=2)

    def potential(self, q: np.ndarray) -> np.ndarray:
        """Potential energy at points ``q`` (..., d), in ``unit``; cost O(terms * points)."""
        q = np.asarray(q, dtype=float)
        value = 0.5 * (q**2 @ self.frequencies)
        for modes, coefficient in self.terms.items():
            value = value + coefficient * np.prod(q[..., list(modes)], axis=-1)
        return value


@lru_cache(4)
def coupled_oscillators(dimension: int, coupling: float) -> ForceField:
    """Bilinearly coupled oscillators: w_j = sqrt(j/2), j = 1..d, and coupling * sum_{i<j} q_i q_j.

    Leclerc and Carrington, J. Chem. Phys. 140, 174111 (2014); Thomas and Carrington, J. Phys. Chem. A 119,
    13074 (2015). Exactly solvable: see ``references.normal_mode_levels``.
    """
    frequencies = np.sqrt(np.arange(1, dimension + 1) / 2.0)
    terms: dict[tuple[int, ...], float] = {}
    for i in range(dimension):
        for j in range(i + 1, dimension):
            terms[i, j] = coupling
    return ForceField(f"coupled oscillators, d = {dimension}", "model units", frequencies, terms)


def henon_heiles(dimension: int, coupling: float) -> ForceField:
    """Henon-Heiles chain: w = 1 and coupling * sum_k (q_k^2 q_{k+1} - q_{k+1}^3 / 3).

    Nest and Meyer, J. Chem. Phys. 117, 10499 (2002). Unbounded below; its low levels are
    long-lived resonances.
    """
    terms: dict[tuple[int, ...], float] = {}
    for k in range(dimension - 1):
        terms[(k, k, k + 1)] = coupling
        terms[(k + 1, k + 1, k + 1)] = -coupling / 3.0
    return ForceField(f"Henon-Heiles, d = {dimension}", "model units", np.ones(dimension), terms)


def shipped() -> list[str]:
    """Names of the force fields that come with the suite."""
    return sorted(path.stem for path in DATA.glob("*.csv") if not path.stem.endswith("_levels"))


def load_force_field(name_or_path: str | Path) -> ForceField:
    """A shipped force field by name, or one from a CSV file.

    Raises ProblemError, with file and line, for anything wrong in the file.
    """
    if str(name_or_path) in shipped():
        return read_csv(DATA / f"{name_or_path}.csv", name=str(name_or_path))
    return read_csv(Path(name_or_path))


def read_csv(path: Path, name: str | None = None) -> ForceField:
    """Read a force field from a CSV file: ``#`` comments, then ``order,modes,coefficient_cm-1``.

    Order 2 rows hold the harmonic frequencies (equal modes, as in ``2,3-3,1413``), rows of order 3 to 6
    full derivatives phi in cm-1 (``4,1-1-3-3,12.5``), each multiset of modes once. Modes are those with a
    frequency row, numbered from 1 without a gap.

    Raises ProblemError, its text starting with ``file:line:``, for anything else.
    """
    frequencies: dict[int, float] = {}
    seen: dict[tuple[int, ...], tuple[int, float]] = {}
    for line, row in _rows(path):
        modes, value = _parse(row, f"{path.name}:{line}: ")
        if modes in seen:
            first, before = seen[modes]
            kind = "is listed twice" if value == before else f"contradicts {before:g} given before"
            text = "-".join(map(str, modes))
            raise ProblemError(f"{path.name}:{line}: {text} {kind} (line {first})", KEY)
        seen[modes] = (line, value)
        if len(modes) == 2:
            frequencies[modes[0]] = value
    if not frequencies:
        raise ProblemError(f"{path.name}: no harmonic frequencies (rows of order 2, as in 2,1-1,3065)", KEY)
    d = max(frequencies)
    if missing := sorted(set(range(1, d + 1)) - set(frequencies)):
        raise ProblemError(
            f"{path.name}: no frequency row for mode {missing[0]} (modes are numbered from 1 without a gap;"
            f" the highest with a frequency is {d})",
            KEY,
        )
    terms: dict[tuple[int, ...], float] = {}
    for modes, (line, phi) in seen.items():
        if modes[-1] > d:
            raise ProblemError(
                f"{path.name}:{line}: mode {modes[-1]} is out of range: frequency rows give modes 1 to {d}", KEY
            )
        if len(modes) > 2:
            multiplicity = math.prod(math.factorial(m) for m in Counter(modes).values())
            terms[tuple(mode - 1 for mode in modes)] = phi / multiplicity
    values = np.array([frequencies[mode] for mode in range(1, d + 1)])
    return ForceField(name or path.stem, "cm-1", values, terms, path)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Data rows with their line numbers, the header checked."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ProblemError(f"no such file: {path}", KEY) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ProblemError(f"{path.name}:{line}: not UTF-8 text", KEY) from None
    except OSError as error:
        raise ProblemError(f"cannot read {path}: {error.strerror}", KEY) from None
    header = False
    for line, content in enumerate(text.splitlines(), start=1):
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        row = [cell.strip() for cell in next(csv.reader([content]))]
        if not header:
            if row != HEADER:
                raise ProblemError(f"{path.name}:{line}: the header must read {','.join(HEADER)}", KEY)
            header = True
            continue
        yield line, row
    if not header:
        raise ProblemError(f"{path.name}: empty: expected the header {','.join(HEADER)} and rows below it", KEY)


def _parse(row: list[str], where: str) -> tuple[tuple[int, ...], float]:
    """Sorted modes and coefficient of one row; every refusal names ``where``."""
    if len(row) != 3:
        raise ProblemError(f"{where}expected three columns ({','.join(HEADER)}), found {len(row)}", KEY)
    order_text, modes_text, value_text = row
    if not _INTEGER.fullmatch(order_text) or not 1 <= int(order_text) <= MAX_ORDER:
        raise ProblemError(f"{where}order must be a number from 2 to {MAX_ORDER}, found {order_text!r}", KEY)
    order = int(order_text)
    if order == 1:
        raise ProblemError(f"{where}order 1 is refused: expand the field where no force remains", KEY)
    if not _MODES.fullmatch(modes_text):
        raise ProblemError(f"{where}modes must read like 1-1-3, found {modes_text!r}", KEY)
    modes = tuple(sorted(int(mode) for mode in modes_text.split("-")))
    if len(modes) != order:
        raise ProblemError(f"{where}order {order} needs {order} modes, found {len(modes)} in {modes_text}", KEY)
    if modes[0] < 1:
        raise ProblemError(f"{where}mode 0 is out of range: modes are numbered from 1", KEY)
    if order == 2 and modes[0] != modes[1]:
        raise ProblemError(f"{where}order 2 with different modes is refused: use normal modes", KEY)
    try:
        value = float(value_text.replace("_", "?"))  # float() would read 1_000
    except ValueError:
        raise ProblemError(f"{where}coefficient must be a number, found {value_text!r}", KEY) from None
    if not math.isfinite(value):
        raise ProblemError(f"{where}coefficient must be finite, found {value_text}", KEY)
    if order == 2 and value <= 0:
        raise ProblemError(f"{where}the frequency of mode {modes[0]} must be positive, found {value_text}", KEY)
    return modes, value
