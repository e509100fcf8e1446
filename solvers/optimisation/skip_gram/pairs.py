"""How often two words stand near each other: counts of pairs within a window, blocks of text weighted."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse


def cooccurrences(ids: np.ndarray, blocks: np.ndarray, weights: np.ndarray, window: int, size: int) -> sparse.csr_array:
    """Counts (size, size) of the pairs at most ``window`` places apart, each in both orders.

    ``ids`` (t,): words from 0 in the order of the text; ``blocks`` (t,): the block of each, not falling; a pair counts
    ``weights`` (of a block) where both words are of one block. Cost O(t window), a sort of them included.
    """
    found = sparse.csr_array((size, size))
    for apart in range(1, min(window, len(ids) - 1) + 1):
        first, second = ids[:-apart], ids[apart:]
        counted = np.where(blocks[:-apart] == blocks[apart:], weights[blocks[:-apart]], 0.0)
        kept = counted > 0.0
        found = found + sparse.coo_array((counted[kept], (first[kept], second[kept])), shape=(size, size)).tocsr()
    both = sparse.csr_array(found + found.T)
    both.sum_duplicates()
    return both
