"""Makes the gallery: ``python docs/gallery/make.py RUNS`` writes its images and its page.

RUNS is a folder with the runs of the configurations named below, a folder each by the configuration's name; a run that
is not there is computed into it (acetonitrile takes minutes, each of the others seconds). The figures are those of the
report, at the width of a column of a journal.
"""

import io
import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ttsuite.actions.run import run
from ttsuite.pages.drawing import own_style
from ttsuite.pages.report import pictures_of

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "configs"
WIDTH = 3.4  # inches
DPI = 200
COLOURS = 96  # of a palette: an image takes some ten kilobytes
SHOWN = [
    ("vibrational/acetonitrile", "deviations", "Levels of a molecule against published lists"),
    ("vibrational/acetonitrile", "spectrum", "The levels of that molecule"),
    ("tiny/xx-40", "map_z", "A domain wall that melts in a chain of spins"),
    ("tiny/henon-heiles-4d", "autocorrelation", "A wave packet in four dimensions"),
    ("tiny/cookie9", "realisations", "Diffusion with nine uncertain coefficients"),
    ("tiny/cookie9", "sobol", "Which coefficient matters"),
    ("tiny/cluster-64", "slice", "Electrons of six nuclei, orbital-free"),
    ("tiny/ornstein-uhlenbeck-4", "pairs", "A diffusing particle in four dimensions"),
    ("tiny/inverse-sum", "error_by_rank", "A table completed from few entries"),
]
HEAD = """# Gallery

Figures of shipped runs, as `ttsuite plot RUN --width 3.4 --format png` draws them: one column of a journal wide, with
type of 8 points at that width. `python docs/gallery/make.py RUNS` makes this page again.
"""


def main(runs):
    parts = [HEAD]
    for configuration, name, title in SHOWN:
        folder = runs / Path(configuration).name
        if not (folder / "result.npz").is_file():
            run(CONFIGS / f"{configuration}.yaml", out=folder)
        file = f"{folder.name}-{name}.png"
        with own_style(WIDTH):
            picture = next(picture for picture in pictures_of(folder) if picture.name == name)
            (HERE / file).write_bytes(small(picture.figure))
        said = f"*{picture.caption} From `configs/{configuration}.yaml`.*"
        parts.append(f"## {title}\n\n![{picture.alt or picture.caption}]({file})\n\n{said}\n")
    (HERE / "index.md").write_text("\n".join(parts), encoding="utf-8")


def small(figure):
    """A figure as PNG in few colours."""
    figure.dpi = DPI
    drawn, written = io.BytesIO(), io.BytesIO()
    FigureCanvasAgg(figure).print_png(drawn)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
