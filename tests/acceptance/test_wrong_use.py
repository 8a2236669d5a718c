"""A mistake costs one line: what is wrong, where, and what to do. Never a traceback."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.home import Home, ended, the_one_line, until

ONE_PRODUCT = "sku,name\n1,Tea\n"
SELECT = "SELECT sku AS product_id, DATE '2026-01-01' AS occurred_at, name FROM products"


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A folder with `data` and a `mapping` that fits it."""
    for name in ("data", "mapping"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "products.csv").write_text(ONE_PRODUCT)
    (tmp_path / "mapping" / "mapping.toml").write_text(
        'name = "feed"\nzone = "UTC"\n[files.products]\npath = "products.csv"\n'
    )
    (tmp_path / "mapping" / "10_RegisterProduct.sql").write_text(SELECT)
    return tmp_path


def _ingest(shop: Home, data: Path, mapping: Path) -> str:
    return shop.refusal("ingest", "files", data, "--mapping", mapping)


def test_missing_folder_of_files(shop: Home, feed: Path) -> None:
    said = _ingest(shop, feed / "nowhere", feed / "mapping")
    assert str(feed / "nowhere") in said
    assert "not a folder" in said


def test_missing_file_that_a_mapping_names(shop: Home, feed: Path) -> None:
    (feed / "data" / "products.csv").unlink()
    assert "products.csv" in _ingest(shop, feed / "data", feed / "mapping")


def test_missing_mapping(shop: Home, feed: Path) -> None:
    said = _ingest(shop, feed / "data", feed / "nomapping")
    assert str(feed / "nomapping") in said
    assert "mapping.toml" in said


def test_mapping_with_a_column_that_the_file_lacks(shop: Home, feed: Path) -> None:
    (feed / "mapping" / "10_RegisterProduct.sql").write_text(SELECT.replace("sku AS", "skv AS"))
    said = _ingest(shop, feed / "data", feed / "mapping")
    assert "10_RegisterProduct.sql" in said
    assert "skv" in said


def test_mapping_with_a_field_that_the_command_lacks(shop: Home, feed: Path) -> None:
    (feed / "mapping" / "10_RegisterProduct.sql").write_text(SELECT.replace("name FROM", "name AS title FROM"))
    said = _ingest(shop, feed / "data", feed / "mapping")
    assert "10_RegisterProduct.sql" in said
    assert "title" in said
    assert "unit_price" in said, "the fields that there are"


def test_mapping_that_is_not_toml(shop: Home, feed: Path) -> None:
    (feed / "mapping" / "mapping.toml").write_text("name = \n")
    assert "mapping.toml" in _ingest(shop, feed / "data", feed / "mapping")


def test_mapping_with_an_unknown_command(shop: Home, feed: Path) -> None:
    (feed / "mapping" / "20_SellProduct.sql").write_text(SELECT)
    said = _ingest(shop, feed / "data", feed / "mapping")
    assert "20_SellProduct.sql" in said


def test_messages_in_a_file_that_is_missing(shop: Home, tmp_path: Path) -> None:
    assert "orders.ndjson' does not exist" in shop.refusal("ingest", "messages", tmp_path / "orders.ndjson")


def test_messages_in_a_file_that_is_not_named_after_a_topic(shop: Home, feed: Path) -> None:
    said = shop.refusal("ingest", "messages", feed / "data" / "products.csv")
    assert "products.csv" in said
    assert "orders, shipments, inventory, catalog" in said


def test_output_folder_that_is_a_file(shop: Home, feed: Path) -> None:
    file = feed / "data" / "products.csv"
    assert str(file) in shop.refusal("generate", "--orders", 1, "--out", file)


def _shown(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


WRONG_ARGUMENTS = [
    (("kpi", "profit"), "'profit'", "orders, order_lines, gross, net"),
    (("kpi", "--by", "colour"), "'colour'", "year, quarter, month"),
    (("kpi", "stock_units", "--by", "carrier"), "stock_units", "carrier"),
    (("kpi", "--where", "carrier"), "'carrier'", "DIMENSION=MEMBER"),
    (("kpi", "--where", "colour=red"), "'colour'", "year, quarter, month"),
    (("kpi", "--where", "carrier=Nobody"), "'Nobody'", "CR-1 (Northway Parcel)"),
    (("kpi", "--from", "2026-13-01"), "'2026-13-01'", "%Y-%m-%d"),
    (("kpi", "--from", "2026-02-01", "--to", "2026-01-01"), "2026-02-01", "2026-01-01"),
    (("kpi", "orders", "--compare"), "needs a period", "first and its last day"),
    (("kpi", "--policy", "lax"), "'lax'", "default@1"),
    (("policy", "set", "Lax"), "small letters", "NAME"),
    (("policy", "set", "lax", "--in-full", "2"), "'2'", "0.95"),
    (("policy", "show", "default@9"), "'default@9'", "default@1"),
    (("explain", "profit"), "'profit'", "orders, order_lines"),
    (("explain", "fact_order_line/order-1/x"), "fact_order_line/order-1/x", "dataflow explain KPI"),
    (("explain", "order-1:7"), "order-1:7", "order-10248:1"),
    (("kpi", "--colour"), "--colour", "dataflow kpi --help"),
    (("sell",), "'sell'", "dataflow --help"),
    (("events",), "STREAM", "dataflow events --help"),
    (("events", "order-none"), "'order-none'", "order-ID"),
    (("quarantine", "show", "999999"), "999999", "dataflow quarantine list"),
    (("quarantine", "list", "--status", "lost"), "'lost'", "'open'"),
    (("quarantine", "retry"), "numbers", "--code"),
    (("quarantine", "retry", "999999"), "999999", "dataflow quarantine list"),
    (("quarantine", "discard", "1"), "--reason", "dataflow quarantine discard --help"),
    (("quarantine", "discard", "1", "--reason", " "), "--reason", "say why"),
    (("quarantine", "show", str(2**63)), str(2**63), "dataflow quarantine show --help"),
    (("quarantine", "retry", str(2**63)), str(2**63), "dataflow quarantine retry --help"),
    (("quarantine", "discard", str(2**63), "--reason", "odd"), str(2**63), "dataflow quarantine discard --help"),
    (("certificates", "show", str(2**63)), str(2**63), "dataflow certificates show --help"),
    (("generate", "--orders", "-1"), "-1", "--orders"),
    (("generate", "--duplicates", "2"), "2", "0<=x<=1"),
    (("generate", "--start", "yesterday"), "'yesterday'", "%Y-%m-%d"),
    (("demo", "--orders", "0"), "0", "--orders"),
]
"""Arguments, what the line must name as wrong, and what it must give as help."""


@pytest.fixture(scope="module")
def answers(shop: Home) -> dict[tuple[str, ...], subprocess.CompletedProcess[str]]:
    commands = [arguments for arguments, _, _ in WRONG_ARGUMENTS]
    return dict(zip(commands, shop.run_all(commands), strict=True))


@pytest.mark.parametrize(("arguments", "wrong", "help_"), WRONG_ARGUMENTS, ids=_shown)
def test_wrong_argument(
    answers: dict[tuple[str, ...], subprocess.CompletedProcess[str]],
    arguments: tuple[str, ...],
    wrong: str,
    help_: str,
) -> None:
    said = the_one_line(answers[arguments])
    assert wrong in said
    assert help_ in said


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("batch_size", "many", "a whole number from 1 to 100,000"),
        ("batch_size", "0", "a whole number from 1 to 100,000"),
        ("project_batch_size", "1.5", "a whole number from 1 to 100,000"),
        ("dashboard_port", "65536", "a whole number from 1 to 65,535"),
        ("log_level", "loud", "debug, info, warning, error"),
        ("log_format", "xml", "text, json"),
        ("health_port", "http", "a whole number from 1 to 65,535"),
        ("kafka_group", "shop", "DATAFLOW_KAFKA_BOOTSTRAP"),
        ("kafka_topic_prefix", "our topics/", "letters, digits, dots"),
        ("database_url", "postgresql://localhost/dataflow?nosuch=1", '"nosuch"'),
        ("database_url", "mysql://localhost/dataflow", "postgresql://"),
        ("home", __file__, "a folder"),
    ],
)
def test_wrong_setting_names_its_variable_and_what_it_takes(home: Home, name: str, value: str, takes: str) -> None:
    said = home.refusal("status", **{name: value})
    assert f"DATAFLOW_{name.upper()}" in said
    assert takes in said


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://shop:hun%ter2@localhost/dataflow", "percent-encoded"),
        ("postgresql://shop:hun ter2@localhost/dataflow", "spaces"),
        ("postgresql://shop:hun@ter2@localhost/dataflow", "holds an '@'"),
        ("postgresql://shop:hun@ter2@one.example,two.example/dataflow", "holds an '@'"),
        ("postgresql://shop:hun/ter2@localhost/dataflow", "port is no number"),
        ("postgresql://shop:hunter2@[::1]x/dataflow", "unexpected character"),
        ("postgresql://shop:hunter2@localhost:pg/dataflow", "port is no number"),
    ],
)
def test_a_database_that_is_written_wrongly_is_named_without_its_password(home: Home, url: str, why: str) -> None:
    done = home.run("status", database_url=url)
    said = the_one_line(done)
    assert done.returncode == 2
    assert "DATAFLOW_DATABASE_URL" in said
    assert why in said
    assert "%40" in said
    assert not any(piece in said for piece in ("hun", "ter2"))


@pytest.mark.parametrize(("name", "value"), [("acks", "1"), ("sasl_pasword", "hunter2")])
def test_a_property_of_kafka_that_cant_be_set_is_a_wrong_setting(home: Home, name: str, value: str) -> None:
    pytest.importorskip("confluent_kafka", reason="the extra 'kafka' is not installed")
    done = home.run("status", kafka_bootstrap="127.0.0.1:9", **{f"kafka_{name}": value})
    assert name.replace("_", ".") in the_one_line(done)
    assert done.returncode == 2


def test_dashboard_on_a_host_that_is_not_ours(shop: Home) -> None:
    assert "DATAFLOW_DASHBOARD_HOST" in shop.refusal("dashboard", dashboard_host="300.1.1.1")


def test_dashboard_without_its_database(shop: Home) -> None:
    assert "the database does not answer" in shop.refusal("dashboard", database_url="postgresql://me@127.0.0.1:9/x")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_dashboard_on_a_port_in_use(shop: Home, taken_port: int) -> None:
    said = shop.refusal("dashboard", dashboard_port=taken_port)
    assert f"127.0.0.1:{taken_port}" in said
    assert "DATAFLOW_DASHBOARD_PORT" in said


def test_demo_with_its_port_in_use_says_so_before_it_begins(home: Home, taken_port: int) -> None:
    assert "DATAFLOW_DASHBOARD_PORT" in home.refusal("demo", dashboard_port=taken_port)
    assert not home.folder.exists()


def test_data_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = Home(tmp_path / "file" / "home").refusal("status")
    assert str(tmp_path / "file" / "home") in said
    assert "DATAFLOW_HOME" in said


def test_data_folder_of_another_postgresql(home: Home) -> None:
    (home.folder / "postgres").mkdir(parents=True)
    (home.folder / "postgres" / "PG_VERSION").write_text("12\n")
    said = home.refusal("status")
    assert str(home.folder) in said
    assert "version 12" in said
    assert "DATAFLOW_HOME" in said


def test_data_folder_that_holds_something_else(home: Home) -> None:
    (home.folder / "postgres").mkdir(parents=True)
    (home.folder / "postgres" / "letters.txt").write_text("Dear ...\n")
    said = home.refusal("status")
    assert str(home.folder) in said
    assert "DATAFLOW_HOME" in said
    assert (home.folder / "postgres" / "letters.txt").read_text() == "Dear ...\n"


@pytest.mark.parametrize("role", ["consume", "project"])
def test_a_second_process_in_a_role_names_the_first(shop: Home, role: str) -> None:
    first = shop.start(role)
    holds = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
    with shop.connect() as connection:
        name = f"dataflow {role} (process {first.pid})"
        until(lambda: first.poll() is not None or connection.execute(holds, [name]).fetchone(), "no role is held")
    said = shop.refusal(role)
    first.send_signal(signal.SIGTERM)
    assert ended(first).returncode == 0
    assert f"dataflow {role} (process {first.pid})" in said
    assert "stop it first" in said


def test_database_that_nobody_serves(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", database_url="postgresql://localhost:1/dataflow")
    for done in home.run_all([("status",), ("consume", "--once"), ("project", "--once"), ("kpi",), ("rebuild",)]):
        said = the_one_line(done)
        assert "database does not answer" in said
        assert "port 1" in said
    assert not home.folder.exists()


@pytest.fixture
def weak(shop: Home, tmp_path: Path) -> Iterator[Home]:
    """A home whose database belongs to somebody else."""
    with shop.connect() as connection:
        connection.execute("CREATE ROLE weak LOGIN")
        url = f"postgresql://weak@/{connection.info.dbname}?host={connection.info.host}"
    yield Home(tmp_path / "weak", database_url=url)
    with shop.connect() as connection:
        connection.execute("DROP ROLE weak")


def test_database_of_somebody_else(weak: Home) -> None:
    said = weak.refusal("status")
    assert "permission denied for database" in said
    assert "the role needs CREATE on the database" in said


def test_database_that_takes_no_writes(shop: Home) -> None:
    with shop.connect() as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        for command in (("status",), ("generate", "--orders", 1)):
            assert "the database takes no writes" in shop.refusal(*command)
    finally:
        with shop.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")


def test_database_that_does_not_exist(shop: Home, tmp_path: Path) -> None:
    folder = re.search(r"host=(\S+)", shop.conninfo())
    assert folder is not None
    other = Home(tmp_path / "unused", database_url=f"postgresql://postgres@/nosuch?host={folder[1]}")
    assert 'database "nosuch" does not exist' in other.refusal("status")
    assert not other.folder.exists()


def test_doctor_says_what_is_wrong_with_the_database(home: Home) -> None:
    done = home.run("doctor", database_url="postgresql://localhost:1/dataflow")
    assert done.returncode == 1
    assert re.search(r"│ database +│ no +│ the database does not answer", done.stdout)
    assert done.stderr == ""


def test_no_command_shows_the_help(home: Home) -> None:
    done = home.run()
    assert done.returncode == 2
    assert "Usage: dataflow" in done.stderr
    assert "demo" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(shop: Home) -> None:
    process = shop.start("quarantine", "list", "--json")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert ended(process).stderr == ""
