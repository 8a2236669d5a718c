"""Everything that the reference consists of."""

from __future__ import annotations

import json

from application.ingest.messages import MESSAGE_TYPES
from entrypoints.reference.events import events_page
from entrypoints.reference.kpis import kpis_page
from entrypoints.reference.messages import message_schema, messages_page
from entrypoints.reference.quality import quality_page
from entrypoints.reference.refusals import refusals_page
from entrypoints.reference.tables import tables_page


def contents() -> dict[str, str]:
    """Return every file of the reference: its path below docs/reference, and its content."""
    schemas = {f"messages/{each.name}.schema.json": message_schema(each) for each in MESSAGE_TYPES.values()}
    return {
        "messages.md": messages_page(),
        "events.md": events_page(),
        "refusals.md": refusals_page(),
        "tables.md": tables_page(),
        "kpis.md": kpis_page(),
        "quality.md": quality_page(),
        **{name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()},
    }
