"""Processes: pure functions from what happened in one aggregate to commands for others."""
