"""`fleet show interface … --over`: how a port's traffic went, as a chart in text."""

from collections.abc import Iterator
from datetime import datetime

from fleet.core.course import Course, Series, Window, even
from fleet.core.metric.kinds import TRAFFIC, Key
from fleet.core.moment import from_us, local, text_of
from fleet.core.ports import port_key
from fleet.core.record import Record
from fleet.core.sparkline import tall
from fleet.core.units import bits
from fleet.errors import NotFound
from fleet.flows.course import begin_of, course
from fleet.metrics.reader import MetricReader

_COLUMNS, _ROWS = 62, 4
_WAYS = dict(zip(TRAFFIC, ("in", "out"), strict=True))


def port_course(
    metrics: MetricReader | None, device: str, port: str, window: Window, now: datetime
) -> Course:
    """What a port carried.

    Raises:
        NotFound: it was never measured.
    """
    number = metrics.number(device) if metrics else None
    own = metrics.keys(number, begin_of(window, now)) if metrics and number is not None else ()
    keys = [k for k in own if k.metric in TRAFFIC and port_key(k.part) == port_key(port)]
    if metrics is None or number is None or not keys:
        raise NotFound(
            f"no traffic of `{device} : {port}` was measured",
            hint="fleet poll --only metrics, twice, five minutes apart",
        )
    return course(metrics, number, keys, window, now)


def course_record(found: Course) -> Record:
    """The values as JSON: instants, bit/s."""
    return {
        "over": found.window.value,
        "from": text_of(from_us(found.begin)),
        "to": text_of(from_us(found.end)),
        **{
            _WAYS[key.metric]: [
                {"at": text_of(from_us(at)), "mean_bps": round(mean), "high_bps": round(high)}
                for (at, mean), (_, high) in zip(found.means[key], found.highs[key], strict=True)
            ]
            for key in found.means
        },
    }


def course_lines(found: Course) -> Iterator[str]:
    """Both ways, one above the other, on the same scale."""
    begin, end = (local(from_us(us)) for us in (found.begin, found.end))
    every: dict[Key, list[float | None]] = {
        key: even(series, found.begin, found.end, _COLUMNS) for key, series in found.means.items()
    }
    top = max((v for values in every.values() for v in values if v is not None), default=0.0)
    for key, values in every.items():
        yield f"{_WAYS[key.metric]}: {_said(found.means[key], found.highs[key])}"
        lines = tall(values, _ROWS, top)
        for place, line in enumerate(lines):
            scale = bits(top) if place == 0 else "0" if place == len(lines) - 1 else ""
            yield f"{scale:>11} |{line}"
    form = "%H:%M" if found.window is Window.DAY else "%Y-%m-%d"
    left, right = begin.strftime(form), end.strftime(form)
    yield f"{'':11}  {left}{right:>{_COLUMNS - len(left)}}"


def _said(means: Series, highs: Series) -> str:
    if not means:
        return "nothing is known"
    mean = sum(value for _, value in means) / len(means)
    return f"{bits(mean)} on average, at most {bits(max(value for _, value in highs))}"
