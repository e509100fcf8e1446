"""Herzberg's numbers, and products of representations against the character tables."""

import pytest

from problems.quantum.hamiltonians.force_field.mode_names import (
    AbelianGroup,
    Irrep,
    canonical,
    herzberg,
    mode_name,
    state_name,
)


@pytest.mark.parametrize(
    "irreps, frequencies, expected",
    [
        # formaldehyde, water, ethylene (D2h), acetylene and carbon dioxide, ammonia
        (["b2", "a1", "a1", "a1", "b2", "b1"], [3004, 2932, 1778, 1534, 1269, 1186], [5, 1, 2, 3, 6, 4]),
        (["B2", "A1", "A1"], [3937, 3803, 1622], [3, 1, 2]),
        (["SGG", "PIU", "PIU", "SGU"], [1350, 670, 670, 2390], [1, 2, 2, 3]),
        (
            ["SGG", "SGU", "SGG", "PIU", "PIU", "PIG", "PIG"],
            [3500, 3400, 2000, 730, 730, 610, 610],
            [1, 3, 2, 5, 5, 4, 4],
        ),
        (["A1", "E", "E", "A1", "E", "E"], [3500, 3600, 3600, 1050, 1680, 1680], [1, 3, 3, 2, 4, 4]),
        (["A'", "A''", "A'"], [3700, 500, 1200], [1, 3, 2]),
    ],
)
def test_numbers_of_modes(irreps, frequencies, expected):
    assert [name.label for name in herzberg(irreps, frequencies)] == [f"nu{n}" for n in expected]


def test_representations_are_read_as_programs_write_them():
    texts = {"SGG": "Σg+", "PIU": "Πu", 'A"': "A''", "A''": "A''", "b3u": "B3u", "EG": "Eg", "?A": "A", "a2''": "A2''"}
    assert {text: Irrep.of(text).text for text in texts} == texts
    assert Irrep.of("B1U").lower == "b1u"


@pytest.mark.parametrize(
    "irreps, group, quanta, expected",
    [
        (["b2", "a1", "b1"], "C2v", [1, 0, 1], "A2"),
        (["b2", "a1", "b1"], "", [1, 3, 2], "B2"),
        (["b1", "a2"], "C2V", [1, 1], "B2"),
        (["Ag", "B1u", "B2g"], "D2h", [0, 1, 1], "B3u"),
        (["ag", "b3u", "b3u"], "", [1, 1, 1], "Ag"),
        (["A'", "A''"], "Cs", [1, 2], "A'"),
        (["A'", "A''"], "Cs", [1, 1], "A''"),
        (["Ag", "Bu", "Au"], "C2h", [0, 1, 1], "Bg"),
    ],
)
def test_products(irreps, group, quanta, expected):
    found = AbelianGroup.of(irreps, group)
    assert found is not None and found.product(quanta) == expected


def test_degenerate_modes_have_no_such_products():
    assert AbelianGroup.of(["A1", "E", "E"]) is None and AbelianGroup.of([]) is None


def test_names_of_states():
    order = {"nu2": (2, "nu2"), "nu8": (8, "nu8"), "nu7": (7, "nu7"), "nu12": (12, "nu12")}
    assert state_name({"nu12": 1, "nu2": 2}, {}, order) == "2nu2 + nu12"
    assert state_name({"nu8": 1}, {"nu8": 1}, order) == "nu8"
    assert state_name({"nu8": 2}, {"nu8": 0}, order) == "2nu8^0"
    assert state_name({"nu8": 1, "nu7": 1}, {"nu7": 1, "nu8": -1}, order) == "nu7^1 + nu8^-1"
    assert state_name({}, {}, order) == "0"


def test_names_that_people_give():
    assert mode_name("v5(b2)") == mode_name("ν5 (b2)") and mode_name("nu5").irrep == ""
    assert canonical("OH") == "OH" and canonical("v1a") == "nu1a"
    with pytest.raises(ValueError, match="must read like"):
        mode_name("5")
