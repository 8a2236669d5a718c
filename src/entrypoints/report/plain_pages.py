"""The daily report as Markdown, for a mail or a chat, and as CSV, for whoever reckons on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from application.daily.document import DailyReport, Section
from entrypoints.report.words import is_figure, shown

HEADINGS = ("day", "position", "section", "row", "column", "value", "unit")


def as_markdown(report: DailyReport) -> str:
    """Return the report as Markdown tables."""
    lines = [f"# Supply chain, {report.day}", "", _subtitle(report), ""]
    for section in report.sections:
        lines += [f"## {section.title}", ""]
        lines += [section.note, ""] if section.note else []
        lines += _table(section)
    return "\n".join(lines).rstrip() + "\n"


def as_csv(report: DailyReport) -> str:
    """Return the report in long form: a line for each figure, with all its digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADINGS)
    for section in report.sections:
        for number, row in enumerate(section.rows, 1):
            for heading, cell in zip(section.head, row, strict=True):
                writer.writerow(
                    (report.day, report.position, section.name, number, heading, cell.value or "", cell.unit)
                )
    for chart in report.charts:
        for day, value in chart.points:
            writer.writerow((report.day, report.position, "by_day", day, chart.name, value or "", chart.unit))
    return text.getvalue()


def _subtitle(report: DailyReport) -> str:
    return f"Position {report.position:,} of the log, {report.fixed_at:%Y-%m-%d %H:%M} UTC. Late by {report.policy}."


def _table(section: Section) -> Iterator[str]:
    if not section.rows:
        yield "None.\n"
        return
    right = [is_figure(cell) for cell in section.rows[0]]
    yield _line(section.head)
    yield _line(["---:" if each else "---" for each in right])
    for row in section.rows:
        yield _line([shown(cell) for cell in row])
    yield ""


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
