"""An operator in cores of definite charge: the test whether it conserves charges, and the form sector trains need.

An operator is a train over pairs (row, column) of functions, whose charge is that of the row less that of the column;
it conserves the charges where the whole of it has charge zero. Where the cores given do not show that by themselves
(products of matrices that mix charges, rounded operators), every bond index is split by charge from the left:

1. The rows of each charge that reach a bond, orthonormalised; what is left goes into the next core.
2. At the end what arrives with another charge than zero is what the operator does not conserve, its norm exact.
3. The same from the right, which removes what leads nowhere.
Singh, Pfeifer, Vidal, Phys. Rev. A 82, 050301 (2010). Cost O(d q n^2 R^3) for q charges on a bond.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.operator_factors import factorised
from solvers.measured import amount
from solvers.sectors.group import added, taken
from solvers.sectors.operator import SectorOperator
from solvers.sectors.train import ModeCharges

BROKEN = 1e-12  # of the operator's norm: more of it changes the charge
NOTHING = 1e-15  # of the largest singular value: a direction of a bond that is rounding

Blocks = dict[tuple[int, int], np.ndarray]  # (charge before, charge behind) -> (r, rows, columns, r')


def conserving(operator: TTOperator, modes: ModeCharges) -> TTOperator:
    """The operator in cores and factors of definite charge; ``modes``: its functions in ascending charge.

    Raises ValueError where it does not conserve the charges.
    """
    try:
        SectorOperator(operator.conj() if operator.dtype.kind != "c" else _modulus(operator), modes)
        return operator
    except ValueError:
        pass
    cores = _split(operator.cores, [_pair_charges(mode) for mode in modes], operator.norm())
    own = [_assembled(blocks) for blocks in cores]
    return TTOperator(tuple(core for core, _ in own), tuple(factors for _, factors in own))


def _modulus(operator: TTOperator) -> TTOperator:
    """A real operator with the entries' pattern, of which charges are read."""
    factors = [operator.factors_at(k) for k in range(operator.d)]
    sizes = tuple((np.abs(c), np.abs(m)) for c, m in factors)
    cores = tuple(np.ascontiguousarray(np.einsum("pab,pij->aijb", c, m)) for c, m in sizes)
    return TTOperator(cores, sizes)


def _pair_charges(mode: tuple[tuple[int, int], ...]) -> np.ndarray:
    own = [c for c, n in mode for _ in range(n)]
    return np.array([[taken(i, j) for j in own] for i in own], dtype=np.int64)


def _split(cores: Sequence[np.ndarray], pairs: Sequence[np.ndarray], norm: float) -> list[Blocks]:
    found: list[Blocks] = []
    carries: dict[int, np.ndarray] = {0: np.ones((1, 1))}
    for core, pair in zip(cores, pairs):
        blocks: Blocks = {}
        for a, carry in carries.items():
            moved = np.tensordot(carry, core, 1)
            for q in np.unique(pair):
                part = moved * (pair == q)[None, :, :, None]
                if part.any():
                    blocks[a, added(a, int(q))] = part
        carries = {}
        kept: Blocks = {}
        top = max(float(np.linalg.norm(part)) for part in blocks.values()) if blocks else 0.0
        for c in sorted({c for _, c in blocks}):
            before = [a for a, b in blocks if b == c]
            stacked = np.concatenate([blocks[a, c].reshape(-1, core.shape[3]) for a in before])
            u, s, vt = np.linalg.svd(stacked, full_matrices=False)
            r = int(np.sum(s > NOTHING * top))
            if not r:
                continue
            carries[c] = s[:r, None] * vt[:r]
            rows = np.split(u[:, :r], np.cumsum([blocks[a, c][..., 0].size for a in before])[:-1])
            for a, part in zip(before, rows):
                there = np.any(blocks[a, c], axis=3, keepdims=True)
                kept[a, c] = np.where(there, part.reshape(*blocks[a, c].shape[:3], r), 0.0)
        found.append(kept)
    other = float(np.sqrt(sum(float(np.sum(np.abs(x) ** 2)) for c, x in carries.items() if c)))
    if other > BROKEN * norm or not norm > 0.0:
        raise ValueError(
            f"the operator does not conserve the charges given: {amount(other / norm if norm > 0.0 else 0.0)} of its "
            "norm changes them"
        )
    last = {(a, c): part @ carries[0] for (a, c), part in found[-1].items() if c == 0}
    return _from_the_right([*found[:-1], last])


def _from_the_right(found: list[Blocks]) -> list[Blocks]:
    """Step 3."""
    for k in range(len(found) - 1, 0, -1):
        blocks, carries, kept = found[k], {}, {}
        top = max(float(np.linalg.norm(part)) for part in blocks.values())
        for a in sorted({a for a, _ in blocks}):
            behind = [c for b, c in blocks if b == a]
            stacked = np.concatenate([blocks[a, c].reshape(len(blocks[a, c]), -1) for c in behind], axis=1)
            u, s, vt = np.linalg.svd(stacked, full_matrices=False)
            r = int(np.sum(s > NOTHING * top))
            if not r:
                continue
            carries[a] = u[:, :r] * s[:r]
            columns = np.split(vt[:r], np.cumsum([blocks[a, c][0].size for c in behind])[:-1], axis=1)
            for c, part in zip(behind, columns):
                kept[a, c] = np.where(blocks[a, c].any(axis=0), part.reshape(r, *blocks[a, c].shape[1:]), 0.0)
        found[k] = kept
        found[k - 1] = {(a, c): part @ carries[c] for (a, c), part in found[k - 1].items() if c in carries}
    return found


def _assembled(blocks: Blocks) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The core, and factors of definite charge."""
    before = {a: part.shape[0] for (a, _), part in blocks.items()}
    behind = {c: part.shape[3] for (_, c), part in blocks.items()}
    rows, columns = _starts(before), _starts(behind)
    shape = next(iter(blocks.values())).shape[1:3]
    dtype = np.result_type(*blocks.values())
    core = np.zeros((sum(before.values()), *shape, sum(behind.values())), dtype=dtype)
    coefficients, matrices = [], []
    for q in sorted({taken(c, a) for a, c in blocks}):
        own = np.zeros_like(core)
        for (a, c), part in blocks.items():
            if taken(c, a) == q:
                i, j = rows[a], columns[c]
                own[i : i + part.shape[0], :, :, j : j + part.shape[3]] = part
        core += own
        own_coefficients, own_matrices = factorised(own)
        coefficients.append(own_coefficients)
        matrices.append(own_matrices)
    return core, (np.concatenate(coefficients), np.concatenate(matrices))


def _starts(sizes: dict[int, int]) -> dict[int, int]:
    found, at = {}, 0
    for charge in sorted(sizes):
        found[charge] = at
        at += sizes[charge]
    return found
