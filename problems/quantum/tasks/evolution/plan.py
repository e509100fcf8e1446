"""What a propagation would do, and what it is expected to take.

A step of order 2 has 2 (2 d - 1) local exponentials of about five products each; its error is measured by two halves,
which all but triples it. Ranks of a start grow to the cap within the first steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from problems.effort import INTERPRETER, SPEED, entries, listed, megabytes, of_spectrum, products, size
from problems.quantum.hamiltonians.system import System
from problems.quantum.tasks.evolution.keys import WavePacketSolver
from problems.quantum.tasks.evolution.propagate import ALWAYS, check_rank
from problems.quantum.tasks.evolution.solve import Prepared
from problems.report_parts import Effort

STEPS_A_UNIT = 20.0  # of natural time, for the accuracy 1e-3
FIRST_STEPS = 40  # short ones
SWEEPS = {1: 1, 2: 2, 4: 10}  # of a step, by its order
MEASURED = 2.7  # exponentials a step over those without the measurement of its error
PRODUCTS = 5.0  # of an exponential
PRODUCT = 2e-5  # seconds beside the flops
COMPLEX = 3.0  # flops of complex states over real ones


def plan(prepared: Prepared) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come."""
    return [
        *facts_of(prepared.system, prepared.solver, prepared.problem.measured),
        *(("warning", text) for text in prepared.warnings),
    ]


def estimate(prepared: Prepared, workers: int) -> Effort:
    """The expected time and memory."""
    return of_evolution(prepared.system, prepared.solver, prepared.problem.measured, workers)


def facts_of(system: System, solver: WavePacketSolver, observables: Sequence[str]) -> list[tuple[str, str]]:
    """Sizes, ranks and the steps to come of a propagation."""
    shape, rank = system.start.shape, min(solver.max_rank, system.largest_rank)
    second = check_rank(system, solver)
    step = "adapted to the accuracy" if solver.time_step is None else f"{solver.time_step:g} at most"
    reach = "half of that, and doubled" if _halved(system, observables) else "all of it"
    parts = [f"{solver.method}, {steps(system, solver, observables)} steps or so, {step}"]
    if second is not None:
        parts.append(f"a second run at rank {second} where the cap binds")
    if solver.eigenstates and not system.dissipative:
        parts.append(f"{solver.eigenstates} eigenvalues to show beneath the spectrum")
    return [
        ("modes", str(len(shape))),
        ("functions", listed(shape)),
        ("tensor of the state", entries(shape)),
        ("operator TT-ranks", listed(system.operator.ranks)),
        ("state", f"TT-ranks up to {rank}, {megabytes(size(shape, rank, 16))}"),
        ("times", f"to {solver.t_final:g} {system.time_unit} units, {solver.outputs} outputs; propagated to {reach}"),
        ("plan", "; ".join(parts)),
    ]


def steps(system: System, solver: WavePacketSolver, observables: Sequence[str]) -> int:
    """Steps expected of one run."""
    whole = solver.t_final / system.time_scale * (0.5 if _halved(system, observables) else 1.0)
    if solver.time_step is not None:
        return FIRST_STEPS + math.ceil(whole * system.time_scale / solver.time_step)
    finer = (1e-3 / float(solver.accuracy or 1e-3)) ** 0.15
    return FIRST_STEPS + math.ceil(STEPS_A_UNIT * finer * whole)


def _halved(system: System, observables: Sequence[str]) -> bool:
    """Whether the state is propagated to half the time only."""
    return system.doubles and all(name in ALWAYS for name in observables)


def of_evolution(system: System, solver: WavePacketSolver, observables: Sequence[str], workers: int) -> Effort:
    """The expected time and memory of a propagation, its second run and its eigenvalues."""
    shape, ranks = system.start.shape, system.operator.ranks
    d, rank = len(shape), min(solver.max_rank, system.largest_rank)
    sweeps = SWEEPS[solver.order] if solver.method in ("tdvp", "tdvp2") else 4.0
    sites = 2 * d - 1
    number = steps(system, solver, observables) * sweeps * sites * MEASURED * PRODUCTS
    flops = COMPLEX * sum(products(shape, ranks, rank)) / d
    wide = float(sum(shape)) / d if solver.method == "tdvp2" else 1.0
    seconds = 0.3 + number * (PRODUCT + min(wide, 4.0) * 0.5 * flops / SPEED)
    processes = 1
    if check_rank(system, solver) is not None:
        seconds *= 1.0 if workers > 1 else 1.7
        processes += workers if workers > 1 else 0
    memory = INTERPRETER * processes + 40.0 * size(shape, rank, 16)
    if solver.eigenstates and not system.dissipative:
        beneath = of_spectrum(shape, ranks, solver.eigenstates, min(50, system.largest_rank), False, workers)
        seconds, memory = seconds + beneath.seconds, max(memory, beneath.megabytes)
    return Effort(seconds, memory)
