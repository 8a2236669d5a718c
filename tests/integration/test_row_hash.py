"""The digest of a table: other for every change of its rows, whatever their order."""

from __future__ import annotations

import psycopg
import pytest

from adapters.postgres.read_model.row_hash import hashed_columns, summed_hashes

ROWS = "(1::bigint, 2::bigint, 'a'::text), (3, 4, NULL)"


def digest(conninfo: str, rows: str) -> tuple[int, str]:
    with psycopg.connect(conninfo) as connection:
        connection.execute(f"CREATE TEMP TABLE hashed ON COMMIT DROP AS VALUES {rows}".encode())
        table = ("pg_temp", "hashed")
        row = connection.execute(summed_hashes(hashed_columns(connection, table), table)).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("(2::bigint, 1::bigint, 'a'::text), (3, 4, NULL)", id="columns of a row exchanged"),
        pytest.param("(1::bigint, 4::bigint, 'a'::text), (3, 2, NULL)", id="values of two rows exchanged"),
        pytest.param("(1::bigint, 2::bigint, NULL::text), (3, 4, 'a')", id="null elsewhere"),
        pytest.param("(1::bigint, 2::bigint, 'a'::text), (1, 2, 'a')", id="a row twice instead of another"),
        pytest.param("(1::bigint, 2::bigint, 'a'::text), (3, 4, '')", id="empty instead of null"),
    ],
)
def test_other_rows_have_another_digest(conninfo: str, other: str) -> None:
    assert digest(conninfo, other) != digest(conninfo, ROWS)


def test_the_order_of_rows_does_not_matter(conninfo: str) -> None:
    turned = "(3::bigint, 4::bigint, NULL::text), (1, 2, 'a')"
    assert digest(conninfo, turned) == digest(conninfo, ROWS)


def test_arrays_are_hashed_by_what_is_in_them_in_its_order(conninfo: str) -> None:
    arrays = "('{1,2}'::bigint[]), ('{3}')"
    assert digest(conninfo, arrays) == digest(conninfo, "('{3}'::bigint[]), ('{1,2}')")
    assert digest(conninfo, arrays) != digest(conninfo, "('{2,1}'::bigint[]), ('{3}')")


def test_a_table_with_a_type_that_has_no_hash_of_its_own_is_hashed_by_rows(conninfo: str) -> None:
    names = "('a'::varchar), ('b')"
    assert digest(conninfo, names) == digest(conninfo, "('b'::varchar), ('a')")
    assert digest(conninfo, names) != digest(conninfo, "('a'::varchar), ('c')")
