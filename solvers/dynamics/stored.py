"""What an evolution continues from: the state between two steps, everything recorded until then, and the control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.checkpoint import Content, stored_train, train_arrays

if TYPE_CHECKING:
    from solvers.dynamics.driver import Driver

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


def content(driver: Driver, i: int) -> Content:
    """Everything needed to go on from output time i, or from within the interval after it."""
    stepper: Any = driver.stepper
    # where a train is a rounded view of the state, the state itself
    arrays, entry = train_arrays("state", stepper.kept() if driver.route == "full vectors" else stepper.train())
    arrays |= {f"row_{name}": np.array(values) for name, values in driver.rows.items()}
    arrays["steps"] = np.array(driver.steps)
    arrays["ledger"] = np.array(driver.ledger)
    data: dict[str, Any] = {"reached": i, "state": entry, "work": dict(driver.stepper.work)}
    data |= {"numbers": {name: getattr(driver, name) for name in NUMBERS}}
    data |= {"log": [driver.log.real, driver.log.imag], "shift": driver.stepper.shift}
    data |= {"errors": list(driver.errors), "counted": list(driver.counted)}
    # the length of its blocks that the implicit method found good
    return arrays, data | {"block": getattr(driver.stepper, "block", None)}


def continued(driver: Driver) -> int | None:
    """Put a driver into the state of its checkpoint: the output time that has reached; None where there is none."""
    loaded = driver.checkpoint.load()
    if loaded is None:
        return None
    arrays, data = loaded
    driver.stepper.load(stored_train(arrays, "state", data["state"]))
    driver.rows = {name[4:]: list(values) for name, values in arrays.items() if name.startswith("row_")}
    driver.steps, driver.ledger = list(arrays["steps"]), list(arrays["ledger"])
    driver.stepper.work.update(data["work"])
    if data["block"] is not None:
        driver.stepper.block = data["block"]  # type: ignore[attr-defined]
    for name in NUMBERS:
        setattr(driver, name, data["numbers"][name])
    driver.log, driver.stepper.shift = complex(*data["log"]), data["shift"]
    driver.errors, driver.counted = np.array(data["errors"]), np.array(data["counted"])
    driver.stepper.truncation, driver.stepper.residual = map(float, driver.counted)
    return int(data["reached"])
