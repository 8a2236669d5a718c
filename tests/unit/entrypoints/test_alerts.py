"""Alerts reach the webhook and the mail server that are set; one that does not work hides no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest

from entrypoints.tasks.alerts import alert
from tests.webhook import webhook

DETAILS = {"dag": "daily_supply_chain", "task": "quality"}


class Told:
    """What a webhook and a mail server were told, and the settings that name them."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        self.mailed: list[str] = []
        self.settings = {"DATAFLOW_ALERT_EMAIL": "team@example.com"}


@pytest.fixture
def told() -> Iterator[Told]:
    heard = Told()

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

    with webhook() as web, TCPServer(("127.0.0.1", 0), MailServer) as mail:
        Thread(target=mail.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        heard.posted = web.posted
        heard.settings["DATAFLOW_ALERT_WEBHOOK"] = web.url
        heard.settings["DATAFLOW_SMTP_URL"] = f"smtp://127.0.0.1:{mail.server_address[1]}"
        yield heard
        mail.shutdown()


def test_webhook_and_mail_are_told(told: Told) -> None:
    assert alert("a task failed", DETAILS, told.settings) == ["log", "webhook", "e-mail"]
    line = "a task failed: dag daily_supply_chain, task quality"
    assert told.posted == [{"text": line, "what": "a task failed", **DETAILS}]
    (mail,) = told.mailed
    assert "Subject: [dataflow] a task failed" in mail
    assert "dag: daily_supply_chain" in mail


def test_a_way_that_does_not_work_is_logged_and_the_other_is_tried(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {"DATAFLOW_ALERT_WEBHOOK": "http://127.0.0.1:9/secret"}
    with caplog.at_level(logging.ERROR):
        assert alert("a task failed", DETAILS, told.settings | broken) == ["log", "e-mail"]
    assert "could not be told by webhook" in caplog.text
    assert "secret" not in caplog.text
    assert told.posted == []


def test_without_settings_the_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert alert("a task failed", DETAILS, {}) == ["log"]
    assert '"task": "quality"' in caplog.text
