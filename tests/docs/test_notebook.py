"""The example notebooks run from top to bottom, and are stored with the outputs of such a run."""

import json
import re
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOK = EXAMPLES / "first-run.ipynb"
LARGEST = 300_000  # bytes
DRAW_ONLY = f"""\
import sys
sys.path.append({str(Path(__file__).parents[1])!r})
from no_figures import draw_only
from ttsuite.pages import report
draw_only(report)
"""


def texts(outputs):
    """What the outputs of a cell print."""
    return "".join("".join(output.get("text", "")) for output in outputs)


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda notebook: notebook.stem)
def test_a_notebook_is_stored_with_its_outputs(notebook):
    content = notebook.read_text(encoding="utf-8")
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
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    stored = [texts(cell.outputs) for cell in code]
    # the first run writes the files of its figures, the others draw them
    notebook.cells.insert(notebook.cells.index(code[0]) + 1, nbformat.v4.new_code_cell(DRAW_ONLY))
    # raises for a cell that fails
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [texts(cell.outputs) for cell in code] == stored


@pytest.mark.slow
def test_the_notebook_of_networks_runs(tmp_path):
    """Its numbers are of the machine and the version of PyTorch: they are not compared."""
    pytest.importorskip("torch", reason="the extra 'networks' is not installed")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    notebook = nbformat.read(EXAMPLES / "compressed-network.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
