"""Dimension trees: which modes are separated from which, and in which order.

A tree is a mode (a whole number from 0) or a pair of trees: ((0, 1), (2, 3)) is balanced, (0, (1, (2, 3))) that of a
train. Every mode is in one leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

Tree: TypeAlias = "int | tuple[Tree, Tree]"


def balanced(d: int, first: int = 0) -> Tree:
    """The tree of ``d`` modes that halves them, the first half the longer one."""
    if d < 1:
        raise ValueError(f"a tree needs at least one mode, not {d}")
    half = (d + 1) // 2
    return first if d == 1 else (balanced(half, first), balanced(d - half, first + half))


def linear(d: int) -> Tree:
    """The tree of a train: one mode after the other is split off."""
    if d < 1:
        raise ValueError(f"a tree needs at least one mode, not {d}")
    tree: Tree = d - 1
    for k in range(d - 2, -1, -1):
        tree = (k, tree)
    return tree


def checked(tree: object, d: int) -> Tree:
    """``tree`` with pairs as tuples. Raises ValueError unless each of the modes 0 ... d - 1 is in one leaf."""
    found = _pairs(tree)
    if sorted(modes_of(found)) != list(range(d)):
        raise ValueError(f"the tree needs each of the modes 0 to {d - 1} once, not {list(modes_of(found))}")
    return found


def _pairs(tree: object) -> Tree:
    if isinstance(tree, int) and not isinstance(tree, bool):
        return tree
    if isinstance(tree, Sequence) and not isinstance(tree, str) and len(tree) == 2:
        return _pairs(tree[0]), _pairs(tree[1])
    raise ValueError(f"a tree is a mode or a pair of trees, not {tree!r}")


def modes_of(tree: Tree) -> tuple[int, ...]:
    """The modes below, from left to right."""
    return (tree,) if isinstance(tree, int) else modes_of(tree[0]) + modes_of(tree[1])


def nodes(tree: Tree) -> Iterator[Tree]:
    """All nodes, sons before their parents, the root last."""
    if not isinstance(tree, int):
        yield from nodes(tree[0])
        yield from nodes(tree[1])
    yield tree


def levels(tree: Tree) -> list[list[Tree]]:
    """The nodes at each depth, the root first."""
    found, now = [], [tree]
    while now:
        found.append(now)
        now = [son for node in now if not isinstance(node, int) for son in node]
    return found


def text(tree: Tree) -> str:
    """((1 2) (3 4)): modes from 1."""
    return str(tree + 1) if isinstance(tree, int) else f"({text(tree[0])} {text(tree[1])})"
