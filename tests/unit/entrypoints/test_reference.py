"""The reference says what the code does: schemas take what ingest takes, pages name all, drift shows."""

import json
import re

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker

from application.codec import EVENT_TYPES
from application.ingest.messages import (
    MESSAGE_TYPES,
    InvalidMessageError,
    decode_command,
    decode_envelope,
    encode_command,
)
from application.projections.glossary import GLOSSARY
from application.projections.registry import SUBJECTS
from application.queries.dimensions import DIMENSIONS
from application.queries.kpis import KPIS
from domain.order.commands import PlaceOrder
from entrypoints.reference.__main__ import main
from entrypoints.reference.contents import contents
from entrypoints.reference.folder import differences, write
from entrypoints.reference.messages import message_schema
from entrypoints.reference.refusals import reason_codes, refusals_by_package
from entrypoints.reference.tables import gold_definitions, selected_columns
from tests.examples import example

PLACE_ORDER = MESSAGE_TYPES["dataflow.PlaceOrder.v1"]

every_type = pytest.mark.parametrize("message_type", MESSAGE_TYPES.values(), ids=lambda each: each.name)


def encoded(command, **attributes):
    return encode_command(command, message_id="1", source="shop", **attributes).payload


def errors_of(message_type, payload):
    schema = message_schema(message_type)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(payload))]


def changed(payload, **data):
    message = json.loads(payload)
    message["data"] |= data
    return json.dumps(message).encode()


def is_taken(payload):
    try:
        decode_command(decode_envelope(payload))
    except InvalidMessageError:
        return False
    return True


@every_type
def test_a_complete_message_fits_its_schema(message_type):
    payload = encoded(example(message_type.command), correlation_id="order-10248", origin_file="a.csv", origin_line=2)
    assert errors_of(message_type, payload) == []
    assert is_taken(payload)


@every_type
def test_a_message_of_required_fields_alone_fits_its_schema(message_type):
    payload = encoded(example(message_type.command, required_only=True))
    assert errors_of(message_type, payload) == []


@every_type
def test_a_message_without_business_time_does_not_fit(message_type):
    message = json.loads(encoded(example(message_type.command)))
    del message["data"]["occurred_at"]
    payload = json.dumps(message).encode()
    assert errors_of(message_type, payload) == ["$.data: 'occurred_at' is a required property"]
    assert not is_taken(payload)


@pytest.mark.parametrize(
    "data",
    [
        {"occurred_at": "1996-07-04T08:30:00"},
        {"requested_date": "4 July"},
        {"freight": "a lot"},
        {"customer_id": None},
        {"lines": [{"line_no": 1, "product_id": "11", "quantity": "twelve", "unit_price": "14"}]},
        {"lines": {}},
    ],
)
def test_data_that_ingest_does_not_take_does_not_fit_the_schema(data):
    payload = changed(encoded(example(PlaceOrder)), **data)
    assert errors_of(PLACE_ORDER, payload)
    assert not is_taken(payload)


def test_a_message_fits_the_schema_of_its_own_type_alone():
    payload = encoded(example(PlaceOrder))
    taking = [each.name for each in MESSAGE_TYPES.values() if not errors_of(each, payload)]
    assert taking == ["dataflow.PlaceOrder.v1"]


def test_pages_name_every_message_type_and_its_stream_and_every_event():
    pages = contents()
    for name in MESSAGE_TYPES:
        assert f"](messages/{name}.schema.json)" in pages["messages.md"]
        assert json.loads(pages[f"messages/{name}.schema.json"])["title"] == name
    assert "| inventory | `inventory-<product_id>@<location_id>` | Goods arrived;" in pages["messages.md"]
    assert "| catalog | `carrier-<carrier_id>` | Enter a new carrier. |" in pages["messages.md"]
    for topic in EVENT_TYPES:
        assert f"### {topic}\n" in pages["events.md"]
    assert "| `lines` | list of OrderedLine |" in pages["events.md"]
    assert "### OrderedLine\n" in pages["events.md"]


def test_refusals_are_found_where_they_are_defined():
    found = {package: [each.__name__ for each in each] for package, each in refusals_by_package().items()}
    assert set(found) == {"catalog", "inventory", "order", "shared", "shipment"}
    assert found["shared"] == ["InvalidQuantity", "InvalidAmount", "InvalidCoordinates"]
    assert "InsufficientStock" in found["inventory"]
    assert "| `OrderOnHold` | A held order neither allocates nor ships. |" in contents()["refusals.md"]


def test_reasons_of_ingest_and_of_file_readers_are_found_with_their_wording():
    codes = reason_codes()
    assert codes["EmptyMessage"] == ["the message is empty"]
    assert codes["UnknownType"] == ["the type {envelope.type} is not known"]
    assert "{name} has more than 200 characters, or 600 bytes" in codes["TextTooLong"], "constants by their values"
    assert {"RowRejected", "UnexpectedError", "TimeOutOfRange", "MissingOffset"} <= set(codes)


def test_what_was_just_written_does_not_differ(tmp_path):
    write(tmp_path, contents())
    assert differences(tmp_path, contents()) == []


def test_each_file_that_differs_gets_one_line(tmp_path):
    write(tmp_path, contents())
    (tmp_path / "events.md").write_text("# Events\n")
    (tmp_path / "messages" / "dataflow.PlaceOrder.v1.schema.json").unlink()
    (tmp_path / "notes.md").touch()
    assert differences(tmp_path, contents()) == [
        "events.md: differs from the code",
        "messages/dataflow.PlaceOrder.v1.schema.json: is missing",
        "notes.md: should not be there",
    ]


def test_writing_again_repairs_and_removes_what_is_not_of_the_reference(tmp_path):
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "dataflow.Gone.v1.schema.json").touch()
    write(tmp_path, contents())
    assert differences(tmp_path, contents()) == []


def test_check_exits_with_1_and_names_the_file(tmp_path):
    write(tmp_path, contents())
    assert CliRunner().invoke(main, ["--check", "--folder", str(tmp_path)]).exit_code == 0
    (tmp_path / "refusals.md").unlink()
    result = CliRunner().invoke(main, ["--check", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output == "refusals.md: is missing; run python -m entrypoints.reference\n"
    assert not (tmp_path / "refusals.md").exists()


def test_tables_show_columns_with_types_of_silver_and_the_selected_columns_of_gold():
    page = contents()["tables.md"]
    assert "### silver.order_lines\n" in page
    assert "| `promised_date` | date or null |" in page
    for gold in gold_definitions():
        assert f"### gold.{gold.name}\n" in page
        assert list(gold.columns or selected_columns(gold.select)) == selected_columns(gold.select)


def test_every_column_of_silver_means_something_and_the_glossary_says_no_more():
    columns = {column for subject in SUBJECTS for table in subject.tables for column in table.columns}
    assert columns == set(GLOSSARY), "a column says what it means in application/projections/glossary.py"


def test_every_column_of_gold_means_something():
    for gold in gold_definitions():
        assert gold.columns, f"{gold.name}.sql has no '-- column NAME: what it means'"


def test_whatever_gold_is_selected_from_refreshes_it():
    subject_of = {table.name: subject.name for subject in SUBJECTS for table in subject.tables}
    for gold in gold_definitions():
        if gold.materialized:
            words = re.findall(r"[a-z_]+", re.sub(r"--[^\n]*", "", gold.select))
            assert {subject_of[word] for word in words if word in subject_of} == set(gold.touched), (
                f"{gold.name}.sql has a 'touched by' for each subject whose tables it reads"
            )


def test_columns_of_a_query_are_those_of_its_first_select_outside_parentheses():
    query = """
        WITH a AS (SELECT x, y FROM b)
        SELECT
            a.x,  -- the first, of course
            coalesce(a.y, 0)::bigint AS z, to_char(day, 'YYYY, "Q"') AS w,
            ARRAY[1, 2] AS pair
        FROM a
        UNION ALL SELECT 1, 2, 3, 4
    """
    assert selected_columns(query) == ["x", "z", "w", "pair"]


def test_kpis_show_unit_direction_meaning_dimensions_and_expression():
    page = contents()["kpis.md"]
    assert "| `fill_rate` | Fill rate | ratio | higher | Units shipped / units ordered" in page
    for kpi in KPIS.values():
        assert page.count(f"| `{kpi.name}` |") == 2
        assert kpi.description in page
    assert "Broken down by `year`, " in page
    for dimension in DIMENSIONS.values():
        assert f"| `{dimension.name}` | {dimension.title} | {dimension.meaning} |" in page
        assert dimension.meaning.endswith((".", "..."))
