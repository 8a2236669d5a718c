"""Each command shows what the log says, and the commands agree with each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from application.queries.dimensions import DIMENSIONS
from domain.order.events import OrderPlaced
from tests.acceptance.conftest import PAST
from tests.acceptance.home import Home, beside_progress, ended, event_log, until

BALANCE = ("received", "applied", "duplicate", "quarantined")
JANUARY = ("--from", "2026-01-01", "--to", "2026-01-31")


def _balance(home: Home) -> dict[str, int]:
    status = home.json("status")
    return {name: status[name] for name in BALANCE}


def _figures(home: Home, *arguments: object) -> dict[str, Any]:
    (row,) = home.json("kpi", *arguments)["rows"]
    figures: dict[str, Any] = row["figures"]
    return figures


@pytest.fixture(scope="module")
def placed(shop: Home) -> list[OrderPlaced]:
    """The orders that the log holds."""
    with shop.connect() as connection:
        return [event for _, _, _, event in event_log(connection) if isinstance(event, OrderPlaced)]


def _net(orders: list[OrderPlaced]) -> Decimal:
    lines = [line for order in orders for line in order.lines]
    return sum((line.quantity * line.unit_price * (1 - line.discount) for line in lines), Decimal(0))


# --- sources


def test_a_live_run_between_structured_logs_is_told_by_them(home: Home) -> None:
    home.keep_server()
    running = home.start("generate", "--rate", 50, "--run", "now", log_format="json")
    with home.connect() as connection:
        sent = "SELECT count(*) > 10 FROM stream.messages WHERE topic = 'orders'"
        until(lambda: connection.execute(sent).fetchone() == (True,), "nothing is published")
    running.terminate()
    done = ended(running)
    assert (done.returncode, done.stdout) == (0, "")
    begun, published = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert begun == "live run now: 50 orders a second, Ctrl-C ends it"
    assert re.fullmatch(r"[\d,]+ messages published", published)


def test_messages_from_files_end_like_those_from_the_stream(shop: Home, home: Home, tmp_path: Path) -> None:
    written = home.do("generate", *PAST, "--out", tmp_path / "messages")
    files = sorted((tmp_path / "messages").iterdir())
    assert [file.name for file in files] == ["catalog.ndjson", "inventory.ndjson", "orders.ndjson", "shipments.ndjson"]
    home.keep_server()
    took = home.json("ingest", "messages", *files)
    assert written.startswith(f"{took['received']:,} messages in ")
    assert took == _balance(home) == _balance(shop)
    assert home.json("kpi")["rows"] == shop.json("kpi")["rows"]


def test_the_same_seed_gives_the_same_messages(home: Home, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        home.do("generate", *PAST, "--out", tmp_path / folder)
    home.do("generate", *PAST, "--seed", 6, "--out", tmp_path / "other")
    one, two, other = (
        {file.name: file.read_bytes() for file in (tmp_path / folder).iterdir()} for folder in ("one", "two", "other")
    )
    assert one == two
    assert one["orders.ndjson"] != other["orders.ndjson"]
    assert not home.folder.exists(), "files need no database"


# --- answers


def test_figures_are_those_of_the_orders_in_the_log(shop: Home, placed: list[OrderPlaced]) -> None:
    figures = _figures(shop, "orders", "units", "gross", "net", "freight")
    lines = [line for order in placed for line in order.lines]
    assert figures["orders"] == len(placed) == 60
    assert figures["units"] == sum(line.quantity for line in lines)
    assert Decimal(figures["gross"]) == sum(line.quantity * line.unit_price for line in lines)
    assert Decimal(figures["net"]) == _net(placed)
    assert Decimal(figures["freight"]) == sum(order.freight for order in placed)


def test_json_keeps_every_digit_that_the_table_rounds(shop: Home, placed: list[OrderPlaced]) -> None:
    assert re.search(rf"Net sales +│ +{_net(placed):,.2f} │ EUR", shop.do("kpi", "net"))
    assert f"Net sales: {_net(placed):,.2f} (EUR)" in shop.do("explain", "net")
    net = _figures(shop, "net")["net"]
    assert isinstance(net, str)
    assert Decimal(net) == _net(placed)
    assert -Decimal(net).normalize().as_tuple().exponent > 2, "a figure with more digits than cents"


@pytest.fixture(scope="module")
def whole(shop: Home) -> dict[str, Any]:
    """Every KPI of everything."""
    return _figures(shop)


@pytest.fixture(scope="module")
def breakdowns(shop: Home) -> dict[str, Any]:
    """Every KPI by every dimension that knows it."""
    done = shop.run_all(("kpi", "--by", dimension, "--json") for dimension in DIMENSIONS)
    return dict(zip(DIMENSIONS, (json.loads(each.stdout) for each in done), strict=True))


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_breakdown_adds_up_to_the_whole(breakdowns: dict[str, Any], whole: dict[str, Any], dimension: str) -> None:
    broken_down = breakdowns[dimension]
    known = [kpi["name"] for kpi in broken_down["kpis"]]
    additive = [name for name in ("net", "units", "shipments_delivered", "stock_value") if name in known]
    if DIMENSIONS[dimension].time and "stock_value" in additive:
        additive.remove("stock_value")
    shipments = DIMENSIONS[dimension].sources.get("fact_shipment")
    if shipments is not None and shipments.through is not None:
        # A shipment belongs to every product, category or supplier that one of its lines has.
        additive.remove("shipments_delivered")
    assert broken_down["by"] == dimension
    assert broken_down["rows"]
    if dimension == "kind":
        assert {row["key"] for row in broken_down["rows"]} >= {"received", "counted", "adjusted"}
        return
    assert additive
    for name in additive:
        parts = [Decimal(row["figures"][name] or 0) for row in broken_down["rows"]]
        assert sum(parts) == Decimal(whole[name]), name


def test_a_breakdown_shows_all_kpis_in_tables_that_fit(shop: Home, breakdowns: dict[str, Any]) -> None:
    output = shop.do("kpi", "--by", "category")
    assert max(map(len, output.splitlines())) <= 120
    tables = len(re.findall(r"^KPIs +$", output, re.MULTILINE))
    assert tables > 1
    for row in breakdowns["category"]["rows"]:
        assert output.count(f"\n│ {row['key']} ") == tables


def test_filters_take_members_by_key_or_name_and_add_up(shop: Home, breakdowns: dict[str, Any]) -> None:
    first, second = breakdowns["carrier"]["rows"][:2]
    assert first["key"] != first["label"]
    for member in (first["key"], first["label"]):
        assert _figures(shop, "net", "--where", f"carrier={member}")["net"] == first["figures"]["net"]
    both = _figures(shop, "net", "--where", f"carrier={first['key']}", "--where", f"carrier={second['key']}")
    assert Decimal(both["net"]) == sum(Decimal(row["figures"]["net"]) for row in (first, second))


def test_a_period_holds_its_first_and_last_day(shop: Home, placed: list[OrderPlaced]) -> None:
    days = sorted({order.occurred_at.date() for order in placed})
    first, last = days[2], days[-3]
    within = [order for order in placed if first <= order.occurred_at.date() <= last]
    figures = _figures(shop, "orders", "net", "--from", first, "--to", last)
    assert (figures["orders"], Decimal(figures["net"])) == (len(within), _net(within))
    before = _figures(shop, "orders", "--to", days[1])["orders"]
    assert before == len([order for order in placed if order.occurred_at.date() < first])


def test_the_report_agrees_with_the_kpis(shop: Home) -> None:
    sections = {section["title"]: section for section in shop.json("report")}
    figures = _figures(shop)
    (orders,) = sections["Orders"]["rows"]
    assert orders["figures"] == {name: figures[name] for name in orders["figures"]}
    assert (
        sections["By month"]["rows"]
        == shop.json("kpi", *(kpi["name"] for kpi in sections["By month"]["kpis"]), "--by", "month")["rows"]
    )
    january = json.loads(shop.do("report", *JANUARY, "--json"))
    assert january[0]["rows"][0]["figures"]["orders"] == _figures(shop, "orders", *JANUARY)["orders"] < 60
    assert "Fill rate" in shop.do("report")


def test_a_figure_is_explained_by_rows_a_row_by_events_an_event_by_its_message(shop: Home) -> None:
    figure = shop.json("explain", "units_returned", "--limit", 100)
    assert figure["figure"] == _figures(shop, "units_returned")["units_returned"] > 0
    assert figure["figure"] == sum(row["columns"]["returned"] for row in figure["rows"])
    row = shop.json("explain", figure["rows"][0]["row"])
    returned = [event for event in row["events"] if event["topic"].startswith("OrderLineReturned")]
    assert sum(event["data"]["quantity"] for event in returned) == row["columns"]["returned"]
    assert {event["data"].get("line_no", row["columns"]["line_no"]) for event in row["events"]} == {
        row["columns"]["line_no"]
    }
    message = shop.json("explain", returned[0]["event"])["message"]
    assert json.loads(message["payload"])["type"] == "dataflow.ReturnOrderLines.v1"
    assert (message["topic"], message["key"]) == ("orders", row["stream_id"])
    with shop.connect() as connection:
        where = 'SELECT payload FROM bronze.messages WHERE (topic, partition, "offset") = (%s, %s, %s)'
        place = [message["topic"], message["partition"], message["offset"]]
        assert connection.execute(where, place).fetchone() == (message["payload"].encode(),)
    for shown, expected in (
        ("units_returned", "fact_order_line/order-"),
        (figure["rows"][0]["row"], returned[0]["event"]),
        (returned[0]["event"], message["message_id"].split()[0]),
    ):
        assert expected in shop.do("explain", shown)


def test_rows_of_every_fact_are_explained(shop: Home) -> None:
    for kpi in ("orders", "shipments", "units_received", "below_reorder_point"):
        explained = shop.json("explain", kpi, "--limit", 1)["rows"][0]
        row = shop.json("explain", explained["row"])
        assert row["columns"] == explained["columns"]
        positions = [event["position"] for event in row["events"]]
        assert positions[-1] <= row["last_position"]
        assert positions[0] == row["first_position"]


def test_a_key_that_a_row_lacks_is_shown_like_any_other_value_that_it_lacks(shop: Home) -> None:
    rows = shop.json("explain", "units_returned", "--limit", 100)["rows"]
    row = next(each for each in rows if each["columns"]["cancelled_date_key"] is None)
    shown = shop.do("explain", row["row"])
    assert re.search(r"cancelled_date_key +│ – +│", shown)
    assert re.search(rf"placed_date_key +│ {row['columns']['placed_date_key']} +│", shown)


def test_a_policy_is_set_in_versions_and_measured_beside_others(shop: Home) -> None:
    said = shop.do("policy", "set", "delivered", "--basis", "delivered", "--due", "promised", "--actor", "ann")
    assert said == "delivered@1 is in force\n"
    assert shop.do("policy", "set", "delivered", "--due", "promised") == "delivered@1 says that already\n"
    assert shop.do("policy", "set", "delivered", "--in-full", "0.95") == "delivered@2 is in force\n"
    first, second = (each for each in shop.json("policy", "list") if each["name"] == "delivered")
    assert (first["basis"], first["in_full"], first["valid_to"]) == ("delivered", 1, second["valid_from"])
    assert (second["due"], second["in_full"], second["valid_to"]) == ("promised", 0.95, None)
    assert shop.json("policy", "show", "delivered@1") == first
    both = _figures(shop, "orders_late", "orders", "--policy", "default", "--policy", "delivered@1")
    assert both == {
        "orders_late@default@1": _figures(shop, "orders_late")["orders_late"],
        "orders_late@delivered@1": _figures(shop, "orders_late", "--policy", "delivered")["orders_late"],
        "orders": 60,
    }
    assert both["orders_late@delivered@1"] != both["orders_late@default@1"]


def test_a_figure_is_compared_with_the_period_before(shop: Home) -> None:
    february = ("--from", "2026-02-01", "--to", "2026-02-28")
    table = shop.json("kpi", "orders", "stock_value", *february, "--compare")
    (row,) = table["rows"]
    before = _figures(shop, "orders", "stock_value", *JANUARY)
    assert table["previous_period"] == {"from": "2026-01-01", "to": "2026-01-31"}
    assert row["changes"]["orders"]["previous"] == before["orders"] != 0
    assert row["changes"]["orders"]["difference"] == row["figures"]["orders"] - before["orders"]
    assert row["changes"]["stock_value"]["previous"] == before["stock_value"]
    assert re.search(r"Orders +│ +\d+ +│ +\d+ +│ +[+-][\d.]+% │", shop.do("kpi", "orders", *february, "--compare"))
    said = shop.do("report", *february, "--compare")
    assert "before" in said
    for each in (said, shop.do("kpi", "orders", *february, "--compare")):
        assert each.startswith("compared with 2026-01-01 to 2026-01-31\n")


# --- watching


def test_status_accounts_for_every_message(shop: Home) -> None:
    status = shop.json("status")
    assert status["balance_holds"] is True
    assert status["received"] == status["applied"] + status["duplicate"] + status["quarantined"]
    assert min(status[name] for name in BALANCE) > 0
    assert status["quarantine_open"] == status["quarantined"] == len(shop.json("quarantine", "list"))
    assert status["stream_behind"] == 0
    assert status["read_model_position"] == status["log_position"] > 0
    assert re.search(rf"received +│ {status['received']:,} ", shop.do("status"))


def test_doctor_finds_a_healthy_platform_healthy(shop: Home) -> None:
    findings = shop.json("doctor")
    assert all(finding["ok"] for finding in findings), findings
    assert {"python", "streamlit", "disk", "database", "balance", "read models", "stream"} <= {
        f["check"] for f in findings
    }


def test_events_tell_the_history_of_a_stream(shop: Home, placed: list[OrderPlaced]) -> None:
    stream = f"order-{placed[0].order_id}"
    history = shop.json("events", stream)
    assert [event["version"] for event in history] == list(range(1, len(history) + 1))
    assert [event["event_id"] for event in history] == [f"{stream}:{event['version']}" for event in history]
    assert history[0]["topic"] == "OrderPlaced.v1"
    assert history[0]["data"]["customer_id"] == placed[0].customer_id
    assert Decimal(str(history[0]["data"]["lines"][0]["unit_price"])) == placed[0].lines[0].unit_price
    assert history[0]["metadata"]["source"].startswith("orders/")
    assert "OrderPlaced.v1" in shop.do("events", stream)


# --- quarantine


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A data folder that tests change, and leave consistent."""
    with closing(Home(tmp_path_factory.mktemp("bench") / "home").keep_server()) as home:
        home.do("generate", "--orders", 12, "--days", 10, "--seed", 8, "--start", "2026-01-05")
        home.do("consume", "--once")
        home.do("project", "--once")
        yield home


def _message(number: int, kind: str, order: str, **data: object) -> str:
    envelope = {
        "specversion": "1.0",
        "id": str(number),
        "source": "test",
        "type": f"dataflow.{kind}.v1",
        "subject": f"order-{order}",
        "data": {"order_id": order, "occurred_at": f"2026-01-20T12:{number:02}:00Z", **data},
    }
    return json.dumps(envelope)


def test_a_quarantined_message_is_looked_at_retried_or_discarded(bench: Home, tmp_path: Path) -> None:
    file = tmp_path / "orders.ndjson"
    lines = [{"line_no": 1, "product_id": "PRD-001", "quantity": 3, "unit_price": "2.50"}]
    early = [
        _message(1, "ConfirmOrder", "LATE-1"),
        _message(2, "CancelOrder", "LATE-1", reason="[/not] markup :tada:"),
        '{"broken": ',
    ]
    file.write_text("\n".join(early) + "\n")
    assert bench.json("ingest", "messages", file) == {"received": 3, "applied": 0, "duplicate": 0, "quarantined": 3}
    confirm, cancel, broken = sorted(bench.json("quarantine", "list"), key=lambda m: early.index(m["payload"]))
    assert [message["code"] for message in (confirm, cancel, broken)] == ["OrderNotPlaced"] * 2 + ["InvalidJson"]
    assert "[/not] markup :tada:" in bench.do("quarantine", "show", cancel["quarantine_id"])
    assert bench.json("quarantine", "show", confirm["quarantine_id"]) == confirm

    refused = bench.run("quarantine", "retry", confirm["quarantine_id"])
    assert refused.returncode == 1
    assert "stays" in refused.stdout

    file.write_text(
        _message(3, "PlaceOrder", "LATE-1", customer_id="CUS-0001", currency="EUR", lines=lines).replace("-20T", "-19T")
        + "\n"
    )
    assert bench.json("ingest", "messages", file)["applied"] == 1
    retried = bench.do("quarantine", "retry", confirm["quarantine_id"], "--actor", "ann")
    assert retried.count("applied") == 2, "the other message of the same key comes along"
    topics = [event["topic"] for event in bench.json("events", "order-LATE-1")]
    assert topics == ["OrderPlaced.v1", "OrderConfirmed.v1", "OrderLineCancelled.v1", "OrderCancelled.v1"]

    discard = ("quarantine", "discard", broken["quarantine_id"], "--reason", "not ours", "--actor", "bob")
    assert bench.do(*discard) == "1 discarded\n"
    settled = {message["quarantine_id"]: message for message in bench.json("quarantine", "list", "--status", "all")}
    assert {number: (m["status"], m["actor"]) for number, m in settled.items()} == {
        confirm["quarantine_id"]: ("retried", "ann"),
        cancel["quarantine_id"]: ("retried", "ann"),
        broken["quarantine_id"]: ("discarded", "bob"),
    }
    assert settled[broken["quarantine_id"]]["note"] == "not ours"
    assert bench.json("quarantine", "list") == []
    status = bench.json("status")
    assert (status["quarantine_open"], status["quarantined"], status["balance_holds"]) == (0, 1, True)
    for command in (("retry",), ("discard", "--reason", "again")):
        said = bench.refusal("quarantine", *command, broken["quarantine_id"])
        assert f"message {broken['quarantine_id']} is discarded already, by bob" in said
    bench.do("project", "--once")


def test_money_of_several_currencies_is_said_to_be_mixed(bench: Home, tmp_path: Path) -> None:
    file = tmp_path / "orders.ndjson"
    lines = [{"line_no": 1, "product_id": "PRD-001", "quantity": 3, "unit_price": "2.50"}]
    placed = {"customer_id": "CUS-0001", "lines": lines}
    file.write_text(
        "".join(
            _message(number, "PlaceOrder", f"IN-{currency}", currency=currency, **placed) + "\n"
            for number, currency in ((51, "EUR"), (52, "USD"))
        )
    )
    assert bench.json("ingest", "messages", file)["applied"] == 2
    bench.do("project", "--once")
    note = "note: money of orders adds up EUR + USD; `--by currency` tells them apart"
    for command in (("kpi", "net"), ("kpi", "net", "--json"), ("report",), ("explain", "net")):
        assert note in bench.run(*command).stderr, command
    for command in (("kpi", "orders"), ("kpi", "net", "--by", "currency"), ("kpi", "net", "--where", "currency=USD")):
        assert note not in bench.run(*command).stderr, command
    assert "USD" in bench.do("kpi", "net", "--where", "currency=USD")
    assert "Net sales USD" in bench.do("kpi", "net", "--by", "product", "--where", "currency=USD")
    assert "(USD)" in bench.do("explain", "net", "--where", "currency=USD")


def test_money_in_another_currency_in_each_row_or_in_the_period_before_is_said_to_be(
    bench: Home, tmp_path: Path
) -> None:
    file = tmp_path / "orders.ndjson"
    placed = {
        "customer_id": "MOVED",
        "lines": [{"line_no": 1, "product_id": "PRD-001", "quantity": 1, "unit_price": "2"}],
    }
    orders = [_message(n, "PlaceOrder", f"MOVED-{n}", currency=c, **placed) for n, c in ((53, "EUR"), (54, "USD"))]
    file.write_text(f"{orders[0].replace('-20T', '-19T')}\n{orders[1]}\n")
    assert bench.json("ingest", "messages", file)["applied"] == 2
    bench.do("project", "--once")
    net, day = ("kpi", "net", "--where", "customer=MOVED"), ("--from", "2026-01-20", "--to", "2026-01-20")
    by_day = bench.run(*net, "--by", "day")
    assert "note: money of orders is of one currency in each row, EUR or USD; `--by currency`" in by_day.stderr
    assert "USD" not in by_day.stdout
    compared = bench.run(*net, *day, "--compare")
    assert "note: money of orders adds up USD, in the period before EUR; `--by currency`" in compared.stderr
    assert "USD" not in compared.stdout
    alone = bench.run(*net, *day)
    assert ("USD" in alone.stdout, alone.stderr) == (True, "")


def test_messages_are_retried_by_their_reason(bench: Home, tmp_path: Path) -> None:
    file = tmp_path / "orders.ndjson"
    file.write_text("".join(_message(n, "ConfirmOrder", f"NEVER-{n}") + "\n" for n in (11, 12)))
    bench.do("ingest", "messages", file)
    done = bench.run("quarantine", "retry", "--code", "OrderNotPlaced")
    assert done.returncode == 1
    assert done.stdout.count("stays") == 2
    numbers = [message["quarantine_id"] for message in bench.json("quarantine", "list")]
    assert f"{len(numbers)} discarded" in bench.do("quarantine", "discard", *numbers, "--reason", "a test")


# --- proof


def test_verify_finds_every_table_equal_and_changes_nothing(shop: Home) -> None:
    before = shop.json("kpi")
    certificate = shop.json("verify")
    assert certificate["equal"] is True
    tables = {table["table"]: table for table in certificate["tables"]}
    assert {"gold.fact_order_line", "gold.dim_product", "silver.order_lines"} <= set(tables)
    assert tables["gold.fact_order_line"]["rows_live"] == _figures(shop, "order_lines")["order_lines"]
    assert shop.json("kpi") == before


def test_a_row_changed_by_hand_is_found_refused_and_repaired(bench: Home) -> None:
    honest = bench.json("kpi")
    tamper = (
        "UPDATE gold.fact_order_line SET net = net + 1 WHERE (stream_id, line_no) = "
        "(SELECT stream_id, line_no FROM gold.fact_order_line ORDER BY 1, 2 LIMIT 1) RETURNING stream_id, net"
    )
    with bench.connect() as connection:
        stream, net = connection.execute(tamper).fetchone() or ("", 0)
    tampered = bench.json("kpi")
    assert tampered != honest

    found = bench.run("verify", "--json")
    assert (found.returncode, beside_progress(found)) == (1, [])
    (table,) = [table for table in json.loads(found.stdout)["tables"] if not table["equal"]]
    (difference,) = table["differences"]
    assert table["table"] == "gold.fact_order_line"
    assert difference["key"] == {"stream_id": stream, "line_no": 1}
    assert Decimal(str(difference["live"]["net"])) == net == Decimal(str(difference["rebuilt"]["net"])) + 1

    refused = bench.run("rebuild")
    assert refused.returncode == 1
    assert "not swapped" in refused.stdout
    assert "changed on purpose, `dataflow rebuild --accept-changes`" in " ".join(refused.stdout.split())
    assert "DIFFERENT" in refused.stdout
    assert stream in refused.stdout
    assert bench.json("kpi") == tampered

    assert "swapped in" in bench.do("rebuild", "--accept-changes")
    assert bench.json("verify")["equal"] is True
    assert bench.json("kpi") == honest


def test_a_rebuild_swaps_in_equal_tables_and_following_goes_on(bench: Home) -> None:
    before = bench.json("kpi")
    rebuilt = bench.json("rebuild")
    assert (rebuilt["swapped"], rebuilt["certificate"]["equal"]) == (True, True)
    assert rebuilt["position"] == bench.json("status")["log_position"]
    assert bench.json("kpi") == before
    bench.do("generate", "--orders", 3, "--days", 2, "--seed", 9, "--start", "2026-02-05", "--run", "more")
    bench.do("consume", "--once")
    behind = bench.run("kpi", "orders")
    assert behind.returncode == 0
    assert re.fullmatch(
        r"note: the figures are [\d,]+ positions behind the log; `dataflow project` .*\n", behind.stderr
    )
    bench.do("project", "--once")
    assert bench.run("kpi", "orders").stderr == ""
    assert bench.json("verify")["equal"] is True
    assert _figures(bench, "orders")["orders"] == before["rows"][0]["figures"]["orders"] + 3


def test_figures_before_anything_was_taken_in_are_zero_not_errors(home: Home) -> None:
    home.keep_server()
    figures = _figures(home)
    assert (figures["orders"], figures["net"], figures["on_time_rate"]) == (0, "0", None)
    assert "–" in home.do("report")
    assert home.json("verify")["equal"] is True
