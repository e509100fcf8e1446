"""Runs of ORCA: constants exactly, and with the output beside them the signs that the file does not hold."""

from __future__ import annotations

from itertools import product

import field_layouts as layouts
import numpy as np
import pytest

from problems.errors import ProblemError
from problems.quantum.hamiltonians.force_field.geometry import (
    ELECTRONS,
    HARTREE,
    Geometry,
    NormalModes,
    normal_modes,
    rotation_of,
)
from problems.quantum.hamiltonians.force_field.molecule import DEBYE
from problems.quantum.readers import orca
from problems.quantum.readers.formats import beside, format_of, read

HEAD = "   * O   R   C   A *\n|  1> ! B3LYP def2-SVP VPT2\n"


class Run:
    """A molecule of four atoms without symmetry whose modes have signs of their own, as ORCA's have; with ``equal``
    two modes of one frequency, in a rotation of their own."""

    def __init__(self, seed: int = 1, equal: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self.geometry = Geometry(("N", "H", "O", "C"), np.array([14.0, 1.0, 16.0, 12.0]), rng.normal(size=(4, 3)))
        any_modes = normal_modes(self.geometry, np.diag(rng.uniform(0.1, 0.9, 12)))
        w = any_modes.frequencies.copy()
        if equal:
            w[2] = w[1]
        roots = np.repeat(np.sqrt(self.geometry.masses * ELECTRONS), 3)
        flat = any_modes.vectors.reshape(6, 12)
        self.hessian = (flat.T * (w / HARTREE) ** 2) @ flat * np.outer(roots, roots)
        turn = np.diag(rng.choice([-1.0, 1.0], 6))
        if equal:
            turn[1:3, 1:3] = [[0.6, -0.8], [0.8, 0.6]]
        self.modes = NormalModes(w, np.einsum("kl,lic->kic", turn, any_modes.vectors))
        cubic, quartic = rng.normal(size=(6, 6, 6)), rng.normal(size=(6, 6, 6))
        self.cubic = np.mean([cubic.transpose(p) for p in ((0, 1, 2), (1, 2, 0), (2, 0, 1))], axis=0)
        self.cubic = self.cubic + self.cubic.transpose(1, 0, 2)
        self.quartic = quartic + quartic.transpose(1, 0, 2)
        for i, k in product(range(6), repeat=2):
            self.quartic[i, i, k] = self.quartic[k, k, i]
        self.slopes, mixed = rng.normal(size=(6, 3)) * 0.1, rng.normal(size=(6, 6, 3)) * 0.01
        self.mixed, self.third = mixed + mixed.transpose(1, 0, 2), rng.normal(size=(6, 6, 3)) * 0.001
        per_q = np.sqrt(HARTREE / w)[:, None] * self.modes.vectors.reshape(6, 12) / roots
        self.by_x = np.linalg.pinv(per_q)  # (12, 6): derivatives by q as ones by Cartesian coordinates

    def write(self, folder, output: bool = True, silent: tuple[int, ...] = ()):
        """The files; modes in ``silent`` have no transition dipole."""
        folder.mkdir(exist_ok=True)
        slopes = self.slopes.copy()
        slopes[list(silent)] = 0.0
        rows = ["# VPT2 settings", "method=made up", "", "# Atomic coordinates in Angstroem", "4"]
        for symbol, mass, r in zip(self.geometry.symbols, self.geometry.masses, self.geometry.positions):
            rows.append(f"  {symbol} 7 {mass:.8f} " + " ".join(f"{x:.16f}" for x in r))
        blocks = [("# Hessian[i][j] in Eh/(bohr**2)", self.hessian)]
        blocks += [("# Dipole Derivatives[i][j] in (Eh*bohr)^1/2", self.by_x @ slopes)]
        for name, block in (("2nd", self.mixed), ("3rd", self.third)):
            mixed = np.einsum("xl,klc->kxc", self.by_x, block)
            blocks.append((f"# {name} Dipole Derivatives[NVib][threeN][xyz] in (Eh*bohr)^1/2", mixed))
        blocks += [("# Cubic[i][j][k] force field in 1/cm", self.cubic)]
        blocks += [("# Semi-quartic[i][j][k][k] force field in 1/cm", self.quartic)]
        for title, block in blocks:
            rows += ["", title, " ".join(map(str, block.shape))]
            rows += [f"  {' '.join(map(str, place))}  {block[place]:.16e}" for place in np.ndindex(block.shape)]
        path = folder / "mol.vpt2"
        path.write_text("\n".join(rows) + "\n")
        if output:
            still = "".join(f"{k} 0.{k} -nan -nan ( -nan -nan -nan)\n" for k in range(6))
            table = "".join(
                f"{k + 6} {w:.2f} 1.5 0.1 ( {' '.join(f'{x:.6f}' for x in t)})\n"
                for k, (w, t) in enumerate(zip(self.modes.frequencies, slopes / np.sqrt(2.0)))
            )
            text = f"{HEAD} IR Intensities\n{still}{table}-----\nFundamental transitions [1/cm]\n"
            text += "".join(f"{k} {w:.3f} {w - 9:.3f} -9.000\n" for k, w in enumerate(self.modes.frequencies))
            text += "-----\nOvertones and combination bands\n 0 0 1000.5 0.1 2.5 0.1 ( 0.1 0.1 0.1)\n-----\n"
            (folder / "mol.out").write_text(text)
        return path


def check(run: Run, found, slopes) -> None:
    np.testing.assert_allclose(found.field.frequencies, run.modes.frequencies, rtol=1e-9)
    phi = layouts.derivatives_of(found.field)
    for place in np.ndindex(6, 6, 6):
        assert phi[tuple(sorted(k + 1 for k in place))] == pytest.approx(run.cubic[place], abs=1e-12)
    assert phi[1, 1, 4, 4] == pytest.approx(run.quartic[0, 0, 3]) and phi[2, 5, 5, 6] == pytest.approx(
        run.quartic[1, 5, 4]
    )
    expected = rotation_of(run.geometry, run.modes.vectors)
    np.testing.assert_allclose(found.rotation.zeta, expected.zeta, atol=1e-5)
    np.testing.assert_allclose(found.rotation.derivatives, expected.derivatives, atol=1e-5)
    for c in range(3):
        part = found.dipole.components[c]
        for k in range(6):
            assert part.get((k,), 0.0) == pytest.approx(DEBYE * slopes[k, c], abs=1e-5)
        assert part[1, 3] == pytest.approx(DEBYE * run.mixed[1, 3, c], abs=1e-5)
        assert part[4, 4] == pytest.approx(DEBYE * run.mixed[4, 4, c] / 2.0, abs=1e-5)
        assert part[0, 0, 5] == pytest.approx(DEBYE * run.third[0, 5, c] / 2.0, abs=1e-5)
        assert part[3, 3, 3] == pytest.approx(DEBYE * run.third[3, 3, c] / 6.0, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("silent", [(), (2, 5)])
def test_the_modes_of_the_program_are_found(tmp_path, seed, silent):
    run = Run(seed)
    path = run.write(tmp_path / "run", silent=silent)
    slopes = np.where(np.isin(np.arange(6), silent)[:, None], 0.0, run.slopes)
    for name in (path, path.with_suffix(".out")):
        assert format_of(name) == "orca" and len(beside(name)) == 1
        found = read(name)
        check(run, found, slopes)
    assert found.printed[0].anharmonic == pytest.approx(run.modes.frequencies[0] - 9.0, abs=1e-3)
    assert found.printed[-1].quanta == (2, 0, 0, 0, 0, 0) and found.printed[-1].intensities == (None, 2.5)
    assert len(found.notes) == 1 and "four different modes" in found.notes[0]


def test_modes_of_one_frequency_are_rotated_into_those_of_the_program(tmp_path):
    run = Run(4, equal=True)
    path = run.write(tmp_path / "run")
    found = read(path)
    expected = rotation_of(run.geometry, run.modes.vectors)
    np.testing.assert_allclose(found.rotation.zeta, expected.zeta, atol=2e-5)
    assert found.dipole.components[0][1,] == pytest.approx(DEBYE * run.slopes[1, 0], abs=1e-5)


def test_without_signs_there_is_a_field_and_nothing_else(tmp_path):
    alone = read(Run().write(tmp_path / "alone", output=False))
    dark = read(Run(4, equal=True).write(tmp_path / "dark", silent=(1, 2)))
    for found in (alone, dark):
        assert found.rotation is None and found.dipole is None and found.geometry is not None
        assert "signs of the normal modes" in found.notes[-1] and found.field.order == 4


@pytest.mark.parametrize(
    "change, told",
    [
        (("# Cubic", "# Kubic"), "no block '# Cubic[i][j][k]'"),
        (("# Atomic coordinates in Angstroem\n4", "# Atomic coordinates in Angstroem\nfour"), "mol.vpt2:5:1: no block"),
        (("  O 7 16", "  O 16"), "mol.vpt2:8:1: expected element"),
        (("\n12 12\n", "\n12\n"), "mol.vpt2:12:1: expected 2 sizes"),
        (("\n  5 5 4  ", "\n  5 6 4  "), "expected 3 places and a value"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path, change, told):
    path = Run().write(tmp_path / "run", output=False)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(ProblemError) as caught:
        orca.read(path)
    assert any(told in message for _, message in caught.value.faults), caught.value


def test_a_file_cut_anywhere_is_refused_with_its_line(tmp_path):
    path = Run().write(tmp_path / "run", output=False)
    lines = path.read_text().splitlines(keepends=True)
    for n in (0, 3, 7, 11, 100, len(lines) // 2, len(lines) - 1):
        path.write_text("".join(lines[:n]))
        with pytest.raises(ProblemError) as caught:
            orca.read(path)
        assert all(message.startswith("mol.vpt2:") for _, message in caught.value.faults)


def test_an_output_alone_says_where_the_constants_are(tmp_path):
    path = Run().write(tmp_path / "run")
    path.unlink()
    with pytest.raises(ProblemError, match=r"mol\.out:1:1: an output has no force constants: they are in mol\.vpt2"):
        read(path.with_suffix(".out"))
    (tmp_path / "run" / "mol.out").write_text(HEAD)
    Run().write(tmp_path / "run", output=False)
    with pytest.raises(ProblemError, match="did the run end"):
        read(path)
