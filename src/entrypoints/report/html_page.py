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
h1 span { white-space: nowrap; }
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
th { font-weight: 600; color: var(--soft); font-size: .85rem; vertical-align: bottom; }
.figure { text-align: right; }
td.figure { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); }
@media (max-width: 40rem) {
  body { padding: .7rem; font-size: 14px; }
  th, td { padding: .25rem .35rem; }
  .long table { font-size: 12px; }
  .long th, .long td { padding: .2rem; overflow-wrap: break-word; }
  .long th { font-size: 11px; }
  .long:not(#reorder) td:first-child { white-space: nowrap; }
  .many thead { display: none; }
  .many tr { display: grid; grid-template-columns: repeat(3, 1fr); border-bottom: 1px solid var(--line);
    padding: .4rem 0; }
  .many.four tr { grid-template-columns: repeat(2, 1fr); }
  .many td { border: 0; padding: .05rem .2rem; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .many td:first-child, .many td:last-child:not(.figure) { grid-column: 1 / -1; }
  .many td:first-child { font-weight: 600; }
  .many td::before { content: attr(data-head); display: block; font-size: .75rem; color: var(--soft); }
  .many td:first-child::before { content: none; }
}
@media print {
  @page { margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2 { margin-top: 1.1rem; }
  .charts { grid-template-columns: 1fr 1fr; }
  .wide { overflow: visible; }
  th, td { padding: .12rem .4rem; }
  section, figure, tr, p { break-inside: avoid; }
  section.long { break-inside: auto; }
  h2, section > p, thead { break-after: avoid; }
  thead { display: table-header-group; }
  .bar, .bar.last { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
MANY = 4
"""Columns from which on a row becomes a block on a narrow screen."""
LONG = 15
"""Rows from which on a table stays one there, in small print, and may be broken over pages."""


def as_html(report: DailyReport) -> str:
    """Return the report as a page, for a screen of any width and for paper."""
    charts = "".join(map(svg, report.charts))
    sections = "\n".join(map(_section, report.sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Supply chain, {report.day}</title><style>{_STYLE}</style></head><body>\n"
        f"<header><h1>Supply chain, <span>{report.day:%A} {report.day}</span></h1>"
        f"<p>Position {report.position:,} of the log, {report.fixed_at:%Y-%m-%d %H:%M} UTC. "
        f"Late and in full are what the policy {escape(report.policy)} says."
        f'</p></header>\n<div class="charts">{charts}</div>\n{sections}\n</body></html>\n'
    )


def _section(section: Section) -> str:
    note = f"<p>{escape(section.note)}</p>" if section.note else ""
    long = ' class="long"' if _is_long(section) else ""
    body = _table(section) if section.rows else "<p>None.</p>"
    return f'<section id="{section.name}"{long}><h2>{escape(section.title)}</h2>{note}{body}</section>'


def _table(section: Section) -> str:
    right = [is_figure(cell) for cell in section.rows[0]]
    head = "".join(
        f"<th{_CLASS[figure]}>{escape(heading)}</th>" for heading, figure in zip(section.head, right, strict=True)
    )
    rows = "".join(f"<tr>{_cells(section, row)}</tr>" for row in section.rows)
    kind = "" if len(section.head) < MANY or _is_long(section) else f' class="many{" four" * (sum(right) == 4)}"'
    shown_head = f"<thead><tr>{head}</tr></thead>" if any(section.head) else ""
    return f'<div class="wide"><table{kind}>{shown_head}<tbody>{rows}</tbody></table></div>'


def _is_long(section: Section) -> bool:
    return len(section.rows) > LONG


_CLASS = {True: ' class="figure"', False: ""}


def _cells(section: Section, row: tuple[Cell, ...]) -> str:
    return "".join(_cell(heading, cell) for heading, cell in zip(section.head, row, strict=True))


def _cell(heading: str, cell: Cell) -> str:
    names, words = "figure" if is_figure(cell) else "", shown(cell)
    if cell.better is not None and not words.startswith("0.0"):
        names += " good" if cell.better else " bad"
    kind = f' class="{names}"' if names else ""
    return f'<td{kind} data-head="{escape(heading)}">{escape(words)}</td>'
