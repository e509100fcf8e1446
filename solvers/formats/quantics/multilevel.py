"""The multilevel preconditioner of Bramble, Pasciak and Xu in quantics form, and the slopes of what it gives, fused.

On N = 2^L nodes x_j = j / N, j = 1 .. N, of each of D axes, index j - 1, with P_l the interpolation from level l,

    C = 2^(-D L) sum_l 2^((D - 1) l) P_l P_l^T,      Theta_k = N (1 - S_k) C,   S_k the shift by one node on axis k.

u = C v turns -div(a grad u) = f into the well-conditioned sum_k Theta_k^T a_k Theta_k v = C f, and Theta_k v is the
slope of u. Theta_k has cores of its own, never the product of N (1 - S) with C, which loses 2^L rounding errors: that
makes ranks and errors independent of L. Bachmayr, Kazeev, Found. Comput. Math. 20, 1175 (2020). Both are one core
repeated L times, an automaton that switches once from the first kind to the second,

    P_l = U ... U X ... X (l times U),    U a carry to the left,    X[a, i, b] = [[1 + i, i], [1 - i, 2 - i]] / 2.

One mode of size 2^D a level (the bits of all axes, axis 0 slowest). TT-ranks 4^D + 4^D for C, 4^D + 2 4^(D - 1) for
Theta_k; with zeros at both ends 5^D instead of the first 4^D: the last hat is taken off, by a state of its own.
Index letters: a, b states, i row bit, j column bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from solvers.cards import Card, Fact
from solvers.formats.quantics.bits import check_levels
from solvers.formats.trains.operator import TTOperator

SHIFT = np.zeros((2, 2, 2, 2))  # a, i, j, b
SHIFT[0, 0, 0, 0] = SHIFT[0, 1, 1, 0] = SHIFT[0, 1, 0, 1] = SHIFT[1, 0, 1, 1] = 1.0
INTERPOLATION = 0.5 * np.array([[[1.0, 0.0], [2.0, 1.0]], [[1.0, 2.0], [0.0, 1.0]]])  # a, i, b
HELD = {("dirichlet", "neumann"): False, ("dirichlet", "dirichlet"): True}


@dataclass(frozen=True, eq=False)
class Multilevel(Card):
    """``preconditioner`` C and ``slopes`` Theta_k, one an axis, on grids of 2^levels nodes an axis."""

    levels: int
    ends: tuple[tuple[str, str], ...]
    preconditioner: TTOperator
    slopes: tuple[TTOperator, ...]

    def worded(self) -> list[Fact]:
        """Nodes, ends and ranks."""
        return [
            ("nodes", " x ".join([f"2^{self.levels}"] * len(self.ends))),
            ("ends", "; ".join(", ".join(pair) for pair in self.ends)),
            ("ranks", f"{self.preconditioner.max_rank}, slopes {self.slopes[0].max_rank}"),
        ]


def multilevel(levels: int, ends: Sequence[tuple[str, str]]) -> Multilevel:
    """C and Theta_k for one to three axes, each with ``ends`` ("dirichlet", "neumann") or ("dirichlet", "dirichlet").

    With zeros at both ends, node N of an axis is a zero row and column: add e_N e_N^T to a system before it is solved.
    Raises ValueError for other ends, more axes, and levels out of 1 .. 60.
    """
    check_levels([levels])
    pairs = [(str(left), str(right)) for left, right in ends]
    if not 1 <= len(pairs) <= 3 or any(pair not in HELD for pair in pairs):
        raise ValueError(f"ends are one to three pairs of {list(HELD)}, not {list(ends)}")
    d = len(pairs)
    held = [HELD[pair] for pair in pairs]
    carry = _kron([_carries(one) for one in held])
    start = _kron([_start(one) for one in held])
    whole = [_two(INTERPOLATION) for _ in pairs]
    c = _automaton(0.5 * carry, _kron([_switch(one) for one in held]), 0.5**d * _kron(whole), start, levels)
    slopes = []
    for k in range(d):
        parts = [_slope() if j == k else core for j, core in enumerate(whole)]
        switches = [_switch(one, slope=j == k) for j, one in enumerate(held)]
        slopes.append(_automaton(carry, _kron(switches), 0.5**d * _kron(parts), start, levels))
    return Multilevel(levels, tuple(pairs), c, tuple(slopes))


def _carries(held: bool) -> np.ndarray:
    """Core (4, 2, 2, 4) of U U^T, with the state of the last hat (5, ...) where both ends are held."""
    core = np.einsum("aikb,cjkd->acijbd", SHIFT, SHIFT).reshape(4, 2, 2, 4)
    if not held:
        return core
    wide = np.zeros((5, 2, 2, 5))
    wide[:4, :, :, :4] = core
    wide[4, 1, 1, 4] = 1.0
    return wide


def _two(interpolation: np.ndarray) -> np.ndarray:
    """X X^T: (4, 2, 2, 4)."""
    return np.einsum("aib,cjd->acijbd", interpolation, interpolation).reshape(4, 2, 2, 4)


def _slope() -> np.ndarray:
    """1 X^T, (2, 2, 2, 2): slopes of interpolants are constant on intervals."""
    return np.repeat(INTERPOLATION[:, None], 2, axis=1)


def _switch(held: bool, slope: bool = False) -> np.ndarray:
    """From states of the first kind to the second: (4 or 5, 4 or 2), the last hat as minus the first state."""
    into = np.kron(np.array([[1.0], [-1.0]]), np.eye(2)) if slope else np.eye(4)
    return np.concatenate([into, -into[:1]]) if held else into


def _start(held: bool) -> np.ndarray:
    return np.array([1.0, 0.0, 0.0, 0.0, 1.0]) if held else np.array([1.0, 0.0, 0.0, 0.0])


def _kron(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Kronecker products over the axes, of every index."""
    return reduce(np.kron, parts)


def _automaton(first: np.ndarray, switch: np.ndarray, second: np.ndarray, start: np.ndarray, levels: int) -> TTOperator:
    """Cores [[first, switch second], [0, second]]; ended as the second kind in its first state."""
    a, n, m, _ = first.shape
    b = second.shape[0]
    core = np.zeros((a + b, n, m, a + b))
    core[:a, :, :, :a] = first
    core[:a, :, :, a:] = np.tensordot(switch, second, axes=(1, 0))
    core[a:, :, :, a:] = second
    begin = np.concatenate([start, np.zeros(b)])[None]
    end = np.concatenate([switch[:, 0], np.eye(b)[0]])[:, None]
    cores = [core] * levels
    cores[0] = np.tensordot(begin, cores[0], axes=(1, 0))
    cores[-1] = np.tensordot(cores[-1], end, axes=(3, 0))
    return TTOperator(tuple(cores))
