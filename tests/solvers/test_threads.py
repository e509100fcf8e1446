"""Solvers keep BLAS to one thread, unless a user says otherwise, and give back what they found."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import ttsuite
from solvers import threads
from solvers.threads import VARIABLES, one_blas_thread


def in_use():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def free(monkeypatch):
    """No variable set, and two threads at hand."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    threads._controller.cache_clear()
    with threadpool_limits(limits=2, user_api="blas"):
        if in_use() != {2}:
            pytest.skip("this BLAS has one thread")
        yield


@pytest.mark.usefixtures("free")
def test_one_thread_inside_and_two_after():
    @one_blas_thread
    def inner():
        return in_use()

    @one_blas_thread
    def outer():
        return in_use(), inner(), in_use()

    assert outer() == ({1}, {1}, {1}) and in_use() == {2}


@pytest.mark.usefixtures("free")
def test_after_an_error_too():
    @one_blas_thread
    def fails():
        raise ValueError

    with pytest.raises(ValueError):
        fails()
    assert in_use() == {2}


@pytest.mark.usefixtures("free")
def test_who_asks_for_more_is_obeyed(monkeypatch):
    monkeypatch.setenv(VARIABLES[0], "1")  # after numpy has been imported
    assert one_blas_thread(in_use)() == {1}
    monkeypatch.setenv(VARIABLES[-1], "2")
    assert one_blas_thread(in_use)() == {2}


@pytest.mark.usefixtures("free")
def test_every_verb_is_limited():
    """What a user's function sees while a verb calls it."""
    seen = []

    def f(x):
        seen.append(in_use())
        return 1.0 / (1.0 + x.sum(axis=1))

    ttsuite.cross(f, (5, 5, 5), accuracy=1e-6)
    a = ttsuite.kronecker_sum([np.diag([1.0, 2.0])] * 12)
    ttsuite.eigsolve(a, 1, callback=lambda _: seen.append(in_use()))
    ttsuite.solve(a, ttsuite.ones((2,) * 12), callback=lambda _: seen.append(in_use()))
    assert seen and all(threads == {1} for threads in seen)
    verbs = "als_cross complete cross eig eigsolve elliptic evolve extreme gmres lstsq minimise multiply pinv regress"
    assert all(hasattr(getattr(ttsuite, verb), "__wrapped__") for verb in [*verbs.split(), "sample", "solve"])
