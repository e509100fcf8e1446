"""The terms of the sum: shapes, names and Hermiticity, every fault with the place in the file.

    H = sum_t c_t prod_k O_{t,k},        H = H^dagger  unless refused

Hermiticity is judged term by term first: equal products are added up, and c of a product must be the conjugate of c of
its conjugate. Products left over by that may still cancel (as the parts of Sx written out in S+ and S- do), so
their anti-Hermitian part is measured: its Frobenius norm is a sum of products of one-mode traces.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from problems.keys import shown
from problems.quantum.hamiltonians.terms.matrices import matrix
from problems.quantum.hamiltonians.terms.modes import Mode
from problems.quantum.hamiltonians.terms.names import Product, conjugate, parse, write

Coefficient = float | tuple[float, float]
Term = tuple[Coefficient, dict[int, str]]
Key = tuple[tuple[int, Product], ...]  # (mode, product) ascending in the mode, unit operators left out
MOST_TERMS = 200_000
NAMED = 8  # terms named in one refusal
MEASURED = 300  # products at most whose anti-Hermitian part is measured
MOST_ELEMENTS = 20_000_000  # of the matrices this takes
CANCELS = 1e-7  # relative to the products themselves: half the digits, as norms from traces have


class Faults:
    """Collects what is wrong and where, to be raised together; ``path`` counts from the key that is checked."""

    def __init__(self) -> None:
        self._found: list[InitErrorDetails] = []

    def add(self, path: tuple[str | int, ...], message: str, value: object = None) -> None:
        """Note a fault."""
        self._found.append({"type": "value_error", "loc": path, "input": value, "ctx": {"error": ValueError(message)}})

    def raise_any(self) -> None:
        """ValidationError with all of them, if there are any."""
        if self._found:
            raise ValidationError.from_exception_data("terms", self._found)


def number(coefficient: Coefficient) -> complex:
    """The coefficient as a number; [re, im] is a complex one."""
    return complex(*coefficient) if isinstance(coefficient, tuple) else complex(coefficient)


def key_of(names: Mapping[int, str], modes: Sequence[Mode]) -> Key:
    """The product that a term's mapping names."""
    parsed = ((k, parse(text, modes[k], k)) for k, text in sorted(names.items()))
    return tuple((k, product) for k, product in parsed if product)


def collect(terms: Sequence[Term], modes: Sequence[Mode]) -> dict[Key, complex]:
    """Products and their coefficients, equal products added up, in the order of first appearance."""
    table: dict[Key, complex] = {}
    for coefficient, names in terms:
        key = key_of(names, modes)
        table[key] = table.get(key, 0.0) + number(coefficient)
    return {key: c for key, c in table.items() if c != 0}


def checked(value: object, modes: Sequence[Mode] | None) -> tuple[Term, ...]:
    """The terms as data, or ValidationError with every fault; without ``modes`` only shapes are checked."""
    faults = Faults()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list of terms such as [0.5, {{0: q^2}}], found {_shown(value)}")
    if not value:
        raise ValueError("must hold at least one term, such as [0.5, {0: q^2}]")
    if len(value) > MOST_TERMS:
        raise ValueError(f"at most {MOST_TERMS} terms, found {len(value)}")
    terms = []
    for t, entry in enumerate(value):
        if not isinstance(entry, (list, tuple)) or len(entry) != 2:
            found = f"a list of {len(entry)}" if isinstance(entry, (list, tuple)) else _shown(entry)
            message = f"must be [coefficient, {{mode: operator, ...}}], as in [0.5, {{0: q^2}}], found {found}"
            faults.add((t,), message)
            continue
        terms.append((_coefficient(entry[0], t, faults), _names(entry[1], t, modes, faults)))
    faults.raise_any()
    if modes is not None:
        _hermitian(terms, modes, faults)
        faults.raise_any()
    return tuple(terms)


def _coefficient(value: object, t: int, faults: Faults) -> Coefficient:
    parts: Sequence[object] = value if isinstance(value, (list, tuple)) else [value]
    found = [v for v in parts if type(v) is int or type(v) is float]
    if len(parts) != (2 if parts is value else 1) or len(found) < len(parts):
        message = f"a coefficient must be a number, or [re, im] for a complex one, found {_shown(value)}"
        faults.add((t, 0), message)
        return 0.0
    if not all(math.isfinite(v) for v in found):
        faults.add((t, 0), "a coefficient must be finite")
        return 0.0
    return (float(found[0]), float(found[1])) if parts is value else float(found[0])


def _names(value: object, t: int, modes: Sequence[Mode] | None, faults: Faults) -> dict[int, str]:
    """The mapping of a term; YAML reads the operator 1 as a number, which is taken as its name."""
    if not isinstance(value, Mapping):
        faults.add((t, 1), f"must be a mapping from modes to operators, as in {{0: q^2, 1: q}}, found {_shown(value)}")
        return {}
    names = {}
    for written, name in value.items():
        # JSON, and the configuration a run writes down, have text for keys
        k = int(written) if isinstance(written, str) and written.isdecimal() else written
        if type(k) is not int:
            faults.add((t, 1, written), f"a mode is given by its number, from 0, found {shown(written)}")
            continue
        if k in names:
            faults.add((t, 1, written), f"mode {k} is given twice: write a product as in 'q p'")
            continue
        if type(name) is int and name == 1:
            name = "1"
        if not isinstance(name, str):
            faults.add((t, 1, k), f"must be the name of an operator, found {_shown(name)}")
            continue
        names[k] = name
        if modes is None:
            continue
        if not 0 <= k < len(modes):
            counted = f"modes are numbered 0 to {len(modes) - 1}" if len(modes) > 1 else "there is one mode, 0"
            faults.add((t, 1, k), f"there is no mode {k}: {counted}")
            continue
        try:
            parse(name, modes[k], k)
        except ValueError as error:
            faults.add((t, 1, k), str(error))
    return names


def _hermitian(terms: Sequence[Term], modes: Sequence[Mode], faults: Faults) -> None:
    """Name the terms whose conjugate is missing, unless what they lack cancels between them."""
    table = collect(terms, modes)
    size = max(map(abs, table.values()), default=0.0)
    lacking = {}
    for key, c in table.items():
        other = tuple((k, conjugate(product)) for k, product in key)
        there = table.get(other, 0.0)
        if abs(there - c.conjugate()) > 1e-12 * max(abs(c), abs(there), 1e-3 * size):
            lacking[key] = (c, other, there)
    if not lacking or (len(lacking) <= MEASURED and _cancels({key: c for key, (c, _, _) in lacking.items()}, modes)):
        return
    first: dict[Key, int] = {}
    for t, (_, names) in enumerate(terms):
        first.setdefault(key_of(names, modes), t)
    blamed = [key for key in lacking if lacking[key][1] not in lacking or first[key] >= first[lacking[key][1]]]
    for key in blamed[:NAMED]:
        c, other, there = lacking[key]
        if other == key:
            message = f"the sum is not Hermitian: {_written(key)} is its own conjugate, its coefficient must be real"
            message += f", found {_number(c)}"
        elif there:
            found, due = _apart(there, c.conjugate())
            message = f"the sum is not Hermitian: the conjugate of this term has the coefficient {found}, "
            message += f"which must be {due}"
        else:
            message = "the sum is not Hermitian: this term lacks its conjugate, "
            message += f"[{_number(c.conjugate())}, {_written(other)}]"
        faults.add((first[key],), message)
    if len(blamed) > NAMED:
        faults.add((first[blamed[NAMED]],), f"the sum is not Hermitian: {len(blamed) - NAMED} more terms like these")


def _cancels(table: Mapping[Key, complex], modes: Sequence[Mode]) -> bool:
    """Whether the sum of these products is Hermitian after all; False where that is too large to be measured.

    Cost O(P^2 n^2) a mode with P different operators, and O(products^2) a mode for the norm.
    """
    # of every mode, its different operators as (product, transposed), the unit operator first
    operators: dict[int, dict[tuple[Product, bool] | None, int]] = {}
    for k, product in {factor for key in table for factor in key}:
        known = operators.setdefault(k, {None: 0})
        for transposed in (False, True):
            known[product, transposed] = len(known)
    if sum(len(known) * modes[k].size ** 2 for k, known in operators.items()) > MOST_ELEMENTS:
        return False
    weights = []
    for key, c in table.items():
        c = c * 1j ** sum(matrix(modes[k], product)[0] for k, product in key)
        weights += [c, -c.conjugate()]
    gram = np.ones((len(weights), len(weights)))
    for k, known in operators.items():
        rows = [np.eye(modes[k].size)]
        for product, transposed in (entry for entry in known if entry is not None):
            one = matrix(modes[k], product)[1]
            rows.append(one.T if transposed else one)
        flat = np.array(rows).reshape(len(rows), -1)
        own = [dict(key).get(k) for key in table]
        where = [0 if product is None else known[product, flag] for product in own for flag in (False, True)]
        gram *= (flat @ flat.T / modes[k].size)[np.ix_(where, where)]
    found = np.array(weights)
    norm = float(np.real(found.conj() @ gram @ found))
    return norm <= CANCELS**2 * float(np.sum(np.abs(found) ** 2 * np.diag(gram)))


def _written(key: Key) -> str:
    return "{" + ", ".join(f"{k}: {write(product)}" for k, product in key) + "}"


def _number(c: complex, digits: int = 6) -> str:
    c = complex(c)
    return f"{c.real:.{digits}g}" if c.imag == 0 else f"[{c.real:.{digits}g}, {c.imag:.{digits}g}]"


def _apart(a: complex, b: complex) -> tuple[str, str]:
    """Two different numbers with as many digits as tell them apart."""
    digits = next((n for n in range(6, 17) if _number(a, n) != _number(b, n)), 17)
    return _number(a, digits), _number(b, digits)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else shown(value)
