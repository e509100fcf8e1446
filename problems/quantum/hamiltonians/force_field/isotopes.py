"""Masses of atoms: of each element its most abundant isotope.

Wang et al., Chin. Phys. C 45, 030003 (2021) (AME2020), and the abundances of Meija et al., Pure Appl. Chem. 88, 293
(2016), rounded to the digits that move no frequency by 1e-4 cm-1.
"""

from __future__ import annotations

# element, mass in u; the place in the list is the atomic number, from 1; 0 where no isotope is stable
_TABLE = """H 1.00782503190 He 4.00260325 Li 7.01600343 Be 9.01218306 B 11.00930517 C 12 N 14.00307400 O 15.99491462
F 18.99840316 Ne 19.99244018 Na 22.98976928 Mg 23.98504169 Al 26.98153841 Si 27.97692653 P 30.97376200 S 31.97207117
Cl 34.96885269 Ar 39.96238312 K 38.96370649 Ca 39.96259085 Sc 44.9559071 Ti 47.9479407 V 50.9439577 Cr 51.9405047
Mn 54.9380430 Fe 55.9349354 Co 58.9331935 Ni 57.9353417 Cu 62.9295971 Zn 63.9291418 Ga 68.9255735 Ge 73.9211778
As 74.9215946 Se 79.9165218 Br 78.9183376 Kr 83.9114977 Rb 84.9117897 Sr 87.9056123 Y 88.9058382 Zr 89.9046988
Nb 92.9063732 Mo 97.9054036 Tc 0 Ru 101.9043403 Rh 102.9054941 Pd 105.9034803 Ag 106.9050915 Cd 113.9033650
In 114.9038788 Sn 119.9022026 Sb 120.9038114 Te 129.9062227 I 126.9044730 Xe 131.9041551 Cs 132.9054520
Ba 137.9052471 La 138.9063629 Ce 139.9054484 Pr 140.9076596 Nd 141.9077288 Pm 0 Sm 151.9197386 Eu 152.9212368
Gd 157.9241112 Tb 158.9253537 Dy 163.9291808 Ho 164.9303291 Er 165.9303011 Tm 168.9342190 Yb 173.9388675
Lu 174.9407772 Hf 179.9465595 Ta 180.9479985 W 183.9509332 Re 186.9557522 Os 191.9614788 Ir 192.9629238
Pt 194.9647943 Au 196.9665701 Hg 201.9706436 Tl 204.9744273 Pb 207.9766520 Bi 208.9803986""".split()
SYMBOLS = ("", *_TABLE[::2])  # by atomic number
MASSES = {symbol: float(mass) for symbol, mass in zip(_TABLE[::2], _TABLE[1::2]) if float(mass)}
HEAVY_HYDROGEN = {"D": 2.01410177784, "T": 3.01604928132}


def mass_of(symbol: str) -> float | None:
    """The mass in u of the most abundant isotope of an element, or of D and T; None for any other text."""
    name = symbol.strip().capitalize()
    return HEAVY_HYDROGEN.get(name, MASSES.get(name))
