"""Where calls of the public verbs leave traces, and keywords whose values hang on that."""

from concurrent.futures import Executor, Future

import numpy as np
import option_cases as cases


def called(case, keywords):
    verb, arguments, own = case()
    return verb(*arguments, **{**own, **keywords})


class Noted(Executor):
    """Does the work at once, and notes that it was asked to."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, fn, /, *args, **kwargs):
        self.asked += 1
        done: Future = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class World:
    """Where a call can leave traces: a folder, a list of what was told, an executor."""

    def __init__(self, folder) -> None:
        self.folder, self.told, self.executor = folder, [], Noted()

    def tell(self, state):
        self.told.append(state.step)

    def traces(self):
        return len(self.told), self.executor.asked, sorted(path.name for path in self.folder.iterdir())


def rng(world):
    return np.random.default_rng(7)


def callback(world):
    return world.tell


def checkpoint(world):
    return world.folder / "kept.npz"


def executor(world):
    return world.executor


def observe(world):
    return lambda t, x: {"rank": x.max_rank}


def earlier_of(case, **changes):
    """The file of another call, made elsewhere; ``changes``: of its keywords."""

    def made(world):
        folder = world.folder.parent / f"{world.folder.name}-earlier"
        folder.mkdir()
        called(case, {**changes, "checkpoint": folder / "kept.npz", "throw": False})
        return folder / "kept.npz"

    return made


def basis(world):
    return called(cases.parameters, {"accuracy": 1e-2, "throw": False}).extra["basis"]
