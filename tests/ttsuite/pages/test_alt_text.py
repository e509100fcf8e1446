"""Figures in words: panels, axes, ranges and curves, made from what is drawn."""

from matplotlib.figure import Figure

from ttsuite.pages.alt_text import alt_text


def test_a_panel_is_told_by_its_axes_ranges_and_curves():
    figure = Figure()
    axes = figure.subplots()
    axes.semilogy([0, 10], [1e-6, 1.0], label="this run")
    axes.set(xlabel="state", ylabel="error (cm$^{-1}$)", xlim=(0, 10), ylim=(1e-6, 1.0))
    told = alt_text(figure)
    assert told == ("Plot: error (cm^-1) over state, x from 0 to 10, y from 1e-6 to 1 (logarithmic), shown: this run.")


def test_panels_are_counted_and_colour_bars_are_not():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    image = left.imshow([[0.0, 1.0], [2.0, 3.0]])
    left.set_title("density")
    figure.colorbar(image, ax=left, label="per bohr")
    right.plot([0, 1], [0, 1])
    assert alt_text(figure).startswith("2 plots: density, ") and "per bohr" not in alt_text(figure)


def test_many_panels_are_cut_short():
    figure = Figure()
    figure.subplots(3, 3)
    assert alt_text(figure).endswith("; 3 more panels.")


def test_a_figure_without_axes_is_told_too():
    assert alt_text(Figure()) == "Plot: a drawing without axes."
