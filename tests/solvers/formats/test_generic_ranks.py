"""Generic ranks of every format, against published tables; the example of the theorem, and its proof by integers."""

import numpy as np
import pytest
from tensors_of_known_rank import theorem_example

from solvers.formats.generic_ranks import exact_ranks, generic_ranks
from solvers.formats.hierarchical.tree import balanced, levels

# format, d, n, width, TT-ranks, HT ranks by level from the root, rank of the odd-even unfolding: of dense random
# tensors by SVD at 1e-9, three seeds each, which agree
PUBLISHED = [
    ("tt", 4, 2, 2, "2 2 2", "2 2", 4),
    ("tt", 8, 2, 2, "2 2 2 2 2 2 2", "2 4 2", 16),
    ("tt", 8, 3, 2, "2 2 2 2 2 2 2", "2 4 3", 54),
    ("tt", 8, 3, 3, "3 3 3 3 3 3 3", "3 9 3", 81),
    ("tt", 8, 4, 2, "2 2 2 2 2 2 2", "2 4 4", 128),
    ("ht", 4, 3, 2, "2 2 2", "2 2", 4),
    ("ht", 8, 2, 2, "2 2 4 2 4 2 2", "2 2 2", 16),
    ("ht", 8, 3, 2, "2 2 4 2 4 2 2", "2 2 2", 16),
    ("ht", 8, 3, 3, "3 3 9 3 9 3 3", "3 3 3", 81),
    ("ht", 16, 2, 2, "2 2 4 2 4 4 4 2 4 4 4 2 4 2 2", "2 2 2 2", 256),
    ("cp", 8, 2, 3, "2 3 3 3 3 3 2", "3 3 2", 3),
    ("cp", 8, 3, 5, "3 5 5 5 5 5 3", "5 5 3", 5),
    ("cp", 4, 4, 6, "4 6 4", "6 4", 6),
    ("tt", 6, 2, 2, "2 2 2 2 2", "", 8),
    # by integer cores modulo 2^31 - 1
    ("tt", 10, 2, 2, "", "", 32),
    ("tt", 10, 2, 3, "", "", 32),
    ("tt", 12, 2, 2, "", "", 64),
    ("ht", 8, 2, 3, "", "", 16),
]


@pytest.mark.parametrize(("format", "d", "n", "width", "tt", "ht", "odd_even"), PUBLISHED)
def test_generic_ranks_are_those_measured(format, d, n, width, tt, ht, odd_even):
    found = generic_ranks(format, (n,) * d, width)
    assert found.odd_even == odd_even and found.cp_at_least == odd_even
    assert not tt or found.tt == tuple(map(int, tt.split()))
    assert not ht or found.ht == tuple(map(int, ht.split()))


def test_the_theorem_bounds_the_odd_even_rank_from_below():
    for d, n, width in [(2, 3, 2), (4, 2, 3), (4, 3, 2), (6, 2, 2), (6, 3, 2)]:
        assert generic_ranks("tt", (n,) * d, width).odd_even >= min(n, width) ** (d // 2)


@pytest.mark.parametrize(("d", "n", "r"), [(4, 2, 2), (6, 3, 2), (8, 2, 3), (8, 3, 3)])
def test_the_example_of_the_theorem(d, n, r):
    """TT-ranks (q, 1, q, ...), and an odd-even unfolding that is the identity of size q^(d/2), q = min(n, r)."""
    q = min(n, r)
    tensor = theorem_example(d, n, r)
    found = exact_ranks(tensor)
    assert found.tt == tuple(q if k % 2 == 0 else 1 for k in range(d - 1))
    assert found.odd_even == q ** (d // 2) == tensor.sum()


def test_tucker_ranks_are_the_widths_that_fit():
    assert generic_ranks("tucker", (5, 5, 5), 3).tucker == (3, 3, 3)
    assert generic_ranks("tucker", (2, 9, 9), 4).tucker == (2, 4, 4)
    assert generic_ranks("tucker", (4, 4, 4, 4), 2).tt == (2, 4, 2)


def test_the_balanced_tree_has_as_many_levels_as_ranks():
    assert len(generic_ranks("ht", (2,) * 5, 2).ht) == len(levels(balanced(5))) - 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", (2, 2), 1), "format must be one of tt, ht, cp, tucker"),
        (("tt", (2,), 1), "at least two modes"),
        (("tt", (2, 0), 1), "sizes and a width"),
        (("cp", (2, 2), 0), "sizes and a width"),
        (("tt", (2,) * 30, 1), "more than"),
    ],
)
def test_what_has_no_ranks_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        generic_ranks(*arguments)


def test_entries_that_are_not_whole_have_no_exact_ranks():
    with pytest.raises(ValueError, match="whole numbers"):
        exact_ranks(np.full((2, 2), 0.5))
