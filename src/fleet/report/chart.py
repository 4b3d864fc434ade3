"""Charts as SVG: a bar of outages, a calendar of a month, the worst ones."""

from collections.abc import Iterable, Sequence
from datetime import date
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


_CELL, _GAP, _HEAD = 40, 2, 16


def calendar(days: Sequence[tuple[date, str, float]], weekdays: Sequence[str], label: str) -> str:
    """A month, week by week; in each day its number and its downtime, the bar as high as it is.

    Args:
        days: in order; each with its downtime in words (empty: none) and as a share of the
            worst day's.
        weekdays: Monday first, short.
    """
    first = days[0][0].weekday()
    weeks = (first + len(days) + 6) // 7
    width, height = 7 * _CELL, _HEAD + weeks * _CELL
    parts = [
        f'<svg class="calendar" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}">',
        f"<title>{escape(label)}</title>",
    ]
    for number, name in enumerate(weekdays):
        x = number * _CELL + _CELL // 2
        parts.append(f'<text class="head" x="{x}" y="11">{escape(name)}</text>')
    for number, (day, words, share) in enumerate(days, start=first):
        x, y = number % 7 * _CELL, _HEAD + number // 7 * _CELL
        side = _CELL - _GAP
        parts.append(f'<rect class="day" x="{x}" y="{y}" width="{side}" height="{side}"/>')
        if share > 0:
            bar = max(3.0, share * (side - 14))
            at = y + side - bar
            parts.append(
                f'<rect class="down" x="{x}" y="{at:.1f}" width="6" height="{bar:.1f}"/>'
                f'<text class="value" x="{x + side - 3}" y="{y + side - 5}">{escape(words)}</text>'
            )
        parts.append(f'<text class="number" x="{x + 4}" y="{y + 11}">{day.day}</text>')
    return "".join((*parts, "</svg>"))


_ROW = 30


def ranking(bars: Sequence[tuple[str, str, float]], label: str) -> str:
    """Bars from the longest down, each under its name, so that it can be read on a telephone.

    Args:
        bars: name, value in words, share of the longest.
    """
    width, height = 320, _ROW * len(bars)
    parts = [
        f'<svg class="ranking" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label)}">',
        f"<title>{escape(label)}</title>",
    ]
    for number, (name, value, share) in enumerate(bars):
        y = number * _ROW
        parts += (
            f'<text class="name" x="0" y="{y + 12}">{escape(_short(name))}</text>',
            f'<text class="value" x="{width}" y="{y + 12}">{escape(value)}</text>',
            f'<rect class="down" x="0" y="{y + 17}" width="{max(2.0, share * width):.1f}" '
            'height="7"/>',
        )
    return "".join((*parts, "</svg>"))


_LONGEST = 30


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
