"""BSON as documents: plain values stay, all else is named for what it is."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, ObjectId, Regex
from bson.binary import Binary

from adapters.mongo.documents import document_of, identifier_of, key_of

OID = ObjectId("6b04863fd4df1211bc2658ee")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal128("12.50"), Decimal("12.50")),
        (Decimal128("NaN"), {"$numberDecimal": "NaN"}),
        (float("nan"), {"$numberDouble": "nan"}),
        (float("-inf"), {"$numberDouble": "-inf"}),
        (Int64(2**40), 2**40),
        (datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)),
        (OID, {"$oid": str(OID)}),
        (Regex("a+"), {"$regularExpression": {"pattern": "a+", "options": ""}}),
        ({"a": [Decimal128("1"), {"b": OID}]}, {"a": [Decimal(1), {"b": {"$oid": str(OID)}}]}),
    ],
)
def test_a_value_becomes_plain_or_says_what_it_is(value: Any, plain: Any) -> None:
    fields = document_of("products", {"_id": "A", "value": value}).fields
    assert fields == {"_id": "A", "value": plain}
    assert type((fields or {})["value"]) is type(plain)


@pytest.mark.parametrize(
    "identifier",
    ["A", 'q"uote', 7, -1, 2**40, 1.5, OID, Binary.from_uuid(UUID(int=5)), {"b": 1, "a": "x"}, True],
)
def test_an_identifier_is_read_again_from_its_key(identifier: Any) -> None:
    read = identifier_of(key_of(identifier))
    assert read == identifier
    if isinstance(identifier, dict):
        assert list(read) == list(identifier)
