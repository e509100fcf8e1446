"""Vibrational Hamiltonians of QCMaquis: products of ladder operators, cm-1, modes counted from 1.

     2.06242167E+02   1   1  0  0  0  0     w_1 / 4 (b^+ + b)^2
    -2.06242167E+02  -1  -1  0  0  0  0    -w_1 / 4 (b^+ - b)^2
    -1.49526860E+01   1   1  6  0  0  0

A coefficient and the operators of its product from left to right: k is b_k^+ + b_k = sqrt(2) q_k, -k is b_k^+ - b_k =
-sqrt(2) D_k with D = d/dq, 0 nothing (Glaser, Baiardi and Reiher, J. Chem. Theory Comput. 19, 9329 (2023)). The two
rows of a mode give its frequency; products with other momenta, as of the rotation terms, are brought into the form of
module rotation: per mode q^a D^b, then with S_a = (q^a D + D q^a) / 2

    q^a D = S_a - a/2 q^(a-1),    q^a D^2 = D q^a D - a S_(a-1) + a(a-1)/2 q^(a-2),

and what is not symmetric cancels in a Hamiltonian.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from problems.quantum.hamiltonians.force_field.molecule import Molecule
from problems.quantum.hamiltonians.force_field.rotation import PARTS, Factor
from problems.quantum.readers.polynomial import MAX_ORDER, beyond_harmonic, number
from problems.quantum.readers.reader import KEY, beginning, text_lines
from problems.tables import FileFaults

ROW = re.compile(r"\s*[-+]?\d+\.\d*(?:[eEdD][-+]?\d+)?(?:\s+-?\d+){2,}\s*$")
MOMENTA = re.compile(r"\s-\d+\s+-\d+\s")
LOOKED_AT = 3  # lines
SKEW = 1e-6  # relative: what is not symmetric in a file that prints nine digits
Word = dict[tuple[int, int], float]  # (a, b) -> coefficient of q^a D^b
Products = dict[tuple[tuple[int, Factor], ...], float]


def reads(path: Path) -> bool:
    """Whether rows of a coefficient and signed modes begin a file, momenta among them."""
    text = beginning(path)
    rows = [line for line in text.splitlines()[:-1] if line.strip()]
    return len(rows) >= LOOKED_AT and all(map(ROW.match, rows[:LOOKED_AT])) and MOMENTA.search(text + "\n") is not None


def read(path: Path) -> Molecule:
    """The field in a file, with its products of momenta. Raises ProblemError with every fault, each with its place."""
    faults = FileFaults(path.name, KEY)
    products: Products = defaultdict(float)
    highest = 0
    for line, text in enumerate(text_lines(path), start=1):
        cells = text.split()
        if cells:
            operators = _operators(cells[1:], line, faults)
            value = number(cells[0], "coefficient", line, 1, faults)
            if operators and value is not None:
                highest = max(highest, *map(abs, operators))
                _add(products, operators, value, line, faults)
    if not products and not faults.found:
        faults.add("empty: expected rows of a coefficient and modes", 1)
    faults.raise_any()
    skew = max((abs(c) for key, c in products.items() if _antisymmetric(key)), default=0.0)
    kept: Products = {key: c for key, c in products.items() if c and not _antisymmetric(key)}
    if skew > SKEW * max(map(abs, kept.values())):
        faults.add("products with momenta are not symmetric (those of internal coordinates are not read)", 1)
    frequencies = [-2.0 * kept.pop(((k, (0, 2)),), 0.0) for k in range(highest)]
    for k, w in enumerate(frequencies, start=1):
        if w <= 0.0:
            faults.add(f"no kinetic energy of mode {k} (a negative coefficient before -{k} -{k})", 1)
    faults.raise_any()
    terms = {tuple(k for k, (a, _) in key for _ in range(a)): c for key, c in kept.items() if _of_coordinates(key)}
    constant = terms.pop((), 0.0)
    field = beyond_harmonic(path.stem, np.array(frequencies), terms, path)
    momenta = {key: c for key, c in kept.items() if not _of_coordinates(key)}
    if momenta and constant:
        momenta[()] = constant
    return Molecule(replace(field, rotation=momenta))


def _operators(cells: Iterable[str], line: int, faults: FileFaults) -> list[int]:
    """The signed modes of a product; empty, and a fault, for anything else."""
    found = []
    for column, cell in enumerate(cells, start=2):
        if not re.fullmatch(r"-?\d{1,4}", cell):
            faults.add(f"a mode must be a whole number, negative for a momentum, found {cell!r}", line, column)
            return []
        if int(cell):
            found.append(int(cell))
    if not 1 <= len(found) <= MAX_ORDER:
        faults.add(f"a product of 1 to {MAX_ORDER} operators expected, found {len(found)}", line)
        return []
    return found


def _add(products: Products, operators: list[int], value: float, line: int, faults: FileFaults) -> None:
    """A product of operators into ``products``, in the form of module rotation."""
    words: dict[int, Word] = {}
    for operator in operators:
        words[abs(operator) - 1] = _times(words.get(abs(operator) - 1, {(0, 0): 1.0}), operator > 0)
    size = value * 2.0 ** (0.5 * len(operators)) * (-1.0) ** sum(k < 0 for k in operators)
    shapes = []
    for k, word in sorted(words.items()):
        shape = _symmetric(word)
        if any(n and (a, n) not in PARTS for a, n in shape):
            faults.add(f"a product with such momenta of mode {k + 1} is not read", line)
            return
        shapes.append([(k, factor, c) for factor, c in shape.items()])
    for choice in itertools.product(*shapes):
        key = tuple((k, factor) for k, factor, _ in choice if factor != (0, 0))
        products[key] += size * math.prod(c for _, _, c in choice)


def _times(word: Word, coordinate: bool) -> Word:
    """q^a D^b times q or D from the right, as such products."""
    found: Word = defaultdict(float)
    for (a, b), c in word.items():
        if coordinate:
            found[a + 1, b] += c
            if b:
                found[a, b - 1] += b * c
        else:
            found[a, b + 1] += c
    return found


def _symmetric(word: Word) -> dict[Factor, float]:
    """q^a D^b as q^a, S_a and D q^a D; factors of three derivatives and more keep their number."""
    found: dict[Factor, float] = defaultdict(float)
    for (a, b), c in word.items():
        found[a, b] += c
        if b == 1 and a:
            found[a - 1, 0] -= 0.5 * a * c
        elif b == 2 and a:
            found[a - 1, 1] -= a * c
            if a > 1:
                found[a - 2, 0] += 0.5 * a * (a - 1) * c
    return {factor: c for factor, c in found.items() if c}


def _antisymmetric(key: tuple[tuple[int, Factor], ...]) -> bool:
    return sum(n == 1 for _, (_, n) in key) % 2 == 1


def _of_coordinates(key: tuple[tuple[int, Factor], ...]) -> bool:
    return all(n == 0 for _, (_, n) in key)
