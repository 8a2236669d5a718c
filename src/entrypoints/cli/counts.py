"""Whole numbers as the database has them: a larger one is a mistake that the command line names."""

from __future__ import annotations

import click

MOST = 2**63 - 1
COUNT = click.IntRange(1, MOST)
"""How many of something, or the number that something is kept under."""
