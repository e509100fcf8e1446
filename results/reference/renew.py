"""The runs whose pages are shown here: their pages made again, or the runs computed anew.

    python results/reference/renew.py                  the pages and the index, from the stored results: seconds a run
    python results/reference/renew.py --compute        the runs first, all of them: some minutes on two cores
    python results/reference/renew.py --compute NAME   one of them
    python results/reference/renew.py --reproduction results/reproductions/talk   keep the table of a reproduction

Run it from the root of a checkout before what it shows is committed. To keep the repository small a folder holds its
pages, numbers and configuration, no large states and no figures but those that the README and the guide show.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

# folder -> its configuration: the run that the README begins with, and of every other kind one that takes seconds
RUNS = {
    "acetonitrile": "vibrational/acetonitrile",
    "henon-heiles-4d": "tiny/henon-heiles-4d",
    "hydrogen-molecule": "tiny/hydrogen-molecule",
    "inverse-sum": "tiny/inverse-sum",
    "lognormal-1d-10": "tiny/lognormal-1d-10",
    "ornstein-uhlenbeck-2": "tiny/ornstein-uhlenbeck-2",
    "planted-counts": "tiny/planted-counts",
    "spin-boson": "tiny/spin-boson",
    "tictactoe": "tiny/tictactoe",
    "w-state": "tiny/w-state",
}
KEPT = ("report.json", "report.html", "configuration.yaml", "result.npz", "states.npz")  # and tables of numbers
LARGEST = 200_000  # bytes of states that are kept; a page of levels is made again without
FIGURES = {"acetonitrile": ("deviations.png", "spectrum.png")}  # that other texts show


def compute(name: str) -> None:
    """Run a configuration and put what is kept of it in its folder."""
    from ttsuite.actions.run import run

    with tempfile.TemporaryDirectory() as scratch:
        done = run(ROOT / "configs" / f"{RUNS[name]}.yaml", out=Path(scratch) / name)
        shutil.rmtree(HERE / name, ignore_errors=True)
        (HERE / name).mkdir()
        for file in done.folder.iterdir():
            kept = file.name in KEPT or file.suffix == ".csv"
            if kept and (file.suffix != ".npz" or file.stat().st_size < LARGEST):
                shutil.copy(file, HERE / name)


def remake(folder: Path) -> None:
    """Make the page of a run from its record, with all of its figures beside it."""
    from ttsuite.pages.report import write_figures, write_reports
    from ttsuite.runs.record import Record
    from ttsuite.runs.run_folder import read_result

    report, study, result = read_result(folder)
    record = Record(folder)
    report["warnings"] = list(report["warnings"])
    pictures = write_figures(study, result, record, report["warnings"])
    for picture in pictures:
        kept = FIGURES.get(folder.name, ())
        picture["files"] = [kind for kind in picture["files"] if f"{picture['name']}.{kind}" in kept]
    write_reports(study, result, report, pictures, record)


def prune(folder: Path) -> None:
    """Drop what is not kept."""
    (folder / "report.md").unlink(missing_ok=True)
    for figure in folder.glob("figures/*"):
        if figure.name not in FIGURES.get(folder.name, ()):
            figure.unlink()
    if (folder / "figures").is_dir() and not any((folder / "figures").iterdir()):
        (folder / "figures").rmdir()


def keep_reproduction(folder: Path) -> Path:
    """Keep the table and the text of a reproduction, without its runs; returns where."""
    name = json.loads((folder / "reproduction.json").read_text(encoding="utf-8"))["name"]
    kept = HERE / name
    kept.mkdir(exist_ok=True)
    shutil.copy(folder / "table.csv", kept)
    shutil.copy(folder / "reproduction.md", kept / "README.md")
    return kept


def main(words: list[str] | None = None) -> None:
    """Renew everything here."""
    from ttsuite.pages.index import index_runs

    parser = argparse.ArgumentParser(description="Renew the pages of results/reference.")
    parser.add_argument("--compute", nargs="*", choices=sorted(RUNS), metavar="NAME", help="compute these runs first")
    parser.add_argument("--reproduction", type=Path, metavar="DIR", help="keep the table of this reproduction, no more")
    options = parser.parse_args(words)
    if options.reproduction is not None:
        print(f"kept {keep_reproduction(options.reproduction)}")
        return
    for name in [] if options.compute is None else options.compute or RUNS:
        print(f"computing {name}", flush=True)
        compute(name)
    for name in RUNS:
        remake(HERE / name)
        (HERE / name / "report.md").unlink(missing_ok=True)
    index_runs(HERE)  # while the figures are there
    for name in RUNS:
        prune(HERE / name)


if __name__ == "__main__":
    main()
