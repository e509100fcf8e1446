"""What a report says and draws of intensities, and the files beside it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from geometry import faults
from test_intensities import LINEAR, Made, W, computed, water
from test_jcamp import parsed

from problems.drawing import style
from problems.quantum.hamiltonians.force_field.field import ForceField
from problems.quantum.hamiltonians.force_field.molecule import Surface
from problems.quantum.hamiltonians.force_field.property_keys import Spectrum
from problems.quantum.tasks.spectrum.evidence import leading
from problems.quantum.tasks.spectrum.infrared_figures import infrared_pictures
from problems.quantum.tasks.spectrum.infrared_tables import intensity_facts, intensity_sections, intensity_tables
from problems.quantum.tasks.spectrum.observed_files import JCAMP, LINES, PROFILE
from problems.quantum.tasks.spectrum.profile import MOLAR
from problems.quantum.tasks.spectrum.result import SpectrumResult
from ttsuite.runs.record import plain
from ttsuite.runs.result_file import load_result, save_result

NAMES = ["0", "ν₃", "2ν₃", "ν₂", "ν₁"]
FIELD = ForceField("two", "cm-1", W, {})


def test_the_table_has_a_row_a_band():
    (table,) = intensity_tables(water("watson")[1], NAMES)
    assert table.title == "Intensities" and len(table.rows) == 4
    assert [str(cell) for cell in table.rows[0][:1]] == ["1"] and table.rows[0][-1] == "ν₃"
    texts = [str(cell) for cell in table.rows[0]]
    assert texts[1].startswith("1563.67") and texts[2].startswith("68.45") and texts[4] == "67.4561"
    assert str(table.rows[1][4]) == ""  # an overtone has no harmonic intensity


def test_the_headline_names_the_strongest_bands():
    facts = intensity_facts(water("watson")[1], NAMES)
    assert [what for what, _ in facts] == ["band ν₃", "band ν₁", "band ν₂"]
    assert facts[0][1].startswith("68.45") and "km/mol at 1563.67" in facts[0][1]
    (section,) = intensity_sections(water("watson")[1])
    assert dict(section.facts)["temperature"] == "296 K"


def test_a_run_without_a_dipole_says_nothing_of_it():
    result = replace(water("none")[1], intensities=None)
    assert intensity_tables(result, NAMES) == [] and infrared_pictures(result, NAMES) == [] and result.texts() == {}
    assert intensity_facts(result, NAMES) == [] and intensity_sections(result) == []
    assert [quantity.name for quantity in result.quantities(plain(result.results()))] == ["energies"]


def test_files_of_lines_and_profile():
    result = water("watson")[1]
    found, files = result.intensities, result.texts()
    rows = list(csv.DictReader(io.StringIO(files[LINES])))
    assert [float(row["intensity_km_mol-1"]) for row in rows] == list(found.lines.strengths)
    assert {row["lower_assignment"][:8] for row in rows} == {"1.00[gs]"}
    table = np.array([[float(cell) for cell in row] for row in list(csv.reader(io.StringIO(files[PROFILE])))[1:]])
    assert np.allclose(table[:, 1], found.drawn.values, rtol=1e-8) and np.allclose(table[:, 2], MOLAR * table[:, 1])
    tails = 4.0 * found.drawn.fwhm / np.pi / 100.0  # of Lorentzians, ten widths away
    assert np.trapezoid(table[:, 1], table[:, 0]) == pytest.approx(found.lines.strengths.sum(), rel=tails)
    _, x, y = parsed(files[JCAMP])
    assert np.allclose(x, table[:, 0], atol=1e-3) and np.allclose(y, table[:, 2], rtol=1e-7, atol=1e-8 * y.max())
    name, header, levels = result.csv_table()
    assert header[-2:] == ["intensity_km_mol-1", "intensity_error_km_mol-1"] and name == "levels.csv"
    assert float(str(levels[1][-2])) == found.integrated[1]


@pytest.mark.parametrize("width", [3.4, 7.0])
def test_the_figure_fits(width):
    result = water("watson")[1]
    with style(width):
        (picture,) = infrared_pictures(result, NAMES)
        assert picture.name == "infrared" and "296 K" in picture.caption and not faults(picture.figure)
        texts = [text.get_text() for axes in picture.figure.axes for text in axes.texts]
    assert {"ν₁", "ν₂", "ν₃"} <= set(texts)
    low, high = picture.figure.axes[1].get_xlim()
    assert low > high  # wavenumbers fall to the right


def test_a_range_without_lines_is_a_sentence():
    found = computed(Made(FIELD, LINEAR, Spectrum(range=(3000.0, 3100.0)), functions=6), 3)
    (picture,) = infrared_pictures(found, NAMES)
    assert picture.text == "No line lies between 3000 and 3100 cm-1."
    assert any("no level above 1700 cm-1 was computed: the bands of those from 1800" in text for text in found.warnings)


def test_what_is_missing_is_said():
    hot = computed(Made(FIELD, LINEAR, Spectrum(temperature=1500.0), functions=6), 3)
    assert any("lines start from states that hold" in text and "ask for more states" in text for text in hot.warnings)
    fine = computed(Made(FIELD, LINEAR, Spectrum(fwhm=1e-3, range=(100.0, 1750.0)), functions=6), 3)
    assert any("too few for lines of 0.001 cm-1" in text for text in fine.warnings)


def test_quantities_of_a_report():
    result = computed(Made(FIELD, LINEAR, Spectrum(temperature=700.0), functions=6), 4)
    told = json.loads(json.dumps(plain(result.results())))
    names = {quantity.name: quantity for quantity in SpectrumResult.quantities(told)}
    assert list(names) == ["energies", "intensities", "partition function", "lines"]
    assert names["intensities"].keys == [1, 2, 3] and "0 to 1" in names["lines"].keys
    assert names["intensities"].values == pytest.approx(result.intensities.integrated[1:])
    assert names["lines"].values.sum() == pytest.approx(result.intensities.lines.strengths.sum(), rel=1e-3)


def test_a_stored_result_gives_any_observable(tmp_path):
    from solvers.formats.trains.storage import save_trains

    result = water("none")[1]
    save_trains(tmp_path / "states.npz", result.trains())
    save_result(tmp_path / "result.npz", result, result.trains())
    loaded = load_result(tmp_path / "result.npz", tmp_path / "states.npz", [SpectrumResult])
    assert isinstance(loaded, SpectrumResult) and loaded.texts() == result.texts()
    square = Surface(({(0, 0): 1.0}, {(2,): 1.0}), "")
    assert np.array_equal(loaded.expectation(square), result.expectation(square))
    assert 0.4 < loaded.expectation(square)[0, 0] < 0.7  # 1/2 of a harmonic mode
    with pytest.raises(ValueError, match="not functions of coordinates"):
        replace(loaded, functions=()).expectation(square)


def test_the_leading_product_of_an_assignment():
    assert leading("0.97[1v3] ; 0.20[1v1+2v3]") == "ν₃" and leading("0.71[1v1+2v3] ; 0.5[gs]") == "ν₁ + 2ν₃"
    assert leading("1.00[gs] ; 0.03[1v1]") == "gs" and leading("0.9[2v1a]", "n") == "2n₁a"
