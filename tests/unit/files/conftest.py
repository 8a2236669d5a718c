"""A folder of files and a mapping beside it, written by each test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.files.duckdb_file_source import DuckDbFileSource
from application.ingest.messages import REJECTED_TYPE, CloudEvent, decode_envelope
from application.ports.message_stream import OutgoingMessage

STOCK = """\
SELECT sku AS product_id, 'main' AS location_id, DATE '2024-03-01' AS occurred_at, qty AS counted,
    _file, _line
FROM stock ORDER BY _file, _line
"""


class Feed:
    """Files and a mapping in a temporary folder: by default stock counts of `sku` and `qty`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.mapping = folder / "mapping"
        self.data.mkdir()
        self.mapping.mkdir()

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.data / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def header(self, files: str, top: str = 'name = "feed"\nzone = "Europe/Berlin"') -> None:
        (self.mapping / "mapping.toml").write_text(f"{top}\n{files}")

    def select(self, name: str, sql: str) -> None:
        (self.mapping / name).write_text(sql)

    def stock(self, path: str = "stock.csv", options: str = 'types = { qty = "INTEGER" }') -> None:
        self.header(f'[files.stock]\npath = "{path}"\n{options}')
        self.select("10_CountStock.sql", STOCK)

    def messages(self) -> list[OutgoingMessage]:
        return list(DuckDbFileSource().messages(self.data, self.mapping))

    def events(self) -> list[CloudEvent]:
        return [decode_envelope(message.payload) for message in self.messages()]

    def commands(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(event.data) for event in self.events() if event.type != REJECTED_TYPE]

    def rejected(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(event.data) for event in self.events() if event.type == REJECTED_TYPE]

    def counted(self) -> list[tuple[str, int, int | None]]:
        """Product, units and line of each stock count."""
        return [
            (data["product_id"], data["counted"], event.originline)
            for event in self.events()
            if event.type != REJECTED_TYPE
            for data in [msgspec.json.decode(event.data)]
        ]


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)
