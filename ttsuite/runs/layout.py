"""What a run folder is made of: the names of its files that other modules read, and how a run can have ended."""

from __future__ import annotations

CONFIGURATION_FILE = "configuration.yaml"  # the study with every default filled in, written first
STATES_FILE = "states.npz"
RESULT_FILE = "result.npz"

# the ``status`` of report.json
FINISHED = "finished"
NOT_CONVERGED = "not_converged"
INTERRUPTED = "interrupted"
FAILED = "failed"
RUNNING = "running"
