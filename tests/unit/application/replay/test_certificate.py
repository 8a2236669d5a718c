"""A certificate is equal when every table is, and is plain data for JSON."""

import json

from application.replay.certificate import Certificate, Difference, TableCertificate

EQUAL = TableCertificate("gold.a", 2, 2, "17", "17", True)
UNEQUAL = TableCertificate("gold.b", 1, None, "17", None, False, (Difference({"id": "x"}, {"id": "x", "n": 1}, None),))


def test_one_unequal_table_makes_the_certificate_unequal() -> None:
    assert Certificate(5, (EQUAL, EQUAL)).equal
    assert not Certificate(5, (EQUAL, UNEQUAL)).equal


def test_the_report_is_json_and_names_what_differs() -> None:
    report = json.loads(json.dumps(Certificate(5, (EQUAL, UNEQUAL)).report()))
    assert (report["equal"], report["position"]) == (False, 5)
    assert [(table["table"], table["equal"]) for table in report["tables"]] == [
        ("gold.a", True),
        ("gold.b", False),
    ]
    assert report["tables"][1]["rows_rebuilt"] is None
    assert report["tables"][1]["differences"] == [{"key": {"id": "x"}, "live": {"id": "x", "n": 1}, "rebuilt": None}]
