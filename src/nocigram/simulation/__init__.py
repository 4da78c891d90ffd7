"""A mouse filmed from below: studies with known truth, in the laboratory's layout.

It knows nothing of `nocigram.data`, so that it can testify against it.
"""

from nocigram.simulation.recording import SimulatedRecording, SimulatedTrial, simulate_recording
from nocigram.simulation.writer import SimulationSummary, simulate

__all__ = ["SimulatedRecording", "SimulatedTrial", "SimulationSummary", "simulate", "simulate_recording"]
