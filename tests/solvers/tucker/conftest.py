"""One BLAS thread, as in a run: the matrices of the axes are too small for more."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield
