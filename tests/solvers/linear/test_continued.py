"""A solution that was stopped and goes on is that of a call left alone, whichever step it was stopped in."""

import numpy as np
import pytest
from linear_cases import helmholtz, laplacian

from solvers import checkpoint
from solvers.checkpoint import CheckpointError
from solvers.formats.trains.construct import ones
from solvers.linear import task as module
from solvers.linear.solve import solve
from solvers.methods import ALS, DMRG, AMEn


@pytest.fixture(autouse=True)
def every_sweep_is_written(monkeypatch):
    monkeypatch.setattr(checkpoint, "QUIET", np.inf)
    monkeypatch.setattr(module, "DIRECT_FIRST", 0)
    monkeypatch.setattr(module, "DIRECT_LAST", 0)


CASES = {
    "amen": (laplacian(4, 6), ones((6,) * 4), AMEn(enrichment=2), 1e-9, {}),
    "amen, a start": (laplacian(5, 8), ones((8,) * 5), AMEn(), 1e-8, {"start": ones((8,) * 5) * 1e-2}),
    "dmrg": (laplacian(5, 10), ones((10,) * 5), DMRG(), 1e-8, {}),
    "als": (laplacian(4, 8), ones((8,) * 4), ALS(rank=3), 1e-8, {}),
    "minimised": (helmholtz(3, 6, 5.0, 6.0), ones((6,) * 3), AMEn(), 1e-8, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_it_goes_on_to_the_same_solution(name, tmp_path, monkeypatch):
    if name == "minimised":
        monkeypatch.setattr(module.Task, "_by_sweeps", lambda self, best: None)
    a, b, method, accuracy, options = CASES[name]
    whole = solve(a, b, method=method, accuracy=accuracy, throw=False, **options)
    steps = len(whole.history)
    assert steps >= 2

    for after in {1, steps // 2, steps}:
        file = tmp_path / f"{after}.npz"

        def leave(state, after=after):
            if state.step == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            solve(a, b, method=method, accuracy=accuracy, throw=False, callback=leave, checkpoint=file, **options)
        told = []
        again = solve(
            a, b, method=method, accuracy=accuracy, throw=False, callback=told.append, checkpoint=file, **options
        )
        assert (again.status, again.extra["route"]) == (whole.status, whole.extra["route"])
        assert (again.value - whole.value).norm() <= 1e-7 * whole.value.norm()
        assert again.residual[0] <= max(accuracy, 1.001 * whole.residual[0])
        if name != "minimised":  # whose corrections begin again
            assert again.counts == whole.counts
            assert [state.step for state in again.history] == list(range(1, steps + 1))
            assert [state.step for state in told] == list(range(after + 1, steps + 1))


def test_a_file_of_another_system_is_refused(tmp_path):
    file = tmp_path / "x.npz"
    solve(laplacian(4, 8), ones((8,) * 4), checkpoint=file)
    with pytest.raises(CheckpointError, match="another computation"):
        solve(laplacian(4, 8) * 2.0, ones((8,) * 4), checkpoint=file)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_any_scale_is_its_own_question(scale, tmp_path):
    """Squares of such numbers leave the range of double precision."""
    a, b = laplacian(3, 6), ones((6,) * 3) * scale
    first = solve(a, b, checkpoint=tmp_path / "x.npz")
    assert solve(a, b, checkpoint=tmp_path / "x.npz").counts == first.counts
    with pytest.raises(CheckpointError, match="another computation"):
        solve(a, b * 2.0, checkpoint=tmp_path / "x.npz")
