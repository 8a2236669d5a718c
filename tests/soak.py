"""The short, seeded form of fuzz and fault runs by default; the long, random form with DATAFLOW_SOAK=1."""

import os

SOAK = os.environ.get("DATAFLOW_SOAK") == "1"
FACTOR = 40


def examples(count: int) -> int:
    """Scale the number of examples of a property test."""
    return count * FACTOR if SOAK else count
