"""A run that is killed (SIGKILL) at random moments and continued until it ends, beside one left alone.

``python killed_runs.py FOLDER KILLS SEED CONFIGURATION ...``: a line of JSON for each configuration, with the number of
kills, the largest relative difference of any number in the results, and its key. Children are forked from a process
that has everything loaded, so that the moments fall into the computation.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

OVERRIDES = ["solver.workers=1"]


def difference(one, other, key=""):
    """Largest relative difference of two nested results, and where; texts and lengths must agree."""
    if isinstance(one, dict):
        assert set(one) == set(other), f"{key}: {set(one) ^ set(other)}"
        parts = [difference(one[k], other[k], f"{key}.{k}") for k in one if "seconds" not in k]
        return max(parts, default=(0.0, key))
    if isinstance(one, list):
        assert len(one) == len(other), f"{key}: {len(one)} and {len(other)} entries"
        parts = [difference(x, y, f"{key}[{i}]") for i, (x, y) in enumerate(zip(one, other))]
        return max(parts, default=(0.0, key))
    if isinstance(one, float | int) and not isinstance(one, bool):
        return abs(one - other) / max(1.0, abs(one)), key
    assert one == other, f"{key}: {one!r} and {other!r}"
    return 0.0, key


def whole(folder):
    """Nothing in a run folder is half-written, temporary files of a killed process apart."""
    from solvers.checkpoint import read
    from solvers.formats.trains.storage import load_trains

    for file in folder.rglob("*"):
        if file.name.startswith(".") or not file.is_file():
            continue
        if file.suffix == ".json" and file.stat().st_size:
            json.loads(file.read_text())
        if file.suffix == ".jsonl":
            assert all(isinstance(json.loads(line), dict) for line in file.read_text().splitlines())
        if file.parent.name == "checkpoint" and ".npz" in file.name:
            read(file)
        elif file.name == "states.npz":
            load_trains(file)


def child(configuration, folder):
    """Compute or continue in a forked process; returns its number."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        from ttsuite.actions.resume import resume
        from ttsuite.actions.run import run

        ended = folder / "report.json"
        if (folder / "configuration.yaml").exists():
            if json.loads(ended.read_text())["status"] == "running":  # else it was killed when all was done
                resume(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)  # killed before there was anything
            run(configuration, out=folder, overrides=OVERRIDES)
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def main(configuration, folder, kills, seed):
    import ttsuite.pages.report
    from ttsuite.actions.run import run

    ttsuite.pages.report.write_figures = lambda *arguments: []  # drawing takes longer than the tiny runs do
    rng, folder = random.Random(seed), Path(folder)
    run(configuration, out=folder / "warm", overrides=OVERRIDES)  # loads and compiles
    begin = time.perf_counter()
    number = child(configuration, folder / "alone")
    assert os.waitpid(number, 0)[1] == 0
    longest = time.perf_counter() - begin
    alone = json.loads((folder / "alone" / "report.json").read_text())
    done, runs, continued, worst = 0, 0, 0, (0.0, "")
    while done < kills:
        place = folder / f"killed-{runs}"
        runs += 1
        while True:
            number = child(configuration, place)
            end = time.perf_counter() + rng.uniform(0.0, longest)
            # the first kill finds something to continue from, however fast the machine is today
            while time.perf_counter() < end or done >= kills or (done == 0 and not any(place.glob("checkpoint/[!.]*"))):
                finished, status = os.waitpid(number, os.WNOHANG)
                if finished:
                    break
                time.sleep(0.002)
            else:
                os.kill(number, signal.SIGKILL)
                os.waitpid(number, 0)
                done += 1
                if place.exists():
                    whole(place)
                continue
            assert status == 0, "a run that was continued failed"
            break
        report = json.loads((place / "report.json").read_text())
        continued += len(report.get("sessions", []))
        assert report["status"] == alone["status"]
        worst = max(worst, difference(alone["results"], report["results"]))
        shutil.rmtree(place)
    entry = {"name": Path(configuration).stem, "kills": done, "runs": runs, "continued": continued}
    print(json.dumps(entry | {"worst": worst[0], "key": worst[1], "seconds": longest}), flush=True)


if __name__ == "__main__":
    for number, file in enumerate(sys.argv[4:]):
        main(file, Path(sys.argv[1]) / str(number), int(sys.argv[2]), int(sys.argv[3]))
