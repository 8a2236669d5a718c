"""The advisory locks of a database, all in one place, so that no two mean different things by one number."""

from __future__ import annotations

MIGRATION = 7_241_001
"""Held by the process that creates schemas and tables."""
APPEND = 7_241_002
"""Held by whoever appends events, from before positions are assigned to the commit."""
READ_MODEL_CREATION = 7_241_003
"""Held by the process that creates silver and gold."""
REBUILD = 7_241_004
"""Held by the one rebuild or verification that may run."""
ROLES = 7_241
"""The first key of the two-key locks that stand for roles; the second is made from the role's name."""
