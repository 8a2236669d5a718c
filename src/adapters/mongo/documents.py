"""BSON as the `ProductCatalog` port's documents: plain values, and extended JSON for all that JSON has no type for.

Format: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import json_util
from bson.decimal128 import Decimal128
from bson.json_util import CANONICAL_JSON_OPTIONS, RELAXED_JSON_OPTIONS

from application.ports.product_catalog import Document


def document_of(collection: str, bson: Mapping[str, Any]) -> Document:
    """Return a document as the port gives it."""
    return Document(collection, key_of(bson["_id"]), {name: _plain(value) for name, value in bson.items()})


def key_of(identifier: Any) -> str:
    """Return an `_id` as text from which it can be read again."""
    return json_util.dumps(identifier, json_options=RELAXED_JSON_OPTIONS)


def identifier_of(key: str) -> Any:
    """Return the `_id` of a key."""
    return json_util.loads(key, json_options=CANONICAL_JSON_OPTIONS)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal128) and value.to_decimal().is_finite():
        return value.to_decimal()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$numberDouble": str(value)}
    if value is None or isinstance(value, str | bool | float | datetime):
        return value
    return int(value) if isinstance(value, int) else json_util.default(value, CANONICAL_JSON_OPTIONS)
