"""Made-up states for the tests of scans."""

import pytest
from scan_cases import Numerics


@pytest.fixture
def numerics(monkeypatch):
    return Numerics(monkeypatch)
