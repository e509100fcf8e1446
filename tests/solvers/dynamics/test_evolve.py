"""What drives the steppers: times, records, growth, control, checkpoints, refusals."""

import numpy as np
import pytest
from dynamics_cases import exact, ising, overlap, product
from scipy.sparse.linalg import expm_multiply

from solvers.dynamics import second_look
from solvers.dynamics.driver import Driver
from solvers.dynamics.enlarge import energy
from solvers.dynamics.evolve import evolve
from solvers.dynamics.sparse import sparse_matrix
from solvers.dynamics.tdvp import TDVPStepper
from solvers.formats.trains.construct import identity_operator, random_train, unit
from solvers.formats.trains.operator import TTOperator
from solvers.formats.trains.sum_of_products import sum_of_products
from solvers.methods import BUG, TDVP, Implicit
from solvers.solution import NotConverged, Status


def test_records():
    operator, start = ising(6), product([0] * 6)
    times = np.linspace(1.0, 2.0, 6)
    seen = []
    method = TDVP(time_step=0.1, max_rank=8)
    solution = evolve(
        operator, start, times, method=method, accuracy=1e-4, callback=seen.append, observe=overlap(start)
    )
    value = solution.value
    assert value.times is not None and len(value.norms) == len(value.energies) == len(value.errors) == 6
    assert value.ranks.shape == (6, 7) and value.observed["a"][0] == pytest.approx(1.0)
    assert len(value.step_sizes) == solution.counts["steps"] and value.step_sizes.sum() == pytest.approx(1.0)
    assert len(seen) == 6 and seen[-1].fraction == 1.0
    assert value.energies[0] == pytest.approx(energy(operator, start)) == pytest.approx(-5.0)
    assert np.all(np.diff(value.errors) >= 0.0) and solution.residual[0] == value.errors[-1]
    assert value.step_errors[-1] > 0.0


def test_adaptive_steps_follow_the_accuracy():
    operator, start = ising(9), product([0] * 9)
    counts = {}
    for accuracy in (1e-2, 1e-4):
        solution = evolve(operator, start, [0.0, 3.0], method=TDVP(max_rank=14), accuracy=accuracy)
        counts[accuracy] = solution.counts["steps"]
        assert np.linalg.norm(solution.value.state.full().ravel() - exact(operator, start, 3.0)) <= accuracy
        assert solution.value.errors[-1] <= accuracy
    assert counts[1e-4] > 1.3 * counts[1e-2]


def test_ranks_grow_only_as_needed():
    operator, start = ising(12), product([0] * 12)
    method = TDVP(time_step=0.2, max_rank=60)
    ranks = {}
    for accuracy in (0.1, 1e-3):
        value = evolve(operator, start, np.linspace(0.0, 2.0, 3), method=method, accuracy=accuracy).value
        ranks[accuracy] = value.ranks
        assert np.all(np.diff(value.ranks.max(axis=1)) >= 0)
    assert 1 < ranks[0.1].max() < ranks[1e-3].max() < 60


def test_a_rank_cap_that_spoils_the_result_is_said():
    operator, start = ising(10), product([0] * 10)
    with pytest.raises(NotConverged, match="max_rank") as caught:
        evolve(operator, start, [0.0, 4.0], method=TDVP(time_step=0.1, max_rank=3), accuracy=1e-6)
    assert caught.value.solution.status is Status.RANK_LIMIT
    assert caught.value.solution.value.projection_errors[-1] > 1e-6


def test_a_step_that_is_too_long_is_said():
    operator, start = ising(9), product([0] * 9)
    solution = evolve(
        operator, start, [0.0, 3.0], method=TDVP(order=1, time_step=0.5, max_rank=14), accuracy=1e-4, throw=False
    )
    assert solution.status is Status.STEP_LIMIT


def test_a_step_that_cannot_meet_its_accuracy_ends_it(monkeypatch):
    operator, start = ising(6), product([0] * 6)
    noise = np.random.default_rng(0)
    plain = TDVPStepper.advance

    def noisy(stepper, h):
        plain(stepper, h)
        stepper.chain.x[0] = stepper.chain.x[0] * (1.0 + 1e-3 * noise.standard_normal())

    monkeypatch.setattr(TDVPStepper, "advance", noisy)
    solution = evolve(operator, start, [0.0, 0.5, 1.0], accuracy=1e-6, throw=False)
    assert solution.status is Status.STEP_LIMIT and "time_step" in solution.status.value
    assert len(solution.value.times) == len(solution.value.norms) < 3 and solution.counts["rejected"] > 5


@pytest.mark.parametrize(
    ("method", "d", "end", "accuracy"),
    [
        (TDVP(time_step=0.1, max_rank=12), 6, 2.0, 1e-4),
        (TDVP(max_rank=12), 6, 2.0, 1e-4),
        (TDVP(sites=2, max_rank=12), 6, 2.0, 1e-4),
        (BUG(max_rank=4), 4, 0.3, 1e-3),
        (Implicit(), 3, 0.3, 1e-3),
    ],
)
def test_interrupted_and_resumed(method, d, end, accuracy, tmp_path):
    operator, start = ising(d), product([0] * d)
    times = np.linspace(0.0, end, 11)
    options = {"method": method, "accuracy": accuracy, "observe": overlap(start), "throw": False}
    plain = evolve(operator, start, times, **options)
    file = tmp_path / "state.npz"

    def stop(state):
        if state.extra["time"] > 0.55 * end:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evolve(operator, start, times, checkpoint=file, callback=stop, **options)
    resumed = evolve(operator, start, times, checkpoint=file, **options)
    for name in ("norms", "energies", "ranks", "projection_errors", "truncation_errors", "step_errors", "step_sizes"):
        np.testing.assert_allclose(getattr(resumed.value, name), getattr(plain.value, name), atol=1e-12)
    np.testing.assert_allclose(resumed.value.observed["a"], plain.value.observed["a"], atol=1e-12)
    assert (resumed.value.state - plain.value.state).norm() <= 1e-12
    assert resumed.counts == plain.counts
    finished = evolve(operator, start, times, checkpoint=file, **options)  # nothing is left to do
    assert (finished.value.state - plain.value.state).norm() <= 1e-12


def test_damaged_and_foreign_checkpoints(tmp_path):
    operator, start = ising(4), product([0] * 4)
    file = tmp_path / "state.npz"
    evolve(operator, start, [0.0, 0.1], checkpoint=file, accuracy=1e-3)
    with pytest.raises(ValueError, match="another computation"):
        evolve(operator, start, [0.0, 0.2], checkpoint=file, accuracy=1e-3)
    file.with_name("state.npz.previous").unlink(missing_ok=True)
    content = file.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"no archive", content[:200] + b"\0" * 60 + content[260:]):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="checkpoint"):
            evolve(operator, start, [0.0, 0.1], checkpoint=file, accuracy=1e-3)
    np.savez(file, core_0=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="checkpoint"):
        evolve(operator, start, [0.0, 0.1], checkpoint=file, accuracy=1e-3)


def test_refusals():
    operator, start = ising(4), product([0] * 4)
    with pytest.raises(ValueError, match="does not act"):
        evolve(operator, product([0] * 5), [0.0, 1.0])
    for times in ([0.0, 0.0], [1.0, 0.5], [], [0.0, np.nan]):
        with pytest.raises(ValueError, match="times"):
            evolve(operator, start, times)
    with pytest.raises(ValueError, match="accuracy"):
        evolve(operator, start, [0.0, 1.0], accuracy=0.0)
    with pytest.raises(ValueError, match="factor"):
        evolve(operator, start, [0.0, 1.0], factor=0.0)
    with pytest.raises(ValueError, match="zero"):
        evolve(operator, start * 0.0, [0.0, 1.0])
    first = operator.cores[0] + 0.1 * np.eye(2, k=1)[None, :, :, None]
    lossy = TTOperator((first, *operator.cores[1:]))
    with pytest.raises(ValueError, match="not Hermitian"):
        evolve(lossy, start, [0.0, 1.0])
    for options in ({"factor": -1.0}, {"dissipative": True, "factor": -1j}):
        target = lossy if "dissipative" in options else operator
        with pytest.raises(ValueError, match="order 4"):
            evolve(target, start, [0.0, 1.0], method=TDVP(order=4), **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TDVP(sites=3),
        lambda: TDVP(order=3),
        lambda: TDVP(time_step=-1.0),
        lambda: TDVP(max_rank=0),
        lambda: TDVP(krylov_dimension=1),
        lambda: BUG(tol=2.0),
        lambda: BUG(max_rank=0),
        lambda: Implicit(degree=0),
        lambda: Implicit(time_step=float("nan")),
    ],
)
def test_impossible_methods(make):
    with pytest.raises(ValueError, match="give"):
        make()


def test_one_time_only():
    operator, start = ising(4), random_train((2,) * 4, 2, np.random.default_rng(0))
    solution = evolve(operator, start, [0.0], accuracy=1e-3)
    assert solution.converged and (solution.value.state - start).norm() <= 1e-12


@pytest.mark.parametrize("method", [TDVP(max_rank=8), TDVP(sites=2, max_rank=8), BUG(max_rank=8)])
def test_an_offset_changes_nothing_but_the_norm(method):
    operator, start = ising(6), product([0, 1, 0, 0, 0, 1])
    plain = evolve(operator, start, [0.0, 1.0], method=method, factor=-1.0, accuracy=1e-5)
    lifted = operator + 200.0 * identity_operator(start.shape)
    moved = evolve(lifted, start, [0.0, 1.0], method=method, factor=-1.0, accuracy=1e-5)
    difference = (moved.value.state * np.exp(200.0) - plain.value.state).norm() / plain.value.state.norm()
    assert difference < 1e-5 and moved.residual[0] < 1e-5
    assert moved.value.log_norms[-1] == pytest.approx(plain.value.log_norms[-1] - 200.0, abs=1e-4)


def test_a_norm_beyond_the_range_of_numbers_is_kept_as_its_logarithm():
    operator, start = ising(6), product([0] * 6)
    seen = []
    solution = evolve(
        operator,
        start,
        [0.0, 100.0, 300.0],
        factor=-1.0,
        accuracy=1e-4,
        throw=False,
        observe=lambda t, x: seen.append(x.norm()) or {},
    )
    levels, vectors = np.linalg.eigh(operator.full())
    weights = (vectors.T @ start.full().ravel()) ** 2
    logs = [-levels[0] * t + 0.5 * np.log(weights @ np.exp(-2.0 * t * (levels - levels[0]))) for t in (100.0, 300.0)]
    value = solution.value
    assert solution.status is Status.OUT_OF_RANGE and "logarithm" in solution.status.value
    np.testing.assert_allclose(value.log_norms[1:], logs, atol=1e-4)
    assert value.energies[-1] == pytest.approx(levels[0], rel=1e-4) and value.errors[-1] < 1e-4
    assert seen[-1] == pytest.approx(1.0) and np.isfinite(seen).all()


def test_a_small_state_is_looked_at_whole():
    operator, start = ising(6), product([0] * 6)
    solution = evolve(operator, start, [0.0, 1.0], accuracy=1e-5)
    (look,) = solution.checked
    assert look.passed and "64 entries" in look.how


def test_a_large_one_keeps_norm_and_energy(monkeypatch):
    monkeypatch.setattr(second_look, "LARGEST", 0)
    operator, start = ising(6), product([0] * 6)
    solution = evolve(operator, start, [0.0, 1.0], accuracy=1e-5)
    (look,) = solution.checked
    assert look.passed and "energy" in look.what
    plain = TDVPStepper.advance

    def lossy(stepper, h):
        plain(stepper, h)
        stepper.rescale(np.exp(-0.1 * h))  # which steps of any length agree on

    monkeypatch.setattr(TDVPStepper, "advance", lossy)
    assert evolve(operator, start, [0.0, 1.0], accuracy=1e-5, throw=False).status is Status.CONTRADICTED


def test_a_reaction_of_three_species_from_one_state():
    """A product state far from rest: what grows from nothing is 1e-13 after a step, and three modes move at once."""
    n = 24
    least, room = (lambda k: np.diag((np.arange(n) >= k) * 1.0)), (lambda k: np.diag((np.arange(n) < n - k) * 1.0))

    def move(k):  # down by k and where that is possible, up by k and where that is
        return [np.eye(n, k=k) @ least(k), least(k), np.eye(n, k=-k) @ room(k), room(k)]

    two, one = [np.eye(n), *move(2)], [np.eye(n), *move(1)]
    back = [one[i] for i in (0, 3, 4, 1, 2)]
    terms = [(c * s, dict.fromkeys(range(3), i)) for c, k in ((2.0, 1), (1.0, 3)) for s, i in ((1.0, k), (-1.0, k + 1))]
    operator = sum_of_products([np.array(two), np.array(one), np.array(back)], terms)
    start = unit((n,) * 3, [11, 12, 0])
    right = expm_multiply(2.0 * sparse_matrix(operator, 1e7), start.full().ravel())
    for method, steps in ((TDVP(max_rank=24), 100), (TDVP(sites=2, max_rank=24), 100), (BUG(max_rank=24), 60)):
        solution = evolve(operator, start, [0.0, 2.0], factor=1.0, method=method, accuracy=1e-5, throw=False)
        assert solution.status is Status.CONVERGED and solution.counts["steps"] <= steps
        assert np.linalg.norm(solution.value.state.full().ravel() - right) <= 1e-5


def test_nothing_is_said_of_a_time_that_was_not_reached(monkeypatch):
    monkeypatch.setattr(Driver, "_adapted", lambda driver, *_: setattr(driver, "stuck", True))
    solution = evolve(ising(4), product([0] * 4), [0.0, 1.0], accuracy=1e-3, throw=False)
    assert solution.status is Status.STEP_LIMIT and solution.residual[0] == np.inf
