"""Runs whose figures are drawn and not saved, or left out: they take most of the time of a small run."""

from concurrent.futures import Executor


def draw_only(*modules, patch=setattr):
    """``save_figure`` of these modules draws and writes no files; ``patch`` is as ``setattr``."""
    from ttsuite.pages.drawing import own_style, told

    def drawn(picture, record):
        if picture.text:
            return told(picture, "")
        with own_style():
            assert picture.figure is not None
        return told(picture, "data:image/svg+xml,")

    for module in modules:
        patch(module, "save_figure", drawn)


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
