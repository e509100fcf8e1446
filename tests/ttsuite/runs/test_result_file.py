"""The stored result: it comes back equal, and nothing damaged or foreign is ever made of it."""

import io
import json
import re
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from same_results import same

from problems.parametric_pde.result import RESULTS as PDE_RESULTS
from problems.parametric_pde.result import ParametricResult, QuantityResult
from problems.parametric_pde.statistics import Moments
from problems.parametric_pde.surrogate import Distribution
from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum.result import RESULTS, SpectrumResult
from problems.report_parts import Picture
from solvers.formats.trains.storage import save_trains
from solvers.formats.trains.tensor_train import TensorTrain
from solvers.solution import IterationState, Status
from ttsuite.actions.run import load
from ttsuite.command.cli import main
from ttsuite.pages.report import figures_of, plot_run, remake_report
from ttsuite.runs.result_file import RENAMED, load_result, save_result
from ttsuite.runs.run_folder import read_report, read_result


def test_a_result_comes_back(complete_run):
    folder, result = complete_run
    assert same(result, load_result(folder / "result.npz", folder / "states.npz", RESULTS))


@pytest.fixture
def stored(complete_run, tmp_path):
    """A small result with everything awkward in it, stored: its file, its trains' file, and itself."""
    train = TensorTrain((np.ones((1, 2, 3)), np.ones((3, 2, 1))))
    state = IterationState(
        1, "pass", 3, 0.5, energies=np.array([1.0, np.nan]), extra={"solves": np.int64(4), 2.5: (1, None)}
    )
    result = replace(
        complete_run[1],
        states=[train],
        history=[state, state],
        status=Status.RANK_LIMIT,
        timing={},
        completeness={"probe": {"x": float("inf"), "ü": [True], "first": train}},
        energies=np.array([1.0 + 2.0j]),
    )
    save_trains(tmp_path / "states.npz", {"only": train})
    save_result(tmp_path / "result.npz", result, {"only": train})
    return tmp_path / "result.npz", tmp_path / "states.npz", result


def test_everything_awkward_comes_back(stored):
    file, states, result = stored
    back = load_result(file, states, RESULTS)
    assert same(result, back)
    assert back.history[0] is back.history[1]  # one object stays one


def test_a_result_of_an_earlier_version_comes_back(stored):
    file, states, result = stored
    arrays = dict(np.load(file))
    manifest = json.loads(arrays["manifest"].tobytes())
    manifest["objects"][-1]["class"] = "VibrationalResult"
    written(file, manifest, **{name: array for name, array in arrays.items() if name != "manifest"})
    assert same(result, load_result(file, states, RESULTS))


def test_what_a_class_is_called_now_is_there():
    assert set(RENAMED.values()) <= {kind.__name__ for kind in (SpectrumResult, EvolutionResult)}


def test_trains_are_read_when_they_are_asked_for(complete_run, copied):
    folder = copied("run")
    (folder / "states.npz").unlink()
    states = read_result(folder)[2].states
    assert len(states) == len(complete_run[1].states)
    with pytest.raises(OSError):
        states[0]


@dataclass(frozen=True)
class Foreign:
    x: int


@pytest.mark.parametrize("value", [Foreign(1), object(), {1, 2}, np.array([None]), TensorTrain((np.ones((1, 2, 1)),))])
def test_what_is_no_part_of_a_result_is_not_stored(complete_run, tmp_path, value):
    with pytest.raises(TypeError, match="cannot hold"):
        save_result(tmp_path / "r.npz", replace(complete_run[1], completeness={"x": value}), {})
    with pytest.raises(TypeError, match="no result"):
        save_result(tmp_path / "r.npz", value, {})


def written(path, manifest, **arrays):
    np.savez(path, manifest=np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8), **arrays)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"objects": []},
        {"objects": [{"class": "Popen", "fields": {"args": "true"}}]},
        {"objects": [{"class": "np", "fields": {}}]},
        {"objects": [{"class": "SpectrumResult", "fields": {"energies": {"~": "array", "number": 7}}}]},
        {"objects": [{"class": "SpectrumResult", "fields": {"energies": {"~": "what"}}}]},
        {"objects": [{"class": "SpectrumResult", "fields": {}}]},
        {"objects": 3},
    ],
)
def test_a_foreign_manifest_is_refused(tmp_path, change):
    good = {"version": 1, "objects": []}
    written(tmp_path / "r.npz", good | change)
    with pytest.raises(ValueError, match="is not a readable result") as told:
        load_result(tmp_path / "r.npz", tmp_path / "states.npz", RESULTS)
    assert "\n" not in str(told.value)


def test_fields_of_earlier_versions_are_found_under_their_new_names(tmp_path):
    train = TensorTrain((np.ones((1, 2, 1)),))
    one = np.ones(1)
    result = ParametricResult(
        statistics=[QuantityResult("Q1", Moments(1.0, 0.1, one, one), 0.01, 0.02, Distribution({}, None, one, one))],
        distribution="uniform",
        points=[2],
        pde_solves=3,
        held_out_errors=one,
        check_errors=one,
        ranks=[1, 1],
        tails=one,
        separation_terms=1,
        separation_error=0.0,
        nodes=one,
        midpoints=one,
        mean_field=one,
        deviation_field=one,
        realisations=(one, one, one),
        solution=train,
        status=Status.CONVERGED,
        history=[],
        counts={},
        timing={},
    )
    file, states = tmp_path / "result.npz", tmp_path / "states.npz"
    save_trains(states, {"solution": train})
    save_result(file, result, {"solution": train})
    arrays = dict(np.load(file))
    manifest = json.loads(arrays.pop("manifest").tobytes())
    fields = manifest["objects"][-1]["fields"]
    fields["quantities"] = fields.pop("statistics")
    written(file, manifest, **arrays)
    assert same(result, load_result(file, states, PDE_RESULTS))


class Trap:
    """Unpickling it would leave a file."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (str(self.place), "w")


@pytest.mark.parametrize("name", ["manifest", "a0"])
def test_an_array_of_objects_is_never_unpickled(stored, tmp_path, name):
    file, states, _ = stored
    arrays = dict(np.load(file))
    arrays[name] = np.array([Trap(tmp_path / "sprung")], dtype=object)
    with zipfile.ZipFile(file, "w") as archive:
        for key, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, array, allow_pickle=True)
            archive.writestr(f"{key}.npy", data.getvalue())
    with pytest.raises(ValueError, match="is not a readable result"):
        load_result(file, states, RESULTS)
    assert not (tmp_path / "sprung").exists()


def test_truncated_and_flipped_files_are_refused_or_the_same(stored):
    file, states, result = stored
    data = file.read_bytes()
    rng = np.random.default_rng(3)
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:length])
        with pytest.raises(ValueError, match="is not a readable result"):
            load_result(file, states, RESULTS)
    refused = 0
    for place in rng.integers(len(data), size=150):
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        try:
            assert same(result, load_result(file, states, RESULTS))  # a flag or a date of the archive
        except ValueError as error:
            refused += 1
            assert "is not a readable result" in str(error) and "\n" not in str(error)
    assert refused > 75


@pytest.mark.figures
def test_a_report_made_again_is_the_same_file(copied):
    folder = copied("fake")  # a report names its folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in (*folder.glob("figures/*"), folder / "report.md", folder / "report.html"):
        path.unlink()
    hidden = (folder / "states.npz").rename(folder.parent / "hidden.npz")  # it is not read for a report
    assert remake_report(folder) == folder / "report.html"
    hidden.rename(folder / "states.npz")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.figures
def test_figures_are_drawn_and_written_from_the_record(copied, complete_run, monkeypatch):
    folder, shown = copied("fake"), []
    loaded = load(folder)
    assert [picture.name for picture in loaded.figures()] == loaded.report["figures"]
    assert same(complete_run[1], loaded.result())

    def one(problem, solver, result):
        shown.append((problem.kind, solver.n_states, same(complete_run[1], result)))
        return [Picture("spectrum", "A caption.", Figure(figsize=(2, 1)))]

    monkeypatch.setattr("problems.quantum.tasks.spectrum.figures.figures", one)
    before = (folder / "figures" / "spectrum.png").read_bytes()
    files = plot_run(folder)
    assert files == [folder / "figures" / "spectrum.png", folder / "figures" / "spectrum.svg"]
    assert files[0].read_bytes() != before and shown == [("vibrational", 16, True)]


@pytest.mark.figures
def test_figures_for_a_paper_lie_beside_those_of_the_report(copied, capsys):
    folder = copied("fake")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["plot", str(folder), "--width", "86mm", "--format", "pdf"]) == 0
    files = sorted((folder / "figures" / "paper").iterdir())
    assert [file.stem for file in files] == sorted(load(folder).report["figures"])
    assert capsys.readouterr().out.count("wrote ") == len(files)
    for file in files:
        content = file.read_bytes()
        assert (file.suffix == ".pdf" and b"/Subtype /Type0" in content) or b"/FontFile2" in content  # TrueType
        assert b"/Type3" not in content and re.search(rb"/MediaBox \[\s*0 0 243\.7", content)  # 86 mm in points
    (svg, *_) = plot_run(folder, 3.4, "svg")
    assert svg.read_text().count("<text") > 10 and svg.name.endswith(".svg")  # text is text
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(SystemExit):
        main(["plot", str(folder), "--width", "wide"])
    assert "must be a length such as 3.4 in or 86 mm" in capsys.readouterr().err


def test_a_run_without_a_result_has_no_report(copied):
    folder = copied("run")
    (folder / "result.npz").unlink()
    for read in (remake_report, plot_run, figures_of):
        with pytest.raises(FileNotFoundError, match="holds no result: the run is finished"):
            read(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '{"name": 1}', "\x00", "[" * 100000, '{"name": "a", "status": []}']
)
def test_a_damaged_report_is_refused_in_one_line(copied, text):
    folder = copied("run")
    (folder / "report.json").write_text(text)
    with pytest.raises(ValueError, match="report") as told:
        read_report(folder)
    assert "\n" not in str(told.value)


def test_what_is_no_run_folder_is_said_so(tmp_path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(FileNotFoundError, match="is no run folder"):
            read_report(place)
