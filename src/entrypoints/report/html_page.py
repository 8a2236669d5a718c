"""The daily report as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from html import escape

from application.daily.document import Cell, DailyReport, Section
from entrypoints.report.charts import svg
from entrypoints.report.words import is_figure, shown

_STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #5c6776; --line: #dfe4ea; --bar: #9db7d5; --last: #1f5f99;
  --good: #17713d; --bad: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .3rem; }
p { margin: .2rem 0 .6rem; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem;
  margin-top: 1rem; }
figure { margin: 0; }
figcaption { font-weight: 600; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 14px; fill: var(--soft); }
.axis { stroke: var(--line); }
.bar { fill: var(--bar); } .bar.last { fill: var(--last); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .85rem; }
td.figure, th.figure { text-align: right; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); }
@media (max-width: 40rem) {
  body { padding: .7rem; font-size: 14px; }
  th, td { padding: .25rem .35rem; }
  .many thead { display: none; }
  .many tr { display: grid; grid-template-columns: repeat(3, 1fr); border-bottom: 1px solid var(--line);
    padding: .4rem 0; }
  .many td { border: 0; padding: .05rem .2rem; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .many td:first-child { grid-column: 1 / -1; font-weight: 600; }
  .many td::before { content: attr(data-head); display: block; font-size: .75rem; color: var(--soft); }
  .many td:first-child::before { content: none; }
}
@media print {
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .charts { grid-template-columns: 1fr 1fr; }
  section, figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  section.long { break-inside: auto; }
  thead { display: table-header-group; }
  .bar, .bar.last { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
MANY = 5
"""Columns from which on a row becomes a block on a narrow screen."""
LONG = 15
"""Rows from which on a table may be broken over pages."""


def as_html(report: DailyReport) -> str:
    """Return the report as a page, for a screen of any width and for paper."""
    charts = "".join(map(svg, report.charts))
    sections = "\n".join(map(_section, report.sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Supply chain, {report.day}</title><style>{_STYLE}</style></head><body>\n"
        f"<header><h1>Supply chain, {report.day:%A} {report.day}</h1><p>Position {report.position:,} of the log, "
        f"{report.fixed_at:%Y-%m-%d %H:%M} UTC. Late and in full are what the policy {escape(report.policy)} says."
        f'</p></header>\n<div class="charts">{charts}</div>\n{sections}\n</body></html>\n'
    )


def _section(section: Section) -> str:
    note = f"<p>{escape(section.note)}</p>" if section.note else ""
    long = ' class="long"' if len(section.rows) > LONG else ""
    body = _table(section) if section.rows else "<p>None.</p>"
    return f'<section id="{section.name}"{long}><h2>{escape(section.title)}</h2>{note}{body}</section>'


def _table(section: Section) -> str:
    right = [is_figure(cell) for cell in section.rows[0]]
    head = "".join(
        f"<th{_CLASS[figure]}>{escape(heading)}</th>" for heading, figure in zip(section.head, right, strict=True)
    )
    rows = "".join(f"<tr>{_cells(section, row)}</tr>" for row in section.rows)
    kind = ' class="many"' if len(section.head) >= MANY else ""
    shown_head = f"<thead><tr>{head}</tr></thead>" if any(section.head) else ""
    return f'<div class="wide"><table{kind}>{shown_head}<tbody>{rows}</tbody></table></div>'


_CLASS = {True: ' class="figure"', False: ""}


def _cells(section: Section, row: tuple[Cell, ...]) -> str:
    return "".join(_cell(heading, cell) for heading, cell in zip(section.head, row, strict=True))


def _cell(heading: str, cell: Cell) -> str:
    names = "figure" if is_figure(cell) else ""
    if cell.better is not None:
        names += " good" if cell.better else " bad"
    kind = f' class="{names}"' if names else ""
    return f'<td{kind} data-head="{escape(heading)}">{escape(shown(cell))}</td>'
