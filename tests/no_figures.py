"""Runs in worker processes without their figures, which take most of the time of a small one."""

from concurrent.futures import Executor


class WithoutFigures(Executor):
    """Hands tasks to another executor; figures are left out where they run."""

    def __init__(self, executor):
        self._executor = executor

    def submit(self, fn, /, *args, **kwargs):
        return self._executor.submit(call, fn, *args, **kwargs)


def call(fn, *args, **kwargs):
    import problems.quantum.tasks.spectrum.figures

    problems.quantum.tasks.spectrum.figures.figures = lambda *arguments: []
    return fn(*args, **kwargs)
