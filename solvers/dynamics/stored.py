"""What an evolution continues from: the state between two steps, everything recorded until then, and the control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from solvers.checkpoint import Content, stored_train, train_arrays
from solvers.dynamics.evolving import Evolving

NUMBERS = (
    "h",
    "rate",
    "probed",
    "probed_at",
    "defect",
    "slope",
    "pending",
    "age",
    "since",
    "idle",
    "waited",
    "rejected",
    "stuck",
    "grown",
    "rest",
    "extreme",
)


def content(run: Evolving) -> Content:
    """Everything needed to go on from the output time reached, or from within the interval after it."""
    arrays, entry = train_arrays("state", run.stepper.kept())
    arrays |= {f"row_{name}": np.array(values) for name, values in run.rows.items()}
    arrays["steps"] = np.array(run.lengths)
    arrays["ledger"] = np.array(run.ledger)
    data: dict[str, Any] = {"reached": run.reached, "state": entry, "work": dict(run.stepper.work)}
    data |= {"numbers": {name: getattr(run, name) for name in NUMBERS}}
    data |= {"log": [run.log.real, run.log.imag], "shift": run.stepper.shift}
    data |= {"errors": list(run.errors), "counted": list(run.counted)}
    return arrays, data | {"stepper": run.stepper.memory()}


def restore(run: Evolving, arrays: Mapping[str, np.ndarray], data: Mapping[str, Any]) -> None:
    """Put an evolution into the state of ``content``."""
    run.stepper.load(stored_train(arrays, "state", data["state"]))
    run.rows = {name[4:]: list(values) for name, values in arrays.items() if name.startswith("row_")}
    run.lengths, run.ledger = list(arrays["steps"]), list(arrays["ledger"])
    run.stepper.work.update(data["work"])
    run.stepper.remember(data["stepper"])
    for name in NUMBERS:
        setattr(run, name, data["numbers"][name])
    run.log, run.stepper.shift = complex(*data["log"]), data["shift"]
    run.errors, run.counted = np.array(data["errors"]), np.array(data["counted"])
    run.stepper.truncation, run.stepper.residual = map(float, run.counted)
    run.reached = int(data["reached"])
