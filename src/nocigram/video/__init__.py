"""Probe, decode and encode video. The only room that imports PyAV."""
