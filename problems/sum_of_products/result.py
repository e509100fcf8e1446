"""What a user's own Hamiltonian returns: states as of kind vibrational, or motion as of kind wave_packet."""

from problems.vibrational.result import VibrationalResult
from problems.wave_packet.result import WavePacketResult

RESULTS = (VibrationalResult, WavePacketResult)
