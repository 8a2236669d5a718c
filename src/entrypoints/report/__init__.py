"""Pages of the daily report: HTML, Markdown and CSV, each a pure function of the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from application.daily.document import DailyReport
from entrypoints.report.html_page import as_html
from entrypoints.report.plain_pages import as_csv, as_markdown

FORMATS: dict[str, Callable[[DailyReport], str]] = {"md": as_markdown, "html": as_html, "csv": as_csv}


def write_all(report: DailyReport, folder: Path) -> list[Path]:
    """Write the report in every format into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for suffix, page in FORMATS.items():
        file = folder / f"report-{report.day}.{suffix}"
        file.write_text(page(report), encoding="utf-8")
        files.append(file)
    return files
