"""A chart of what came and what went over time, as SVG: the one an area, the other a line."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 320, 140
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 4, 8, 18  # left of it stands the scale
_PLOT = HEIGHT - _TOP - _BOTTOM
_GAP = 2.5  # steps without a value: the line breaks off

Series = Sequence[tuple[int, float]]
"""Instants (microseconds since 1970) and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What stands below a chart.

    Args:
        begin, end: microseconds since 1970.
        step: between two values that belong together.
        marks: instants and what is written at each.
    """

    begin: int
    end: int
    step: int
    marks: Sequence[tuple[int, str]]


def line_chart(
    came: Series, went: Series, axis: Axis, label: str, unit: Callable[[float], str]
) -> str:
    """The chart; where nothing is known nothing is drawn.

    Args:
        label: what a person who does not see it is told.
        unit: a value in words.
    """
    most = max((value for series in (came, went) for _, value in series), default=0.0)
    marks = _steps(most)
    top = max(most, marks[-1])

    def x(at: int) -> float:
        return _LEFT + (at - axis.begin) * (WIDTH - _LEFT - _RIGHT) / (axis.end - axis.begin)

    def y(value: float) -> float:
        return _TOP + _PLOT * (1 - value / top)

    parts = [
        f'<svg class="line-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">',
        f"<title>{escape(label)}</title>",
    ]
    for piece in _pieces(came, axis.step):
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in piece)
        base = f"{y(0):.1f}"
        ends = f"{x(piece[-1][0]):.1f},{base} {x(piece[0][0]):.1f},{base}"
        parts.append(f'<polygon class="came" points="{points} {ends}"/>')
    for value in (0.0, *marks):
        at = y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}"/>')
        if value:
            parts.append(
                f'<text class="scale" x="{_LEFT - 4}" y="{at + 3.5:.1f}">{unit(value)}</text>'
            )
    for piece in _pieces(went, axis.step):
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in piece)
        parts.append(f'<polyline class="went" points="{points}"/>')
    for at, text in axis.marks:
        parts.append(f'<text class="head" x="{x(at):.1f}" y="{HEIGHT - 5}">{escape(text)}</text>')
    return "".join((*parts, "</svg>"))


def _pieces(series: Series, step: int) -> list[list[tuple[int, float]]]:
    """What belongs together: a value alone is drawn as wide as its step."""
    pieces: list[list[tuple[int, float]]] = []
    for at, value in series:
        if pieces and at - pieces[-1][-1][0] <= _GAP * step:
            pieces[-1].append((at, value))
        else:
            pieces.append([(at, value)])
    return [p if len(p) > 1 else [p[0], (p[0][0] + step // 2, p[0][1])] for p in pieces]


def _steps(most: float) -> list[float]:
    """Two to four round values up to the highest."""
    if most <= 0:
        return [1.0]
    rough = most / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    return [step * n for n in range(1, int(most / step + 1e-9) + 1)] or [step]
