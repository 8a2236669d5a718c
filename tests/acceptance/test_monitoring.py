"""`consume` and `project` in production: watched over HTTP, through outages, to a stop in time."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from adapters.postgres.database import open_pool
from adapters.postgres.topic_log import PostgresTopicLog
from application.ingest.messages import encode_command
from domain.inventory.commands import ReceiveStock
from tests.acceptance.home import Home, the_one_line, until
from tests.acceptance.watched import Database, started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    server = Database(tmp_path_factory.mktemp("database") / "home")
    yield server
    server.home.close()


@pytest.fixture
def database(server: Database) -> Iterator[Database]:
    """The database, up again after each test."""
    yield server
    if server.home.server_pid() is None:
        server.restart()


def test_a_consumer_tells_what_it_took_in(database: Database) -> None:
    before = database.home.json("status")
    with started(database.home, "consume", database_url=database.url) as consumer:
        until(consumer.is_ready, "it does not get ready")
        assert consumer.answer("/live") == (200, "live\n")
        database.generate()
        until(lambda: consumer.lag() == [0] * 16, "it does not take in what was published")
        found = consumer.figures()
        consumer.stop()
    after = database.home.json("status")
    for outcome in ("applied", "duplicate", "quarantined"):
        assert found[f"dataflow_consume_messages_total {outcome}"] == after[outcome] - before[outcome] > 0, outcome
    assert found["dataflow_consume_batch_messages_sum"] == after["received"] - before["received"]
    assert found["dataflow_consume_events_total"] == after["log_position"] - before["log_position"]
    assert found["dataflow_freshness_seconds"] == found["dataflow_consume_behind_seconds"] == 0
    assert time.time() - 60 < found["dataflow_last_batch_timestamp_seconds"] <= time.time()


def test_a_consumer_outlives_its_database(database: Database) -> None:
    with started(database.home, "consume", database_url=database.url) as consumer:
        until(consumer.is_ready, "it does not get ready")
        database.crash()
        until(consumer.is_away, "it takes a database that is gone for one that answers")
        assert consumer.answer("/live")[0] == 200
        until(lambda: any(name.startswith("dataflow_retries_total") for name in consumer.figures()), "no retry")
        assert consumer.figures()["dataflow_ready"] == 0
        database.restart()
        until(consumer.is_ready, "it does not go on")
        database.generate()
        until(lambda: consumer.lag() == [0] * 16, "it does not take in what was published")
        done = consumer.stop()
    assert "consume waits" in done.stderr
    assert "tries again: the database" in done.stderr
    assert database.home.json("status")["balance_holds"] is True


def test_a_follower_tells_how_far_it_is_and_outlives_its_database(database: Database) -> None:
    database.generate()
    database.home.do("consume", "--once")
    with started(database.home, "project", database_url=database.url) as follower:
        until(follower.is_ready, "it does not get ready")
        head = database.home.json("status")["log_position"]
        until(lambda: follower.figures().get("dataflow_project_position") == head, "it does not reach the end")
        found = follower.figures()
        assert found["dataflow_project_behind_positions"] == found["dataflow_project_behind_seconds"] == 0
        assert 0 < found["dataflow_project_events_total"] == found["dataflow_project_batch_events_sum"]
        assert found["dataflow_freshness_seconds"] == 0
        database.crash()
        until(follower.is_away, "it takes a database that is gone for one that answers")
        until(lambda: any(name.startswith("dataflow_retries_total") for name in follower.figures()), "no retry")
        database.restart()
        until(follower.is_ready, "it does not go on")
        done = follower.stop(signal.SIGINT)
    assert "project waits" in done.stderr
    assert database.home.json("verify")["equal"] is True


@pytest.mark.parametrize("command", ["consume", "project"])
def test_a_role_whose_connection_ended_is_noticed_and_taken_again(database: Database, command: str) -> None:
    holders = "FROM pg_stat_activity WHERE application_name LIKE %s"
    with started(database.home, command, database_url=database.url) as working:
        until(working.is_ready, "it does not get ready")
        with database.home.connect() as connection:
            name = f"dataflow {command} (process {working.process.pid})"
            first = connection.execute(f"SELECT pid, pg_terminate_backend(pid, 5000) {holders}", [name]).fetchall()
            until(lambda: "dataflow_retries_total RoleLostError" in working.figures(), "it does not notice")
            until(working.is_ready, "it does not go on")
            again = connection.execute(f"SELECT pid, true {holders}", [name]).fetchall()
        assert len(first) == len(again) == 1
        assert first != again
        assert "may hold it" in working.stop().stderr


def test_an_embedded_database_that_was_killed_is_started_again(home: Home) -> None:
    with started(home, "consume") as consumer:
        until(consumer.is_ready, "it does not get ready")
        killed = home.server_pid()
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda: home.server_pid() not in {None, killed} and consumer.is_ready(), "it does not go on")
        consumer.stop()


@pytest.mark.parametrize("command", ["consume", "project"])
def test_a_command_waits_for_a_database_and_stops_in_time(database: Database, command: str) -> None:
    database.crash()
    with started(database.home, command, database_url=database.url) as waiting:
        until(waiting.is_away, "it does not wait")
        until(lambda: "does not answer" in waiting.answer("/ready")[1], "it does not say what it waits for")
        waiting.stop()


def test_a_stop_does_not_wait_for_a_database_that_hangs(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/dataflow"
        with started(database.home, "consume", database_url=url) as hanging:
            until(hanging.is_away, "it does not wait")
            caller, _ = silent.accept()
            with caller:
                hanging.stop()


def test_once_fails_with_one_line_where_the_database_is_away(database: Database) -> None:
    database.crash()
    for command in ("consume", "project"):
        said = the_one_line(database.home.run(command, "--once", database_url=database.url))
        assert "the database does not answer" in said


def test_structured_logs_name_what_went_into_quarantine(database: Database) -> None:
    database.generate()
    before = database.home.json("status")["quarantined"]
    done = database.home.run("consume", "--once", log_format="json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert done.stdout == ""
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    warnings = [line for line in lines if "code" in line]
    not_shown = sum(line.get("more", 0) for line in lines)
    assert len(warnings) + not_shown == database.home.json("status")["quarantined"] - before
    assert {line["level"] for line in warnings} == {"warning"}
    waiting = {(message["source"], message["code"], message["message_id"]) for message in _waiting(database)}
    assert {(line["source"], line["code"], line["message_id"]) for line in warnings} <= waiting
    assert any(line["correlation_id"] for line in warnings)
    assert "messages received" in lines[-1]["message"]


def _waiting(database: Database) -> list[dict[str, str | None]]:
    query = (
        "SELECT q.source, q.code, m.message_id FROM bronze.quarantine q "
        'JOIN bronze.messages m USING (topic, partition, "offset")'
    )
    with database.home.connect() as connection:
        names = ("source", "code", "message_id")
        return [dict(zip(names, row, strict=True)) for row in connection.execute(query)]


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Receive traces over OTLP; give the endpoint and what it got."""
    got: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{receiver.server_address[1]}", got
        finally:
            receiver.shutdown()
            thread.join()


def _publish_traced(database: Database, trace: str) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    command = ReceiveStock(product_id="traced", location_id="main", occurred_at=at, quantity=1)
    message = encode_command(command, message_id="1", source="depot")
    envelope = {**json.loads(message.payload), "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    conninfo = database.home.conninfo()
    with open_pool(conninfo, size=1) as pool, closing(PostgresTopicLog(pool, conninfo)) as log:
        log.publish([message._replace(payload=json.dumps(envelope).encode())])


def test_traces_are_sent_where_an_endpoint_is_set(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.generate()
    _publish_traced(database, "0af7651916cd43dd8448eb211c80319c")
    with collector() as (endpoint, got):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        home = Home(database.home.folder)
        home.do("consume", "--once")
        home.do("project", "--once")
    spans = [s for request in got for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
    names = [span.name for span in spans]
    assert {"consume batch", "decode", "decide", "append", "project batch", "apply"} == set(names)
    links = [link for span in spans for link in span.links]
    assert [link.trace_id.hex() for link in links] == ["0af7651916cd43dd8448eb211c80319c"]
    assert [(each.key, each.value.string_value) for each in links[0].attributes] == [
        ("messaging.message.id", "depot 1")
    ]
    assert len(database.home.json("events", "inventory-traced@main")) == 1, "a message with a trace is one like others"
    batches = {span.span_id for span in spans if span.name == "consume batch"}
    assert {span.parent_span_id for span in spans if span.name == "append"} == batches
