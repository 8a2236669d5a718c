"""A certificate is equal when every table is, and says which columns of a row differ."""

from datetime import UTC, datetime

from application.replay.certificate import Certificate, Difference, TableCertificate

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHANGED = Difference({"id": "x"}, {"id": "x", "n": 1, "old": 2}, {"id": "x", "n": 3, "new": 4})
REMOVED = Difference({"id": "y"}, {"id": "y", "n": 1}, None)
ADDED = Difference({"id": "z"}, None, {"id": "z", "n": 1})
EQUAL = TableCertificate("gold.a", 2, 2, "17", "17", True)
UNEQUAL = TableCertificate("gold.b", 2, 1, "17", "18", False, (), 2, (CHANGED, REMOVED))


def certificate(*tables: TableCertificate) -> Certificate:
    return Certificate(
        position=5,
        tables=tables,
        purpose="verify",
        code_version="1",
        event_versions=("A.v1",),
        started_at=NOON,
        ended_at=NOON,
    )


def test_one_unequal_table_makes_the_certificate_unequal() -> None:
    assert certificate(EQUAL, EQUAL).equal
    assert not certificate(EQUAL, UNEQUAL).equal


def test_the_report_says_whether_all_is_equal_and_names_what_differs() -> None:
    report = certificate(EQUAL, UNEQUAL).report()
    assert (report["equal"], report["position"], report["event_versions"]) == (False, 5, ("A.v1",))
    assert [(table["table"], table["equal"]) for table in report["tables"]] == [("gold.a", True), ("gold.b", False)]
    assert report["tables"][1]["differences"][1] == {
        "key": {"id": "y"},
        "live": {"id": "y", "n": 1},
        "rebuilt": None,
        "events": (),
    }


def test_the_columns_that_differ_are_named_also_those_that_one_side_lacks() -> None:
    assert CHANGED.columns() == ["n", "old", "new"]
    assert REMOVED.columns() == ADDED.columns() == []
