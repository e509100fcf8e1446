"""The integrators are tested on small states, which would otherwise be evolved as full vectors."""

import pytest

from solvers.dynamics import full_vectors


@pytest.fixture(autouse=True)
def by_the_method(monkeypatch):
    """Every evolution by its method; ``full_vectors.LARGEST`` as it was is returned."""
    largest = full_vectors.LARGEST
    monkeypatch.setattr(full_vectors, "LARGEST", 0)
    return largest
