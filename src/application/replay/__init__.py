"""Rebuild the read models from the log, aside, with proof."""
