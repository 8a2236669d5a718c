"""A bar for each day, as SVG that stands in the page itself."""

from __future__ import annotations

from decimal import Decimal
from html import escape

from application.daily.document import Chart
from entrypoints.report.words import NOTHING, shown_figure

WIDTH, HEIGHT, LEFT, TOP, FOOT = 520, 150, 4, 18, 20


def svg(chart: Chart) -> str:
    """Return a chart; each bar says its day and figure where it is pointed at."""
    numbers = [None if value is None else Decimal(value) for _, value in chart.points]
    known = [number for number in numbers if number is not None]
    top = max(known, default=Decimal(0)) or Decimal(1)
    highest = shown_figure(top, chart.unit) if known else "None in these days."
    step = (WIDTH - LEFT) / max(len(chart.points), 1)
    room = HEIGHT - TOP - FOOT
    bars = []
    for place, ((day, _), number) in enumerate(zip(chart.points, numbers, strict=True)):
        height = 0 if number is None else max(float(number / top) * room, 0)
        words = NOTHING if number is None else shown_figure(number, chart.unit)
        left, last = LEFT + place * step, " last" if place == len(numbers) - 1 else ""
        bars.append(
            f'<rect class="bar{last}" x="{left:.1f}" y="{TOP + room - height:.1f}" width="{step - 3:.1f}" '
            f'height="{height:.1f}"><title>{day}: {escape(words)}</title></rect>'
        )
    first, final = (f"{chart.points[end][0]:%d %b}" for end in (0, -1))
    return (
        f'<figure><figcaption>{escape(chart.title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(chart.title)} by day"><line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{TOP + room}" '
        f'y2="{TOP + room}"/><text x="{LEFT}" y="13">{escape(highest)}</text>{"".join(bars)}'
        f'<text x="{LEFT}" y="{HEIGHT - 4}">{first}</text><text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">{final}'
        "</text></svg></figure>"
    )
