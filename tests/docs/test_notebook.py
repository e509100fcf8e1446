"""The example notebook runs from top to bottom, and is stored with the outputs of such a run."""

import json
import re
import shutil
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first-run.ipynb"
LARGEST = 300_000  # bytes


def texts(outputs):
    """What the outputs of a cell print."""
    return "".join("".join(output.get("text", "")) for output in outputs)


def test_the_notebook_is_stored_with_its_outputs():
    content = NOTEBOOK.read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell["outputs"] for cell in cells) and len(content) < LARGEST
    assert all(output["output_type"] != "error" for cell in cells for output in cell["outputs"])
    # no path of the machine it was run on
    assert not re.search(r"/(home|tmp|work|Users|root)/", content)


def test_the_notebook_runs_and_prints_what_is_stored(tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="the extra 'test' is not installed")
    nbformat = pytest.importorskip("nbformat")
    shutil.copy(NOTEBOOK, tmp_path)
    notebook = nbformat.read(tmp_path / NOTEBOOK.name, as_version=4)
    stored = [texts(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]
    # raises for a cell that fails
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [texts(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"] == stored
