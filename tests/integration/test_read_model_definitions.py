"""Gold files and row classes: what their definitions must say, and the error that names what is wrong."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from adapters.postgres.read_model import PostgresReadModel
from adapters.postgres.read_model.gold_definitions import (
    GoldDefinition,
    Index,
    InvalidGoldDefinitionError,
    read_definitions,
)
from adapters.postgres.read_model.silver_tables import SilverTable
from application.projections.table import Table

HEADER = "-- comment: Orders.\n-- key: id\n"
TOUCHED = "-- touched by orders: SELECT id FROM orders WHERE stream_id = ANY(%(ids)s)\n"
SELECT = "SELECT 1 AS id"


def test_a_definition_is_read_from_header_and_select(tmp_path: Path) -> None:
    text = (
        "-- comment: Orders: all.\n-- key: id, line_no\n-- scope: id\n"
        f"{TOUCHED}-- grows by: day\n-- grows to: SELECT max(day) FROM stock\n"
        "-- Free words: no directive.\n-- index: line_no\n-- index: id, day including units, value\n"
        "-- index: day where units > 0\n-- gin index: names\n\n"
        "WITH x AS (SELECT 1)\nSELECT x;\n"
    )
    (tmp_path / "fact_order.sql").write_text(text)
    assert read_definitions(tmp_path, {"orders"}) == (
        GoldDefinition(
            name="fact_order",
            comment="Orders: all.",
            key=("id", "line_no"),
            select="WITH x AS (SELECT 1)\nSELECT x",
            scope="id",
            touched={"orders": "SELECT id FROM orders WHERE stream_id = ANY(%(ids)s)"},
            grows_by="day",
            grows_to="SELECT max(day) FROM stock",
            indexes=(
                Index(("line_no",)),
                Index(("id", "day"), ("units", "value")),
                Index(("day",), (), "units > 0"),
                Index(("names",), elements=True),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"-- key: id\n{SELECT}", "the header has no 'comment'"),
        (f"-- comment: Orders.\n{SELECT}", "the header has no 'key'"),
        (f"{HEADER}-- key: id\n{SELECT}", "'key' is not known, or stands twice"),
        (f"{HEADER}-- tuched by orders: SELECT 1\n{SELECT}", "'tuched by orders' is not known"),
        (f"{HEADER}-- scope: id\n-- touched by moon: SELECT 1\n{SELECT}", "'touched by moon' is not known"),
        (f"{HEADER}-- scope: id\n{SELECT}", "'scope' and 'touched by' go together"),
        (f"{HEADER}{TOUCHED}{SELECT}", "'scope' and 'touched by' go together"),
        (f"{HEADER}-- scope: id, day\n{TOUCHED}{SELECT}", "'scope' is one column"),
        (f"{HEADER}-- scope: id\n-- touched by orders: SELECT 1\n{SELECT}", "does not use %(ids)s"),
        (f"{HEADER}-- scope: id\n{TOUCHED}-- grows by: day\n{SELECT}", "'grows by' and 'grows to' go together"),
        (f"{HEADER}-- grows by: day\n-- grows to: SELECT 1\n{SELECT}", "go together, with a 'scope'"),
        (
            f"{HEADER}-- scope: id\n{TOUCHED}-- grows by: a, b\n-- grows to: SELECT 1\n{SELECT}",
            "'grows by' is one column",
        ),
        (f"{HEADER}-- index:\n{SELECT}", "'index' says nothing"),
        (f"{HEADER}-- gin index: id including day\n{SELECT}", "'id including day' is not a list of columns"),
        (f"{HEADER}-- index: lower(id)\n{SELECT}", "'lower(id)' is not a list of columns"),
        (HEADER, "the header is not followed by a SELECT"),
    ],
)
def test_a_malformed_header_is_refused_with_file_and_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "fact_order.sql").write_text(text)
    with pytest.raises(InvalidGoldDefinitionError) as caught:
        read_definitions(tmp_path, {"orders"})
    assert str(caught.value).startswith(f"{tmp_path / 'fact_order.sql'}: ")
    assert reason in str(caught.value)


def test_a_select_that_the_database_refuses_names_its_file(conninfo: str, tmp_path: Path) -> None:
    (tmp_path / "fact_order.sql").write_text(f"{HEADER}SELECT missing AS id")
    read_model = PostgresReadModel(conninfo, [], tmp_path)
    with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
        read_model.create()
    read_model.close()
    assert caught.value.__notes__ == ["in the gold definition fact_order.sql"]


def test_a_column_type_that_has_no_place_in_a_table_is_refused() -> None:
    @dataclass
    class Row:
        """A row."""

        stream_id: str
        lines: "list[str]"

    with pytest.raises(TypeError, match=r"column lines of orders: no column type for list\[str\]"):
        SilverTable(Table("orders", Row, ("stream_id",)))
