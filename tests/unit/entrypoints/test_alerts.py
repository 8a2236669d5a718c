"""Alerts reach the webhook and the mail server that are set; one that does not work hides no other."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest

from entrypoints.tasks.alerts import alert, tell_late

DETAILS = {"dag": "daily_supply_chain", "task": "quality"}


class Told:
    """What a webhook and a mail server were told."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        self.mailed: list[str] = []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    heard = Told()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:  # type: ignore[override]
            """Say nothing."""

    class MailServer(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 ready\r\n")
            for line in self.rfile:
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    heard.mailed.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")
                if line.upper().startswith(b"QUIT"):
                    return

    with HTTPServer(("127.0.0.1", 0), Webhook) as web, TCPServer(("127.0.0.1", 0), MailServer) as mail:
        for server in (web, mail):
            Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DATAFLOW_ALERT_WEBHOOK", f"http://127.0.0.1:{web.server_port}/hook")
        monkeypatch.setenv("DATAFLOW_ALERT_EMAIL", "team@example.com")
        monkeypatch.setenv("DATAFLOW_SMTP_URL", f"smtp://127.0.0.1:{mail.server_address[1]}")
        yield heard
        for server in (web, mail):
            server.shutdown()


def test_webhook_and_mail_are_told(told: Told) -> None:
    assert alert("a task failed", DETAILS) == ["log", "webhook", "e-mail"]
    line = "a task failed: dag daily_supply_chain, task quality"
    assert told.posted == [{"text": line, "what": "a task failed", **DETAILS}]
    (mail,) = told.mailed
    assert "Subject: [dataflow] a task failed" in mail
    assert "dag: daily_supply_chain" in mail


def test_a_way_that_does_not_work_is_logged_and_the_other_is_tried(
    told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DATAFLOW_ALERT_WEBHOOK", "http://127.0.0.1:9/secret")
    with caplog.at_level(logging.ERROR):
        assert alert("a task failed", DETAILS) == ["log", "e-mail"]
    assert "could not be told by webhook" in caplog.text
    assert "secret" not in caplog.text
    assert told.posted == []


def test_without_settings_the_log_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("ALERT_WEBHOOK", "ALERT_EMAIL", "SMTP_URL"):
        monkeypatch.delenv(f"DATAFLOW_{name}", raising=False)
    with caplog.at_level(logging.ERROR):
        assert alert("a task failed", DETAILS) == ["log"]
    assert '"task": "quality"' in caplog.text


def test_a_missed_deadline_is_told_with_its_run(told: Told) -> None:
    run = {"dag_id": "verify_sample", "dag_run_id": "scheduled__1"}
    asyncio.run(tell_late({"dag_run": run}, within="1:00:00"))
    assert told.posted[0]["text"] == "a run is late: dag verify_sample, run scheduled__1, expected within 1:00:00"
