"""Names of modes and of states in Herzberg's notation, and products of irreducible representations.

Modes are numbered by irreducible representation, in the order of the character tables, and within one by falling
frequency; partners of a degenerate pair share a number; the bend of a linear triatomic molecule is nu2 (Herzberg,
Infrared and Raman Spectra (1945), II.4, III.2). In an Abelian group the representation of a state is the product of
those of its quanta; the three signs of a name (A or B, subscript, g or u or primes) multiply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NAME = re.compile(r"(?P<label>[^\W\d][\w']*)\s*(?:\(\s*(?P<irrep>[A-Za-zΣΠΔ][\w'\"+-]*)\s*\))?")
_QUANTUM = re.compile(r"(?:nu|[vν])(?P<rest>\d\w*)")
_LETTERS = {"SG": "Σ", "PI": "Π", "DLT": "Δ", "DE": "Δ", "SIGMA": "Σ", "DELTA": "Δ", "PHI": "Φ"}
# irreducible representations in the order of the character tables
_FIRST = ("A", "B", "E", "T", "F", "Σ", "Π", "Δ", "Φ")
LAMBDA = ("Σ", "Π", "Δ", "Φ", "Γ")  # states of a linear molecule by their angular momentum about the axis


@dataclass(frozen=True)
class ModeName:
    """``label``: as ``nu5``, the same for partners of a degenerate pair; ``irrep``: as ``b2``, or empty."""

    label: str
    irrep: str = ""

    @property
    def order(self) -> tuple[int, str]:
        """By number, then as words."""
        digits = re.search(r"\d+", self.label)
        return (int(digits[0]) if digits else 10**6, self.label)


def mode_name(text: str) -> ModeName:
    """The name in a text like ``nu5(b2)`` or ``v5``. Raises ValueError for anything else."""
    found = _NAME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"must read like nu5 or nu5(b2), found {text!r}")
    return ModeName(canonical(found["label"]), found["irrep"] or "")


def canonical(label: str) -> str:
    """``v5`` and ``ν5`` as ``nu5``; other words as they are."""
    found = _QUANTUM.fullmatch(label)
    return f"nu{found['rest']}" if found else label


def numbered(d: int) -> list[ModeName]:
    """As the field numbers them."""
    return [ModeName(f"nu{k + 1}") for k in range(d)]


def herzberg(irreps: Sequence[str], frequencies: Sequence[float]) -> list[ModeName]:
    """Names of modes of these representations and frequencies, an entry a mode.

    Modes of a degenerate representation of equal frequency (to 1e-4) come in pairs. ``frequencies`` (d,), any unit.
    """
    parsed = [Irrep.of(text) for text in irreps]
    order = sorted(range(len(irreps)), key=lambda k: (parsed[k].order, -frequencies[k]))
    groups: list[list[int]] = []
    for k in order:
        last = groups[-1] if groups else []
        same = (
            last
            and parsed[last[0]] == parsed[k]
            and abs(frequencies[last[0]] - frequencies[k]) <= PAIR * frequencies[k]
        )
        if same and parsed[k].degenerate and len(last) < parsed[k].degenerate:
            last.append(k)
        else:
            groups.append([k])
    if len(irreps) == 4 and len(groups) == 3 and any(parsed[k].letter == "Π" for k in range(4)):
        bend = next(group for group in groups if parsed[group[0]].letter == "Π")
        others = [group for group in groups if group is not bend]
        groups = [others[0], bend, others[1]]
    names = [ModeName("")] * len(irreps)
    for number, group in enumerate(groups, start=1):
        for k in group:
            names[k] = ModeName(f"nu{number}", parsed[k].lower)
    return names


PAIR = 1e-4  # relative: frequencies of partners as outputs print them


@dataclass(frozen=True, order=True)
class Irrep:
    """An irreducible representation: letter, number, parity ``g`` or ``u``, primes (0, 1, 2), sign ``+`` or ``-``."""

    letter: str
    number: int = 0
    parity: str = ""
    primes: int = 0
    sign: str = ""

    @classmethod
    def of(cls, text: str) -> Irrep:
        """Read from what a program or a person writes: ``b2``, ``A'``, ``SGU``, ``B1u``, ``Pi``, ``E''``; a name that
        is none of these is a letter by itself."""
        word = text.strip().replace('"', "''").replace("?", "")
        primes = word.count("'")
        word = word.replace("'", "")
        upper = word.upper()
        for name in sorted(_LETTERS, key=len, reverse=True):
            if upper.startswith(name) and upper[len(name) :] in ("", "G", "U", "+", "-", "G+", "G-", "U+", "U-"):
                rest = upper[len(name) :].lower()
                letter = _LETTERS[name]
                return cls(letter, 0, rest[:1] if rest[:1] in "gu" else "", 0, _sign(letter, rest))
        found = re.fullmatch(r"([ABETFΣΠΔΦ])(\d*)([GU]?)(\d*)([+-]?)", upper)
        if found is None:
            return cls(word.lower())
        digits = found[2] or found[4]
        return cls(found[1], int(digits or 0), found[3].lower(), primes, _sign(found[1], found[5]))

    @property
    def degenerate(self) -> int:
        """How many partners, 0 for none."""
        return {"E": 2, "Π": 2, "Δ": 2, "Φ": 2, "T": 3, "F": 3}.get(self.letter, 0)

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """By which Herzberg numbers modes: g before u, one prime before two, then letter and number; Σg+ Σu+ Πg Πu."""
        letter = _FIRST.index(self.letter) if self.letter in _FIRST else len(_FIRST)
        parity, linear = "gu".find(self.parity), self.letter in LAMBDA
        return (0, self.primes, letter, parity, 0) if linear else (parity, self.primes, letter, self.number, 0)

    @property
    def text(self) -> str:
        """As of a state: ``B2``, ``A''``, ``Σu+``."""
        number = str(self.number) if self.number else ""
        return f"{self.letter}{number}{self.parity}{self.sign}{chr(39) * self.primes}"

    @property
    def lower(self) -> str:
        """As of a mode: ``b2``."""
        return self.text.replace(self.letter, self.letter.lower(), 1)


def _sign(letter: str, rest: str) -> str:
    """Of a sigma representation: ``+`` where nothing is said."""
    return "" if letter != "Σ" else "-" if "-" in rest else "+"


@dataclass(frozen=True)
class AbelianGroup:
    """Products of one-dimensional representations, as names; made from those that the modes have."""

    modes: tuple[Irrep, ...]
    by_number: bool  # D2 and D2h: A, B1, B2, B3 multiply as the numbers do
    subscripts: bool

    @classmethod
    def of(cls, irreps: Sequence[str], point_group: str = "") -> AbelianGroup | None:
        """The group of these representations, None where one is degenerate or no letter of such a group."""
        found = tuple(Irrep.of(text) for text in irreps)
        if not found or any(irrep.letter not in ("A", "B") for irrep in found):
            return None
        numbers = {irrep.number for irrep in found}
        plain = any(irrep.letter == "A" and not irrep.number for irrep in found)
        known = re.sub(r"\W", "", point_group).upper()
        by_number = 3 in numbers or known in ("D2", "D2H") or (plain and bool(numbers - {0}) and not known)
        if any(irrep.number > 3 for irrep in found):
            return None
        return cls(found, by_number, bool(numbers - {0}))

    def product(self, quanta: Sequence[int]) -> str:
        """Of a state with these ``quanta``, one a mode."""
        odd = [irrep for irrep, n in zip(self.modes, quanta, strict=True) if n % 2]
        parity = self._parity(sum(irrep.parity == "u" for irrep in odd) % 2)
        primes = self._primes(sum(irrep.primes == 2 for irrep in odd) % 2)
        if self.by_number:
            number = 0
            for irrep in odd:
                number ^= irrep.number if irrep.letter == "B" else 0
            return Irrep("B" if number else "A", number, parity, primes).text
        letter = "AB"[sum(irrep.letter == "B" for irrep in odd) % 2]
        number = 1 + sum(irrep.number == 2 for irrep in odd) % 2 if self.subscripts else 0
        return Irrep(letter, number, parity, primes).text

    def _parity(self, odd: int) -> str:
        return "gu"[odd] if any(irrep.parity for irrep in self.modes) else ""

    def _primes(self, odd: int) -> int:
        return 1 + odd if any(irrep.primes for irrep in self.modes) else 0


def state_name(quanta: Mapping[str, int], angular: Mapping[str, int], order: Mapping[str, tuple]) -> str:
    """``nu9 + 2nu12`` of the quanta of every label; with ``angular`` momenta l, ``2nu8^0``; ``0`` of no quanta.

    The l of a single quantum is not written where no other degenerate mode has one.
    """
    parts = []
    alone = sum(1 for label in angular if quanta.get(label)) == 1
    for label in sorted((label for label, n in quanta.items() if n), key=order.__getitem__):
        n = quanta[label]
        power = "" if label not in angular or (alone and n == 1) else f"^{angular[label]}"
        parts.append(f"{'' if n == 1 else n}{label}{power}")
    return " + ".join(parts) or "0"
