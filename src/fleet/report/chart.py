"""Charts as SVG, small enough to stand in a table's cell."""

from collections.abc import Iterable
from html import escape

from fleet.core.spans import Span, Spans

WIDTH, HEIGHT = 240, 14


def outage_bar(period: Span, outages: Spans, gaps: Spans, label: str) -> str:
    """The period from left to right: outages full height and dark, unknown time half and grey.

    Shape tells them apart as well as colour. An outage is at least one unit wide, or nobody
    would see ten minutes in a month.
    """
    parts = [
        f'<svg class="bar" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        f"<title>{escape(label)}</title>",
        f'<rect class="up" x="0" y="5" width="{WIDTH}" height="4"/>',
        *_rects("gap", 4, 6, period, gaps),
        *_rects("down", 0, HEIGHT, period, outages),
        "</svg>",
    ]
    return "".join(parts)


def _rects(kind: str, y: int, height: int, period: Span, spans: Spans) -> Iterable[str]:
    length = period[1] - period[0]
    for start, end in _visible(spans, length // WIDTH):
        x = (start - period[0]) * WIDTH / length
        width = max(1.0, (end - start) * WIDTH / length)
        x = min(x, WIDTH - width)
        yield f'<rect class="{kind}" x="{x:.2f}" y="{y}" width="{width:.2f}" height="{height}"/>'


def _visible(spans: Spans, unit: int) -> Spans:
    """Spans that would fall on the same unit become one: a bar holds no more than it shows."""
    merged: Spans = []
    for start, end in spans:
        if merged and start - merged[-1][1] < unit:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
