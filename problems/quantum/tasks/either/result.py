"""What a user's own Hamiltonian returns: states as of kind vibrational, or motion as of kind wave_packet."""

from problems.quantum.tasks.evolution.result import EvolutionResult
from problems.quantum.tasks.spectrum.result import SpectrumResult

RESULTS = (SpectrumResult, EvolutionResult)  # modes are numbered from 0
